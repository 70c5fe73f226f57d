"""Does the network with the force field inside know what drives phase separation, and does physics help?

Held-out predictions of scripts/train/condensate.py and of its ablations, beside what is trivial: the longest
disordered region, as AlphaFold's pLDDT in MobiDB gives it or as metapredict predicts it, and gradient boosting on
composition and disorder. Five folds by family; intervals are the 2.5 and 97.5 % points of 500 bootstraps.

    for ablation in none no-physics physics-only shuffled; do
        python scripts/train/condensate.py ../shared/data/condensate WORK --seeds 1 --ablation $ablation
    done
    python benchmarks/science/condensate.py WORK --metapredict /path/to/its/python

The result is printed as Markdown. Needs scikit-learn; metapredict is left out where no interpreter is named.
"""

import argparse
import csv
import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "train"))
from condensate_data import disordered

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "condensate"
LETTERS = "ACDEFGHIKLMNPQRSTVWY"
KINDS = {
    "none": "motet",
    "no-physics": "motet without physics",
    "physics-only": "physics only",
    "shuffled": "energies of other residues",
}
PEER = """
import csv, sys
import metapredict
csv.field_size_limit(10**9)
for row in csv.DictReader(open(sys.argv[1])):
    known = "".join(letter if letter in "ACDEFGHIKLMNPQRSTVWY" else "G" for letter in row["sequence"])
    found = metapredict.predict_disorder_domains(known).disordered_domain_boundaries
    print(row["id"], max((last - first for first, last in found), default=0))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="folder that scripts/train/condensate.py worked in")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--metapredict", help="interpreter that has metapredict")
    options = parser.parse_args()
    csv.field_size_limit(10**9)
    rows = read(options.data / "ppmc_llps_datasets.csv")
    scores = {
        name: held_out(options.work / kind, rows, "driver")
        for kind, name in KINDS.items()
        if (options.work / kind / "held_out.csv").exists()
    }
    spans = [disordered(row["idr_af_mobidb"], len(row["sequence"])).astype(float) for row in rows]
    scores["longest disordered region (MobiDB)"] = np.array([longest(one) for one in spans], float)
    if options.metapredict:
        scores["longest disordered region (metapredict)"] = by_metapredict(options.metapredict, options.data, rows)
    scores["boosting: composition, disorder"] = boosting(rows, spans)
    drivers(rows, spans, scores)
    clients(rows, held_out(options.work / "none", rows, "client"), spans)
    regions(options.work)
    print("\n" + mutations(json.loads((options.work / "direction.json").read_text())))
    saturation(read(options.work / "csat.csv"))


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as source:
        return list(csv.DictReader(source))


def held_out(folder: Path, rows: list[dict[str, str]], column: str) -> np.ndarray:
    found = {row["id"]: float(row[column]) for row in read(folder / "held_out.csv")}
    return np.array([found[row["id"]] for row in rows])


def longest(inside: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], inside, [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def by_metapredict(python: str, data: Path, rows: list[dict[str, str]]) -> np.ndarray:
    command = [python, "-c", PEER, str(data / "ppmc_llps_datasets.csv")]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    found = dict(line.split() for line in lines if line)
    return np.array([float(found[row["id"]]) for row in rows])


def boosting(rows: list[dict[str, str]], spans: list[np.ndarray]) -> np.ndarray:
    """Held-out scores of gradient boosting on composition, of all and of what is disordered, and on lengths."""
    features = np.array([described(row["sequence"], inside) for row, inside in zip(rows, spans, strict=True)])
    fold = np.array([int(row["fold"]) for row in rows])
    truth = np.array([row["label"].startswith("driver") for row in rows])
    taught = np.array([row["label"] != "client" for row in rows])
    scores = np.zeros(len(rows))
    for k in sorted(set(fold)):
        model = HistGradientBoostingClassifier(
            max_iter=200, learning_rate=0.05, max_leaf_nodes=8, l2_regularization=5, random_state=0
        )
        model.fit(features[taught & (fold != k)], truth[taught & (fold != k)])
        scores[fold == k] = model.predict_proba(features[fold == k])[:, 1]
    return scores


def described(sequence: str, inside: np.ndarray) -> np.ndarray:
    types = np.array([[letter == one for one in LETTERS] for letter in sequence], float)
    loose = (types * inside[:, None]).sum(0) / (inside.sum() + 3.0)
    amounts = [math.log(len(sequence)), inside.mean(), math.log1p(longest(inside)), math.log1p(inside.sum())]
    return np.concatenate((types.mean(0), loose, amounts))


def drivers(rows: list[dict[str, str]], spans: list[np.ndarray], scores: dict[str, np.ndarray]) -> None:
    label = np.array([row["label"] for row in rows])
    human = np.array([row["is_human"] == "1" for row in rows])
    loose = np.array([inside.any() for inside in spans])
    known = label != "client"
    subsets = {
        "all": known,
        "DisProt": known & (label != "neg_PDB"),
        "human": known & human,
        "with disorder": known & loose,
        "without": known & ~loose,
        "against clients": np.isin(label, ("driver", "client")),
    }
    truth = np.array([one.startswith("driver") for one in label])
    for title, measure in (("AUROC", roc_auc_score), ("AUPRC", average_precision_score)):
        counts = (f"{name} ({int(truth[part].sum())} of {int(part.sum())})" for name, part in subsets.items())
        print(f"\n### Drivers: {title}\n\n| | " + " | ".join(counts) + " |\n|---|" + "---|" * len(subsets))
        for name, score in scores.items():
            cells = (interval(truth[part], score[part], measure) for part in subsets.values())
            print(f"| {name} | " + " | ".join(cells) + " |")


def interval(truth: np.ndarray, score: np.ndarray, measure: Callable[..., float]) -> str:
    draw = np.random.default_rng(0)
    found = []
    for _ in range(500):
        some = draw.integers(len(truth), size=len(truth))
        if 0 < truth[some].sum() < len(some):
            found.append(measure(truth[some], score[some]))
    low, high = np.quantile(found, (0.025, 0.975))
    return f"{measure(truth, score):.3f} ({low:.3f}-{high:.3f})"


def clients(rows: list[dict[str, str]], score: np.ndarray, spans: list[np.ndarray]) -> None:
    known = np.array([row["label"] != "driver" for row in rows])
    truth = np.array(["client" in row["label"] for row in rows])[known]
    length = np.array([longest(one) for one in spans])[known]
    print(f"\nClients against negatives, AUROC: motet {interval(truth, score[known], roc_auc_score)}, ", end="")
    print(f"longest disordered region {interval(truth, length, roc_auc_score)}.")


def regions(work: Path) -> None:
    rows = read(work / "none" / "regions.csv")
    means = {name: np.mean([float(row[name]) for row in rows]) for name in ("network", "disorder")}
    print(f"\nDriving regions of {len(rows)} proteins of PhaSePro, mean AUROC within a protein: ", end="")
    print(f"motet {means['network']:.3f}, disorder alone {means['disorder']:.3f}.")


def mutations(found: dict) -> str:
    alone = ", ".join(f"{name} {value:.3f}" for name, value in found["auroc_alone"].items())
    return (
        f"Mutations that strengthen against all others ({found['rows']} of {found['genes']} genes): "
        f"AUROC, each gene held out: {found['auroc_held_out']:.3f}; one change alone, unfitted: {alone}."
    )


def saturation(rows: list[dict[str, str]]) -> None:
    measured, found = (np.log([float(row[name]) for row in rows]) for name in ("measured_uM", "held_out_uM"))
    spearman = float(np.corrcoef(rankdata(measured), rankdata(found))[0, 1])
    error = float(np.sqrt(np.mean((measured - found) ** 2)))
    print(f"\nSaturation concentrations of {len(rows)} experiments, each family held out: ", end="")
    print(f"Spearman {spearman:.3f}, root mean square error of ln c {error:.2f}.")


if __name__ == "__main__":
    main()
