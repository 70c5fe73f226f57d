"""Bonds of a topology: residue tables first, then peptide links, disulfides and what stands at a bond's length."""

from collections.abc import Iterable

import numpy as np

from ..chem import ELEMENTS, RESIDUES, ResidueType, parent_of
from ..structure.topology import Integers, Mask, Strings
from .atom_table import Floats, Site
from .grouping import LINK
from .nearest import nearest
from .notebook import Notebook, counted, listed

DISULFIDE = 2.5  # Å, SG-SG; the bond is 2.05 Å
SLACK = 0.40  # Å above the sum of covalent radii within a residue
LINK_SLACK = 0.25  # Å above the sum of covalent radii between residues
HYDROGEN = 1.3  # Å from a hydrogen to the heavy atom that it belongs to
NEAREST = 12  # neighbours looked at; no atom has more bonds
_METALS = frozenset(
    "Li Na K Rb Cs Mg Ca Sr Ba Al Mn Fe Co Ni Cu Zn Cd Hg Ag Au Pt Pd Pb Mo W V Cr Ru Rh Ir Os Ti Zr Y La Ce Eu "
    "Gd Tb Yb Lu Sm Ho U Tl Ga In Sn Bi Re Ta Hf Be".split()
)
Pairs = Integers  # bonds 2


class Atoms:
    """What the search for bonds needs of a topology in the making."""

    def __init__(
        self,
        names: Strings,
        elements: Strings,
        residue: Integers,
        residue_names: Strings,
        kinds: Strings,
        chain_of_residue: Integers,
        coords: Floats,
    ) -> None:
        self.names, self.elements, self.residue = names, elements, residue
        self.residue_names, self.kinds = residue_names, kinds
        self.chain_of_residue, self.coords = chain_of_residue, coords
        radii = {symbol: element.covalent_radius for symbol, element in ELEMENTS.items()}
        words, inverse = np.unique(elements, return_inverse=True)
        self.radii = np.array([radii.get(str(word), 0.77) for word in words] or [0.0])[inverse]
        self.hydrogen = elements == "H"
        self.metal = np.isin(elements, list(_METALS))

    def index(self, name: str) -> Integers:
        """Index of the atom called `name` in each residue, -1 where the residue has none."""
        found = np.full(len(self.residue_names), -1, dtype=np.int64)
        hits = np.flatnonzero(self.names == name)
        found[self.residue[hits]] = hits
        return found


def template_of(name: str) -> ResidueType | None:
    """The residue type whose atom names hold for `name`: its own, or the one of which it is an alias."""
    kind = RESIDUES.get(name)
    if kind is None:
        parent = parent_of(name)
        kind = RESIDUES.get(parent) if parent else None
    return kind if kind is not None and kind.atoms else None


def bonds_of(atoms: Atoms, hints: Pairs, labels: list[str], notes: Notebook) -> Pairs:
    """Every covalent bond, smaller index first, sorted.

    Args:
        atoms: The atoms.
        hints: Atom pairs that the file says are bonded.
        labels: How a person names each residue.
        notes: Where chain breaks and refused hints go.
    """
    within, templated = _from_tables(atoms)
    peptide = _peptide_bonds(atoms, labels, notes)
    disulfide = _disulfides(atoms)
    near = _near(atoms)
    pieces = [within, peptide, disulfide, _untemplated(atoms, near, templated), _hydrogens(atoms, templated)]
    known = _unique(np.concatenate(pieces))
    links = _links(atoms, near, hints, known)
    polymer = (atoms.kinds == "nucleic")[atoms.residue[links]].all(-1)
    if not polymer.all():
        ends = [f"{labels[atoms.residue[i]]}-{labels[atoms.residue[j]]}" for i, j in links[~polymer].tolist()]
        notes.add("kept", f"{counted(len(ends), 'covalent link')} between residues: {listed(ends)}.")
    return _unique(np.concatenate([known, links]))


def _unique(pairs: Pairs) -> Pairs:
    pairs = np.sort(pairs.reshape(-1, 2).astype(np.int64), axis=1)
    count = int(pairs.max(initial=0)) + 1
    code = np.unique(_code(pairs[pairs[:, 0] != pairs[:, 1]], count))
    return np.stack(np.divmod(code, count), axis=1)


def _from_tables(atoms: Atoms) -> tuple[Pairs, Mask]:
    """Bonds by name within residues that have a table, and which atoms the tables know."""
    pairs, known = [np.zeros((0, 2), dtype=np.int64)], np.zeros(len(atoms.names), dtype=bool)
    names, inverse = np.unique(atoms.residue_names, return_inverse=True)
    words, word_of = np.unique(atoms.names, return_inverse=True)
    for k, name in enumerate(names.tolist()):
        kind = template_of(name)
        if kind is None:
            continue
        slots = {atom.name: slot for slot, atom in enumerate(kind.atoms)}
        slot_of_word = np.array([slots.get(word, -1) for word in words.tolist()])
        members = np.flatnonzero(inverse == k)
        rank = np.full(len(inverse), -1)
        rank[members] = np.arange(len(members))
        rows = np.flatnonzero((rank[atoms.residue] >= 0) & (slot_of_word[word_of] >= 0))
        place = np.full((len(members), len(slots)), -1, dtype=np.int64)
        place[rank[atoms.residue[rows]], slot_of_word[word_of[rows]]] = rows
        known[rows] = True
        ends = np.array([(slots[a], slots[b]) for a, b, _ in kind.bonds if a in slots and b in slots]).reshape(
            -1, 2
        )
        found = np.stack([place[:, ends[:, 0]].ravel(), place[:, ends[:, 1]].ravel()], axis=1)
        pairs.append(found[(found >= 0).all(1)])
    return np.concatenate(pairs), known


def _peptide_bonds(atoms: Atoms, labels: list[str], notes: Notebook) -> Pairs:
    """C of a residue to N of the next one of its chain, where they touch; elsewhere the chain breaks."""
    carbon, nitrogen = atoms.index("C")[:-1], atoms.index("N")[1:]
    same = np.diff(atoms.chain_of_residue) == 0
    polymer = atoms.kinds == "protein"
    both = same & polymer[:-1] & polymer[1:] & (carbon >= 0) & (nitrogen >= 0)
    distance = np.linalg.norm(atoms.coords[carbon] - atoms.coords[nitrogen], axis=-1)
    broken = np.flatnonzero(both & (distance >= LINK))
    if len(broken):
        gaps = [f"{labels[k]} to {labels[k + 1]}" for k in broken.tolist()]
        notes.add("warning", f"{counted(len(gaps), 'chain break')} ({listed(gaps)}): no peptide bond there.")
    linked = both & (distance < LINK)
    return np.stack([carbon[linked], nitrogen[linked]], axis=1)


def _disulfides(atoms: Atoms) -> Pairs:
    """SG-SG pairs at a bond's length, each SG once, within a chain before across chains."""
    sulfurs = np.flatnonzero((atoms.names == "SG") & (atoms.elements == "S"))
    none = np.zeros((0, 2), dtype=np.int64)
    if len(sulfurs) < 2:
        return none
    one, other, d = nearest(atoms.coords[sulfurs], atoms.coords[sulfurs], 6, DISULFIDE)
    apart = d > 1.5
    i, j, d = sulfurs[one[apart]], sulfurs[other[apart]], d[apart]
    chain = atoms.chain_of_residue[atoms.residue]
    order = np.lexsort((np.abs(d - 2.05), chain[i] != chain[j]))
    taken: set[int] = set()
    pairs = []
    for a, b in zip(i[order].tolist(), j[order].tolist(), strict=True):
        if a < b and not {a, b} & taken:
            taken |= {a, b}
            pairs.append((a, b))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2) if pairs else none


def _near(atoms: Atoms) -> Pairs:
    """Heavy pairs at a bond's length that a table may not explain: one end in no protein of the twenty."""
    standard = np.array([template_of(name) is not None for name in atoms.residue_names.tolist()], dtype=bool)
    odd = ~standard & ~np.isin(atoms.kinds, ("water", "ion"))
    heavy = ~atoms.hydrogen & ~atoms.metal & ~np.isin(atoms.kinds, ("water", "ion"))[atoms.residue]
    everyone = np.flatnonzero(heavy)
    seekers = np.flatnonzero(heavy & odd[atoms.residue])
    return _touching(atoms, seekers, everyone, SLACK)


def _touching(atoms: Atoms, seekers: Integers, everyone: Integers, slack: float) -> Pairs:
    """Pairs closer than the sum of their covalent radii plus `slack`; never more than NEAREST an atom."""
    if not len(seekers) or len(everyone) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    reach = 2 * float(atoms.radii[everyone].max()) + slack
    one, other, d = nearest(atoms.coords[seekers], atoms.coords[everyone], NEAREST, reach)
    i, j = seekers[one], everyone[other]
    fits = (i != j) & (d > 0.5) & (d < atoms.radii[i] + atoms.radii[j] + slack)
    return np.stack([i[fits], j[fits]], axis=1)


def _untemplated(atoms: Atoms, near: Pairs, templated: Mask) -> Pairs:
    """Heavy bonds by distance within residues, where a table does not know one of the two atoms."""
    stray = np.flatnonzero(~templated & ~atoms.hydrogen & ~atoms.metal)
    standard = np.array([template_of(name) is not None for name in atoms.residue_names.tolist()], dtype=bool)
    stray = stray[standard[atoms.residue[stray]]]
    heavy = np.flatnonzero(~atoms.hydrogen & ~atoms.metal)
    pairs = np.concatenate([near, _touching(atoms, stray, heavy, SLACK)])
    inside = atoms.residue[pairs[:, 0]] == atoms.residue[pairs[:, 1]]
    return pairs[inside & ~(templated[pairs].all(1))]


def _hydrogens(atoms: Atoms, templated: Mask) -> Pairs:
    """Hydrogens that no table knows, each to the nearest heavy atom of its residue."""
    free = np.flatnonzero(atoms.hydrogen & ~templated)
    heavy = np.flatnonzero(~atoms.hydrogen)
    if not len(free) or not len(heavy):
        return np.zeros((0, 2), dtype=np.int64)
    one, other, _ = nearest(atoms.coords[free], atoms.coords[heavy], 4, HYDROGEN)
    mine = atoms.residue[heavy[other]] == atoms.residue[free[one]]
    one, other = one[mine], other[mine]
    _, first = np.unique(one, return_index=True)
    return np.stack([free[one[first]], heavy[other[first]]], axis=1)


def _links(atoms: Atoms, near: Pairs, hints: Pairs, known: Pairs) -> Pairs:
    """Bonds between residues: to a ligand, a sugar or a nucleotide by distance, between amino acids by hint.

    Two residues that touch at more than one pair of atoms lie on top of each other and are not bonded.
    """
    between = near[atoms.residue[near[:, 0]] != atoms.residue[near[:, 1]]]
    between = _unique(np.concatenate([between, _confirmed(atoms, hints), _rings(atoms)]))
    if not len(between):
        return between
    contacts = _contacts(atoms, np.unique(atoms.residue[between]))
    pair = np.sort(atoms.residue[between], axis=1)
    key = pair[:, 0] * len(atoms.residue_names) + pair[:, 1]
    crowd = np.array([contacts.get(k, 0) for k in key.tolist()])
    single = crowd <= 1
    d = np.linalg.norm(atoms.coords[between[:, 0]] - atoms.coords[between[:, 1]], axis=-1)
    reach = atoms.radii[between].sum(1) + LINK_SLACK
    fresh = ~np.isin(_code(between, len(atoms.names)), _code(known, len(atoms.names)))
    return between[single & (d < reach) & (d > 0.9) & fresh]


def _code(pairs: Pairs, count: int) -> Integers:
    return pairs[:, 0] * count + pairs[:, 1]


def _contacts(atoms: Atoms, residues: Integers) -> dict[int, int]:
    """Heavy pairs at a bond's length between each two of these residues."""
    members = np.isin(atoms.residue, residues) & ~atoms.hydrogen & ~atoms.metal
    index = np.flatnonzero(members)
    i, j = _close(atoms, index)
    apart = atoms.residue[i] != atoms.residue[j]
    a, b = np.sort(np.stack([atoms.residue[i[apart]], atoms.residue[j[apart]]]), axis=0)
    keys, counts = np.unique(a * len(atoms.residue_names) + b, return_counts=True)
    return dict(zip(keys.tolist(), (counts // 2).tolist(), strict=True))


def _close(atoms: Atoms, index: Integers) -> tuple[Integers, Integers]:
    """Pairs, each in both directions, closer than a bond; coincident atoms count."""
    reach = 2 * float(atoms.radii[index].max()) + LINK_SLACK
    one, other, d = nearest(atoms.coords[index], atoms.coords[index], NEAREST, reach)
    i, j = index[one], index[other]
    fits = (i != j) & (d < atoms.radii[i] + atoms.radii[j] + LINK_SLACK)
    return i[fits], j[fits]


def _confirmed(atoms: Atoms, hints: Pairs) -> Pairs:
    """Hints between residues whose atoms do stand at a bond's length, metals and hydrogens aside."""
    if not len(hints):
        return np.zeros((0, 2), dtype=np.int64)
    plain = ~(atoms.metal | atoms.hydrogen)[hints].any(1)
    return hints[plain & (atoms.residue[hints[:, 0]] != atoms.residue[hints[:, 1]])]


def _rings(atoms: Atoms) -> Pairs:
    """N of the first and C of the last amino acid of a chain, for cyclic peptides."""
    protein = np.flatnonzero(atoms.kinds == "protein")
    if not len(protein):
        return np.zeros((0, 2), dtype=np.int64)
    chains = atoms.chain_of_residue[protein]
    first = protein[np.concatenate([[True], np.diff(chains) != 0])]
    last = protein[np.concatenate([np.diff(chains) != 0, [True]])]
    pairs = np.stack([atoms.index("N")[first], atoms.index("C")[last]], axis=1)
    pairs = pairs[(pairs >= 0).all(1) & (last - first >= 2)]
    d = np.linalg.norm(atoms.coords[pairs[:, 0]] - atoms.coords[pairs[:, 1]], axis=-1)
    return pairs[d < 1.6]


def hinted_pairs(links: Iterable[tuple[Site, Site]], where: dict[Site, int], notes: Notebook) -> Pairs:
    """Atom pairs for the bonds that a file claims; those that cannot be are noted and left out."""
    pairs, ghosts, selves = [], [], 0
    for one, other in links:
        if one == other and one[3]:
            selves += 1
            continue
        i, j = where.get(one, -1), where.get(other, -1)
        if i < 0 or j < 0:
            ghosts.append(_site_label(one if i < 0 else other))
        elif i != j:
            pairs.append((i, j))
    if selves:
        notes.add("ignored", f"{counted(selves, 'bond')} of an atom to itself.")
    if ghosts:
        ends = listed(list(dict.fromkeys(ghosts)))
        notes.add(
            "ignored", f"{counted(len(ghosts), 'bond')} in the header to an atom that is not there ({ends})."
        )
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _site_label(site: Site) -> str:
    chain, number, code, name = site
    return f"{chain}:{number}{code}/{name}" if name else "an unknown serial number"
