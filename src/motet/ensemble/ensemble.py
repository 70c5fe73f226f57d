"""Conformations of one topology, with weights, energies and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError
from ..structure import Structure

Weighting: TypeAlias = Literal["sampled", "reweighted", "given"]


@dataclass(frozen=True)
class Provenance:
    """How an ensemble was made, enough to make it again.

    Args:
        generator: Name of the generator, such as `langevin`, or `file` for conformations that were read.
        temperature: Temperature of the ensemble, in K.
        seed: Seed of the first replica; replica i drew from seed + i.
        weighting: `sampled` (the generator draws from Boltzmann's law, so weights are equal), `reweighted`
            (weights are exp(-ΔE/kT) over the proposal) or `given` (came with the conformations, no claim).
        settings: The generator's other settings, by name.
        report: How the draws went, by name: acceptance of each move, say.
    """

    generator: str
    temperature: float
    seed: int
    weighting: Weighting
    settings: Mapping[str, float | int | str] = field(default_factory=dict)
    report: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Weighted conformations.

    Args:
        structure: The topology, with `conformations atoms 3` coordinates in Å.
        weights: Statistical weight of each conformation; they sum to 1.
        energy_terms: Names of the energy terms.
        energies: Energy of each conformation and term, in kcal/mol.
        replica: Independent chain each conformation was drawn by.
        step: Step of its chain at which it was drawn.
        provenance: How it was made.
    """

    structure: Structure
    weights: Float[Tensor, "conformations"]
    energy_terms: tuple[str, ...]
    energies: Float[Tensor, "conformations terms"]
    replica: Int[Tensor, "conformations"]
    step: Int[Tensor, "conformations"]
    provenance: Provenance

    def __post_init__(self) -> None:
        count = self.structure.coords.shape[0]
        assert self.structure.coords.ndim == 3
        assert self.weights.shape == self.replica.shape == self.step.shape == (count,)
        assert self.energies.shape == (count, len(self.energy_terms))
        if not torch.isclose(self.weights.sum(), torch.ones((), dtype=self.weights.dtype), atol=1e-4):
            raise ConfigError(f"ensemble weights sum to {float(self.weights.sum()):.4g}; normalise them to 1.")

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def coords(self) -> Float[Tensor, "conformations atoms 3"]:
        """Coordinates of all conformations, in Å."""
        return self.structure.coords

    @property
    def total_energies(self) -> Float[Tensor, "conformations"]:
        """Energy of each conformation, summed over terms, in kcal/mol."""
        return self.energies.sum(-1)

    def with_weights(self, weights: Float[Tensor, "conformations"], weighting: Weighting) -> "Ensemble":
        """The same conformations weighed otherwise; weights are normalised."""
        return replace(
            self, weights=weights / weights.sum(), provenance=replace(self.provenance, weighting=weighting)
        )

    @classmethod
    def of_models(cls, structure: Structure, temperature: float) -> "Ensemble":
        """The models of a file, equally weighted: no energies, and no claim that they follow Boltzmann's law."""
        count = structure.n_models
        return cls(
            structure.with_coords(structure.coords.reshape(count, structure.n_atoms, 3)),
            weights=torch.full((count,), 1.0 / count),
            energy_terms=(),
            energies=torch.zeros(count, 0),
            replica=torch.arange(count),
            step=torch.zeros(count, dtype=torch.long),
            provenance=Provenance("file", temperature, 0, "given"),
        )
