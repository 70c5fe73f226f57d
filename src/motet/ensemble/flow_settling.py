"""Draws of the flow made sound: ideal bonds, no clashes, no backbone that proteins do not have.

Geometry comes first: bonds, overlaps and the backbone need pairs of 5 Å only, and cost a sixth of the
whole force field, which then has the last word.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..forcefield import ForceField
from ..forcefield.terms import Clash, Covalent
from ..geometry import dihedral
from ..shapes import Coords, Energies, Energy
from ..structure import Structure
from ..validation import Verdict, ramachandran
from .backbone_funnel import backbone_funnel
from .ideal_start import StiffBonds
from .minimise import minimise
from .movable import Movable
from .soundness import inspect_geometry

LONGEST_BOND = 0.015  # Å: how far a bond may be from its ideal length; files round coordinates to 0.005 Å
NEAREST = 2.1  # Å: atoms may come so near
FLAT = 0.77  # |cos ω| of a peptide bond twisted by 40°
OUTLIERS = 0.01  # share of the residues that may be Ramachandran outliers
PLANAR = 40.0  # kcal/mol: a peptide bond twisted by 90°, beside what the force field takes
LAST_WORD = 16  # one step in the whole force field to so many in geometry alone
BACKBONE = 8.0  # weight of the Ramachandran surface beside its own in the force field, while draws settle


class Settler:
    """Relaxes draws, and says which are sound.

    Args:
        structure: The start, with its atoms.
        system: The physics.
        steps: Steps of the minimisation in geometry alone.
    """

    def __init__(self, structure: Structure, system: Movable, steps: int) -> None:
        self.structure, self.system, self.steps = structure, system, steps
        where = structure.coords.device
        stiff = StiffBonds.of(structure.topology, structure.coords)
        self._stiff = stiff.chosen(system.mobile.to(where)[stiff.bonds].all(-1))
        funnel = backbone_funnel()
        self._geometry = ForceField([Covalent(), Clash(), funnel]).to(where).bind(structure)
        self._backbone = ForceField([funnel]).to(where).bind(structure)
        with torch.no_grad():
            for bound in (self._geometry, self._backbone):
                bound.force_field.weights[-1] = BACKBONE
        self._peptides = _peptides(structure)
        self._before = _cosines(structure.coords[None], self._peptides)

    def settled(self, coords: Coords) -> tuple[Coords, Bool[Tensor, "conformations"]]:
        """The draws relaxed, and which of them are sound.

        Bonds and contacts that are not yet as they should be get as many steps again. More steps seldom mend a
        backbone; to draw it again costs less.
        """
        coords = self._relaxed(coords)
        whole, proper = self._whole(coords), self._proper(coords)
        sound, mendable = whole & proper, (proper & ~whole).nonzero().squeeze(-1)
        if len(mendable):
            mended = self._relaxed(coords[mendable])
            coords = coords.index_copy(0, mendable, mended)
            sound = sound.index_copy(0, mendable, self.sound(mended))
        return coords, sound

    def sound(self, coords: Coords) -> Bool[Tensor, "conformations"]:
        """Bonds, contacts, peptide bonds and Ramachandran outliers of each conformation are as they should be."""
        return self._whole(coords) & self._proper(coords)

    def _whole(self, coords: Coords) -> Bool[Tensor, "conformations"]:
        """No bond is strained, and no atoms meet."""
        found = inspect_geometry(self.structure.with_coords(coords))
        return ((found.worst_bond <= LONGEST_BOND) & (found.closest_pair >= NEAREST)).to(coords.device)

    def _proper(self, coords: Coords) -> Bool[Tensor, "conformations"]:
        """No peptide bond is twisted, or cis where it was trans; few residues are where proteins never are."""
        now, before = _cosines(coords, self._peptides), self._before
        flat = ((now < -FLAT) | (now > FLAT) & (before > -FLAT) | (before.abs() <= FLAT)).all(-1)
        verdict = ramachandran(self.structure.topology, coords).verdict
        outliers = (verdict == Verdict.OUTLIER).sum(-1).to(coords.device)
        return flat & (outliers <= round(OUTLIERS * self.structure.n_residues))

    def _relaxed(self, coords: Coords) -> Coords:
        stages = ((self._geometry,), self.steps), ((self.system, self._backbone), -(-self.steps // LAST_WORD))
        for energies, steps in stages:
            for one in energies:
                one.forget()
            strained = self._strained(*energies)
            coords = minimise(strained, coords, mobile=self.system.mobile, max_steps=steps, tolerance=0.5).coords
        return coords

    def _strained(self, *energies: Energy) -> Energy:
        """Their sum, with stiff bonds and flat peptide bonds."""

        def strained(coords: Coords) -> Energies:
            twisted = 1 - _cosines(coords, self._peptides).square()
            held = self._stiff(coords) + PLANAR * twisted.sum(-1)
            return torch.stack([one(coords) for one in energies]).sum(0) + held

        return strained


def _peptides(structure: Structure) -> Tensor:
    """Cα, C, N and Cα of each peptide bond."""
    atoms = structure.topology.peptide_bonds[:, [0, 1, 3, 4]]
    return torch.from_numpy(atoms[(atoms >= 0).all(-1)]).to(structure.coords.device)


def _cosines(coords: Coords, peptides: Tensor) -> Float[Tensor, "conformations bonds"]:
    """Of ω: near -1 where a peptide bond is trans, near 1 where it is cis."""
    return dihedral(*(coords[..., atoms, :] for atoms in peptides.unbind(-1))).cos()
