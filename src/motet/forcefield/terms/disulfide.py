"""Bonds between cysteines: what they are worth, and the way there."""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...chem import read_table
from ..conditions import Conditions
from ..contacts import TABLES
from ..layout import Layout
from ..neighbours import Neighbours
from ..scene import Scene
from ..shares import PairShare, Share
from ..sites import near_sites
from ..switch import fade, hump
from ..vectors import TINY, cross, dot, unit
from .term import Term


class DisulfideBound(NamedTuple):
    """Cysteines: `atom` has CA, CB and SG as rows, `partner` the cysteine that each is bonded to, or -1."""

    atom: Int[Tensor, "3 cysteines"]
    partner: Int[Tensor, "cysteines"]
    place: Int[Tensor, "cysteines"]
    chain: Int[Tensor, "cysteines"]
    protein: Int[Tensor, "cysteines"]
    temperature: Float[Tensor, ""]
    atoms: Int[Tensor, ""]
    proteins: Int[Tensor, ""]


class Bonds(NamedTuple):
    """Pairs of sulphurs near enough to bond.

    Args:
        corners: CA, CB and SG of the first, then SG, CB and CA of the second, through all conformations.
        free: Whether the topology lacks the bond.
        worth: What the whole bond is worth, in kcal/mol.
        protein: As in `Neighbours`.
    """

    corners: Int[Tensor, "6 bonds"]
    free: Float[Tensor, "bonds"]
    worth: Float[Tensor, "bonds"]
    protein: Int[Tensor, "bonds"]


class Disulfide(Term):
    """-worth · length · both angles CB-SG-SG · sin² χ_SS, multiplied, of any two cysteines that come near.

    The worth is the entropy that the loop between the two loses: T (2.1 + 1.5 R ln n), Pace et al. (1988). The
    factor of the length passes smoothly from 1 at the bond to 0 at 3.2 Å. Where the topology has no bond the two
    sulphurs would clash at its length; the same factor takes that away. Where it has one, the covalent term keeps
    length and angles, and this term adds the worth and χ_SS, which that term does not have. Learnable is the
    scale.
    """

    name: ClassVar[str] = "disulfide"

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(()))

    def bind(self, layout: Layout, conditions: Conditions) -> DisulfideBound:
        """Cysteines, and who is bonded to whom."""
        rows = []
        for residue in layout.protein_residues.tolist():
            own = layout.atoms_of_residue[residue]
            if layout.parents[residue] == "CYS" and {"CA", "CB", "SG"} <= own.keys():
                rows.append((residue, own["CA"], own["CB"], own["SG"]))
        number = {row[3]: k for k, row in enumerate(rows)}
        partner = [
            next((number[k] for k in layout.neighbours[sulphur] if k in number), -1) for *_, sulphur in rows
        ]
        residue = torch.tensor([row[0] for row in rows], dtype=torch.int64)
        return DisulfideBound(
            torch.tensor([row[1:] for row in rows], dtype=torch.int64).reshape(-1, 3).T.contiguous(),
            torch.tensor(partner, dtype=torch.int64),
            residue,
            torch.from_numpy(layout.chain_of_residue)[residue],
            torch.from_numpy(layout.protein_of_residue)[residue],
            torch.tensor(conditions.temperature, dtype=torch.float64),
            torch.tensor(layout.n_seen),
            torch.tensor(layout.n_proteins),
        )

    def select(self, bound: tuple[Tensor, ...], neighbours: Neighbours) -> Bonds:
        """Sulphurs within reach of each other."""
        assert isinstance(bound, DisulfideBound)
        shape, points = _shape(), neighbours.built_at.index_select(1, bound.atom[2])
        reach = shape["length"] + shape["fading_outwards"]
        found = near_sites(points, bound.protein, int(bound.proteins), reach)
        i, j = found.first, found.second
        loop = torch.where(
            bound.chain[i] == bound.chain[j],
            (bound.place[j] - bound.place[i]).abs().clamp_min(1).to(points.dtype),
            shape["loop_between_chains"],
        )
        worth = bound.temperature * (shape["entropy_constant"] + shape["entropy_factor"] * loop.log())
        shift = found.conformation * bound.atoms
        corners = torch.cat((bound.atom[:, i], bound.atom[:, j].flip(0))) + shift
        return Bonds(corners, (bound.partner[i] != j).to(points.dtype), worth, found.protein)

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of the pairs within reach."""
        assert isinstance(selected, Bonds)
        if not selected.corners.shape[1]:
            return ()
        corners = scene.points.flatten(1).index_select(1, selected.corners.flatten()).unflatten(1, (6, -1))
        _, u, v, w, _ = corners.diff(dim=1).unbind(1)  # CB-SG, SG-SG, SG-CB
        first, second = selected.corners[2], selected.corners[3]
        squared = dot(v, v)
        near = fade(_stretch((squared + TINY).sqrt()))
        angles = _bend(-u, v) * _bend(-v, w)
        worth = self.log_scale.to(squared.dtype).exp() * selected.worth * angles * _across(u, v, w)
        clash = scene.repulsion(first, second, squared)
        return (PairShare(-near * (worth + selected.free * clash), first, second, selected.protein),)


def _stretch(length: Float[Tensor, "bonds"]) -> Float[Tensor, "bonds"]:
    """0 at the bond's length, 1 where nothing is left of it."""
    away = length - _shape()["length"]
    return torch.where(away > 0, away / _shape()["fading_outwards"], -away / _shape()["fading_inwards"])


def _bend(back: Float[Tensor, "3 bonds"], on: Float[Tensor, "3 bonds"]) -> Float[Tensor, "bonds"]:
    """How well the angle at a sulphur suits, from 0 to 1."""
    cosine = dot(unit(back), unit(on))
    return hump((cosine - _shape()["angle_cosine"]) / _shape()["angle_width"])


def _across(u: Float[Tensor, "3 bonds"], v: Float[Tensor, "3 bonds"], w: Float[Tensor, "3 bonds"]) -> Tensor:
    """sin² of the torsion: 1 where the two ends stand crosswise."""
    cosine = dot(unit(cross(u, v)), unit(cross(v, w)))
    return 1.0 - cosine * cosine


@cache
def _shape() -> dict[str, float]:
    return {row["name"]: float(row["value"]) for row in read_table("disulfides.csv", TABLES)}
