"""Water between two polar atoms, where there is room for one."""

from collections.abc import Sequence
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
from ..neighbours import Neighbours
from ..polar import outward_frames
from ..scene import Scene
from ..shares import PairShare, Share
from ..sites import near_sites
from ..switch import hump
from ..vectors import TINY
from .term import Term

BACKBONE = ("N", "O", "OXT")


class WaterBound(NamedTuple):
    """Polar atoms, which point along unit(p - q) + weight · unit(r - s)."""

    atom: Int[Tensor, "sites"]
    frame: Int[Tensor, "4 sites"]
    weight: Float[Tensor, "sites"]
    backbone: Int[Tensor, "sites"]
    residue: Int[Tensor, "sites"]
    protein: Int[Tensor, "sites"]
    atoms: Int[Tensor, ""]
    proteins: Int[Tensor, ""]


class Bridges(NamedTuple):
    """Polar atoms about as far apart as a water between them asks for, through all conformations."""

    pairs: DirectedPairs
    protein: Int[Tensor, "pairs"]


class WaterBridge(Term):
    """-depth · distance · both angles · 4 m (1 - m), multiplied, of two polar atoms with room for water between.

    m is the mean burial of the two: in the open any water does as well, deep inside there is none. One of the two
    belongs to a side chain, and they are at least two residues apart. Learnable is the depth.
    """

    name: ClassVar[str] = "water_bridge"

    def __init__(self) -> None:
        super().__init__()
        self.log_depth = nn.Parameter(torch.tensor(_shape()["depth"]).log())

    def bind(self, layout: Layout, conditions: Conditions) -> WaterBound:
        """Donors and acceptors of the protein."""
        frames = outward_frames(layout)
        atom = torch.tensor([one[0][0] for one in frames], dtype=torch.int64)
        residue = torch.from_numpy(layout.residue_of_atom)[atom]
        names = layout.names.tolist()
        return WaterBound(
            atom,
            torch.tensor([frame for frame, _ in frames], dtype=torch.int64).reshape(-1, 4).T.contiguous(),
            torch.tensor([weight for _, weight in frames], dtype=torch.float64),
            torch.tensor([int(names[frame[0]] in BACKBONE) for frame, _ in frames], dtype=torch.int64),
            residue,
            torch.from_numpy(layout.protein_of_residue)[residue],
            torch.tensor(layout.n_seen),
            torch.tensor(layout.n_proteins),
        )

    def select(self, bound: tuple[Tensor, ...], neighbours: Neighbours) -> Bridges:
        """Pairs of polar atoms of which one is a side chain's."""
        assert isinstance(bound, WaterBound)
        points = neighbours.built_at.index_select(1, bound.atom)
        reach = _shape()["bridging_distance"] + _shape()["bridging_width"]
        found = near_sites(points, bound.protein, int(bound.proteins), reach)
        apart = (bound.residue[found.first] - bound.residue[found.second]).abs() > 1
        found = found.where(apart & (bound.backbone[found.first] + bound.backbone[found.second] < 2))
        shift = found.conformation * bound.atoms
        ends = found.first, found.second
        pairs = DirectedPairs.of(
            (bound.atom[ends[0]] + shift, bound.atom[ends[1]] + shift),
            (bound.frame[:, ends[0]] + shift, bound.frame[:, ends[1]] + shift),
            (bound.weight[ends[0]], bound.weight[ends[1]]),
            points.new_zeros(len(shift)),
        )
        return Bridges(pairs, found.protein)

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of the bridges."""
        assert isinstance(selected, Bridges)
        pairs = selected.pairs
        if not len(pairs.reach):
            return ()
        shape = _shape()
        squared, *cosines = meeting(scene.points.flatten(1), pairs)
        angles = hump((torch.stack(cosines) - shape["cosine"]) / shape["width"]).prod(0)
        window = hump(((squared + TINY).sqrt() - shape["bridging_distance"]) / shape["bridging_width"])
        ends = pairs.corners[:2]
        buried = scene.buried.flatten().index_select(0, ends.flatten()).unflatten(0, (2, -1)).mean(0)
        depth = self.log_depth.to(squared.dtype).exp()
        values = -depth * window * angles * 4.0 * buried * (1.0 - buried)
        return (PairShare(values, ends[0], ends[1], selected.protein),)


@cache
def _shape() -> dict[str, float]:
    return {row["name"]: float(row["value"]) for row in read_table("water_bridges.csv", TABLES)}
