"""Layer normalisation that half precision does not spoil."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import layer_norm

_HALF = (torch.bfloat16, torch.float16)


class LayerNorm(nn.LayerNorm):
    """Layer normalisation (biased variance, ε 1e-5); half precision is normalised in float32 and cast back."""

    def forward(self, input: Float[Tensor, "*batch channels"]) -> Float[Tensor, "*batch channels"]:
        """Each vector of the last axis at mean 0 and variance 1, then scaled and shifted."""
        x = input
        if x.dtype == self.weight.dtype and x.dtype not in _HALF:
            return super().forward(x)
        wide = torch.promote_types(x.dtype, torch.float32)
        weight, bias = self.weight.to(wide), self.bias.to(wide)
        return layer_norm(x.to(wide), self.normalized_shape, weight, bias, self.eps).to(x.dtype)
