"""What moves between two states: rigid groups, hinges, and residues that change structure or contacts."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..geometry import RigidGroups, backbone_torsions, rigid_groups, rmsd, secondary_structure
from ..geometry.secondary_structure import LETTERS
from .ensemble import Ensemble
from .observables import Observables, alpha_carbons
from .states import States

CONTACT = 8.0  # Å between Cα
SEPARATION = 4  # residues along the chain
CLEAR = 0.5  # difference between two states' shares that counts
TURNED = 1.0  # rad: difference between two states' mean φ or ψ that counts
FIRM = 0.7  # length of the mean vector of an angle that a state has made up its mind on
MOST_PAIRED = 4  # states of which every two are compared; of more, each with the first


@dataclass(frozen=True)
class Switch:
    """A residue with one secondary structure in most members of one state and another in the other state.

    Args:
        residue: Its index among the residues of the observables.
        before: H, E or C in the one state.
        after: The same in the other.
        difference: Half the summed differences of the three shares, 0 to 1.
    """

    residue: int
    before: str
    after: str
    difference: float


@dataclass(frozen=True, eq=False)
class Transition:
    """What it takes to go from one state to another; residues are counted among those of the observables.

    Args:
        start: Label of the one state.
        end: Label of the other.
        rmsd: Cα RMSD of the two representatives, in Å.
        groups: Rigid groups between the representatives, from `start` to `end`.
        switches: Residues whose secondary structure changes.
        turned: Residues whose mean φ or ψ changes by more than 1 rad.
        lost: Cα contacts that are made in the one state and not in the other.
        gained: Cα contacts that are made in the other state alone.
    """

    start: int
    end: int
    rmsd: float
    groups: RigidGroups
    switches: tuple[Switch, ...]
    turned: tuple[int, ...]
    lost: Int[Tensor, "lost 2"]
    gained: Int[Tensor, "gained 2"]


@dataclass(frozen=True, eq=False)
class _Profile:
    """Weighted means over the members of one state."""

    structure: Float[Tensor, "residues 3"] | None
    angles: Float[Tensor, "residues 4"]  # mean sine and cosine of φ, then of ψ
    contacts: Float[Tensor, "residues residues"]


def find_transitions(ensemble: Ensemble, observables: Observables, states: States) -> tuple[Transition, ...]:
    """What moves between every two states; between the first and each other, where there are more than four."""
    count = len(states)
    if count < 2:
        return ()
    profiles = _profiles(ensemble, observables, states)
    last = count if count <= MOST_PAIRED else 1
    pairs = [(a, b) for a in range(last) for b in range(a + 1, count)]
    return tuple(_transition(ensemble, observables, states, profiles, *pair) for pair in pairs)


def _transition(
    ensemble: Ensemble, observables: Observables, states: States, profiles: list[_Profile], start: int, end: int
) -> Transition:
    topology = ensemble.structure.topology
    _, carbons = alpha_carbons(topology)
    medoids = [states.states[label].medoid for label in (start, end)]
    points = ensemble.coords[medoids][:, carbons.to(ensemble.coords.device)].cpu()
    chains = torch.from_numpy(topology.chain_of_residue[observables.residue_index.numpy()].copy())
    one, two = profiles[start], profiles[end]
    change = two.contacts - one.contacts
    return Transition(
        start=start,
        end=end,
        rmsd=float(rmsd(points[0], points[1])),
        groups=rigid_groups(points, chains),
        switches=_switches(one, two),
        turned=_turned(one, two),
        lost=(change < -CLEAR).triu().nonzero(),
        gained=(change > CLEAR).triu().nonzero(),
    )


def _profiles(ensemble: Ensemble, observables: Observables, states: States) -> list[_Profile]:
    topology, residues = ensemble.structure.topology, observables.residue_index
    backbone = torch.from_numpy(np.ascontiguousarray(topology.backbone[residues.numpy()]))
    whole = bool((backbone >= 0).all())
    follows = torch.from_numpy(topology.follows[residues.numpy()].copy())
    donates = torch.from_numpy(topology.residue_names[residues.numpy()] != "PRO")
    torsions = backbone_torsions(topology, ensemble.coords.cpu())
    phi, psi = (angle[:, residues] for angle in (torsions.phi, torsions.psi))
    exists = torsions.exists[residues]
    place = torch.arange(len(residues))
    apart = (place[:, None] - place).abs() >= SEPARATION
    profiles = []
    for state in states.states:
        members = state.members
        share = ensemble.weights[members].cpu().float()
        share = share / share.sum()
        coords = ensemble.coords[members].cpu()
        structure = None
        if whole:
            classes = secondary_structure(coords[:, backbone], follows, donates)
            structure = torch.einsum("m,mrc->rc", share, torch.nn.functional.one_hot(classes, 3).float())
        angles = torch.stack(
            [f(angle[members]).float() for angle in (phi, psi) for f in (torch.sin, torch.cos)], dim=-1
        )
        angles = torch.einsum("m,mrc->rc", share, angles) * exists[:, [0, 0, 1, 1]]
        profiles.append(_Profile(structure, angles, _contacts(coords[:, backbone[:, 1]], share) * apart))
    return profiles


def _contacts(
    points: Float[Tensor, "members residues 3"], share: Float[Tensor, "members"]
) -> Float[Tensor, "residues residues"]:
    """Share of the members in which two Cα are near."""
    total = torch.zeros(points.shape[1], points.shape[1])
    for block, weights in zip(points.split(64), share.split(64), strict=True):
        total += torch.einsum("m,mab->ab", weights, (torch.cdist(block, block) < CONTACT).float())
    return total


def _switches(one: _Profile, two: _Profile) -> tuple[Switch, ...]:
    if one.structure is None or two.structure is None:
        return ()
    difference = (one.structure - two.structure).abs().sum(-1) / 2
    before, after = one.structure.argmax(-1), two.structure.argmax(-1)
    found = ((difference >= CLEAR) & (before != after)).nonzero().squeeze(-1).tolist()
    return tuple(Switch(i, LETTERS[int(before[i])], LETTERS[int(after[i])], float(difference[i])) for i in found)


def _turned(one: _Profile, two: _Profile) -> tuple[int, ...]:
    """Residues of which φ or ψ is firm in both states and differs."""
    found = torch.zeros(len(one.angles), dtype=torch.bool)
    for sine in (0, 2):
        vectors = [profile.angles[:, sine : sine + 2] for profile in (one, two)]
        firm = (vectors[0].norm(dim=-1) > FIRM) & (vectors[1].norm(dim=-1) > FIRM)
        angles = [torch.atan2(vector[:, 0], vector[:, 1]) for vector in vectors]
        apart = torch.atan2((angles[1] - angles[0]).sin(), (angles[1] - angles[0]).cos()).abs()
        found |= firm & (apart > TURNED)
    return tuple(found.nonzero().squeeze(-1).tolist())
