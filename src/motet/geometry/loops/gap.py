"""A loop to be built: its residues, the fixed residues on both sides, and ideal lengths and angles."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from ...structure.ideals import ideal_angle, ideal_length, ideal_torsion
from ...structure.placement import place
from ..backbone import ideal_backbone
from ..torsion import dihedral

ATOMS = ("N", "CA", "C", "O", "CB")


@dataclass(frozen=True, eq=False)
class Gap:
    """Where a loop is missing. Lists by residue run from the fixed residue before to the one after.

    Args:
        names: Residue names: the one before, the loop's, the one after.
        before: N, CA, C and O of the residue before, in Å.
        after: N, CA and C of the residue after, in Å.
        psi_after: ψ of the residue after, in rad, where it has one.
        phi_before: φ of the residue before, in rad, where it has one.
    """

    names: tuple[str, ...]
    before: Float[Tensor, "4 3"]
    after: Float[Tensor, "3 3"]
    psi_after: float | None = None
    phi_before: float | None = None

    @property
    def length(self) -> int:
        """Residues of the loop."""
        return len(self.names) - 2

    @cached_property
    def lengths(self) -> Float[Tensor, "residues 4"]:
        """Ideal lengths C(before)-N, N-CA, CA-C and C-O of each residue, in Å."""
        return torch.from_numpy(ideal_backbone(self.names)[0]).to(self.before).unflatten(0, (-1, 4))

    @cached_property
    def angles(self) -> Float[Tensor, "residues 4"]:
        """Ideal angles CA-C-N (of the residue before), C-N-CA, N-CA-C and CA-C-O, in rad."""
        return torch.from_numpy(ideal_backbone(self.names)[1]).to(self.before).unflatten(0, (-1, 4))

    @cached_property
    def first_nitrogen(self) -> Float[Tensor, "3"]:
        """N of the first residue of the loop: in the plane of the CA, C and O before it."""
        _, ca, c, o = self.before
        return place(o, ca, c, self.lengths[1, 0], self.angles[1, 0], math.pi)

    def beta(
        self, n: Float[Tensor, "*batch 3"], ca: Float[Tensor, "*batch 3"], c: Float[Tensor, "*batch 3"]
    ) -> Float[Tensor, "*batch 3"]:
        """CB of an L-residue, where glycine has none."""
        torsion = ideal_torsion("ALA", "C", "N", "CA", "CB")
        return place(c, n, ca, ideal_length("ALA", "CA", "CB"), ideal_angle("ALA", "N", "CA", "CB"), torsion)

    def oxygen(
        self,
        residue: int,
        ca: Float[Tensor, "*batch 3"],
        c: Float[Tensor, "*batch 3"],
        following: Float[Tensor, "*batch 3"],
    ) -> Float[Tensor, "*batch 3"]:
        """O of a residue, opposite the N that follows it."""
        return place(following, ca, c, self.lengths[residue, 3], self.angles[residue, 3], math.pi)

    def torsions(
        self, atoms: Float[Tensor, "*batch residues 5 3"]
    ) -> tuple[Float[Tensor, "*batch residues"], Float[Tensor, "*batch residues"]]:
        """φ and ψ of the residues of a built loop, in rad."""
        n, ca, c = atoms[..., 0, :], atoms[..., 1, :], atoms[..., 2, :]
        batch = atoms.shape[:-3]
        c_before = torch.cat((self.before[2].expand(*batch, 1, 3), c[..., :-1, :]), dim=-2)
        n_after = torch.cat((n[..., 1:, :], self.after[0].expand(*batch, 1, 3)), dim=-2)
        return dihedral(c_before, n, ca, c), dihedral(n, ca, c, n_after)
