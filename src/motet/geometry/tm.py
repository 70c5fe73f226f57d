"""TM-score of two conformations whose residues correspond (Zhang and Skolnick 2004)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from .superpose import superpose

_SHORTEST = 4  # residues in the smallest seed fragment
_LEVELS = 6  # seed lengths: all, a half, a quarter, …
_ROUNDS = 20  # refinements of a seed
_FINALISTS = 16  # seeds refined to the end
_POINTS = 1 << 20  # seeds x residues worked on at once


def tm_score(
    mobile: Float[Tensor, "*#batch residues 3"],
    target: Float[Tensor, "*#batch residues 3"],
    length: int | None = None,
    fit: bool = True,
) -> Float[Tensor, "*batch"]:
    """TM-score of Cα atoms that correspond one by one, above 0 and up to 1; above 0.5 the fold is the same.

    The best superposition is searched as by the authors' program: from fragments of falling length, refined with
    the residues that come to lie close. The best few are then climbed to the very top, each step superposing with
    the weights that the score's own gradient gives; so the gradient needs no derivative of the fit.

    Args:
        mobile: Cα of one conformation, in Å.
        target: The same residues in the other.
        length: Residues of the protein that the score is for; those given, by default.
        fit: Whether to search; otherwise the conformations are compared as they lie.
    """
    mobile, target = torch.broadcast_tensors(mobile, target)
    residues = mobile.shape[-2]
    length = residues if length is None else length
    scale = tm_scale(length)
    moved = mobile
    if fit and mobile.numel():
        with torch.no_grad():
            weights = _best_weights(mobile.reshape(-1, residues, 3), target.reshape(-1, residues, 3), scale)
            motion = superpose(mobile, target, weights.reshape(mobile.shape[:-1]))
        moved = motion.apply(mobile)
    return _score((moved - target).square().sum(-1), scale) / max(length, 1)


def tm_scale(length: int) -> float:
    """The distance d0, in Å, at which a residue counts one half: 1.24 (length - 15)^⅓ - 1.8, at least 0.5."""
    return max(1.24 * max(length - 15, 0) ** (1 / 3) - 1.8, 0.5)


def _score(squared: Float[Tensor, "*batch residues"], scale: float) -> Float[Tensor, "*batch"]:
    return (1 / (1 + squared / scale**2)).sum(-1)


def _best_weights(
    mobile: Float[Tensor, "batch residues 3"], target: Float[Tensor, "batch residues 3"], scale: float
) -> Float[Tensor, "batch residues"]:
    """Weights of the superposition with the highest score."""
    seeds = _seeds(mobile.shape[1], mobile)
    several = max(_POINTS // seeds.numel(), 1)
    blocks = zip(mobile.split(several), target.split(several), strict=True)
    return torch.cat([_search(a[:, None], b[:, None], seeds, scale) for a, b in blocks])


def _search(
    mobile: Float[Tensor, "batch 1 residues 3"],
    target: Float[Tensor, "batch 1 residues 3"],
    seeds: Float[Tensor, "seeds residues"],
    scale: float,
) -> Float[Tensor, "batch residues"]:
    """All seeds refined a little, the best of them to the end, the best of those climbed to the top."""
    reach = min(max(scale, 4.5), 8.0)
    weights = seeds.expand(len(mobile), -1, -1)
    weights = _refined(mobile, target, weights, (reach - 1, reach + 1), scale)
    weights = _refined(mobile, target, _fittest(mobile, target, weights, scale), (reach + 1,) * _ROUNDS, scale)
    for _ in range(_ROUNDS):
        squared = _squared(mobile, target, weights)
        weights = (1 + squared / scale**2) ** -2
    best = _score(_squared(mobile, target, weights), scale).argmax(-1)
    return weights[torch.arange(len(weights), device=best.device), best]


def _squared(mobile: Tensor, target: Tensor, weights: Float[Tensor, "batch seeds residues"]) -> Tensor:
    """Squared distances after the superposition that these weights give."""
    return (superpose(mobile, target, weights).apply(mobile) - target).square().sum(-1)


def _refined(mobile: Tensor, target: Tensor, weights: Tensor, reaches: Sequence[float], scale: float) -> Tensor:
    """Weights after superposing again and again with the residues within reach, the best seen of each seed."""
    best, best_score = weights, weights.new_full(weights.shape[:-1], -1.0)
    for reach in (*reaches, None):
        squared = _squared(mobile, target, weights)
        score = _score(squared, scale)
        better = score > best_score
        best, best_score = torch.where(better[..., None], weights, best), torch.where(better, score, best_score)
        if reach is None:
            break
        third = squared.kthvalue(min(3, squared.shape[-1])).values.unsqueeze(-1)
        close = (squared <= third.clamp_min(reach**2)).to(weights)
        if torch.equal(close, weights):
            break
        weights = close
    return best


def _fittest(mobile: Tensor, target: Tensor, weights: Tensor, scale: float) -> Tensor:
    """The seeds that score best."""
    score = _score(_squared(mobile, target, weights), scale)
    best = score.topk(min(_FINALISTS, score.shape[-1])).indices
    return weights.gather(1, best[..., None].expand(-1, -1, weights.shape[-1]))


def _seeds(residues: int, like: Tensor) -> Float[Tensor, "seeds residues"]:
    """Fragments of falling length, each moved along the chain by a quarter of itself."""
    place = torch.arange(residues, device=like.device)
    levels = []
    for level in range(_LEVELS):
        fragment = max(residues >> level, min(_SHORTEST, residues))
        starts = torch.arange(0, residues - fragment + 1, max(fragment // 4, 1), device=like.device)[:, None]
        levels.append((place >= starts) & (place < starts + fragment))
        if fragment <= _SHORTEST:
            break
    return torch.cat(levels).to(like)
