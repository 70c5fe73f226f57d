"""Charges of side chains and chain ends in salt water and in the protein's inside."""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...chem import read_table
from ...geometry import neighbour_pairs
from ...units import COULOMB
from ..conditions import Conditions
from ..contacts import TABLES
from ..ionisation import ionisable_groups
from ..layout import Layout
from ..neighbours import SKIN, Neighbours
from ..scene import Scene
from ..separation import Pairs, squared_distances
from ..shares import PairShare, Share, SiteShare
from ..switch import switch
from ..water import debye_length, dielectric
from .term import Term


class ChargeBound(NamedTuple):
    """Atoms that carry charge."""

    atom: Int[Tensor, "charges"]
    charge: Float[Tensor, "charges"]
    amount: Float[Tensor, "charges"]
    group: Int[Tensor, "charges"]
    residue: Int[Tensor, "charges"]
    protein: Int[Tensor, "charges"]
    water: Float[Tensor, ""]
    screening: Float[Tensor, ""]
    atoms: Int[Tensor, ""]
    proteins: Int[Tensor, ""]


class ChargePairs(NamedTuple):
    """Pairs of charges within reach: as atoms of all conformations, and as rows of `ChargeBound`."""

    pairs: Pairs
    first: Int[Tensor, "pairs"]
    second: Int[Tensor, "pairs"]
    protein: Int[Tensor, "pairs"]


class Electrostatics(Term):
    """Debye-Hückel pairs, k q q' exp(-r/λ) / (ε √(r² + a²)), and the cost of burying a charge.

    The dielectric constant goes from the water's, at the temperature, to the inside's as the volume of atoms
    around grows; a charge pays Born's k q² / 2R · (1/ε - 1/ε_water). Learnable: ε inside and R.
    """

    name: ClassVar[str] = "electrostatics"

    def __init__(self) -> None:
        super().__init__()
        self.log_inside = nn.Parameter(torch.tensor(_shape()["inside_dielectric"]).log())
        self.log_radius = nn.Parameter(torch.tensor(_shape()["born_radius"]).log())

    def bind(self, layout: Layout, conditions: Conditions) -> ChargeBound:
        """Charges at the pH, water and salt at the temperature."""
        rows = [
            (atom, group.charge / len(group.atoms), group.fraction / len(group.atoms), number, group.residue)
            for number, group in enumerate(ionisable_groups(layout, conditions))
            for atom in group.atoms
        ]
        atom, charge, amount, group, residue = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        residues = torch.tensor(residue, dtype=torch.int64)
        water = dielectric(conditions.temperature)
        return ChargeBound(
            torch.tensor(atom, dtype=torch.int64),
            torch.tensor(charge, dtype=torch.float64),
            torch.tensor(amount, dtype=torch.float64),
            torch.tensor(group, dtype=torch.int64),
            residues,
            torch.from_numpy(layout.protein_of_residue)[residues],
            torch.tensor(water, dtype=torch.float64),
            torch.tensor(
                1.0 / debye_length(conditions.temperature, conditions.ionic_strength), dtype=torch.float64
            ),
            torch.tensor(layout.n_seen),
            torch.tensor(layout.n_proteins),
        )

    def select(self, bound: tuple[Tensor, ...], neighbours: Neighbours) -> ChargePairs:
        """Charges reach further than contacts: pairs of different groups within 20 Å."""
        assert isinstance(bound, ChargeBound)
        points = neighbours.built_at.index_select(1, bound.atom)
        conformations, charges = points.shape[:2]
        start = torch.arange(conformations, device=points.device)[:, None]
        protein = (start * bound.proteins + bound.protein).flatten()
        i, j = neighbour_pairs(points.reshape(-1, 3), _shape()["switch_off"] + SKIN, protein)
        first, second = i % max(charges, 1), j % max(charges, 1)
        other = (bound.group[first] != bound.group[second]).nonzero().squeeze(-1)
        i, j, first, second = i[other], j[other], first[other], second[other]
        pair, shift = i, i // max(charges, 1) * bound.atoms
        i, j = bound.atom[first] + shift, bound.atom[second] + shift
        pairs = Pairs.of(i, j, neighbours.built_at.shape[:2].numel(), points.dtype)
        return ChargePairs(pairs, first, second, protein[pair])

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of charged pairs, and of each charge by itself."""
        assert isinstance(bound, ChargeBound)
        assert isinstance(selected, ChargePairs)
        if not len(bound.atom):
            return ()
        buried = _buried(scene.burial)
        alone = buried.reshape(scene.conformations, -1).index_select(1, bound.atom)
        born = 0.5 * COULOMB / self.log_radius.to(alone.dtype).exp() * bound.amount
        self_energy = born * (self._inverse_dielectric(alone, bound.water) - 1.0 / bound.water)
        return SiteShare(self_energy, bound.residue), self._pairs(scene, buried, bound, selected)

    def _pairs(
        self, scene: Scene, buried: Float[Tensor, "atoms"], bound: ChargeBound, selected: ChargePairs
    ) -> Share:
        shape, i, j = _shape(), selected.pairs.i, selected.pairs.j
        squared = squared_distances(scene.points.flatten(1), selected.pairs)
        r = (squared + shape["softening"] ** 2).sqrt()
        between = 0.5 * (buried.index_select(0, i) + buried.index_select(0, j))
        charges = bound.charge.index_select(0, selected.first) * bound.charge.index_select(0, selected.second)
        bare = COULOMB * charges * self._inverse_dielectric(between, bound.water) / r
        values = bare * (-bound.screening * r).exp() * switch(squared, shape["switch_on"], shape["switch_off"])
        return PairShare(values, i, j, selected.protein)

    def _inverse_dielectric(self, buried: Float[Tensor, "*batch"], water: Tensor) -> Float[Tensor, "*batch"]:
        """1/ε, ε from the water's to the inside's in geometric steps."""
        log_water = water.log()
        return (buried * (log_water - self.log_inside.to(buried.dtype)) - log_water).exp()


def _buried(volume: Float[Tensor, "atoms"]) -> Float[Tensor, "atoms"]:
    """0 in water, 1 inside, with two continuous derivatives, by the volume of atoms around."""
    low, high = _shape()["exposed_volume"], _shape()["buried_volume"]
    t = ((volume - low) / (high - low)).clamp(0.0, 1.0)
    return t * t * t * (10.0 + t * (6.0 * t - 15.0))


@cache
def _shape() -> dict[str, float]:
    rows = read_table("electrostatics.csv", TABLES)
    return {row["name"]: float(row["value"]) for row in rows}
