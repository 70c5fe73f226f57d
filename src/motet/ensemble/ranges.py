"""Residues as a person writes them: `A:12-18`, not seven labels."""

from collections.abc import Iterable

from ..structure import Topology


def residue_ranges(topology: Topology, residues: Iterable[int]) -> str:
    """Residues of a topology, neighbours joined: `A:12-18, A:40`; a dash where there are none."""
    runs: list[tuple[int, int]] = []
    for residue in sorted(set(residues)):
        if runs and residue == runs[-1][1] + 1 and _together(topology, residue):
            runs[-1] = (runs[-1][0], residue)
        else:
            runs.append((residue, residue))
    return ", ".join(_written(topology, first, last) for first, last in runs) or "-"


def _together(topology: Topology, residue: int) -> bool:
    return bool(topology.chain_of_residue[residue] == topology.chain_of_residue[residue - 1])


def _written(topology: Topology, first: int, last: int) -> str:
    chain = topology.chain_ids[topology.chain_of_residue[first]]
    ends = [f"{topology.residue_numbers[one]}{topology.insertion_codes[one]}" for one in (first, last)]
    return f"{chain}:{ends[0]}" if first == last else f"{chain}:{ends[0]}-{ends[1]}"
