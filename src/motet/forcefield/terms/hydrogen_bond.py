"""Hydrogen bonds: distance times donor angle times acceptor angle, with hydrogens placed from heavy atoms."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...chem import read_table
from ..conditions import Conditions
from ..contacts import TABLES
from ..directed_pairs import DirectedPairs, meeting
from ..layout import Layout
from ..neighbours import SKIN, Neighbours
from ..polar import polar_atoms
from ..scene import Scene
from ..shares import PairShare, Share
from ..switch import hump, switch
from ..vectors import TINY
from .term import Term

DEPTHS = ("depth_backbone_backbone", "depth_backbone_sidechain", "depth_sidechain_sidechain")
DISTANCES = (
    "distance_nitrogen_oxygen",
    "distance_oxygen_oxygen",
    "distance_nitrogen_nitrogen",
    "distance_sulphur",
)


class HydrogenBondBound(NamedTuple):
    """Donors' hydrogens and acceptors. Both point along unit(p - q) + weight · unit(r - s)."""

    donor_frame: Int[Tensor, "4 donors"]
    donor_weight: Float[Tensor, "donors"]
    donor_reach: Float[Tensor, "donors"]
    donor_strength: Float[Tensor, "donors"]
    donor_of_atom: Int[Tensor, "atoms 2"]
    acceptor_frame: Int[Tensor, "4 acceptors"]
    acceptor_weight: Float[Tensor, "acceptors"]
    acceptor_cosine: Float[Tensor, "acceptors"]
    acceptor_width: Float[Tensor, "acceptors"]
    acceptor_strength: Float[Tensor, "acceptors"]
    acceptor_of_atom: Int[Tensor, "atoms"]
    backbone: Int[Tensor, "atoms"]
    element: Int[Tensor, "atoms"]


class Candidates(NamedTuple):
    """Hydrogens and acceptors within reach, through all conformations.

    Args:
        pairs: Donor and acceptor atoms, and where hydrogen and lone pair point.
        turns: 1 where the hydrogen turns freely on its cone, 0 where its place is known.
        cosine: Of the angle that the acceptor likes best.
        width: How far that cosine may be off.
        strength: Share of molecules in which the bond is there.
        depth: Place in the depths, by what the two belong to.
        distance: Place in the distances, by their elements.
        protein: As in `Neighbours`.
    """

    pairs: DirectedPairs
    turns: Float[Tensor, "bonds"]
    cosine: Float[Tensor, "bonds"]
    width: Float[Tensor, "bonds"]
    strength: Float[Tensor, "bonds"]
    depth: Int[Tensor, "bonds"]
    distance: Int[Tensor, "bonds"]
    protein: Int[Tensor, "bonds"]


class HydrogenBond(Term):
    """depth · (5x⁶ - 6x⁵) · donor angle · acceptor angle, x = (r₀/r)² and at most 1, r from donor to acceptor.

    Nearer than r₀ the bond fades, too. The donor's factor is cos² of the bend at a placed hydrogen; a donor that
    turns freely (hydroxyl, thiol, ammonium) prefers its tetrahedral cone instead. The acceptor prefers 120 to 155
    degrees (sp2), 109.5 (sp3), or outwards from a ring (nitrogen of histidine). Learnable are three depths
    (backbone-backbone, backbone-side chain, side chain-side chain) and four distances r₀.
    """

    name: ClassVar[str] = "hydrogen_bond"
    packs: ClassVar[bool] = True
    blank: ClassVar[Mapping[str, float]] = {"width": 1.0}

    def __init__(self) -> None:
        super().__init__()
        self.log_depth = nn.Parameter(torch.tensor([_shape()[name] for name in DEPTHS]).log())
        self.log_distance = nn.Parameter(torch.tensor([_shape()[name] for name in DISTANCES]).log())

    def bind(self, layout: Layout, conditions: Conditions) -> HydrogenBondBound:
        """Donors and acceptors of the protein whose neighbours are there to place hydrogens and lone pairs by."""
        donors, acceptors = polar_atoms(layout, conditions)
        donor_of_atom = torch.full((layout.n_seen, 2), -1)
        for row, donor in enumerate(donors):
            donor_of_atom[donor.atom, int(donor_of_atom[donor.atom, 0] >= 0)] = row
        acceptor_of_atom = torch.full((layout.n_seen,), -1)
        for row, acceptor in enumerate(acceptors):
            acceptor_of_atom[acceptor.atom] = row
        names, elements = layout.names.tolist(), layout.elements.tolist()
        shape = _shape()
        return HydrogenBondBound(
            _integers([donor.frame for donor in donors]).reshape(-1, 4).T.contiguous(),
            _reals([donor.weight for donor in donors]),
            _reals([0.0 if donor.cone else shape["bond_to_hydrogen"] for donor in donors]),
            _reals([donor.strength for donor in donors]),
            donor_of_atom,
            _integers([acceptor.frame for acceptor in acceptors]).reshape(-1, 4).T.contiguous(),
            _reals([acceptor.weight for acceptor in acceptors]),
            _reals([shape[f"{acceptor.kind}_cosine"] for acceptor in acceptors]),
            _reals([shape[f"{acceptor.kind}_width"] for acceptor in acceptors]),
            _reals([acceptor.strength for acceptor in acceptors]),
            acceptor_of_atom,
            _integers([int(name in ("N", "O", "OXT")) for name in names]),
            _integers([{"N": 0, "O": 1}.get(element, 2) for element in elements]),
        )

    def select(self, bound: tuple[Tensor, ...], neighbours: Neighbours) -> Candidates:
        """Pairs of the list, more than three bonds apart, that can bond."""
        assert isinstance(bound, HydrogenBondBound)
        atoms = max(len(bound.backbone), 1)
        points = neighbours.built_at.reshape(-1, 3)
        gives, takes = (bound.donor_of_atom[:, 0] >= 0), bound.acceptor_of_atom >= 0
        role = (gives.to(torch.uint8) + 2 * takes.to(torch.uint8)).repeat(len(neighbours.built_at))
        first, second = role.index_select(0, neighbours.i), role.index_select(0, neighbours.j)
        polar = ((first & second >> 1 | second & first >> 1) & 1 & ~neighbours.near).nonzero().squeeze(-1)
        ends = neighbours.i[polar], neighbours.j[polar]
        found: list[tuple[Tensor, ...]] = []
        reach = _shape()["switch_off"] + SKIN
        close = (points[ends[0]] - points[ends[1]]).norm(dim=-1) < reach
        for i, j in (ends, ends[::-1]):
            able = (close & (role[i] & role[j] >> 1 & 1).bool()).nonzero().squeeze(-1)
            for hydrogen in (0, 1):
                here = able[bound.donor_of_atom[i[able] % atoms, hydrogen] >= 0]
                protein = neighbours.protein[polar[here]]
                found.append((i[here], j[here], protein, torch.full_like(here, hydrogen)))
        return _candidates(bound, atoms, *(torch.cat(parts) for parts in zip(*found, strict=True)))

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of all candidates."""
        assert isinstance(selected, Candidates)
        pairs = selected.pairs
        if not len(pairs.reach):
            return ()
        shape = _shape()
        squared, bend, tilt = meeting(scene.points.flatten(1), pairs)
        cone = hump((bend - shape["cone_cosine"]) / shape["cone_width"])
        donor = torch.lerp(bend.clamp_min(0.0).square(), cone, selected.turns)
        acceptor = hump((tilt - selected.cosine) / selected.width)
        values = self._well(squared, selected) * selected.strength * donor * acceptor
        return (PairShare(values, pairs.corners[0], pairs.corners[1], selected.protein),)

    def _well(self, squared: Float[Tensor, "bonds"], selected: Candidates) -> Float[Tensor, "bonds"]:
        shape = _shape()
        depth = self.log_depth.to(squared.dtype).exp().index_select(0, selected.depth)
        best = self.log_distance.to(squared.dtype).exp().index_select(0, selected.distance)
        r = (squared + TINY).sqrt()
        near = hump((best - r).clamp_min(0.0) / shape["fading_width"])
        x = (best / torch.maximum(r, best)).square()
        fifth = x * x * x * x * x
        well = near * fifth * (5.0 * x - 6.0)
        return depth * well * switch(squared, shape["switch_on"], shape["switch_off"])


def _candidates(
    bound: HydrogenBondBound, atoms: int, i: Tensor, j: Tensor, protein: Tensor, hydrogen: Tensor
) -> Candidates:
    """What is known of each bond before anything moves."""
    first, second = i % atoms, j % atoms
    a, b = bound.element[first], bound.element[second]
    distance = torch.where((a == 2) | (b == 2), 3, torch.where(a != b, 0, torch.where(a == 1, 1, 2)))
    row, column = bound.donor_of_atom[first, hydrogen], bound.acceptor_of_atom[second]
    reach = bound.donor_reach[row]
    pairs = DirectedPairs.of(
        (i, j),
        (bound.donor_frame[:, row] + (i - first), bound.acceptor_frame[:, column] + (j - second)),
        (bound.donor_weight[row], bound.acceptor_weight[column]),
        reach,
    )
    return Candidates(
        pairs,
        (reach == 0).to(reach.dtype),
        bound.acceptor_cosine[column],
        bound.acceptor_width[column],
        bound.donor_strength[row] * bound.acceptor_strength[column],
        2 - bound.backbone[first] - bound.backbone[second],
        distance,
        protein,
    )


@cache
def _shape() -> dict[str, float]:
    rows = read_table("hydrogen_bonds.csv", TABLES)
    return {row["name"]: float(row["value"]) for row in rows}


def _integers(rows: Sequence[int] | Sequence[tuple[int, ...]]) -> Int[Tensor, "rows *columns"]:
    return torch.tensor(rows, dtype=torch.int64)


def _reals(rows: Sequence[float]) -> Float[Tensor, "rows"]:
    return torch.tensor(rows, dtype=torch.float64)
