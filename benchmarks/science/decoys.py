"""Does the native fold score below decoys that are as compact?

Natives are first models of NMR bundles (the shared `dynamics` folder), which hold backbones only: `prepared`
builds the side chains. Decoys turn every φ and ψ by normal noise, of 1 to 8 degrees, side chains riding along;
kept are those whose radius of gyration is within 5 % of the native's. Everything is minimised for a few steps, so
that not clashes alone decide; `--steps 0` leaves that out. Lengths, angles and planes come from the native and are
the same in all, but for what the minimiser does.

    python benchmarks/science/decoys.py --most 60         # bundles of up to 60 residues; some minutes on one core
    python benchmarks/science/decoys.py --most 200 --rows decoys.md       # goes on where an earlier run stopped

Printed is a Markdown table: decoys, how many of them the native is below, and the same by term; then the median
distance of the decoys from the native and how many standard deviations of theirs the native lies below their mean.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "dynamics" / "nmr"
DEGREES = (1.0, 8.0)  # of the noise
TOLERANCE = 0.05  # in the radius of gyration
SHOWN = ("vdw", "hydrogen_bond", "solvation_polar", "solvation_hydrophobic", "entropy_backbone", "rotamer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=60, help="residues")
    parser.add_argument("--count", type=int, default=40, help="decoys of each bundle")
    parser.add_argument("--steps", type=int, default=30, help="of the minimiser")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", help="names of bundles")
    parser.add_argument(
        "--rows", type=Path, help="file that rows are added to; bundles that have one are passed over"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    done = options.rows.read_text().splitlines() if options.rows and options.rows.exists() else []
    print(f"| bundle | residues | decoys | native below | {' | '.join(SHOWN)} | Cα RMSD, Å | z | CPU s |")
    print("|---|---|---|---|" + "---|" * (len(SHOWN) + 3))
    for path in bundles(options.most):
        if options.only and path.stem not in options.only:
            continue
        known = next((line for line in done if line.startswith(f"| {path.stem} |")), "")
        line = known or row(path, options)
        print(line, flush=True)
        if options.rows and not known:
            with options.rows.open("a") as file:
                file.write(line + "\n")


def bundles(most: int) -> list[Path]:
    found = [path for path in SHARED.glob("*.npz") if "_ca" not in path.stem]
    sizes = {path: len(str(np.load(path)["seq"])) for path in found}
    return sorted((path for path in found if sizes[path] <= most), key=lambda path: (sizes[path], path.stem))


def row(path: Path, options: argparse.Namespace) -> str:
    from motet.forcefield import ForceField
    from motet.geometry import rmsd

    began = time.process_time()
    structure = native(path)
    system = ForceField().bind(structure)
    start = structure.model(0).coords
    coords = torch.cat((start[None], decoys(structure, options.count, options.seed)))
    coords = minimised(system, coords, options.steps)
    with torch.no_grad():
        terms = system.terms(coords)
    below = {name: (terms[1:, k] > terms[0, k]).float().mean() for k, name in enumerate(system.names)}
    energies = terms.sum(-1)
    total = (energies[1:] > energies[0]).float().mean()
    z = (energies[0] - energies[1:].mean()) / energies[1:].std()
    trace = torch.from_numpy(structure.topology.atom_index("CA"))
    away = rmsd(coords[1:, trace], coords[0, trace]).median()
    cells = " | ".join(f"{below[name]:.0%}" for name in SHOWN)
    rest = f"{away:.1f} | {z:.1f} | {time.process_time() - began:.0f}"
    return f"| {path.stem} | {structure.n_residues} | {len(coords) - 1} | {total:.0%} | {cells} | {rest} |"


def native(path: Path):
    """The first model, with side chains."""
    from motet.ensemble import prepared
    from motet.structure import structure_from_backbone

    data = np.load(path)
    atoms = data["coords"][0][:, [list(data["atoms"]).index(name) for name in ("N", "CA", "C", "O")]]
    return prepared(structure_from_backbone(str(data["seq"]), torch.from_numpy(atoms.astype(np.float32) / 100)))


def decoys(structure, count: int, seed: int) -> torch.Tensor:
    """As compact as the native."""
    from motet.geometry import InternalCoordinates, Tree

    tree = Tree.of(structure.topology)
    internal = InternalCoordinates.from_cartesian(tree, structure.model(0).coords.double())
    place = {name: structure.topology.atom_index(name) for name in ("N", "C")}
    turning = torch.from_numpy(np.concatenate((place["C"][1:], place["N"][1:])))
    slots = tree.leader.index_select(0, turning).unique()
    generator = torch.Generator().manual_seed(seed)
    native, kept = radius(structure.model(0).coords.double()), []
    while sum(map(len, kept)) < count:
        least, most = DEGREES
        width = torch.deg2rad(least + (most - least) * torch.rand(200, 1, generator=generator))
        noise = width * torch.randn(200, len(slots), generator=generator)
        found = internal.with_torsions(slots, internal.torsions[slots] + noise).to_cartesian()
        kept.append(found[(radius(found) / native - 1.0).abs() < TOLERANCE])
    return torch.cat(kept)[:count].float()


def radius(coords: torch.Tensor) -> torch.Tensor:
    return (coords - coords.mean(-2, keepdim=True)).square().sum(-1).mean(-1).sqrt()


def minimised(system, coords: torch.Tensor, steps: int) -> torch.Tensor:
    """Some steps downhill, each conformation by itself, none further than 0.05 Å a step (FIRE's bound)."""
    velocity, size = torch.zeros_like(coords), torch.full((len(coords), 1, 1), 0.002)
    for _ in range(steps):
        points = coords.clone().requires_grad_()
        force = -torch.autograd.grad(system(points).sum(), points)[0]
        downhill = (force * velocity).sum((-2, -1), keepdim=True) > 0
        velocity = torch.where(downhill, 0.9 * velocity, torch.zeros_like(velocity)) + size * force
        step = velocity / velocity.norm(dim=-1, keepdim=True).amax(-2, keepdim=True).div(0.05).clamp_min(1.0)
        coords = coords + step
    return coords


if __name__ == "__main__":
    main()
