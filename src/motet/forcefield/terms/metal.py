"""Metal ions held by oxygen, nitrogen and sulphur of the protein."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...chem import read_table
from ..conditions import Conditions
from ..contacts import TABLES
from ..layout import Layout
from ..neighbours import Neighbours
from ..polar import polar_atoms
from ..scene import Scene
from ..shares import PairShare, Share
from ..sites import near_sites
from ..switch import fade, hump
from ..vectors import TINY, dot, unit
from .term import Term

LIGANDS = {"O": "oxygen_angstrom", "N": "nitrogen_angstrom", "S": "sulphur_angstrom"}
REACH = 4.0  # Å: no bond reaches so far


class MetalBound(NamedTuple):
    """Acceptors of the protein, then ions: `frame` and `weight` are those of `polar.Acceptor`.

    `metal` is the row of the table, -1 for acceptors; `ligand` 0, 1, 2 for oxygen, nitrogen, sulphur, -1 for ions.
    """

    atom: Int[Tensor, "sites"]
    metal: Int[Tensor, "sites"]
    ligand: Int[Tensor, "sites"]
    frame: Int[Tensor, "4 sites"]
    weight: Float[Tensor, "sites"]
    cosine: Float[Tensor, "sites"]
    strength: Float[Tensor, "sites"]
    protein: Int[Tensor, "sites"]
    bonded: Int[Tensor, "bonds"]
    atoms: Int[Tensor, ""]
    proteins: Int[Tensor, ""]


class Ligands(NamedTuple):
    """Acceptors near ions, through all conformations; `site` is the row of the bound."""

    site: Int[Tensor, "pairs"]
    frame: Int[Tensor, "4 pairs"]
    acceptor: Int[Tensor, "pairs"]
    ion: Int[Tensor, "pairs"]
    metal: Int[Tensor, "pairs"]
    best: Float[Tensor, "pairs"]
    free: Float[Tensor, "pairs"]
    protein: Int[Tensor, "pairs"]


class Metal(Term):
    """-depth · distance · angle at the acceptor, multiplied, of each ion with each acceptor near it.

    Distances after Harding (2006). Where the topology does not bond the two, Lennard-Jones spheres would keep
    them apart; the distance's factor takes that repulsion away as the bond forms. Ions stand still, and without a
    row in the table they are obstacles only. Learnable is a depth for each metal.
    """

    name: ClassVar[str] = "metal"
    blank: ClassVar[Mapping[str, float]] = {"best": 1e3}

    def __init__(self) -> None:
        super().__init__()
        self.log_depth = nn.Parameter(torch.tensor([float(row["depth_kcal_mol"]) for row in _metals()]).log())

    def bind(self, layout: Layout, conditions: Conditions) -> MetalBound:
        """Ions of known metals, and the acceptors that may hold them; none where there is no ion."""
        number = {row["element"]: k for k, row in enumerate(_metals())}
        elements, kinds = layout.elements.tolist(), layout.kinds[layout.residue_of_atom]
        ions = [k for k in np.flatnonzero(kinds == "ion").tolist() if elements[k] in number]
        found = polar_atoms(layout, conditions)[1] if ions else []
        found = [one for one in found if elements[one.atom] in LIGANDS]
        atom = torch.tensor([one.atom for one in found] + ions, dtype=torch.int64)
        metal = [-1] * len(found) + [number[elements[k]] for k in ions]
        ligand = [list(LIGANDS).index(elements[one.atom]) for one in found] + [-1] * len(ions)
        frame = [one.frame for one in found] + [(k, k, k, k) for k in ions]
        near = torch.from_numpy(layout.bonds)
        return MetalBound(
            atom,
            torch.tensor(metal, dtype=torch.int64),
            torch.tensor(ligand, dtype=torch.int64),
            torch.tensor(frame, dtype=torch.int64).reshape(-1, 4).T.contiguous(),
            _reals([one.weight for one in found], ions),
            _reals([_shape()[f"{one.kind}_cosine"] for one in found], ions),
            _reals([one.strength for one in found], ions),
            torch.from_numpy(layout.protein_of_atom)[atom],
            near.amin(1) * layout.n_seen + near.amax(1),
            torch.tensor(layout.n_seen),
            torch.tensor(layout.n_proteins),
        )

    def select(self, bound: tuple[Tensor, ...], neighbours: Neighbours) -> Ligands:
        """Acceptors within reach of an ion."""
        assert isinstance(bound, MetalBound)
        points = neighbours.built_at.index_select(1, bound.atom)
        found = near_sites(points, bound.protein, int(bound.proteins), REACH)
        distance = points.new_tensor(_distances())
        # ions are the last rows
        best = distance[bound.metal[found.second], bound.ligand[found.first]]
        found = found.where((bound.ligand[found.first] >= 0) & (bound.metal[found.second] >= 0) & (best > 0))
        first, second = bound.atom[found.first], bound.atom[found.second]
        key = torch.minimum(first, second) * bound.atoms + torch.maximum(first, second)
        shift = found.conformation * bound.atoms
        return Ligands(
            found.first,
            bound.frame[:, found.first] + shift,
            first + shift,
            second + shift,
            bound.metal[found.second],
            distance[bound.metal[found.second], bound.ligand[found.first]],
            (~torch.isin(key, bound.bonded)).to(points.dtype),
            found.protein,
        )

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of ions with acceptors."""
        assert isinstance(bound, MetalBound)
        assert isinstance(selected, Ligands)
        if not len(selected.site):
            return ()
        points, site = scene.points.flatten(1), selected.site
        apart = points.index_select(1, selected.ion) - points.index_select(1, selected.acceptor)
        squared = dot(apart, apart)
        away = (squared + TINY).sqrt() - selected.best
        near = fade(torch.where(away > 0, away / _shape()["fading_outwards"], -away / _shape()["fading_inwards"]))
        p, q, r, s = points.index_select(1, selected.frame.flatten()).unflatten(1, (4, -1)).unbind(1)
        outwards = unit(unit(p - q) + bound.weight[site] * unit(r - s))
        angle = hump((dot(outwards, unit(apart)) - bound.cosine[site]) / _shape()["width"])
        depth = self.log_depth.to(squared.dtype).exp().index_select(0, selected.metal)
        clash = scene.repulsion(selected.acceptor, selected.ion, squared)
        values = -near * (depth * bound.strength[site] * angle + selected.free * clash)
        return (PairShare(values, selected.acceptor, selected.ion, selected.protein),)


def _reals(values: list[float], ions: list[int]) -> Float[Tensor, "sites"]:
    return torch.tensor(values + [0.0] * len(ions), dtype=torch.float64)


def _distances() -> list[list[float]]:
    """Best distance of each metal to oxygen, nitrogen and sulphur, in Å; 0 where it does not bind."""
    return [[float(row[column] or 0.0) for column in LIGANDS.values()] for row in _metals()]


@cache
def _metals() -> list[dict[str, str]]:
    return read_table("metals.csv", TABLES)


@cache
def _shape() -> dict[str, float]:
    return {row["name"]: float(row["value"]) for row in read_table("coordination.csv", TABLES)}
