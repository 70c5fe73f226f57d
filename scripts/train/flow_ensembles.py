"""Make conformations of training chains by Monte Carlo: from them the flow network learns what moves.

    python scripts/train/flow_ensembles.py ../shared/data/dynamics ENSEMBLES --most 150

One file a chain, of families that are trained on; those that are there already are left alone, so a stopped run
goes on where it was. Several processes may share the work: `--part 0 --parts 2`. The physics is motet's own;
nothing measured goes in.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np
import torch
from flow_data import Named, held_out, read_chains

from motet.ensemble import MonteCarlo, Plan, inspect_geometry, prepared, produce
from motet.forcefield import ForceField
from motet.io import atomic_write
from motet.structure import structure_from_backbone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("ensembles", type=Path)
    parser.add_argument("--most", type=int, default=150, help="chains")
    parser.add_argument("--longest", type=int, default=72, help="residues")
    parser.add_argument("--count", type=int, default=16, help="conformations of each")
    parser.add_argument("--held-out", action="store_true", help="of families held out: to choose levels by")
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.ensembles.mkdir(parents=True, exist_ok=True)
    for one in chosen(options)[options.part :: options.parts]:
        target = options.ensembles / f"{one.name}.npz"
        if not target.exists():
            coords = drawn(one, options.count)
            with atomic_write(target) as temporary, temporary.open("wb") as sink:
                np.savez_compressed(sink, name=one.name, seq=one.sequence, coords=coords)
            print(f"{one.name}: {len(coords)} conformations of {len(one.sequence)} residues", flush=True)


def chosen(options: argparse.Namespace) -> list[Named]:
    """Chains of families that are trained on (or not), in an order that has nothing to do with what they are."""
    chains = read_chains(options.data / "promod3_chains")
    fit = [
        one
        for one, away in zip(chains, held_out(chains), strict=True)
        if away == options.held_out and len(one.sequence) <= options.longest
    ]
    return sorted(fit, key=lambda one: zlib.crc32(one.name.encode()))[: options.most]


def drawn(one: Named, count: int) -> np.ndarray:
    """N, Cα, C and O of sound conformations, in 0.01 Å."""
    structure = prepared(structure_from_backbone(one.sequence, one.example.backbone))
    generator = MonteCarlo(topology=structure.topology, temperature=300.0, replicas=8, burn_in=8, interval=2)
    plan = Plan(count=count, seed=zlib.crc32(one.name.encode()), relax_steps=0)
    made = produce(structure, ForceField().bind(structure), generator, plan)
    backbone = torch.from_numpy(structure.topology.backbone.copy())
    kept = made.structure.coords[~inspect_geometry(made.structure).unsound][:, backbone]
    centred = kept - kept[:, :, 1].mean(1)[:, None, None]
    return (100 * centred).round().to(torch.int16).numpy()


if __name__ == "__main__":
    main()
