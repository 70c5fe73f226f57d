"""Peptides that annealing left the wrong way round: turned about their Cα, relaxed, judged by the whole energy.

Dynamics of picoseconds rarely turn a peptide: its Cα stay where they are, and the way round is over a barrier.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...geometry.rotations import rotation_of
from ...structure import Topology
from ...validation import Peptide, Verdict
from ...validation.covalent import peptides
from ...validation.ramachandran import ramachandran
from ..minimise import minimise
from .guided import Guided

TURNS = tuple(math.radians(degrees) for degrees in (60, 120, 180, 240, 300))
AROUND = 7.0  # Å from the Cα of the residue: atoms that give way
ROUGH, FINE, KEPT = 12, 40, 4  # steps for every turn, further steps for the best of them, and how many these are
GAIN = 0.5  # kcal/mol by which another turn must be better
MOST = 24  # residues looked at: more are no local trouble
TURNED = {"C": 0, "O": 0, "N": 1, "H": 1}  # atoms of a peptide that turn, and in which of its residues they are


def mended(
    energy: Guided,
    topology: Topology,
    coords: Float[Tensor, "atoms 3"],
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Float[Tensor, "atoms 3"], tuple[str, ...]]:
    """Coordinates with peptides turned where that lowers the energy, and what was turned, in words.

    Tried are the peptides on both sides of each Ramachandran outlier and of each twisted peptide bond.

    Args:
        energy: Force field and map.
        topology: The atoms.
        coords: In Å.
        say: Told what begins.
    """
    turned = []
    residues = suspects(topology, coords)[:MOST]
    if residues:
        say(f"looking at the peptides of {len(residues)} residues")
    for residue in residues:
        moved, gain = _best_turn(energy, topology, coords, residue)
        if gain > GAIN:
            coords = moved
            turned.append(f"{topology.residue_label(residue)} ({gain:.1f} kcal/mol)")
    if not turned:
        return coords, ()
    return coords, (f"peptides turned round beside {', '.join(turned)}.",)


def suspects(topology: Topology, coords: Float[Tensor, "atoms 3"]) -> list[int]:
    """Residues that are Ramachandran outliers, or whose bond to the one before is twisted."""
    backbone = ramachandran(topology, coords[None])
    _, kind = peptides(topology, coords[None])
    wrong = (backbone.verdict[0] == int(Verdict.OUTLIER)) | (kind[0] == int(Peptide.TWISTED))
    return wrong.nonzero().squeeze(-1).tolist()


def turned_about_alphas(
    topology: Topology, coords: Float[Tensor, "atoms 3"], residue: int
) -> Float[Tensor, "turns atoms 3"] | None:
    """The peptide between a residue and the next at each of the turns about the line between their Cα.

    None where there is no such peptide, or where the next residue is a proline, whose ring holds it.
    """
    last = topology.n_residues - 1
    if not 0 <= residue < last or not topology.follows[residue + 1]:
        return None
    alphas = topology.atom_index("CA")[[residue, residue + 1]]
    if topology.residue_names[residue + 1] == "PRO" or (alphas < 0).any():
        return None
    found = [int(topology.atom_index(name)[residue + beyond]) for name, beyond in TURNED.items()]
    atoms = [atom for atom in found if atom >= 0]
    start, end = coords[alphas[0]], coords[alphas[1]]
    axis = (end - start) / (end - start).norm().clamp_min(1e-6)
    half = coords.new_tensor(TURNS) / 2
    turns = rotation_of(torch.cat((half.cos()[:, None], half.sin()[:, None] * axis), dim=-1))
    moved = coords.expand(len(TURNS), *coords.shape).clone()
    moved[:, atoms] = (coords[atoms] - start) @ turns.mT + start
    return moved


def _best_turn(
    energy: Guided, topology: Topology, coords: Float[Tensor, "atoms 3"], residue: int
) -> tuple[Float[Tensor, "atoms 3"], float]:
    """The best turn of either peptide of a residue, relaxed, and how much better it is than none, relaxed too."""
    tried = [turned_about_alphas(topology, coords, one) for one in (residue - 1, residue)]
    trials = torch.cat([coords[None], *(one for one in tried if one is not None)])
    if len(trials) == 1:
        return coords, 0.0
    near = energy.mobile.to(coords.device) & _near(topology, coords, residue)
    energy.forget()
    rough = minimise(energy, trials, mobile=near, max_steps=ROUGH)
    best = 1 + rough.energies[1:].argsort(stable=True)[: KEPT - 1]
    kept = torch.cat((best.new_zeros(1), best))
    fine = minimise(energy, rough.coords[kept], mobile=near, max_steps=FINE)
    winner = int(fine.energies.argmin())
    return fine.coords[winner], float(fine.energies[0] - fine.energies[winner])


def _near(topology: Topology, coords: Float[Tensor, "atoms 3"], residue: int) -> Bool[Tensor, "atoms"]:
    """Atoms near the Cα of a residue; those of its neighbours in any case."""
    own = torch.tensor(topology.residue_of_atom, device=coords.device)
    alpha = coords[int(topology.atom_index("CA")[residue])]
    return ((coords - alpha).norm(dim=-1) < AROUND) | ((own - residue).abs() <= 1)
