"""Least-squares superposition and RMSD (Kabsch 1976, 1978), batched, weighted, safe for gradients."""

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import NonFiniteError
from .rigid import Rigid


def superpose(
    mobile: Float[Tensor, "*#batch atoms 3"],
    target: Float[Tensor, "*#batch atoms 3"],
    weights: Float[Tensor, "*#batch atoms"] | None = None,
) -> Rigid:
    """The proper motion that brings `mobile` closest to `target`, in the weighted least-squares sense.

    Differentiable. Where the best rotation is not unique (collinear points, mirror images) it is one of the best,
    and the direction that is free carries no gradient.

    Args:
        mobile: Points to move, in Å.
        target: Where they should go, in Å.
        weights: Non-negative weight of each atom; all one by default.

    Raises:
        NonFiniteError: A coordinate is infinite or not a number.
    """
    share = _shares(mobile, weights)
    from_, to = (share * mobile).sum(-2, keepdim=True), (share * target).sum(-2, keepdim=True)
    covariance = (share * (mobile - from_)).mT @ (target - to)
    rotation = _best_rotation(covariance)
    shift = to.squeeze(-2) - (rotation @ from_.mT).squeeze(-1)
    return Rigid(rotation, shift)


def superposed(
    mobile: Float[Tensor, "*#batch atoms 3"],
    target: Float[Tensor, "*#batch atoms 3"],
    weights: Float[Tensor, "*#batch atoms"] | None = None,
) -> Float[Tensor, "*batch atoms 3"]:
    """`mobile` moved onto `target`."""
    return superpose(mobile, target, weights).apply(mobile)


def rmsd(
    a: Float[Tensor, "*#batch atoms 3"],
    b: Float[Tensor, "*#batch atoms 3"],
    weights: Float[Tensor, "*#batch atoms"] | None = None,
    fit: bool = True,
) -> Float[Tensor, "*batch"]:
    """Root-mean-square deviation, in Å; after superposition unless `fit` is false.

    At the best fit the gradient needs no derivative of the fit (envelope theorem), so none is taken. A deviation
    below rounding is 0, with no gradient.
    """
    share = _shares(a, weights)
    if fit:
        with torch.no_grad():
            motion = superpose(a, b, weights)
        moved = motion.apply(a)
    else:
        moved = a
    deviation = moved - b
    squared = (share.squeeze(-1) * deviation.square().sum(-1)).sum(-1)
    largest = torch.maximum(a.detach().abs().amax((-2, -1)), b.detach().abs().amax((-2, -1)))
    differs = squared > (8 * torch.finfo(a.dtype).eps * largest).square()
    return torch.where(differs, torch.where(differs, squared, 1.0).sqrt(), 0.0)


def superposed_to_mean(
    coords: Float[Tensor, "frames atoms 3"],
    weights: Float[Tensor, "atoms"] | None = None,
    frame_weights: Float[Tensor, "frames"] | None = None,
    *,
    tolerance: float = 1e-4,
    iterations: int = 100,
) -> tuple[Float[Tensor, "frames atoms 3"], Float[Tensor, "atoms 3"]]:
    """Conformations superposed on their own mean, and that mean; the first conformation gives the orientation.

    Args:
        coords: Conformations, in Å.
        weights: Weight of each atom in the fit.
        frame_weights: Weight of each conformation in the mean.
        tolerance: RMSD between two successive means, in Å, at which to stop.
        iterations: Most rounds to take.
    """
    count = max(len(coords), 1)
    share = coords.new_full((len(coords),), 1 / count) if frame_weights is None else frame_weights
    share = (share / share.sum())[:, None, None]
    with torch.no_grad():
        mean = coords[0] if len(coords) else coords.sum(0)
        for _ in range(iterations):
            last, mean = mean, (share * superposed(coords, mean, weights)).sum(0)
            if rmsd(mean, last, fit=False) < tolerance:
                break
    moved = superposed(coords, mean, weights)
    return moved, (share * moved).sum(0)


def _shares(
    coords: Float[Tensor, "*_ atoms 3"], weights: Float[Tensor, "*_w atoms"] | None
) -> Float[Tensor, "*_s atoms 1"]:
    """Weights that add up to one (to zero, where all are zero)."""
    if weights is None:
        return coords.new_full((coords.shape[-2], 1), 1 / max(coords.shape[-2], 1))
    total = weights.sum(-1, keepdim=True)
    return (weights / torch.where(total > 0, total, 1.0)).unsqueeze(-1)


def _best_rotation(covariance: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3 3"]:
    """The rotation R with the largest trace(R covariance), and its exact first derivative.

    The value comes from the singular value decomposition, whose own gradient breaks down where singular values are
    equal. The derivative is one Newton step on the rotation group, R exp(ω) with ω = (tr M - M)⁻¹ axial(M) and
    M = covariance R: it breaks down only where the rotation itself is not unique, and is cut there.
    """
    with torch.no_grad():
        if not covariance.isfinite().all():
            raise NonFiniteError("coordinates to superpose")
        left, values, right = torch.linalg.svd(covariance)
        sign = torch.where(torch.linalg.det(left) * torch.linalg.det(right) < 0, -1.0, 1.0).to(values)
        values = torch.cat((values[..., :2], values[..., 2:] * sign[..., None]), dim=-1)
        flip = torch.stack((torch.ones_like(sign), torch.ones_like(sign), sign), dim=-1)
        rotation = right.mT @ (flip.unsqueeze(-1) * left.mT)
    if not covariance.requires_grad:
        return rotation
    stiffness = values.sum(-1, keepdim=True) - values
    firm = stiffness > torch.finfo(values.dtype).eps ** 0.5 * values[..., :1]
    compliance = torch.where(firm, 1 / torch.where(firm, stiffness, 1.0), 0.0)
    m = covariance @ rotation
    axial = torch.stack(
        (m[..., 1, 2] - m[..., 2, 1], m[..., 2, 0] - m[..., 0, 2], m[..., 0, 1] - m[..., 1, 0]), -1
    )
    omega = (left @ (compliance.unsqueeze(-1) * (left.mT @ axial.unsqueeze(-1)))).squeeze(-1)
    return rotation + rotation @ _cross_matrix(omega - omega.detach())


def _cross_matrix(v: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """The matrix of v ×."""
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).unflatten(-1, (3, 3))
