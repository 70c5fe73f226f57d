"""One view of a protein: what the network reads and how it is run, and what it then predicts."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ...fold import AlphaFold, Features, Folding, Recycling, SamplingConfig, Templates, fold
from ...fold.alignment import features_of_rows, numbered, query_types
from ...fold.interventions import tempered, without_columns
from ...fold.structures import heavy_atoms
from ...io import Alignment
from ...nn import Execution

_NOISE = 1 << 20  # keeps the draws of dropout apart from those of the rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Member:
    """What makes one prediction differ from another; enough to make it again.

    Args:
        perturbation: Which perturbation it comes from.
        note: What that chose, in words.
        seed: Of all its draws.
        clusters: Rows that are cluster centres.
        extra: Rows beyond them.
        recycles: Passes after the first.
        weights: How much each row of the alignment counts; all fully, when None.
        masked_columns: Share of columns made unknown.
        dropout: Whether the network runs with dropout.
        beta: Inverse temperature of attention in the alignment.
        state: Hypothesis it is drawn for; -1 for none.
        control: Whether it is a matched-depth random subset.
    """

    perturbation: str
    note: str
    seed: int
    clusters: int
    extra: int
    recycles: int = 1
    weights: Float[Tensor, "rows"] | None = None
    masked_columns: float = 0.0
    dropout: bool = False
    beta: float = 1.0
    state: int = -1
    control: bool = False

    @property
    def depth(self) -> float:
        """Rows that are read, each by its weight; infinite where all are."""
        return float("inf") if self.weights is None else float(self.weights.sum())

    def described(self) -> Mapping[str, str | int | float | bool]:
        """Everything but the weights, by name."""
        return {name: value for name, value in vars(self).items() if name != "weights"}


@dataclass(frozen=True, eq=False)
class Sampled:
    """What is kept of a prediction.

    Args:
        coords: Heavy atoms, in Å.
        plddt: Of each residue.
        tm_score: pTM; NaN for a model that does not predict it.
        distogram: Probability of each distance of each pair of residues, in half precision.
        changes: Change of Cα distances in each pass, in Å.
    """

    coords: Float[Tensor, "atoms 3"]
    plddt: Float[Tensor, "residues"]
    tm_score: Float[Tensor, ""]
    distogram: Float[Tensor, "residues residues bins"]
    changes: Float[Tensor, "passes"]

    @classmethod
    def of(cls, folding: Folding, query: str) -> "Sampled":
        """The part of a prediction that an ensemble needs."""
        last = folding.prediction
        aligned = last.aligned
        return cls(
            heavy_atoms(last, query),
            last.plddt.float().cpu(),
            torch.tensor(float("nan")) if aligned is None else aligned.tm_score.float().cpu(),
            last.distogram_logits.float().softmax(-1).half().cpu(),
            torch.tensor(folding.changes),
        )


@dataclass(frozen=True, eq=False)
class Folder:
    """A network and the alignment it reads.

    Args:
        model: The network with its weights.
        alignment: Its rows.
        templates: Structures of homologues, for a model that reads them.
        memory_budget: See `nn.Execution`.
        device: Where the network is.
    """

    model: AlphaFold
    alignment: Alignment
    templates: Templates | None = None
    memory_budget: int = Execution().memory_budget
    device: str = "cpu"

    def features(self, member: Member, generator: torch.Generator) -> Features:
        """What the network reads in one pass."""
        rows = numbered(self.alignment)
        if member.masked_columns:
            rows = without_columns(rows, member.masked_columns, generator)
        sampling = SamplingConfig(clusters=member.clusters, extra=member.extra)
        query = query_types(self.alignment.query)
        features = features_of_rows(query, rows, sampling, generator, self.templates, member.weights)
        return features.to(device=self.device)

    def fold(self, member: Member) -> Folding:
        """The prediction; equal members give equal bytes."""
        generator = torch.Generator().manual_seed(member.seed)
        noise = torch.Generator(self.device).manual_seed(member.seed + _NOISE) if member.dropout else None
        execution = Execution(self.memory_budget, noise)
        warm = tempered(self.model.trunk.evoformer, member.beta) if member.beta != 1 else nullcontext()
        with torch.inference_mode(), warm:
            return fold(
                self.model,
                lambda _: self.features(member, generator),
                Recycling(member.recycles),
                execution=execution,
            )

    def sampled(self, member: Member) -> Sampled:
        """What is kept of the prediction."""
        return Sampled.of(self.fold(member), self.alignment.query)
