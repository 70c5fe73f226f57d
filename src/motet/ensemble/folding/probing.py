"""What happens to tokens inside the network, beside what happens in two networks that know nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...fold import AlphaFold
from ...fold.alignment import Rows, chosen, numbered
from ...fold.attention_probe import AttentionProbe, attention_watched
from ...fold.interventions import with_shuffled_columns
from ...fold.probe import Probe, TokenStatistics, probed
from .hypotheses import one_pass, random_twin
from .member import Folder

NETWORK, SHUFFLED, RANDOM = "this alignment", "shuffled columns", "random weights"


@dataclass(frozen=True, eq=False)
class Probing:
    """Observables block by block, for the network and for two controls.

    Args:
        series: By observable, by view, a value a block.
        leaders: Attention that each row of the alignment receives; 0 for rows that were not followed.
        cosines: Histograms of the cosines between residues, a row a block, of the network.
    """

    series: Mapping[str, Mapping[str, tuple[float, ...]]]
    leaders: Float[Tensor, "rows"]
    cosines: Float[Tensor, "blocks bins"]


def probe(folder: Folder, *, rows: int = 128, seed: int = 0) -> Probing:
    """Watch three passes: of the alignment, of its columns shuffled, and of a network of random weights.

    Args:
        folder: Network and alignment.
        rows: Most rows that are followed.
        seed: Of all draws.
    """
    draws = torch.Generator().manual_seed(seed)
    everything = numbered(folder.alignment)
    followed = chosen(len(everything.types), rows, draws).centres
    seen = everything[followed]
    views = {
        NETWORK: _watched(folder, folder.model, seen),
        SHUFFLED: _watched(folder, folder.model, with_shuffled_columns(seen, draws)),
        RANDOM: _watched(folder, random_twin(folder.model, seed), seen),
    }
    tokens, attention = views[NETWORK]
    return Probing(
        _series(views),
        _placed(attention.leaders()[: len(followed)].float(), followed, len(everything.types)),
        torch.stack([one.cosines for one in tokens.residues]).float(),
    )


def _watched(folder: Folder, model: AlphaFold, rows: Rows) -> tuple[Probe, AttentionProbe]:
    stack = model.trunk.evoformer
    with probed(stack) as tokens, attention_watched(stack) as attention:
        one_pass(folder, model, rows)
    return tokens, attention


def _series(
    views: Mapping[str, tuple[Probe, AttentionProbe]],
) -> Mapping[str, Mapping[str, tuple[float, ...]]]:
    def of_tokens(name: str, which: str) -> dict[str, tuple[float, ...]]:
        found: dict[str, list[TokenStatistics]] = {view: vars(both[0])[which] for view, both in views.items()}
        return {view: tuple(float(vars(one)[name]) for one in blocks) for view, blocks in found.items()}

    def of_attention(name: str) -> dict[str, tuple[float, ...]]:
        return {
            view: tuple(float(getattr(one, name)) for one in both[1].down_columns) for view, both in views.items()
        }

    return {
        "mean cosine between residues": of_tokens("mean_cosine", "residues"),
        "mean cosine between rows": of_tokens("mean_cosine", "rows"),
        "effective rank of the rows": of_tokens("effective_rank", "rows"),
        "energy of the residues": of_tokens("energy", "residues"),
        "entropy of column attention": of_attention("mean_entropy"),
        "largest weight of column attention": of_attention("booleanness"),
        "inequality of attention received": of_attention("gini"),
    }


def _placed(values: Tensor, rows: Int[Tensor, "followed"], depth: int) -> Float[Tensor, "rows"]:
    placed = torch.zeros(depth)
    placed[rows] = values
    return placed
