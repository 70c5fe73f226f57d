"""Which states the network's own tokens suggest: row clusters that persist along its blocks, against null models.

Rows of the alignment attend to each other, residue by residue, without bias: the setting in which Geshkovski et
al. (2025) find clusters that persist and then merge. A network of random weights gathers them, too, and so does an
alignment without coevolution: only what outlasts both is taken for a hypothesis. One state is a legal answer.
"""

from copy import deepcopy
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...cluster import adjusted_rand, choose_k
from ...fold import AlphaFold
from ...fold.alignment import Rows, assembled, chosen, nearest_centres, numbered, query_types
from ...fold.interventions import with_shuffled_columns
from ...fold.row_tokens import rows_followed
from ...nn import Execution, fast_products
from .member import Folder

COMPONENTS = 16  # of the tokens of rows that clustering sees
MOST_STATES = 6
SAME = 0.8  # adjusted Rand index from which two partitions count as one that persists


@dataclass(frozen=True, eq=False)
class Plateau:
    """The longest stretch of blocks over which row clusters persist.

    Args:
        counts: Number of clusters after each block.
        first: First block of the stretch.
        length: Blocks in it; 0 where rows are one cluster throughout.
        labels: Cluster of each row in the middle of it; all 0 without one.
    """

    counts: tuple[int, ...]
    first: int
    length: int
    labels: Int[Tensor, "rows"]

    @property
    def persistence(self) -> float:
        """Its share of the blocks."""
        return self.length / max(len(self.counts), 1)


@dataclass(frozen=True, eq=False)
class Hypotheses:
    """States that row clusters suggest, and what nulls say to that.

    Args:
        weights: How much each row of the alignment speaks for each state.
        plateau: Where the clusters persist.
        shuffled: Persistence for alignments with shuffled columns.
        random: Persistence for networks of random weights.
        p_value: Share of all views, this one counted, that persist as long.
        observed: Rows of the alignment that were followed.
    """

    weights: Float[Tensor, "rows states"]
    plateau: Plateau
    shuffled: tuple[float, ...]
    random: tuple[float, ...]
    p_value: float
    observed: Int[Tensor, "observed"]

    @property
    def states(self) -> int:
        """Number of states; 1 where nothing speaks for more."""
        return self.weights.shape[1]

    @property
    def reason(self) -> str:
        """Why so many, in words."""
        most = max((*self.shuffled, *self.random), default=0.0)
        found = f"row clusters persist over {self.plateau.persistence:.0%} of the blocks"
        beaten = f"shuffled columns and random weights reach {most:.0%} (p = {self.p_value:.2f})"
        return f"{found}; {beaten}"


def find_hypotheses(
    folder: Folder, *, rows: int = 512, shuffles: int = 4, networks: int = 1, seed: int = 0
) -> Hypotheses:
    """Watch one pass, and as many null passes as asked for.

    Args:
        folder: Network and alignment.
        rows: Most rows that are followed; the others go with the row they resemble most.
        shuffles: Null passes on shuffled columns.
        networks: Null passes of random weights.
        seed: Of all draws.
    """
    draws = torch.Generator().manual_seed(seed)
    everything = numbered(folder.alignment)
    observed = chosen(len(everything.types), rows, draws).centres
    seen = everything[observed]
    tokens = _followed(folder, folder.model, seen)
    plateau = plateau_of(tokens, seed)
    null_rows = [with_shuffled_columns(seen, draws) for _ in range(shuffles)]
    shuffled = tuple(plateau_of(_followed(folder, folder.model, one), seed).persistence for one in null_rows)
    others = [random_twin(folder.model, seed + i) for i in range(networks)] if plateau.length else []
    random = tuple(plateau_of(_followed(folder, one, seen), seed).persistence for one in others)
    as_long = sum(null >= plateau.persistence for null in (*shuffled, *random))
    p_value = (1 + as_long) / (1 + len(shuffled) + len(random))
    if not plateau.length or as_long:
        weights = torch.ones(len(everything.types), 1)
        return Hypotheses(weights, plateau, shuffled, random, p_value, observed)
    block = plateau.first + plateau.length // 2
    soft = responsibilities(leading(tokens[block]), plateau.labels)
    nearest = nearest_centres(seen.types, everything.types)
    weights = soft[nearest]
    weights[observed] = soft
    return Hypotheses(weights / weights.amax(0), plateau, shuffled, random, p_value, observed)


def plateau_of(tokens: Float[Tensor, "blocks rows channels"], seed: int = 0) -> Plateau:
    """The longest stretch of equal numbers of clusters, above one, whose partitions agree from block to block."""
    labels = [_labels(block, seed) for block in tokens]
    counts = tuple(int(one.max()) + 1 for one in labels)
    best, length, start = 0, 0, 0
    for block, count in enumerate(counts):
        goes_on = (
            block > start
            and count == counts[block - 1]
            and adjusted_rand(labels[block], labels[block - 1]) >= SAME
        )
        start = start if goes_on else block
        if count > 1 and block - start + 1 > length:
            best, length = start, block - start + 1
    middle = labels[best + length // 2] if length else torch.zeros_like(labels[0])
    return Plateau(counts, best, length, middle)


def responsibilities(
    points: Float[Tensor, "rows dims"], labels: Int[Tensor, "rows"]
) -> Float[Tensor, "rows clusters"]:
    """Posterior of each cluster at each point: spherical Gaussians of one width, weighed by their size."""
    clusters = int(labels.max()) + 1
    members = torch.nn.functional.one_hot(labels, clusters).to(points)
    sizes = members.sum(0)
    centres = members.T @ points / sizes[:, None]
    squared = (points[:, None] - centres).square().sum(-1)
    width = (squared * members).sum() / (points.numel())
    logits = -0.5 * squared / width.clamp_min(torch.finfo(points.dtype).tiny) + (sizes / sizes.sum()).log()
    return logits.softmax(-1)


def leading(tokens: Float[Tensor, "rows channels"]) -> Float[Tensor, "rows components"]:
    """Directions of the tokens about their mean, in their leading principal components."""
    cloud = torch.nn.functional.normalize(tokens.double() - tokens.double().mean(0), dim=-1)
    cloud = cloud - cloud.mean(0)
    kept = min(COMPONENTS, *cloud.shape)
    _, _, axes = torch.linalg.svd(cloud, full_matrices=False)
    return cloud @ axes[:kept].T


def _labels(tokens: Float[Tensor, "rows channels"], seed: int) -> Int[Tensor, "rows"]:
    draws = torch.Generator().manual_seed(seed)
    found = choose_k(leading(tokens), range(2, MOST_STATES + 1), starts=4, nulls=0, generator=draws)
    return found.model.labels


def _followed(folder: Folder, model: AlphaFold, rows: Rows) -> Float[Tensor, "blocks rows channels"]:
    """Tokens of the rows, block by block."""
    with rows_followed(model.trunk.evoformer) as tokens:
        one_pass(folder, model, rows)
    return tokens.blocks[:, : len(rows.types)]


def one_pass(folder: Folder, model: AlphaFold, rows: Rows) -> None:
    """One pass of a network in which every row is a cluster centre of its own, for those who watch."""
    query = query_types(folder.alignment.query)
    none = torch.zeros(0, dtype=torch.long)
    features = assembled(query, rows, rows[none], none, folder.templates).to(device=folder.device)
    with torch.inference_mode(), fast_products():
        model(features, execution=Execution(folder.memory_budget))


def random_twin(model: AlphaFold, seed: int) -> AlphaFold:
    """The same network with the numbers of each parameter in a random order: as large, and nothing learnt."""
    draws = torch.Generator().manual_seed(seed)
    twin = deepcopy(model)
    with torch.no_grad():
        for values in twin.parameters():
            order = torch.randperm(values.numel(), generator=draws).to(values.device)
            values.copy_(values.flatten()[order].view_as(values))
    return twin
