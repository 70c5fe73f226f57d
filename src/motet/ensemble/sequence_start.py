"""A start for a generator that needs no structure: the sequence as an extended chain."""

import math

import torch

from ..chem import BY_LETTER
from ..geometry import backbone_from_torsions
from ..structure import Note, Structure, structure_from_backbone
from .preparation import prepared

PHI, PSI = math.radians(-120.0), math.radians(140.0)
_CLAIM = Note(
    "warning",
    "drawn from a sequence: shapes that the flow network takes for a protein's. It is no prediction of the fold, "
    "and no claim that the protein has one.",
)


def extended_chain(sequence: str, name: str) -> Structure:
    """All atoms of one chain, stretched out, with a note of what draws from it are worth."""
    phi, psi = (torch.full((len(sequence),), angle, dtype=torch.float64) for angle in (PHI, PSI))
    names = [BY_LETTER.get(letter, "ALA") for letter in sequence]
    backbone = backbone_from_torsions(phi, psi, names=names).float()
    return prepared(structure_from_backbone(sequence, backbone, name=name)).with_notes(_CLAIM)
