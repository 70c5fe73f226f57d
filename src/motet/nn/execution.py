"""How a block is run, as against what it computes: memory, and dropout for those who want noise."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError


@dataclass(frozen=True)
class Execution:
    """How to run a pass; results agree to rounding whatever the budget.

    Args:
        memory_budget: Size to which a block keeps its largest temporary tensor, in bytes. The default stays in
            the cache of a CPU, where small chunks are also the fastest; give a GPU a few gigabytes.
        dropout: Source of random draws; None is the deterministic network, without dropout.
    """

    memory_budget: int = 2**23
    dropout: torch.Generator | None = None

    def __post_init__(self) -> None:
        if self.memory_budget <= 0:
            raise ConfigError(f"memory_budget={self.memory_budget} bytes holds nothing; give a positive number.")


PLAIN = Execution()


def in_chunks(
    function: Callable[..., Tensor], execution: Execution, item_bytes: int, dim: int, *tensors: Tensor | None
) -> Tensor:
    """`function` applied to slices of `tensors` along `dim`, so that `item_bytes` a slice fit the budget.

    The results are put together along `dim`. A tensor that is None is passed on as None.
    """
    total = next(tensor.shape[dim] for tensor in tensors if tensor is not None)
    size = max(1, execution.memory_budget // max(1, item_bytes))
    if size >= total:
        return function(*tensors)
    pieces = -(-total // size)
    size = -(-total // pieces)  # equal chunks: no small remainder
    starts = range(0, total, size)
    if torch.is_grad_enabled():
        return torch.cat([function(*_slice(tensors, dim, at, size)) for at in starts], dim)
    return _filled(function, starts, size, dim, tensors)


def _slice(tensors: tuple[Tensor | None, ...], dim: int, at: int, size: int) -> tuple[Tensor | None, ...]:
    return tuple(None if one is None else one.narrow(dim, at, min(size, one.shape[dim] - at)) for one in tensors)


def _filled(
    function: Callable[..., Tensor], starts: range, size: int, dim: int, tensors: tuple[Tensor | None, ...]
) -> Tensor:
    """Chunks written into one tensor: no second copy of the result."""
    first = function(*_slice(tensors, dim, 0, size))
    shape = list(first.shape)
    shape[dim] = starts.stop
    out = first.new_empty(shape)
    out.narrow(dim, 0, first.shape[dim]).copy_(first)
    for at in starts[1:]:
        piece = function(*_slice(tensors, dim, at, size))
        out.narrow(dim, at, piece.shape[dim]).copy_(piece)
    return out


def shared_dropout(
    update: Float[Tensor, "*batch rows columns channels"], rate: float, dim: int, execution: Execution
) -> Float[Tensor, "*batch rows columns channels"]:
    """Dropout with one mask shared along `dim`: Jumper et al. (2021), Suppl. 1.11.6."""
    if execution.dropout is None or rate == 0:
        return update
    shape = list(update.shape)
    shape[dim] = 1
    draws = torch.rand(shape, generator=execution.dropout, device=update.device, dtype=torch.float32)
    return update * ((draws >= rate) / (1 - rate)).to(update.dtype)
