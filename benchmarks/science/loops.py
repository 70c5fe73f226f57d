"""How near to the native do loops come that are built from nothing?

The native loop is taken out; every method starts from random closures. Backbone RMSD (N, CA, C, O of the loop, in
the frame of the protein) of the best among 1,000 and 10,000 conformations, and of the one that `motet loop` ranks
first; beside it, at equal counts, random-restart CCD, and uniform torsions joined by one closure. Data:
`shared/data/loops`.

    python benchmarks/science/loops.py --set kic12 --out kic12.csv --built 4000   # about 25 s a loop on one core
    python benchmarks/science/loops.py --set kic12 --out kic12.csv                # 10,000: a minute with the peers
    python benchmarks/science/loops.py --set kic12 --out peers.csv --peers-only    # 15 s a loop
    python benchmarks/science/loops.py --out kic12.csv --table                    # the medians, as Markdown

The first thousand are those that `motet loop` would keep of all that were built, before any energy is known.

One row a loop is appended as soon as it is done: a stopped run goes on where it was.
"""

import argparse
import csv
import math
import sys
import time
from dataclasses import fields, replace
from pathlib import Path
from statistics import median

import numpy as np
import torch

from motet.ensemble import prepared
from motet.ensemble.loops import Backbones, Modelling, find_region, loop_backbones, models_on
from motet.ensemble.loops.statistics import ramachandran_maps
from motet.errors import LoopError
from motet.geometry.loops import Building, Room, TorsionMaps, build_loops
from motet.io import read
from motet.structure.placement import place

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "loops"
FEW, MANY = 1000, 10_000
SCORED = 64  # packed, minimised in the force field and ranked
SWEEPS = 60  # of CCD
CLOSED = 0.1  # Å, RMS distance of the end at which CCD counts as closed
OVERLAP = 0.2  # Å that two hard radii may overlap


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="kic12", help="kic12, fread12, fread16, antibody_h3 or ama2")
    parser.add_argument("--out", type=Path, default=Path("loops.csv"))
    parser.add_argument("--first", type=int, default=10_000, help="only so many loops, in a random order")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--built", type=int, default=MANY, help="conformations of motet")
    parser.add_argument("--rounds", type=int, default=Building().rounds, help="of building, for tight loops")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--peers-only", action="store_true")
    parser.add_argument("--candidates", type=Path, help="folder that keeps what was built, for other rankings")
    parser.add_argument("--only-build", action="store_true", help="fill that folder and stop")
    parser.add_argument("--table", action="store_true", help="only print the medians of --out")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.table:
        run(options)
    print_table(list(csv.DictReader(options.out.open())))


def run(options: argparse.Namespace) -> None:
    loops = [row for row in csv.DictReader((SHARED / "index.csv").open()) if row["set"] == options.set]
    order = np.random.default_rng(options.seed).permutation(len(loops))  # so that the first few are a fair sample
    loops = [loops[place] for place in order]
    done = {row["key"] for row in csv.DictReader(options.out.open())} if options.out.exists() else set()
    for row in loops[: options.first]:
        if row["key"] in done:
            continue
        if options.only_build:
            candidates(row, modelling(options), options.candidates)
            continue
        result: dict[str, float | int | str] = {"key": row["key"], "length": row["length"]}
        try:
            result |= {} if options.peers_only else measured(row, options)
            result |= {} if options.no_peers else peers(row, options.seed)
        except LoopError as error:  # nothing could be built: a row of failure, worse than any other
            print(f"{row['key']}: {error}", file=sys.stderr)
            result["conformations"] = 0
        new = not options.out.exists()
        with options.out.open("a", newline="") as sink:
            columns = result if new else next(csv.reader(options.out.open()))
            writer = csv.DictWriter(sink, columns, restval="inf")
            if new:
                writer.writeheader()
            writer.writerow(result)
        print(result, file=sys.stderr, flush=True)


def modelling(options: argparse.Namespace) -> Modelling:
    building = Building(rounds=options.rounds)
    return Modelling(count=options.built, built=1.0, seed=options.seed, building=building)


def prepared_loop(row: dict[str, str]):
    """The region without its loop, and the native backbone, which only the judge sees."""
    structure = prepared(read(SHARED / "pdb" / f"{row['key']}.pdb.gz")).model(0)
    region = find_region(structure, f"{row['chain']}:{row['start']}-{row['end']}")
    data = np.load(SHARED / "bb" / f"{row['key']}.npz")
    native = torch.from_numpy(data["bb"][int(data["start"]) : int(data["end"]) + 1, :4].astype(np.float64))
    return region, native


def rmsd_to(native: torch.Tensor, atoms: torch.Tensor) -> torch.Tensor:
    """Of N, CA, C and O, without superposition, in Å."""
    return (atoms[..., :4, :] - native).square().sum(-1).mean((-2, -1)).sqrt()


def candidates(row: dict[str, str], settings: Modelling, folder: Path | None) -> tuple[Backbones, float]:
    """What was built of one loop, and the seconds of processor time that took; kept in the folder, where given."""
    path = folder / f"{row['key']}-{settings.count}-{settings.seed}.pt" if folder else None
    if path and path.exists():
        kept = torch.load(path)
        return Backbones(**kept["backbones"]), kept["seconds"]
    began = time.process_time()
    backbones = loop_backbones(prepared_loop(row)[0], settings)
    seconds = time.process_time() - began
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {one.name: getattr(backbones, one.name) for one in fields(backbones)}
        partial = path.with_suffix(".part")
        torch.save({"backbones": columns, "seconds": seconds}, partial)
        partial.rename(path)
    return backbones, seconds


def measured(row: dict[str, str], options: argparse.Namespace) -> dict[str, float]:
    """motet: many backbones, the first thousand by preference, the best of those by energy."""
    region, native = prepared_loop(row)
    settings = modelling(options)
    backbones, seconds = candidates(row, settings, options.candidates)
    built = time.process_time()
    rmsd = rmsd_to(native, backbones.atoms)
    models = models_on(region, backbones[:SCORED], settings)
    topology = models.structure.topology
    trace = ("N", "CA", "C", "O")
    index = np.stack([topology.atom_index(name)[list(models.residues)] for name in trace], axis=1)
    scored = rmsd_to(native, models.structure.coords[:, torch.from_numpy(index)].double())
    few = backbones[:FEW]
    return {
        "conformations": len(rmsd),
        "best_few": round(float(rmsd[:FEW].min()), 3),
        "best_many": round(float(rmsd[:MANY].min()), 3),
        "mean": round(float(rmsd.mean()), 3),
        "best_scored": round(float(scored.min()), 3),
        "first": round(float(scored[0]), 3),
        "lowest_energy": round(float(scored[models.energies.sum(-1).argmin()]), 3),
        "score_rho": round(rank_correlation(models.score, scored), 3),
        "energy_rho": round(rank_correlation(models.energies.sum(-1), scored), 3),
        "best_of_five": round(float(scored[:5].min()), 3),
        "preferred": round(float(rmsd[0]), 3),
        "clash_free": round(float((few.room > -OVERLAP).double().mean()), 3),
        "favoured": round(float(few.favoured.double().mean()), 3),
        "build_s": round(seconds, 1),
        "score_s": round(time.process_time() - built, 1),
    }


def rank_correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    """Spearman's."""
    ranks = torch.stack([one.argsort().argsort().double() for one in (a, b)])
    return float(torch.corrcoef(ranks)[0, 1])


def peers(row: dict[str, str], seed: int) -> dict[str, float]:
    """The same counts by simpler means, without surroundings."""
    region, native = prepared_loop(row)
    gap = region.gap()
    random = torch.Generator().manual_seed(seed)
    found: dict[str, float] = {}
    maps = ramachandran_maps(region.surrounded, gap.before)
    room = region.room(gap)
    flat = TorsionMaps(torch.zeros_like(maps.surface))
    empty = Room.of(gap, gap.before.new_zeros(0, 3), [])
    once = build_loops(gap, flat, empty, FEW, random, replace(Building(), favoured=1.0)).atoms[:FEW]
    for name, atoms in (("closure", once), ("ccd", descended(gap, FEW, random))):
        rmsd = rmsd_to(native, atoms)
        heights = maps.heights(1, *gap.torsions(with_beta(gap, atoms)))
        free = torch.minimum(room.free(with_beta(gap, atoms), 1).amin((-2, -1)), within(room, gap, atoms))
        found |= {
            f"{name}_best_few": round(float(rmsd.min()), 3),
            f"{name}_clash_free": round(float((free > -OVERLAP).double().mean()), 3),
            f"{name}_favoured": round(float((heights <= maps.limits(0.98)[1:-1]).double().mean()), 3),
        }
    return found


def with_beta(gap, atoms: torch.Tensor) -> torch.Tensor:
    backbone = atoms[:, :, :4]
    n, ca, c, _ = backbone.unbind(2)
    return torch.cat((backbone, gap.beta(n, ca, c)[:, :, None]), dim=2)


def within(room: Room, gap, atoms: torch.Tensor) -> torch.Tensor:
    whole = with_beta(gap, atoms)
    return room.within(whole, whole, 1, 1)


def descended(gap, count: int, random: torch.Generator) -> torch.Tensor:
    """Cyclic coordinate descent (Canutescu, Dunbrack 2003) from uniform torsions, restarted until enough close."""
    kept: list[torch.Tensor] = []
    for _ in range(20):
        atoms = _descend(gap, count, random)
        end = (atoms[:, -3:] - gap.after).square().sum(-1).mean(-1).sqrt()
        kept.append(_residues(gap, atoms[end < CLOSED]))
        if sum(map(len, kept)) >= count:
            break
    return torch.cat(kept)[:count]


def _descend(gap, count: int, random: torch.Generator) -> torch.Tensor:
    """N, CA and C from the residue before to the one after, as CCD leaves them."""
    trace = [gap.before[k].expand(count, 3) for k in range(3)]

    def turn() -> torch.Tensor:
        return 2 * math.pi * torch.rand(count, generator=random, dtype=gap.before.dtype)

    trans = torch.full((count,), math.pi, dtype=gap.before.dtype)
    for residue in range(1, gap.length + 2):
        n = gap.first_nitrogen.expand(count, 3) if residue == 1 else None
        lengths, angles = gap.lengths[residue], gap.angles[residue]
        for atom, torsion in enumerate((turn(), trans, turn())):
            a, b, c = trace[-3:]
            first = atom == 0 and n is not None
            trace.append(n if first else place(a, b, c, lengths[atom], angles[atom], torsion))
    atoms = torch.stack(trace, dim=1)
    for _ in range(SWEEPS):
        for residue in range(1, gap.length + 2):
            first = 3 * residue
            for pivot in (first, first + 1):  # φ about N-CA, ψ about CA-C
                if pivot + 2 < atoms.shape[1]:
                    atoms = _turned(atoms, pivot, gap.after)
    return atoms


def _turned(atoms: torch.Tensor, pivot: int, target: torch.Tensor) -> torch.Tensor:
    """What lies beyond a bond, turned about it so that the last three atoms come nearest to their target."""
    origin = atoms[:, pivot, None]
    axis = torch.nn.functional.normalize(atoms[:, pivot + 1] - atoms[:, pivot], dim=-1)[:, None]
    moving, aim = atoms[:, -3:] - origin, target - origin
    across = moving - (moving * axis).sum(-1, keepdim=True) * axis
    side = torch.linalg.cross(axis.expand_as(across), across)
    angle = torch.atan2((aim * side).sum((-1, -2)), (aim * across).sum((-1, -2)))[:, None, None]
    rest = atoms[:, pivot + 2 :] - origin
    along = (rest * axis).sum(-1, keepdim=True) * axis
    off = rest - along
    turned = along + angle.cos() * off + angle.sin() * torch.linalg.cross(axis.expand_as(off), off)
    return torch.cat((atoms[:, : pivot + 2], turned + origin), dim=1)


def _residues(gap, atoms: torch.Tensor) -> torch.Tensor:
    """N, CA, C and O of the loop's residues."""
    n, ca, c = atoms.unflatten(1, (-1, 3))[:, 1:-1].unbind(2)
    following = torch.cat((n[:, 1:], gap.after[0].expand(len(n), 1, 3)), dim=1)
    oxygens = [gap.oxygen(k + 1, ca[:, k], c[:, k], following[:, k]) for k in range(gap.length)]
    return torch.stack((n, ca, c, torch.stack(oxygens, dim=1)), dim=2)


def print_table(rows: list[dict[str, str]]) -> None:
    """Medians over the loops."""

    def middle(name: str) -> str:
        values = [float(row[name]) for row in rows if row.get(name)]
        return f"{median(values):.2f}" if values else "-"

    print(f"\n{len(rows)} loops; medians; RMSD in Å\n")
    columns = "best of 1,000 | of 10,000 | ranked first | of first five | lowest energy | clash-free | favoured"
    print(f"| method | {columns} |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    motet = ("best_few", "best_many", "first", "best_of_five", "lowest_energy", "clash_free", "favoured")
    print("| motet |", " | ".join(middle(name) for name in motet), "|")
    for name, label in (("closure", "uniform torsions, one closure"), ("ccd", "random-restart CCD")):
        cells = (f"{name}_best_few", "", "", "", "", f"{name}_clash_free", f"{name}_favoured")
        print(f"| {label} |", " | ".join(middle(one) if one else "-" for one in cells), "|")
    seconds = [float(row["build_s"]) + float(row["score_s"]) for row in rows if row.get("build_s")]
    if seconds:
        print(f"\n{median(seconds):.0f} s of processor time a loop (motet).")


if __name__ == "__main__":
    main()
