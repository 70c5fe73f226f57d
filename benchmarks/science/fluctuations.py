"""Do the ensembles of `motet ensemble` fluctuate where the protein does?

Cα RMSF of motet's default ensemble against that of NMR bundles and of a trajectory of adenylate kinase, with the
trivial peers beside it: ANM and GNM (ProDy) on the same start. Data: the shared `dynamics` folder.

    python benchmarks/science/fluctuations.py --adenylate-kinase          # some minutes on one core
    python benchmarks/science/fluctuations.py --bundles                    # one to two minutes a bundle
    python benchmarks/science/fluctuations.py --bundles --method langevin  # the same by dynamics
    python benchmarks/science/fluctuations.py --bundles --peers-only       # needs `pip install prody`

The result is printed as a Markdown table; `benchmarks/results/` keeps it with date, machine and commit.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
MODES = 20  # of ANM and GNM


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adenylate-kinase", action="store_true")
    parser.add_argument("--bundles", action="store_true")
    parser.add_argument("--peers-only", action="store_true")
    parser.add_argument("--method", choices=("montecarlo", "langevin"), default="montecarlo")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    targets = [("4ake_A", *adenylate_kinase())] if options.adenylate_kinase else []
    targets += [(path.stem, *bundle(path)) for path in bundles()] if options.bundles else []
    rows = []
    for name, start, reference in targets:
        began = time.perf_counter()
        predicted = dict(elastic_networks(start["CA"]))
        if not options.peers_only:
            predicted |= motet_fluctuations(start, options)
        row = {method: correlation(rmsf, reference) for method, rmsf in predicted.items()}
        rows.append((name, len(reference), row, time.perf_counter() - began))
        print(f"{name}: {row}", file=sys.stderr)
    print_table(rows)


def bundles() -> list[Path]:
    """NMR bundles with a backbone (one holds Cα alone), smallest first."""
    found = [path for path in (SHARED / "dynamics/nmr").glob("*.npz") if "_ca" not in path.stem]
    return sorted(found, key=lambda path: (len(str(np.load(path)["seq"])), path.stem))


def bundle(path: Path) -> tuple[dict, np.ndarray]:
    """First model as the start, and the RMSF of all models, tails included, so that nobody chooses."""
    data = np.load(path)
    coords = data["coords"].astype(np.float64) / 100
    start = {name: coords[0, :, i] for i, name in enumerate(data["atoms"])} | {"sequence": str(data["seq"])}
    return start, rmsf_of(coords[:, :, list(data["atoms"]).index("CA")])


def adenylate_kinase() -> tuple[dict, np.ndarray]:
    """The open crystal structure, and the RMSF of the DIMS trajectory from closed to open."""
    from motet.io import read

    structure = read(SHARED / "structures/4ake_A.pdb")
    data = np.load(SHARED / "dynamics/trajectories/adk_dims.npz")
    coords = data["coords"][:, :, 1].astype(np.float64) / 100
    carbons = structure.topology.atom_index("CA")
    return {"structure": structure, "CA": structure.coords[carbons].double().numpy()}, rmsf_of(coords)


def rmsf_of(carbons: np.ndarray) -> np.ndarray:
    """RMSF after superposition onto the mean."""
    from motet.geometry import superposed_to_mean

    fitted, mean = superposed_to_mean(torch.from_numpy(carbons))
    return (fitted - mean).square().sum(-1).mean(0).sqrt().numpy()


def motet_fluctuations(start: dict, options: argparse.Namespace) -> dict[str, np.ndarray]:
    """RMSF of motet's ensemble, with the defaults of the command line."""
    from motet.ensemble import Langevin, MonteCarlo, Plan, observe, prepared, produce
    from motet.forcefield import ForceField

    structure = prepared(start["structure"] if "structure" in start else from_backbone(start))
    system = ForceField().bind(structure)
    dynamics = options.method == "langevin"
    generator = Langevin() if dynamics else MonteCarlo(topology=structure.topology)
    plan = Plan(count=options.count, seed=options.seed, relax_steps=60 if dynamics else 0)
    found = observe(produce(structure, system, generator, plan)).rmsf.double().numpy()
    print(f"mean RMSF {found.mean():.2f} Å", file=sys.stderr)
    return {options.method: found}


def from_backbone(start: dict):
    """A structure of backbone atoms; `prepared` builds the side chains."""
    from motet.structure import structure_from_backbone

    atoms = torch.from_numpy(np.stack([start[name] for name in ("N", "CA", "C", "O")], axis=1)).float()
    return structure_from_backbone(start["sequence"], atoms)


def elastic_networks(carbons: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """RMSF of ANM and GNM by ProDy's defaults, where ProDy is installed."""
    try:
        import prody
    except ImportError:
        print("prody is not installed: ANM and GNM are left out", file=sys.stderr)
        return []
    prody.confProDy(verbosity="none")
    found = []
    for name, build in (("ANM", prody.ANM), ("GNM", prody.GNM)):
        network = build()
        network.buildHessian(carbons) if name == "ANM" else network.buildKirchhoff(carbons)
        network.calcModes(MODES)
        found.append((name, np.sqrt(prody.calcSqFlucts(network))))
    return found


def correlation(predicted: np.ndarray, reference: np.ndarray) -> float:
    return round(float(np.corrcoef(predicted, reference)[0, 1]), 3)


def print_table(rows: list) -> None:
    methods = sorted({method for _, _, row, _ in rows for method in row})
    print("| target | residues | " + " | ".join(methods) + " | seconds |")
    print("|---|---" + "|---" * len(methods) + "|---|")
    for name, residues, row, seconds in rows:
        print(
            f"| {name} | {residues} | " + " | ".join(str(row.get(m, "")) for m in methods) + f" | {seconds:.0f} |"
        )
    if len(rows) > 1:
        medians = [f"{np.median([row[m] for _, _, row, _ in rows if m in row]):.3f}" for m in methods]
        print("| **median** | | " + " | ".join(medians) + " | |")


if __name__ == "__main__":
    main()
