"""Matrix products in float32 on a processor, by the faster of two libraries where it is as exact."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_ROUNDING = 1e-5  # relative: float32 stays below 1e-6, TF32 and bfloat16 above 1e-4


@contextmanager
def fast_products() -> Iterator[None]:
    """Within it, float32 products on a processor are made by oneDNN, where that loses no precision.

    torch asks oneDNN only when told that bfloat16 would do; on most processors the answer is float32 all the same,
    and two to three times as fast as MKL's where that takes its slow path. A probe looks, once a process; where
    the precision is lost, where torch is too old to be asked, and on other devices nothing changes.
    """
    switch = _switch()
    if switch is None or not _exact():
        yield
        return
    before = switch.fp32_precision
    switch.fp32_precision = "bf16"
    try:
        yield
    finally:
        switch.fp32_precision = before


def _switch() -> Any:
    """What torch asks for the precision of oneDNN's products; None where it is too old to ask."""
    return getattr(torch.backends.mkldnn, "matmul", None)


@functools.cache
def _exact() -> bool:
    """Whether products keep float32's precision under the switch, for the kinds of product the network makes."""
    switch = _switch()
    draws = torch.Generator().manual_seed(0)
    left, right = (torch.randn(4, side, 256, generator=draws) for side in (384, 256))
    expected = left.double() @ right.double().mT
    before = switch.fp32_precision
    switch.fp32_precision = "bf16"
    try:
        found = (torch.nn.functional.linear(left, right[0]), left @ right.mT)
    finally:
        switch.fp32_precision = before
    wanted = (left.double() @ right[0].double().mT, expected)
    return all(bool((a - b).abs().max() < _ROUNDING * b.abs().max()) for a, b in zip(found, wanted, strict=True))
