"""The PDB format: a `Structure` out, models and all."""

import numpy as np

from ..chem import NUCLEOTIDES, STANDARD
from ..errors import FormatError
from ..structure import Structure, Topology
from ..structure.topology import Mask
from .pdb import in_hybrid36

_REMEDY = "write mmCIF instead: a name that ends in .cif"


def pdb_text(structure: Structure, source: str = "structure") -> str:
    """The structure as a PDB file; several conformations become MODELs.

    Raises:
        FormatError: The PDB format cannot hold it: a long chain or residue name, too many atoms, a far coordinate.
    """
    topology = structure.topology
    coords = structure.coords.detach().reshape(-1, structure.n_atoms, 3).cpu().numpy().astype(np.float64)
    _refuse_misfits(topology, coords, source)
    before, after = _ends_of_lines(structure, source)
    terminal = _terminals(topology)
    body: list[str] = []
    for number, frame in enumerate(coords, start=1):
        lines = _model_lines(frame, before, after, terminal)
        body += [f"MODEL     {number:4d}", *lines, "ENDMDL"] if len(coords) > 1 else lines
    return "\n".join([*_header(structure), *body, *_connections(topology, terminal), "END", ""])


def _refuse_misfits(topology: Topology, coords: np.ndarray, source: str) -> None:
    for what, values, width in (
        ("chain name", topology.chain_ids, 1),
        ("residue name", topology.residue_names, 4),
        ("atom name", topology.atom_names, 4),
        ("insertion code", topology.insertion_codes, 1),
    ):
        long = [value for value in dict.fromkeys(values.tolist()) if len(value) > width]
        if long:
            raise FormatError(source, f"{what} {long[0]!r} does not fit the PDB format", _REMEDY)
    if not np.isfinite(coords).all():
        raise FormatError(source, "has coordinates that are not numbers", "check what moved the atoms")
    if coords.max(initial=0) >= 9999.9995 or coords.min(initial=0) <= -999.9995:
        raise FormatError(
            source, "has coordinates that do not fit the PDB format", f"move it to the origin, or {_REMEDY}"
        )


def _terminals(topology: Topology) -> Mask:
    """Atoms after which a TER belongs: the last of each chain's polymer."""
    polymer = np.isin(topology.residue_kinds, ("protein", "nucleic"))
    last = np.zeros(topology.n_atoms, dtype=bool)
    for chain in range(len(topology.chain_ids)):
        members = np.flatnonzero(polymer & (topology.chain_of_residue == chain))
        if len(members):
            last[topology.first_atoms[members[-1] + 1] - 1] = True
    return last


def _ends_of_lines(structure: Structure, source: str) -> tuple[list[str], list[str]]:
    """What stands before and after the coordinates of each atom."""
    topology = structure.topology
    kinds, names = topology.residue_kinds.tolist(), topology.residue_names.tolist()
    heads = []
    for residue, name in enumerate(names):
        number = in_hybrid36(int(topology.residue_numbers[residue]), 4)
        if number is None:
            raise FormatError(source, "has a residue number that does not fit the PDB format", _REMEDY)
        chain = topology.chain_ids[topology.chain_of_residue[residue]]
        code = topology.insertion_codes[residue] or " "
        heads.append(f"{name:>3} {chain}{number}{code}   " if len(name) < 4 else f"{name}{chain}{number}{code}   ")
    standard = [
        (kind == "protein" and name in STANDARD) or (kind == "nucleic" and name in NUCLEOTIDES)
        for kind, name in zip(kinds, names, strict=True)
    ]
    serial, before, after = 0, [], []
    terminal = _terminals(topology).tolist()
    columns = zip(
        topology.atom_names.tolist(),
        topology.elements.tolist(),
        topology.residue_of_atom.tolist(),
        topology.formal_charges.tolist(),
        structure.occupancies.tolist(),
        structure.b_factors.tolist(),
        terminal,
        strict=True,
    )
    for name, element, residue, charge, occupancy, b, ends in columns:
        serial += 1
        record = "ATOM  " if standard[residue] else "HETATM"
        before.append(f"{record}{_serial(serial, source)} {_name_field(name, element)} {heads[residue]}")
        tail = f"{occupancy:6.2f}{min(max(b, -99.99), 999.99):6.2f}          {element.upper():>2}{_charge(charge)}"
        if ends:
            serial += 1
            tail += f"\nTER   {_serial(serial, source)}      {heads[residue].rstrip()}"
        after.append(tail.rstrip(" "))
    return before, after


def _serial(serial: int, source: str) -> str:
    text = in_hybrid36(serial, 5)
    if text is None:
        raise FormatError(source, "has too many atoms for the PDB format", _REMEDY)
    return text


def _name_field(name: str, element: str) -> str:
    """Four columns; a one-letter element stands in the second, so that Cα is no calcium."""
    return name.ljust(4) if len(name) >= 4 or len(element) == 2 else f" {name:<3}"


def _charge(charge: int) -> str:
    return f"{abs(charge)}{'+' if charge > 0 else '-'}" if 0 < abs(charge) < 10 else "  "


def _model_lines(frame: np.ndarray, before: list[str], after: list[str], terminal: Mask) -> list[str]:
    del terminal
    middle = ("%8.3f%8.3f%8.3f\n" * len(frame)) % tuple((frame + 0.0).ravel().tolist())
    return [b + m + a for b, m, a in zip(before, middle.split("\n"), after, strict=False)]


def _header(structure: Structure) -> list[str]:
    if structure.b_factor_meaning == "pLDDT":
        return ["REMARK   1 B FACTORS HOLD PLDDT, 0 TO 100."]
    return ["REMARK   3 B FACTORS IN SQUARE ANGSTROMS."]


def _connections(topology: Topology, terminal: Mask) -> list[str]:
    """CONECT for the bonds that a reader could not guess from residue names: links, ligands, disulfides."""
    if not len(topology.bonds):
        return []
    residue = topology.residue_of_atom
    i, j = topology.bonds.T
    plain = np.isin(topology.residue_names, (*STANDARD, "HOH"))[residue]
    peptide = (topology.atom_names[i] == "C") & (topology.atom_names[j] == "N") & (residue[j] == residue[i] + 1)
    inside = residue[i] == residue[j]
    told = ~((inside & plain[i]) | peptide)
    serials = np.arange(topology.n_atoms) + np.concatenate([[0], np.cumsum(terminal)[:-1]]) + 1
    partners: dict[int, list[int]] = {}
    for a, b in topology.bonds[told].tolist():
        partners.setdefault(a, []).append(b)
        partners.setdefault(b, []).append(a)
    lines = []
    for atom in sorted(partners):
        others = [in_hybrid36(int(serials[b]), 5) or "" for b in sorted(partners[atom])]
        head = in_hybrid36(int(serials[atom]), 5)
        lines += [f"CONECT{head}{''.join(others[k : k + 4])}" for k in range(0, len(others), 4)]
    return lines
