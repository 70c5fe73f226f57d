"""Everything that can be said of a model by its coordinates alone, residue by residue and in one number each."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import NoProteinError
from ..structure import Structure
from ..structure.hydrogens import with_hydrogens
from .cbeta import CBeta, cbeta
from .clashes import Clashes, clashes
from .covalent import Departures, Peptide, angles, bonds, mirrored, peptides
from .ramachandran import Ramachandran, ramachandran
from .rotamers import Rotamers, rotamers
from .verdicts import Verdict, share_of


@dataclass(frozen=True)
class Summary:
    """One conformation in numbers.

    Args:
        ramachandran_favoured: In percent of the judged residues.
        ramachandran_outliers: In percent.
        rotamer_favoured: In percent of the judged side chains.
        rotamer_outliers: In percent.
        clashscore: Overlaps of 0.4 Å or more in 1,000 atoms, hydrogens included.
        molprobity_score: About the resolution, in Å, at which so sound a model is usual.
        cbeta_outliers: Number of Cβ 0.25 Å or more from their place.
        bond_outliers: Number of bonds more than four standard deviations off.
        angle_outliers: Number of angles more than four standard deviations off.
        bond_rmsd: From ideal lengths, in Å.
        angle_rmsd_degrees: From ideal angles, in degrees.
        cis_peptides: Number of cis bonds before another residue than proline.
        twisted_peptides: Number of peptide bonds more than 30 degrees out of their plane.
        mirrored: Number of residues with a centre of the wrong hand.
    """

    ramachandran_favoured: float
    ramachandran_outliers: float
    rotamer_favoured: float
    rotamer_outliers: float
    clashscore: float
    molprobity_score: float
    cbeta_outliers: int
    bond_outliers: int
    angle_outliers: int
    bond_rmsd: float
    angle_rmsd_degrees: float
    cis_peptides: int
    twisted_peptides: int
    mirrored: int


@dataclass(frozen=True, eq=False)
class Validation:
    """What was found, conformation by conformation; every batch shape is laid out flat as `models`.

    Args:
        structure: The structure as it was given.
        ramachandran: φ and ψ.
        rotamers: Side chains.
        cbeta: Places of Cβ.
        omega: Torsion of the bond to the residue before, in rad.
        peptide: What that bond is, a `Peptide`.
        mirrored: Residues with a centre of the wrong hand.
        bonds: Bond lengths.
        angles: Bond angles.
        clashes: Overlaps of atoms, with hydrogens placed anew.
    """

    structure: Structure
    ramachandran: Ramachandran
    rotamers: Rotamers
    cbeta: CBeta
    omega: Float[Tensor, "models residues"]
    peptide: Int[Tensor, "models residues"]
    mirrored: Tensor
    bonds: Departures
    angles: Departures
    clashes: Clashes

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """The numbers of each conformation."""
        favoured, outliers = (
            [share_of(one.verdict, verdict).tolist() for one in (self.ramachandran, self.rotamers)]
            for verdict in (Verdict.FAVOURED, Verdict.OUTLIER)
        )
        proline = torch.from_numpy(self.structure.topology.residue_names == "PRO").to(self.peptide.device)
        counts = (
            self.cbeta.outlier.sum(-1),
            self.bonds.outlier.sum(-1),
            self.angles.outlier.sum(-1),
            ((self.peptide == int(Peptide.CIS)) & ~proline).sum(-1),
            (self.peptide == int(Peptide.TWISTED)).sum(-1),
            self.mirrored.sum(-1),
        )
        columns = zip(
            favoured[0],
            outliers[0],
            favoured[1],
            outliers[1],
            self.clashes.score.tolist(),
            self.bonds.rmsd.tolist(),
            self.angles.rmsd.rad2deg().tolist(),
            *(count.tolist() for count in counts),
            strict=True,
        )
        return tuple(_summary(*row) for row in columns)

    @cached_property
    def clashes_of_residue(self) -> Int[Tensor, "models residues"]:
        """Clashes that each residue has a part in."""
        return self._by_residue(torch.ones_like(self.clashes.overlap, dtype=torch.int64), "sum")

    @cached_property
    def overlap_of_residue(self) -> Float[Tensor, "models residues"]:
        """Worst overlap of each residue, in Å; 0 where there is no clash."""
        return self._by_residue(self.clashes.overlap, "amax")

    @cached_property
    def bond_z(self) -> Float[Tensor, "models residues"]:
        """Largest departure of a bond of each residue, in standard deviations."""
        return self._largest(self.bonds)

    @cached_property
    def angle_z(self) -> Float[Tensor, "models residues"]:
        """Largest departure of an angle of each residue, in standard deviations."""
        return self._largest(self.angles)

    def _by_residue(self, values: Tensor, reduce: str) -> Tensor:
        """Values of clashes gathered on both their residues, on one where they are the same."""
        residue = torch.from_numpy(self.clashes.topology.residue_of_atom.copy())[self.clashes.atoms]
        count = self.structure.n_residues
        flat = values.new_zeros(len(self.clashes.score) * count)
        apart = residue[:, 0] != residue[:, 1]
        for side, some in ((0, slice(None)), (1, apart)):
            index = self.clashes.model[some] * count + residue[some, side]
            flat = flat.scatter_reduce(0, index, values[some], reduce)
        return flat.reshape(-1, count)

    def _largest(self, departures: Departures) -> Tensor:
        residue = torch.from_numpy(self.structure.topology.residue_of_atom.copy()).to(departures.atoms.device)
        z = departures.z.abs()
        largest = z.new_zeros((len(z), self.structure.n_residues))
        for corner in departures.atoms.unbind(-1):
            largest = largest.scatter_reduce(-1, residue[corner].expand(z.shape), z, "amax")
        return largest


def validated(structure: Structure) -> Validation:
    """Judge every conformation of a structure as MolProbity would (Williams et al., Protein Sci. 27 (2018) 293).

    Missing atoms are not built: what lacks one is not judged. Hydrogens are left out and placed anew.

    Raises:
        NoProteinError: There is no protein residue.
    """
    topology = structure.topology
    if not (topology.residue_kinds == "protein").any():
        raise NoProteinError(structure.name)
    coords = structure.coords.detach().reshape(-1, structure.n_atoms, 3)
    omega, peptide = peptides(topology, coords)
    bare = structure.with_coords(coords).without_hydrogens()
    whole = with_hydrogens(bare)
    return Validation(
        structure,
        ramachandran(topology, coords),
        rotamers(topology, coords),
        cbeta(topology, coords),
        omega,
        peptide,
        mirrored(topology, coords),
        bonds(topology, coords),
        angles(topology, coords),
        clashes(whole.topology, whole.coords.cpu()),
    )


def molprobity_score(clashscore: float, rotamer_outliers: float, ramachandran_favoured: float) -> float:
    """One number for three, the outliers and the favoured in percent (Chen et al., Acta Cryst. D66 (2010) 12)."""
    return (
        0.426 * math.log1p(clashscore)
        + 0.33 * math.log1p(max(0.0, rotamer_outliers - 1))
        + 0.25 * math.log1p(max(0.0, 100 - ramachandran_favoured - 2))
        + 0.5
    )


def _summary(
    ramachandran_favoured: float,
    ramachandran_outliers: float,
    rotamer_favoured: float,
    rotamer_outliers: float,
    clashscore: float,
    bond_rmsd: float,
    angle_rmsd: float,
    *counts: int,
) -> Summary:
    cbeta_outliers, bond_outliers, angle_outliers, cis, twisted, mirrors = counts
    return Summary(
        ramachandran_favoured,
        ramachandran_outliers,
        rotamer_favoured,
        rotamer_outliers,
        clashscore,
        molprobity_score(clashscore, rotamer_outliers, ramachandran_favoured),
        cbeta_outliers,
        bond_outliers,
        angle_outliers,
        bond_rmsd,
        angle_rmsd,
        cis,
        twisted,
        mirrors,
    )
