"""Short peptides, and energies whose torsion densities are known."""

import torch

from motet.geometry import backbone_from_torsions
from motet.structure import structure_from_backbone


class Free:
    """No energy at all: torsions are uniform, unless a chain must close."""

    names: tuple[str, ...] = ("nothing",)

    def __init__(self, atoms):
        self.masses = torch.full((atoms,), 14.0, dtype=torch.float64)
        self.mobile = torch.ones(atoms, dtype=torch.bool)

    def __call__(self, coords):
        return coords[..., 0].sum(-1) * 0.0

    def terms(self, coords):
        return self(coords)[..., None]

    def forget(self):
        pass


class Toward(Free):
    """A harmonic spring between two atoms: couples every torsion between them."""

    def __init__(self, atoms, pair, length, stiffness):
        super().__init__(atoms)
        self.pair, self.length, self.stiffness = pair, length, stiffness

    def __call__(self, coords):
        apart = (coords[..., self.pair[0], :] - coords[..., self.pair[1], :]).square().sum(-1)
        return 0.5 * self.stiffness * ((apart + 1e-12).sqrt() - self.length).square()


def peptide(sequence, phi=-1.2, psi=-0.8):
    """A peptide with these torsions everywhere, side chains built, in float64."""
    count = len(sequence)
    atoms = backbone_from_torsions(torch.full((count,), phi), torch.full((count,), psi))
    return structure_from_backbone(sequence, atoms.float()).completed().to(torch.float64)
