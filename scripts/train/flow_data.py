"""Structures for the flow network: read, and parted by family."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from motet.ensemble.fine_tuning import Motion
from motet.fold.flow_examples import FlowExample
from motet.fold.flow_inputs import FlowInputs, profile_in_order
from motet.fold.residues import LETTER_NUMBERS

PROMOD3_ORDER = "ACDEFGHIKLMNPQRSTVWY"
WORD = 5  # letters; families share more than a tenth of such words
KIN = 0.1
HELD_OUT = 10  # one family in so many


@dataclass(frozen=True, eq=False)
class Named:
    """An example with what tells its family."""

    name: str
    sequence: str
    example: FlowExample


def read_chains(folder: Path, other: Path | None = None) -> list[Named]:
    """The promod3 chains (or others of the same data base), without those that ensembles are judged on."""
    excluded = {one.rpartition("_")[0] for one in (folder / "exclude.txt").read_text().split()}
    data = np.load(other or folder / "chains_len40_128.npz")
    ends = np.cumsum(data["length"])
    sequence, coords, profile = data["seq"].tobytes().decode(), data["coords"], data["msa_freq"]
    found = []
    for name, start, end in zip(data["id"], ends - data["length"], ends, strict=True):
        if str(name) in excluded:
            continue
        backbone = torch.from_numpy(coords[start:end].astype(np.float32) / 100)
        share = profile_in_order(torch.from_numpy(profile[start:end].astype(np.float32) / 255), PROMOD3_ORDER)
        letters = sequence[start:end]
        inputs = FlowInputs.of_sequence(numbered(letters), dtype=torch.float32).with_profile(share)
        found.append(Named(str(name), letters, FlowExample(inputs, backbone)))
    return found


def read_pairs(folder: Path) -> list[Named]:
    """Proteins in two states, both ways round."""
    data = np.load(folder / "pairs.npz")
    ends = np.cumsum(data["length"])
    sequence = data["seq"].tobytes().decode()
    found = []
    for name, start, end in zip(data["key"], ends - data["length"], ends, strict=True):
        both = torch.from_numpy(data["coords"][start:end].astype(np.float32) / 100)
        numbers = torch.from_numpy(data["resindex_A"][start:end].astype(np.int64))
        letters = sequence[start:end]
        inputs = FlowInputs.of_sequence(numbered(letters), numbers, dtype=torch.float32)
        for given, wanted in ((0, 1), (1, 0)):
            example = FlowExample(inputs, both[:, wanted], both[:, given])
            found.append(Named(f"{name}:{given}", letters, example))
    return found


def read_ensembles(folder: Path) -> list[Motion]:
    """What `flow_ensembles.py` has made."""
    found = []
    for path in sorted(folder.glob("*.npz")):
        data = np.load(path)
        frames = torch.from_numpy(data["coords"][:, :, :3].astype(np.float32) / 100)
        inputs = FlowInputs.of_sequence(numbered(str(data["seq"])), dtype=torch.float32)
        found.append(Motion(str(data["name"]), inputs, frames))
    return found


def numbered(letters: str) -> Tensor:
    return torch.tensor([LETTER_NUMBERS.get(letter, 20) for letter in letters])


def held_out(examples: list[Named]) -> list[bool]:
    """Whether each belongs to a family that is not trained on; the same whatever else is in the list of words."""
    family = families([one.sequence for one in examples])
    names = {}
    for one, number in zip(examples, family, strict=True):
        names[number] = min(names.get(number, one.name), one.name)
    return [zlib.crc32(names[number].encode()) % HELD_OUT == 0 for number in family]


def families(sequences: list[str]) -> list[int]:
    """Connected components of sequences that share words: homologues nearer than 40 to 50 % identity."""
    words: dict[str, int] = {}
    rows, columns, counts = [], [], []
    for row, sequence in enumerate(sequences):
        own = {sequence[i : i + WORD] for i in range(len(sequence) - WORD + 1)}
        counts.append(max(len(own), 1))
        rows += [row] * len(own)
        columns += [words.setdefault(word, len(words)) for word in own]
    table = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(sequences), max(len(words), 1)))
    shared = (table @ table.T).tocoo()
    fewer = np.minimum(np.array(counts)[shared.row], np.array(counts)[shared.col])
    kin = shared.data > KIN * fewer
    links = csr_matrix((np.ones(kin.sum()), (shared.row[kin], shared.col[kin])), shape=(len(sequences),) * 2)
    return connected_components(links, directed=False)[1].tolist()
