"""The physical layer: what force field and residue-level energy say of a protein, in a few numbers and a map."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..forcefield import Conditions, ForceField
from .coarse import CoarseEnergy, PairVirial, debye_length
from .fragments import POSES, FragmentInteractions
from .patterning import charge_decoration, screened_self_energy, sticky_decoration
from .saturation import Saturation
from .sequences import SequenceBatch

NEIGHBOURHOOD = 61  # residues whose stickiness a residue feels
FEWEST = 3.0  # residues added to every mean, so that a mean over next to nothing is next to nothing
DESCRIPTORS = ("saturation", "all_atom", "sticky", "patch", "charge_pattern", "self_charge", "chain")


@dataclass(frozen=True, eq=False)
class PairTables:
    """What any two residue types do to each other at some conditions.

    Args:
        virial: Parts of B₂ by the residue-level energy, in Å³.
        charges: Of each residue type, in e.
        contact: Contact energies in kcal/mol: the residue-level one, then one a term of the force field.
        debye: Screening length, in Å.
    """

    virial: PairVirial
    charges: Float[Tensor, "20"]
    contact: Float[Tensor, "channels 20 20"]
    debye: float


@dataclass(frozen=True, eq=False)
class PhysicalView:
    """What physics says of each protein.

    Args:
        log_saturation: ln of the saturation concentration in µM.
        descriptors: One column of each of `DESCRIPTORS`; more favours phase separation, about 0 to 1 in size.
        contacts: What each term of the force field adds to the descriptor `all_atom`.
        field: Attraction that each residue feels from its neighbourhood, in kcal/mol.
    """

    log_saturation: Float[Tensor, "proteins"]
    descriptors: Float[Tensor, "proteins descriptors"]
    contacts: Float[Tensor, "proteins terms"]
    field: Float[Tensor, "proteins residues"]


class PhysicalLayer(nn.Module):
    """Force field, residue-level energy and saturation; all their parameters take part in the graph.

    Args:
        force_field: Fresh when left out.
        poses: Of each pair of residues; the trained networks know those of the default.
    """

    def __init__(self, force_field: ForceField | None = None, poses: int = POSES) -> None:
        super().__init__()
        self.coarse = CoarseEnergy()
        self.fragments = FragmentInteractions(force_field or ForceField(), poses)
        self.saturation = Saturation()

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the contact energies."""
        return ("residue_level", *self.fragments.names)

    def tables(self, conditions: Conditions) -> PairTables:
        """The pair tables at these conditions: the costly part, the same for every protein."""
        residue_level = self.coarse.contact_energy()[None]
        return PairTables(
            self.coarse.virial(conditions),
            self.coarse.charges(conditions),
            torch.cat((residue_level, self.fragments(conditions))),
            debye_length(conditions),
        )

    def forward(
        self, batch: SequenceBatch, tables: PairTables, available: Float[Tensor, "proteins residues"]
    ) -> PhysicalView:
        """What the tables say of these proteins.

        Args:
            batch: Their sequences.
            tables: Of the conditions.
            available: How far each residue is free to meet others: its disorder, or its exposure; 0 to 1.
        """
        types = batch.one_hot(available.dtype)
        weight = available * batch.present
        amount = weight.sum(-1)
        composition = (types * weight[..., None]).sum(1) / (amount + FEWEST)[:, None]
        share = composition / composition.sum(-1, keepdim=True).clamp_min(1e-6)
        saturation = self.saturation(tables.virial, share, amount)
        sticky = types @ self.coarse.stickiness * weight
        charge = types @ tables.charges * weight
        field = _neighbourhood(types * weight[..., None]) @ tables.contact[0]
        field = (field * types).sum(-1)
        contacts = -torch.einsum("pi,cij,pj->pc", composition, tables.contact[1:], composition) / 3.0
        size = amount + FEWEST
        columns = (
            (8.0 - saturation) / 6.0,
            contacts.sum(-1),
            sticky_decoration(sticky, size) / 5.0,
            -10.0 * field.amin(-1),
            -torch.tanh(charge_decoration(charge, size) / 3.0),
            -10.0 * screened_self_energy(charge, size, tables.debye),
            torch.log1p(amount) / 6.0,
        )
        return PhysicalView(saturation, torch.stack(columns, -1), contacts, field)


def _neighbourhood(x: Float[Tensor, "proteins residues channels"]) -> Float[Tensor, "proteins residues channels"]:
    """Sum over the residues around each, divided by the size of a whole neighbourhood."""
    pooled = torch.nn.functional.avg_pool1d(
        x.mT, NEIGHBOURHOOD, stride=1, padding=NEIGHBOURHOOD // 2, count_include_pad=True
    )
    return pooled.mT
