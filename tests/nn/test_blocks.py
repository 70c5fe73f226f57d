import pytest
import torch

from motet.errors import ConfigError
from motet.nn import (
    ColumnAttention,
    Execution,
    GatedSelfAttention,
    GlobalColumnAttention,
    InvariantPointAttention,
    LayerNorm,
    OuterProductMean,
    RowAttention,
    TriangleAttention,
    TriangleAttentionEnding,
    TriangleMultiplicationIncoming,
    TriangleMultiplicationOutgoing,
    fast_products,
    in_chunks,
    log_presence,
    shared_dropout,
)

DOUBLE = torch.float64


def normal(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def same_weights(block, like):
    block.load_state_dict(like.state_dict())
    return block


def test_ending_attention_is_starting_attention_on_the_transpose():
    starting = TriangleAttention(c_pair=4, heads=2, c_head=2).double()
    ending = same_weights(TriangleAttentionEnding(c_pair=4, heads=2, c_head=2).double(), starting)
    pair = normal(5, 5, 4)
    torch.testing.assert_close(ending(pair), starting(pair.transpose(0, 1)).transpose(0, 1))


def test_triangle_multiplications_are_the_sums_of_the_supplement():
    for kind, formula in (
        (TriangleMultiplicationOutgoing, "ikc,jkc->ijc"),
        (TriangleMultiplicationIncoming, "kic,kjc->ijc"),
    ):
        block, pair = kind(c_pair=4, c_hidden=3).double(), normal(5, 5, 4)
        z = block.norm_in(pair)
        a = block.to_left_gate(z).sigmoid() * block.to_left(z)
        b = block.to_right_gate(z).sigmoid() * block.to_right(z)
        expected = block.to_gate(z).sigmoid() * block.to_out(block.norm_out(torch.einsum(formula, a, b)))
        torch.testing.assert_close(block(pair), expected)


def test_outer_product_mean_is_the_mean_of_outer_products():
    block, msa = OuterProductMean(c_msa=6, c_pair=4, c_outer=3).double(), normal(7, 5, 6)
    m = block.norm(msa)
    outer = torch.einsum("sic,sje->ijce", block.to_left(m), block.to_right(m)).flatten(-2)
    torch.testing.assert_close(block(msa), block.to_out(outer) / 7.001)


def test_attention_is_softmax_of_scaled_products():
    block, x, bias = (
        GatedSelfAttention(channels=6, heads=2, c_head=3).double(),
        normal(4, 5, 6),
        normal(4, 2, 5, 5),
    )
    q, k, v = (layer(x).unflatten(-1, (2, 3)) for layer in (block.to_query, block.to_key, block.to_value))
    weights = (torch.einsum("bqhc,bkhc->bhqk", q, k) / 3**0.5 + bias).softmax(-1)
    mixed = torch.einsum("bhqk,bkhc->bqhc", weights, v).flatten(-2)
    torch.testing.assert_close(block(x, bias), block.to_out(block.to_gate(x).sigmoid() * mixed))


@pytest.mark.parametrize(
    "block",
    [
        ColumnAttention(c_msa=8, heads=2, c_head=4),
        GlobalColumnAttention(c_msa=8, heads=2, c_head=4),
        OuterProductMean(c_msa=8, c_pair=4, c_outer=3),
    ],
    ids=lambda block: type(block).__name__,
)
class TestRowWeights:
    """Soft weights on the rows of an alignment, through `presence`."""

    def run(self, block, msa, weights):
        return block.double()(msa, weights[:, None].expand(msa.shape[:2]))

    def test_weights_of_zero_and_one_are_deleting_rows(self, block):
        msa, weights = normal(6, 5, 8), torch.tensor([1.0, 0, 1, 1, 0, 1], dtype=DOUBLE)
        kept = weights > 0
        whole, few = self.run(block, msa, weights), block.double()(msa[kept])
        if not isinstance(block, OuterProductMean):
            whole = whole[kept]
        torch.testing.assert_close(whole, few, rtol=0, atol=1e-14)

    def test_two_equal_rows_of_half_weight_are_one_row(self, block):
        msa = normal(4, 5, 8)
        twice = torch.cat((msa, msa[-1:]))
        weights = torch.tensor([1.0, 1, 1, 0.5, 0.5], dtype=DOUBLE)
        found, expected = self.run(block, twice, weights), block.double()(msa)
        if not isinstance(block, OuterProductMean):
            found = found[:4]
        # the outer product counts pairs of residues that share a row: presence on one side, weight on the other
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)

    def test_weights_have_a_finite_gradient_even_at_zero_and_one(self, block):
        weights = torch.tensor([1.0, 0.0, 0.5, 1.0], dtype=DOUBLE, requires_grad=True)
        self.run(block, normal(4, 5, 8), weights).square().sum().backward()
        assert weights.grad.isfinite().all()
        assert weights.grad[2] != 0


def test_rows_do_not_see_absent_residues():
    block = RowAttention(c_msa=8, c_pair=4, heads=2, c_head=4).double()
    msa, pair, there = normal(3, 5, 8), normal(5, 5, 4), torch.ones(3, 5, dtype=DOUBLE)
    there[:, 4] = 0
    short = block(msa[:, :4], pair[:4, :4])
    torch.testing.assert_close(block(msa, pair, there)[:, :4], short)


def frames(seed):
    rotation = torch.linalg.qr(normal(6, 3, 3, seed=seed)).Q
    return rotation * torch.linalg.det(rotation)[:, None, None], normal(6, 3, seed=seed + 1)


def test_point_attention_ignores_a_common_rigid_motion():
    block = InvariantPointAttention(c_single=8, c_pair=4, heads=2, c_head=3).double()
    single, pair = normal(6, 8), normal(6, 6, 4)
    rotation, translation = frames(4)
    turn, shift = frames(8)[0][0], normal(3, seed=9) * 10
    moved = block(single, pair, turn @ rotation, translation @ turn.T + shift)
    torch.testing.assert_close(moved, block(single, pair, rotation, translation), rtol=0, atol=1e-10)


def test_point_attention_notices_where_a_residue_is():
    block = InvariantPointAttention(c_single=8, c_pair=4, heads=2, c_head=3).double()
    rotation, translation = frames(4)
    near = block(normal(6, 8), normal(6, 6, 4), rotation, translation)
    far = block(normal(6, 8), normal(6, 6, 4), rotation, translation * 2)
    assert (near - far).abs().max() > 1e-3


def test_log_presence_is_exact_at_the_ends():
    weights = torch.tensor([0.0, 0.25, 1.0], requires_grad=True)
    found = log_presence(weights)
    assert found.tolist() == [-1e9, pytest.approx(-1.3862944), 0]
    found.sum().backward()
    assert weights.grad.tolist() == [0, 4, 1]


def test_layer_norm_of_half_precision_is_taken_in_single_precision():
    norm = LayerNorm(64)
    x = 1000 + torch.randn(4, 64, generator=torch.Generator().manual_seed(0))
    half = x.bfloat16()
    assert torch.equal(norm(half), norm(half.float()).bfloat16())
    assert norm.bfloat16()(half).dtype == torch.bfloat16


def test_chunks_cover_everything_once():
    seen = []

    def double(x):
        seen.append(x.shape[1])
        return 2 * x

    x = torch.arange(21.0).reshape(3, 7)
    with torch.no_grad():
        assert torch.equal(in_chunks(double, Execution(memory_budget=30), 10, 1, x), 2 * x)
    assert seen == [3, 3, 1]


def test_a_budget_that_holds_nothing_is_refused():
    with pytest.raises(ConfigError, match="memory_budget=0"):
        Execution(memory_budget=0)


def test_attention_without_heads_is_refused():
    with pytest.raises(ConfigError, match="heads=0"):
        GatedSelfAttention(channels=4, heads=0, c_head=2)


def test_dropout_is_shared_along_its_axis_and_keeps_the_mean():
    x = torch.ones(50, 40, 8, dtype=DOUBLE)
    noisy = Execution(dropout=torch.Generator().manual_seed(0))
    out = shared_dropout(x, 0.25, -3, noisy)
    assert torch.equal(out, out[:1].expand_as(out))
    assert out.unique().tolist() == [0, pytest.approx(4 / 3)]
    assert float(out.mean()) == pytest.approx(1, abs=0.1)
    assert torch.equal(shared_dropout(x, 0.25, -3, Execution()), x)


@pytest.mark.parametrize("tokens", [5, 16, 17])
@pytest.mark.parametrize("biased", [True, False])
def test_attention_is_the_softmax_of_the_logits_whatever_the_number_of_tokens(tokens, biased):
    block = GatedSelfAttention(channels=6, heads=2, c_head=3).double()
    x, bias = normal(4, tokens, 6), normal(1, 2, tokens, tokens) if biased else None
    q, k, v, gate = (
        layer(x).unflatten(-1, (2, 3)).transpose(-2, -3)
        for layer in (block.to_query, block.to_key, block.to_value, block.to_gate)
    )
    mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    expected = block.to_out((mixed * gate.sigmoid()).transpose(-2, -3).flatten(-2))
    torch.testing.assert_close(block(x, bias), expected)


def test_fast_products_keep_the_precision_of_float32_and_leave_no_trace():
    left, right = normal(70, 96), normal(96, 70, seed=2)
    switch = torch.backends.mkldnn.matmul
    before = switch.fp32_precision
    with fast_products():
        product = left.float() @ right.float()
    assert switch.fp32_precision == before
    torch.testing.assert_close(product.double(), left @ right, rtol=0, atol=1e-4)
