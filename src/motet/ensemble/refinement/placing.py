"""Bring a model into its map: as a whole where it lies elsewhere, then each domain that does not fit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from ...density import DensityMap, dock, scatterers_of
from ...density.docking import at_resolution, score_placement, without
from ...geometry import Rigid, Screw, split_domains
from ...structure import Structure
from ...units import DEGREES_PER_RADIAN
from .hinging import bent

Docking: TypeAlias = Literal["auto", "always", "never"]
Say: TypeAlias = Callable[[str], None]
LOOK = 5.0  # Å: at this resolution it is seen whether a part is in place
IN_PLACE = 0.45  # correlation around a part that is
GAIN = 0.1  # by which a new place must be better


@dataclass(frozen=True, eq=False)
class Placed:
    """A model in its map.

    Args:
        coords: In Å.
        moved: Whether anything moved.
        words: What was done, in sentences.
    """

    coords: Float[Tensor, "atoms 3"]
    moved: bool
    words: tuple[str, ...]


def place(
    structure: Structure,
    density: DensityMap,
    resolution: float,
    docking: Docking = "auto",
    say: Say = lambda _: None,
) -> Placed:
    """The model where the map wants it: docked as a rigid body, then domain by domain.

    Args:
        structure: One conformation.
        density: The map.
        resolution: Of the map, in Å.
        docking: `auto` docks what does not fit where it is, `always` the whole model, `never` nothing.
        say: Told what begins.
    """
    coords = structure.coords
    if docking == "never":
        return Placed(coords, False, ())
    atoms = scatterers_of(structure.topology)
    target = at_resolution(density, max(LOOK, resolution))
    looked = max(LOOK, resolution)
    labels = _domains(structure)
    words, moved = [], False
    fits = [
        score_placement(target, coords[part], atoms.subset(part), looked) for part in _parts(labels, structure)
    ]
    if docking == "always" or max(fits) < IN_PLACE:
        say("docking the model as a rigid body")
        found = dock(density, coords, atoms, resolution=resolution, keep=1)
        before = score_placement(target, coords, atoms, looked)
        if docking == "always" or float(found.scores[0]) > before + GAIN:
            motion = Rigid(found.motions.rotation[0], found.motions.translation[0])
            coords, moved = motion.apply(coords), True
            words.append(
                f"docked as a rigid body: {_told(motion, structure.coords)}, CC {float(found.scores[0]):.2f}."
            )
    if int(labels.max()):
        coords, more = _domains_placed(structure.with_coords(coords), density, labels, resolution, say)
        words += more
        moved |= bool(more)
    return Placed(coords, moved, tuple(words))


def _domains(structure: Structure) -> Tensor:
    """Domain of each residue; one without a Cα goes with the one before it."""
    alpha = torch.from_numpy(structure.topology.atom_index("CA"))
    has = alpha >= 0
    labels = torch.zeros(structure.n_residues, dtype=torch.long)
    labels[has] = split_domains(structure.coords[alpha[has]].cpu())
    return labels


def _parts(labels: Tensor, structure: Structure) -> list[Tensor]:
    of_atom = labels[torch.tensor(structure.topology.residue_of_atom)]
    return [of_atom == domain for domain in range(int(labels.max()) + 1)]


def _domains_placed(
    structure: Structure, density: DensityMap, labels: Tensor, resolution: float, say: Say
) -> tuple[Float[Tensor, "atoms 3"], list[str]]:
    """Each domain that does not fit docked into the density that the fitting ones leave."""
    coords, atoms = structure.coords, scatterers_of(structure.topology)
    looked = max(LOOK, resolution)
    target = at_resolution(density, looked)
    parts = _parts(labels, structure)
    scores = [score_placement(target, coords[part], atoms.subset(part), looked) for part in parts]
    identity = Rigid.identity((len(parts),), dtype=coords.dtype, device=coords.device)
    turns, shifts = identity.rotation.clone(), identity.translation.clone()
    words = []
    free = density
    for domain in sorted(range(len(parts)), key=lambda domain: -scores[domain]):
        body, own = coords[parts[domain]], atoms.subset(parts[domain])
        if scores[domain] < IN_PLACE:
            say(f"looking for domain {domain + 1} of {len(parts)} in the map")
            found = dock(free, body, own, resolution=resolution, keep=1)
            if float(found.scores[0]) > scores[domain] + GAIN:
                turns[domain], shifts[domain] = found.motions.rotation[0], found.motions.translation[0]
                motion = Rigid(turns[domain], shifts[domain])
                gained = f"CC {scores[domain]:.2f} to {float(found.scores[0]):.2f}"
                words.append(f"domain {domain + 1} ({len(body)} atoms) {_told(motion, body)}, {gained}.")
                body = motion.apply(body)
        free = without(free, body)
    if not words:
        return coords, words
    return bent(coords, structure.topology, labels.to(coords.device), Rigid(turns, shifts)), words


def _told(motion: Rigid, coords: Tensor) -> str:
    turn = float(Screw.of(motion).angle) * DEGREES_PER_RADIAN
    shift = float((motion.apply(coords) - coords).mean(0).norm())
    return f"turned by {turn:.0f}° and moved by {shift:.1f} Å"
