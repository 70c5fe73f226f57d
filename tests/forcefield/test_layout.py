"""Who is bonded to whom, and what belongs together."""

import numpy as np

from motet.forcefield.layout import lay_out
from motet.forcefield.neighbours import exclusions_of
from motet.structure import Structure


def walked(bonds: list[list[int]], atoms: int) -> list[set[tuple[int, int]]]:
    """Pairs one, two and three bonds apart along the shortest way, by walking."""
    around: list[set[int]] = [set() for _ in range(atoms)]
    for i, j in bonds:
        around[i].add(j)
        around[j].add(i)
    found: list[set[tuple[int, int]]] = [set(), set(), set()]
    for i in range(atoms):
        reached, shell = {i}, {i}
        for steps in range(3):
            shell = {k for j in shell for k in around[j]} - reached
            reached |= shell
            found[steps] |= {(i, j) for j in shell if i < j}
    return found


def test_exclusions_are_the_pairs_that_a_walk_along_bonds_reaches(trp_cage: Structure):
    """Rings among them: three bonds one way round a proline are two the other way."""
    layout = lay_out([trp_cage])
    exclusions = exclusions_of(layout)
    one, two, three = walked(layout.bonds.tolist(), layout.n_seen)
    for found, expected in ((exclusions.bonded, one | two), (exclusions.near, three)):
        assert {divmod(key, layout.n_seen) for key in found.tolist()} == expected
        assert (np.diff(found.numpy()) > 0).all()


def test_atoms_of_one_kind_agree_in_every_name(trp_cage: Structure):
    layout = lay_out([trp_cage])
    seen: dict[int, tuple[str, str, str]] = {}
    names = zip(
        layout.kind_of_atom.tolist(),
        layout.names.tolist(),
        layout.elements.tolist(),
        layout.residue_names[layout.residue_of_atom].tolist(),
        strict=True,
    )
    for kind, *rest in names:
        assert seen.setdefault(kind, tuple(rest)) == tuple(rest)
    assert len(set(seen.values())) == len(seen)
