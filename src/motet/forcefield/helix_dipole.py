"""The dipole of helices: half a charge at each end, which comes and goes with the helix's hydrogen bonds."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .layout import Layout
from .switch import fade
from .vectors import TINY, dot

TURN = 4  # a helix bonds O of residue i to N of residue i + 4


class Helices(NamedTuple):
    """Turns, the O and N that would close each, and the residues that may carry charge, at their CA.

    A turn covers the three residues between; `covers` names, for each residue's dipole and for that of the residue
    before, the turns over it, or the last row, which is never closed.
    """

    bond: Int[Tensor, "2 turns"]
    covers: Int[Tensor, "2 3 residues"]
    atom: Int[Tensor, "residues"]
    residue: Int[Tensor, "residues"]


def find_turns(layout: Layout) -> Helices:
    """Every five residues in a row may close a turn."""
    own, follows = layout.atoms_of_residue, layout.follows
    run = np.convolve(follows[1:], np.ones(TURN), "valid") == TURN if layout.n_residues > TURN else np.zeros(0)
    bonds: list[tuple[int, int]] = []
    turn_at: dict[int, int] = {}
    for first in np.flatnonzero(run).tolist():
        if "O" in own[first] and "N" in own[first + TURN]:
            turn_at[first] = len(bonds)
            bonds.append((own[first]["O"], own[first + TURN]["N"]))
    open_turn = len(bonds)
    rows = [
        (residue, [[turn_at.get(end - back, open_turn) for back in (1, 2, 3)] for end in (residue, residue - 1)])
        for residue in layout.protein_residues.tolist()
        if "CA" in own[residue] and any(residue - back in turn_at for back in (1, 2, 3, 4))
    ]
    return Helices(
        torch.tensor(bonds, dtype=torch.int64).reshape(-1, 2).T.contiguous(),
        torch.tensor([covers for _, covers in rows], dtype=torch.int64)
        .reshape(-1, 2, 3)
        .permute(1, 2, 0)
        .contiguous(),
        torch.tensor([own[residue]["CA"] for residue, _ in rows], dtype=torch.int64),
        torch.tensor([residue for residue, _ in rows], dtype=torch.int64),
    )


def end_charges(
    bonds: Float[Tensor, "3 conformations 2 turns"],
    covers: Int[Tensor, "2 3 residues"],
    closed: float,
    fading: float,
) -> Float[Tensor, "conformations residues"]:
    """Charge at each residue's CA in units of a helix's end: the change of its dipole from residue to residue.

    A residue's dipole is 1 when some turn over it is closed: when O and N are nearer than `closed`, in Å, fading
    out. Within a helix the charges of neighbours cancel; +1 is left at its start and -1 behind its end.
    """
    apart = bonds[:, :, 0] - bonds[:, :, 1]
    open_turns = 1.0 - fade(((dot(apart, apart) + TINY).sqrt() - closed) / fading)
    open_turns = torch.nn.functional.pad(open_turns, (0, 1), value=1.0)
    over = open_turns.index_select(1, covers.flatten()).unflatten(1, covers.shape)
    none_closed = over[:, :, 0] * over[:, :, 1] * over[:, :, 2]
    return none_closed[:, 1] - none_closed[:, 0]
