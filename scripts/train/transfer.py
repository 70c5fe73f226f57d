"""Make the hydrophobic and polar transfer energies of `src/motet/forcefield/tables/solvation.csv`.

Each side chain's transfer from octanol to water (Fauchere and Pliska 1983, pH 7, relative to glycine) is split
over its atom types by least squares, none of them of the wrong sign. Cysteine's and lysine's groups are fitted
exactly, each being the only one of its kind; the others' deviations are printed.

    python scripts/train/transfer.py
"""

from collections import Counter

import numpy as np
from scipy.optimize import lsq_linear

from motet.chem import read_table
from motet.forcefield.contacts import TABLES

PI = {  # octanol to water, in units of log₁₀ of the partition coefficient
    "ALA": 0.31, "ARG": -1.01, "ASN": -0.60, "ASP": -0.77, "CYS": 1.54, "GLN": -0.22, "GLU": -0.64, "HIS": 0.13,
    "ILE": 1.80, "LEU": 1.70, "LYS": -0.99, "MET": 1.23, "PHE": 1.79, "PRO": 0.72, "SER": -0.04, "THR": 0.26,
    "TRP": 2.25, "TYR": 0.96, "VAL": 1.22,
}  # fmt: skip
KCAL = 1.364  # 2.303 RT at 298.15 K, in kcal/mol
HYDROPHOBIC = ("CH3E", "CH2E", "CH1E", "CR1E", "CR", "S", "SH1E")
POLAR = ("OH1", "amide", "OC", "NH3", "guanidinium", "NR", "indole")


def group(residue: str, kind: str) -> str:
    """Polar atoms of one functional group share one energy."""
    if residue in ("ASN", "GLN") and kind in ("O", "NH2"):
        return "amide"
    if residue == "ARG" and kind in ("NH1", "NC2"):
        return "guanidinium"
    return "indole" if residue == "TRP" and kind == "NH1" else kind


def main() -> None:
    columns, matrix = HYDROPHOBIC + POLAR, []
    for residue in PI:
        atoms = [row for row in read_table("atoms.csv", TABLES) if row["residue"] == residue]
        count = Counter(group(residue, row["type"]) for row in atoms if row["atom"] not in ("N", "CA"))
        count["CH1E"] += 1  # the CA of glycine, CH2, becomes CH
        count["CH2E"] -= 1
        matrix.append([count[name] * (1 if name in HYDROPHOBIC else -1) for name in columns])
    wanted = np.array(list(PI.values())) * KCAL
    found = lsq_linear(np.array(matrix, dtype=float), wanted, bounds=(0, 10)).x
    for name, value in zip(columns, found, strict=True):
        print(f"{name:12} {value:5.2f}")
    for residue, value, model in zip(PI, wanted, np.array(matrix) @ found, strict=True):
        print(f"{residue} {value:5.2f} {model:5.2f}")


if __name__ == "__main__":
    main()
