"""How strongly each atom scatters electrons: five Gaussians an element.

Source: Peng, Ren, Dudarev and Whelan, Acta Cryst. A52 (1996) 257; International Tables C, 4.3.2.2.
"""

from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from ..chem import read_table
from ..structure import Topology

GAUSSIANS = 5
UNKNOWN = "C"


@dataclass(frozen=True, eq=False)
class Scatterers:
    """Form factors f(s) = Σ amplitude exp(-width s²/4), with s = 1/d.

    Args:
        amplitudes: In Å.
        widths: In Å²; a B factor adds to them.
    """

    amplitudes: Float[Tensor, "atoms gaussians"]
    widths: Float[Tensor, "atoms gaussians"]

    def to(self, like: Tensor) -> "Scatterers":
        """The same in the precision and on the device of a tensor."""
        return Scatterers(self.amplitudes.to(like), self.widths.to(like))

    def subset(self, keep: Tensor) -> "Scatterers":
        """Some of the atoms, by index or mask."""
        return Scatterers(self.amplitudes[keep], self.widths[keep])


def scatterers_of(topology: Topology) -> Scatterers:
    """Electron form factors of the atoms, as if neutral; an element without a table scatters like carbon."""
    table = _table()
    rows = torch.tensor([table.get(str(symbol), table[UNKNOWN]) for symbol in topology.elements.tolist()])
    rows = rows.reshape(-1, 2, GAUSSIANS)
    return Scatterers(rows[:, 0], rows[:, 1])


@cache
def _table() -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    rows = read_table("electron_scattering.csv", f"{__package__}.tables")
    numbers = range(1, GAUSSIANS + 1)
    return {
        row["symbol"]: (
            tuple(float(row[f"a{i}_angstrom"]) for i in numbers),
            tuple(float(row[f"b{i}_angstrom2"]) for i in numbers),
        )
        for row in rows
    }
