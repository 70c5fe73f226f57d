"""Predicted models that were made up: two folds, junk between them, and some that are broken."""

import numpy as np
import torch

from motet.geometry import backbone_from_torsions

RESIDUES, FIRST, SECOND, JUNK = 40, 45, 25, 8


def torsions(generator):
    """φ and ψ: a helix of 40 residues; in the second fold residues 16-27 are a strand; junk is anything."""
    count = FIRST + SECOND + JUNK
    noise = 0.06 * torch.randn(2, count, RESIDUES, generator=generator, dtype=torch.float64)
    phi, psi = -1.08 + noise[0], -0.75 + noise[1]
    second = slice(FIRST, FIRST + SECOND)
    phi[second, 16:28] -= 1.0
    psi[second, 16:28] += 3.0
    phi[-JUNK:], psi[-JUNK:] = 6 * torch.rand(2, JUNK, RESIDUES, generator=generator, dtype=torch.float64) - 3
    return phi, psi


def made_up(seed=0):
    """Backbones, pLDDT of each residue, and the fold of each model (-1 for junk); the last two models are torn."""
    generator = torch.Generator().manual_seed(seed)
    backbone = backbone_from_torsions(*torsions(generator)).float()
    torn = backbone[:2].clone()
    torn[:, 20:] += 6.0
    backbone = torch.cat((backbone, torn))
    truth = torch.tensor([0] * FIRST + [1] * SECOND + [-1] * (JUNK + 2))
    plddt = torch.where(truth >= 0, 85.0, 45.0)[:, None].expand(-1, RESIDUES).clone()
    return backbone, plddt, truth


def written(path, backbone, plddt, sequence="A" * RESIDUES):
    """An npz as AF-Cluster's models are kept: rows end to end, in hundredths of an Å."""
    np.savez(
        path,
        name=np.array([f"model_{i:03d}" for i in range(len(backbone))]),
        seq=np.array([sequence] * len(backbone)),
        length=np.array([RESIDUES] * len(backbone)),
        coords=(backbone.reshape(-1, 4, 3).numpy() * 100).round().astype(np.int32),
        plddt=plddt.reshape(-1).round().numpy().astype(np.uint8),
    )
    return path
