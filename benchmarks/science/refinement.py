"""Density, quality and refinement against cryo-EM maps, beside gemmi and cctbx. Data: `shared/data/density`.

    python benchmarks/science/refinement.py --case render --case quality --case frames --cctbx cctbx/bin/python
    python benchmarks/science/refinement.py --case bl9 --case apoferritin --case vp6 --seed 0
    python benchmarks/science/refinement.py --table

A case is written to --out as soon as it is done; a stopped run goes on where it was, also within a case. Models
are kept in --models. The two perturbed starts are the deposited models shaken by twelve smooth waves of 20 to 40 Å
and by noise of 0.35 Å in each coordinate, to the Cα RMSD of the table in `methods/density.md`. Cα RMSD is in the
frame of the map, without superposition. VP6 starts as it is given. cctbx-base lives in an environment of its own:
`cctbx_judge.py` says how.
"""

import argparse
import csv
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from motet.density import (
    DensityMap,
    Grid,
    correlation,
    low_pass,
    model_mask,
    render,
    scatterers_of,
    van_der_waals_radii,
)
from motet.density.quality import map_quality
from motet.ensemble import Checkpoint, prepared
from motet.ensemble.refinement import Refinement, RefinementPlan
from motet.forcefield import ForceField, ideal_bond_lengths
from motet.io import read, write
from motet.structure import Structure
from motet.validation import validated

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "density"
Row = tuple[str, float, str]  # figure, value, what it should be


@dataclass(frozen=True)
class Entry:
    """A map, a model, and what the table says of them."""

    density: str
    model: str
    resolution: float
    cc_mask: float
    cc_box: float
    q: float
    half: float
    start: float = 0.0  # Cα RMSD of the perturbed start, in Å


ENTRIES = {
    "apoferritin": Entry(
        "emd20026_apoferritin/emd20026_prot.mrc",
        "emd20026_apoferritin/3ajo_fitted_refined.pdb",
        *(1.75, 0.8185, 0.6821, 0.878, 1.97, 1.35),
    ),
    "bl9": Entry(
        "emd2566_mito_bL9/2566_3J6B_9.mrc",
        "emd2566_mito_bL9/3J6B_9.pdb",
        *(3.2, 0.7344, 0.6243, 0.562, 3.50, 1.41),
    ),
    "vp6": Entry(
        "emd6272_vp6_af2/3j9sA_3j9sA.mrc",
        "emd6272_vp6_af2/af2_rigid_docked.pdb",
        *(2.6, 0.34, 0.45, 0.23, 9.7),
    ),
}
BARS = {
    "apoferritin": {"cc_mask": ">= 0.76", "ca_rmsd": "<= 0.45"},
    "bl9": {"cc_mask": ">= 0.71", "ca_rmsd": "<= 0.7"},
    "vp6": {"cc_mask": ">= 0.55", "bond_rms": "<= 0.02"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=list(CASES), help="all of them, when left out")
    parser.add_argument("--out", type=Path, default=Path("refinement.csv"))
    parser.add_argument("--models", type=Path, default=Path("refinement"))
    parser.add_argument("--seed", type=int, default=0, help="of the shaking and of the dynamics")
    parser.add_argument("--cctbx", type=Path, help="Python of an environment that holds cctbx-base")
    parser.add_argument("--table", action="store_true", help="only print --out as Markdown")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.table:
        run(options)
    print_table(options.out)


def run(options: argparse.Namespace) -> None:
    done = set()
    if options.out.exists():
        with options.out.open() as source:
            done = {(row["case"], row["seed"]) for row in csv.DictReader(source)}
    options.models.mkdir(exist_ok=True)
    for case in options.case or CASES:
        seeded = case in ENTRIES
        seed = str(options.seed if seeded else 0)
        if (case, seed) in done:
            continue
        rows = list(CASES[case](options))
        new = not options.out.exists()
        with options.out.open("a", newline="") as sink:
            writer = csv.writer(sink, lineterminator="\n")
            if new:
                writer.writerow(["case", "seed", "figure", "value", "should_be"])
            writer.writerows([case, seed, name, f"{value:.7g}", bar] for name, value, bar in rows)
        print(case, *rows, sep="\n  ", file=sys.stderr, flush=True)


def print_table(path: Path) -> None:
    print("| case | seed | figure | found | should be |\n|---|---|---|---|---|")
    with path.open() as source:
        for row in csv.DictReader(source):
            print(f"| {row['case']} | {row['seed']} | {row['figure']} | {row['value']} | {row['should_be']} |")


def loaded(name: str) -> tuple[Entry, DensityMap, Structure]:
    entry = ENTRIES[name]
    return entry, DensityMap.read(SHARED / entry.density), read(SHARED / entry.model).model(0)


def rendering(_options: argparse.Namespace) -> Iterator[Row]:
    """Our density of bL9 on its map's voxels against gemmi's."""
    import gemmi

    density, structure = loaded("bl9")[1:]
    one, grid = structure.without_hydrogens(), density.grid
    began = time.process_time()
    ours = render(one.coords, scatterers_of(one.topology), one.b_factors, one.occupancies, grid, tail=1e-6)
    took = time.process_time() - began
    chain, residue, model = gemmi.Chain("A"), gemmi.Residue(), gemmi.Model(1)
    rows = ((one.coords - grid.origin).tolist(), one.topology.elements.tolist(), one.b_factors.tolist())
    for place, symbol, b in zip(*rows, strict=True):
        atom = gemmi.Atom()
        atom.element, atom.pos, atom.b_iso, atom.occ = gemmi.Element(symbol), gemmi.Position(*place), b, 1.0
        residue.add_atom(atom)
    chain.add_residue(residue)
    model.add_chain(chain)
    calculator = gemmi.DensityCalculatorE()
    calculator.d_min, calculator.cutoff = 1.0, 1e-7
    calculator.grid.set_size(*grid.shape)
    lengths = (grid.voxel * torch.tensor(grid.shape)).tolist()
    calculator.grid.set_unit_cell(gemmi.UnitCell(*lengths, 90, 90, 90))
    calculator.grid.spacegroup = gemmi.SpaceGroup("P 1")
    began = time.process_time()
    calculator.add_model_density_to_grid(model)
    theirs = time.process_time() - began
    expected = np.array(calculator.grid.array)
    found = np.corrcoef(ours.numpy().ravel(), expected.ravel())[0, 1]
    yield "correlation with gemmi.DensityCalculatorE", float(found), ">= 0.999999"
    yield "largest difference, of the peak", float(np.abs(ours.numpy() - expected).max() / expected.max()), ""
    yield "CPU s", took, f"gemmi {theirs:.3f}"


def quality(options: argparse.Namespace) -> Iterator[Row]:
    """Figures of the deposited models against the table, and against cctbx."""
    for name in ENTRIES:
        entry, density, structure = loaded(name)
        began = time.process_time()
        found = map_quality(structure, density, entry.resolution)
        took = time.process_time() - began
        deposited = found.overall_b is None  # else the table's figure depends on the B that stood in
        yield f"{name} CC_mask", found.cc_mask, f"{entry.cc_mask}{' ± 0.003' * deposited}"
        yield f"{name} CC_box", found.cc_box, f"{entry.cc_box}"
        yield f"{name} FSC 0.5 (Å)", found.resolution, f"{entry.half}{' ± 0.1' * deposited}"
        yield f"{name} Q", float(found.q.mean), f"{entry.q}"
        yield f"{name} CPU s", took, ""
        if found.overall_b is not None:
            yield f"{name} B in place of the file's", found.overall_b, ""
            yield f"{name} CC_mask with the file's B", cc_mask(structure, density, entry.resolution), ""
        path = options.models / f"{name}-deposited.pdb"
        write(structure.without_hydrogens(), path, overwrite=True)
        yield from cctbx(options, name, path)


def cctbx(options: argparse.Namespace, name: str, path: Path) -> Iterator[Row]:
    """What cctbx says of a file, where it is at hand."""
    if options.cctbx is None:
        return
    entry = ENTRIES[name]
    judge = Path(__file__).with_name("cctbx_judge.py")
    command = [options.cctbx, judge, path, SHARED / entry.density, entry.resolution]
    answer = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if answer.returncode:
        print(answer.stderr[-500:], file=sys.stderr)
        return
    for figure, value in json.loads(answer.stdout).items():
        yield f"{name} cctbx {figure}", value, ""


def frames(options: argparse.Namespace) -> Iterator[Row]:
    """CC_mask of copies of one map and model: shifted, turned, axes in other orders, ORIGIN or nstart."""
    entry, density, structure = loaded("bl9")
    reference = cc_mask(structure, density, entry.resolution)
    worst = 0.0
    for turned, moved in copies(density, structure, options.models):
        worst = max(worst, abs(cc_mask(moved, turned, entry.resolution) - reference))
    yield "CC_mask", reference, ""
    yield "largest change of CC_mask in 11 copies", worst, "<= 1e-4"


def cc_mask(structure: Structure, density: DensityMap, resolution: float) -> float:
    one = structure.without_hydrogens()
    model = render(one.coords, scatterers_of(one.topology), one.b_factors, one.occupancies, density.grid)
    mask = model_mask(one.coords, van_der_waals_radii(one.topology), density.grid)
    return float(correlation(low_pass(model, density.grid, resolution), density.density, mask))


def copies(density: DensityMap, structure: Structure, folder: Path) -> Iterator[tuple[DensityMap, Structure]]:
    """The same map and model in other frames; each map is written as another program would, and read again."""
    origin, voxel = density.grid.origin, density.grid.voxel
    for shift in ((100.0, -50.0, 37.5), (0.3, 0.1, -0.2)):
        moved = structure.with_coords(structure.coords + torch.tensor(shift))
        grid = Grid(density.grid.shape, density.grid.axes, origin + torch.tensor(shift).double())
        DensityMap(density.density, grid).write(folder / "shifted.mrc", overwrite=True)
        yield DensityMap.read(folder / "shifted.mrc"), moved
    for axis, other in ((0, 1), (1, 2), (2, 0)):
        # A quarter turn about the third axis: other' = axis, axis' = -other.
        values = density.density.transpose(axis, other).flip(axis)
        last = origin + (torch.tensor(density.grid.shape) - 1) * voxel
        corner, steps = origin.clone(), voxel.clone()
        corner[axis], corner[other] = -last[other], origin[axis]
        steps[axis], steps[other] = voxel[other], voxel[axis]
        coords = structure.coords.clone()
        coords[:, axis], coords[:, other] = -structure.coords[:, other], structure.coords[:, axis]
        x, y, z = values.shape
        yield (
            DensityMap(values.contiguous(), Grid((x, y, z), torch.diag(steps), corner)),
            structure.with_coords(coords),
        )
    for order in ((1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)):
        path = folder / "permuted.mrc"
        start = tuple(round(value) for value in (origin / voxel).tolist())
        path.write_bytes(as_nstart(density, order, start))
        whole = torch.tensor(start).double() * voxel
        yield DensityMap.read(path), structure.with_coords(structure.coords + (whole - origin).float())


def as_nstart(density: DensityMap, order: tuple[int, int, int], start: tuple[int, ...]) -> bytes:
    """A CCP4 file with its axes in some order, its place in nstart, and no ORIGIN."""
    axes = [one - 1 for one in order]
    values = density.density.numpy().transpose(*axes[::-1]).astype("<f4")
    header = np.zeros(256, "<i4")
    header[0:3] = [density.grid.shape[axis] for axis in axes]
    header[3] = 2
    header[4:7] = [start[axis] for axis in axes]
    header[7:10] = density.grid.shape
    cell = [*(density.grid.voxel * torch.tensor(density.grid.shape)).tolist(), 90.0, 90.0, 90.0]
    header[10:16] = np.array(cell, "<f4").view("<i4")
    header[16:19] = order
    header[22] = 1
    raw = bytearray(header.tobytes())
    raw[208:216] = b"MAP \x44\x44\x00\x00"
    return bytes(raw) + values.tobytes()


def shaken(structure: Structure, rms: float, seed: int) -> Structure:
    """Twelve smooth waves and a noise of 0.35 Å, scaled to an RMSD of the Cα."""
    noise = torch.Generator().manual_seed(seed)
    coords = structure.coords.double()
    centred, field = coords - coords.mean(0), torch.zeros_like(coords)
    draw = {"generator": noise, "dtype": torch.float64}
    for _ in range(12):
        length = 20 + 20 * torch.rand(1, **draw)
        direction = torch.randn(3, **draw)
        wave = direction / direction.norm() * 2 * math.pi / length
        amplitude, phase = torch.randn(3, **draw), 2 * math.pi * torch.rand(1, **draw)
        field += amplitude * torch.sin(centred @ wave + phase)[:, None]
    rough = 0.35 * torch.randn(coords.shape, **draw)
    alpha = torch.from_numpy(structure.topology.atom_names == "CA")
    low, middle, high = 0.0, 2.5, 5.0
    for _ in range(40):
        middle = (low + high) / 2
        away = float((middle * field + rough)[alpha].square().sum(-1).mean().sqrt())
        low, high = (middle, high) if away < rms else (low, middle)
    return structure.with_coords((coords + middle * field + rough).to(structure.coords.dtype))


def refining(name: str) -> Callable[[argparse.Namespace], Iterator[Row]]:
    """A case that refines: the start and the end, judged alike."""

    def case(options: argparse.Namespace) -> Iterator[Row]:
        entry, density, deposited = loaded(name)
        native = prepared(deposited).model(0).select("protein")
        start = shaken(native, entry.start, options.seed) if entry.start else native
        system = ForceField().bind(start)
        began = time.process_time(), time.perf_counter()
        plan = RefinementPlan(resolution=entry.resolution)
        job = Refinement(start, system, density, plan, seed=options.seed)
        parts = Checkpoint(options.models / f"{name}-{options.seed}", asdict(plan))
        found = job.run(parts, look=lambda *step: print(*step, file=sys.stderr, flush=True))
        parts.close()
        cpu, wall = time.process_time() - began[0], time.perf_counter() - began[1]
        for when, one in (("start", start), ("end", found.structure)):
            yield from judged(options, name, when, one, native if entry.start else None, density)
        yield "CPU s", cpu, "< 1200 (ten minutes on two cores); of the steps since it was last stopped"
        yield "wall s, machine shared", wall, ""
        if found.overfitting:
            kind = found.overfitting.kind
            yield f"box CC before, {kind}", found.overfitting.first, ""
            yield f"box CC after, {kind}", found.overfitting.second, "does not rise"

    return case


def judged(
    options: argparse.Namespace,
    name: str,
    when: str,
    structure: Structure,
    native: Structure | None,
    density: DensityMap,
) -> Iterator[Row]:
    """One model against its map, its stereochemistry and the native."""
    entry = ENTRIES[name]
    bars = BARS[name] if when == "end" else {}
    path = options.models / f"{name}-{options.seed}-{when}.pdb"
    write(replace(structure, notes=()), path, overwrite=True)
    agreement = map_quality(structure, density, entry.resolution)
    sound = validated(structure).summaries[0]
    yield f"{when} CC_mask", agreement.cc_mask, bars.get("cc_mask", "")
    yield f"{when} CC_box", agreement.cc_box, ""
    yield f"{when} Q", float(agreement.q.mean), ""
    yield f"{when} FSC 0.5 (Å)", agreement.resolution, ""
    if native is not None:
        alpha = torch.from_numpy(native.topology.atom_names == "CA")
        away = (structure.coords - native.coords)[alpha].square().sum(-1).mean().sqrt()
        yield f"{when} Cα RMSD (Å)", float(away), bars.get("ca_rmsd", "")
    yield f"{when} Ramachandran outliers (%)", sound.ramachandran_outliers, "<= 1" if bars else ""
    yield f"{when} Ramachandran favoured (%)", sound.ramachandran_favoured, ""
    yield f"{when} rotamer outliers (%)", sound.rotamer_outliers, ""
    yield f"{when} clashscore", sound.clashscore, "below the start's" if bars else ""
    yield f"{when} MolProbity score", sound.molprobity_score, ""
    bonds, ideal = ideal_bond_lengths(structure)
    lengths = (structure.coords[bonds[:, 0]] - structure.coords[bonds[:, 1]]).norm(dim=-1)
    yield (
        f"{when} bonds, rms from ideal (Å)",
        float((lengths - ideal).square().mean().sqrt()),
        bars.get("bond_rms", ""),
    )
    for figure, value, _ in cctbx(options, name, path):
        yield f"{when} {figure.removeprefix(name + ' ')}", value, ""


CASES: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "render": rendering,
    "quality": quality,
    "frames": frames,
    "bl9": refining("bl9"),
    "apoferritin": refining("apoferritin"),
    "vp6": refining("vp6"),
}

if __name__ == "__main__":
    main()
