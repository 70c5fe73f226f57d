"""Common side-chain rotamers and how often they occur (Top8000, CC BY 4.0)."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .tables import read_table


@dataclass(frozen=True)
class Rotamer:
    """One well of the side-chain torsions: its centre, in rad, chi1 first, and the share of residues in it."""

    name: str
    chis: tuple[float, ...]
    frequency: float


def _read() -> dict[str, tuple[Rotamer, ...]]:
    rotamers = defaultdict(list)
    for row in read_table("rotamers.csv"):
        texts = [row[f"chi{number}_degrees"] for number in range(1, 5)]
        chis = tuple(math.radians(float(text)) for text in texts if text)
        rotamers[row["residue"]].append(Rotamer(row["rotamer"], chis, float(row["frequency_percent"]) / 100))
    return {residue: tuple(found) for residue, found in rotamers.items()}


ROTAMERS: Mapping[str, tuple[Rotamer, ...]] = MappingProxyType(_read())
