"""Which parts of a protein move as one between conformations, and the hinges between them.

Our own formulation. Like DynDom (Hayward and Berendsen 1998) it looks for parts that share one rigid motion, but
by consensus: motions of fragments propose, the one that most residues follow within a tolerance is taken, and the
rest is searched again. A path through the residues that pays for each change of group then settles the labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import ConfigError
from .rigid import Rigid
from .screw import Screw
from .superpose import rmsd, superpose

_ROUNDS = 10  # refinements of a proposed motion, and of the labels
_FINALISTS = 8  # proposals refined to the end
_POINTS = 1 << 21  # proposals x conformations x residues worked on at once
_MOST_TARGETS = 100  # conformations that proposals are tried on
_CAP = 4.0  # squared deviation over squared tolerance beyond which a residue follows no group
_CHANGE = 6.0  # price of a change of group along the chain, in the same unit
_SHARE, _TIGHTEST, _LOOSEST = 0.4, 1.0, 2.5  # a tolerance of this share of the RMSD, within these bounds in Å


@dataclass(frozen=True)
class Hinge:
    """Where the chain passes from one group to another.

    Args:
        first: The last residue of the group before, counted from 0.
        last: The first residue of the group after it; what lies between follows neither.
        before: Group on the side of the N-terminus.
        after: Group on the side of the C-terminus.
    """

    first: int
    last: int
    before: int
    after: int


@dataclass(frozen=True, eq=False)
class RigidGroups:
    """Residues that move as one.

    Args:
        labels: Group of each residue, 0 for the largest; -1 for one that follows no group.
        motions: What takes each group from the first conformation to each conformation, `conformations groups`.
        deviation: How far each residue strays from its group's motion (from the nearest, where it has none):
            root mean square over the conformations, in Å.
        hinges: Where the chain passes from group to group, in its order.
    """

    labels: Int[Tensor, "residues"]
    motions: Rigid
    deviation: Float[Tensor, "residues"]
    hinges: tuple[Hinge, ...]

    def __len__(self) -> int:
        return self.motions.batch[1]

    def members(self, group: int) -> Int[Tensor, "members"]:
        """Residues of a group, counted from 0."""
        return (self.labels == group).nonzero().squeeze(-1)

    def screw(self, group: int, anchor: int = 0, conformation: int = -1) -> Screw:
        """How a group turns and slides when another is held where the first conformation has it."""
        turn, shift = self.motions.rotation[conformation], self.motions.translation[conformation]
        held, moved = Rigid(turn[anchor], shift[anchor]), Rigid(turn[group], shift[group])
        return Screw.of(held.inverse() @ moved)


@dataclass(frozen=True)
class RigidGroupFinder:
    """Settings of the search.

    Args:
        tolerance: How far a residue may stray from the motion of its group, in Å; None: two fifths of the RMSD of
            the conformations, but at least 1.0 and at most 2.5 Å, so that small motions have groups, too.
        smallest: Fewest residues of a group.
        most: Most groups.
    """

    tolerance: float | None = field(default=None, kw_only=True)
    smallest: int = field(default=10, kw_only=True)
    most: int = field(default=8, kw_only=True)

    def __post_init__(self) -> None:
        if (self.tolerance is not None and not self.tolerance > 0) or self.smallest < 4 or self.most < 1:
            raise ConfigError(
                f"rigid groups need a tolerance above 0, not {self.tolerance}, at least 4 residues, not "
                f"{self.smallest}, and at least one group, not {self.most}."
            )

    @torch.no_grad()
    def find(
        self, coords: Float[Tensor, "conformations residues 3"], chains: Int[Tensor, "residues"] | None = None
    ) -> RigidGroups:
        """The groups of two conformations or more.

        Args:
            coords: One point a residue (its Cα), in Å; motions are counted from the first conformation.
            chains: Chain of each residue; all one chain, when left out. There is no hinge between two chains.

        Raises:
            ConfigError: There are fewer than two conformations.
            NonFiniteError: A coordinate is infinite or not a number.
        """
        if len(coords) < 2:
            raise ConfigError("rigid groups are seen between two conformations or more; one was given.")
        chains = torch.zeros(coords.shape[1], dtype=torch.long) if chains is None else chains
        chains = chains.to(coords.device)
        tolerance = self.tolerance if self.tolerance is not None else _suited(coords)
        labels = self._settled(coords, self._proposed(coords, tolerance), chains, tolerance)
        motions = _motions(coords, labels, int(labels.max()) + 1)
        strays = _strays(coords, motions).clamp_min(0).sqrt()
        nearest = strays.amin(-2) if len(strays) else strays.new_zeros(coords.shape[1])
        own = strays.gather(-2, labels.clamp_min(0)[None]).squeeze(-2) if len(strays) else nearest
        return RigidGroups(labels, motions, torch.where(labels >= 0, own, nearest), _hinges(labels, chains))

    def _proposed(self, coords: Tensor, tolerance: float) -> Int[Tensor, "residues"]:
        """Labels of the motions that most residues follow, one after another."""
        some = torch.linspace(1, len(coords) - 1, min(_MOST_TARGETS, len(coords) - 1)).round().long()
        coords = torch.cat([coords[:1], coords[some.to(coords.device)]])
        seeds = _fragments(coords[0], self.smallest)
        labels = torch.full((coords.shape[1],), -1, device=coords.device)
        for group in range(self.most):
            free = labels < 0
            if int(free.sum()) < self.smallest:
                break
            found = _consensus(coords, seeds * free, free, tolerance)
            if int(found.sum()) < self.smallest:
                break
            labels[found] = group
        return labels

    def _settled(
        self, coords: Tensor, labels: Tensor, chains: Tensor, tolerance: float
    ) -> Int[Tensor, "residues"]:
        """Labels that are contiguous where they can be, each group following its own motion."""
        for _ in range(_ROUNDS):
            labels = _largest_first(labels, self.smallest)
            count = int(labels.max()) + 1
            if count == 0:
                return labels
            strays = _strays(coords, _motions(coords, labels, count)) / tolerance**2
            costs = torch.cat((strays.clamp_max(2 * _CAP), torch.full_like(strays[:1], _CAP / 2)))
            before, labels = labels, _path(costs.mT, chains)
            labels = torch.where(labels == count, -1, labels)
            if torch.equal(labels, before):
                break
        return _largest_first(labels, self.smallest)


def rigid_groups(
    coords: Float[Tensor, "conformations residues 3"],
    chains: Int[Tensor, "residues"] | None = None,
    *,
    tolerance: float | None = None,
    smallest: int = 10,
) -> RigidGroups:
    """Rigid groups and hinges of two conformations or more; `RigidGroupFinder` says what the settings do."""
    return RigidGroupFinder(tolerance=tolerance, smallest=smallest).find(coords, chains)


def _suited(coords: Float[Tensor, "conformations residues 3"]) -> float:
    """A tolerance in proportion to how much moves."""
    moved = float(rmsd(coords[:1], coords[1:]).square().mean().sqrt())
    return min(max(_SHARE * moved, _TIGHTEST), _LOOSEST)


def _consensus(
    coords: Tensor, seeds: Tensor, free: Bool[Tensor, "residues"], tolerance: float
) -> Bool[Tensor, "residues"]:
    """Free residues that follow the motion which most of them follow."""
    seeds = seeds[seeds.sum(-1) >= 4]
    if not len(seeds):
        return torch.zeros_like(free)
    several = max(1, _POINTS // (coords.shape[0] * coords.shape[1]))
    followed = torch.cat([_followed(coords, part, free, tolerance).sum(-1) for part in seeds.split(several)])
    weights = seeds[followed.topk(min(_FINALISTS, len(followed))).indices]
    for _ in range(_ROUNDS):
        weights = _followed(coords, weights, free, tolerance)
    best = weights[weights.sum(-1).argmax()]
    return (_strays(coords, _fitted(coords, best[None]))[0] < tolerance**2) & free


def _followed(
    coords: Tensor, weights: Tensor, free: Tensor, tolerance: float
) -> Float[Tensor, "proposals residues"]:
    """How well each free residue follows the motion that each set of weights gives, from 0 to 1."""
    squared = _strays(coords, _fitted(coords, weights))
    return free / (1 + squared / tolerance**2).square()


def _fragments(points: Float[Tensor, "residues 3"], smallest: int) -> Float[Tensor, "seeds residues"]:
    """Windows of several lengths along the chain, and balls in space: where proposals come from."""
    residues = len(points)
    place = torch.arange(residues, device=points.device)
    seeds, length = [], min(smallest, residues)
    while True:
        starts = torch.arange(0, residues - length + 1, max(length // 4, 1), device=points.device)[:, None]
        seeds.append((place >= starts) & (place < starts + length))
        if 2 * length > residues:
            break
        length *= 2
    distances = torch.cdist(points, points)
    sizes = (min(2 * smallest, residues), min(4 * smallest, residues))
    seeds.extend(distances <= distances.kthvalue(size, dim=-1, keepdim=True).values for size in sizes)
    seeds.append(torch.ones(1, residues, dtype=torch.bool, device=points.device))
    return torch.cat(seeds).to(points)


def _fitted(coords: Tensor, weights: Float[Tensor, "groups residues"]) -> Rigid:
    """What takes the first conformation to each, fitted with each set of weights: `conformations groups`."""
    return superpose(coords[:1, None], coords[:, None], weights)


def _motions(coords: Tensor, labels: Tensor, count: int) -> Rigid:
    members = labels == torch.arange(count, device=labels.device)[:, None]
    return _fitted(coords, members.to(coords))


def _strays(coords: Tensor, motions: Rigid) -> Float[Tensor, "groups residues"]:
    """Squared deviation of every residue from every motion, averaged over the conformations after the first."""
    moved = motions.apply(coords[:1, None])
    return (moved - coords[:, None]).square().sum(-1).sum(0) / (len(coords) - 1)


def _largest_first(labels: Int[Tensor, "residues"], smallest: int) -> Int[Tensor, "residues"]:
    """Groups by falling size, those with too few residues dissolved."""
    sizes = torch.bincount(labels[labels >= 0], minlength=1)
    order = sizes.argsort(descending=True, stable=True)
    rank = torch.where(sizes[order] >= smallest, torch.arange(len(order), device=labels.device), -1)
    new = torch.empty_like(rank)
    new[order] = rank
    return torch.where(labels >= 0, new[labels.clamp_min(0)], -1)


def _path(costs: Float[Tensor, "residues states"], chains: Int[Tensor, "residues"]) -> Int[Tensor, "residues"]:
    """The cheapest state of each residue when a change of state within a chain costs, too (Viterbi)."""
    total, back = costs[0], []
    stay = torch.arange(costs.shape[1], device=costs.device)
    prices = torch.where(chains[1:] == chains[:-1], _CHANGE, 0.0).tolist()
    for cost, price in zip(costs[1:], prices, strict=True):
        cheapest = total.argmin()
        changed = total[cheapest] + price < total
        back.append(torch.where(changed, cheapest, stay))
        total = torch.where(changed, total[cheapest] + price, total) + cost
    state = total.argmin()
    path = [state]
    for step in reversed(back):
        state = step[state]
        path.append(state)
    return torch.stack(path[::-1])


def _hinges(labels: Int[Tensor, "residues"], chains: Int[Tensor, "residues"]) -> tuple[Hinge, ...]:
    """Places where one group ends and another begins, in one chain."""
    held = (labels >= 0).nonzero().squeeze(-1).tolist()
    groups: Sequence[int] = labels.tolist()
    chain: Sequence[int] = chains.tolist()
    return tuple(
        Hinge(a, b, groups[a], groups[b])
        for a, b in pairwise(held)
        if groups[a] != groups[b] and chain[a] == chain[b]
    )
