"""The PDB format: fixed columns in, an `AtomTable` out.

Source: wwPDB format 3.3 (2012); hybrid-36 numbers, cci.lbl.gov/hybrid_36.
"""

import re

import numpy as np

from ..errors import FormatError
from ..structure.structure import BFactorMeaning
from .atom_table import AtomTable, Floats, RawFile, Site, Words
from .element_guess import elements_of
from .notebook import Notebook, counted, listed, shown
from .opening import Source

WIDTH = 80
_ATOM = (b"ATOM  ", b"HETATM")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_REMEDY = "write it again in fixed columns, or as mmCIF"


def parse(source: Source) -> RawFile:
    """Everything that a PDB file says about its atoms.

    Raises:
        FormatError: The file holds no atoms, or atoms that cannot be read.
    """
    notes = Notebook(source.notes)
    lines = _lines(source, notes)
    rows, model, piece = _atom_lines(lines, source, notes)
    block = np.frombuffer(b"".join(lines[i].ljust(WIDTH)[:WIDTH] for i in rows), dtype="S1").reshape(-1, WIDTH)
    atoms = _table(block, model, piece, rows, source, notes)
    header = [line for line in lines if not line.startswith((b"ATOM", b"HETATM", b"TER", b"ANISOU"))]
    _check_cell(header, notes)
    return RawFile(
        atoms,
        source.stem,
        source.label,
        _sequences(header),
        _links(header, block, atoms),
        _b_factor_meaning(header),
        any(line.startswith((b"EXPDTA", b"REMARK   2", b"REMARK   3")) for line in header) or _has_cell(header),
        notes.notes,
    )


def _lines(source: Source, notes: Notebook) -> list[bytes]:
    data = source.data
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        notes.add("repaired", "the file starts with a byte-order mark: left out.")
    if b"\0" in data:
        raise FormatError(source.label, "holds NUL bytes, as a write to a full disk leaves them", "fetch it again")
    if b"\r" in data:
        if b"\n" not in data:
            notes.add("repaired", "lines end in a bare carriage return (old Mac): read as line ends.")
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = data.split(b"\n")
    last = lines[-1]
    if last.startswith(_ATOM) and len(last) < 54:
        notes.add(
            "warning",
            "the last line is cut off in its middle, so the file is not complete: that atom is left out.",
        )
        lines.pop()
    elif last.strip() and not last.startswith((b"END", b"TER", b"CONECT", b"MASTER")) and not _ended(lines):
        notes.add("warning", "the file ends without END or a line end: it may not be complete.")
    return lines


def _ended(lines: list[bytes]) -> bool:
    return any(line.startswith(b"END") and not line.startswith(b"ENDMDL") for line in lines[-3:])


def _atom_lines(lines: list[bytes], source: Source, notes: Notebook) -> tuple[list[int], list[int], list[int]]:
    """Line, model and piece (between TER records) of each atom."""
    rows: list[int] = []
    models: list[int] = []
    pieces: list[int] = []
    model = piece = opened = 0
    inside = False
    orphans = 0
    for i, line in enumerate(lines):
        tag = line[:6]
        if tag in _ATOM:
            rows.append(i)
            models.append(model)
            pieces.append(piece)
        elif tag == b"ANISOU":
            orphans += not rows
        elif line.startswith(b"TER") and line[3:4] in (b" ", b""):
            piece += 1
        elif line.startswith(b"MODEL") and line[5:6] in (b" ", b""):
            if inside:
                notes.add("repaired", "a MODEL has no ENDMDL: it ends where the next one begins.")
            opened, inside, piece = opened + 1, True, 0
            model += bool(rows) and models[-1] == model
        elif line.startswith(b"ENDMDL"):
            if not inside and rows:
                notes.add("repaired", "an ENDMDL has no MODEL: the atoms before it are taken for one model.")
            inside, piece = False, 0
            model += bool(rows) and models[-1] == model
    if inside and opened > 1:
        notes.add("repaired", "the last MODEL has no ENDMDL: it ends with the file.")
    if orphans:
        notes.add("ignored", f"{counted(orphans, 'ANISOU record')} before any atom.")
    if not rows:
        raise FormatError(source.label, _no_atoms(lines), "give a file with ATOM records")
    return rows, models, pieces


def _no_atoms(lines: list[bytes]) -> str:
    if not any(line.strip() for line in lines):
        return "is empty"
    if any(line.lstrip().startswith((b"ATOM", b"HETATM")) for line in lines):
        return "has ATOM records that are not in fixed columns"
    return "holds no atoms"


def _field(block: np.ndarray, start: int, stop: int) -> np.ndarray:
    return np.ascontiguousarray(block[:, start:stop]).view(f"S{stop - start}")[:, 0]


def _words(block: np.ndarray, start: int, stop: int) -> Words:
    values = Words.of(value.decode("latin-1") for value in _field(block, start, stop).tolist())
    return values.map(str.strip)


def _table(
    block: np.ndarray, model: list[int], piece: list[int], rows: list[int], source: Source, notes: Notebook
) -> AtomTable:
    # trailing blanks are lost in an S view, and a name's column tells calcium from Cα
    fields = Words.of(v.decode("latin-1").ljust(4) for v in _field(block, 12, 16).tolist())
    residues = _words(block, 17, 21)
    numbers, codes = _residue_numbers(block, rows, source, notes)
    residues_upper = residues.map(str.upper)
    elements = _words(block, 76, 78).map(lambda text: text if text.isalpha() else "")
    return AtomTable(
        model=np.array(model, dtype=np.int64),
        names=fields.map(str.strip),
        alternates=_words(block, 16, 17),
        residues=residues,
        chains=_chains(block, np.array(piece), notes),
        numbers=numbers,
        codes=codes,
        coords=_coords(block, rows, source),
        occupancies=_numbers_or_nan(_field(block, 54, 60), "occupancy", notes),
        b_factors=_numbers_or_nan(_field(block, 60, 66), "B factor", notes),
        elements=elements_of(fields.map(lambda name: name.upper()), residues_upper, elements, notes),
        charges=_charges(block, notes),
    )


def _coords(block: np.ndarray, rows: list[int], source: Source) -> Floats:
    try:
        coords = np.stack([_field(block, k, k + 8).astype(np.float64) for k in (30, 38, 46)], axis=-1)
    except ValueError:
        coords = None
    if coords is not None and np.isfinite(coords).all():
        return coords
    for row, line in zip(rows, block, strict=True):
        text = line[30:54].tobytes().decode("latin-1")
        for k in (0, 8, 16):
            if not _is_number(text[k : k + 8]):
                reason = f"line {row + 1} has no number where a coordinate belongs ({shown(text.strip(), 30)!r})"
                raise FormatError(source.label, reason, _REMEDY)
    raise FormatError(source.label, "has coordinates that are not numbers", _REMEDY)


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _numbers_or_nan(values: np.ndarray, what: str, notes: Notebook) -> Floats:
    stripped = np.char.strip(values)
    blank = stripped == b""
    try:
        return np.where(blank, b"nan", stripped).astype(np.float64)
    except ValueError:
        notes.add("repaired", f"some atoms have a {what} that is not a number: taken for blank.")
        return np.array([float(v) if _is_number(v.decode("latin-1")) else np.nan for v in stripped.tolist()])


def _residue_numbers(
    block: np.ndarray, rows: list[int], source: Source, notes: Notebook
) -> tuple[np.ndarray, Words]:
    """Residue numbers, plain or hybrid-36, and insertion codes; a digit in their column belongs to the number."""
    texts = Words.of(v.decode("latin-1") for v in _field(block, 22, 27).tolist())
    values, codes, spilled = [], [], False
    for i, text in enumerate(texts.words):
        text = text.ljust(5)
        if text[4].isdigit() and text[:4].strip().isdigit():
            number, code, spilled = int(text), "", True
        else:
            number, code = hybrid36(text[:4], 4), text[4].strip()
        if number is None:
            row = rows[int(np.flatnonzero(texts.ids == i)[0])]
            reason = f"line {row + 1} has no residue number ({shown(text.strip(), 12)!r})"
            raise FormatError(source.label, reason, _REMEDY)
        values.append(number)
        codes.append(code)
    if spilled:
        notes.add("repaired", "residue numbers of five digits run into the next column: read as numbers.")
    numbers = np.array(values, dtype=np.int64)[texts.ids]
    return numbers, Words(texts.ids, tuple(codes)).map(str)


def hybrid36(text: str, width: int) -> int | None:
    """A number of `width` columns, decimal or hybrid-36; None where it is neither."""
    text = text.strip()
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return int(text)
    if len(text) != width or not text[0].isalpha() or not text.isascii() or not text.isalnum():
        return None
    shift = 10 * 36 ** (width - 1) - 10**width
    if text == text.upper():
        return int(text, 36) - shift
    return int(text, 36) - shift + 26 * 36 ** (width - 1) if text == text.lower() else None


def in_hybrid36(number: int, width: int) -> str | None:
    """A number in `width` columns, decimal while it fits, then hybrid-36; None where nothing fits."""
    if -(10 ** (width - 1)) < number < 10**width:
        return f"{number:{width}d}"
    number -= 10**width
    block = 26 * 36 ** (width - 1)
    if not 0 <= number < 2 * block:
        return None
    value, text = number % block + 10 * 36 ** (width - 1), ""
    while value:
        value, digit = divmod(value, 36)
        text = _DIGITS[digit] + text
    return text if number < block else text.lower()


def _chains(block: np.ndarray, piece: np.ndarray, notes: Notebook) -> Words:
    """Chain names; blank ones are told apart by segment and TER, and get the next free letter."""
    chains = _words(block, 21, 22)
    blank = chains.where("")
    if not blank.any():
        return chains
    segments = _words(block, 72, 76)
    keys = [f"{segments[i]} {piece[i]}" for i in np.flatnonzero(blank).tolist()]
    free = [letter for letter in _LETTERS if letter not in chains.words]
    free += [a + b for a in _LETTERS for b in _LETTERS]
    names = {key: free[k] for k, key in enumerate(dict.fromkeys(keys))}
    values = np.array(chains.array(), dtype="U4")
    values[blank] = [names[key] for key in keys]
    letters = list(names.values())
    which = f"chain {letters[0]}" if len(letters) == 1 else f"chains {listed(letters, 8)}"
    notes.add("repaired", f"{counted(int(blank.sum()), 'atom')} without a chain name: called {which}.")
    return Words.of(values.tolist())


def _charges(block: np.ndarray, notes: Notebook) -> np.ndarray:
    texts = _words(block, 78, 80)
    values, bad = [], []
    for text in texts.words:
        match = re.fullmatch(r"([0-9]?)([+-])|([+-])([0-9])", text)
        size = int(match[1] or match[4] or 1) if match else 0
        values.append(-size if match and "-" in text else size)
        if text and not match and text != "0":
            bad.append(text)
    if bad:
        notes.add("ignored", f"what stands in the charge columns is no charge ({listed(bad, 3)}).")
    return np.array(values, dtype=np.int64)[texts.ids]


def _sequences(header: list[bytes]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in header:
        if line.startswith(b"SEQRES"):
            text = line.decode("latin-1")
            found.setdefault(text[11:12].strip(), []).extend(text[19:70].split())
    return found


def _has_cell(header: list[bytes]) -> bool:
    cells = [_cell(line) for line in header if line.startswith(b"CRYST1")]
    return any(cell is not None and min(cell[:3]) > 2 for cell in cells)


def _cell(line: bytes) -> list[float] | None:
    text = line.decode("latin-1")
    parts = [text[6:15], text[15:24], text[24:33], text[33:40], text[40:47], text[47:54]]
    return [float(part) for part in parts] if all(map(_is_number, parts)) else None


def _check_cell(header: list[bytes], notes: Notebook) -> None:
    for line in header:
        if line.startswith(b"CRYST1"):
            cell = _cell(line)
            if cell is None or not possible_cell(cell):
                notes.add("ignored", "CRYST1 holds a cell that cannot exist; motet does not need one.")


def possible_cell(cell: list[float]) -> bool:
    """Whether three lengths and three angles (degrees) close to a cell; all-zero lengths stand for no cell."""
    lengths, angles = cell[:3], cell[3:]
    if not any(lengths):
        return True
    a, b, c = np.cos(np.deg2rad(angles))
    volume = 1 - a * a - b * b - c * c + 2 * a * b * c
    return bool(min(lengths) > 0 and all(0 < angle < 180 for angle in angles) and volume > 1e-6)


def _b_factor_meaning(header: list[bytes]) -> BFactorMeaning | None:
    text = b"\n".join(header).upper()
    if b"PLDDT" in text or b"ALPHAFOLD" in text or b"\nPARENT N/A" in b"\n" + text:
        return "pLDDT"
    return "B" if b"\nEXPDTA" in b"\n" + text else None


def _links(header: list[bytes], block: np.ndarray, atoms: AtomTable) -> list[tuple[Site, Site]]:
    """Bonds that CONECT, SSBOND and LINK records claim."""
    links = []
    conect = [line for line in header if line.startswith(b"CONECT")]
    if conect:
        links += _conect(conect, block, atoms)
    for line in header:
        text = line.decode("latin-1").ljust(WIDTH)
        if text.startswith("SSBOND"):
            links.append((_site(text[15], text[17:22], "SG"), _site(text[29], text[31:36], "SG")))
        elif text.startswith("LINK  "):
            pair = (_site(text[21], text[22:27], text[12:16]), _site(text[51], text[52:57], text[42:46]))
            links.append(pair)
    return links


def _site(chain: str, number: str, name: str) -> Site:
    value = hybrid36(number[:4], 4)
    return (chain.strip(), -99999 if value is None else value, number[4:5].strip(), name.strip().upper())


def _conect(records: list[bytes], block: np.ndarray, atoms: AtomTable) -> list[tuple[Site, Site]]:
    rows: dict[str, int] = {}
    for row, serial in enumerate(_field(block, 6, 11).tolist()):
        rows.setdefault(serial.decode("latin-1").strip(), row)
    links = []
    for record in records:
        text = record.decode("latin-1")
        serials = [text[k : k + 5].strip() for k in range(6, 31, 5)]
        one = _row_site(rows.get(serials[0]), atoms)
        links += [(one, _row_site(rows.get(other), atoms)) for other in serials[1:] if other]
    return links


def _row_site(row: int | None, atoms: AtomTable) -> Site:
    if row is None:
        return ("", -99999, "", "")
    return (atoms.chains[row], int(atoms.numbers[row]), atoms.codes[row], atoms.names[row].upper())
