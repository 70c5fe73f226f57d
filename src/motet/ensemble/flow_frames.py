"""Atoms that ride on the frames of their residues: how a network of frames moves a whole structure."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from ..chem import RESIDUES, STANDARD, parent_of
from ..errors import NoProteinError
from ..fold.flow_inputs import FlowInputs
from ..fold.residues import UNKNOWN
from ..geometry import Rigid, superpose
from ..shapes import Coords
from ..structure import Topology
from .elastic_response import ElasticResponse

CARBONYL = 1.229  # Å from C to O: Engh and Huber (1991)


@dataclass(frozen=True, eq=False)
class CarriedAtoms:
    """A structure as frames of residues, and the way back.

    Each residue moves as a rigid body, side chain and all; the oxygen is put into the plane of its peptide bond.
    What is no protein residue, or lacks N, Cα or C, stays where it is.

    Args:
        inputs: What the network is told of the residues.
        frames: Where they are, in Å.
        start: All atoms, in Å.
        riding: Atoms that move.
        row: The row of `frames` of each atom; 0 for one that stays.
        local: Each atom in its frame, in Å.
        peptides: C before, O, Cα before and N after of each peptide bond.
    """

    inputs: FlowInputs
    frames: Rigid
    start: Float[Tensor, "atoms 3"]
    riding: Bool[Tensor, "atoms"]
    row: Int[Tensor, "atoms"]
    local: Float[Tensor, "atoms 3"]
    peptides: Int[Tensor, "bonds 4"]

    @classmethod
    def of(cls, topology: Topology, coords: Float[Tensor, "atoms 3"]) -> "CarriedAtoms":
        """The frames of a structure.

        Raises:
            NoProteinError: No residue has N, Cα and C.
        """
        backbone = topology.backbone
        whole = _whole(topology)
        if not whole.any():
            raise NoProteinError("the start")
        atoms = torch.from_numpy(backbone[whole, :3]).to(coords.device)
        nitrogen, alpha, carbon = (coords[one] for one in atoms.unbind(-1))
        frames = Rigid.from_three_points(nitrogen, alpha, carbon)
        row_of_residue = np.cumsum(whole) - 1
        row = torch.from_numpy(row_of_residue[topology.residue_of_atom].clip(0)).to(coords.device)
        riding = torch.from_numpy(whole[topology.residue_of_atom]).to(coords.device)
        own = Rigid(frames.rotation[row], frames.translation[row]).inverse()
        local = own.apply(coords[:, None]).squeeze(-2)
        inputs = inputs_of(topology, whole, coords)
        return cls(inputs, frames, coords, riding, row, local, _peptides(topology, whole).to(coords.device))

    @cached_property
    def response(self) -> ElasticResponse:
        """How the start gives way to forces on its frames."""
        return ElasticResponse.of(self.frames.translation)

    def placed(self, frames: Rigid) -> Coords:
        """All atoms of conformations with these frames, superposed on the start by their Cα; differentiable."""
        there = superpose(frames.translation, self.frames.translation)
        lifted = Rigid(there.rotation[..., None, :, :], there.translation[..., None, :]) @ frames
        rotation, shift = lifted.rotation[..., self.row, :, :], lifted.translation[..., self.row, :]
        moved = (rotation @ self.local[:, :, None]).squeeze(-1) + shift
        coords = torch.where(self.riding[:, None], moved, self.start)
        carbon, alpha, nitrogen = (coords[..., self.peptides[:, which], :] for which in (0, 2, 3))
        away = normalize(normalize(carbon - alpha, dim=-1) + normalize(carbon - nitrogen, dim=-1), dim=-1)
        return coords.index_copy(-2, self.peptides[:, 1], carbon + CARBONYL * away)


def inputs_of(topology: Topology, whole: np.ndarray, coords: Tensor) -> FlowInputs:
    """The chosen residues as the network reads them; where the chain is broken, numbers jump."""
    types = [STANDARD.index(one) if one in STANDARD else UNKNOWN for one in _parents(topology, whole)]
    chains = topology.chain_of_residue[whole]
    joined = topology.follows[whole]
    joined[1:] &= np.diff(np.flatnonzero(whole)) == 1
    numbers = topology.residue_numbers[whole]
    steps = np.where(joined, 1, np.maximum(np.diff(numbers, prepend=numbers[0]), 2))
    counted = torch.from_numpy(np.cumsum(steps)).to(coords.device)
    return FlowInputs.of_sequence(
        torch.tensor(types, device=coords.device),
        counted,
        torch.from_numpy(chains).to(coords.device),
        coords.dtype,
    )


def sequence_of(topology: Topology) -> str:
    """One-letter codes of the residues that the network moves; X for what is none of the twenty."""
    parents = _parents(topology, _whole(topology))
    return "".join(RESIDUES[one].letter if one in STANDARD else "X" for one in parents)


def _whole(topology: Topology) -> np.ndarray:
    """Residues with N, Cα and C."""
    return np.all(topology.backbone[:, :3] >= 0, axis=1)


def _parents(topology: Topology, whole: np.ndarray) -> list[str | None]:
    return [parent_of(name) for name in topology.residue_names[whole].tolist()]


def _peptides(topology: Topology, whole: np.ndarray) -> Int[Tensor, "bonds 4"]:
    """C, O, Cα of a residue and N of the one bonded to it, where both have frames."""
    both = whole[1:] & whole[:-1] & topology.follows[1:]
    rows = topology.peptide_bonds[both[topology.follows[1:]]][:, [1, 2, 0, 3]]
    return torch.from_numpy(rows[(rows >= 0).all(1)])
