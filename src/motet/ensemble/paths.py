"""A path between two conformations in torsion space: closed at every frame, and relaxed until nothing clashes."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ConfigError, TopologyMismatchError
from ..geometry import InternalCoordinates, Rigid, neighbour_pairs, superpose
from ..shapes import Energies
from ..structure import Structure
from .free_minimum import free_minimum
from .ideal_start import held_with_ideal_bonds
from .landscape import Landscape
from .movable import Movable
from .soft_modes import soft_covariance_factor

STIFFNESS = (
    40.0  # kcal/mol/Å² that holds each distance between Cα atoms to its interpolated value, over their number
)
REACH = 15.0  # Å: distances of Cα atoms that are this near in one of the ends count
FIT_STEPS = 200  # of the fit to those distances
_AXES = 3


@dataclass(frozen=True, eq=False)
class Path:
    """Conformations from one state to another.

    Args:
        structure: The topology, with `frames atoms 3` coordinates in Å, superposed on the first.
        energies: Energy of each frame, in kcal/mol.
        progress: How far each frame is, from 0 to 1.
    """

    structure: Structure
    energies: Float[Tensor, "frames"]
    progress: Float[Tensor, "frames"]

    @property
    def coords(self) -> Float[Tensor, "frames atoms 3"]:
        """Coordinates of all frames, in Å."""
        return self.structure.coords

    @property
    def barrier(self) -> float:
        """Highest energy on the way above that of the start, in kcal/mol: of this path, not of the best one."""
        return float(self.energies.max() - self.energies[0])


def path_between(
    start: Structure, end: Structure, system: Movable, frames: int = 20, *, relax_steps: int = 60
) -> Path:
    """A path from one conformation to another whose bonds keep their length at every frame.

    Both ends are first brought to ideal bonds. Angles and rigid torsions go over linearly; the free torsions begin
    on the shorter way round, are fitted to distances between Cα atoms that go over linearly (after the
    interpolated elastic network of Kim, Jernigan and Chirikjian, Biophys. J. 83 (2002) 1620), and are then relaxed
    in the energy with those distances held, so that clashes give way. Fit and relaxation take place in torsions:
    nothing breaks.

    Args:
        start: One conformation.
        end: Another one of the same atoms.
        system: Their energy.
        frames: Conformations of the path, ends included.
        relax_steps: Steps of the relaxation in the energy; none keeps the fitted path.

    Raises:
        ConfigError: Fewer than two frames, or an end with several models.
        TopologyMismatchError: The ends are not of the same atoms.
    """
    if frames < 2 or start.n_models != 1 or end.n_models != 1:
        raise ConfigError("a path needs two frames or more, and ends of one model each; choose with `.model(0)`.")
    if start.topology != end.topology:
        raise TopologyMismatchError(start.n_atoms, end.n_atoms, "the end of a path")
    topology, precision = start.topology, start.coords.dtype
    system.forget()
    first, last = (
        held_with_ideal_bonds(system.mobile, topology, one.coords.reshape(-1, 3)) for one in (start, end)
    )
    carbons = torch.from_numpy(topology.atom_index("CA")[topology.residue_kinds == "protein"])
    carbons = carbons[carbons >= 0].to(first.device)
    free = bool(system.mobile.all())  # nothing stands still, so the whole may be turned
    last = _fitted(last[None], first, carbons)[0] if free else last
    progress = torch.linspace(0, 1, frames, dtype=torch.float64, device=first.device)
    landscape = _between(Landscape.of(topology, system, first, precision), first, last, progress)
    goal = _Distances.of(first[carbons], last[carbons], carbons, progress)
    q = _settled(landscape, first, goal, relax_steps)
    coords = landscape.atoms(q)
    coords = _fitted(coords, first, carbons) if free else coords
    with torch.no_grad():
        energies = system(coords.to(precision))
    return Path(start.with_coords(coords.to(precision)), energies, progress.to(precision))


@dataclass(frozen=True, eq=False)
class _Distances:
    """½ k of the mean square deviation of Cα distances from goals, times the number of atoms."""

    pairs: Int[Tensor, "2 pairs"]
    goals: Float[Tensor, "frames pairs"]
    share: float

    @classmethod
    def of(cls, first: Tensor, last: Tensor, carbons: Tensor, progress: Float[Tensor, "frames"]) -> "_Distances":
        """Goals on the straight line between the distances of both ends."""
        near = torch.cat([neighbour_pairs(end, REACH) for end in (first, last)], dim=1).unique(dim=1)
        here, there = ((end[near[0]] - end[near[1]]).norm(dim=-1) for end in (first, last))
        goals = here + progress[:, None] * (there - here)
        return cls(carbons[near], goals, STIFFNESS * len(carbons) / max(near.shape[1], 1))

    def __call__(self, coords: Float[Tensor, "frames atoms 3"]) -> Float[Tensor, "frames"]:
        """What each frame pays, in kcal/mol."""
        apart = coords.index_select(-2, self.pairs[0]) - coords.index_select(-2, self.pairs[1])
        strain = (apart.square().sum(-1) + 1e-9).sqrt() - self.goals
        return 0.5 * self.share * strain.square().sum(-1)


def _between(landscape: Landscape, first: Tensor, last: Tensor, progress: Float[Tensor, "frames"]) -> Landscape:
    """The landscape whose reference goes from one end to the other, a frame each."""
    articulation, tree = landscape.articulation, landscape.articulation.tree
    here, there = (InternalCoordinates.from_cartesian(tree, end) for end in (first, last))
    t = progress[:, None]
    turn = torch.remainder(there.torsions - here.torsions + math.pi, 2 * math.pi) - math.pi
    mean = InternalCoordinates(
        tree,
        here.lengths + t * (there.lengths - here.lengths),
        here.angles + t * (there.angles - here.angles),
        here.torsions + t * turn,
        _poses_between(here.roots, there.roots, progress),
    )
    return replace(landscape, articulation=replace(articulation, reference=mean))


def _poses_between(first: Rigid, last: Rigid, progress: Float[Tensor, "frames"]) -> Rigid:
    """The same rotation axis all the way, and a straight shift."""
    turn = last.rotation @ first.rotation.mT
    vector = _rotation_vector(turn)
    x, y, z = (progress[:, None, None] * vector).unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).unflatten(-1, (_AXES, _AXES))
    shift = progress[:, None, None] * (last.translation - first.translation)
    return Rigid(torch.matrix_exp(skew) @ first.rotation, first.translation + shift)


def _rotation_vector(rotation: Float[Tensor, "roots 3 3"]) -> Float[Tensor, "roots 3"]:
    """Axis times angle of proper rotations, of the eigenvector that stays: sound up to half a turn."""
    quaternion = _quaternion(rotation)
    size = quaternion[:, 1:].norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(size, quaternion[:, :1])
    return quaternion[:, 1:] * torch.where(size > 1e-12, angle / size.clamp_min(1e-12), 2.0)


def _quaternion(rotation: Float[Tensor, "roots 3 3"]) -> Float[Tensor, "roots 4"]:
    """Unit quaternion, real part first and not negative, from the largest of its four squares."""
    m = rotation
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    a, b, c = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    d, e, f = m[:, 1, 0] + m[:, 0, 1], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] + m[:, 1, 2]
    rows = (
        (1 + xx + yy + zz, a, b, c),
        (a, 1 + xx - yy - zz, d, e),
        (b, d, 1 - xx + yy - zz, f),
        (c, e, f, 1 - xx - yy + zz),
    )
    four = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=1)
    best = four.diagonal(dim1=1, dim2=2).argmax(-1)
    chosen = four[torch.arange(len(four), device=four.device), best]
    chosen = chosen / chosen.norm(dim=-1, keepdim=True)
    return torch.where(chosen[:, :1] < 0, -chosen, chosen)


def _settled(landscape: Landscape, first: Tensor, goal: _Distances, relax_steps: int) -> Tensor:
    """Free coordinates of every frame after fit and relaxation; the ends stay as they are."""
    articulation, frames = landscape.articulation, len(goal.goals)
    ends = replace(articulation, reference=InternalCoordinates.from_cartesian(articulation.tree, first))
    factor = soft_covariance_factor(ends, first, landscape.ties, landscape.tie_stiffness)
    inner = torch.ones(frames, dtype=torch.float64, device=first.device)
    inner[0] = inner[-1] = 0.0

    def free(soft: Tensor) -> Tensor:
        return (soft @ factor.mT) * inner[:, None]

    def fit(soft: Tensor) -> Energies:
        return goal(landscape.atoms(free(soft)))

    def energy(soft: Tensor) -> Energies:
        at = landscape.atoms(free(soft))
        return goal(at) + landscape.energy(free(soft), at)

    soft = free_minimum(fit, articulation.zeros(frames), FIT_STEPS)
    if relax_steps:
        landscape.system.forget()
        soft = free_minimum(energy, soft, relax_steps)
    return free(soft)


def _fitted(coords: Float[Tensor, "frames atoms 3"], onto: Tensor, carbons: Tensor) -> Tensor:
    """Each frame superposed by its Cα atoms."""
    motion = superpose(coords[:, carbons], onto[carbons].expand(len(coords), -1, -1))
    return motion.apply(coords)
