"""Predicted models of one protein, from many files or one npz, as models of one structure with their pLDDT."""

import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import FormatError, MotetError
from ..structure import Note, Structure, structure_from_backbone
from .notebook import counted, shown
from .opening import PathLike
from .read import read

STRUCTURES = (".pdb", ".ent", ".cif", ".mmcif")
MOST_NAMED = 3  # files that a note names
_ASK = "give PDB or mmCIF files of one protein, or an npz with name, seq, coords and plddt"


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predicted models of one protein.

    Args:
        structure: The models, `models atoms 3`: the heavy atoms that all of them have.
        names: Name of each model, as its file's stem or as the npz has it.
        confidence: pLDDT of each residue of each model, 0 to 100; None where the files hold none.
        notes: What was left out.
    """

    structure: Structure
    names: tuple[str, ...]
    confidence: Float[Tensor, "models residues"] | None
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def chosen(self, keep: Tensor) -> "Predictions":
        """The models where `keep` is true, or those of these indices."""
        index = keep.nonzero().squeeze(-1) if keep.dtype == torch.bool else keep
        return replace(
            self,
            structure=self.structure.with_coords(self.structure.coords[index]),
            names=tuple(self.names[i] for i in index.tolist()),
            confidence=None if self.confidence is None else self.confidence[index],
        )


def holds_predictions(path: Path) -> bool:
    """Whether a file is an npz, or has a structure's suffix."""
    return path.suffix.lower() == ".npz" or bare(path).suffix.lower() in STRUCTURES


def read_predictions(path: PathLike) -> Predictions:
    """All models of a folder of PDB and mmCIF files (packed or not, one model or many each), or of one npz.

    Models of another sequence than most have, and files that cannot be read, are left out with a note.

    Raises:
        FormatError: There is nothing to read, or nothing in it that fits.
    """
    path = Path(path)
    if path.is_dir():
        return _of_folder(path)
    return _of_archive(path) if path.suffix.lower() == ".npz" else _together([path], path)


def _of_folder(folder: Path) -> Predictions:
    files = sorted(one for one in folder.iterdir() if one.is_file() and bare(one).suffix.lower() in STRUCTURES)
    if files:
        return _together(files, folder)
    packed = sorted(folder.glob("*.npz"))
    if len(packed) == 1:
        return _of_archive(packed[0])
    reason = f"holds {counted(len(packed), 'npz file')} and no PDB or mmCIF file"
    raise FormatError(shown(folder), reason, "name one of them" if packed else _ASK)


def _together(files: Sequence[Path], source: Path) -> Predictions:
    """Models of many files on the atoms they share."""
    found: list[tuple[str, Structure]] = []
    broken: list[str] = []
    for file in files:
        try:
            structure = read(file)
            heavy = structure.topology.is_protein & ~structure.topology.is_hydrogen
            structure = structure.subset(heavy)
        except MotetError:
            broken.append(file.name)
            continue
        stem = bare(file).stem
        several = structure.n_models > 1
        found += [(f"{stem}-{i + 1}" if several else stem, structure.model(i)) for i in range(structure.n_models)]
    found = [(name, one) for name, one in found if one.n_residues]
    if not found:
        raise FormatError(shown(source), "holds no protein model that can be read", _ASK)
    notes = _left_out(broken, "cannot be read as a protein")
    kept, others = _of_one_sequence([_sequence(one) for _, one in found])
    notes += _left_out([found[i][0] for i in others], "has another sequence than most")
    models = _on_common_atoms([found[i][1] for i in kept])
    structure = replace(
        models[0].with_coords(torch.stack([one.coords for one in models])), name=bare(source).stem, notes=()
    )
    confidence = _confidence(models)
    return Predictions(structure, tuple(found[i][0] for i in kept), confidence, notes)


def _on_common_atoms(models: list[Structure]) -> list[Structure]:
    """Each model reduced to the atoms that all have; they are in one order, since the sequence is one."""
    if len({one.topology.digest for one in models}) == 1:
        return models
    keys = [
        [
            f"{residue}/{atom}"
            for residue, atom in zip(one.topology.residue_of_atom, one.topology.atom_names, strict=True)
        ]
        for one in models
    ]
    common = set.intersection(*map(set, keys))
    order = [key for key in keys[0] if key in common]
    reduced = []
    first = models[0].subset(np.array([key in common for key in keys[0]]))
    for one, names in zip(models, keys, strict=True):
        place = {name: index for index, name in enumerate(names)}
        index = torch.tensor([place[key] for key in order])
        reduced.append(replace(first, coords=one.coords[index], b_factors=one.b_factors[index]))
    return reduced


def _confidence(models: list[Structure]) -> Float[Tensor, "models residues"] | None:
    """Mean B factor of each residue, where it can be a pLDDT; values up to 1 are taken for hundredths."""
    owner = torch.from_numpy(models[0].topology.residue_of_atom.copy())
    values = torch.stack([one.b_factors for one in models]).float()
    sums = torch.zeros(len(models), models[0].n_residues).index_add_(1, owner, values)
    means = sums / torch.bincount(owner)
    if not (means > 0).any() or (means < 0).any() or (means > 100).any():
        return None
    return means * 100 if means.max() <= 1 else means


def _of_archive(path: Path) -> Predictions:
    """Models of an npz whose rows stand end to end: name, seq, length, coords (residues 4 3) and plddt."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise FormatError(shown(path), f"is not an npz that can be read ({error})", _ASK) from None
    missing = [key for key in ("seq", "coords") if key not in arrays]
    if missing:
        raise FormatError(shown(path), f"lacks {' and '.join(missing)}", _ASK)
    sequences = [str(one) for one in np.atleast_1d(arrays["seq"])]
    coords = arrays["coords"]
    scale = 0.01 if coords.dtype.kind == "i" else 1.0  # whole numbers are hundredths of an Å
    if coords.ndim == 4:
        sequences = sequences * (len(coords) // max(len(sequences), 1))
        coords = coords.reshape(-1, *coords.shape[2:])
    ends = np.cumsum([len(one) for one in sequences])
    if not sequences or coords.shape != (ends[-1], 4, 3):
        reason = f"has coords of shape {arrays['coords'].shape}, which do not fit its {len(sequences)} sequences"
        raise FormatError(shown(path), reason, "coords must be N, CA, C and O of each residue")
    names = (
        [str(one) for one in arrays["name"]] if "name" in arrays else [f"model-{i + 1}" for i in range(len(ends))]
    )
    return _of_rows(path, sequences, names, coords.astype(np.float32) * scale, arrays.get("plddt"))


def _of_rows(
    path: Path, sequences: list[str], names: list[str], coords: np.ndarray, plddt: np.ndarray | None
) -> Predictions:
    kept, others = _of_one_sequence(sequences)
    notes = _left_out([names[i] for i in others], "has another sequence than most")
    starts = np.cumsum([0, *(len(one) for one in sequences)])
    rows = np.stack([coords[starts[i] : starts[i + 1]] for i in kept])
    finite = [bool(np.isfinite(row).all()) for row in rows]
    notes += _left_out([names[i] for i, good in zip(kept, finite, strict=True) if not good], "is not finite")
    kept = [i for i, good in zip(kept, finite, strict=True) if good]
    if not kept:
        raise FormatError(shown(path), "holds no model whose coordinates are numbers", _ASK)
    name = path.stem.removesuffix("_preds")
    structure = structure_from_backbone(sequences[kept[0]], torch.from_numpy(rows[finite]), name=name)
    confidence = None
    if plddt is not None and plddt.reshape(-1).shape[0] == starts[-1]:
        flat = plddt.reshape(-1).astype(np.float32)
        confidence = torch.from_numpy(np.stack([flat[starts[i] : starts[i + 1]] for i in kept]))
        confidence = confidence * 100 if 0 < confidence.max() <= 1 else confidence
    return Predictions(structure, tuple(names[i] for i in kept), confidence, notes)


def _of_one_sequence(sequences: Sequence[str]) -> tuple[list[int], list[int]]:
    """The models of the commonest sequence, and the others."""
    common = Counter(sequences).most_common(1)[0][0]
    kept = [i for i, one in enumerate(sequences) if one == common]
    return kept, [i for i, one in enumerate(sequences) if one != common]


def _sequence(structure: Structure) -> str:
    topology = structure.topology
    return "/".join(topology.sequence(str(chain)) for chain in topology.chain_ids)


def _left_out(names: list[str], why: str) -> tuple[Note, ...]:
    if not names:
        return ()
    some = ", ".join(shown(name, 40) for name in names[:MOST_NAMED])
    some += ", …" if len(names) > MOST_NAMED else ""
    return (Note("ignored", f"{counted(len(names), 'model')} ({some}) left out: {why}."),)


def bare(path: Path) -> Path:
    """The path without the suffix of a packed file."""
    return path.with_suffix("") if path.suffix.lower() in (".gz", ".bz2", ".xz") else path
