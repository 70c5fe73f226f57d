"""How well the phase-separation network does on proteins that it was not trained on."""

import csv
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score


def report(proteins, logits: np.ndarray, region_scores, kind: Path, arguments) -> None:
    driver = np.array([one.driver for one in proteins])
    client = np.array([one.client for one in proteins])
    human = np.array([one.human for one in proteins])
    label = np.array([one.label for one in proteins])
    disordered = np.array([one.disordered.any() for one in proteins])
    longest = np.array([longest_run(one.disordered) for one in proteins])
    known = ~np.isnan(driver)
    against_disprot = known & ((driver == 1) | (label == "neg_DisProt"))
    subsets = {
        "all": known,
        "disprot": against_disprot,
        "human": known & human,
        "with_idr": known & disordered,
        "without_idr": known & ~disordered,
        "driver_vs_client": (label == "driver") | (label == "client"),
    }
    figures = {}
    for name, chosen in subsets.items():
        truth = (label[chosen] != "client") & (np.nan_to_num(driver[chosen]) == 1)
        figures[name] = {
            "n": int(chosen.sum()),
            "drivers": int(truth.sum()),
            "auroc": interval(truth, logits[chosen, 0], roc_auc_score),
            "auprc": interval(truth, logits[chosen, 0], average_precision_score),
            "longest_idr_auroc": float(roc_auc_score(truth, longest[chosen])),
        }
    chosen = ~np.isnan(client)
    figures["client"] = {"auroc": interval(client[chosen] == 1, logits[chosen, 1], roc_auc_score)}
    figures["regions"] = dict(zip(("auroc", "disorder_auroc"), np.mean(region_scores, 0).tolist(), strict=True))
    (kind / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=1))
    with (kind / "oof.csv").open("w", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(["id", "label", "fold", "driver_logit", "client_logit"])
        for one, (first, second) in zip(proteins, logits.tolist(), strict=True):
            writer.writerow([one.id, one.label, one.fold, f"{first:.4f}", f"{second:.4f}"])


def interval(truth: np.ndarray, score: np.ndarray, measure) -> list[float]:
    """The measure, and the 2.5 and 97.5 % points of 500 bootstraps over proteins."""
    draw = np.random.default_rng(0)
    found = []
    for _ in range(500):
        rows = draw.integers(len(truth), size=len(truth))
        if 0 < truth[rows].sum() < len(rows):
            found.append(measure(truth[rows], score[rows]))
    return [round(float(value), 4) for value in (measure(truth, score), *np.quantile(found, (0.025, 0.975)))]


def longest_run(inside: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], inside, [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))
