"""Charges of side chains and chain ends in salt water and in the protein's inside."""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...chem import read_table
from ...units import COULOMB
from ..conditions import Conditions
from ..contacts import TABLES
from ..helix_dipole import end_charges, find_turns
from ..ionisation import ionisable_groups
from ..layout import Layout
from ..neighbours import SKIN, Neighbours
from ..scene import Scene
from ..separation import Pairs, squared_distances
from ..shares import PairShare, Share, SiteShare
from ..sites import near_sites
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
    turn: Int[Tensor, "2 turns"]
    covers: Int[Tensor, "2 3 ends"]
    end: Int[Tensor, "ends"]
    end_residue: Int[Tensor, "ends"]
    end_protein: Int[Tensor, "ends"]


class ChargePairs(NamedTuple):
    """Pairs of charges within reach: as atoms of all conformations, and as rows of `ChargeBound`.

    `dipole` are those of a charge with the end of a helix, which counts through all conformations.
    """

    pairs: Pairs
    first: Int[Tensor, "pairs"]
    second: Int[Tensor, "pairs"]
    protein: Int[Tensor, "pairs"]
    dipole: Pairs
    dipole_charge: Int[Tensor, "dipole_pairs"]
    dipole_end: Int[Tensor, "dipole_pairs"]
    dipole_protein: Int[Tensor, "dipole_pairs"]


class Electrostatics(Term):
    """Debye-Hückel pairs, k q q' exp(-r/λ) / (ε √(r² + a²)), and the cost of burying a charge.

    The dielectric constant goes from the water's, at the temperature, to the inside's as the volume of atoms
    around grows; a charge pays Born's k q² / 2R · (1/ε - 1/ε_water). Each end of a helix counts as half a charge
    (Hol et al. 1978), which comes and goes with the hydrogen bonds that close its turns. Learnable: ε inside, R,
    and the charge of a helix's end.
    """

    name: ClassVar[str] = "electrostatics"

    def __init__(self) -> None:
        super().__init__()
        self.log_inside = nn.Parameter(torch.tensor(_shape()["inside_dielectric"]).log())
        self.log_radius = nn.Parameter(torch.tensor(_shape()["born_radius"]).log())
        self.log_helix_charge = nn.Parameter(torch.tensor(_shape()["helix_charge"]).log())

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
        helices = find_turns(layout)
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
            helices.bond,
            helices.covers,
            helices.atom,
            helices.residue,
            torch.from_numpy(layout.protein_of_residue)[helices.residue],
        )

    def select(self, bound: tuple[Tensor, ...], neighbours: Neighbours) -> ChargePairs:
        """Charges reach further than contacts: pairs of different groups within 20 Å."""
        assert isinstance(bound, ChargeBound)
        points = neighbours.built_at.index_select(1, bound.atom)
        found = near_sites(points, bound.protein, int(bound.proteins), _shape()["switch_off"])
        found = found.where(bound.group[found.first] != bound.group[found.second])
        shift = found.conformation * bound.atoms
        i, j = bound.atom[found.first] + shift, bound.atom[found.second] + shift
        pairs = Pairs.of(i, j, neighbours.built_at.shape[:2].numel(), points.dtype)
        return ChargePairs(pairs, found.first, found.second, found.protein, *_dipole_pairs(bound, neighbours))

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
        shares = [SiteShare(self_energy, bound.residue), self._pairs(scene, buried, bound, selected)]
        if len(selected.dipole_end):
            shares.append(self._dipoles(scene, buried, bound, selected))
        return shares

    def _pairs(
        self, scene: Scene, buried: Float[Tensor, "atoms"], bound: ChargeBound, selected: ChargePairs
    ) -> Share:
        charges = bound.charge.index_select(0, selected.first) * bound.charge.index_select(0, selected.second)
        pairs, reach = selected.pairs, (_shape()["switch_on"], _shape()["switch_off"])
        values = charges * self._unit_charges(scene, buried, bound, pairs, reach)
        return PairShare(values, pairs.i, pairs.j, selected.protein)

    def _dipoles(
        self, scene: Scene, buried: Float[Tensor, "atoms"], bound: ChargeBound, selected: ChargePairs
    ) -> Share:
        size = self.log_helix_charge.to(buried.dtype).exp()
        ends = size * end_charges(
            scene.at(bound.turn), bound.covers, _shape()["turn_closed"], _shape()["turn_fading"]
        )
        charges = bound.charge.index_select(0, selected.dipole_charge)
        charges = charges * ends.flatten().index_select(0, selected.dipole_end)
        pairs, reach = selected.dipole, (_shape()["helix_switch_on"], _shape()["helix_switch_off"])
        values = charges * self._unit_charges(scene, buried, bound, pairs, reach)
        return PairShare(values, pairs.i, pairs.j, selected.dipole_protein)

    def _unit_charges(
        self,
        scene: Scene,
        buried: Float[Tensor, "atoms"],
        bound: ChargeBound,
        pairs: Pairs,
        reach: tuple[float, float],
    ) -> Float[Tensor, "pairs"]:
        """Energy of two elementary charges in the place of each pair, in kcal/mol."""
        squared = squared_distances(scene.points.flatten(1), pairs)
        r = (squared + _shape()["softening"] ** 2).sqrt()
        between = 0.5 * (buried.index_select(0, pairs.i) + buried.index_select(0, pairs.j))
        bare = COULOMB * self._inverse_dielectric(between, bound.water) / r
        return bare * (-bound.screening * r).exp() * switch(squared, *reach)

    def _inverse_dielectric(self, buried: Float[Tensor, "*batch"], water: Tensor) -> Float[Tensor, "*batch"]:
        """1/ε, ε from the water's to the inside's in geometric steps."""
        log_water = water.log()
        return (buried * (log_water - self.log_inside.to(buried.dtype)) - log_water).exp()


def _dipole_pairs(bound: ChargeBound, neighbours: Neighbours) -> tuple[Pairs, Tensor, Tensor, Tensor]:
    """Charges near the CA of residues that may be the end of a helix, but those of the same residue."""
    built = neighbours.built_at
    apart = (built[:, bound.turn[0]] - built[:, bound.turn[1]]).norm(dim=-1)
    closed = torch.nn.functional.pad(apart < _shape()["turn_closed"] + _shape()["turn_fading"] + SKIN, (0, 1))
    able = closed[:, bound.covers.flatten()].unflatten(1, bound.covers.shape).any(2).any(1)
    atom = torch.cat((bound.atom, bound.end))
    protein = torch.cat((bound.protein, bound.end_protein))
    reach = _shape()["helix_switch_off"]
    found = near_sites(built.index_select(1, atom), protein, int(bound.proteins), reach)
    charges = len(bound.atom)
    found = found.where((found.first < charges) & (found.second >= charges))
    end = found.second - charges
    keep = able[found.conformation, end] & (bound.residue[found.first] != bound.end_residue[end])
    found = found.where(keep)
    shift, end = found.conformation * bound.atoms, found.second - charges
    pairs = Pairs.of(bound.atom[found.first] + shift, bound.end[end] + shift, built.shape[:2].numel(), built.dtype)
    return pairs, found.first, found.conformation * len(bound.end) + end, found.protein


def _buried(volume: Float[Tensor, "atoms"]) -> Float[Tensor, "atoms"]:
    """0 in water, 1 inside, with two continuous derivatives, by the volume of atoms around."""
    low, high = _shape()["exposed_volume"], _shape()["buried_volume"]
    t = ((volume - low) / (high - low)).clamp(0.0, 1.0)
    return t * t * t * (10.0 + t * (6.0 * t - 15.0))


@cache
def _shape() -> dict[str, float]:
    rows = read_table("electrostatics.csv", TABLES)
    return {row["name"]: float(row["value"]) for row in rows}
