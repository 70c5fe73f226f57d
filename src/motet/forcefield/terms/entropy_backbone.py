"""How freely a backbone may turn: -RT ln of how often its kind of residue is seen at these φ and ψ."""

from collections.abc import Sequence
from functools import cache
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...chem import read_table
from ...geometry import dihedral
from ..conditions import Conditions
from ..contacts import TABLES
from ..layout import Layout
from ..scene import Scene
from ..shares import Share, SiteShare
from ..surface import on_surface, spline_coefficients
from .term import Term


class BackboneBound(NamedTuple):
    """Atoms CA₋₁ C₋₁ N CA C N₊₁ of each residue inside a chain; only proline needs CA₋₁."""

    atoms: Int[Tensor, "6 sites"]
    residue: Int[Tensor, "sites"]
    kind: Int[Tensor, "sites"]
    prolines: Int[Tensor, "prolines"]
    thermal_energy: Float[Tensor, ""]


class BackboneEntropy(Term):
    """RT · surface(φ, ψ) of each residue inside a chain; the surface is -ln(density / uniform density).

    Six surfaces: glycine, isoleucine and valine, before proline, proline trans and cis (one passes smoothly into
    the other as ω turns), and all others; `tables/ramachandran.csv`. The coefficients can be learnt.
    """

    name: ClassVar[str] = "entropy_backbone"

    def __init__(self) -> None:
        super().__init__()
        self.coefficients = nn.Parameter(torch.from_numpy(np.stack(tuple(_surfaces().values()))).float())

    def bind(self, layout: Layout, conditions: Conditions) -> BackboneBound:
        """Residues with both neighbours bonded."""
        kinds = tuple(_surfaces())
        atoms, residues, found = [], [], []
        for residue in np.flatnonzero(layout.follows[:-1] & layout.follows[1:]).tolist():
            before, own, after = layout.atoms_of_residue[residue - 1 : residue + 2]
            backbone = before.get("C"), own.get("N"), own.get("CA"), own.get("C"), after.get("N")
            if None in backbone or not layout.parents[residue]:  # a D-residue visits the mirror image
                continue
            kind = _kind(str(layout.parents[residue]), str(layout.parents[residue + 1]))
            if kind == "trans_proline" and "CA" not in before:
                continue
            atoms.append((before.get("CA", backbone[0]), *backbone))
            residues.append(residue)
            found.append(kinds.index(kind))
        kind_of_site = torch.tensor(found, dtype=torch.int64)
        return BackboneBound(
            torch.tensor(atoms, dtype=torch.int64).reshape(-1, 6).T.contiguous(),
            torch.tensor(residues, dtype=torch.int64),
            kind_of_site,
            (kind_of_site == kinds.index("trans_proline")).nonzero().squeeze(-1),
            torch.tensor(conditions.thermal_energy, dtype=torch.float64),
        )

    def forward(self, scene: Scene, bound: tuple[Tensor, ...], selected: tuple[Tensor, ...]) -> Sequence[Share]:
        """Energies in kcal/mol of the residues inside chains."""
        assert isinstance(bound, BackboneBound)
        if not bound.atoms.shape[1]:
            return ()
        before_ca, before_c, n, ca, c, after_n = (scene.at(index).movedim(0, -1) for index in bound.atoms)
        phi, psi = dihedral(before_c, n, ca, c), dihedral(n, ca, c, after_n)
        coefficients = self.coefficients.to(phi.dtype)
        heights = on_surface(coefficients, bound.kind, phi, psi)
        proline = bound.prolines
        if len(proline):
            corners = (points.index_select(1, proline) for points in (before_ca, before_c, n, ca))
            share = _cis(torch.cos(dihedral(*corners)))
            trans = heights.index_select(1, proline)
            cis = on_surface(
                coefficients,
                bound.kind.index_select(0, proline) + 1,
                phi.index_select(1, proline),
                psi.index_select(1, proline),
            )
            heights = heights.index_add(1, proline, share * (cis - trans))
        return (SiteShare(bound.thermal_energy * heights, bound.residue),)


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
