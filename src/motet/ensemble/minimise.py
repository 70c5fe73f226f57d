"""Minimise any `Energy`: L-BFGS on a whole batch, each structure with its own history, step and end."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import ConfigError
from ..shapes import Coords, Energies, Energy

Progress = Callable[[int, Energies], None]
SUFFICIENT_DECREASE = 1e-4  # Armijo's constant
SHRINK = 0.4  # of the step, after a rejected one
GROW = 1.5  # of the allowed step, after an accepted one


@dataclass(frozen=True, eq=False)
class Minimised:
    """Where a minimisation ended.

    Args:
        coords: Coordinates of lowest energy found, in Å.
        energies: Their energies, in kcal/mol.
        gradient_rms: Root mean square gradient over the atoms that may move, in kcal/mol/Å.
        converged: Whether that fell below the tolerance.
        steps: Steps until each structure ended.
    """

    coords: Coords
    energies: Energies
    gradient_rms: Float[Tensor, "*batch"]
    converged: Bool[Tensor, "*batch"]
    steps: Int[Tensor, "*batch"]


@dataclass(kw_only=True)
class _State:
    """The walkers, flattened to `walkers coordinates`, and each walker's memory of curvature."""

    x: Float[Tensor, "walkers n"]
    energy: Float[Tensor, "walkers"]
    gradient: Float[Tensor, "walkers n"]
    displacements: Float[Tensor, "memory walkers n"]
    changes: Float[Tensor, "memory walkers n"]
    curvatures: Float[Tensor, "memory walkers"]
    longest: Float[Tensor, "walkers"]
    running: Bool[Tensor, "walkers"]
    steps: Int[Tensor, "walkers"]


def minimise(
    energy: Energy,
    coords: Coords,
    *,
    mobile: Bool[Tensor, "atoms"] | None = None,
    tolerance: float = 0.1,
    max_steps: int = 1000,
    longest_step: float = 0.2,
    memory: int = 8,
    progress: Progress | None = None,
) -> Minimised:
    """Coordinates of a local minimum of each structure of a batch.

    One evaluation a step for the whole batch. A walker whose step does not lower its energy stays where it is,
    forgets its curvature and tries a shorter one, so that a bad structure delays nobody and spoils nobody.

    Args:
        energy: What to minimise; its value for one structure must not depend on the others.
        coords: Where to start, in Å.
        mobile: Atoms that may move; all, when left out.
        tolerance: Root mean square gradient that counts as converged, in kcal/mol/Å.
        max_steps: Steps after which to stop.
        longest_step: Longest move of any atom in one step, in Å.
        memory: Pairs of steps and gradient changes that L-BFGS remembers.
        progress: Called with the step and the energies after every step.

    Raises:
        ConfigError: Starting coordinates are not finite, or a setting is out of range.

    Source: Nocedal and Wright, Numerical Optimization (2006), alg. 7.4, with a trust step for the line search.
    """
    if tolerance <= 0 or max_steps < 0 or longest_step <= 0 or memory < 1:
        raise ConfigError("minimise needs tolerance > 0, max_steps >= 0, longest_step > 0 and memory >= 1.")
    if not coords.isfinite().all():
        raise ConfigError("minimise cannot start from coordinates that are not finite; look at the input file.")
    evaluate = _flat(energy, coords, mobile)
    state = _start(evaluate, coords.detach().reshape(-1, coords.shape[-2] * 3), memory, longest_step)
    freedom = 3 * (int(mobile.sum()) if mobile is not None else coords.shape[-2])
    for step in range(max_steps):
        state.running &= _rms(state.gradient, freedom) > tolerance
        if not state.running.any():
            break
        _step(evaluate, state, longest_step)
        if progress:
            progress(step + 1, state.energy.reshape(coords.shape[:-2]))
    batch = coords.shape[:-2]
    rms = _rms(state.gradient, freedom)
    return Minimised(
        coords=state.x.reshape(coords.shape),
        energies=state.energy.reshape(batch),
        gradient_rms=rms.reshape(batch),
        converged=(rms <= tolerance).reshape(batch),
        steps=state.steps.reshape(batch),
    )


_Evaluate = Callable[[Tensor], tuple[Tensor, Tensor]]


def _flat(energy: Energy, coords: Coords, mobile: Tensor | None) -> _Evaluate:
    """Energy and gradient of `walkers n` coordinates; atoms that may not move have none."""

    def evaluate(x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            at = x.detach().reshape(coords.shape).requires_grad_()
            value = energy(at)
            (gradient,) = torch.autograd.grad(value.sum(), at)
        if mobile is not None:
            gradient = gradient * mobile[:, None].to(gradient)
        return value.detach().reshape(-1), gradient.reshape(x.shape)

    return evaluate


def _start(evaluate: _Evaluate, x: Tensor, memory: int, longest: float) -> _State:
    energy, gradient = evaluate(x)
    empty = x.new_zeros(memory, *x.shape)
    return _State(
        x=x,
        energy=energy,
        gradient=gradient,
        displacements=empty,
        changes=empty.clone(),
        curvatures=x.new_zeros(memory, len(x)),
        longest=x.new_full((len(x),), longest / 4),
        running=torch.ones(len(x), dtype=torch.bool, device=x.device),
        steps=torch.zeros(len(x), dtype=torch.long, device=x.device),
    )


def _step(evaluate: _Evaluate, state: _State, longest_step: float) -> None:
    """One trial step of every running walker, taken by those whose energy it lowers enough."""
    move = _capped(_direction(state), state.longest) * state.running[:, None]
    slope = (move * state.gradient).sum(-1)
    trial = state.x + move
    energy, gradient = evaluate(trial)
    lower = energy <= state.energy + SUFFICIENT_DECREASE * slope + _rounding(state.energy)
    accepted = state.running & lower & energy.isfinite() & gradient.isfinite().all(-1)
    _remember(state, move, gradient - state.gradient, accepted)
    took = accepted[:, None]
    state.x = torch.where(took, trial, state.x)
    state.gradient = torch.where(took, gradient, state.gradient)
    state.energy = torch.where(accepted, energy, state.energy)
    rejected = state.running & ~accepted
    state.curvatures[:, rejected] = 0
    attempted = move.reshape(len(move), -1, 3).norm(dim=-1).amax(-1)
    state.longest = torch.where(
        accepted,
        (state.longest * GROW).clamp_max(longest_step),
        torch.where(rejected, attempted.minimum(state.longest) * SHRINK, state.longest),
    )
    # A walker that cannot move any more stands at a minimum as far as this precision can tell.
    finest = torch.finfo(state.x.dtype).eps * state.x.abs().amax(-1)
    state.running &= state.longest > finest
    state.steps += state.running


def _rounding(energy: Tensor) -> Tensor:
    """What an energy of this size may change by rounding alone."""
    return 8 * torch.finfo(energy.dtype).eps * energy.abs()


def _direction(state: _State) -> Tensor:
    """L-BFGS two-loop recursion; a zero curvature marks an empty place in the memory."""
    q = -state.gradient
    weights = []
    for s, y, curvature in zip(state.displacements, state.changes, state.curvatures, strict=True):
        alpha = curvature * (s * q).sum(-1)
        q = q - alpha[:, None] * y
        weights.append(alpha)
    q = q * _scale(state)[:, None]
    memory = zip(state.displacements, state.changes, state.curvatures, weights, strict=True)
    for s, y, curvature, alpha in reversed(list(memory)):
        beta = curvature * (y * q).sum(-1)
        q = q + (alpha - beta)[:, None] * s
    uphill = (q * state.gradient).sum(-1) >= 0
    return torch.where(uphill[:, None], -state.gradient, q)


def _scale(state: _State) -> Tensor:
    """Size of the inverse Hessian from the newest pair; one for a walker without memory."""
    s, y, curvature = state.displacements[0], state.changes[0], state.curvatures[0]
    scale = (s * y).sum(-1) / y.square().sum(-1).clamp_min(torch.finfo(y.dtype).tiny)
    return torch.where(curvature > 0, scale, torch.ones_like(scale))


def _capped(move: Tensor, longest: Tensor) -> Tensor:
    """The move, shortened so that no atom goes farther than its walker may."""
    farthest = move.reshape(len(move), -1, 3).norm(dim=-1).amax(-1)
    return move * (longest / farthest.clamp_min(torch.finfo(move.dtype).tiny)).clamp_max(1.0)[:, None]


def _remember(state: _State, move: Tensor, change: Tensor, accepted: Tensor) -> None:
    """Push the newest pair of the walkers that moved along positive curvature; newest first."""
    product = (move * change).sum(-1)
    useful = accepted & (product > 1e-10 * change.square().sum(-1))
    if not useful.any():
        return
    keep = useful[None, :, None]
    state.displacements = torch.where(keep, _pushed(state.displacements, move), state.displacements)
    state.changes = torch.where(keep, _pushed(state.changes, change), state.changes)
    curvature = torch.where(useful, 1 / torch.where(useful, product, torch.ones_like(product)), product * 0)
    state.curvatures = torch.where(useful, _pushed(state.curvatures, curvature), state.curvatures)


def _pushed(memory: Tensor, newest: Tensor) -> Tensor:
    return torch.cat((newest[None], memory[:-1]))


def _rms(gradient: Tensor, freedom: int) -> Tensor:
    return (gradient.square().sum(-1) / max(freedom, 1)).sqrt()
