"""Side chains in their best rotamers, the backbone as it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...errors import ConfigError
from ...structure import Structure
from ...structure.completion import with_heavy_atoms
from ...structure.topology import Mask
from ..conditions import Conditions
from ..layout import lay_out
from .anneal import WIDEST, Annealing, annealed
from .slots import chosen_copies, slots_of
from .tables import Packer

if TYPE_CHECKING:
    from ..field import ForceField

TABLE_NUMBERS = 60_000_000  # numbers in the pair tables held at once


@dataclass(frozen=True, kw_only=True)
class Packing:
    """Settings of a repacking.

    Args:
        reach: Distance in Å up to which atoms see each other; the force field's own is 9.
        most: Rotamers kept of each residue, the best of them without the other side chains.
        annealing: How the choice is made.
    """

    reach: float = 7.0
    most: int = 24
    annealing: Annealing = field(default_factory=Annealing)

    def __post_init__(self) -> None:
        if self.reach <= 0 or not 1 <= self.most <= WIDEST:
            raise ConfigError(f"packing needs reach > 0 and most between 1 and {WIDEST}.")


def repacked(
    structure: Structure,
    residues: Mask | Iterable[int] | None = None,
    *,
    force_field: "ForceField",
    seed: int = 0,
    keep_native: bool | Mask = False,
    conditions: Conditions | None = None,
    settings: Packing | None = None,
) -> Structure:
    """The structure with its side chains in the rotamers that go together best; missing ones are built first.

    Backbone and CB stay where they are, as do alanine, glycine, proline, side chains with a bond to another
    residue (disulfides), and modified residues. Rotamers are those of Top8000, with ideal lengths and angles.
    Hydrogens of the structure are not moved: leave them out before. Each conformation is packed for itself.

    Args:
        structure: Any batch of conformations.
        residues: Which residues may turn, as indices or as a mask; all that can when left out.
        force_field: Its terms that act between side chains decide, with their weights.
        seed: Seed of the annealing.
        keep_native: Whether each side chain may also stay as it is; or which may, as a mask of residues.
        conditions: Temperature, salt and pH; room temperature, 150 mM and 7 when left out.
        settings: Everything else; `seed` counts, not its own.
    """
    how = settings or Packing()
    how = replace(how, annealing=replace(how.annealing, seed=seed))
    chosen = _mask(residues, structure.n_residues)
    structure = with_heavy_atoms(structure, chosen)
    layout = lay_out([structure])
    slots = slots_of(layout, np.flatnonzero(chosen).tolist(), _flags(keep_native, structure))
    if not len(slots):
        return structure
    packer = Packer(force_field, layout, slots, conditions or Conditions(), how.reach, how.most)
    coords = structure.coords.reshape(-1, structure.n_atoms, 3).clone()
    seen = torch.from_numpy(layout.seen).to(coords.device)
    for part in torch.arange(len(coords), device=coords.device).split(_batch(packer)):
        here = coords[part][:, seen]
        coords[part[:, None], seen] = _placed(packer, here, how.annealing)
    return structure.with_coords(coords.reshape(structure.coords.shape))


def repacked_each(
    structures: Sequence[Structure],
    residues: Sequence[Mask | Iterable[int] | None],
    *,
    force_field: "ForceField",
    seed: int = 0,
    keep_native: bool | Sequence[Mask] = False,
    settings: Packing | None = None,
) -> list[Structure]:
    """Unlike structures of one conformation each, packed as `repacked` does, many in one call.

    Conditions are room temperature, 150 mM and pH 7.
    """
    how = settings or Packing()
    how = replace(how, annealing=replace(how.annealing, seed=seed))
    whole = [
        with_heavy_atoms(one, _mask(chosen, one.n_residues))
        for one, chosen in zip(structures, residues, strict=True)
    ]
    natives = [keep_native] * len(whole) if isinstance(keep_native, bool) else keep_native
    native = np.concatenate([_flags(flags, one) for flags, one in zip(natives, whole, strict=True)])
    rows = [_mask(chosen, one.n_residues) for one, chosen in zip(whole, residues, strict=True)]
    turning = np.flatnonzero(np.concatenate(rows))
    layout = lay_out(whole)
    slots = slots_of(layout, turning.tolist(), native)
    if not len(slots):
        return whole
    packer = Packer(force_field, layout, slots, Conditions(), how.reach, how.most)
    coords = torch.cat([one.model(0).coords for one in whole])[None]
    seen = torch.from_numpy(layout.seen).to(coords.device)
    here = coords[:, seen]
    coords[:, seen] = _placed(packer, here, how.annealing)
    atoms = [one.n_atoms for one in whole]
    return [one.with_coords(own) for one, own in zip(whole, coords[0].split(atoms), strict=True)]


def _placed(
    packer: Packer, coords: Float[Tensor, "conformations seen 3"], how: Annealing
) -> Float[Tensor, "conformations seen 3"]:
    """The seen atoms, turning side chains in the rotamers chosen."""
    tables = packer.tables(coords)
    chosen = annealed(tables, how, packer.protein_of_slot)
    chosen = tables.rotamer.gather(-1, chosen[..., None]).squeeze(-1)
    return chosen_copies(packer.slots, coords, chosen)


def _batch(packer: Packer) -> int:
    """Conformations whose tables fit into memory together."""
    slots = len(packer.slots)
    edges = 2 * min(slots * (slots - 1) // 2, 12 * slots)
    copies = int(packer.slots.first_copy[-1])
    each = edges * packer.places**2 + 500 * copies
    return max(1, TABLE_NUMBERS // max(each, 1))


def _flags(keep_native: bool | Mask, structure: Structure) -> Mask:
    if isinstance(keep_native, np.ndarray):
        return _mask(keep_native, structure.n_residues)
    return np.full(structure.n_residues, keep_native)


def _mask(residues: Mask | Iterable[int] | None, count: int) -> Mask:
    if residues is None:
        return np.ones(count, dtype=bool)
    rows = np.asarray(residues if isinstance(residues, np.ndarray) else list(residues))
    if rows.dtype == bool:
        if len(rows) != count:
            raise ConfigError(f"a mask of {len(rows)} residues does not fit {count}.")
        return rows
    mask = np.zeros(count, dtype=bool)
    if len(rows) and (rows.min() < 0 or rows.max() >= count):
        raise ConfigError(f"residues to repack must lie between 0 and {count - 1}.")
    mask[rows.astype(np.int64)] = True
    return mask
