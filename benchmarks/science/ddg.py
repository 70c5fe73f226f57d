"""Is ΔΔG right? The stability model and its parts beside a trivial baseline, on proteins that neither has met.

    python benchmarks/science/ddg.py ../shared/data/ddg --cache /tmp/ddg

Every figure is of predictions by a fit that never met the example's family (25 % identity over half of the
shorter chain): S2648 by ten folds of families; the other sets, which overlap with it, each example by the fold
that left its family out, and by the fit on all of S2648 where that has no such family («new» counts these). The
baseline is a ridge regression on residue types, burial counts, and changes of volume and hydropathy, with
intercept, on the same folds. EvoEF's figures are published ones. Packing thousands of mutants and building models
of some takes minutes; --cache keeps the terms and the models.
"""

import argparse
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "train"))

from ddg_data import SETS, Examples, examples_of
from ddg_fit import BOTH, FIELD, SITES, baseline, model_of, validated
from ddg_models import disagreements

MODELS = {"force field alone": FIELD, "site model alone": SITES, "both (`motet ddg`)": BOTH}
EVOEF = (
    "\nPublished for EvoEF: Ssym direct 0.53, inverse 0.46, r(direct, inverse) -0.86; S669 0.35, RMSE 1.64.\n"
    "Published for the baseline's kind: S669 0.42, RMSE 1.47. S669 is not used here."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    shipped = Path(str(files("motet.ensemble.ddg.tables"))) / "preferences.safetensors"
    parser.add_argument("--preferences", type=Path, default=shipped)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS, help="S2648 comes along")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = ("S2648", *(name for name in SETS[1:] if name in options.sets))
    sets = examples_of(options.data, names, options.cache, options.preferences)
    others = {name: one for name, one in sets.items() if name != "S2648"}
    for line in counted(sets):
        print(line)
    print("\nPearson / Spearman / RMSE in kcal/mol:\n")
    header = [*sets, *(["r(direct, inverse)", "bias"] if {"Ssym_dir", "Ssym_inv"} <= sets.keys() else [])]
    print(f"| | {' | '.join(header)} |\n|{' --- |' * (len(header) + 1)}")
    doubts = disagreements(options.data, options.cache, options.preferences, sets["S2648"])
    fits = {name: model_of(doubts, *blocks) for name, blocks in MODELS.items()}
    for name, fit in {"ridge baseline": baseline, **fits}.items():
        predicted = validated(fit, sets["S2648"], others)
        cells = [figures(one.measured, predicted[which]) for which, one in sets.items()]
        if {"Ssym_dir", "Ssym_inv"} <= sets.keys():
            cells.append("{:.3f} | {:+.2f}".format(*antisymmetry(sets, predicted)))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(EVOEF)


def counted(sets: dict[str, Examples]) -> list[str]:
    lines = ["| set | mutants | families | of them new |", "| --- | --- | --- | --- |"]
    for name, one in sets.items():
        fresh = ~np.isin(one.family, sets["S2648"].family)
        families = len(np.unique(one.family))
        lines.append(f"| {name} | {len(one.rows)} | {families} | {len(np.unique(one.family[fresh]))} |")
    return lines


def figures(measured: np.ndarray, predicted: np.ndarray) -> str:
    error = np.sqrt(np.square(measured - predicted).mean())
    return f"{np.corrcoef(measured, predicted)[0, 1]:.2f} / {spearmanr(measured, predicted)[0]:.2f} / {error:.2f}"


def antisymmetry(sets: dict[str, Examples], predicted: dict[str, np.ndarray]) -> tuple[float, float]:
    """Correlation of direct with inverse predictions, and half of their mean sum."""
    inverse = {row["note"]: one for row, one in zip(sets["Ssym_inv"].rows, predicted["Ssym_inv"], strict=True)}
    direct = zip(sets["Ssym_dir"].rows, predicted["Ssym_dir"], strict=True)
    forth, back = np.array([(one, inverse[row["note"]]) for row, one in direct if row["note"] in inverse]).T
    return float(np.corrcoef(forth, back)[0, 1]), float((forth + back).mean() / 2)


if __name__ == "__main__":
    main()
