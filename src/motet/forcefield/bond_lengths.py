"""What the covalent term wants of each bond, for those who only want to measure."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..structure import Structure
from .ideals import Ideals
from .layout import lay_out


def ideal_bond_lengths(structure: Structure) -> tuple[Int[Tensor, "bonds 2"], Float[Tensor, "bonds"]]:
    """Bonds between heavy protein atoms, as atoms of the structure, and their ideal lengths in Å."""
    layout = lay_out([structure])
    protein = layout.is_protein
    bonds = layout.bonds[protein[layout.bonds].all(-1)] if len(layout.bonds) else layout.bonds.reshape(0, 2)
    ideals = Ideals(layout)
    lengths = [ideals.length(i, j)[0] for i, j in bonds.tolist()]
    return torch.from_numpy(layout.seen[bonds]).reshape(-1, 2), torch.tensor(lengths)
