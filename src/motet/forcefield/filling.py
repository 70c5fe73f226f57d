"""Lists with room for more: rows that cost nothing, so that a compiled evaluation keeps its shapes."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from torch import Tensor
from torch.nn.functional import pad

Rows = TypeVar("Rows", bound=tuple[Any, ...])  # a NamedTuple of tensors, of such tuples, and of None


class Room:
    """How long each list is made: it grows by steps of an eighth to a quarter, and never shrinks."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}

    def __call__(self, name: str, count: int) -> int:
        """Length of the list of that name with room for so many rows; 0 as long as there was none."""
        if count > self._sizes.get(name, 0):
            step = max(1 << count.bit_length() >> 4, 8)
            self._sizes[name] = (count // step + 2) * step
        return self._sizes.get(name, 0)


def filled(rows: Rows, size: int, values: Mapping[str, float] | None = None) -> Rows:
    """A NamedTuple whose tensors' last axes are filled to the size, with 0 or the value of the field's name."""
    names = getattr(rows, "_fields", ())
    found = [_filled(one, size, (values or {}).get(name, 0.0)) for one, name in zip(rows, names, strict=True)]
    return type(rows)(*found)


def _filled(one: Any, size: int, value: float) -> Any:
    if isinstance(one, Tensor):
        return pad(one, (0, size - one.shape[-1]), value=value)
    return None if one is None else filled(one, size)


def tensors_in(nested: Any) -> Iterator[Tensor]:
    """The tensors of nested tuples, from left to right."""
    if isinstance(nested, Tensor):
        yield nested
    elif nested is not None:
        for one in nested:
            yield from tensors_in(one)


def refilled(nested: Any, tensors: Iterator[Tensor]) -> Any:
    """The same nested tuples with other tensors."""
    if nested is None or isinstance(nested, Tensor):
        return None if nested is None else next(tensors)
    parts = [refilled(one, tensors) for one in nested]
    return type(nested)(*parts) if hasattr(nested, "_fields") else tuple(parts)
