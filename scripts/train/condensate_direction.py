"""Fit which way a mutation moves phase separation, and say how well that holds for genes it has not seen."""

import csv
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import Tensor

from motet.condensate import Direction, PhysicalLayer, encode
from motet.condensate.direction import CHANGES, changes
from motet.condensate.disorder import Disorder
from motet.forcefield import Conditions

STRENGTH = 0.1  # of the prior that weights are small, in scikit-learn's C; not tuned


def fitted_direction(data: Path, physics: PhysicalLayer, heads: list[Disorder], work: Path) -> Direction:
    """The weights; held out, each gene is predicted by what was fitted on all others."""
    direction = Direction()
    path = work / "direction.safetensors"
    if path.exists():
        direction.load_state_dict(load_file(path))
        return direction
    rows = read_mutants(data)
    seen = torch.cat([seen_changes(row, physics, heads) for row in rows]).numpy()
    truth = np.array([row["label"] == "strengthen" for row in rows])
    genes = np.array([row["gene"] for row in rows])
    held_out = np.zeros(len(rows))
    for gene in sorted(set(genes)):
        weight, offset = fit(seen[genes != gene], truth[genes != gene])
        held_out[genes == gene] = seen[genes == gene] @ weight + offset
    weight, offset = fit(seen, truth)
    with torch.no_grad():
        direction.weight.copy_(torch.from_numpy(weight))
        direction.offset.copy_(torch.tensor(offset))
    figures = {
        "rows": len(rows),
        "genes": len(set(genes)),
        "auroc_held_out": float(roc_auc_score(truth, held_out)),
        "auroc_alone": {name: float(roc_auc_score(truth, seen[:, i])) for i, name in enumerate(CHANGES)},
        "weights": dict(zip((*CHANGES, "offset"), [*map(float, weight), float(offset)], strict=True)),
    }
    (work / "direction.json").write_text(json.dumps(figures, indent=2) + "\n")
    print("direction", figures)
    save_file(direction.state_dict(), path)
    return direction


def read_mutants(data: Path) -> list[dict[str, str]]:
    """Mutants with their wild type; one row of the set names a mutation that changes nothing."""
    with (data / "psmutpred_mutations.csv").open() as source:
        rows = list(csv.DictReader(source))
    return [
        row
        for row in rows
        if row["sequence"] != row["wt_sequence"] and len(row["sequence"]) == len(row["wt_sequence"])
    ]


@torch.no_grad()
def seen_changes(row: dict[str, str], physics: PhysicalLayer, heads: list[Disorder]) -> Tensor:
    wild, mutant = encode([row["wt_sequence"]]), encode([row["sequence"]])
    loose = [torch.stack([head(one).sigmoid() for head in heads]).mean(0) for one in (mutant, wild)]
    return changes(physics.coarse, physics.coarse.charges(Conditions()), mutant, wild, *loose)


def fit(seen: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, float]:
    """Logistic regression on changes in units of their spread; both directions weigh the same in all."""
    spread = seen.std(0)
    line = LogisticRegression(C=STRENGTH, class_weight="balanced").fit(seen / spread, truth)
    return line.coef_[0] / spread, float(line.intercept_[0])
