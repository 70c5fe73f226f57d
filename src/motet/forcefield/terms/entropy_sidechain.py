"""What a side chain loses in freedom when it is buried."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...chem import read_table
from ..conditions import Conditions
from ..contacts import TABLES
from ..layout import Layout
from ..scene import Scene
from ..shares import Share, SiteShare
from .term import Term

PUBLISHED_AT = 300.0  # K
BACKBONE = ("N", "CA", "C", "O", "OXT")


class SideChainBound(NamedTuple):
    """Atoms beyond CB; `weight` is T/300 K over their number in the residue."""

    atom: Int[Tensor, "atoms"]
    type: Int[Tensor, "atoms"]
    weight: Float[Tensor, "atoms"]
    residue: Int[Tensor, "atoms"]


class SideChainEntropy(Term):
    """T · ΔS of a residue's type, times the mean burial of its side chain beyond CB.

    Values of Abagyan and Totrov (1994) for a side chain that is wholly buried. Learnable is the scale of each
    residue type; its logarithm, so that burial never frees a side chain. A cysteine in a disulfide, and any other
    residue that is bonded through its side chain, has lost that freedom already and pays nothing.
    """

    name: ClassVar[str] = "entropy_sidechain"

    def __init__(self) -> None:
        super().__init__()
        rows = {
            row["residue"]: float(row["entropy_kcal_mol"]) for row in read_table("sidechain_entropy.csv", TABLES)
        }
        self.residues = tuple(rows)
        self.log_entropy = nn.Parameter(torch.tensor(list(rows.values())).log())

    def bind(self, layout: Layout, conditions: Conditions) -> SideChainBound:
        """Side-chain atoms of residues that can lose freedom."""
        number = {name: index for index, name in enumerate(self.residues)}
        rows = []
        for residue in layout.protein_residues.tolist():
            kind = number.get(str(layout.parents[residue]))
            own = layout.atoms_of_residue[residue]
            atoms = [atom for name, atom in own.items() if name not in (*BACKBONE, "CB")]
            foreign = any(layout.residue_of_atom[k] != residue for atom in atoms for k in layout.neighbours[atom])
            if kind is not None and not foreign:
                weight = conditions.temperature / PUBLISHED_AT / max(len(atoms), 1)
                rows += [(atom, kind, weight, residue) for atom in atoms]
        atom, kind, weight, residue = zip(*rows, strict=True) if rows else ((), (), (), ())
        return SideChainBound(
            torch.tensor(atom, dtype=torch.int64),
            torch.tensor(kind, dtype=torch.int64),
            torch.tensor(weight, dtype=torch.float64),
            torch.tensor(residue, dtype=torch.int64),
        )

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol, shared out over the atoms of each side chain."""
        assert isinstance(bound, SideChainBound)
        if not len(bound.atom):
            return ()
        entropy = self.log_entropy.to(scene.points.dtype).exp().index_select(0, bound.type) * bound.weight
        return (SiteShare(scene.buried.index_select(1, bound.atom) * entropy, bound.residue),)
