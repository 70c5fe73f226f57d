"""Ideal lengths, angles and torsions within a residue, from the tables that know them best."""

from functools import lru_cache

import numpy as np

from ..chem import RESIDUES, ResidueType, measured_angle, tabled_angle, tabled_length


@lru_cache(maxsize=4096)
def ideal_length(residue: str, a: str, b: str) -> float:
    """Ideal distance of two bonded atoms, in Å: Engh-Huber's; in rings, which must close, the dictionary's.

    `b` may be `-C` or `+N`, of the residue before or after.
    """
    tabled = None if in_one_ring(residue, a, b) else tabled_length(residue, a, b)
    if tabled:
        return tabled.value
    first, second = RESIDUES[residue].ideal((a, b))
    return float(np.linalg.norm(first - second))


@lru_cache(maxsize=4096)
def ideal_angle(residue: str, a: str, b: str, c: str) -> float:
    """Ideal angle at b, in rad: Engh-Huber's; in rings, which must close, the dictionary's."""
    tabled = None if in_one_ring(residue, a, b, c) else tabled_angle(residue, a, b, c)
    return tabled.value if tabled else measured_angle(RESIDUES[residue].ideal((a, b, c)))


def peptide_angle(after: str) -> float:
    """Ideal angle CA-C-N at the C of any residue, in rad, by the residue that comes after."""
    tabled = tabled_angle("*", "CA", "C", "+N", after)
    assert tabled is not None
    return tabled.value


@lru_cache(maxsize=4096)
def ideal_torsion(residue: str, a: str, b: str, c: str, d: str) -> float:
    """Torsion of four atoms in the dictionary's conformer, in rad; b-c need not bond a or d, as in an improper."""
    first, second, third, fourth = RESIDUES[residue].ideal((a, b, c, d))
    u, v, w = second - first, third - second, fourth - third
    left, right = np.cross(u, v), np.cross(v, w)
    return float(np.arctan2(np.linalg.norm(v) * (u @ right), left @ right))


@lru_cache(maxsize=4096)
def in_one_ring(residue: str, *atoms: str) -> bool:
    """Whether the atoms share one ring of six members or fewer."""
    return any(ring.issuperset(atoms) for ring in _rings(residue))


@lru_cache(maxsize=4096)
def is_planar(residue: str, atom: str) -> bool:
    """Whether an atom's neighbours lie in one plane with it: a double bond, or a nitrogen beside one."""
    known = RESIDUES[residue]
    if _has_double_bond(known, atom):
        return True
    beside = known.neighbours.get(atom, ())
    return known.by_name[atom].element == "N" and any(_has_double_bond(known, other) for other in beside)


@lru_cache(maxsize=4096)
def turns_freely(residue: str, a: str, b: str) -> bool:
    """Whether a bond is a rotatable one: in no ring, and not between two planar atoms."""
    return not in_one_ring(residue, a, b) and not (is_planar(residue, a) and is_planar(residue, b))


def _has_double_bond(known: ResidueType, atom: str) -> bool:
    return any(atom in (a, b) and order in ("2", "3", "ar") for a, b, order in known.bonds)


@lru_cache(maxsize=256)
def _rings(residue: str) -> tuple[frozenset[str], ...]:
    """Rings of three to six atoms: paths that come back to where they began."""
    known = RESIDUES[residue]
    found: set[frozenset[str]] = set()
    paths = [(atom.name,) for atom in known.atoms if atom.element != "H"]
    for _ in range(6):
        longer = []
        for path in paths:
            for other in known.neighbours.get(path[-1], ()):
                if other == path[0] and len(path) > 2:
                    found.add(frozenset(path))
                elif other not in path:
                    longer.append((*path, other))
        paths = longer
    return tuple(found)
