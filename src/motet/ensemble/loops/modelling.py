"""Loop models: closed backbones, side chains packed on them, energies, the best relaxed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...errors import ConfigError
from ...forcefield import Conditions, ForceField, System
from ...forcefield.packing import repacked
from ...geometry.loops import Building, Gap, Room, TorsionMaps, build_loops
from ...structure import Structure
from ...structure.completion import with_heavy_atoms
from ..minimise import minimise
from .preference import Loops, Preference
from .ranking import colony_scores
from .region import Region
from .settling import Settling, settled
from .statistics import loop_maps, ramachandran_maps

_FAVOURED = 0.98  # share of the density of (φ, ψ)
_CELL = 2.0  # Å, of the grid on which the places that loops reach are counted
_AT_ONCE = 64  # conformations that are packed or scored in one call

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Modelling:
    """Settings of a loop's modelling.

    Args:
        count: Conformations to keep.
        built: Closed backbones made for each one kept; the kept ones are those that fit best.
        settled: Kept conformations, the most preferred, that settle by small moves before side chains are packed.
        relaxed: Conformations of lowest energy whose loop is minimised in the whole force field.
        relax_steps: Steps of that.
        reach: Distance in Å from the loop up to which residues count for the energy.
        seed: Of all random draws.
        building: How backbones are made.
        settling: How they settle.
    """

    count: int = 1000
    built: float = 4.0
    settled: int = 64
    relaxed: int = 64
    relax_steps: int = 40
    reach: float = 8.0
    seed: int = 0
    building: Building = field(default_factory=Building)
    settling: Settling = field(default_factory=Settling)

    def __post_init__(self) -> None:
        if self.count < 1 or self.built < 1 or min(self.settled, self.relaxed) < 0 or self.reach <= 0:
            raise ConfigError("a loop needs count >= 1, built >= 1, settled >= 0, relaxed >= 0 and reach > 0.")


@dataclass(frozen=True, eq=False)
class Backbones:
    """Closed backbones of a loop.

    Args:
        atoms: N, CA, C, O and CB of each residue, in Å.
        heights: -ln of the density of (φ, ψ) of each residue in loops.
        favoured: Which residues lie in the region of the force field's Ramachandran map that holds 98 %.
        room: Least room of each conformation, in Å; below zero atoms overlap.
        score: What the conformations were chosen by; lower is better.
    """

    atoms: Float[Tensor, "conformations residues 5 3"]
    heights: Float[Tensor, "conformations residues"]
    favoured: Bool[Tensor, "conformations residues"]
    room: Float[Tensor, "conformations"]
    score: Float[Tensor, "conformations"]

    def __getitem__(self, which: slice | Int[Tensor, "chosen"]) -> "Backbones":
        """Some of them."""
        return Backbones(*(getattr(self, one.name)[which] for one in fields(self)))


@dataclass(frozen=True, eq=False)
class LoopModels:
    """Conformations of a loop: the relaxed ones, then the others, each by rising score.

    Args:
        structure: The whole protein, `conformations atoms 3`.
        residues: Indices of the loop's residues in it.
        backbones: The loop before it was relaxed.
        terms: Names of the energy terms.
        energies: By term, in kcal/mol, of the loop and what is near it.
        relaxed: Which conformations were relaxed.
        score: What each part is ordered by; comparable within it.
    """

    structure: Structure
    residues: range
    backbones: Backbones
    terms: tuple[str, ...]
    energies: Float[Tensor, "conformations terms"]
    relaxed: Bool[Tensor, "conformations"]
    score: Float[Tensor, "conformations"]


def loop_backbones(region: Region, settings: Modelling) -> Backbones:
    """Closed backbones of a loop, from random closures; the native loop, where there was one, is not looked at.

    Raises:
        LoopError: No conformation has room.
    """
    gap = region.gap()
    maps = loop_maps(region.surrounded, gap.before)
    room = region.room(gap)
    random = torch.Generator(device=gap.before.device).manual_seed(settings.seed)
    wanted = round(settings.count * settings.built)
    built = build_loops(gap, maps, room, wanted, random, settings.building)
    raw = Preference.around(region, gap, maps, built.atoms)
    parts = raw.parts(built.atoms)
    prefer = raw.among(parts)
    score = prefer.total(parts)
    best = score.argsort(stable=True)[: settings.count]
    front, rest = best[: settings.settled], best[settings.settled :]
    loops = settled(gap, room, prefer, built.atoms[front], random, settings.settling)
    order = prefer(loops).argsort(stable=True)
    loops = torch.cat((loops[order], built.atoms[rest]))
    return _described(region, gap, maps, room, loops, torch.cat((prefer(loops[: len(front)]), score[rest])))


def model_loop(
    region: Region,
    settings: Modelling | None = None,
    force_field: ForceField | None = None,
    conditions: Conditions | None = None,
    progress: Progress | None = None,
) -> LoopModels:
    """Conformations of a loop with its side chains, scored by the force field.

    Raises:
        LoopError: No conformation has room.
    """
    settings = settings or Modelling()
    return models_on(region, loop_backbones(region, settings), settings, force_field, conditions, progress)


def models_on(
    region: Region,
    backbones: Backbones,
    settings: Modelling | None = None,
    force_field: ForceField | None = None,
    conditions: Conditions | None = None,
    progress: Progress | None = None,
) -> LoopModels:
    """Side chains packed on given backbones, their energies, and the best relaxed."""
    settings, physics = settings or Modelling(), force_field or ForceField()
    how = conditions or Conditions()
    report = progress or (lambda done, in_all: None)
    bare = region.filled(backbones.atoms)
    near = _near(bare, region, settings.reach)
    local = bare.subset(near[bare.topology.residue_of_atom])
    turning = (np.cumsum(near) - 1)[list(region.residues)].tolist()
    packed, energies, system, count = [], [], None, len(backbones.atoms)
    for some in torch.arange(count).split(_AT_ONCE):
        part = repacked(
            local.with_coords(local.coords[some]), turning, force_field=physics, seed=settings.seed, conditions=how
        )
        system = system or System(physics, part.model(0), how)
        packed.append(part)
        energies.append(_terms(system, part.coords))
        report(int(some[-1]) + 1, count)
    assert system is not None
    local = packed[0].with_coords(torch.cat([one.coords for one in packed]))
    scored = _relaxed(local, turning, system, torch.cat(energies), settings)
    whole = with_heavy_atoms(bare.model(0), _mask(bare.n_residues, region.residues))
    return _models(region, whole, near, scored, backbones, system.names)


class _Scored(NamedTuple):
    """Conformations of the loop and what is near it, with their energies by term."""

    coords: Float[Tensor, "conformations atoms 3"]
    energies: Float[Tensor, "conformations terms"]
    relaxed: Bool[Tensor, "conformations"]


def _described(
    region: Region,
    gap: Gap,
    maps: TorsionMaps,
    room: Room,
    atoms: Loops,
    score: Float[Tensor, "conformations"],
) -> Backbones:
    """Conformations with what is known of them."""
    general = ramachandran_maps(region.surrounded, gap.before)
    torsions = gap.torsions(atoms)
    favoured = general.heights(1, *torsions) <= general.limits(_FAVOURED)[1:-1]
    free = torch.minimum(room.free(atoms, 1).amin((-2, -1)), room.within(atoms, atoms, 1, 1))
    return Backbones(atoms, maps.heights(1, *torsions), favoured, free, score)


def _near(bare: Structure, region: Region, reach: float) -> Bool[np.ndarray, "residues"]:
    """The loop, the residues beside it, and those that come within reach of its Cα and Cβ in some conformation."""
    topology = bare.topology
    loop = _mask(bare.n_residues, region.residues)
    ours = loop[topology.residue_of_atom]
    tips = torch.from_numpy(np.flatnonzero(ours & np.isin(topology.atom_names, ("CA", "CB"))))
    rest = np.flatnonzero(~ours)
    cells = (bare.coords[:, tips].flatten(0, 1) / _CELL).round().unique(dim=0) * _CELL
    distance = torch.cdist(bare.coords[0, torch.from_numpy(rest)], cells).amin(-1)
    near = _mask(bare.n_residues, range(region.before, region.before + len(region.names) + 2))
    near[topology.residue_of_atom[rest[(distance < reach + _CELL).numpy()]]] = True
    return near


def _mask(size: int, index: Sequence[int]) -> Bool[np.ndarray, "size"]:
    mask = np.zeros(size, dtype=bool)
    mask[list(index)] = True
    return mask


@torch.no_grad()
def _terms(system: System, coords: Tensor) -> Float[Tensor, "conformations terms"]:
    system.forget()
    return system.terms(coords)


def _relaxed(
    local: Structure,
    loop: Sequence[int],
    system: System,
    energies: Float[Tensor, "conformations terms"],
    settings: Modelling,
) -> _Scored:
    """The loops of lowest energy minimised among everything else as it is."""
    coords, relaxed = local.coords.clone(), torch.zeros(len(energies), dtype=torch.bool)
    best = energies.sum(-1).argsort(stable=True)[: settings.relaxed]
    if len(best):
        moves = torch.from_numpy(_mask(local.n_residues, loop)[local.topology.residue_of_atom]) & system.mobile
        system.forget()
        end = minimise(system, coords[best], mobile=moves, max_steps=settings.relax_steps, tolerance=0.5)
        coords[best], relaxed[best] = end.coords, True
        energies[best] = _terms(system, end.coords)
    return _Scored(coords, energies, relaxed)


def _models(
    region: Region,
    whole: Structure,
    near: Bool[np.ndarray, "residues"],
    scored: _Scored,
    backbones: Backbones,
    terms: tuple[str, ...],
) -> LoopModels:
    """The loops put back into the whole structure, in their order."""
    score = _scores(region, backbones.atoms, scored)
    by_score = score.argsort(stable=True)
    order = by_score[(~scored.relaxed[by_score]).long().argsort(stable=True)]
    inside = torch.from_numpy(np.flatnonzero(near[whole.topology.residue_of_atom]))
    assert len(inside) == scored.coords.shape[1], "both have the same atoms in the same order"
    coords = whole.coords.repeat(len(order), 1, 1)
    coords[:, inside] = scored.coords[order].to(coords)
    structure = whole.with_coords(coords)
    energies, relaxed = scored.energies[order], scored.relaxed[order]
    return LoopModels(structure, region.residues, backbones[order], terms, energies, relaxed, score[order])


def _scores(region: Region, atoms: Loops, scored: _Scored) -> Float[Tensor, "conformations"]:
    """Of the relaxed ones among themselves, and of the others."""
    gap = region.gap()
    prefer = Preference.around(region, gap, loop_maps(region.surrounded, gap.before), atoms)
    neighbours, total = prefer.parts(atoms)[:, 1], scored.energies.sum(-1).to(atoms)
    score = torch.zeros_like(total)
    for part in (scored.relaxed, ~scored.relaxed):
        score[part] = colony_scores(total[part], neighbours[part], atoms[part][:, :, :4].flatten(1, 2))
    return score
