"""Does the native fold score below decoys that are as compact?

Natives are first models of NMR bundles (the shared `dynamics` folder), which hold backbones only: `prepared`
builds the side chains. Decoys turn every φ and ψ by normal noise, of 1 to 8 degrees, side chains riding along;
kept are those whose radius of gyration is within 5 % of the native's. Everything is minimised for a few steps, so
that not clashes alone decide; `--steps 0` leaves that out. Lengths, angles and planes come from the native and are
the same in all, but for what the minimiser does.

    python benchmarks/science/decoys.py --most 60         # bundles of up to 60 residues; some minutes on one core

Printed is a Markdown table: decoys, how many of them the native is below, and the same by term.
"""

import argparse
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
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"| bundle | residues | decoys | native below | {' | '.join(SHOWN)} |")
    print("|---|---|---|---|" + "---|" * len(SHOWN))
    for path in bundles(options.most):
        print(row(path, options), flush=True)


def bundles(most: int) -> list[Path]:
    found = [path for path in SHARED.glob("*.npz") if "_ca" not in path.stem]
    sizes = {path: len(str(np.load(path)["seq"])) for path in found}
    return sorted((path for path in found if sizes[path] <= most), key=lambda path: (sizes[path], path.stem))


def row(path: Path, options: argparse.Namespace) -> str:
    from motet.forcefield import ForceField

    structure = native(path)
    system = ForceField().bind(structure)
    start = structure.model(0).coords
    coords = torch.cat((start[None], decoys(structure, options.count, options.seed)))
    coords = minimised(system, coords, options.steps)
    with torch.no_grad():
        terms = system.terms(coords)
    below = {name: (terms[1:, k] > terms[0, k]).float().mean() for k, name in enumerate(system.names)}
    total = (terms[1:].sum(-1) > terms[0].sum()).float().mean()
    cells = " | ".join(f"{below[name]:.0%}" for name in SHOWN)
    return f"| {path.stem} | {structure.n_residues} | {len(coords) - 1} | {total:.0%} | {cells} |"


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
