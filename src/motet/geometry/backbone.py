"""The protein backbone: its torsions, and its atoms from them."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..chem import tabled_angle, tabled_length
from ..errors import ConfigError
from ..shapes import Coords
from ..structure import Topology
from .internal import InternalCoordinates
from .rigid import Rigid
from .torsion import dihedral
from .tree import Tree


class BackboneTorsions(NamedTuple):
    """φ, ψ and ω of each residue, in radians, and which of the three exist; the others read 0."""

    phi: Float[Tensor, "*batch residues"]
    psi: Float[Tensor, "*batch residues"]
    omega: Float[Tensor, "*batch residues"]
    exists: Bool[Tensor, "residues 3"]


def backbone_torsions(topology: Topology, coords: Coords) -> BackboneTorsions:
    """φ, ψ and ω of each residue; there are none at chain ends, at breaks, and where an atom is missing.

    ω is the torsion about the bond from the residue's C to the next residue's N.
    """
    n, ca, c = (topology.atom_index(name) for name in ("N", "CA", "C"))
    c_before = np.where(topology.follows, np.roll(c, 1), -1)
    followed = np.roll(topology.follows, -1)  # the first residue follows none
    n_after, ca_after = (np.where(followed, np.roll(atom, -1), -1) for atom in (n, ca))
    quartets = ((c_before, n, ca, c), (n, ca, c, n_after), (ca, c, n_after, ca_after))
    atoms = torch.from_numpy(np.stack([np.stack(four) for four in quartets])).to(coords.device)
    exists = (atoms >= 0).all(1)
    torsions = dihedral(*(coords[..., atom, :] for atom in atoms.clamp_min(0).unbind(1)))
    phi, psi, omega = torch.where(exists, torsions, 0.0).unbind(-2)
    return BackboneTorsions(phi, psi, omega, exists.mT)


def backbone_from_torsions(
    phi: Float[Tensor, "*#batch residues"],
    psi: Float[Tensor, "*#batch residues"],
    omega: Float[Tensor, "*#batch residues"] | None = None,
    names: Sequence[str] | None = None,
) -> Float[Tensor, "*batch residues 4 3"]:
    """N, CA, C and O of a chain with ideal bonds and angles (Engh and Huber), in Å; the first N at the origin.

    The first φ only turns the whole, and the last ω is not used.

    Args:
        phi: Torsions C-N-CA-C, in radians.
        psi: Torsions N-CA-C-N, in radians; the last one turns the last O.
        omega: Torsions CA-C-N-CA about the bond to the next residue, in radians; all trans by default.
        names: Residue names; alanine by default.

    Raises:
        ConfigError: The names are not one for each residue.
    """
    count = phi.shape[-1]
    names = ("ALA",) * count if names is None else tuple(names)
    if len(names) != count:
        raise ConfigError(f"{len(names)} residue names for {count} residues; give one for each.")
    trans = torch.full_like(phi, math.pi)
    phi, psi, turns = torch.broadcast_tensors(phi, psi, trans if omega is None else omega)
    lengths, angles = (torch.from_numpy(values).to(phi) for values in ideal_backbone(names))
    psi_before, omega_before = (
        torch.nn.functional.pad(torsion[..., :-1], (1, 0))[..., :count] for torsion in (psi, turns)
    )
    oxygen = math.pi + torch.nn.functional.pad(psi[..., -1:], (max(count - 1, 0), 0))
    torsions = torch.stack((psi_before, omega_before, phi, oxygen), dim=-1)
    roots = Rigid.identity((*phi.shape[:-1], min(count, 1)), dtype=phi.dtype, device=phi.device)
    tree = _chain(count).to(phi.device)
    internal = InternalCoordinates(tree, lengths, angles, torsions.flatten(-2), roots)
    return internal.to_cartesian().unflatten(-2, (count, 4))


@lru_cache(maxsize=16)
def _chain(residues: int) -> Tree:
    """The tree N → CA → C → next N, with O beside the next N."""
    parent = np.arange(4 * residues).reshape(-1, 4) - 1
    parent[1:, 0] = parent[:-1, 3]
    atoms = np.arange(4 * residues).reshape(-1, 4)
    placed = np.concatenate((atoms[:, :3].ravel(), atoms[:, 3]))
    return Tree.from_parents(parent.ravel().tolist(), placed.tolist())


@lru_cache(maxsize=16)
def ideal_backbone(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Length to the parent and angle at it, of N, CA, C and O of each residue."""
    lengths, angles = np.zeros((len(names), 4)), np.full((len(names), 4), math.pi / 2)
    for row, name in enumerate(names):
        lengths[row, 1:] = [_length(name, *pair) for pair in (("N", "CA"), ("CA", "C"), ("C", "O"))]
        angles[row, 2:] = [_angle(name, *three) for three in (("N", "CA", "C"), ("CA", "C", "O"))]
        if row:
            lengths[row, 0] = _length(name, "N", "-C")
            angles[row, 0] = _angle(names[row - 1], "CA", "C", "+N", name)
            angles[row, 1] = _angle(name, "-C", "N", "CA")
    return lengths.ravel(), angles.ravel()


def _length(residue: str, *atoms: str) -> float:
    """Ideal length in Å; alanine's where the residue is unknown."""
    return next(found.value for name in (residue, "ALA") if (found := tabled_length(name, *atoms)))


def _angle(residue: str, *atoms: str) -> float:
    """Ideal angle in rad; alanine's where the residue is unknown."""
    return next(found.value for name in (residue, "ALA") if (found := tabled_angle(name, *atoms)))
