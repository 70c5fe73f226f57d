"""Helix, strand or neither, by backbone hydrogen bonds: DSSP (Kabsch and Sander 1983) in three classes."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

COIL, HELIX, STRAND = 0, 1, 2
LETTERS = "CHE"  # of the three classes

_COULOMB = 332.0 * 0.42 * 0.20  # kcal/mol Å: partial charges of C=O and N-H in that paper
_BOUND = -0.5  # kcal/mol: a hydrogen bond is lower
_NEAREST = 0.5  # Å: closer atoms count as so far apart, which keeps a clash finite
_CELLS = 1 << 21  # pairs of residues worked on at once


@torch.no_grad()
def secondary_structure(
    backbone: Float[Tensor, "*batch residues 4 3"],
    follows: Bool[Tensor, "residues"] | None = None,
    donates: Bool[Tensor, "residues"] | None = None,
) -> Int[Tensor, "*batch residues"]:
    """Class of each residue: 0 coil, 1 α-helix, 2 strand of a ladder of two bridges or more.

    Turns, bends, single bridges and 3₁₀- and π-helices are coil.

    Args:
        backbone: N, CA, C and O of each residue, in Å.
        follows: Whether each residue is bonded to the one before; all but the first, when left out.
        donates: Whether each residue has an amide hydrogen (proline has none); all, when left out.
    """
    residues = backbone.shape[-3]
    flat = backbone.reshape(math.prod(backbone.shape[:-3]), residues, 4, 3)
    bonded = torch.ones(residues, dtype=torch.bool, device=backbone.device)
    bonded = bonded if follows is None else follows.to(backbone.device).clone()
    bonded[:1] = False
    giving = bonded if donates is None else bonded & donates.to(backbone.device)
    blocks = flat.split(max(1, _CELLS // max(residues**2, 1)))
    found = [_classes(_hydrogen_bonds(block, giving), bonded) for block in blocks]
    found = torch.cat(found) if found else torch.zeros(0, residues, dtype=torch.long, device=backbone.device)
    return found.reshape(backbone.shape[:-2])


def _hydrogen_bonds(backbone: Tensor, giving: Tensor) -> Bool[Tensor, "batch acceptors donors"]:
    """Whether the C=O of one residue takes the N-H of another."""
    n, _, c, o = backbone.unbind(-2)
    carbonyl = torch.nn.functional.normalize(c - o, dim=-1)
    hydrogen = n + torch.nn.functional.pad(carbonyl[:, :-1], (0, 0, 1, 0))  # 1 Å along the C=O before, reversed

    def inverse(one: Tensor, two: Tensor) -> Tensor:
        return 1 / torch.cdist(one, two, compute_mode="donot_use_mm_for_euclid_dist").clamp_min(_NEAREST)

    energy = inverse(o, n) + inverse(c, hydrogen) - inverse(o, hydrogen) - inverse(c, n)
    place = torch.arange(backbone.shape[1], device=backbone.device)
    apart = (place[:, None] - place).abs() >= 2
    return (_COULOMB * energy < _BOUND) & apart & giving


def _classes(bonds: Bool[Tensor, "batch acceptors donors"], bonded: Tensor) -> Int[Tensor, "batch residues"]:
    batch, residues, _ = bonds.shape
    if residues < 6:
        return torch.zeros(batch, residues, dtype=torch.long, device=bonds.device)
    helix = torch.zeros(batch, residues, dtype=torch.bool, device=bonds.device)
    whole = torch.stack([bonded[k : residues - 4 + k] for k in range(1, 5)]).all(0)
    turn = bonds.diagonal(4, -2, -1) & whole
    twice = turn[:, :-1] & turn[:, 1:]
    for step in range(1, 5):
        helix[:, step : step + twice.shape[1]] |= twice
    parallel, antiparallel = _bridges(bonds)
    strand = _laddered(parallel, 1) | _laddered(antiparallel, -1)
    return torch.where(helix, HELIX, torch.where(strand, STRAND, COIL))


def _bridges(bonds: Tensor) -> tuple[Tensor, Tensor]:
    """Parallel and antiparallel bridges between residues three or more apart: both `batch residues residues`."""

    def at(i: int, j: int) -> Tensor:
        """The bond from the C=O of residue + i to the N-H of the other + j; none beyond the ends."""
        rolled = torch.roll(bonds, (-i, -j), (1, 2))
        place = torch.arange(bonds.shape[1], device=bonds.device)
        row, column = ((place + step >= 0) & (place + step < len(place)) for step in (i, j))
        return rolled & row[:, None] & column

    place = torch.arange(bonds.shape[1], device=bonds.device)
    apart = (place[:, None] - place).abs() >= 3
    inner = (place > 0) & (place < len(place) - 1)
    apart = apart & inner & inner[:, None]
    parallel = at(-1, 0) & at(0, 1).mT
    parallel = parallel | parallel.mT
    antiparallel = (at(0, 0) & at(0, 0).mT) | (at(-1, 1) & at(-1, 1).mT)
    return parallel & apart, antiparallel & apart


def _laddered(bridges: Tensor, direction: int) -> Bool[Tensor, "batch residues"]:
    """Residues of a bridge that continues: (i, j) with (i + 1, j ± 1) or (i - 1, j ∓ 1)."""
    after = torch.zeros_like(bridges)
    if direction > 0:
        after[:, :-1, :-1] = bridges[:, 1:, 1:]
    else:
        after[:, :-1, 1:] = bridges[:, 1:, :-1]
    pair = bridges & after
    before = torch.zeros_like(bridges)
    if direction > 0:
        before[:, 1:, 1:] = pair[:, :-1, :-1]
    else:
        before[:, 1:, :-1] = pair[:, :-1, 1:]
    return (pair | before).any(-1)
