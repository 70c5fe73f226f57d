"""What the two solvation terms share: the transfer energies of atom types, times burial."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor, nn

from ...chem import read_table
from ..conditions import Conditions
from ..contacts import TABLES
from ..layout import Layout
from ..scene import Scene
from ..shares import Share, SiteShare
from .term import Term


class SolvationBound(NamedTuple):
    """Atoms that water likes or dislikes, and the row of the table that each follows."""

    atom: Int[Tensor, "sites"]
    type: Int[Tensor, "sites"]
    residue: Int[Tensor, "sites"]


class Solvation(Term):
    """Σ sign · transfer energy of the atom's type · how buried the atom is; see `Scene.buried`.

    The form of Eisenberg and McLachlan, Nature 319 (1986) 199, with the volume of atoms around (Lazaridis and
    Karplus 1999) in the place of the surface. Learnable are the logarithms of the transfer energies: what is
    hydrophobic stays so, and burying a polar atom always costs. Types without an energy have no row.
    """

    column: ClassVar[str]
    sign: ClassVar[float]

    def __init__(self) -> None:
        super().__init__()
        rows = {row["type"]: float(row[self.column]) for row in read_table("solvation.csv", TABLES)}
        self.types = tuple(name for name, value in rows.items() if value > 0)
        self.log_transfer = nn.Parameter(torch.tensor([rows[name] for name in self.types]).log())

    def bind(self, layout: Layout, conditions: Conditions) -> SolvationBound:
        """Protein atoms whose type has a transfer energy."""
        table = {(row["residue"], row["atom"]): row["type"] for row in read_table("atoms.csv", TABLES)}
        number = {name: index for index, name in enumerate(self.types)}
        types = torch.tensor([number.get(name, -1) for name in layout.keyed(table, "")], dtype=torch.int64)
        atom = (types >= 0).nonzero().squeeze(-1)
        return SolvationBound(atom, types[atom], torch.from_numpy(layout.residue_of_atom)[atom])

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of the atoms."""
        assert isinstance(bound, SolvationBound)
        if not len(bound.atom):
            return ()
        energy = self.sign * self.log_transfer.to(scene.points.dtype).exp().index_select(0, bound.type)
        return (SiteShare(scene.buried.index_select(1, bound.atom) * energy, bound.residue),)
