"""Q: how much the density around each atom looks like an atom's (Pintilie et al., Nat. Methods 17 (2020) 328)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..geometry import neighbour_pairs
from ..shapes import Coords
from .map import DensityMap

SIGMA = 0.6  # Å, of the reference Gaussian
SHELLS = tuple(step / 10 for step in range(1, 21))  # Å
POINTS = 8  # asked of each shell
TRIES = 50  # each with two points more than the one before
OWN = 0.9  # of a shell's radius: a point this near to another atom is not the atom's own
ABOVE, BELOW = 10.0, 1.0  # standard deviations from the map's mean to the Gaussian's top and foot
FLAT = 1e-12  # of the mean square: a variance below this is rounding
CHUNK = 1 << 22  # distances looked at together


@dataclass(frozen=True, eq=False)
class QScores:
    """Q of each atom, -1 to 1.

    Args:
        values: 0 where there is none.
        exists: Which atoms have one: not hydrogens, nor atoms around which the map is the same everywhere.
    """

    values: Float[Tensor, "*batch atoms"]
    exists: Bool[Tensor, "*batch atoms"]

    @property
    def mean(self) -> Float[Tensor, "*batch"]:
        """Mean over the atoms that have one; 0 where none has."""
        return self.values.sum(-1) / self.exists.sum(-1).clamp_min(1)

    def by_residue(self, residue_of_atom: Int[Tensor, "atoms"], residues: int) -> "QScores":
        """Means over the atoms of each residue."""
        shape = (*self.values.shape[:-1], residues)
        total = self.values.new_zeros(shape).index_add_(-1, residue_of_atom, self.values)
        count = self.values.new_zeros(shape).index_add_(-1, residue_of_atom, self.exists.to(self.values.dtype))
        return QScores(total / count.clamp_min(1), count > 0)


def q_scores(density: DensityMap, coords: Coords, scored: Bool[Tensor, "atoms"]) -> QScores:
    """Q of each atom: Pearson's correlation, about the mean, of the map around it with a Gaussian of 0.6 Å.

    The map is read between voxels at the atom and at eight points or more of each shell of 0.1 to 2.0 Å that no
    other scored atom comes near; a shell without so many such points is left out. Outside, the map reads 0.

    Args:
        density: The map.
        coords: Every atom, in Å.
        scored: Atoms that have a Q and take up room: the heavy ones.
    """
    chosen = scored.nonzero().squeeze(-1)
    points = coords.detach()[..., chosen, :].double()
    flat = points.reshape(-1, 3)
    groups = torch.arange(math.prod(coords.shape[:-2]), device=flat.device).repeat_interleave(len(chosen))
    scores, exists = coords.new_zeros(coords.shape[:-1]), torch.zeros_like(coords[..., 0], dtype=torch.bool)
    if len(flat):
        found, there = _moments(density, flat, groups).correlation()
        scores[..., chosen] = found.reshape(points.shape[:-1]).to(coords.dtype)
        exists[..., chosen] = there.reshape(points.shape[:-1])
    return QScores(scores, exists)


def _moments(density: DensityMap, points: Float[Tensor, "points 3"], groups: Int[Tensor, "points"]) -> "_Moments":
    """Moments of the map and of the Gaussian, over the samples of each atom."""
    low, high = _levels(density)
    sums = _Moments(len(points), points)
    sums.add(torch.arange(len(points), device=points.device), density.at(points), high, POINTS)
    pairs = neighbour_pairs(points, (1 + OWN) * SHELLS[-1], group=groups)
    for radius in SHELLS:
        height = (high - low) * math.exp(-0.5 * (radius / SIGMA) ** 2) + low
        near = _padded(points, pairs, (1 + OWN) * radius)
        for atoms, places, own in _shell(points, near, radius):
            values = density.at(places.reshape(-1, 3)).reshape(own.shape)
            sums.add(atoms, values, height, own)
    return sums


def _levels(density: DensityMap) -> tuple[float, float]:
    """Foot and top of the reference Gaussian."""
    values = density.density.double()
    mean, deviation = float(values.mean()), float(values.std(correction=0))
    return max(mean - BELOW * deviation, float(values.min())), min(mean + ABOVE * deviation, float(values.max()))


def _padded(
    points: Float[Tensor, "points 3"], pairs: Int[Tensor, "2 pairs"], reach: float
) -> Int[Tensor, "points most"]:
    """Atoms within reach of each, filled up with -1."""
    i, j = pairs[:, (points[pairs[0]] - points[pairs[1]]).square().sum(-1) <= reach**2]
    owner, order = torch.cat((i, j)).sort(stable=True)
    other = torch.cat((j, i))[order]
    count = torch.bincount(owner, minlength=len(points))
    start = count.cumsum(0) - count
    near = torch.full((len(points), int(count.max())), -1, device=points.device)
    near[owner, torch.arange(len(owner), device=points.device) - start[owner]] = other
    return near


def _shell(
    points: Float[Tensor, "points 3"], near: Int[Tensor, "points most"], radius: float
) -> Iterator[tuple[Int[Tensor, "some"], Float[Tensor, "some tried 3"], Bool[Tensor, "some tried"]]]:
    """Atoms, the points tried on a shell of each, and which of these are its own: eight at least."""
    waiting = torch.arange(len(points), device=points.device)
    for attempt in range(TRIES):
        directions = spiral(POINTS + 2 * attempt, points)
        width = max(1, int((near[waiting] >= 0).sum(-1).max()) if len(waiting) else 1)
        late = []
        for some in waiting.split(max(1, CHUNK // (len(directions) * width))):
            places = points[some, None] + radius * directions
            others = near[some, :width]
            apart = torch.cdist(places, points[others.clamp_min(0)], compute_mode="donot_use_mm_for_euclid_dist")
            taken = (apart < OWN * radius) & (others >= 0)[:, None]
            own = ~taken.any(-1)
            enough = own.sum(-1) >= POINTS
            if enough.any():
                yield some[enough], places[enough], own[enough]
            late.append(some[~enough])
        waiting = torch.cat(late) if late else waiting
        if not len(waiting):
            return


def spiral(count: int, like: Tensor) -> Float[Tensor, "count 3"]:
    """Evenly spread directions (Saff and Kuijlaars, Math. Intelligencer 19 (1997) 5), from -z to +z."""
    height = torch.linspace(-1.0, 1.0, count, dtype=torch.float64)
    ring = (1 - height.square()).clamp_min(0).sqrt()
    steps = torch.where(ring > 0, 3.6 / (math.sqrt(count) * ring.clamp_min(1e-9)), 0.0)
    turn = steps.cumsum(0)
    turn[-1] = 0.0
    return torch.stack((ring * turn.cos(), ring * turn.sin(), height), -1).to(like)


class _Moments:
    """Count, sums, squares and products of map and reference over the samples of each atom."""

    def __init__(self, atoms: int, like: Tensor) -> None:
        self._moments = like.new_zeros(6, atoms)

    def add(
        self, atoms: Int[Tensor, "some"], values: Tensor, height: float, weight: Bool[Tensor, "some tried"] | int
    ) -> None:
        """Samples of some atoms at one height of the reference; `weight` counts each, or says which count."""
        if isinstance(weight, int):
            count = torch.full_like(values, weight)
            total, square = weight * values, weight * values.square()
        else:
            count = weight.sum(-1).to(values.dtype)
            own = torch.where(weight, values, 0.0)
            total, square = own.sum(-1), own.square().sum(-1)
        self._moments[:, atoms] += torch.stack(
            (count, total, height * count, square, height**2 * count, height * total)
        )

    def correlation(self) -> tuple[Float[Tensor, "atoms"], Bool[Tensor, "atoms"]]:
        """Pearson's, about the means, and whether both vary; 0 where they do not."""
        count, a, b, aa, bb, ab = self._moments
        first, second = aa - a * a / count, bb - b * b / count
        exists = (first > FLAT * aa) & (second > FLAT * bb)
        power = torch.where(exists, first * second, 1.0)
        return torch.where(exists, (ab - a * b / count) / power.sqrt(), 0.0), exists
