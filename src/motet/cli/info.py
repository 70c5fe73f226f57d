"""`motet info`: what a file holds, what was repaired in it, and what later steps will not see."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from .options import AsJson, Input

if TYPE_CHECKING:
    from ..structure import Note, Structure

Described: TypeAlias = "tuple[dict[str, Any], tuple[Note, ...]]"


def info(structure: Input, as_json: AsJson = False) -> None:
    """What a file holds, what was repaired in it, and what is ignored.

    Structures, and density maps, sequences, alignments and weights too.

    Example: motet info examples/1l2y.pdb
    """
    from .batch import for_each

    for_each(structure, None, "info", lambda path, _: _inform(path, as_json), as_json)


def _inform(path: Path, as_json: bool) -> dict[str, Any]:
    from ..io import sniff
    from .batch import STDIN
    from .console import note, table

    kind = "pdb" if path == STDIN else sniff(path)
    facts, notes = _DESCRIBE.get(kind, _structure)(path)
    if not as_json:
        table(str(path), ["", ""], ([key, _plain(value)] for key, value in facts.items()))
        for one in notes:
            note(one.kind, one.text)
    return {"file": str(path), "kind": kind, **facts, "notes": [vars(one) for one in notes]}


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {number}" for key, number in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _structure(path: Path) -> Described:
    from ..ensemble import prepared
    from ..io import read
    from .batch import STDIN

    loaded = read("-" if path == STDIN else path)
    topology = loaded.topology
    facts = {
        "name": loaded.name,
        "models": loaded.n_models,
        "chains": {str(chain): _chain(loaded, str(chain)) for chain in topology.chain_ids},
        "residues": dict(Counter(topology.residue_kinds.tolist())),
        "atoms": loaded.n_atoms,
        "bonds": len(topology.bonds),
        "b_factors": loaded.b_factor_meaning,
    }
    is_protein = "protein" in facts["residues"]
    return facts, prepared(loaded).notes if is_protein else loaded.notes


def _chain(loaded: "Structure", chain: str) -> str:
    topology = loaded.topology
    residues = [i for i, owner in enumerate(topology.chain_ids[topology.chain_of_residue]) if owner == chain]
    first, last = topology.residue_numbers[residues[0]], topology.residue_numbers[residues[-1]]
    return f"({len(residues)} residues, {first} to {last})"


def _map(path: Path) -> Described:
    from ..io import read_map

    found = read_map(path)
    facts = {
        "shape": tuple(found.density.shape),
        "voxel": tuple(round(float(size), 4) for size in found.voxel),
        "cell": tuple(round(float(one), 3) for one in found.cell),
        "origin": tuple(round(float(one), 3) for one in found.origin),
        "minimum": float(found.density.min()),
        "mean": float(found.density.mean()),
        "maximum": float(found.density.max()),
    }
    return facts, found.notes


def _sequences(path: Path) -> Described:
    from ..io import read_fasta

    found = read_fasta(path)
    lengths = [len(one.residues) for one in found]
    facts = {"sequences": len(found), "shortest": min(lengths), "longest": max(lengths)}
    return facts, tuple(note for one in found for note in one.notes)


def _alignment(path: Path) -> Described:
    from ..io import read_a3m

    found = read_a3m(path)
    return {"rows": len(found), "columns": len(found.query)}, found.notes


def _weights(path: Path) -> Described:
    from ..io import read_weights

    found = read_weights(path)
    shapes = {name: "x".join(map(str, tensor.shape)) for name, tensor in found.items()}
    return {
        "tensors": len(found),
        "numbers": sum(tensor.numel() for tensor in found.values()),
        "shapes": shapes,
    }, ()


_DESCRIBE: dict[str, Callable[[Path], Described]] = {
    "map": _map,
    "fasta": _sequences,
    "a3m": _alignment,
    "safetensors": _weights,
}
