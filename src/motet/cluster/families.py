"""D-family matching: groups of clusters of one clustering against groups of the other.

Cazals, Mazauric, Tetley and Watrigant (2019), *Comparing two clusterings using matchings between clusters of
clusters*. Clusters are the vertices of a bipartite graph, an edge weighs what two clusters share. A family is
a set of disjoint connected groups of clusters, each of diameter at most D; its score is the weight of the edges
inside its groups. The best family is NP-complete to find, but not on a tree: as the authors do, we solve it
exactly on spanning trees, here the heaviest one and random ones, and count every edge of the graph inside the
groups.
"""

from collections import defaultdict
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError
from .metrics import contingency
from .points import seeded

Edges = list[tuple[int, int, float]]
Tree = dict[int, list[tuple[int, float]]]


@dataclass(frozen=True)
class Family:
    """Groups of clusters that match, each as (clusters of the one, clusters of the other).

    Args:
        groups: The groups, heaviest first; clusters are numbered as their labels sort.
        score: Weight inside the groups.
        share: The score over the weight of all points: 1 when the groups explain everything.
    """

    groups: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    score: float
    share: float


def d_family(
    one: Int[Tensor, "points"],
    two: Int[Tensor, "points_of_two"],
    diameter: int,
    *,
    weights: Float[Tensor, "points"] | None = None,
    trees: int = 100,
    generator: torch.Generator | None = None,
) -> Family:
    """The heaviest family found over `trees` spanning trees; diameter 1 is a matching, 2 allows splits, 3 mixes.

    Groups whose union is narrow enough are joined at the end: a union can be narrower than any tree through it.
    The score is a lower bound of the best all the same.

    Raises:
        ConfigError: The diameter or the number of trees is under 1, or the clusterings cannot be compared.
    """
    if diameter < 1 or trees < 1:
        raise ConfigError(f"diameter={diameter} and trees={trees} must be at least 1.")
    shared = contingency(one, two, weights)
    rows = shared.shape[0]
    edges: Edges = [(i, rows + j, float(shared[i, j])) for i, j in shared.nonzero().tolist()]
    source = seeded(generator)
    near: dict[int, set[int]] = defaultdict(set)
    for i, j, _ in edges:
        near[i].add(j)
        near[j].add(i)
    best: tuple[float, list[set[int]]] = (-1.0, [])
    for draw in range(trees):
        groups = _on_tree(_spanning(edges, sum(shared.shape), source if draw else None), diameter)
        groups = _joined(groups, near, diameter)
        best = max(best, (_weight(edges, groups), groups), key=lambda found: found[0])
    named = sorted(best[1], key=lambda group: (-_weight(edges, [group]), min(group)))
    groups = tuple(
        (tuple(sorted(v for v in group if v < rows)), tuple(sorted(v - rows for v in group if v >= rows)))
        for group in named
    )
    return Family(groups, best[0], best[0] / float(shared.sum()))


def _weight(edges: Edges, groups: list[set[int]]) -> float:
    """Weight of the edges inside the groups."""
    home = {vertex: number for number, group in enumerate(groups) for vertex in group}
    return sum(weight for i, j, weight in edges if i in home and home.get(j) == home[i])


def _joined(groups: list[set[int]], near: dict[int, set[int]], diameter: int) -> list[set[int]]:
    """Groups, and clusters left alone, joined two by two as long as a union is narrow enough."""
    alone = sorted(set(near) - set().union(*groups))
    left, done = groups + [{vertex} for vertex in alone], []
    while left:
        group = left.pop(0)
        partner = next((other for other in left if _narrow(group | other, near, diameter)), None)
        if partner is None:
            done.append(group)
        else:
            left.remove(partner)
            left.insert(0, group | partner)
    return [group for group in done if len(group) > 1]


def _narrow(group: set[int], near: dict[int, set[int]], diameter: int) -> bool:
    """Whether every cluster of a group reaches all others inside it in `diameter` steps."""
    for start in group:
        reached = edge = {start}
        for _ in range(diameter):
            edge = {other for vertex in edge for other in near[vertex] & group} - reached
            reached = reached | edge
        if reached != group:
            return False
    return True


def _spanning(edges: Edges, vertices: int, generator: torch.Generator | None) -> Tree:
    """A spanning forest (Kruskal): the heaviest, or one drawn with heavier edges more likely."""
    keys = torch.tensor([weight for *_, weight in edges], dtype=torch.float64)
    if generator is not None:
        draws = torch.rand(len(edges), generator=generator, dtype=torch.float64, device=generator.device).cpu()
        keys = draws.log() / keys  # Efraimidis and Spirakis: the order of weighted draws without replacement
    root = list(range(vertices))
    tree: Tree = defaultdict(list)

    def top(vertex: int) -> int:
        while root[vertex] != vertex:
            root[vertex] = root[root[vertex]]
            vertex = root[vertex]
        return vertex

    for edge in keys.argsort(descending=True, stable=True).tolist():
        i, j, weight = edges[edge]
        if top(i) != top(j):
            root[top(i)] = top(j)
            tree[i].append((j, weight))
            tree[j].append((i, weight))
    return tree


def _on_tree(tree: Tree, diameter: int) -> list[set[int]]:
    """The heaviest family of a forest, by dynamic programming from the leaves."""
    seen: set[int] = set()
    groups: list[set[int]] = []
    for start in sorted(tree):
        if start in seen:
            continue
        order, parent = _walk(tree, start)
        seen.update(order)
        tables = _Tables(tree, parent, diameter)
        for vertex in reversed(order):
            tables.solve(vertex)
        groups += tables.groups(start)
    return [group for group in groups if len(group) > 1]


def _walk(tree: Tree, start: int) -> tuple[list[int], dict[int, int]]:
    order, parent = [start], {start: -1}
    for vertex in order:
        for child, _ in tree[vertex]:
            if child != parent[vertex]:
                parent[child] = vertex
                order.append(child)
    return order, parent


class _Tables:
    """Best weight of each subtree whose top group reaches at most a given depth below its top vertex."""

    def __init__(self, tree: Tree, parent: dict[int, int], diameter: int) -> None:
        self.children = {v: [(u, weight) for u, weight in tree[v] if u != parent[v]] for v in parent}
        self.diameter = diameter
        self.best: dict[int, list[float]] = {}
        self.joined: dict[int, list[dict[int, int]]] = {}

    def solve(self, vertex: int) -> None:
        """Fill the row of a vertex whose children are solved; depths rise, so the last entry is the best."""
        self.best[vertex], self.joined[vertex] = [], []
        for depth in range(self.diameter + 1):
            value, joined = self._reaching(vertex, depth)
            if depth and value <= self.best[vertex][-1]:
                value, joined = self.best[vertex][-1], self.joined[vertex][-1]
            self.best[vertex].append(value)
            self.joined[vertex].append(joined)

    def _reaching(self, vertex: int, depth: int) -> tuple[float, dict[int, int]]:
        """Weight, and the depth left to each child that joins: one child may go deep where all cannot."""
        common = min(depth, self.diameter - depth)
        total, joined, gains = 0.0, {}, []
        for child, weight in self.children[vertex]:
            cut = self.best[child][-1]
            stay = weight + self.best[child][common - 1] if common else cut
            if stay > cut:
                joined[child] = common - 1
            total += max(cut, stay)
            if depth > common:
                gains.append((weight + self.best[child][depth - 1] - max(cut, stay), child))
        if gains and max(gains)[0] > 0:
            gain, child = max(gains)
            total += gain
            joined[child] = depth - 1
        return total, joined

    def groups(self, top: int) -> list[set[int]]:
        """The groups of the best family below a vertex."""
        found: list[set[int]] = []
        tops = [top]
        while tops:
            group: set[int] = set()
            reach = [(tops.pop(), self.diameter)]
            while reach:
                vertex, depth = reach.pop()
                group.add(vertex)
                joined = self.joined[vertex][depth]
                for child, _ in self.children[vertex]:
                    if child in joined:
                        reach.append((child, joined[child]))
                    else:
                        tops.append(child)
            found.append(group)
        return found
