"""Try how loops are preferred and ranked: weights of `ensemble/loops/preference.py`, constants of `ranking.py`.

Builds the 12-residue loops of `fread12` that share no protein with the benchmark's, keeps what was built, and
prints how near to the native the ones come that each choice puts first. Nothing is written into the library: its
numbers are few and round, and were chosen by hand from such tables. A fit of the three weights to all loops but
one at a time did worse on the one left out than the weights chosen by hand.

    python scripts/train/loop_ranking.py ../shared/data --keep /tmp/loops      # about 30 s of one core a loop
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from motet.ensemble import prepared
from motet.ensemble.loops import Modelling, Region, find_region, loop_backbones, models_on
from motet.ensemble.loops.preference import Preference
from motet.ensemble.loops.ranking import Colony, colony_scores
from motet.ensemble.loops.statistics import loop_maps
from motet.io import read

JUDGED = "kic12"
ALIKE = {
    "fread12_1n1t_A",
    "fread12_2o04_A",
}  # share more than 3 % of their five-letter words with a judged protein
LONGEST = 420  # residues of the chain
FEWEST = 1000  # conformations, of a loop that tells something
WEIGHTS = ((1, 0, 0), (0, -1, 0), (0, 0, -1), (1, -1, -1), (1, -2, -1), (1, -2, -2), (1, -3, -1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, required=True, help="folder for what was built")
    parser.add_argument("--built", type=int, default=4000)
    parser.add_argument("--most", type=int, default=17, help="loops")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.keep.mkdir(parents=True, exist_ok=True)
    cases = [case(row, options) for row in list(development(options.data))[: options.most]]
    cases = [one for one in cases if len(one["rmsd"]) >= min(FEWEST, options.built)]
    compare_preferences(cases)
    compare_rankings(cases)


def development(data: Path) -> Iterator[dict[str, str]]:
    rows = list(csv.DictReader((data / "loops/index.csv").open()))
    judged = {row["pdb"] for row in rows if row["set"] == JUDGED}
    for row in rows:
        apart = row["pdb"] not in judged and row["key"] not in ALIKE
        if row["set"] == "fread12" and apart and int(row["chain_length"]) < LONGEST:
            yield row


def case(row: dict[str, str], options: argparse.Namespace) -> dict[str, torch.Tensor]:
    """Parts of the preference of all that was built, and energies of the models; kept once computed."""
    path = options.keep / f"{row['key']}-{options.built}.pt"
    if not path.exists():
        torch.save(computed(row, options), path)
        print(row["key"], flush=True)
    return torch.load(path)


def computed(row: dict[str, str], options: argparse.Namespace) -> dict[str, torch.Tensor]:
    folder = options.data / "loops"
    region = find_region(
        prepared(read(folder / "pdb" / f"{row['key']}.pdb.gz")).model(0),
        f"{row['chain']}:{row['start']}-{row['end']}",
    )
    with np.load(folder / "bb" / f"{row['key']}.npz") as data:
        native = torch.from_numpy(data["bb"][int(data["start"]) : int(data["end"]) + 1, :4].astype(np.float64))
    settings = Modelling(count=options.built, built=1.0)
    built = loop_backbones(region, replace(settings, settled=0)).atoms  # not drawn to any preference
    backbones = loop_backbones(region, settings)
    models = models_on(region, backbones[: settings.settled], settings)
    best = models.backbones.atoms
    return {
        "parts": parts(region, built),
        "rmsd": rmsd(native, built),
        "energies": models.energies.sum(-1),
        "neighbours": parts(region, best)[:, 1],
        "traces": best[:, :, :4].flatten(1, 2),
        "model_rmsd": rmsd(native, best),
    }


def parts(region: Region, loops: torch.Tensor) -> torch.Tensor:
    gap = region.gap()
    return Preference.around(region, gap, loop_maps(region.surrounded, gap.before), loops).parts(loops)


def rmsd(native: torch.Tensor, loops: torch.Tensor) -> torch.Tensor:
    return (loops[..., :4, :] - native).square().sum(-1).mean((-2, -1)).sqrt()


def compare_preferences(cases: list[dict[str, torch.Tensor]]) -> None:
    print("\n| torsions | neighbours | bonds | first | best of 5 | best of 100 |\n|---|---|---|---|---|---|")
    for weights in WEIGHTS:
        found = []
        for one in cases:
            standard = (one["parts"] - one["parts"].mean(0)) / one["parts"].std(0).clamp_min(1e-9)
            order = (standard @ standard.new_tensor(weights)).argsort()
            found.append([float(one["rmsd"][order[:most]].min()) for most in (1, 5, 100)])
        print("|", " | ".join([*map(str, weights), *summary(found)]), "|")


def compare_rankings(cases: list[dict[str, torch.Tensor]]) -> None:
    print("\n| neighbours | T | δ, Å | first | best of 5 |\n|---|---|---|---|---|")
    for share, temperature, near in product((0.0, 0.5, 1.0), (0.25, 0.5, 1.0), (1e-3, 1.0, 2.0, 3.0)):
        how, found = Colony(neighbours=share, temperature=temperature, near=near), []
        for one in cases:
            order = colony_scores(one["energies"], one["neighbours"], one["traces"], how).argsort()
            found.append([float(one["model_rmsd"][order[:most]].min()) for most in (1, 5)])
        print("|", " | ".join([f"{share}", f"{temperature}", f"{near}", *summary(found)]), "|")


def summary(found: list[list[float]]) -> list[str]:
    """Median and mean of each column."""
    table = np.array(found)
    return [f"{np.median(column):.2f} ({column.mean():.2f})" for column in table.T]


if __name__ == "__main__":
    main()
