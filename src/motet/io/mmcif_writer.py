"""The mmCIF format: a `Structure` out, with entities, both numberings, links, and pLDDT where it is one."""

from collections.abc import Iterable, Iterator

import numpy as np
from gemmi import cif

from ..errors import FormatError
from ..structure import Structure, Topology
from .opening import stem_of

_TAGS = (
    "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_entity_id label_seq_id "
    "pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv pdbx_formal_charge auth_seq_id "
    "auth_comp_id auth_asym_id auth_atom_id pdbx_PDB_model_num"
).split()
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class _Labels:
    """The archive's own names: an asym id for each polymer, ligand and chain's waters; entities; positions."""

    def __init__(self, topology: Topology) -> None:
        kinds, names = topology.residue_kinds.tolist(), topology.residue_names.tolist()
        asym_of: dict[object, str] = {}
        entity_of: dict[object, int] = {}
        members: dict[object, list[int]] = {}
        keys: list[object] = []
        for residue, (kind, chain) in enumerate(zip(kinds, topology.chain_of_residue.tolist(), strict=True)):
            group = kind if kind in ("protein", "nucleic", "water") else residue
            keys.append((chain, group))
            members.setdefault(keys[-1], []).append(residue)
        self.asym, self.entity, self.position = [""] * len(names), [0] * len(names), [0] * len(names)
        self.entities: list[tuple[int, str, tuple[str, ...]]] = []
        self.asyms: list[tuple[str, int]] = []
        for number, (key, residues) in enumerate(members.items()):
            kind = kinds[residues[0]]
            polymer = kind in ("protein", "nucleic")
            content = tuple(names[r] for r in residues) if polymer else (names[residues[0]],)
            what = (kind, content)
            if what not in entity_of:
                entity_of[what] = len(entity_of) + 1
                self.entities.append((entity_of[what], kind, content))
            asym_of[key] = _asym_name(number)
            self.asyms.append((asym_of[key], entity_of[what]))
            for place, residue in enumerate(residues, start=1):
                self.asym[residue], self.entity[residue] = asym_of[key], entity_of[what]
                self.position[residue] = place if polymer else 0


def _asym_name(number: int) -> str:
    """A to Z, then AA, BA, ... as the archive counts."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name += _LETTERS[letter]
    return name


def mmcif_text(structure: Structure, source: str = "structure") -> str:
    """The structure as an mmCIF file; several conformations become models.

    Raises:
        FormatError: Coordinates that are not numbers.
    """
    coords = structure.coords.detach().reshape(-1, structure.n_atoms, 3).cpu().numpy().astype(np.float64)
    if not np.isfinite(coords).all():
        raise FormatError(source, "has coordinates that are not numbers", "check what moved the atoms")
    labels = _Labels(structure.topology)
    name = stem_of(structure.name)
    parts = [f"data_{name}", f"_entry.id {name}", *_entities(labels), *_confidence(structure, labels)]
    parts += [*_connections(structure.topology, labels), *_atom_site(structure, labels, coords)]
    return "\n".join([*parts, "#", ""])


def _loop(category: str, tags: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    lines = [" ".join(str(value) for value in row) for row in rows]
    if lines:
        yield "#\nloop_\n" + "\n".join(f"_{category}.{tag}" for tag in tags)
        yield from lines


def _quote(text: str) -> str:
    return cif.quote(text) if text else "."


def _entities(labels: _Labels) -> Iterator[str]:
    types = {"protein": "polymer", "nucleic": "polymer", "water": "water"}
    yield from _loop(
        "entity", ("id", "type"), ((n, types.get(kind, "non-polymer")) for n, kind, _ in labels.entities)
    )
    polymers = [(n, kind, names) for n, kind, names in labels.entities if kind in ("protein", "nucleic")]
    words = {"protein": "polypeptide(L)", "nucleic": "polydeoxyribonucleotide"}
    rna = "polyribonucleotide"
    yield from _loop(
        "entity_poly",
        ("entity_id", "type"),
        (
            (
                n,
                cif.quote(
                    rna if kind == "nucleic" and not any(name.startswith("D") for name in names) else words[kind]
                ),
            )
            for n, kind, names in polymers
        ),
    )
    rows = ((n, k, _quote(name)) for n, _, names in polymers for k, name in enumerate(names, start=1))
    yield from _loop("entity_poly_seq", ("entity_id", "num", "mon_id"), rows)
    yield from _loop("struct_asym", ("id", "entity_id"), labels.asyms)


def _confidence(structure: Structure, labels: _Labels) -> Iterator[str]:
    """pLDDT as ModelCIF keeps it: by residue, beside the B-factor column."""
    if structure.b_factor_meaning != "pLDDT":
        yield "#\n_refine.entry_id " + stem_of(structure.name)
        yield "_refine.pdbx_method_to_determine_struct ?"
        return
    topology = structure.topology
    yield from _loop(
        "ma_qa_metric",
        ("id", "mode", "name", "type"),
        [(1, "global", "pLDDT", "pLDDT"), (2, "local", "pLDDT", "pLDDT")],
    )
    values = structure.b_factors.double().numpy()
    sizes = np.diff(topology.first_atoms)
    mean = np.add.reduceat(values, topology.first_atoms[:-1]) / sizes if topology.n_residues else values
    protein = np.flatnonzero(topology.residue_kinds == "protein").tolist()
    rows = (
        (labels.asym[r], _quote(str(topology.residue_names[r])), labels.position[r], 2, f"{mean[r]:.2f}", 1, k)
        for k, r in enumerate(protein, start=1)
    )
    tags = "label_asym_id label_comp_id label_seq_id metric_id metric_value model_id ordinal_id".split()
    yield from _loop("ma_qa_metric_local", tags, rows)


def _connections(topology: Topology, labels: _Labels) -> Iterator[str]:
    """Bonds between residues other than the polymer's own."""
    residue = topology.residue_of_atom
    bonds = (
        topology.bonds[residue[topology.bonds[:, 0]] != residue[topology.bonds[:, 1]]]
        if len(topology.bonds)
        else []
    )
    rows = []
    for i, j in np.asarray(bonds).reshape(-1, 2).tolist():
        names = (str(topology.atom_names[i]), str(topology.atom_names[j]))
        a, b = int(residue[i]), int(residue[j])
        if b == a + 1 and names in (("C", "N"), ("O3'", "P")):
            continue
        kind = "disulf" if names == ("SG", "SG") else "covale"
        rows.append(
            [f"{kind}{len(rows) + 1}", kind, *_partner(topology, labels, i), *_partner(topology, labels, j)]
        )
    fields = "label_asym_id label_comp_id label_seq_id label_atom_id auth_asym_id auth_comp_id auth_seq_id".split()
    tags = [f"ptnr{k}_{field}" for k in (1, 2) for field in fields]
    tags = [*tags[:7], "pdbx_ptnr1_PDB_ins_code", *tags[7:], "pdbx_ptnr2_PDB_ins_code"]
    yield from _loop("struct_conn", ["id", "conn_type_id", *tags], rows)


def _partner(topology: Topology, labels: _Labels, atom: int) -> list[object]:
    residue = int(topology.residue_of_atom[atom])
    name = _quote(str(topology.residue_names[residue]))
    return [
        labels.asym[residue],
        name,
        labels.position[residue] or ".",
        _quote(str(topology.atom_names[atom])),
        _quote(str(topology.chain_ids[topology.chain_of_residue[residue]])),
        name,
        int(topology.residue_numbers[residue]),
        str(topology.insertion_codes[residue]) or "?",
    ]


def _atom_site(structure: Structure, labels: _Labels, coords: np.ndarray) -> Iterator[str]:
    topology = structure.topology
    heads, tails = [], []
    for residue, name in enumerate(topology.residue_names.tolist()):
        comp, kind = _quote(name), topology.residue_kinds[residue]
        chain = _quote(str(topology.chain_ids[topology.chain_of_residue[residue]]))
        place = labels.position[residue] or "."
        code = topology.insertion_codes[residue] or "?"
        group = "ATOM" if kind in ("protein", "nucleic") else "HETATM"
        heads.append((group, f". {comp} {labels.asym[residue]} {labels.entity[residue]} {place} {code}"))
        tails.append(f"{topology.residue_numbers[residue]} {comp} {chain}")
    before, after = [], []
    names = {name: _quote(name) for name in dict.fromkeys(topology.atom_names.tolist())}
    columns = zip(
        topology.atom_names.tolist(),
        topology.elements.tolist(),
        topology.residue_of_atom.tolist(),
        topology.formal_charges.tolist(),
        structure.occupancies.tolist(),
        structure.b_factors.tolist(),
        strict=True,
    )
    for name, element, residue, charge, occupancy, b in columns:
        group, rest = heads[residue]
        before.append((group, f"{element.upper()} {names[name]} {rest} "))
        after.append(f" {occupancy:.2f} {b:.2f} {charge or '?'} {tails[residue]} {names[name]} ")
    yield "#\nloop_\n" + "\n".join(f"_atom_site.{tag}" for tag in _TAGS)
    for model, frame in enumerate(coords, start=1):
        start = (model - 1) * len(frame)
        middle = (("%.3f %.3f %.3f\n" * len(frame)) % tuple((frame + 0.0).ravel().tolist())).split("\n")
        for k, ((group, head), place, tail) in enumerate(
            zip(before, middle, after, strict=False), start=start + 1
        ):
            yield f"{group} {k} {head}{place}{tail}{model}"
