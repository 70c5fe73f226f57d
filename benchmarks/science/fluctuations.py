"""Do the ensembles of `motet ensemble` fluctuate where the protein does?

Cα RMSF of motet's default ensemble against that of the 17 NMR bundles and of a trajectory of adenylate kinase;
beside it the trivial peers: ANM and GNM (ProDy) on the same start. Pearson's r is given over the whole chain and
again without the loose ends of the bundle: end residues whose RMSF is above three times the median, the rest laid
on its mean anew. Also said are the worst bond (deviation from ideal) and the longest peptide bond of any
conformation. Data: the shared `dynamics` folder.

    python benchmarks/science/fluctuations.py --bundles --out bundles.csv   # about two minutes a bundle
    python benchmarks/science/fluctuations.py --adenylate-kinase --out adk.csv
    python benchmarks/science/fluctuations.py --bundles --method langevin --out langevin.csv
    python benchmarks/science/fluctuations.py --bundles --peers-only --out peers.csv  # needs `pip install prody`
    python benchmarks/science/fluctuations.py --out bundles.csv --table     # only print what is there

One row a target is appended as soon as it is done: a stopped run goes on where it was.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

import numpy as np
import torch

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
MODES = 20  # of ANM and GNM
LOOSE = 3.0  # times the median RMSF


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adenylate-kinase", action="store_true")
    parser.add_argument("--bundles", action="store_true")
    parser.add_argument("--only", nargs="+", help="names of targets")
    parser.add_argument("--peers-only", action="store_true")
    parser.add_argument("--method", choices=("montecarlo", "langevin"), default="montecarlo")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("fluctuations.csv"))
    parser.add_argument("--table", action="store_true", help="only print what is in --out")
    options = parser.parse_args()
    torch.set_num_threads(1)
    targets = {"4ake_A": adenylate_kinase} if options.adenylate_kinase else {}
    if options.bundles:
        targets |= {path.stem.removesuffix("_ca"): lambda path=path: bundle(path) for path in bundles()}
    done = {row["target"] for row in rows_of(options.out)}
    for name, target in targets.items() if not options.table else ():
        if name not in done and (not options.only or name in options.only):
            append(options.out, {"target": name, **measured(*target(), options)})
    print_table(rows_of(options.out))


def measured(start: dict, carbons: np.ndarray, options: argparse.Namespace) -> dict[str, float | int | str]:
    """Agreement of each method with the fluctuations of the reference."""
    kept = core(carbons)
    row: dict[str, float | int | str] = {"residues": carbons.shape[1], "core": kept.stop - kept.start}
    if options.peers_only:
        found = {name: (rmsf, rmsf[kept]) for name, rmsf in elastic_networks(start["CA"])}
    else:
        conformations, sound = motet_conformations(start, options)
        row |= sound
        found = {"motet": (rmsf_of(conformations), rmsf_of(conformations[:, kept]))}
        row |= {"rmsf": round(float(found["motet"][0].mean()), 2)}
    row |= {"rmsf_reference": round(float(rmsf_of(carbons).mean()), 2)}
    for name, (whole, inner) in found.items():
        row |= {
            name: correlation(whole, rmsf_of(carbons)),
            f"{name}_core": correlation(inner, rmsf_of(carbons[:, kept])),
        }
    return row


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open())) if path.exists() else []


def append(path: Path, row: dict[str, float | int | str]) -> None:
    new = not path.exists()
    with path.open("a", newline="") as sink:
        writer = csv.DictWriter(sink, row)
        if new:
            writer.writeheader()
        writer.writerow(row)
    print(row, file=sys.stderr, flush=True)


def bundles() -> list[Path]:
    """NMR bundles, smallest first."""
    found = (SHARED / "dynamics/nmr").glob("*.npz")
    return sorted(found, key=lambda path: (len(str(np.load(path)["seq"])), path.stem))


def bundle(path: Path) -> tuple[dict, np.ndarray]:
    """First model as the start, and Cα of all models; of the one bundle without a backbone, a crystal (1ubq)."""
    from motet.io import read

    data = np.load(path)
    coords, names = data["coords"].astype(np.float64) / 100, list(data["atoms"])
    if names == ["CA"]:
        structure = read(SHARED / "structures/1ubq.pdb")
        index = structure.topology.atom_index("CA")
        index = index[index >= 0]
        assert len(index) == len(str(data["seq"]))
        return {"structure": structure, "CA": structure.coords[index].double().numpy()}, coords
    start = {name: coords[0, :, i] for i, name in enumerate(names)} | {"sequence": str(data["seq"])}
    return start, coords[:, :, names.index("CA")]


def adenylate_kinase() -> tuple[dict, np.ndarray]:
    """The open crystal structure, and the DIMS trajectory from closed to open."""
    from motet.io import read

    structure = read(SHARED / "structures/4ake_A.pdb")
    data = np.load(SHARED / "dynamics/trajectories/adk_dims.npz")
    carbons = structure.topology.atom_index("CA")
    start = {"structure": structure, "CA": structure.coords[carbons].double().numpy()}
    return start, data["coords"][:, :, 1].astype(np.float64) / 100


def core(carbons: np.ndarray) -> slice:
    """Residues between the loose ends."""
    rmsf = rmsf_of(carbons)
    firm = np.flatnonzero(rmsf <= LOOSE * np.median(rmsf))
    return slice(int(firm[0]), int(firm[-1]) + 1)


def rmsf_of(carbons: np.ndarray) -> np.ndarray:
    """RMSF after superposition onto the mean."""
    from motet.geometry import superposed_to_mean

    fitted, mean = superposed_to_mean(torch.from_numpy(carbons))
    return (fitted - mean).square().sum(-1).mean(0).sqrt().numpy()


def motet_conformations(start: dict, options: argparse.Namespace) -> tuple[np.ndarray, dict[str, float]]:
    """Cα of motet's ensemble, with the defaults of the command line; its worst geometry, and what it cost."""
    from motet.ensemble import Langevin, MonteCarlo, Plan, inspect_geometry, prepared, produce
    from motet.forcefield import ForceField

    began, wall = time.process_time(), time.perf_counter()
    structure = prepared(start["structure"] if "structure" in start else from_backbone(start))
    system = ForceField().bind(structure)
    dynamics = options.method == "langevin"
    generator = Langevin() if dynamics else MonteCarlo(topology=structure.topology)
    plan = Plan(count=options.count, seed=options.seed, relax_steps=60 if dynamics else 0)
    made = produce(structure, system, generator, plan)
    cost = {"cpu_s": round(time.process_time() - began), "wall_s": round(time.perf_counter() - wall)}
    sound, backbone = inspect_geometry(made.structure), torch.from_numpy(structure.topology.backbone)
    backbone = backbone[(backbone[:, :4] >= 0).all(-1)]
    bonds = (made.coords[:, backbone[1:, 0]] - made.coords[:, backbone[:-1, 2]]).norm(dim=-1)
    worst = {
        "worst_bond": round(float(sound.worst_bond.max()), 4),
        "longest_peptide": round(float(bonds.max()), 3),
        "closest_pair": round(float(sound.closest_pair.min()), 2),
    }
    return made.coords[:, backbone[:, 1]].double().numpy(), worst | dict(made.provenance.report) | cost


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


def print_table(rows: list[dict[str, str]]) -> None:
    """Every row, and the medians of the correlations."""
    if not rows:
        return
    names = [name for name in rows[0] if not name.startswith("acceptance_")]
    print("| " + " | ".join(names) + " |")
    print("|---" * len(names) + "|")
    for row in rows:
        print("| " + " | ".join(row[name] for name in names) + " |")
    cells = {
        name: f"{np.median([float(row[name]) for row in rows]):.3f}"
        for name in names
        if name.removesuffix("_core") in ("motet", "ANM", "GNM")
    }
    print("| **median** | " + " | ".join(cells.get(name, "") for name in names[1:]) + " |")


if __name__ == "__main__":
    main()
