"""Write the weights that the package ships, calibrated on held-out predictions, and their card."""

import json
import subprocess
from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from condensate_data import Protein
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import Tensor

from motet.condensate import CondensateNetwork, Direction, PhysicalLayer

CARD = """# The weights of phase separation

{members} networks of {parameters:,} parameters over one physical layer: one for each fifth of the protein
families left out, and for each of {seeds} seeds, {epochs} epochs each. The force field is not in the file: it
ships with motet. Made {date} at commit {commit} by `scripts/train/condensate.py`, and by nothing else.

| part | data | licence |
| --- | --- | --- |
| networks, calibration | {known} drivers and negatives, {clients} clients: PPMC-lab/llps-datasets | MIT |
| disorder heads | disordered spans of the same set | MIT |
| driving regions | PhaSePro | CC BY 4.0 |
| saturation concentration | 54 measured concentrations, collected with CALVADOS | MIT, in part none |
| direction of mutations | 270 mutants of PSMutPred | MIT |

Clients are neither positives nor negatives of the driver head. Negatives weigh as drivers of the same taxon,
length and disorder are common. Nothing was chosen on held-out families but the form of the saturation model and
the width over which driving regions are averaged: both were settled after looking at their data.

Drivers against negatives, each by the {seeds} networks that have not seen its family: AUROC {auroc:.3f}. More,
beside what is trivial and beside ablations: `benchmarks/science/condensate.py` and `benchmarks/results`.

The calibrated probability answers whether curators would list a protein as a driver, in a set where {share:.0%}
are: it is not the probability that a solution parts. Partners, RNA and modifications are unknown to it.
"""


def own_state(member: CondensateNetwork) -> dict[str, Tensor]:
    """What a member does not share with the others: everything but the physical layer."""
    state = member.state_dict()
    return {name: value.contiguous() for name, value in state.items() if not name.startswith("physics.")}


def ship(
    target: Path,
    shared: tuple[PhysicalLayer, Direction],
    members: list[CondensateNetwork],
    proteins: list[Protein],
    logits: np.ndarray,
    arguments: Namespace,
) -> None:
    """The weights, and their card beside them."""
    physics, direction = shared
    tensors = {f"saturation.{name}": value for name, value in physics.saturation.state_dict().items()}
    tensors |= {f"coarse.{name}": value for name, value in physics.coarse.state_dict().items()}
    tensors |= {f"direction.{name}": value for name, value in direction.state_dict().items()}
    for index, member in enumerate(members):
        tensors |= {f"members.{index}.{name}": value for name, value in own_state(member).items()}
    for column, name in enumerate(("driver", "client")):
        truth = np.array([getattr(one, name) for one in proteins])
        known = ~np.isnan(truth)
        line = LogisticRegression(C=1e6).fit(logits[known, column, None], truth[known])
        tensors[f"calibration.{name}"] = torch.tensor([float(line.coef_[0, 0]), float(line.intercept_[0])])
        reference = np.quantile(logits[truth == 0, column], np.linspace(0, 1, 101))
        tensors[f"reference.{name}"] = torch.from_numpy(reference).float()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    facts = {
        "commit": commit,
        "date": datetime.now(UTC).date().isoformat(),
        "seeds": arguments.seeds,
        "epochs": arguments.epochs,
        "members": len(members),
    }
    metadata = {name: str(value) for name, value in facts.items()} | {
        "settings": json.dumps(asdict(members[0].settings)),
        "channels": " ".join(physics.channels),
    }
    save_file({name: value.contiguous() for name, value in tensors.items()}, target, metadata=metadata)
    target.chmod(0o644)
    truth = np.array([one.driver for one in proteins])
    known = ~np.isnan(truth)
    card = CARD.format(
        **facts,
        parameters=sum(value.numel() for value in own_state(members[0]).values()),
        known=int(known.sum()),
        clients=int((~known).sum()),
        auroc=roc_auc_score(truth[known], logits[known, 0]),
        share=truth[known].mean(),
    )
    target.with_suffix(".md").write_text(card, encoding="utf-8")
