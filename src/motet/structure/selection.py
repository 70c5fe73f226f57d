"""A short selection language: `chain A and 10-50 and not hydrogen`.

Words: `all none protein nucleic water ion ligand hydrogen heavy backbone sidechain`; `chain A B`, `name CA CB`,
`resname LEU VAL`, `element C N`, `residues 10-50 60 -5--1 52A` (the word may be left out before a number);
`and or not ( )`. `not` binds tightest, then `and`, then `or`.
"""

import re
from collections.abc import Callable

import numpy as np

from ..errors import SelectionError
from .topology import Mask, Topology

BACKBONE_NAMES = ("N", "CA", "C", "O", "OXT")
MOST_NESTED = 40
_TOKEN = re.compile(r"\(|\)|[^\s()]+")
_RANGE = re.compile(r"^(-?\d+)([A-Za-z]?)(?:-(-?\d+)([A-Za-z]?))?$")
_OPERATORS = frozenset(("and", "or", "not", "(", ")"))


def evaluate(expression: str, topology: Topology) -> Mask:
    """Which atoms the expression names.

    Raises:
        SelectionError: The expression does not parse.
    """
    parser = _Parser(expression, topology)
    mask = parser.either()
    if parser.ahead is not None:
        raise SelectionError(expression, f"cannot read {parser.ahead!r} here")
    return mask


class _Parser:
    """Recursive descent over the tokens: either → both → one."""

    def __init__(self, expression: str, topology: Topology) -> None:
        self.expression, self.topology = expression, topology
        self.tokens: list[str] = _TOKEN.findall(expression)
        self.position = 0
        self.depth = 0

    @property
    def ahead(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self) -> str:
        if self.ahead is None:
            raise SelectionError(self.expression, "it ends too early")
        self.position += 1
        return self.tokens[self.position - 1]

    def either(self) -> Mask:
        mask = self.both()
        while self.ahead == "or":
            self.take()
            mask = mask | self.both()
        return mask

    def both(self) -> Mask:
        mask = self.one()
        while self.ahead == "and":
            self.take()
            mask = mask & self.one()
        return mask

    def one(self) -> Mask:
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise SelectionError(self.expression[:60], "brackets and `not` are nested too deep")
        mask = self.word()
        self.depth -= 1
        return mask

    def word(self) -> Mask:
        word = self.take()
        if word == "not":
            return ~self.one()
        if word == "(":
            mask = self.either()
            if self.ahead != ")":
                raise SelectionError(self.expression, "a bracket is not closed")
            self.take()
            return mask
        if word in _WORDS:
            return _WORDS[word](self.topology)
        if word in _FIELDS:
            return np.isin(_FIELDS[word](self.topology), self.values(word))
        if word in ("residues", "resid", "resi"):
            return self.numbers(self.values(word))
        if _RANGE.match(word):
            return self.numbers([word, *self.values("", needed=False)])
        raise SelectionError(self.expression, f"does not know the word {word!r}")

    def values(self, word: str, needed: bool = True) -> list[str]:
        found = []
        while self.ahead is not None and self.ahead not in _OPERATORS:
            found.append(self.take())
        if needed and not found:
            raise SelectionError(self.expression, f"{word!r} needs a value")
        return found

    def numbers(self, ranges: list[str]) -> Mask:
        residues = np.zeros(self.topology.n_residues, dtype=bool)
        for text in ranges:
            match = _RANGE.match(text)
            if not match:
                raise SelectionError(self.expression, f"{text!r} is not a residue number or a range")
            residues |= _in_range(self.topology, *match.groups())
        return residues[self.topology.residue_of_atom]


def _in_range(topology: Topology, first: str, code: str, last: str | None, last_code: str | None) -> Mask:
    """Residues of one number (with its insertion codes, unless one is given) or of a range, both ends included."""
    numbers, codes = topology.residue_numbers, topology.insertion_codes
    if last is None:
        hit = numbers == int(first)
        return hit & (codes == code) if code else hit
    above = (numbers > int(first)) | ((numbers == int(first)) & (codes >= code))
    last_hit = (numbers == int(last)) & ((codes <= last_code) if last_code else np.ones_like(above))
    return above & ((numbers < int(last)) | last_hit)


def _kind(name: str) -> Callable[[Topology], Mask]:
    return lambda topology: topology.residue_kinds[topology.residue_of_atom] == name


_WORDS: dict[str, Callable[[Topology], Mask]] = {
    "all": lambda topology: np.ones(topology.n_atoms, dtype=bool),
    "none": lambda topology: np.zeros(topology.n_atoms, dtype=bool),
    "hydrogen": lambda topology: topology.is_hydrogen,
    "heavy": lambda topology: ~topology.is_hydrogen,
    "backbone": lambda topology: topology.is_protein & np.isin(topology.atom_names, BACKBONE_NAMES),
    "sidechain": lambda topology: (
        topology.is_protein & ~np.isin(topology.atom_names, BACKBONE_NAMES) & ~topology.is_hydrogen
    ),
    **{kind: _kind(kind) for kind in ("protein", "nucleic", "water", "ion", "ligand")},
}
_FIELDS: dict[str, Callable[[Topology], np.ndarray]] = {
    "chain": lambda topology: topology.chain_ids[topology.chain_of_atom],
    "name": lambda topology: topology.atom_names,
    "resname": lambda topology: topology.residue_names[topology.residue_of_atom],
    "element": lambda topology: topology.elements,
}
