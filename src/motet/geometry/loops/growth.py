"""The two halves of a loop, grown from its fixed ends residue by residue, where there is room."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...errors import LoopError
from ...structure.placement import place
from .gap import Gap
from .room import OVERLAP, Room
from .torsion_maps import TorsionMaps

_TRIES = 6  # torsions drawn for each residue of each chain, of which one that fits is taken
_LONGEST_PERIOD = 3.8  # Å, from one CA to the next
_EASY_PERIOD = 2.5  # Å, that chains span per residue without being stretched
_MEETING = 3.0  # Å: how far apart the ends of two halves may be that closure is to join
_STRETCH = 2.0  # Å: how much farther than easy a tip may be before it is passed over


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far lengths and angles of a grown backbone may be from ideal: standard deviations, in rad.

    Args:
        bend: Of N-CA-C, the softest angle of the backbone.
        twist: Of ω about 180°.
    """

    bend: float = math.radians(2.5)
    twist: float = math.radians(5.0)


@dataclass(frozen=True, eq=False)
class Half:
    """One half of a loop in many conformations.

    Args:
        atoms: N, CA, C, O and CB of the residues that are whole, in Å.
        tip: The two atoms beyond them: N and CA of the next residue, or CA and C of the one before (and its O).
    """

    atoms: Float[Tensor, "chains residues 5 3"]
    tip: Float[Tensor, "chains tip 3"]


def grow_forward(
    gap: Gap, maps: TorsionMaps, room: Room, residues: int, chains: int, random: torch.Generator, spread: Spread
) -> Half:
    """Residues 1 to `residues`, and N and CA of the next one.

    Raises:
        LoopError: No chain found room.
    """
    omega = _about(math.pi, spread.twist, (chains, _TRIES), gap.before, random)
    n = gap.first_nitrogen.expand(chains, _TRIES, 3)
    ca = place(gap.before[1], gap.before[2], n, gap.lengths[1, 1], gap.angles[1, 1], omega)
    built, frame = ca.new_zeros(chains, 0, 5, 3), (gap.before[2].expand(chains, 3), n[:, 0], ca[:, 0])
    for residue in range(1, residues + 1):
        c_before, n, ca = (x[:, None].expand(-1, _TRIES, -1) for x in frame)
        phi, psi = maps.draw(residue, (chains, _TRIES), random)
        bend = _about(gap.angles[residue, 2], spread.bend, phi.shape, gap.before, random)
        omega = _about(math.pi, spread.twist, phi.shape, gap.before, random)
        c = place(c_before, n, ca, gap.lengths[residue, 2], bend, phi)
        n_next = place(n, ca, c, gap.lengths[residue + 1, 0], gap.angles[residue + 1, 0], psi)
        ca_next = place(ca, c, n_next, gap.lengths[residue + 1, 1], gap.angles[residue + 1, 1], omega)
        new = torch.stack((n, ca, c, gap.oxygen(residue, ca, c, n_next), gap.beta(n, ca, c)), dim=-2)
        # Steps from the next CA to the one after the loop.
        ahead = _promise(gap, (ca_next - gap.after[1]).norm(dim=-1), gap.length - residue)
        chosen, kept = _chosen(room, built, new, residue, 1, ahead, random)
        new, n_next, ca_next, c = (x[kept, chosen] for x in (new, n_next, ca_next, c))
        built = torch.cat((built[kept], new[:, None]), dim=1)
        frame = (c, n_next, ca_next)
    return Half(built, torch.stack(frame[1:], dim=1))


def grow_backward(
    gap: Gap, maps: TorsionMaps, room: Room, residues: int, chains: int, random: torch.Generator, spread: Spread
) -> Half:
    """The last `residues` residues, and CA, C and O of the one before them.

    Raises:
        LoopError: No chain found room.
    """
    last = gap.length
    n_after, ca_after, c_after = gap.after
    phi = maps.draw_phi(last + 1, gap.psi_after, (chains,), random)
    omega = _about(math.pi, spread.twist, phi.shape, gap.before, random)
    c = place(c_after, ca_after, n_after, gap.lengths[last + 1, 0], gap.angles[last + 1, 1], phi)
    ca = place(ca_after, n_after, c, gap.lengths[last, 2], gap.angles[last + 1, 0], omega)
    built, n_next = ca.new_zeros(chains, 0, 5, 3), n_after.expand(chains, 3)
    for residue in range(last, last - residues, -1):
        n_next, c, ca = (x[:, None].expand(-1, _TRIES, -1) for x in (n_next, c, ca))
        phi, psi = maps.draw(residue, (chains, _TRIES), random)
        bend = _about(gap.angles[residue, 2], spread.bend, phi.shape, gap.before, random)
        omega = _about(math.pi, spread.twist, phi.shape, gap.before, random)
        n = place(n_next, c, ca, gap.lengths[residue, 1], bend, psi)
        c_before = place(c, ca, n, gap.lengths[residue, 0], gap.angles[residue, 1], phi)
        ca_before = place(ca, n, c_before, gap.lengths[residue - 1, 2], gap.angles[residue, 0], omega)
        new = torch.stack((n, ca, c, gap.oxygen(residue, ca, c, n_next), gap.beta(n, ca, c)), dim=-2)
        ahead = _promise(gap, (ca_before - gap.before[1]).norm(dim=-1), residue - 1)
        chosen, kept = _chosen(room, built, new, residue, residue + 1, ahead, random)
        new, n_next, c, ca = (x[kept, chosen] for x in (new, n, c_before, ca_before))
        built = torch.cat((new[:, None], built[kept]), dim=1)
    joint = last - residues
    return Half(built, torch.stack((ca, c, gap.oxygen(joint, ca, c, n_next)), dim=1))


def _about(
    middle: float | Tensor, deviation: float, shape: tuple[int, ...], like: Tensor, random: torch.Generator
) -> Tensor:
    return middle + deviation * torch.randn(shape, generator=random, dtype=like.dtype, device=like.device)


def _promise(gap: Gap, distance: Float[Tensor, "*batch"], steps: int) -> Float[Tensor, "*batch"]:
    """Logarithm of the weight of a tip this far from the other end: less where the chain would be stretched."""
    whole = (gap.after[1] - gap.before[1]).norm() / (gap.length + 1)
    excess = (distance - steps * whole.clamp_min(_EASY_PERIOD)).clamp_min(0)
    reachable = distance < _LONGEST_PERIOD * steps + _MEETING
    return torch.where(reachable, -0.5 * (excess / _STRETCH).square(), -torch.inf)


def _chosen(
    room: Room,
    built: Float[Tensor, "chains residues 5 3"],
    new: Float[Tensor, "chains tries 5 3"],
    residue: int,
    first_built: int,
    promise: Float[Tensor, "chains tries"],
    random: torch.Generator,
) -> tuple[Int[Tensor, "chains"], Int[Tensor, "chains"]]:
    """Of each chain one try that fits, and the chain it extends; chains without one are replaced by others."""
    fits = promise.isfinite()
    chain, one = fits.nonzero(as_tuple=True)
    fits[chain, one] = room.free(new[chain, one, None], residue).amin((-2, -1)) > -OVERLAP
    if built.shape[1]:
        chain, one = fits.nonzero(as_tuple=True)
        fits[chain, one] = room.within(new[chain, one, None], built[chain], residue, first_built) > -OVERLAP
    weight = torch.where(fits, promise, -torch.inf)
    alive = weight.isfinite().any(-1).nonzero().squeeze(-1)
    if not len(alive):
        raise LoopError(room.gap.length, f"there is no room for its residue {residue}")
    again = torch.randint(len(alive), (len(new) - len(alive),), generator=random, device=new.device)
    kept = torch.cat((alive, alive[again]))
    luck = torch.rand(weight[kept].shape, generator=random, dtype=new.dtype, device=new.device)
    return (weight[kept] - luck.log().neg().log()).argmax(-1), kept
