"""The room that a loop has: among the fixed atoms, and within itself."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .clearance import Clearance
from .gap import ATOMS, Gap

# Hard radii, in Å: two atoms closer than the sum of theirs, less `OVERLAP`, are taken to clash. They let hydrogen
# bonds pass.
_RADII = {"C": 1.6, "N": 1.4, "O": 1.35, "S": 1.7}
_OTHER = 1.4
OVERLAP = 0.2
_KINDS = ("C", "N", "O")
_KIND_OF_ATOM = tuple(_KINDS.index(name[0]) for name in ATOMS)
_REACH = 3.8  # Å, from one CA to the next
_SIDE = 1.6  # Å, from CA to CB


@dataclass(frozen=True, eq=False)
class Room:
    """Which loop atoms fit.

    Args:
        gap: The loop.
        clearance: The fixed surroundings.
    """

    gap: Gap
    clearance: Clearance

    @classmethod
    def of(cls, gap: Gap, atoms: Float[Tensor, "atoms 3"], elements: list[str]) -> "Room":
        """The room between fixed atoms; those of the residues next to the loop are left out, but for their CA.

        Args:
            gap: The loop.
            atoms: The atoms that stand still, in Å, without those of the two residues next to the loop.
            elements: Their elements.
        """
        ends = torch.stack((gap.before[1], gap.after[1]))
        atoms = torch.cat((atoms, ends.to(atoms)))
        radii = atoms.new_tensor([_RADII.get(one, _OTHER) for one in elements] + [_RADII["C"]] * 2)
        probes = atoms.new_tensor([_RADII[kind] for kind in _KINDS])
        slack = (_REACH * (gap.length + 1) - (ends[1] - ends[0]).norm()).clamp_min(0) / 2 + 2 * _SIDE
        low, high = ends.amin(0) - slack, ends.amax(0) + slack
        return cls(gap, Clearance.of(atoms, probes[:, None] + radii, low, high))

    def free(self, atoms: Float[Tensor, "*batch residues 5 3"], first: int) -> Float[Tensor, "*batch residues 5"]:
        """Room of each atom of some loop residues among the fixed atoms, in Å.

        Args:
            atoms: N, CA, C, O and CB of successive residues.
            first: The first of them; 1 is the first of the loop.
        """
        kinds = torch.tensor(_KIND_OF_ATOM, device=atoms.device)
        room = self.clearance.at(atoms, kinds)
        last = first + atoms.shape[-3] - 1
        # The atoms bonded to the fixed ends, and those two bonds away, are as near as they must be.
        if first == 1:
            room[..., 0, :2] = torch.inf
        if last == self.gap.length:
            room[..., -1, 1:4] = torch.inf
        room[..., self.glycines[first : last + 1], 4] = torch.inf
        return room

    @property
    def glycines(self) -> Bool[Tensor, "residues"]:
        """Which residues have no CB."""
        return torch.tensor([name == "GLY" for name in self.gap.names], device=self.gap.before.device)

    def within(
        self,
        left: Float[Tensor, "*batch residues 5 3"],
        right: Float[Tensor, "*batch others 5 3"],
        first_left: int,
        first_right: int,
    ) -> Float[Tensor, "*batch"]:
        """Least room between two stretches of the loop, in Å; neighbours in sequence are not compared."""
        radii = left.new_tensor([_RADII[_KINDS[kind]] for kind in _KIND_OF_ATOM])
        n_left, n_right = left.shape[-3], right.shape[-3]
        contact = (radii[:, None] + radii).repeat(n_left, n_right)
        i = torch.arange(n_left, device=left.device) + first_left
        j = torch.arange(n_right, device=left.device) + first_right
        apart = (i[:, None] - j).abs() > 1
        seen = apart.repeat_interleave(5, 0).repeat_interleave(5, 1)
        beta = torch.arange(5, device=left.device) == 4
        absent_left = (self.glycines[i][:, None] & beta).flatten()
        absent_right = (self.glycines[j][:, None] & beta).flatten()
        seen = seen & ~absent_left[:, None] & ~absent_right
        distance = torch.cdist(left.flatten(-3, -2), right.flatten(-3, -2))
        return torch.where(seen, distance - contact, torch.inf).amin((-2, -1))
