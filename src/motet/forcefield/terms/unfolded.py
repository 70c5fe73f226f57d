"""What each residue would have in the unfolded chain: a constant, so that proteins of unlike sequence compare."""

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


class UnfoldedBound(NamedTuple):
    """Residues with a whole backbone."""

    residue: Int[Tensor, "residues"]
    type: Int[Tensor, "residues"]


class Unfolded(Term):
    """Minus the free energy of the residue's type in the unfolded chain; no atom's place changes it.

    Only differences between sequences use it. Learnable is one energy a residue type.
    """

    name: ClassVar[str] = "unfolded"
    paired: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        rows = {row["residue"]: float(row["energy_kcal_mol"]) for row in read_table("unfolded.csv", TABLES)}
        self.residues = tuple(rows)
        self.energy = nn.Parameter(torch.tensor(list(rows.values())))

    def bind(self, layout: Layout, conditions: Conditions) -> UnfoldedBound:
        """Residues by what they are or modify; a lone CA is no residue of a chain."""
        number = {name: index for index, name in enumerate(self.residues)}
        whole = [
            residue
            for residue in layout.protein_residues.tolist()
            if str(layout.parents[residue]) in number
            and {"N", "CA", "C"} <= layout.atoms_of_residue[residue].keys()
        ]
        types = [number[str(layout.parents[residue])] for residue in whole]
        return UnfoldedBound(torch.tensor(whole, dtype=torch.int64), torch.tensor(types, dtype=torch.int64))

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol, the same for every conformation."""
        assert isinstance(bound, UnfoldedBound)
        if not len(bound.residue):
            return ()
        nothing = scene.points[..., :0].sum()
        each = -self.energy.to(scene.points.dtype).index_select(0, bound.type)
        return (SiteShare(nothing + each.expand(scene.conformations, -1), bound.residue),)
