"""Moves that keep both ends: torsions inside a window turn, and three residues close the chain again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...geometry import angle, dihedral, distance
from ...geometry.loops import Closures, close_tripeptide
from ..dice import Dice
from ..landscape import Landscape
from .move import Proposal, Walkers, metropolis

NEARNESS = 0.3  # Å: closures are tried in proportion to exp(-RMSD/nearness) to where the residues were
OMEGA_SHARE = 0.1  # of the turn of φ and ψ
_SAME = 1e-3  # Å
_LONGEST_LOOP = 4  # residues from one closing residue to the next


@dataclass(frozen=True, eq=False)
class _Backbone:
    """Residues that can close a chain, in order, and the atoms and coordinates of all residues."""

    closing: Int[Tensor, "closing"]
    segment: Int[Tensor, "closing"]
    atoms: Int[Tensor, "residues 3"]
    phi: Int[Tensor, "residues"]
    psi: Int[Tensor, "residues"]
    omega: Int[Tensor, "residues"]

    @classmethod
    def of(cls, landscape: Landscape) -> "_Backbone":
        """Residues with free φ and ψ close: not the first and last of a chain, and no proline."""
        articulation, topology = landscape.articulation, landscape.topology
        tree, device = articulation.tree, articulation.torsions.device
        place = torch.full((topology.n_atoms + 1,), -1, device=device)
        place[articulation.torsions] = torch.arange(len(articulation.torsions), device=device)
        phi, psi, omega = place[tree.phi], place[tree.psi], place[tree.omega]  # -1 reads the last, which is -1
        atoms = torch.from_numpy(topology.backbone[:, :3].copy()).to(device)
        closing = ((phi >= 0) & (psi >= 0)).nonzero().squeeze(-1)
        return cls(closing, tree.tree_of_atom[atoms[closing, 1]], atoms, phi, psi, omega)

    def windows(self, spans: Sequence[int]) -> Int[Tensor, "windows 3"]:
        """Every three closing residues of one chain, the next one so many closing residues further."""
        apart = torch.tensor([(0, one, one + two) for one in spans for two in spans], device=self.closing.device)
        if not apart.numel():
            return self.closing.new_zeros(0, 3)
        place = (torch.arange(len(self.closing), device=apart.device)[:, None, None] + apart).flatten(0, 1)
        place = place[place[:, 2] < len(self.closing)]
        segment = self.segment[place]
        return self.closing[place[segment[:, 0] == segment[:, 2]]]


@dataclass(frozen=True, eq=False)
class Closure:
    """Torsions beside three closing residues turn by normal angles; the six of those residues make up for it.

    All solutions of the new problem are found, and of the old one: a solution is chosen in proportion to how near
    it is, and the chance of the way back is known too. The density of torsions on the closed chains is 1/J6, with
    J6 the determinant of the pose of the end by the six torsions (Dodd, Boone, Theodorou, Mol. Phys. 78 (1993)
    961), so the move is accepted with

        min(1, exp(-ΔE/kT) · (J6 old / J6 new) · (chance back / chance there)).

    With equal chances the last factor is the ratio of the numbers of solutions. Choosing by nearness is our own.

    Args:
        backbone: The residues.
        windows: Three closing residues of one chain, each tried equally often.
        name: `loop` for windows of a few residues, `hinge` for rigid pieces between distant ones.
    """

    backbone: _Backbone
    windows: Int[Tensor, "windows 3"]
    name: str
    first_size: float
    wanted: float | None = 0.35
    largest_size: float = math.pi

    @classmethod
    def loops(cls, landscape: Landscape) -> "Closure | None":
        """Windows of three to nine residues; None where no chain is long enough."""
        return cls._of(landscape, range(1, _LONGEST_LOOP + 1), "loop", 0.03)

    @classmethod
    def hinges(cls, landscape: Landscape) -> "Closure | None":
        """Two rigid pieces between three hinges anywhere in a chain; None where no chain is long enough."""
        longest = len(_Backbone.of(landscape).closing) // 2
        doubling = [round(2 ** (step / 2)) for step in range(5, 2 * max(longest, 1).bit_length() + 1)]
        return cls._of(landscape, [span for span in doubling if span <= longest], "hinge", 0.005)

    @classmethod
    def _of(cls, landscape: Landscape, spans: Sequence[int], name: str, first_size: float) -> "Closure | None":
        backbone = _Backbone.of(landscape)
        windows = backbone.windows(spans)
        return cls(backbone, windows, name, first_size) if len(windows) else None

    def step(
        self, landscape: Landscape, walkers: Walkers, size: Float[Tensor, "walkers"], dice: Dice
    ) -> tuple[Walkers, Float[Tensor, "walkers"]]:
        """One window a walker."""
        return metropolis(landscape, walkers, self.propose(landscape, walkers.q, size, dice), dice)

    def propose(
        self, landscape: Landscape, q: Float[Tensor, "walkers free"], size: Float[Tensor, "walkers"], dice: Dice
    ) -> Proposal:
        """A window, chosen without a look at the conformation, a turn inside it, and one way to close it again."""
        count = len(self.windows)
        residues = self.windows[(dice.uniform(1).squeeze(-1) * count).long().clamp_max(count - 1)]
        turn = dice.normal(q.shape[-1]) * size[:, None] * self._share(residues, q)
        return Proposal(*self._closed(landscape, q, q + turn, residues, dice.uniform(1)))

    def _share(self, residues: Int[Tensor, "walkers 3"], q: Tensor) -> Float[Tensor, "walkers free"]:
        """How much each coordinate turns: those of the residues next to the closing ones, inside the window."""
        backbone, (first, middle, last) = self.backbone, residues.unbind(-1)
        share = q.new_zeros(len(q), q.shape[-1] + 1)  # the last place takes what does not exist
        count = len(backbone.phi) - 1
        for beside in (first + 1, middle - 1, middle + 1, last - 1):
            between = (beside > first) & (beside < last) & (beside != middle)
            at = beside.clamp(0, count)
            for slots in (backbone.phi, backbone.psi):
                share.scatter_(1, torch.where(between, slots[at], -1)[:, None] % share.shape[1], 1.0)
        for after in (first, middle - 1, middle, last - 1):
            share.scatter_(1, backbone.omega[after.clamp(0, count)][:, None] % share.shape[1], OMEGA_SHARE)
        return share[:, :-1]

    def _closed(
        self, landscape: Landscape, old: Tensor, turned: Tensor, residues: Int[Tensor, "moving 3"], toss: Tensor
    ) -> tuple[Float[Tensor, "moving free"], Float[Tensor, "moving"], Bool[Tensor, "moving"]]:
        """Coordinates of the chosen closure, the log of its Hastings and Jacobian factors, and which exist."""
        backbone = self.backbone
        nine = backbone.atoms[residues].flatten(1)
        before, after = backbone.atoms[residues[:, 0] - 1, 2], backbone.atoms[residues[:, 2] + 1, 0]
        eleven = torch.cat((before[:, None], nine, after[:, None]), dim=1)[..., None].expand(-1, -1, 3)
        was, open_ = (landscape.atoms(at).gather(1, eleven) for at in (old, turned))
        both = _solutions(torch.cat((was, open_)), torch.cat((was, was)))
        here, there = (
            _Choice.of(both, half, was[:, 1:10]) for half in (slice(0, len(old)), slice(len(old), None))
        )
        own = here.apart.argmin(-1)
        known = here.apart.gather(1, own[:, None]).squeeze(-1) < _SAME
        chosen = (there.chance.cumsum(-1) <= toss).sum(-1).clamp_max(there.chance.shape[-1] - 1)
        pick = chosen[:, None]
        new = there.coords.gather(1, pick[..., None, None].expand(-1, 1, 9, 3)).squeeze(1)
        back = _chances(_apart(here.coords, new), here.exists).gather(1, own[:, None])
        forth = there.chance.gather(1, pick)
        jacobians = here.jacobian.gather(1, own[:, None]) / there.jacobian.gather(1, pick).clamp_min(1e-12)
        log_ratio = (jacobians * back / forth.clamp_min(1e-300)).clamp_min(1e-300).log().squeeze(-1)
        whole = torch.cat((was[:, :1], new, was[:, 10:]), dim=1)
        slots = torch.stack((backbone.phi[residues], backbone.psi[residues]), dim=-1).flatten(1)
        change = _six(whole) - _six(open_)
        change = torch.remainder(change + math.pi, 2 * math.pi) - math.pi
        found = known & there.exists.gather(1, pick).squeeze(-1)
        return turned.scatter_add(1, slots, change), torch.where(found, log_ratio, 0.0), found


@dataclass(frozen=True, eq=False)
class _Choice:
    """Closures of one problem a walker, how far each is from where the residues are, and how likely its choice."""

    coords: Float[Tensor, "walkers solutions 9 3"]
    exists: Bool[Tensor, "walkers solutions"]
    jacobian: Float[Tensor, "walkers solutions"]
    apart: Float[Tensor, "walkers solutions"]
    chance: Float[Tensor, "walkers solutions"]

    @classmethod
    def of(cls, found: Closures, half: slice, now: Float[Tensor, "walkers 9 3"]) -> "_Choice":
        coords, exists = found.coords[half].detach(), found.exists[half]
        apart = torch.where(exists, _apart(coords, now), torch.inf)
        return cls(coords, exists, found.torsion_jacobian[half].detach(), apart, _chances(apart, exists))


def _solutions(shape: Float[Tensor, "problems 11 3"], ends: Float[Tensor, "problems 11 3"]) -> Closures:
    """Every closure of residues with the inner geometry of `shape` between the ends of `ends`."""
    n1, a1, c1, n2, a2, c2, n3, a3, c3 = shape[:, 1:10].unbind(1)
    steps = ((a1, c1), (c1, n2), (n2, a2), (a2, c2), (c2, n3), (n3, a3))
    corners = (n1, a1, c1), (a1, c1, n2), (c1, n2, a2), (n2, a2, c2), (a2, c2, n3), (c2, n3, a3), (n3, a3, c3)
    return close_tripeptide(
        torch.stack([distance(*ends_) for ends_ in steps], dim=-1),
        torch.stack([angle(*three) for three in corners], dim=-1),
        torch.stack((dihedral(a1, c1, n2, a2), dihedral(a2, c2, n3, a3)), dim=-1),
        ends[:, (1, 2, 8, 9)],
    )


def _six(points: Float[Tensor, "walkers 11 3"]) -> Float[Tensor, "walkers 6"]:
    """φ1 ψ1 φ2 ψ2 φ3 ψ3 of the C before, nine atoms, and the N after; ψ by the next piece's first atom."""
    four = ((0, 1, 2, 3), (1, 2, 3, 4), (3, 4, 5, 6), (4, 5, 6, 7), (6, 7, 8, 9), (7, 8, 9, 10))
    return torch.stack([dihedral(*(points[:, k] for k in one)) for one in four], dim=-1)


def _apart(
    coords: Float[Tensor, "walkers solutions 9 3"], now: Float[Tensor, "walkers 9 3"]
) -> Float[Tensor, "walkers solutions"]:
    """Root mean square distance, in Å, without superposition: the ends stand still."""
    return (coords - now[:, None]).square().sum(-1).mean(-1).sqrt()


def _chances(apart: Tensor, exists: Bool[Tensor, "walkers solutions"]) -> Float[Tensor, "walkers solutions"]:
    """Probability of each solution, by its nearness; zeros where there is none."""
    weight = torch.where(exists, (-apart / NEARNESS).exp(), 0.0)
    return weight / weight.sum(-1, keepdim=True).clamp_min(1e-300)
