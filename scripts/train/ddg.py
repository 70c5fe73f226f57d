"""Fit the stability model: term weights, reference energies, and what a residue type is worth at a place.

ΔΔG is linear in all of them, so the least-squares fit through the module is one linear system: exact, in seconds.
What takes time, packing and weighing both sides of 2,648 mutations, is kept in --cache and resumed from there. So
are models of some mutants (`ddg_models`), from which their mutations are predicted backwards: what forth and back
add up to is fitted towards zero, so that features which a small move of the backbone changes count less.

    python scripts/train/ddg.py ../shared/data/ddg --cache /tmp/ddg --preferences preferences.safetensors

Folds keep families together; ridge strengths are chosen in an inner cross-validation of the same kind. How well it
does, beside the baseline and part by part: benchmarks/science/ddg.py.

Writes forcefield/tables/stability.csv and ensemble/ddg/tables/{sites,preferences}.csv of the source tree.
"""

import argparse
import hashlib
import shutil
from pathlib import Path

import numpy as np
import torch
from ddg_data import examples_of, scaled_properties
from ddg_fit import BOTH, FIELD, fitted
from ddg_models import disagreements

from motet.ensemble.ddg.environment import FEATURES
from motet.ensemble.ddg.packed_pairs import physics
from motet.ensemble.ddg.preferences import LETTERS

SOURCE = Path(__file__).parents[2] / "src" / "motet"
FITTED = (
    "# Source: fitted by scripts/train/ddg.py on S2648 (Dehouck et al., Bioinformatics 25 (2009) 2537), "
    "taken from\n# github.com/mitiau/PROSTATA (Apache-2.0)"
)
NETWORK = (
    "# preferences.safetensors: trained by scripts/train/residue_preferences.py on chains of ProMod3's structure\n"
    "# data base (Debian's promod3-data 3.2.1, Apache-2.0; coordinates wwPDB, CC0)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--preferences", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    train = examples_of(options.data, ("S2648",), options.cache, options.preferences)["S2648"]
    doubts = disagreements(options.data, options.cache, options.preferences, train)
    families = len(np.unique(train.family))
    print(f"{len(train.rows)} mutations, {families} families; {len(doubts.rows)} models of mutants")
    found = {}
    for name, blocks in (("alone", FIELD), ("beside_sites", BOTH)):
        found[name], strengths = fitted(train, blocks, doubts)
        print(f"{name}: ridge {strengths}")
    write_field(**found)
    write_sites(found["beside_sites"], options.preferences)


def write_field(alone: dict[str, np.ndarray], beside_sites: dict[str, np.ndarray]) -> None:
    names = [name for name in physics().names if name != "unfolded"]
    lines = [
        FITTED,
        "# alone: the force field by itself; beside_sites: together with the site model of ensemble/ddg.",
        "name,alone,beside_sites,unit",
    ]
    both = zip(names, alone["terms"], beside_sites["terms"], strict=True)
    lines += [f"{name},{one:.5f},{other:.5f},1" for name, one, other in both]
    # The unfolded term counts minus the energy of the unfolded chain.
    both = zip(LETTERS, -alone["reference"], -beside_sites["reference"], strict=True)
    lines += [f"unfolded_{letter},{one:.5f},{other:.5f},kcal/mol" for letter, one, other in both]
    (SOURCE / "forcefield" / "tables" / "stability.csv").write_text("\n".join(lines) + "\n")


def write_sites(coefficients: dict[str, np.ndarray], preferences: Path) -> None:
    folder = SOURCE / "ensemble" / "ddg" / "tables"
    by_type = coefficients["environment"].reshape(len(FEATURES), -1) @ scaled_properties().T
    lines = [FITTED, "feature," + ",".join(f"{letter}_kcal_mol" for letter in LETTERS)]
    for name, row in zip(FEATURES, by_type, strict=True):
        lines.append(f"{name}," + ",".join(f"{value:.5f}" for value in row))
    (folder / "sites.csv").write_text("\n".join(lines) + "\n")
    digest = hashlib.sha256(preferences.read_bytes()).hexdigest()
    lines = [FITTED, NETWORK, f"# SHA-256 of preferences.safetensors: {digest}", "name,value,unit"]
    lines.append(f"family,{coefficients['rarity'].item():.5f},kcal/mol")
    (folder / "preferences.csv").write_text("\n".join(lines) + "\n")
    if preferences.resolve() != (folder / "preferences.safetensors").resolve():
        shutil.copyfile(preferences, folder / "preferences.safetensors")


if __name__ == "__main__":
    main()
