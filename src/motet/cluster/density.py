"""Dense regions of any shape, and noise between them: HDBSCAN, without scikit-learn.

Campello, Moulavi and Sander (2013). Points are joined along the minimum spanning tree of their mutual
reachability distances; a branch that holds enough points is a cluster for as long as it lives, and those with the
largest excess of mass are kept. The whole cloud is never one of them: where it does not split, all is noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .dense_regions import DenseEstimator

_INFINITE = 1e150  # density of coincident points: sums and differences of it stay finite
Edge = tuple[float, int, int]  # distance, and the points it joins


@dataclass(frozen=True)
class DensityClusters(DenseEstimator):
    """Dense regions of a cloud, as HDBSCAN finds them; nothing but torch is needed."""

    @torch.no_grad()
    def _regions(
        self, points: Float[Tensor, "points dims"]
    ) -> tuple[Int[Tensor, "points"], Float[Tensor, "points"]]:
        tree = _condensed(_spanning(points, _core(points, self.near)), points.shape[0], self.min_cluster_size)
        return _kept(tree, points.shape[0])


def _core(points: Tensor, near: int) -> Float[Tensor, "points"]:
    """Distance of each point to its `near`-th neighbour, itself counted as the first."""
    rows = [torch.cdist(block, points).kthvalue(near, dim=-1).values for block in points.split(1024)]
    return torch.cat(rows)


def _spanning(points: Tensor, core: Float[Tensor, "points"]) -> list[Edge]:
    """Edges of the minimum spanning tree of mutual reachability, shortest first (Prim)."""
    count = len(points)
    reach = torch.full_like(core, torch.inf)
    nearest = torch.zeros(count, dtype=torch.long, device=points.device)
    outside = torch.ones(count, dtype=torch.bool, device=points.device)
    newest, edges = 0, []
    outside[0] = False
    for _ in range(count - 1):
        distance = torch.cdist(points[newest][None], points)[0]
        distance = torch.maximum(torch.maximum(distance, core), core[newest])
        closer = outside & (distance < reach)
        reach = torch.where(closer, distance, reach)
        nearest = torch.where(closer, newest, nearest)
        following = int(torch.where(outside, reach, torch.inf).argmin())
        edges.append((float(reach[following]), int(nearest[following]), following))
        outside[following] = False
        newest = following
    return sorted(edges)


@dataclass
class _Branch:
    """A cluster of the tree: when it was born and when points left it, as 1 / distance."""

    born: float
    left: dict[int, float] = field(default_factory=dict)
    children: list["_Branch"] = field(default_factory=list)
    mass: float = 0.0

    def points(self) -> Iterator[tuple[int, float]]:
        """Points of the branch and of all its descendants, with the density at which each left its branch."""
        todo: list[_Branch] = [self]
        while todo:
            branch = todo.pop()
            yield from branch.left.items()
            todo.extend(branch.children)


def _condensed(edges: list[Edge], count: int, smallest: int) -> _Branch:
    """The tree from the whole cloud down, in which a split with a small side is only a loss of points."""
    joined, sizes = _merges(edges, count)
    root = _Branch(0.0)
    todo = [(len(sizes) - 1, root)] if count > 1 else []
    while todo:
        node, branch = todo.pop()
        if node < count:
            branch.left[node] = _INFINITE
            continue
        distance, *sides = joined[node]
        density = 1 / distance if distance > 0 else _INFINITE
        large = [side for side in sides if sizes[side] >= smallest]
        for side in sides:
            if side not in large:
                branch.left.update(dict.fromkeys(_leaves(joined, side, count), density))
        if len(large) == 2:
            branch.children = [_Branch(density), _Branch(density)]
            todo.extend(zip(large, branch.children, strict=True))
            branch.mass += (density - branch.born) * (sizes[large[0]] + sizes[large[1]])
        elif large:
            todo.append((large[0], branch))
    return root


def _merges(edges: list[Edge], count: int) -> tuple[dict[int, tuple[float, int, int]], list[int]]:
    """The dendrogram of single linkage: what each inner node joins at which distance, and sizes of all nodes."""
    top = list(range(count))
    sizes = [1] * count
    node_of = list(range(count))
    joined: dict[int, tuple[float, int, int]] = {}

    def root(point: int) -> int:
        while top[point] != point:
            top[point] = top[top[point]]
            point = top[point]
        return point

    for distance, a, b in edges:
        a, b = root(a), root(b)
        joined[len(sizes)] = (distance, node_of[a], node_of[b])
        sizes.append(sizes[node_of[a]] + sizes[node_of[b]])
        top[b] = a
        node_of[a] = len(sizes) - 1
    return joined, sizes


def _leaves(joined: dict[int, tuple[float, int, int]], node: int, count: int) -> Iterator[int]:
    todo = [node]
    while todo:
        node = todo.pop()
        if node < count:
            yield node
        else:
            todo.extend(joined[node][1:])


def _kept(root: _Branch, count: int) -> tuple[Int[Tensor, "points"], Float[Tensor, "points"]]:
    """Labels of the branches with the largest excess of mass, and how firmly each point belongs."""
    order = [root]
    for branch in order:
        order.extend(branch.children)
    chosen: dict[int, list[_Branch]] = {}
    best: dict[int, float] = {}
    for branch in reversed(order):
        own = branch.mass + sum(left - branch.born for left in branch.left.values())
        below = sum(best[id(child)] for child in branch.children)
        deeper = [one for child in branch.children for one in chosen[id(child)]]
        keep = branch is not root and (own >= below or not branch.children)
        best[id(branch)], chosen[id(branch)] = (own, [branch]) if keep else (below, deeper)
    labels = torch.full((count,), -1)
    firmness = torch.zeros(count)
    for label, branch in enumerate(chosen[id(root)]):
        inside, densities = zip(*branch.points(), strict=True)
        highest = max([*branch.left.values(), *(child.born for child in branch.children)])
        labels[list(inside)] = label
        firmness[list(inside)] = torch.tensor([1.0 if d >= highest else d / highest for d in densities])
    return labels, firmness
