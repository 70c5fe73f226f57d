"""Contacts of flat groups: rings with rings, cations on rings, and sp2 groups that lie upon each other."""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...chem import read_table
from ..conditions import Conditions
from ..contacts import TABLES
from ..ionisation import ionisable_groups
from ..layout import Layout
from ..neighbours import SKIN, Neighbours
from ..planes import KINDS, flat_groups
from ..scene import Scene
from ..shares import PairShare, Share
from ..sites import near_sites
from ..switch import fade
from ..vectors import TINY, cross, dot, unit
from .term import Term

CLASSES = ("stacked", "edge", "cation", "flat_ring", "flat")
RING, GUANIDINIUM, _, PEPTIDE, CATION = range(len(KINDS))
MOST = 6  # atoms of a group


class PlanesBound(NamedTuple):
    """Flat groups and cations; `share` weighs the atoms of each in its centre, `atom` repeats the first."""

    atom: Int[Tensor, "6 groups"]
    share: Float[Tensor, "6 groups"]
    kind: Int[Tensor, "groups"]
    strength: Float[Tensor, "groups"]
    residue: Int[Tensor, "groups"]
    protein: Int[Tensor, "groups"]
    atoms: Int[Tensor, ""]
    proteins: Int[Tensor, ""]


class Contacts(NamedTuple):
    """Groups that meet, the ring first where a cation meets one; rows through all conformations.

    Args:
        first: Row of the first group.
        second: Row of the second.
        lying: Class of what they gain by lying upon each other.
        edge: 1 where two rings meet, which may also stand at right angles.
        point: 1 where the second has no plane.
        strength: Share of molecules in which the charge is there; 1 without one.
        i: An atom of the first.
        j: An atom of the second.
        protein: As in `Neighbours`.
    """

    first: Int[Tensor, "pairs"]
    second: Int[Tensor, "pairs"]
    lying: Int[Tensor, "pairs"]
    edge: Float[Tensor, "pairs"]
    point: Float[Tensor, "pairs"]
    strength: Float[Tensor, "pairs"]
    i: Int[Tensor, "pairs"]
    j: Int[Tensor, "pairs"]
    protein: Int[Tensor, "pairs"]


class Pi(Term):
    """-depth · distance · p (a + b)/2 of groups that lie upon each other, and of rings that stand edge on face.

    a and b are the cos² of the angles between the normals and the line from centre to centre, p that between the
    normals. Edge on face gains depth · distance · (1 - p)(a + b - 2ab), ammonium on a ring depth · distance · a.
    Learnable are five depths: rings stacked, rings edge on face, ammonium or guanidinium on a ring, sp2 groups on
    rings, sp2 groups on each other. Peptide bonds meet side chains only, not each other.
    """

    name: ClassVar[str] = "pi"

    def __init__(self) -> None:
        super().__init__()
        self.log_depth = nn.Parameter(torch.tensor([_shape()[f"depth_{name}"] for name in CLASSES]).log())
        for name in ("best", "fading"):
            rows = [_shape()[f"{name}_{shape}"] for shape in ("stacked", "edge", "cation", "flat", "flat")]
            self.register_buffer(name, torch.tensor(rows), persistent=False)

    best: Float[Tensor, "classes"]
    fading: Float[Tensor, "classes"]

    def bind(self, layout: Layout, conditions: Conditions) -> PlanesBound:
        """Flat groups, and ammonium with the share of molecules in which it is charged."""
        groups = flat_groups(layout)
        charged = {k: one.fraction for one in ionisable_groups(layout, conditions) for k in one.atoms}
        residue = torch.tensor([group.residue for group in groups], dtype=torch.int64)
        atom = [group.atoms + group.atoms[:1] * (MOST - len(group.atoms)) for group in groups]
        share = [
            [1.0 / len(group.atoms) if k < len(group.atoms) else 0.0 for k in range(MOST)] for group in groups
        ]
        strength = [charged.get(group.atoms[0], 1.0) if group.kind == "cation" else 1.0 for group in groups]
        return PlanesBound(
            torch.tensor(atom, dtype=torch.int64).reshape(-1, MOST).T.contiguous(),
            torch.tensor(share, dtype=torch.float64).reshape(-1, MOST).T.contiguous(),
            torch.tensor([KINDS.index(group.kind) for group in groups], dtype=torch.int64),
            torch.tensor(strength, dtype=torch.float64),
            residue,
            torch.from_numpy(layout.protein_of_residue)[residue],
            torch.tensor(layout.n_seen),
            torch.tensor(layout.n_proteins),
        )

    def select(self, bound: tuple[Tensor, ...], neighbours: Neighbours) -> Contacts:
        """Groups of different residues near enough for their class."""
        assert isinstance(bound, PlanesBound)
        points = neighbours.built_at.index_select(1, bound.atom.flatten()).unflatten(1, bound.atom.shape)
        centres = (points * bound.share[..., None]).sum(1)
        reach = self.best + self.fading
        found = near_sites(centres, bound.protein, int(bound.proteins), float(reach.max()))
        kind = bound.kind
        swap = kind[found.first] > kind[found.second]  # rings come first, ammonium last
        first = torch.where(swap, found.second, found.first)
        second = torch.where(swap, found.first, found.second)
        ring, both = kind[first] == RING, kind[second] == RING
        charge = (kind[second] == CATION) | (kind[second] == GUANIDINIUM)
        lying = torch.where(both, 0, torch.where(ring & charge, 2, torch.where(ring, 3, 4)))
        found = found._replace(first=first, second=second)
        apart = (centres[found.conformation, first] - centres[found.conformation, second]).norm(dim=-1)
        keep = apart < torch.where(both, reach[1], 0.0).maximum(reach[lying]) + SKIN
        keep &= bound.residue[first] != bound.residue[second]
        keep &= (kind[first] != PEPTIDE) & (ring | (kind[second] != CATION))
        keep &= (kind[second] != PEPTIDE) | ((bound.residue[first] - bound.residue[second]).abs() > 1)
        keep = keep.nonzero().squeeze(-1)
        conformation, first, second = found.conformation[keep], first[keep], second[keep]
        groups, shift = len(kind), conformation * bound.atoms
        return Contacts(
            conformation * groups + first,
            conformation * groups + second,
            lying[keep],
            both[keep].to(points.dtype),
            (kind[second] == CATION).to(points.dtype),
            bound.strength[second],
            bound.atom[0, first] + shift,
            bound.atom[0, second] + shift,
            found.protein[keep],
        )

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of the pairs."""
        assert isinstance(bound, PlanesBound)
        assert isinstance(selected, Contacts)
        if not len(selected.first):
            return ()
        corners = scene.at(bound.atom)
        centre = (corners * bound.share).sum(2).flatten(1)
        start, left, right = corners[:, :, :3].unbind(2)
        normal = unit(cross(left - start, right - start)).flatten(1)
        ends = torch.stack((selected.first, selected.second)).flatten()
        here, there = centre.index_select(1, ends).unflatten(1, (2, -1)).unbind(1)
        up, other = normal.index_select(1, ends).unflatten(1, (2, -1)).unbind(1)
        apart = there - here
        squared = dot(apart, apart) + TINY
        a, b = dot(up, apart).square() / squared, dot(other, apart).square() / squared
        p = dot(up, other).square()
        length = squared.sqrt()
        lying = p * 0.5 * (a + b) + selected.point * a  # without a plane b and p are 0
        depth = self.log_depth.to(length.dtype).exp()
        values = depth.index_select(0, selected.lying) * lying * self._fade(length, selected.lying)
        standing = selected.edge * depth[1] * (1.0 - p) * (a + b - 2.0 * a * b)
        values = values * selected.strength + standing * self._fade(length, torch.ones_like(selected.lying))
        return (PairShare(-values, selected.i, selected.j, selected.protein),)

    def _fade(self, length: Float[Tensor, "pairs"], which: Int[Tensor, "pairs"]) -> Float[Tensor, "pairs"]:
        best, fading = (one.to(length.dtype).index_select(0, which) for one in (self.best, self.fading))
        return fade((length - best) / fading)


@cache
def _shape() -> dict[str, float]:
    return {row["name"]: float(row["value"]) for row in read_table("pi.csv", TABLES)}
