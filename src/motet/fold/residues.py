"""How AlphaFold2 numbers residues and atoms, and the rigid groups that atoms belong to.

Residues are numbered by three-letter code, unknown last; atoms are numbered within their residue (14 places) or in
a list that all residues share (37 places). Jumper et al. (2021), Suppl. 1.8.4 and Table 2.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from ..chem import CHIS, RESIDUES, STANDARD, read_table

UNKNOWN, GAP, MASKED = 20, 21, 22
PLACES, ATOMS, GROUPS, TORSIONS = 14, 37, 8, 7

LETTERS = "".join(RESIDUES[name].letter for name in STANDARD) + "X-"
# the letters of an alignment: ambiguous ones are read as HHblits does
LETTER_NUMBERS: Mapping[str, int] = MappingProxyType(
    {letter: number for number, letter in enumerate(LETTERS)}
    | {other: LETTERS.index(letter) for other, letter in zip("BJOUZ", "DXXCE", strict=True)}
)
ATOM_NAMES = tuple(
    "N CA C CB O CG CG1 CG2 OG OG1 SG CD CD1 CD2 ND1 ND2 OD1 OD2 SD CE CE1 CE2 CE3 NE NE1 NE2 OE1 OE2 "
    "CH2 NH1 NH2 OH CZ CZ2 CZ3 NZ OXT".split()
)
ATOM_NUMBERS: Mapping[str, int] = MappingProxyType({name: number for number, name in enumerate(ATOM_NAMES)})
N, CA, C, CB, O = (ATOM_NUMBERS[name] for name in ("N", "CA", "C", "CB", "O"))  # noqa: E741
GLYCINE = STANDARD.index("GLY")


def _places() -> tuple[NDArray, NDArray]:
    """For every residue type: the shared number of each of its own atoms, and whether it has that many."""
    numbers, exists = np.zeros((21, PLACES), np.int64), np.zeros((21, PLACES), bool)
    for kind, name in enumerate(STANDARD):
        own = RESIDUES[name].heavy_names
        numbers[kind, : len(own)] = [ATOM_NUMBERS[atom] for atom in own]
        exists[kind, : len(own)] = True
    return numbers, exists


def _places_of_atoms() -> tuple[NDArray, NDArray]:
    """The other way round: the place of each shared atom in a residue type, and whether the type has it."""
    places, exists = np.zeros((21, ATOMS), np.int64), np.zeros((21, ATOMS), bool)
    for kind in range(len(STANDARD)):
        own = ATOM_OF_PLACE[kind, PLACE_EXISTS[kind]]
        places[kind, own] = np.arange(len(own))
        exists[kind, own] = True
    return places, exists


def _chis() -> tuple[NDArray, NDArray, NDArray]:
    """Atoms of the side-chain torsions, whether each exists, and whether a half turn changes nothing."""
    atoms = np.zeros((21, 4, 4), np.int64)
    exists, symmetric = np.zeros((21, 4), bool), np.zeros((21, 4), bool)
    for kind, name in enumerate(STANDARD):
        for chi in CHIS.get(name, ()):
            atoms[kind, chi.number - 1] = [ATOM_NUMBERS[atom] for atom in chi.atoms]
            exists[kind, chi.number - 1] = True
            symmetric[kind, chi.number - 1] = chi.symmetric
    return atoms, exists, symmetric


def _groups() -> tuple[NDArray, NDArray]:
    """The rigid group of every atom, and the atom's ideal place in it, in Å."""
    groups, ideal = np.zeros((21, PLACES), np.int64), np.zeros((21, PLACES, 3))
    for row in read_table("rigid_groups.csv", "motet.fold.tables"):
        kind = STANDARD.index(row["residue"])
        place = RESIDUES[row["residue"]].heavy_names.index(row["atom"])
        groups[kind, place] = int(row["group"])
        ideal[kind, place] = [float(row[axis]) for axis in "xyz"]
    return groups, ideal


def _frame(x: NDArray, y: NDArray, origin: NDArray) -> NDArray:
    """Frame with the first axis along x and the second towards y, as `3 4`: rotation, then translation."""
    x = x / np.linalg.norm(x)
    y = y - y @ x * x
    y = y / np.linalg.norm(y)
    return np.stack((x, y, np.cross(x, y), origin), axis=-1)


def _group_frames() -> NDArray:
    """Frame of each rigid group at torsion 0, in the frame of the group before it (the backbone for 1 to 4)."""
    frames = np.zeros((21, GROUPS, 3, 4))
    frames[:20, :2, :, :3] = np.eye(3)
    for kind in range(len(STANDARD)):
        own = PLACE_EXISTS[kind]
        at = dict(zip(ATOM_OF_PLACE[kind, own].tolist(), IDEAL_PLACES[kind, own], strict=True))
        frames[kind, 2] = _frame(at[N] - at[CA], np.array([1.0, 0, 0]), at[N])
        frames[kind, 3] = _frame(at[C] - at[CA], at[CA] - at[N], at[C])
        for number in np.flatnonzero(CHI_EXISTS[kind]):
            before, axis, end = (at[int(atom)] for atom in CHI_ATOMS[kind, number, :3])
            # from the second torsion on, the frame before has its origin at the start of the axis
            first = number == 0
            x = end - axis if first else end
            frames[kind, 4 + number] = _frame(x, before - axis if first else np.array([-1.0, 0, 0]), end)
    return frames


ATOM_OF_PLACE: Int[np.ndarray, "21 14"]
PLACE_EXISTS: Bool[np.ndarray, "21 14"]
ATOM_OF_PLACE, PLACE_EXISTS = _places()
PLACE_OF_ATOM: Int[np.ndarray, "21 37"]
ATOM_EXISTS: Bool[np.ndarray, "21 37"]
PLACE_OF_ATOM, ATOM_EXISTS = _places_of_atoms()
CHI_ATOMS: Int[np.ndarray, "21 4 4"]
CHI_EXISTS: Bool[np.ndarray, "21 4"]
CHI_SYMMETRIC: Bool[np.ndarray, "21 4"]
CHI_ATOMS, CHI_EXISTS, CHI_SYMMETRIC = _chis()
GROUP_OF_PLACE: Int[np.ndarray, "21 14"]
IDEAL_PLACES: Float[np.ndarray, "21 14 3"]
GROUP_OF_PLACE, IDEAL_PLACES = _groups()
GROUP_FRAMES: Float[np.ndarray, "21 8 3 4"] = _group_frames()
