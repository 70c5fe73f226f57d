"""What the flow network is trained for: clean frames, seen from each other, with distances and bonds that fit."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from ..geometry import Rigid
from .flow import FlowPrediction
from .flow_inputs import FlowInputs
from .flow_path import FlowPath
from .residues import IDEAL_PLACES, LETTERS

BACKBONE = torch.tensor(IDEAL_PLACES[LETTERS.index("A"), :3], dtype=torch.float64)  # N, CA, C in the frame, in Å
BONDS = ((2, 0, 1.329), (1, 0, 2.426), (2, 1, 2.435))  # atom, atom of the next residue, Å: Engh and Huber (1991)
TOLERANCE = 0.05  # Å of those before they count as broken
CLASH = 3.6  # Å between Cα of residues that are not neighbours
NEAR = 12.0  # Å between Cα whose distance is local
BAND = 3  # residues along the chain whose backbone distances are compared atom by atom
CAPPED = 10.0  # Å: FAPE does not care how wrong is more than wrong
WEIGHTS: Mapping[str, float] = {
    "flow": 1.0, "turn": 0.5, "fape": 0.5, "distances": 0.5, "chain": 1.0, "violations": 0.1, "psi": 0.2
}  # fmt: skip
_NO_LENGTH = 1e-6


@dataclass(frozen=True, eq=False)
class FlowTarget:
    """The truth.

    Args:
        frames: Clean frames, in Å.
        psi: Sine and cosine of ψ.
        psi_presence: 1 where it is known.
    """

    frames: Rigid
    psi: Float[Tensor, "*batch residues 2"]
    psi_presence: Float[Tensor, "*batch residues"]


def flow_losses(
    prediction: FlowPrediction,
    target: FlowTarget,
    inputs: FlowInputs,
    level: Float[Tensor, "*batch"],
    path: FlowPath,
) -> dict[str, Float[Tensor, "*batch"]]:
    """Each loss of each protein, by the names of `WEIGHTS`; FAPE is the mean over the network's blocks."""
    present = inputs.presence
    noise = path.displacement(level).clamp_max(2 * path.spread)
    found, true = prediction.clean, target.frames
    off = (found.translation - true.translation).square().sum(-1)
    turn = (found.rotation - true.rotation).square().sum((-1, -2))
    flow = _mean(off, present) / (noise.square() + 1)
    every = torch.stack([fape(one, true, present) for one in prediction.course])
    atoms, wanted = backbone_atoms(found), backbone_atoms(true)
    return {
        "flow": flow,
        "turn": _mean(turn, present) / (4 * level + 0.2),
        "fape": every.mean(0) / CAPPED,
        "distances": _near_distances(found.translation, true.translation, present),
        "chain": _chain_distances(atoms, wanted, inputs),
        "violations": _violations(atoms, inputs),
        "psi": _mean((prediction.psi - target.psi).square().sum(-1), present * target.psi_presence),
    }


def total(losses: Mapping[str, Float[Tensor, "*batch"]]) -> Float[Tensor, "*batch"]:
    """The weighted sum."""
    return sum((WEIGHTS[name] * value for name, value in losses.items()), start=torch.zeros(()))  # type: ignore[return-value]


def fape(found: Rigid, true: Rigid, presence: Float[Tensor, "*batch residues"]) -> Float[Tensor, "*batch"]:
    """Frame-aligned point error of Cα, capped, in Å: Jumper et al. (2021), Suppl. Alg. 28."""
    seen, wanted = (
        (one.translation[..., None, :, :] - one.translation[..., :, None, :]) @ one.rotation
        for one in (found, true)
    )
    error = ((seen - wanted).square().sum(-1) + _NO_LENGTH).sqrt().clamp_max(CAPPED)
    both = presence[..., :, None] * presence[..., None, :]
    return _mean(error.flatten(-2), both.flatten(-2))


def backbone_atoms(frames: Rigid) -> Float[Tensor, "*batch residues 3 3"]:
    """N, Cα and C of ideal residues at the frames, in Å."""
    return frames.apply(BACKBONE.to(frames.translation))


def _near_distances(found: Tensor, true: Tensor, presence: Tensor) -> Tensor:
    """Distances between Cα that are near each other in truth."""
    distances, wanted = _distances(found), _distances(true)
    both = presence[..., :, None] * presence[..., None, :] * (wanted < NEAR)
    error = smooth_l1_loss(distances, wanted, reduction="none", beta=1.0).clamp_max(5.0)
    return _mean(error.flatten(-2), both.flatten(-2))


def _chain_distances(found: Tensor, true: Tensor, inputs: FlowInputs) -> Tensor:
    """Distances between backbone atoms of residues up to three apart."""
    each = []
    for step in range(1, BAND + 1):
        together = inputs.numbers[..., step:] - inputs.numbers[..., :-step] == step
        together = together & (inputs.chains[..., step:] == inputs.chains[..., :-step])
        both = together * inputs.presence[..., step:] * inputs.presence[..., :-step]
        distances, wanted = (
            _lengths(one[..., :-step, :, None, :] - one[..., step:, None, :, :]) for one in (found, true)
        )
        error = smooth_l1_loss(distances, wanted, reduction="none", beta=0.25)
        each.append(_mean(error.mean((-1, -2)), both))
    return torch.stack(each).mean(0)


def _violations(atoms: Float[Tensor, "*batch residues 3 3"], inputs: FlowInputs) -> Tensor:
    """Peptide bonds and their angles beyond tolerance, and Cα within each other."""
    linked = inputs.follows[..., 1:]
    broken = sum(
        (
            ((_lengths(atoms[..., :-1, a, :] - atoms[..., 1:, b, :]) - ideal).abs() - TOLERANCE).clamp(0, 5)
            for a, b, ideal in BONDS
        ),
        start=torch.zeros_like(linked),
    )
    places = atoms[..., 1, :]
    both = inputs.presence[..., :, None] * inputs.presence[..., None, :]
    upper = torch.ones(both.shape[-2:], device=both.device, dtype=both.dtype).triu(2)
    inside = ((CLASH - _distances(places)).clamp_min(0) * both * upper).sum((-1, -2))
    return _mean(broken, linked) + inside / inputs.presence.sum(-1).clamp_min(1)


def _distances(places: Float[Tensor, "*batch residues 3"]) -> Float[Tensor, "*batch residues residues"]:
    return _lengths(places[..., :, None, :] - places[..., None, :, :])


def _lengths(vectors: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
    return (vectors.square().sum(-1) + _NO_LENGTH).sqrt()


def _mean(values: Float[Tensor, "*batch items"], presence: Float[Tensor, "*batch items"]) -> Tensor:
    return (values * presence).sum(-1) / presence.sum(-1).clamp_min(1)
