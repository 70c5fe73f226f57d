"""Charges of side chains and chain ends in salt water and in the protein's inside."""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad

from ...chem import read_table
from ...units import COULOMB
from ..conditions import Conditions
from ..contacts import TABLES
from ..filling import Room
from ..helix_dipole import end_charges, find_turns
from ..ionisation import ionisable_groups
from ..layout import Layout
from ..neighbours import SKIN, Neighbours
from ..scene import Scene
from ..screened import screened_charges
from ..separation import Pairs, squared_distances
from ..shares import PairShare, Share, SiteShare
from ..sites import near_sites
from ..switch import quintic
from ..water import debye_length, dielectric
from .term import Term

CHARGES, HELIX_ENDS = "", "helix_"  # how the table's names of their reach begin


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
    """Pairs of charges within reach, then of a charge with the end of a helix, as atoms of all conformations.

    Args:
        pairs: The two atoms.
        charges: Product of the two charges, in e²; of the latter pairs the one charge, in e.
        end: The helix's end in each of the latter pairs, counted through all conformations.
        switch: Squared distance in Å² at which each pair begins to fade, and how far it is from there to nothing.
        protein: As in `Neighbours`.
    """

    pairs: Pairs
    charges: Float[Tensor, "pairs"]
    end: Int[Tensor, "dipole_pairs"]
    switch: Float[Tensor, "2 pairs"]
    protein: Int[Tensor, "pairs"]


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
        built = neighbours.built_at
        found = near_sites(
            built.index_select(1, bound.atom), bound.protein, int(bound.proteins), _reach(CHARGES)[1]
        )
        found = found.where(bound.group[found.first] != bound.group[found.second])
        shift = found.conformation * bound.atoms
        ends = _dipole_pairs(bound, neighbours)
        i, j = (
            torch.cat((bound.atom[found.first] + shift, ends.charge_atom)),
            torch.cat((bound.atom[found.second] + shift, ends.end_atom)),
        )
        fading = [
            built.new_tensor((on**2, off**2 - on**2))[:, None].expand(-1, count)
            for (on, off), count in ((_reach(CHARGES), len(shift)), (_reach(HELIX_ENDS), len(ends.end)))
        ]
        return ChargePairs(
            Pairs.of(i, j, built.shape[:2].numel(), built.dtype),
            torch.cat((bound.charge[found.first] * bound.charge[found.second], bound.charge[ends.charge])),
            ends.end,
            torch.cat(fading, dim=1).contiguous(),
            torch.cat((found.protein, ends.protein)),
        )

    def fill(self, selected: tuple[Any, ...], room: Room) -> ChargePairs:
        """Either kind of pairs is followed by some without charge."""
        assert isinstance(selected, ChargePairs)
        counts = len(selected.charges) - len(selected.end), len(selected.end)
        more = [room(f"{self.name} {kind}", count) - count for kind, count in enumerate(counts)]

        def both(values: Tensor, blank: float = 0.0) -> Tensor:
            parts = zip(values.split(counts, dim=-1), more, strict=True)
            return torch.cat([pad(part, (0, rows), value=blank) for part, rows in parts], dim=-1)

        return ChargePairs(
            Pairs(both(selected.pairs.i), both(selected.pairs.j)),
            both(selected.charges),
            pad(selected.end, (0, more[1])),
            both(selected.switch, 1.0),
            both(selected.protein),
        )

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of charged pairs, and of each charge by itself."""
        assert isinstance(bound, ChargeBound)
        assert isinstance(selected, ChargePairs)
        if not len(bound.atom):
            return ()
        buried = _buried(scene.burial)
        alone = buried.reshape(scene.conformations, scene.atoms).index_select(1, bound.atom)
        born = 0.5 * COULOMB / self.log_radius.to(alone.dtype).exp() * bound.amount
        self_energy = born * (self._inverse_dielectric(alone, bound.water) - 1.0 / bound.water)
        return SiteShare(self_energy, bound.residue), self._pairs(scene, buried, bound, selected)

    def _pairs(
        self, scene: Scene, buried: Float[Tensor, "atoms"], bound: ChargeBound, selected: ChargePairs
    ) -> Share:
        pairs, dtype = selected.pairs, buried.dtype
        squared = squared_distances(scene.points.flatten(1), pairs)
        between = 0.5 * (buried.index_select(0, pairs.i) + buried.index_select(0, pairs.j))
        constants = bound.water.log(), self.log_inside.to(dtype), bound.screening, _shape()["softening"]
        fading = quintic((squared - selected.switch[0]) / selected.switch[1])
        charges = selected.charges
        if len(selected.end):
            ends = end_charges(
                scene.at(bound.turn), bound.covers, _shape()["turn_closed"], _shape()["turn_fading"]
            )
            ends = self.log_helix_charge.to(dtype).exp() * ends.flatten().index_select(0, selected.end)
            whole = len(charges) - len(ends)
            charges = torch.cat((charges[:whole], charges[whole:] * ends))
        values = charges * screened_charges(squared, between, *constants) * fading
        return PairShare(values, pairs.i, pairs.j, selected.protein)

    def _inverse_dielectric(self, buried: Float[Tensor, "*batch"], water: Tensor) -> Float[Tensor, "*batch"]:
        """1/ε, ε from the water's to the inside's in geometric steps."""
        log_water = water.log()
        return (buried * (log_water - self.log_inside.to(buried.dtype)) - log_water).exp()


class _EndPairs(NamedTuple):
    """Charges near the ends of helices: row and atom of the charge, number and atom of the end."""

    charge: Int[Tensor, "pairs"]
    charge_atom: Int[Tensor, "pairs"]
    end: Int[Tensor, "pairs"]
    end_atom: Int[Tensor, "pairs"]
    protein: Int[Tensor, "pairs"]


def _dipole_pairs(bound: ChargeBound, neighbours: Neighbours) -> _EndPairs:
    """Charges near the CA of residues that may be the end of a helix, but those of the same residue."""
    built = neighbours.built_at
    apart = (built[:, bound.turn[0]] - built[:, bound.turn[1]]).norm(dim=-1)
    closed = pad(apart < _shape()["turn_closed"] + _shape()["turn_fading"] + SKIN, (0, 1))
    able = closed[:, bound.covers.flatten()].unflatten(1, bound.covers.shape).any(2).any(1)
    atom = torch.cat((bound.atom, bound.end))
    protein = torch.cat((bound.protein, bound.end_protein))
    found = near_sites(built.index_select(1, atom), protein, int(bound.proteins), _reach(HELIX_ENDS)[1])
    charges = len(bound.atom)
    found = found.where((found.first < charges) & (found.second >= charges))
    end = found.second - charges
    keep = able[found.conformation, end] & (bound.residue[found.first] != bound.end_residue[end])
    found = found.where(keep)
    shift, end = found.conformation * bound.atoms, found.second - charges
    return _EndPairs(
        found.first,
        bound.atom[found.first] + shift,
        found.conformation * len(bound.end) + end,
        bound.end[end] + shift,
        found.protein,
    )


def _reach(kind: str) -> tuple[float, float]:
    """From where to where a pair fades, in Å."""
    return _shape()[f"{kind}switch_on"], _shape()[f"{kind}switch_off"]


def _buried(volume: Float[Tensor, "atoms"]) -> Float[Tensor, "atoms"]:
    """0 in water, 1 inside, with two continuous derivatives, by the volume of atoms around."""
    low, high = _shape()["exposed_volume"], _shape()["buried_volume"]
    return 1.0 - quintic((volume - low) / (high - low))


@cache
def _shape() -> dict[str, float]:
    rows = read_table("electrostatics.csv", TABLES)
    return {row["name"]: float(row["value"]) for row in rows}
