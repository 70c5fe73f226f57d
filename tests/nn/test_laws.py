"""What every block owes its users; a new block adds a case to BLOCKS and no test."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from motet.nn import (
    ColumnAttention,
    Execution,
    GlobalColumnAttention,
    InvariantPointAttention,
    OuterProductMean,
    RowAttention,
    Transition,
    TriangleAttention,
    TriangleAttentionEnding,
    TriangleMultiplicationIncoming,
    TriangleMultiplicationOutgoing,
)

ROWS, RESIDUES, C_MSA, C_PAIR = 5, 6, 8, 4


@dataclass
class Case:
    block: nn.Module
    inputs: str  # of: msa, pair, presence of either, single, frames

    def draw(self, batch=()):
        generator = torch.Generator().manual_seed(3)

        def normal(*shape):
            return torch.randn((*batch, *shape), generator=generator, dtype=torch.float64)

        rotation = torch.linalg.qr(normal(RESIDUES, 3, 3)).Q
        some = {
            "msa": normal(ROWS, RESIDUES, C_MSA),
            "pair": normal(RESIDUES, RESIDUES, C_PAIR),
            "there_msa": normal(ROWS, RESIDUES).sigmoid().round(),
            "there_pair": torch.rand(
                (*batch, RESIDUES, RESIDUES), generator=generator, dtype=torch.float64
            ).round(),
            "there": normal(RESIDUES).sigmoid().round(),
            "single": normal(RESIDUES, C_MSA),
            "rotation": rotation * torch.linalg.det(rotation)[..., None, None],
            "translation": normal(RESIDUES, 3),
        }
        return [some[name] for name in self.inputs.split()]


def _case(block: nn.Module, inputs: str) -> Any:
    generator = torch.Generator().manual_seed(7)
    for name, parameter in block.double().named_parameters():
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        around = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        parameter.data = around + 0.3 * noise
    return pytest.param(Case(block, inputs), id=type(block).__name__)


PAIR_SIZES = {"c_pair": C_PAIR, "heads": 2, "c_head": 2}
BLOCKS = [
    _case(RowAttention(c_msa=C_MSA, c_pair=C_PAIR, heads=2, c_head=4), "msa pair there_msa"),
    _case(ColumnAttention(c_msa=C_MSA, heads=2, c_head=4), "msa there_msa"),
    _case(GlobalColumnAttention(c_msa=C_MSA, heads=2, c_head=4), "msa there_msa"),
    _case(Transition(channels=C_PAIR, factor=2), "pair"),
    _case(OuterProductMean(c_msa=C_MSA, c_pair=C_PAIR, c_outer=3), "msa there_msa"),
    _case(TriangleMultiplicationOutgoing(c_pair=C_PAIR, c_hidden=8), "pair there_pair"),
    _case(TriangleMultiplicationIncoming(c_pair=C_PAIR, c_hidden=8), "pair there_pair"),
    _case(TriangleAttention(**PAIR_SIZES), "pair there_pair"),
    _case(TriangleAttentionEnding(**PAIR_SIZES), "pair there_pair"),
    _case(
        InvariantPointAttention(c_single=C_MSA, c_pair=C_PAIR, heads=2, c_head=3, query_points=2, value_points=3),
        "single pair rotation translation there",
    ),
]
pytestmark = pytest.mark.parametrize("case", BLOCKS)
TIGHT = Execution(memory_budget=1)


@pytest.mark.parametrize("grad", [True, False])
def test_a_tight_budget_changes_nothing(case, grad):
    inputs = case.draw()
    with torch.set_grad_enabled(grad):
        torch.testing.assert_close(case.block(*inputs, execution=TIGHT), case.block(*inputs), rtol=0, atol=1e-12)


def test_a_batch_equals_a_loop(case):
    inputs = case.draw((2, 2))
    together = case.block(*inputs)
    for i in (0, 1):
        for j in (0, 1):
            alone = case.block(*(one[i, j] for one in inputs))
            torch.testing.assert_close(together[i, j], alone, rtol=0, atol=1e-12)
    torch.testing.assert_close(case.block(*inputs, execution=TIGHT), together, rtol=0, atol=1e-12)


def test_gradients_agree_with_finite_differences(case):
    inputs = case.draw()
    moving = [
        one.requires_grad_("there" not in name) for name, one in zip(case.inputs.split(), inputs, strict=True)
    ]
    assert torch.autograd.gradcheck(case.block, moving, fast_mode=True)


def test_everything_present_is_as_no_mask(case):
    names, inputs = case.inputs.split(), case.draw()
    if "there" not in names[-1]:
        pytest.skip("takes no mask")
    full = case.block(*inputs[:-1], torch.ones_like(inputs[-1]))
    torch.testing.assert_close(full, case.block(*inputs[:-1]), rtol=0, atol=1e-12)


def test_nothing_present_is_finite_in_value_and_gradient(case):
    names, inputs = case.inputs.split(), case.draw()
    if "there" in names[-1]:
        inputs[-1] = torch.zeros_like(inputs[-1])
    inputs = [
        torch.zeros_like(one).requires_grad_() if "there" not in name and name != "rotation" else one
        for name, one in zip(names, inputs, strict=True)
    ]
    out = case.block(*inputs)
    out.sum().backward()
    assert out.isfinite().all()
    assert all(one.grad is None or one.grad.isfinite().all() for one in inputs)


def test_half_precision_is_close(case):
    if "rotation" in case.inputs:
        pytest.skip("geometry is never computed in half precision")
    inputs = case.draw()
    exact = case.block(*inputs).detach()
    half = case.block.bfloat16()(*(one.bfloat16() for one in inputs)).detach().double()
    case.block.double()
    assert float((half - exact).abs().max()) < 0.1 * float(exact.abs().max())
