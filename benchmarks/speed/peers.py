"""motet, tmol and OpenMM side by side on one thread: energy, gradient, a batch of 64, memory, the first result.

    python benchmarks/speed/peers.py --tmol VENV/bin/python --openmm VENV/bin/python --rows peers.jsonl

Each row is added to the file of `--rows` as soon as it is there, and what that file holds is not measured again: a
run that was stopped goes on where it stopped. Rows left out for a reason are tried again. The table comes last.

Each program runs by its own interpreter, in a process of its own for each structure: tmol and OpenMM come from
PyPI, each into a virtual environment of its own. One that is not given, or cannot be run, is left out with the
reason. Times are processor seconds, the median of several evaluations: other users disturb them less than the
clock. Conformations of a batch are drawn anew for each evaluation: "near" ones by 0.05 Å, as in dynamics, where
lists of neighbours still hold, and "unlike" ones, where they do not: there motet is made to forget its lists (tmol
and OpenMM do all their work every time). A batch of the compiled motet would be one more graph, and is left out.
The first result is the first energy and gradient, from the start of the process, with all imports; of the compiled
motet, with compiling. Memory is the peak of the whole process after single evaluations, and "net" what of it the
imports of numpy and torch (or OpenMM) alone do not take.
"""

import argparse
import importlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STRUCTURES = Path(__file__).parents[2].parent / "shared" / "data" / "structures"
PROTEINS = {"1ubq": 76, "4ake_A": 214, "5opj": 753}
BATCH = 64
COLUMNS = {
    "energy": "energy, ms",
    "gradient": "energy + gradient, ms",
    "batch": f"{BATCH} near conformations + gradient, ms",
    "unlike": f"{BATCH} unlike conformations + gradient, ms",
    "memory": "peak memory of one, MB",
    "net": "net of imports, MB",
    "first": "first result, s",
}
MOST_SECONDS, MOST_TIMES = 3.0, 40  # of repetitions
LONG_SECONDS = 30.0  # what takes so long is not done twice
NOISE = 0.05  # Å, between the conformations of a batch

Row = dict[str, float] | str  # figures, or why there are none
Evaluate = Callable[[bool, int, bool], None]  # with gradient or not, so many conformations, unlike or near


def motet(path: Path) -> Evaluate:
    import torch

    from motet.forcefield import ForceField
    from motet.io import read

    structure = read(path)
    start = structure.model(0).coords
    system = ForceField().bind(structure.with_coords(start))
    return _torch_evaluation(torch, system, start)


def motet_compiled(path: Path) -> Evaluate:
    import torch

    from motet.forcefield import ForceField
    from motet.io import read

    structure = read(path)
    start = structure.model(0).coords
    system = ForceField().bind(structure.with_coords(start)).compiled()
    return _torch_evaluation(torch, system, start)


def tmol(path: Path) -> Evaluate:
    import tmol as program
    import torch
    from tmol.pose import PoseStackBuilder

    device = torch.device("cpu")
    pose = program.pose_stack_from_file(str(path), device)
    score = program.beta2016_score_function(device)
    modules: dict[int, tuple[Any, Any]] = {}

    def evaluate(gradient: bool, count: int, unlike: bool) -> None:
        if count not in modules:
            stack = pose if count == 1 else PoseStackBuilder.from_poses([pose] * count, device)
            modules[count] = score.render_whole_pose_scoring_module(stack), stack.coords.detach()
        module, coords = modules[count]
        _torch_step(torch, module, coords, gradient)

    return evaluate


def openmm(path: Path) -> Evaluate:
    import numpy as np
    import openmm as program
    from openmm import app, unit

    whole = path.with_name(f"{path.stem}_H.pdb")
    pdb = app.PDBFile(str(whole if whole.exists() else path))
    field = app.ForceField("amber14/protein.ff14SB.xml", "implicit/gbn2.xml")
    modeller = app.Modeller(pdb.topology, pdb.positions)
    if not whole.exists():
        modeller.addHydrogens(field)
    system = field.createSystem(modeller.topology)
    platform = program.Platform.getPlatformByName("CPU")
    context = program.Context(system, program.VerletIntegrator(0.001), platform, {"Threads": "1"})
    places = np.array(modeller.positions.value_in_unit(unit.nanometer))
    noise = np.random.default_rng(0).normal(0, NOISE / 10, (BATCH, *places.shape))

    def evaluate(gradient: bool, count: int, unlike: bool) -> None:
        for k in range(count):  # one context holds one conformation
            context.setPositions(places + noise[k])
            state = context.getState(getEnergy=True, getForces=gradient)
            state.getPotentialEnergy()
            if gradient:
                state.getForces(asNumpy=True)

    return evaluate


PROGRAMS = {"motet": motet, "motet, compiled": motet_compiled, "tmol": tmol, "OpenMM ff14SB + GBn2": openmm}
IMPORTS = {
    "motet": ("numpy", "torch"),
    "motet, compiled": ("numpy", "torch"),
    "tmol": ("numpy", "torch"),
    "OpenMM ff14SB + GBn2": ("numpy", "openmm"),
}


def _torch_evaluation(torch: Any, energy: Any, start: Any) -> Evaluate:
    generator = torch.Generator().manual_seed(0)

    def evaluate(gradient: bool, count: int, unlike: bool) -> None:
        if unlike:
            energy.forget()
        noise = torch.randn(count, *start.shape, generator=generator) if count > 1 else 0.0
        _torch_step(torch, energy, start + NOISE * noise, gradient)

    return evaluate


def _torch_step(torch: Any, energy: Any, coords: Any, gradient: bool) -> None:
    if gradient:
        coords = coords.detach().requires_grad_()
        torch.autograd.grad(energy(coords).sum(), coords)
        return
    with torch.no_grad():
        energy(coords)


def measured(program: str, path: Path) -> dict[str, float]:
    """What one program needs for one structure."""
    imports = IMPORTS[program]
    for name in imports:
        importlib.import_module(name)
    bare = _peak()
    if "torch" in imports:
        importlib.import_module("torch").set_num_threads(1)
    evaluate = PROGRAMS[program](path)
    evaluate(True, 1, False)
    found = {"first": _spent()}
    found["gradient"] = _median(lambda: evaluate(True, 1, False))
    found["energy"] = _median(lambda: evaluate(False, 1, False))
    found["memory"] = _peak()
    found["net"] = found["memory"] - bare
    if "compiled" in program:
        return found
    found["batch"] = _median(lambda: evaluate(True, BATCH, False))
    alike = program.startswith("OpenMM")  # it lists nothing: all pairs, every time
    found["unlike"] = found["batch"] if alike else _median(lambda: evaluate(True, BATCH, True))
    return found


def _peak() -> float:
    """Peak memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _spent() -> float:
    """Processor time of this process and of the compilers that it has started, in seconds."""
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in times)


def _median(once: Callable[[], None]) -> float:
    """Milliseconds of processor time; the first time, in fresh memory, counts only where it is a long one."""
    times: list[float] = []
    while len(times) < MOST_TIMES and sum(times) < (MOST_SECONDS if len(times) > 1 else LONG_SECONDS):
        began = time.process_time()
        once()
        times.append(time.process_time() - began)
    return 1000 * statistics.median(times[1:] or times)


def run(program: str, python: str, path: Path, seconds: float) -> Row:
    """The figures, or why there are none."""
    command = [python, __file__, "--work", program, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"took more than {seconds:.0f} s"
    if done.returncode:
        last = done.stderr.strip().splitlines() or ["no word of why"]
        return last[-1][:120]
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(rows: dict[str, dict[str, Row]]) -> str:
    """Markdown: a table for each structure."""
    lines = []
    for protein, programs in rows.items():
        lines += ["", f"**{protein}** ({PROTEINS[protein]} residues)", ""]
        lines += ["| | " + " | ".join(COLUMNS.values()) + " |", "| --- " * (len(COLUMNS) + 1) + "|"]
        for program, found in programs.items():
            cells = (
                [found]
                if isinstance(found, str)
                else [f"{found[name]:,.1f}" if name in found else "" for name in COLUMNS]
            )
            lines.append(f"| {program} | " + " | ".join(cells) + " |")
    return "\n".join(lines[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tmol", help="Python of the environment that tmol is installed in")
    parser.add_argument("--openmm", help="Python of the environment that OpenMM is installed in")
    parser.add_argument("--compiled", action="store_true", help="also motet compiled; a minute or two more, each")
    parser.add_argument("--structures", type=Path, default=STRUCTURES)
    parser.add_argument("--proteins", nargs="+", default=list(PROTEINS), choices=PROTEINS)
    parser.add_argument("--seconds", type=float, default=600.0, help="at most, for one program and structure")
    parser.add_argument("--rows", type=Path, help="file that rows are added to, and read from (JSON lines)")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        print(json.dumps(measured(given.work[0], Path(given.work[1]))))
        return
    compiled = {"motet, compiled": sys.executable} if given.compiled else {}
    pythons = {"motet": sys.executable, "tmol": given.tmol, **compiled, "OpenMM ff14SB + GBn2": given.openmm}
    known = kept(given.rows)
    rows: dict[str, dict[str, Row]] = {protein: {} for protein in given.proteins}
    for program, python in pythons.items():  # the slowest program last
        for protein in given.proteins:
            path = given.structures / f"{protein}.pdb"
            reason = "left out: no environment was given" if python is None else ""
            reason = reason or ("" if path.exists() else f"left out: there is no {path}")
            found = known.get((protein, program)) or reason or run(program, str(python), path, given.seconds)
            rows[protein][program] = found
            print(f"{protein} {program}: {found}", file=sys.stderr, flush=True)
            if given.rows and isinstance(found, dict) and (protein, program) not in known:
                with given.rows.open("a") as file:
                    file.write(json.dumps([protein, program, found]) + "\n")
    print(table(rows))


def kept(path: Path | None) -> dict[tuple[str, str], Row]:
    """Rows of earlier runs."""
    lines = path.read_text().splitlines() if path and path.exists() else []
    return {(protein, program): found for protein, program, found in map(json.loads, lines)}


if __name__ == "__main__":
    main()
