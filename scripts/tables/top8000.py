"""Make `src/motet/validation/tables/top8000.npz`: how common each place of the torsions is, by residue.

Ramachandran and rotamer grids of the Top8000 (rlabduke/reference_data, CC BY 4.0; Hintze et al. 2016), as printed
there: the share of residues that stand somewhere rarer. The data at hand have no grids for arginine and lysine, so
theirs are made here from the side chains themselves (`srcdata` of Top8000_filtered_residues_rotarama), by the
same recipe: a cosine kernel of one width first, then one that is wide where residues are few (Lovell et al. 2003).
`--check` makes methionine's and glutamine's so too, and says how far they are from the printed ones.

    python scripts/tables/top8000.py FOLDER_OF_GRIDS FOLDER_OF_SIDE_CHAINS [--check]
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

OUT = Path(__file__).parents[2] / "src/motet/validation/tables/top8000.npz"
SOURCE = (
    "Top8000 Ramachandran and rotamer contour grids, https://github.com/rlabduke/reference_data, CC BY 4.0; "
    "Hintze, Lewis, Richardson, Richardson (2016) Proteins 84, 1177, doi:10.1002/prot.25039. ARG and LYS: made "
    "from that data's side chains by scripts/tables/top8000.py."
)
RAMACHANDRAN = {
    "general": "general-noGPIVpreP",
    "glycine": "gly-sym",
    "ile_val": "ileval-nopreP",
    "before_proline": "prepro-noGP",
    "trans_proline": "transpro",
    "cis_proline": "cispro",
}
ROTAMERS = "asn asp cys gln glu his ile leu met phetyr pro ser thr trp val".split()
FROM_SIDE_CHAINS = {"arg": ("arg-1m", "arg-1p", "arg-1t"), "lys": ("lys",)}
CELL = 10.0  # degrees, of the grids made here
FIRST = 10.0  # degrees: kernel of the first pass
# Degrees, by torsions: kernel of the second pass where the first finds the typical density. For one, two and three
# torsions 7, 14 and 24 reproduce the printed grids best; 32 for four goes on from there.
SECOND = {3: 24.0, 4: 32.0}
RAREST = 3e-4  # of the grids made here; nothing below is asked for
WIDEST = 60.0  # degrees
AT_ONCE = 4_000_000
Floats = NDArray[np.float64]


def printed(path: Path) -> Floats:
    """A grid as printed: cells in the order of the angles; what is not printed is 0."""
    lines = path.read_text().splitlines()
    axes = [line.split()[2:5] for line in lines if line.startswith("#   x")]
    low, high, cells = (np.array(column, dtype=float) for column in zip(*axes, strict=True))
    rows = np.loadtxt(lines, comments="#", ndmin=2)
    place = np.floor((rows[:, :-1] - low) / ((high - low) / cells)).astype(int)
    grid = np.zeros(cells.astype(int))
    grid[tuple(place.T)] = rows[:, -1]
    return grid


def side_chains(folder: Path, names: tuple[str, ...], chis: int) -> Floats:
    """Side-chain torsions, `residues chis`, in degrees from 0 to 360."""
    lines = [line for name in names for line in (folder / f"rota8000-{name}.csv").read_text().splitlines()]
    return np.array([[float(one) for one in line.split(",")[-6 : -6 + chis]] for line in lines]) % 360


def between(grid: Floats, points: Floats) -> Floats:
    """Linear interpolation between the centres of cells; every axis closes on itself."""
    cells = grid.shape[0]
    place = points / 360 * cells - 0.5
    low = np.floor(place).astype(int)
    part = place - low
    total = np.zeros(len(points))
    for corner in product((0, 1), repeat=grid.ndim):
        share = np.where(corner, part, 1 - part).prod(-1)
        total += share * grid[tuple(((low + corner) % cells).T)]
    return total


def spread(points: Floats, radii: Floats, cell: float) -> Floats:
    """Sum of a cosine kernel about each point, of the same content and its own radius in degrees."""
    cells, axes = round(360 / cell), points.shape[1]
    total = np.zeros(cells**axes)
    strides = cells ** np.arange(axes - 1, -1, -1)
    reach = np.ceil(radii / cell + 0.5).astype(int)
    for steps in np.unique(reach):
        members = np.flatnonzero(reach == steps)
        offsets = np.array(list(product(range(-steps, steps + 1), repeat=axes)))
        for some in np.array_split(members, max(1, len(members) * len(offsets) // AT_ONCE)):
            home = np.floor(points[some] / cell).astype(int)
            away = offsets * cell - (points[some] - (home + 0.5) * cell)[:, None]
            radius = radii[some][:, None]
            distance = np.sqrt(np.square(away).sum(-1))
            height = np.where(distance < radius, 1 + np.cos(np.pi * distance / radius), 0.0) / radius**axes
            place = ((home[:, None] + offsets) % cells) @ strides
            total += np.bincount(place.ravel(), height.ravel(), minlength=len(total))
    return total.reshape([cells] * axes)


def made(points: Floats, cell: float) -> Floats:
    """The share of residues that stand somewhere rarer, for every cell of a grid."""
    axes = points.shape[1]
    first = np.maximum(between(spread(points, np.full(len(points), FIRST), cell), points), 1e-12)
    typical = np.exp(np.log(first).mean())
    narrowest = 0.51 * cell * np.sqrt(axes)  # reaches a centre wherever the point is
    radii = np.clip(SECOND[axes] * (typical / first) ** (0.5 / axes), narrowest, WIDEST)
    density = spread(points, radii, cell)
    seen = np.sort(between(density, points))
    return np.where(density > 0, np.searchsorted(seen, density, side="right") / len(seen), 0.0)


def coarse(grid: Floats) -> Floats:
    """Rounded to 3 %, the rarest to 0: an estimate that is no finer, and half as large when packed."""
    mantissa, exponent = np.frexp(grid)
    return np.where(grid < RAREST, 0.0, np.ldexp(np.round(mantissa * 16) / 16, exponent))


def check(grids: Path, folder: Path) -> None:
    """How well the recipe reproduces printed grids of three torsions."""
    for name in ("met", "gln"):
        points = side_chains(folder, (name,), 3)
        theirs, ours = printed(grids / f"rota8000-{name}.data"), made(points, 8.0)
        draw = np.random.default_rng(0)
        tried = points[draw.integers(0, len(points), 20_000)] + draw.normal(0, 20, (20_000, 3))
        a, b = between(theirs, tried % 360), between(ours, tried % 360)
        same = ((a < 0.003) == (b < 0.003)).mean()
        outliers = f"outliers {(a < 0.003).mean():.4f} by the printed grid, {(b < 0.003).mean():.4f} by this one"
        print(f"{name}: {same:.4f} of side chains shaken by 20 degrees judged alike; {outliers}")


def main(grids: Path, folder: Path) -> None:
    ramachandran = grids / "Top8000_ramachandran_pct_contour_grids"
    rotamers = grids / "Top8000_rotamer_pct_contour_grids"
    if "--check" in sys.argv:
        check(rotamers, folder)
    tables = {name: printed(ramachandran / f"rama8000-{file}.data") for name, file in RAMACHANDRAN.items()}
    tables |= {name: printed(rotamers / f"rota8000-{name}.data") for name in ROTAMERS}
    tables |= {name: coarse(made(side_chains(folder, files, 4), CELL)) for name, files in FROM_SIDE_CHAINS.items()}
    halves = {name: grid.astype(np.float16) for name, grid in tables.items()}
    np.savez_compressed(OUT, source=np.array(SOURCE), **halves)
    print(OUT.stat().st_size, {name: grid.shape for name, grid in tables.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
