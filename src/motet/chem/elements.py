"""Elements: number, mass and radii."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .tables import read_table


@dataclass(frozen=True)
class Element:
    """One element; masses in Da, radii in Å."""

    symbol: str
    number: int
    mass: float
    covalent_radius: float
    van_der_waals_radius: float


def _read() -> dict[str, Element]:
    return {
        row["symbol"]: Element(
            row["symbol"],
            int(row["number"]),
            float(row["mass_da"]),
            float(row["covalent_radius_angstrom"]),
            float(row["van_der_waals_radius_angstrom"]),
        )
        for row in read_table("elements.csv")
    }


ELEMENTS: Mapping[str, Element] = MappingProxyType(_read())
