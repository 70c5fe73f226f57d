"""Structures for the flow network: read, parted by family, cropped and put into batches."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from motet.fold.flow_inputs import FlowInputs, profile_in_order, stacked
from motet.fold.flow_losses import FlowTarget
from motet.fold.flow_path import FlowPath
from motet.fold.residues import LETTER_NUMBERS
from motet.geometry import Rigid, dihedral, superposed

PROMOD3_ORDER = "ACDEFGHIKLMNPQRSTVWY"
WORD = 5  # letters; families share more than a tenth of such words
KIN = 0.1
HELD_OUT = 10  # one family in so many


@dataclass(frozen=True, eq=False)
class Example:
    """One protein in one state, or in two: `reference` is the state that is given, `backbone` the one wanted."""

    name: str
    sequence: str
    types: Tensor
    numbers: Tensor
    profile: Tensor | None
    backbone: Tensor
    reference: Tensor

    @property
    def two_states(self) -> bool:
        return self.reference is not self.backbone


def read_chains(folder: Path, other: Path | None = None) -> list[Example]:
    """The promod3 chains (or others of the same data base), without those that ensembles are judged on."""
    excluded = {one.rpartition("_")[0] for one in (folder / "exclude.txt").read_text().split()}
    data = np.load(other or folder / "chains_len40_128.npz")
    ends = np.cumsum(data["length"])
    sequence, coords, profile = data["seq"].tobytes().decode(), data["coords"], data["msa_freq"]
    found = []
    for name, start, end, length in zip(data["id"], ends - data["length"], ends, data["length"], strict=True):
        if str(name) in excluded:
            continue
        backbone = torch.from_numpy(coords[start:end].astype(np.float32) / 100)
        share = profile_in_order(torch.from_numpy(profile[start:end].astype(np.float32) / 255), PROMOD3_ORDER)
        letters = sequence[start:end]
        found.append(
            Example(str(name), letters, numbered(letters), torch.arange(length), share, backbone, backbone)
        )
    return found


def read_pairs(folder: Path) -> list[Example]:
    """Proteins in two states, both ways round."""
    data = np.load(folder / "pairs.npz")
    ends = np.cumsum(data["length"])
    sequence = data["seq"].tobytes().decode()
    found = []
    for name, start, end in zip(data["key"], ends - data["length"], ends, strict=True):
        both = torch.from_numpy(data["coords"][start:end].astype(np.float32) / 100)
        numbers = torch.from_numpy(data["resindex_A"][start:end].astype(np.int64))
        letters = sequence[start:end]
        for given, wanted in ((0, 1), (1, 0)):
            found.append(
                Example(
                    f"{name}:{given}", letters, numbered(letters), numbers, None, both[:, wanted], both[:, given]
                )
            )
    return found


def numbered(letters: str) -> Tensor:
    return torch.tensor([LETTER_NUMBERS.get(letter, 20) for letter in letters])


def held_out(examples: list[Example]) -> list[bool]:
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


@dataclass(frozen=True, eq=False)
class Batch:
    """What the network sees, the truth, and the noise between them."""

    inputs: FlowInputs
    target: FlowTarget
    noise: Rigid
    level: Tensor

    def to(self, device: torch.device) -> "Batch":
        inputs = FlowInputs(**{name: getattr(self.inputs, name).to(device) for name in vars(self.inputs)})
        truth = self.target
        frames = Rigid(truth.frames.rotation.to(device), truth.frames.translation.to(device))
        target = FlowTarget(frames, truth.psi.to(device), truth.psi_presence.to(device))
        noise = Rigid(self.noise.rotation.to(device), self.noise.translation.to(device))
        return Batch(inputs, target, noise, self.level.to(device))


def batch_of(
    examples: list[Example],
    path: FlowPath,
    crop: int,
    draws: torch.Generator,
    level: Tensor | None = None,
) -> Batch:
    """Crops at random places, with profile and reference dropped at random, and noise."""
    inputs, backbones = [], []
    for one in examples:
        given, backbone = cropped(one, crop, draws)
        inputs.append(given)
        backbones.append(backbone)
    together = stacked(inputs)
    longest = together.presence.shape[-1]
    places = torch.stack([torch.nn.functional.pad(one, (0, 0, 0, 0, 0, longest - len(one))) for one in backbones])
    frames = Rigid.from_three_points(places[:, :, 0], places[:, :, 1], places[:, :, 2])
    there = together.presence[..., None, None]
    rotation = frames.rotation * there + torch.eye(3) * (1 - there)
    following = torch.cat((places[:, 1:, 0], places[:, -1:, 0]), 1)
    psi = dihedral(places[:, :, 0], places[:, :, 1], places[:, :, 2], following)
    known = torch.cat((together.follows[:, 1:], torch.zeros(len(examples), 1)), 1)
    target = FlowTarget(Rigid(rotation, frames.translation), torch.stack((psi.sin(), psi.cos()), -1), known)
    chosen = levels(len(examples), draws) if level is None else level
    return Batch(together, target, path.noise(together, draws), chosen)


def levels(count: int, draws: torch.Generator) -> Tensor:
    """Mostly those that a structure is disturbed to; sometimes all the way to noise."""
    high = torch.rand(count, generator=draws) < 0.15
    share = torch.rand(count, generator=draws)
    return torch.where(high, 0.5 + 0.49 * share, 0.01 + 0.49 * share)


def cropped(one: Example, crop: int, draws: torch.Generator) -> tuple[FlowInputs, Tensor]:
    """Inputs and centred N, CA, C, O of one crop."""
    spare = len(one.types) - crop
    start = int(torch.randint(spare + 1, (), generator=draws)) if spare > 0 else 0
    part = slice(start, start + crop)
    backbone = one.backbone[part]
    backbone = backbone - backbone[:, 1].mean(0)
    inputs = FlowInputs.of_sequence(one.types[part], one.numbers[part], dtype=torch.float32)
    fate = torch.rand(4, generator=draws)
    if one.profile is not None and fate[0] < 0.6:
        inputs = inputs.with_profile(one.profile[part])
    if one.two_states or fate[1] < 0.5:
        amplitude = (0.3 + 3.0 * fate[2]) if not one.two_states else 0.3 + fate[2]
        reference = superposed(one.reference[part][:, 1], backbone[:, 1])
        shift = FlowPath(spread=float(amplitude)).noise(inputs, draws).translation
        inputs = inputs.with_reference(reference + shift, amplitude)
    return inputs, backbone
