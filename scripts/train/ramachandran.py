"""Make `src/motet/forcefield/tables/ramachandran.csv`: how often each class of residue visits each (φ, ψ).

Data: 5,590 gap-free chains of 40 to 128 residues (ProMod3's structure data base, Apache-2.0; coordinates from the
PDB, CC0), without those that `exclude.txt` keeps apart for judging ensembles.
Density: von Mises kernels on the torus, first of one width, then narrow where the first estimate is high and wide
where it is low (Abramson's square root law, as in Lovell et al., Proteins 50 (2003) 437), mixed with a thousandth
of the uniform density, so that a place never seen costs 6.9 RT at most.

    python scripts/train/ramachandran.py ../shared/data/dynamics/promod3_chains
"""

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from motet.geometry import dihedral

OUT = Path(__file__).parents[2] / "src/motet/forcefield/tables/ramachandran.csv"
CLASSES = ("general", "glycine", "ile_val", "before_proline", "trans_proline", "cis_proline")
FINE = 180  # cells a turn of the histogram, 2 degrees each
COARSE = 60  # nodes a turn of the table, 6 degrees apart
WIDTH = 8.0  # degrees: kernel width of the first estimate
NARROWEST, WIDEST = 4.0, 20.0  # degrees
UNIFORM = 1e-3
Floats = NDArray[np.float64]


def chains(folder: Path) -> list[tuple[str, Floats]]:
    """Sequence and N, CA, C of each chain that may be used."""
    with np.load(folder / "chains_len40_128.npz") as packed:
        data = {key: packed[key] for key in ("id", "length", "seq", "coords")}
    barred = {line.rsplit("_", 1)[0] for line in (folder / "exclude.txt").read_text().split()}
    ends = np.cumsum(data["length"])
    found = []
    for name, start, end in zip(data["id"], ends - data["length"], ends, strict=True):
        if str(name) not in barred:
            found.append((data["seq"][start:end].tobytes().decode(), data["coords"][start:end, :3] * 0.01))
    return found


def torsions(backbone: Floats) -> Floats:
    """φ, ψ and the ω before, of all residues but the two ends, in rad."""
    n, ca, c = torch.from_numpy(backbone).unbind(1)
    phi = dihedral(c[:-2], n[1:-1], ca[1:-1], c[1:-1])
    psi = dihedral(n[1:-1], ca[1:-1], c[1:-1], n[2:])
    omega = dihedral(ca[:-2], c[:-2], n[1:-1], ca[1:-1])
    return torch.stack((phi, psi, omega)).numpy()


def class_of(residue: str, after: str, omega: float) -> str:
    if residue == "P":
        return "trans_proline" if abs(omega) > np.pi / 2 else "cis_proline"
    if residue == "G":
        return "glycine"
    if after == "P":
        return "before_proline"
    return "ile_val" if residue in "IV" else "general"


def kernel(width: float) -> Floats:
    """Fourier transform of the von Mises kernel whose concentration is 1/width², on the fine grid."""
    angles = np.arange(FINE) * 2 * np.pi / FINE
    one = np.exp((np.cos(angles) - 1) / np.radians(width) ** 2)
    return np.fft.fft(one / one.sum()).real


def smoothed(counts: Floats, width: float) -> Floats:
    transform = kernel(width)
    return np.fft.ifft2(np.fft.fft2(counts) * np.outer(transform, transform)).real


def density(counts: Floats) -> Floats:
    """Density relative to the uniform one."""
    first = np.maximum(smoothed(counts, WIDTH), 1e-12)
    typical = np.exp((counts * np.log(first)).sum() / counts.sum())
    widths = np.clip(WIDTH * np.sqrt(typical / first), NARROWEST, WIDEST)
    levels = np.geomspace(NARROWEST, WIDEST, 24)
    nearest = np.abs(np.log(widths)[..., None] - np.log(levels)).argmin(-1)
    total = sum(smoothed(counts * (nearest == k), width) for k, width in enumerate(levels))
    relative = np.maximum(total, 0) * FINE**2 / counts.sum()
    return (1 - UNIFORM) * relative + UNIFORM


def main(folder: Path) -> None:
    counts = {name: np.zeros((FINE, FINE)) for name in CLASSES}
    used = chains(folder)
    for sequence, backbone in used:
        phi, psi, omega = torsions(backbone)
        cell = np.floor(np.stack((phi, psi)) / (2 * np.pi) * FINE + FINE // 2 + 0.5).astype(int) % FINE
        for k, (i, j) in enumerate(cell.T):
            counts[class_of(sequence[k + 1], sequence[k + 2], omega[k])][i, j] += 1
    numbers = ", ".join(f"{name} {int(table.sum())}" for name, table in counts.items())
    lines = [
        "# Source: own statistics by scripts/train/ramachandran.py over ProMod3's structure data base "
        "(SIB, Apache-2.0; coordinates PDB, CC0).",
        f"# {len(used)} chains; residues: {numbers}.",
        "# surface [1]: -ln of the density relative to the uniform one, "
        f"at psi -180, -{180 - 360 // COARSE}, ... degrees.",
        "class,phi_degrees,surface",
    ]
    step = FINE // COARSE
    for name, table in counts.items():
        surface = -np.log(density(table))[::step, ::step]
        for row, values in enumerate(surface):
            lines.append(f"{name},{-180 + row * 360 // COARSE},{' '.join(f'{value:.2f}' for value in values)}")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(numbers, OUT.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
