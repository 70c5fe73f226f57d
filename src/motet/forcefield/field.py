"""The force field: learnable terms and weights, waiting for a protein."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..chem import RESIDUES, read_table
from ..structure import Structure
from ..units import ROOM_TEMPERATURE
from .conditions import Conditions
from .contacts import ContactParameters
from .system import System
from .terms import TERMS, Term, Unfolded


class ForceField(nn.Module):
    """E = Σ weight · term, in kcal/mol; every weight and every parameter of a term can be learnt.

    Args:
        terms: The terms; all that there are when none are given.
    """

    weights: Float[Tensor, "terms"]

    def __init__(self, terms: Sequence[Term] | None = None) -> None:
        super().__init__()
        chosen = [make() for make in TERMS] if terms is None else list(terms)
        self.contacts = ContactParameters()
        self._terms = nn.ModuleDict({term.name: term for term in chosen})
        self.weights = nn.Parameter(torch.ones(len(chosen)))

    @classmethod
    def stability(cls, beside_sites: bool = False) -> "ForceField":
        """The field whose weights and reference energies were fitted on measured stability changes of mutants.

        For differences between sequences, such as ΔΔG; for moving atoms take `ForceField()`. Bonds are ideal on
        both sides of such a difference, so the covalent term is left out. Numbers: `tables/stability.csv`.

        Args:
            beside_sites: The weights that hold together with the site model of `motet.ensemble.ddg`.
        """
        column = "beside_sites" if beside_sites else "alone"
        rows = {row["name"]: float(row[column]) for row in read_table("stability.csv", f"{__package__}.tables")}
        terms = [make() for make in TERMS]
        field = cls([term for term in terms if term.name in rows or isinstance(term, Unfolded)])
        with torch.no_grad():
            field.weights.copy_(torch.tensor([rows.get(name, 1.0) for name in field.names]))
            for term in field.terms:
                if isinstance(term, Unfolded):
                    letters = [RESIDUES[name].letter for name in term.residues]
                    term.energy.copy_(torch.tensor([rows[f"unfolded_{letter}"] for letter in letters]))
        return field

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms, in the order of the weights."""
        found = []
        for term in self._terms.values():
            assert isinstance(term, Term)
            found.append(term)
        return tuple(found)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the terms."""
        return tuple(self._terms)

    def bind(
        self,
        structure: Structure | Sequence[Structure],
        temperature: float = ROOM_TEMPERATURE,
        ionic_strength: float = 0.15,
        ph: float = 7.0,
    ) -> System:
        """This force field for one protein, or for several unlike ones laid end to end.

        Args:
            structure: One structure, or a sequence; its coordinates only say which prochiral atom is which.
            temperature: In K.
            ionic_strength: In mol/L.
            ph: pH, which decides side-chain charges.

        Raises:
            ConfigError: A condition is out of range.
        """
        conditions = Conditions(temperature=temperature, ionic_strength=ionic_strength, ph=ph)
        return System(self, structure, conditions)
