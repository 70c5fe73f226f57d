"""Halves of a loop joined by tripeptide closure: closed conformations by the thousand."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...errors import LoopError
from .closure import list_closures
from .gap import Gap
from .growth import Half, Spread, grow_backward, grow_forward
from .room import OVERLAP, Room
from .torsion_maps import TorsionMaps

JOINT = 3  # residues that close the loop
STEP = 3.85  # Å from one CA to the next, at most
FEWEST, PATIENCE = 20, 5  # conformations, below which a tight loop gets so many times more rounds


@dataclass(frozen=True, kw_only=True)
class Building:
    """How closed conformations are made.

    Args:
        chains: Conformations of each half; all pairs of them may be joined.
        closures: Pairs that are tried at once. More make loops cheaper, but of the same halves: a third less time
            for three times as many, and the best of thousands 0.3 Å farther from the native.
        reach: Distance in Å (root of the squared ones of CA and C) within which two halves must meet; the next one
            is taken where too few pairs do.
        rounds: Rounds with new halves before giving up, when too few conformations have been found; five times as
            many while there are not even twenty.
        favoured: Share of each residue's (φ, ψ) density within which the joining residues must lie.
        spread: How far angles may be from ideal.
    """

    chains: int = 5000
    closures: int = 12000
    reach: tuple[float, ...] = (2.0, 2.75, 3.5)
    rounds: int = 40
    favoured: float = 0.98
    spread: Spread = field(default_factory=Spread)


@dataclass(frozen=True, eq=False)
class Built:
    """Closed conformations.

    Args:
        atoms: N, CA, C, O and CB of the loop's residues, in Å.
        heights: -ln of the density of (φ, ψ) of each residue.
        room: Least room of the conformation, in Å: negative where atoms overlap.
    """

    atoms: Float[Tensor, "conformations residues 5 3"]
    heights: Float[Tensor, "conformations residues"]
    room: Float[Tensor, "conformations"]


def build_loops(
    gap: Gap,
    maps: TorsionMaps,
    room: Room,
    count: int,
    random: torch.Generator,
    how: Building | None = None,
) -> Built:
    """At least `count` closed conformations from nothing: random halves, grown by the density of their torsions.

    Three residues join them, at a place that changes from round to round. Every conformation is free of clashes
    and has its joining residues in the favoured regions.

    Raises:
        LoopError: The loop is shorter than three residues, its ends are too far apart, or it finds no room.
    """
    how = how or Building()
    if gap.length < JOINT:
        raise LoopError(gap.length, "three residues are the least that can close")
    if (apart := float((gap.after[1] - gap.before[1]).norm())) > STEP * (gap.length + 1):
        raise LoopError(gap.length, f"its ends are {apart:.1f} Å apart")
    found: list[Built] = []
    middle = (gap.length - JOINT) // 2
    places = sorted({min(max(middle + off, 0), gap.length - JOINT) for off in (-1, 0, 1)})
    for index in range(PATIENCE * how.rounds):
        first = places[index % len(places)]
        ahead = grow_forward(gap, maps, room, first + JOINT, how.chains, random, how.spread)
        behind = gap.length - JOINT - first
        back = grow_backward(gap, maps, room, behind, how.chains, random, how.spread)
        found.append(_joined(gap, maps, room, ahead, back, random, how))
        closed = sum(len(one.atoms) for one in found)
        if closed >= count or (index + 1 >= how.rounds and closed >= FEWEST):
            break
    built = Built(*(torch.cat([getattr(one, name) for one in found]) for name in ("atoms", "heights", "room")))
    if not len(built.atoms):
        raise LoopError(gap.length, "no conformation without clashes was found")
    return built


def _joined(
    gap: Gap, maps: TorsionMaps, room: Room, ahead: Half, back: Half, random: torch.Generator, how: Building
) -> Built:
    before = ahead.atoms.shape[1] - JOINT
    first = before + 1  # of the joining residues
    i, j = _pairs(ahead, back, how, random)
    closed = list_closures(*_problems(gap, first, ahead.atoms[i, before, :2], back.tip[j], random, how.spread))
    i, j = i[closed.problem], j[closed.problem]
    joint = _joint(gap, first, closed.coords, back, j)
    keep = (room.free(joint, first).amin((-2, -1)) > -OVERLAP).nonzero().squeeze(-1)
    i, j = i[keep], j[keep]
    atoms = torch.cat((ahead.atoms[i, :before], joint[keep], back.atoms[j]), dim=1)
    phi, psi = gap.torsions(atoms)
    heights = maps.heights(1, phi, psi)
    limits = maps.limits(how.favoured)
    middle = slice(first - 1, first - 1 + JOINT)
    good = (heights[:, middle] <= limits[first : first + JOINT]).all(-1).nonzero().squeeze(-1)
    atoms, heights = atoms[good], heights[good]
    least = room.within(atoms, atoms, 1, 1)
    fits = (least > -OVERLAP).nonzero().squeeze(-1)
    atoms = atoms[fits]
    free = room.free(atoms, 1).amin((-2, -1))
    return Built(atoms, heights[fits], torch.minimum(free, least[fits]))


def _pairs(
    ahead: Half, back: Half, how: Building, random: torch.Generator
) -> tuple[Int[Tensor, "pairs"], Int[Tensor, "pairs"]]:
    """Random pairs of halves that nearly meet: the last CA and C of one, and those before the other."""
    ends = ahead.atoms[:, -1, 1:3].flatten(1).float(), back.tip[:, :2].flatten(1).float()
    distance = torch.cdist(*ends)  # which pairs are tried is no matter of many digits
    i = j = torch.zeros(0, dtype=torch.long)
    for reach in how.reach:
        i, j = (distance < reach).nonzero(as_tuple=True)
        if len(i) >= how.closures:
            break
    if len(i) > how.closures:
        some = torch.randint(len(i), (how.closures,), generator=random, device=i.device)
        i, j = i[some], j[some]
    return i, j


def _problems(
    gap: Gap,
    first: int,
    start: Float[Tensor, "pairs 2 3"],
    end: Float[Tensor, "pairs 3 3"],
    random: torch.Generator,
    spread: Spread,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The closures of residues `first` and the two after it, with angles about ideal."""
    lengths, angles = gap.lengths, gap.angles
    a, b, c = first, first + 1, first + 2
    count = len(start)

    def noise(size: int, deviation: float) -> Tensor:
        return deviation * torch.randn(count, size, generator=random, dtype=start.dtype, device=start.device)

    straight = torch.stack(
        [lengths[a, 2], lengths[b, 0], lengths[b, 1], lengths[b, 2], lengths[c, 0], lengths[c, 1]]
    )
    ideal = torch.stack(
        [angles[a, 2], angles[b, 0], angles[b, 1], angles[b, 2], angles[c, 0], angles[c, 1], angles[c, 2]]
    )
    bent = ideal.repeat(count, 1)
    bent[:, (0, 3, 6)] += noise(3, spread.bend)
    omegas = math.pi + noise(2, spread.twist)
    return straight.expand(count, -1), bent, omegas, torch.cat((start, end[:, :2]), dim=1)


def _joint(
    gap: Gap,
    first: int,
    coords: Float[Tensor, "closures 9 3"],
    back: Half,
    j: Int[Tensor, "closures"],
) -> Float[Tensor, "closures 3 5 3"]:
    """N, CA, C, O and CB of the joining residues."""
    trace = coords.unflatten(1, (3, 3))
    n, ca, c = trace.unbind(2)
    oxygens = [gap.oxygen(first + k, ca[:, k], c[:, k], n[:, k + 1]) for k in range(2)]
    oxygen = torch.stack((*oxygens, back.tip[j, 2]), dim=1)
    return torch.stack((n, ca, c, oxygen, gap.beta(n, ca, c)), dim=2)
