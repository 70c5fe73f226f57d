"""Which residues are disordered, from the sequence alone: a small convolutional head."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .sequences import SequenceBatch

WIDTH = 48
KERNEL = 9
DILATIONS = (1, 2, 4, 8)


class Disorder(nn.Module):
    """Logit of disorder of each residue, trained on AlphaFold's and MobiDB's disordered spans."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv1d(21, WIDTH, KERNEL, padding=KERNEL // 2)
        self.layers = nn.ModuleList(
            nn.Conv1d(WIDTH, WIDTH, KERNEL, padding=KERNEL // 2 * dilation, dilation=dilation)
            for dilation in DILATIONS
        )
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in DILATIONS)
        self.read = nn.Linear(WIDTH, 1)

    def forward(self, batch: SequenceBatch) -> Float[Tensor, "proteins residues"]:
        """Logit of each residue; where nothing is, the logit means nothing."""
        present = batch.present.to(self.read.weight.dtype)[:, None]
        # one more channel says where the chain is, so that its ends can be told from padding
        x = self.embed(torch.cat((batch.one_hot(self.read.weight.dtype).mT, present), 1)) * present
        for layer, norm in zip(self.layers, self.norms, strict=True):
            update = layer(norm(x.mT).mT * present)
            x = (x + torch.relu(update)) * present
        return self.read(x.mT).squeeze(-1)
