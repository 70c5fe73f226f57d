"""How freely a backbone may turn: -RT ln of how often its kind of residue is seen at these φ and ψ."""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...chem import read_table
from ..conditions import Conditions
from ..contacts import TABLES
from ..layout import Layout
from ..scene import Scene
from ..shares import Share, SiteShare
from ..surface import on_surface, spline_coefficients
from ..vectors import torsion
from .term import Term


class BackboneBound(NamedTuple):
    """Residues inside a chain, the prolines among them once more, as cis, at the end.

    `corners` holds the atoms of φ of each residue, of ψ of each residue, and of ω of each proline. `site` says
    whose φ and ψ a height of the surface `kind` is taken at, `proline` which residues are prolines.
    """

    corners: Int[Tensor, "4 torsions"]
    site: Int[Tensor, "heights"]
    kind: Int[Tensor, "heights"]
    residue: Int[Tensor, "sites"]
    proline: Int[Tensor, "prolines"]
    thermal_energy: Float[Tensor, ""]


class BackboneEntropy(Term):
    """RT · surface(φ, ψ) of each residue inside a chain; the surface is -ln(density / uniform density).

    Six surfaces: glycine, isoleucine and valine, before proline, proline trans and cis (one passes smoothly into
    the other as ω turns), and all others; `tables/ramachandran.csv`. The coefficients can be learnt.
    """

    name: ClassVar[str] = "entropy_backbone"
    paired: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.coefficients = nn.Parameter(torch.from_numpy(np.stack(tuple(_surfaces().values()))).float())

    def bind(self, layout: Layout, conditions: Conditions) -> BackboneBound:
        """Residues with both neighbours bonded."""
        kinds = tuple(_surfaces())
        phis, psis, omegas, residues, found, prolines = [], [], [], [], [], []
        for residue in np.flatnonzero(layout.follows[:-1] & layout.follows[1:]).tolist():
            before, own, after = layout.atoms_of_residue[residue - 1 : residue + 2]
            backbone = before.get("C"), own.get("N"), own.get("CA"), own.get("C"), after.get("N")
            if None in backbone or not layout.parents[residue]:  # a D-residue visits the mirror image
                continue
            kind = _kind(str(layout.parents[residue]), str(layout.parents[residue + 1]))
            if kind == "trans_proline":
                if "CA" not in before:
                    continue
                omegas.append((before["CA"], *backbone[:3]))
                prolines.append(len(residues))
            phis.append(backbone[:4])
            psis.append(backbone[1:])
            residues.append(residue)
            found.append(kinds.index(kind))
        cis = [kinds.index("cis_proline")] * len(prolines)
        return BackboneBound(
            _integers(phis + psis + omegas).reshape(-1, 4).T.contiguous(),
            _integers([*range(len(residues)), *prolines]),
            _integers(found + cis),
            _integers(residues),
            _integers(prolines),
            torch.tensor(conditions.thermal_energy, dtype=torch.float64),
        )

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Any, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of the residues inside chains."""
        assert isinstance(bound, BackboneBound)
        sites = len(bound.residue)
        if not sites:
            return ()
        angles = torsion(scene.at(bound.corners).diff(dim=2).movedim(2, -1))
        both = torch.stack((bound.site, bound.site + sites))
        phi_psi = angles.index_select(-1, both.flatten()).unflatten(-1, both.shape).movedim(-2, 0)
        heights = on_surface(self.coefficients.to(angles.dtype), bound.kind, phi_psi)
        own, as_cis = heights[..., :sites], heights[..., sites:]
        if len(bound.proline):
            share = _cis(torch.cos(angles[..., 2 * sites :]))
            own = own.index_add(-1, bound.proline, share * (as_cis - own.index_select(-1, bound.proline)))
        return (SiteShare(bound.thermal_energy * own, bound.residue),)


def _integers(rows: Sequence[int] | Sequence[tuple[int | None, ...]]) -> Int[Tensor, "rows *columns"]:
    return torch.tensor(rows, dtype=torch.int64)


def _cis(cosine: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """1 at ω = 0, 0 at ω = π, with two continuous derivatives."""
    t = 0.5 * (1.0 + cosine)
    return t * t * t * (10.0 + t * (6.0 * t - 15.0))


def _kind(residue: str, after: str) -> str:
    if residue == "PRO":
        return "trans_proline"
    if residue == "GLY":
        return "glycine"
    if after == "PRO":
        return "before_proline"
    return "ile_val" if residue in ("ILE", "VAL") else "general"


@cache
def _surfaces() -> dict[str, np.ndarray]:
    """Spline coefficients of each class; cis proline comes right after trans."""
    rows = read_table("ramachandran.csv", TABLES)
    grids: dict[str, list[list[float]]] = {}
    for row in rows:
        grids.setdefault(row["class"], []).append([float(value) for value in row["surface"].split()])
    return {name: spline_coefficients(np.array(grid)) for name, grid in grids.items()}
