"""The mmCIF format: gemmi parses the syntax, the columns of `_atom_site` become an `AtomTable`."""

import re
from collections.abc import Callable

import numpy as np
from gemmi import cif

from ..errors import FormatError
from ..structure.structure import BFactorMeaning
from .atom_table import AtomTable, Floats, RawFile, Site, Words
from .element_guess import elements_of
from .notebook import Notebook, listed, shown
from .opening import Source
from .pdb import possible_cell

LARGEST_NUMBER = 2**31 - 1
_REMEDY = "fetch the file again, or write it with another program"


def parse(source: Source) -> RawFile:
    """Everything that an mmCIF file says about its atoms.

    Raises:
        FormatError: The file is not CIF, holds no atoms, or atoms that cannot be read.
    """
    notes = Notebook(source.notes)
    block = _block_with_atoms(_document(source, notes), source, notes)
    columns = _Columns(block, source)
    atoms = _table(columns, source, notes)
    _check_cell(block, notes)
    _check_identifiers(block, source, notes)
    return RawFile(
        atoms,
        source.stem,
        source.label,
        _sequences(block, columns),
        _links(block),
        _b_factor_meaning(block),
        bool(block.find_values("_exptl.method")) and "THEORETICAL" not in str(block.find_value("_exptl.method")),
        notes.notes,
    )


def _document(source: Source, notes: Notebook) -> cif.Document:
    text = source.data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    if "\0" in text:
        raise FormatError(source.label, "holds NUL bytes, as a write to a full disk leaves them", "fetch it again")
    if "\r" in text and "\n" not in text:
        notes.add("repaired", "lines end in a bare carriage return (old Mac): read as line ends.")
        text = text.replace("\r", "\n")
    try:
        return cif.read_string(text)
    except (ValueError, RuntimeError) as error:
        if "duplicate block name" not in str(error):
            reason = shown(str(error).removeprefix("string:").split("\n")[0], 90)
            raise FormatError(source.label, f"is not valid mmCIF ({reason})", _REMEDY) from None
    notes.add("repaired", "two data blocks have the same name: the first one with atoms is read.")
    number = iter(range(1_000_000))
    text = re.sub(r"(?mi)^data_\S*", lambda match: f"{match[0]}_{next(number)}", text)
    try:
        return cif.read_string(text)
    except (ValueError, RuntimeError):
        raise FormatError(source.label, "is not valid mmCIF (duplicate names)", _REMEDY) from None


def _block_with_atoms(document: cif.Document, source: Source, notes: Notebook) -> cif.Block:
    """The block that holds a model; of several, the one with the most atoms."""
    sizes = [len(block.find_values("_atom_site.Cartn_x")) for block in document]
    if not any(sizes):
        raise FormatError(source.label, _no_atoms(document), "give a file with an _atom_site table")
    best = int(np.argmax(sizes))
    if len(sizes) > 1:
        what = f"block {best + 1} of {len(sizes)}, {shown(document[best].name, 40)}"
        notes.add("ignored", f"the file has {len(sizes)} data blocks: {what}, is read, the others are not.")
    return document[best]


def _no_atoms(document: cif.Document) -> str:
    tables = {
        "_atom_site.": "has an _atom_site table without Cartn_x",
        "_chem_comp_atom.": "holds the definition of a chemical component, not a model",
        "_refln.": "holds structure factors, not a model",
    }
    for prefix, reason in tables.items():
        if any(len(block.find_mmcif_category(prefix)) for block in document):
            return reason
    return "holds no atoms"


class _Columns:
    """Columns of `_atom_site`, by tag, with a second choice where the first is absent."""

    def __init__(self, block: cif.Block, source: Source) -> None:
        table = block.find_mmcif_category("_atom_site.")
        tags = [tag.lower() for tag in table.tags]
        values = table.loop.values if table.loop is not None else list(table[0])
        self.by_tag = {tag: values[k :: len(tags)] for k, tag in enumerate(tags)}
        self.rows, self.source = len(values) // len(tags), source
        self._known: dict[tuple[str, ...], Words] = {}

    def text(self, *tags: str) -> list[str] | None:
        """Raw values of the first of the tags that the table has."""
        for tag in tags:
            column = self.by_tag.get(f"_atom_site.{tag}".lower())
            if column is not None:
                return column
        return None

    def words(self, *tags: str) -> Words:
        """Unquoted values, blank where unknown; a value unknown under the first tag comes from the next."""
        if tags not in self._known:
            self._known[tags] = self._words(tags)
        return self._known[tags]

    def _words(self, tags: tuple[str, ...]) -> Words:
        present = [tag for tag in tags if self.text(tag) is not None]
        if not present:
            return Words(np.zeros(self.rows, dtype=np.int64), ("",))
        found = Words.of(self.text(present[0]) or []).map(_plain)
        blank = found.where("")
        if len(present) > 1 and blank.any():
            second = self.words(*present[1:]).array()
            return Words.of(np.where(blank, second, found.array()).tolist())
        return found

    def numbers(self, tag: str) -> Floats:
        """Values as numbers, without their uncertainty; NaN where unknown or absent."""
        column = self.text(tag)
        if column is None:
            return np.full(self.rows, np.nan)
        try:
            return np.fromiter(map(float, column), np.float64, len(column))
        except ValueError:
            return np.array([_number(value) for value in column])

    def require(self, *tags: str) -> None:
        """Raise unless the table has one of these tags."""
        if self.text(*tags) is None:
            reason = f"its _atom_site table has no {' or '.join(tags)}"
            raise FormatError(self.source.label, reason, _REMEDY)


def _plain(value: str) -> str:
    return "" if cif.is_null(value) else cif.as_string(value).strip()


def _number(value: str) -> float:
    return float(cif.as_number(value)) if not cif.is_null(value) else float("nan")


def _table(columns: _Columns, source: Source, notes: Notebook) -> AtomTable:
    for tags in (("auth_atom_id", "label_atom_id"), ("auth_comp_id", "label_comp_id")):
        columns.require(*tags)
    names = columns.words("label_atom_id", "auth_atom_id")
    residues = columns.words("auth_comp_id", "label_comp_id")
    return AtomTable(
        model=_models(columns),
        names=names,
        alternates=columns.words("label_alt_id"),
        residues=residues,
        chains=_chains(columns, notes),
        numbers=_residue_numbers(columns, source, notes),
        codes=columns.words("pdbx_PDB_ins_code"),
        coords=_coords(columns, source),
        occupancies=columns.numbers("occupancy"),
        b_factors=columns.numbers("B_iso_or_equiv"),
        elements=elements_of(names.map(str.upper), residues.map(str.upper), columns.words("type_symbol"), notes),
        charges=_charges(columns),
    )


def _models(columns: _Columns) -> np.ndarray:
    """Models in the order of the file, from 0; rows of one model need not stand together."""
    return columns.words("pdbx_PDB_model_num").ids


def _chains(columns: _Columns, notes: Notebook) -> Words:
    chains = columns.words("auth_asym_id", "label_asym_id")
    if "" in chains.words and chains.where("").any():
        notes.add("repaired", "atoms without a chain name: called A.")
        chains = chains.map(lambda word: word or "A")
    return chains


def _coords(columns: _Columns, source: Source) -> Floats:
    for axis in "xyz":
        columns.require(f"Cartn_{axis}")
    coords = np.stack([columns.numbers(f"Cartn_{axis}") for axis in "xyz"], axis=-1)
    bad = np.flatnonzero(~np.isfinite(coords).all(-1))
    if len(bad):
        reason = f"atom {int(bad[0]) + 1} of _atom_site has a coordinate that is not a number"
        raise FormatError(source.label, reason, "leave that atom out, or give it a place")
    return coords


def _residue_numbers(columns: _Columns, source: Source, notes: Notebook) -> np.ndarray:
    """The author's numbers; where there is none, `label_seq_id`, or the number of the residue before plus one."""
    if "" in columns.words("label_seq_id").words:
        _note_missing_positions(columns, notes)
    words = columns.words("auth_seq_id", "label_seq_id")
    values = [_integer(word, source) for word in words.words]
    if None not in values:
        return np.array(values, dtype=np.int64)[words.ids]
    notes.add("repaired", "some residues have no number: each gets one of its own.")
    comps = columns.words("label_comp_id")
    groups = columns.words("label_asym_id").ids * len(comps.words) + comps.ids
    known = np.array([-1 if value is None else value for value in values])[words.ids]
    change = np.concatenate([[0], np.cumsum((np.diff(groups) != 0) | (np.diff(known) != 0))])
    blank = np.array([value is None for value in values])[words.ids]
    return np.where(blank, change + 1, known).astype(np.int64)


def _note_missing_positions(columns: _Columns, notes: Notebook) -> None:
    atoms = columns.words("group_PDB").where("ATOM")
    unplaced = columns.words("label_seq_id").where("") & atoms
    if atoms.any() and unplaced.all(where=atoms):
        notes.add(
            "repaired",
            "no residue has its place in the sequence (label_seq_id): the author's numbers tell them apart.",
        )


def _integer(word: str, source: Source) -> int | None:
    if not word:
        return None
    if not re.fullmatch(r"[+-]?\d+", word) or abs(int(word[:20])) > LARGEST_NUMBER:
        raise FormatError(source.label, f"{shown(word, 24)!r} is not a residue number", _REMEDY)
    return int(word)


def _charges(columns: _Columns) -> np.ndarray:
    words = columns.words("pdbx_formal_charge")
    sizes = [int(word) if re.fullmatch(r"[+-]?\d", word) else 0 for word in words.words]
    return np.array(sizes or [0], dtype=np.int64)[words.ids]


def _sequences(block: cif.Block, columns: _Columns) -> dict[str, list[str]]:
    """Sequence of each polymer chain, by the author's chain name."""
    table = block.find("_entity_poly_seq.", ["entity_id", "num", "mon_id"])
    by_entity: dict[str, dict[str, str]] = {}
    for row in table:
        by_entity.setdefault(row.str(0), {}).setdefault(row.str(1), row.str(2))
    if not by_entity:
        return {}
    chains, entities = columns.words("auth_asym_id", "label_asym_id"), columns.words("label_entity_id")
    found: dict[str, list[str]] = {}
    for pair in np.unique(chains.ids * len(entities.words) + entities.ids).tolist():
        chain, entity = divmod(pair, len(entities.words))
        found.setdefault(chains.words[chain], []).extend(by_entity.get(entities.words[entity], {}).values())
    return {chain: sequence for chain, sequence in found.items() if sequence}


def _links(block: cif.Block) -> list[tuple[Site, Site]]:
    """Bonds that `_struct_conn` claims, metal coordination and hydrogen bonds aside."""
    ends = [
        [f"ptnr{k}_auth_asym_id", f"ptnr{k}_auth_seq_id", f"?pdbx_ptnr{k}_PDB_ins_code", f"ptnr{k}_label_atom_id"]
        for k in (1, 2)
    ]
    table = block.find("_struct_conn.", ["conn_type_id", *ends[0], *ends[1]])
    covalent = ("disulf", "covale", "covale_base", "covale_phosphate", "covale_sugar")
    return [(_site(row, 1), _site(row, 5)) for row in table if row.str(0).lower() in covalent]


def _site(row: cif.Table.Row, start: int) -> Site:
    number = row.str(start + 1)
    code = row.str(start + 2) if row.has(start + 2) else ""
    value = int(number) if re.fullmatch(r"[+-]?\d{1,9}", number) else -99999
    return (row.str(start), value, code, row.str(start + 3).upper())


def _b_factor_meaning(block: cif.Block) -> BFactorMeaning | None:
    texts: list[Callable[[], str]] = [
        lambda: " ".join(block.find_values("_ma_qa_metric.name")),
        lambda: " ".join(block.find_values("_software.name")),
        lambda: str(block.find_value("_struct.title")),
        lambda: str(block.find_value("_entry.id")),
    ]
    said = " ".join(text() for text in texts).upper()
    if "PLDDT" in said or "ALPHAFOLD" in said or re.search(r"\bAF-[A-Z0-9]+-F\d", said):
        return "pLDDT"
    return "B" if block.find_values("_exptl.method") else None


def _check_cell(block: cif.Block, notes: Notebook) -> None:
    tags = ["length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"]
    texts = [block.find_value(f"_cell.{tag}") for tag in tags]
    if all(text and not cif.is_null(text) for text in texts) and not possible_cell(
        [_number(str(t)) for t in texts]
    ):
        notes.add("ignored", "_cell holds a cell that cannot exist; motet does not need one.")


def _check_identifiers(block: cif.Block, source: Source, notes: Notebook) -> None:
    """Names in the file never become file names; say so where they look as if they wanted to."""
    said = [name for name in (block.name, _plain(str(block.find_value("_entry.id") or "?"))) if name]
    odd = [name for name in said if re.search(r"[/\\\x00-\x1f]|\.\.", name)]
    if odd:
        notes.add(
            "ignored", f"the entry is called {listed(odd, 1)!r}: not a name to use; called {source.stem} instead."
        )
