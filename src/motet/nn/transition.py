"""The two-layer network that follows every attention."""

from jaxtyping import Float
from torch import Tensor, nn

from .execution import PLAIN, Execution, in_chunks
from .norm import LayerNorm


class Transition(nn.Module):
    """MSATransition and PairTransition: Jumper et al. (2021), Suppl. Alg. 9 and 15."""

    def __init__(self, *, channels: int, factor: int) -> None:
        super().__init__()
        self.norm = LayerNorm(channels)
        self.widen = nn.Linear(channels, factor * channels)
        self.narrow = nn.Linear(factor * channels, channels)

    def forward(
        self, x: Float[Tensor, "*batch rows columns channels"], execution: Execution = PLAIN
    ) -> Float[Tensor, "*batch rows columns channels"]:
        """The update of every token by itself."""

        def widen_and_narrow(rows: Tensor) -> Tensor:
            return self.narrow(self.widen(self.norm(rows)).relu_())

        size = x.element_size() * x.shape[:-3].numel() * x.shape[-2] * self.widen.out_features
        return in_chunks(widen_and_narrow, execution, size, x.dim() - 3, x)
