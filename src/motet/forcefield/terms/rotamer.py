"""How a side chain likes to turn: -RT ln of how often its kind of residue is seen at these χ."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...chem import CHIS, chis_of, read_table
from ..conditions import Conditions
from ..contacts import TABLES
from ..layout import Layout
from ..scene import Scene
from ..shares import Share, SiteShare
from ..vectors import torsion
from .term import Term

MOST = 4  # torsions in a side chain
RAREST = 1e-3  # of the highest density: what was never seen costs 6.9 RT


class RotamerBound(NamedTuple):
    """Side chains, and a row for each rotamer that one of them may be in.

    `corners` are the atoms of all torsions; `chi` names the torsions of each row, the first in place of those that
    it lacks; `site` the side chain, `type` the row of the table.
    """

    corners: Int[Tensor, "4 torsions"]
    chi: Int[Tensor, "4 rows"]
    site: Int[Tensor, "rows"]
    type: Int[Tensor, "rows"]
    residue: Int[Tensor, "sites"]
    thermal_energy: Float[Tensor, ""]


class Rotamer(Term):
    """-RT ln(Σ share · Π von Mises(χ)) of each side chain, above that of the residue's likeliest rotamer.

    One well for each rotamer of the Top8000 (Hintze et al. 2016), as wide as it was seen to be, upon a floor of a
    thousandth of the highest. Equal ends of a side chain (χ₂ of ASP, PHE, TYR, χ₃ of GLU) count as one. Learnable
    are the logarithms of shares and of concentrations (1/σ²).
    """

    name: ClassVar[str] = "rotamer"
    paired: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        table = _table()
        self.log_share = nn.Parameter(table.share.log())
        self.log_concentration = nn.Parameter(table.concentration.log())
        for name in ("mean", "there", "order"):
            self.register_buffer(name, getattr(table, name), persistent=False)
        self.register_buffer("peak", _peaks(table), persistent=False)

    mean: Float[Tensor, "4 rotamers"]
    there: Float[Tensor, "4 rotamers"]
    order: Float[Tensor, "4 rotamers"]
    peak: Float[Tensor, "rotamers"]

    def bind(self, layout: Layout, conditions: Conditions) -> RotamerBound:
        """Side chains with all their atoms."""
        corners, chi, site, kind, residues = [], [], [], [], []
        for residue in layout.protein_residues.tolist():
            wells = _table().of_residue.get(str(layout.parents[residue]), ())
            own = layout.atoms_of_residue[residue]
            torsions = chis_of(str(layout.residue_names[residue])) if wells else ()
            atoms = [tuple(own.get(name, -1) for name in one.atoms) for one in torsions]
            expected = len(CHIS[str(layout.parents[residue])]) if wells else 0
            if not atoms or len(atoms) != expected or any(-1 in four for four in atoms):
                continue
            number = [len(corners) + k if k < len(atoms) else len(corners) for k in range(MOST)]
            chi += [number] * len(wells)
            site += [len(residues)] * len(wells)
            kind += wells
            corners += atoms
            residues.append(residue)
        return RotamerBound(
            torch.tensor(corners, dtype=torch.int64).reshape(-1, 4).T.contiguous(),
            torch.tensor(chi, dtype=torch.int64).reshape(-1, MOST).T.contiguous(),
            torch.tensor(site, dtype=torch.int64),
            torch.tensor(kind, dtype=torch.int64),
            torch.tensor(residues, dtype=torch.int64),
            torch.tensor(conditions.thermal_energy, dtype=torch.float64),
        )

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of the side chains."""
        assert isinstance(bound, RotamerBound)
        if not len(bound.residue):
            return ()
        angles = torsion(scene.at(bound.corners).diff(dim=2).movedim(2, -1))
        height, sharpness = (one.to(angles.dtype).index_select(-1, bound.type) for one in self._wells())
        mean, order = (one.to(angles.dtype).index_select(-1, bound.type) for one in (self.mean, self.order))
        chi = angles.index_select(-1, bound.chi.flatten()).unflatten(-1, bound.chi.shape)
        away = (sharpness * (((chi - mean) * order).cos() - 1.0)).sum(-2)
        density = angles.new_full((scene.conformations, len(bound.residue)), RAREST)
        density = density.index_add(-1, bound.site, height * away.exp())
        return (SiteShare(-bound.thermal_energy * density.log(), bound.residue),)

    def _wells(self) -> tuple[Float[Tensor, "rotamers"], Float[Tensor, "4 rotamers"]]:
        """Height of each rotamer's centre, and its concentrations; 0 for torsions that it lacks."""
        concentration = self.log_concentration.exp() * self.there
        return self.log_share.exp() * _normaliser(concentration) / self.peak, concentration


class _Table(NamedTuple):
    """`tables/rotamers.csv` as columns, angles in rad; concentrations are those of `order` times the angle."""

    mean: Float[Tensor, "4 rotamers"]
    concentration: Float[Tensor, "4 rotamers"]
    there: Float[Tensor, "4 rotamers"]
    order: Float[Tensor, "4 rotamers"]
    share: Float[Tensor, "rotamers"]
    of_residue: dict[str, list[int]]


def _normaliser(concentration: Float[Tensor, "4 rotamers"]) -> Float[Tensor, "rotamers"]:
    """Height of the von Mises densities at their centre, over the uniform density."""
    return torch.special.i0e(concentration).reciprocal().prod(0)


def _peaks(table: _Table) -> Float[Tensor, "rotamers"]:
    """Height of the highest centre of each rotamer's residue."""
    height = table.share * _normaliser(table.concentration * table.there)
    peak = torch.empty_like(height)
    for rows in table.of_residue.values():
        peak[rows] = height[rows].max()
    return peak


@cache
def _table() -> _Table:
    rows = read_table("rotamers.csv", TABLES)
    mean, concentration, there, order = (torch.ones(MOST, len(rows)) for _ in range(4))
    there.zero_()
    of_residue: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        of_residue.setdefault(row["residue"], []).append(number)
        pairs = zip(row["means"].split(), row["deviations"].split(), strict=True)
        for k, (centre, deviation) in enumerate(pairs):
            symmetric = CHIS[row["residue"]][k].symmetric
            order[k, number] = 2.0 if symmetric else 1.0
            mean[k, number] = math.radians(float(centre))
            concentration[k, number] = (order[k, number] * math.radians(float(deviation))) ** -2
            there[k, number] = 1.0
    share = torch.tensor([float(row["frequency_percent"]) / 100 for row in rows])
    return _Table(mean, concentration, there, order, share, of_residue)
