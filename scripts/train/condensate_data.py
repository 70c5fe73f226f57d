"""What the phase-separation network is trained on, and how it is put into batches."""

import csv
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from motet.condensate import PairTables, PhysicalLayer, encode
from motet.condensate.disorder import Disorder
from motet.condensate.physics import PhysicalView
from motet.condensate.predictor import batches_of

FOLDS = 5
AREA = 6_000_000  # residues² of a batch


@dataclass(frozen=True)
class Protein:
    """One labelled protein."""

    id: str
    sequence: str
    label: str
    human: bool
    fold: int
    cluster: str
    disordered: np.ndarray

    @property
    def driver(self) -> float:
        """1 for a driver, 0 for a negative, NaN for a client: it is neither."""
        return math.nan if self.label == "client" else float(self.label.startswith("driver"))

    @property
    def client(self) -> float:
        """1 for a client, 0 for a negative, NaN for what only drives."""
        return math.nan if self.label == "driver" else float("client" in self.label)


def read_proteins(data: Path) -> list[Protein]:
    csv.field_size_limit(10**9)
    with (data / "ppmc_llps_datasets.csv").open() as source:
        return [
            Protein(
                row["id"],
                row["sequence"],
                row["label"],
                row["is_human"] == "1",
                int(row["fold"]),
                row["cluster"],
                disordered(row["idr_af_mobidb"], len(row["sequence"])),
            )
            for row in csv.DictReader(source)
        ]


def disordered(spans: str, length: int) -> np.ndarray:
    """1 for each residue inside spans such as `1-23;40-62`, 0 for the others."""
    inside = np.zeros(length, dtype=np.float32)
    for span in spans.replace(",", ";").split(";"):
        if span:
            first, last = span.split("-")
            inside[int(first) - 1 : int(last)] = 1.0
    return inside


@dataclass(frozen=True)
class Region:
    """A protein with the part of it that drives phase separation."""

    sequence: str
    inside: np.ndarray
    fold: int


def read_regions(data: Path, proteins: list[Protein]) -> list[Region]:
    """PhaSePro's regions; a protein falls into the fold of its cluster, or of its cluster's name."""
    folds = {one.cluster: one.fold for one in proteins}
    with (data / "phasepro_regions.csv").open() as source:
        rows = list(csv.DictReader(source))
    return [
        Region(
            row["sequence"],
            np.array([float(letter) for letter in row["residue_mask"]], dtype=np.float32),
            folds.get(row["cluster"], sum(map(ord, row["cluster"])) % FOLDS),
        )
        for row in rows
    ]


@torch.no_grad()
def known_views(
    proteins: Sequence[Protein | Region],
    head: Disorder,
    physics: PhysicalLayer,
    tables: PairTables,
    path: Path,
):
    """Disorder and physical view of every protein: they do not change while the network learns."""
    if path.exists():
        return torch.load(path, weights_only=True)
    found = []
    for chunk in chunks(list(range(len(proteins))), proteins):
        batch = encode([proteins[i].sequence for i in chunk])
        disorder = head(batch).sigmoid() * batch.present
        view = physics(batch, tables, disorder)
        for row, index in enumerate(chunk):
            length = len(proteins[index].sequence)
            parts = (
                disorder[row, :length],
                view.field[row, :length],
                view.descriptors[row],
                view.log_saturation[row],
                view.contacts[row],
            )
            found.append((index, *(part.clone() for part in parts)))
    found = [list(one[1:]) for one in sorted(found, key=lambda one: one[0])]
    torch.save(found, path)
    return found


def chunks(
    indices: list[int], proteins: Sequence[Protein | Region], draw: random.Random | None = None
) -> list[list[int]]:
    """Batches of proteins of like length, no larger than AREA."""
    lengths = [len(one.sequence) for one in proteins]
    order = sorted(indices, key=lambda i: lengths[i] * (draw.uniform(0.9, 1.1) if draw else 1.0))
    found = list(batches_of(lengths, order, area=AREA, most=32))
    if draw:
        draw.shuffle(found)
    return found


def gathered(chunk: list[int], proteins: Sequence[Protein | Region], views):
    batch = encode([proteins[i].sequence for i in chunk])
    disorder, field = torch.zeros(batch.types.shape), torch.zeros(batch.types.shape)
    for row, index in enumerate(chunk):
        size = len(proteins[index].sequence)
        disorder[row, :size], field[row, :size] = views[index][0], views[index][1]
    descriptors, saturation, contacts = (torch.stack([views[i][part] for i in chunk]) for part in (2, 3, 4))
    view = PhysicalView(saturation, descriptors, contacts, field)
    return batch, disorder, view


def balance(proteins: list[Protein]) -> dict[str, float]:
    """Weight of each protein: negatives count as drivers of the same taxon, length and disorder are common."""

    def stratum(one: Protein) -> tuple[bool, int, int]:
        return one.human, min(3, int(math.log2(len(one.sequence) / 75 + 1))), int(one.disordered.mean() * 2.999)

    drivers = [stratum(one) for one in proteins if one.driver == 1.0]
    others = [stratum(one) for one in proteins if one.driver == 0.0]
    weights = {}
    for one in proteins:
        if one.driver == 0.0:
            wanted = (drivers.count(stratum(one)) + 1.0) / len(drivers)
            there = (others.count(stratum(one)) + 1.0) / len(others)
            weights[one.id] = min(4.0, max(0.35, wanted / there))
        else:
            weights[one.id] = 1.0
    return weights
