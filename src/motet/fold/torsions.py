"""The seven torsions of a residue, read from atoms: ω, φ, ψ and χ1 to χ4, as sine and cosine."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .residues import CA, CHI_ATOMS, CHI_EXISTS, CHI_SYMMETRIC, UNKNOWN, C, N, O

PSI = 2
_NO_LENGTH = 1e-8  # added to squared lengths, in Å²


def torsions_of_atoms(
    residue_types: Int[Tensor, "*batch residues"],
    positions: Float[Tensor, "*batch residues 37 3"],
    presence: Float[Tensor, "*batch residues 37"],
) -> tuple[
    Float[Tensor, "*batch residues 7 2"],
    Float[Tensor, "*batch residues 7 2"],
    Float[Tensor, "*batch residues 7"],
]:
    """Sine and cosine of each torsion, the same with the other name of a symmetric end, and which are known.

    ω and φ reach back to the residue before; ψ is taken from the oxygen. As in AlphaFold2, an unknown torsion
    still has numbers, those of atoms at the origin: the network has learnt with them, and sees that they are
    unknown. Jumper et al. (2021), Suppl. 1.2.9 and Table 1 (template_torsion_angles).
    """
    kinds = residue_types.clamp(max=UNKNOWN).long()
    atoms, known = _atoms(kinds, positions, presence)
    code = _sine_and_cosine(*atoms.unbind(-2))
    opposite = code.new_ones(7)
    opposite[PSI] = -1  # the oxygen lies opposite to the next nitrogen
    code = code * opposite[:, None]
    symmetric = torch.as_tensor(CHI_SYMMETRIC, device=kinds.device)[kinds].to(code.dtype)
    flipped = torch.cat((code.new_ones((*kinds.shape, 3)), 1 - 2 * symmetric), -1)[..., None]
    return code, code * flipped, known


def _sine_and_cosine(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Of the torsion about b→c; near (0, 0) where the atoms span none.

    In double precision inside: of atoms on a line, single precision leaves noise that reads as a torsion.
    """
    precision = a.dtype
    a, b, c, d = (point.double() for point in (a, b, c, d))
    x = _direction(c - b)
    y = a - c
    y = _direction(y - (y * x).sum(-1, keepdim=True) * x)
    end = d - c
    z = torch.linalg.cross(x, y)
    return _direction(torch.stack(((end * z).sum(-1), (end * y).sum(-1)), -1)).to(precision)


def _direction(v: Tensor) -> Tensor:
    return v / (v.square().sum(-1, keepdim=True) + _NO_LENGTH).sqrt()


def _atoms(kinds: Tensor, positions: Tensor, presence: Tensor) -> tuple[Tensor, Tensor]:
    """The four atoms of each torsion, `*batch residues 7 4 3`, and whether all four are known."""
    before = torch.cat((torch.zeros_like(positions[..., :1, :, :]), positions[..., :-1, :, :]), -3)
    there_before = torch.cat((torch.zeros_like(presence[..., :1, :]), presence[..., :-1, :]), -2)
    chi = torch.as_tensor(CHI_ATOMS, device=kinds.device)[kinds].flatten(-2)
    chis = positions.gather(-2, chi[..., None].expand(*chi.shape, 3)).unflatten(-2, (4, 4))
    exists = torch.as_tensor(CHI_EXISTS, device=kinds.device)[kinds].to(presence.dtype)
    chis_there = presence.gather(-1, chi).unflatten(-1, (4, 4)).prod(-1) * exists

    def four(now: Tensor, then: Tensor, dim: int) -> tuple[Tensor, ...]:
        def pick(source: Tensor, *names: int) -> Tensor:
            return source.index_select(dim, torch.tensor(names, device=source.device))

        omega = torch.cat((pick(then, CA, C), pick(now, N, CA)), dim)
        phi = torch.cat((pick(then, C), pick(now, N, CA, C)), dim)
        return omega, phi, pick(now, N, CA, C, O)

    backbone = torch.stack(four(positions, before, positions.dim() - 2), -3)
    backbone_there = torch.stack([one.prod(-1) for one in four(presence, there_before, presence.dim() - 1)], -1)
    return torch.cat((backbone, chis), -3), torch.cat((backbone_there, chis_there), -1)
