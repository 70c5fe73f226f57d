"""How long a fold takes, beside the original on JAX: full depth, random weights, two passes, 64 + 128 rows.

    python benchmarks/speed/fold.py --threads 1 --peer VENV/bin/python

Each case runs in a process of its own that may use so many cores: the first fold warms up (the original compiles),
the best of the next ones counts. The peer's environment has alphafold-colabfold 2.3.18, jax and dm-haiku.
"""

import argparse
import itertools
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
WEIGHTS = "MOTET_BENCH_WEIGHTS"  # the folder where the original finds its parameters
OURS = ("motet float32", "motet bfloat16")
PEERS = ("alphafold-colabfold float32", "alphafold-colabfold bfloat16")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--lengths", type=int, nargs="+", default=[60, 120])
    parser.add_argument("--engines", nargs="+", default=[*OURS, *PEERS], choices=[*OURS, *PEERS])
    parser.add_argument("--peer", type=Path, help="a Python that can import alphafold-colabfold")
    parser.add_argument("--repeats", type=int, default=3, help="folds after the first, of which the best counts")
    parser.add_argument("--case", nargs=2, metavar=("ENGINE", "RESIDUES"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(measured(asked.case[0], int(asked.case[1]), asked.repeats)))
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| engine | residues | threads | wall s | CPU s | peak GiB | first fold s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as scratch:
        if asked.peer:
            write_official(Path(scratch))
        for threads, residues, engine in itertools.product(asked.threads, asked.lengths, asked.engines):
            if engine in PEERS and not asked.peer:
                continue
            python = asked.peer if engine in PEERS else Path(sys.executable)
            case = ["--repeats", str(asked.repeats), "--case", engine, str(residues)]
            found = in_process(python, case, threads, Path(scratch))
            print(row(engine, residues, threads, found), flush=True)


def in_process(python: Path, case: list[str], threads: int, weights: Path) -> dict[str, float]:
    """One case, in a process that sees as many cores as it has threads."""
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        WEIGHTS: str(weights),
    }
    cores = sorted(os.sched_getaffinity(0))[:threads]
    done = subprocess.run(
        ["taskset", "-c", ",".join(map(str, cores)), python, __file__, *case],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(case)}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def row(engine: str, residues: int, threads: int, found: dict[str, float]) -> str:
    times = f"{found['wall']:.2f} | {found['cpu']:.2f} | {found['peak']:.2f} | {found['first']:.1f}"
    return f"| {engine} | {residues} | {threads} | {times} |"


def measured(engine: str, residues: int, repeats: int) -> dict[str, float]:
    sys.path.insert(0, str(HERE))
    fold_once = (peer if engine in PEERS else ours)(engine.endswith("bfloat16"), residues)
    began = time.perf_counter()
    fold_once()
    first = time.perf_counter() - began
    walls, cpus = zip(*(timed(fold_once) for _ in range(repeats)), strict=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"wall": min(walls), "cpu": min(cpus), "peak": peak, "first": first}


def timed(fold_once: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    fold_once()
    return time.perf_counter() - wall, time.process_time() - cpu


def ours(half: bool, residues: int) -> Callable[[], None]:
    from bench_fold import full_depth, run

    from motet.nn import Execution

    network = full_depth().half() if half else full_depth()
    return lambda: run(network, residues, Execution())


def peer(half: bool, residues: int) -> Callable[[], None]:
    """The original on JAX, with random weights that we wrote as an official file."""
    from fold_original import folds

    return folds(half, residues, Path(os.environ[WEIGHTS]))


def write_official(directory: Path) -> None:
    """Random weights where the original looks for its own."""
    sys.path.insert(0, str(HERE))
    from bench_fold import full_depth

    from motet.fold.weights import to_npz

    (directory / "params").mkdir()
    to_npz(full_depth(), directory / "params" / "params_model_3_ptm.npz")


if __name__ == "__main__":
    main()
