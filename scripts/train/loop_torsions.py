"""Make `src/motet/ensemble/loops/tables/loop_torsions.csv`: how often each residue visits each (φ, ψ) in loops.

Data and density are those of `ramachandran.py`, but with a class for each kind of residue and for those before a
proline, and seven parts of residues that are neither helix nor strand by DSSP mixed with three parts of all, since
a loop may hold a turn of helix. On the 1,374 residues of loops that were left out this is 0.24 nats a residue
likelier than the maps by class (coil alone: 0.23, but loops with a turn of helix lose up to 1.7). Left out are the
proteins of all loops on which motet is judged.

    python scripts/train/loop_torsions.py ../shared/data
"""

import csv
import sys
from pathlib import Path

import numpy as np
from ramachandran import FINE, Floats, density, torsions

OUT = Path(__file__).parents[2] / "src/motet/ensemble/loops/tables/loop_torsions.csv"
KINDS = (*"ACDEFGHIKLMNPQRSTVWY", "before_proline")
COARSE = 45  # nodes a turn of the table, 8 degrees apart
ORDERED = "HGIE"  # of DSSP
COIL = 0.7  # share of the residues outside of helix and strand


def chains(data: Path) -> list[tuple[str, str, Floats]]:
    """Sequence, DSSP, and N, CA, C of each chain that may be used."""
    folder = data / "dynamics/promod3_chains"
    with np.load(folder / "chains_len40_128.npz") as packed:
        columns = {key: packed[key] for key in ("id", "length", "seq", "dssp", "coords")}
    barred = {line.rsplit("_", 1)[0] for line in (folder / "exclude.txt").read_text().split()}
    with (data / "loops/index.csv").open() as source:
        judged = {row["pdb"].lower() for row in csv.DictReader(source)}
    ends = np.cumsum(columns["length"])
    found = []
    for name, start, end in zip(columns["id"], ends - columns["length"], ends, strict=True):
        if str(name) not in barred and str(name)[:4].lower() not in judged:
            letters, dssp = (columns[key][start:end].tobytes().decode() for key in ("seq", "dssp"))
            found.append((letters, dssp, columns["coords"][start:end, :3] * 0.01))
    return found


def kind_of(residue: str, after: str) -> str:
    return "before_proline" if after == "P" and residue not in "GP" else residue


def main(data: Path) -> None:
    coil, every = ({kind: np.zeros((FINE, FINE)) for kind in KINDS} for _ in range(2))
    used = chains(data)
    for sequence, dssp, backbone in used:
        phi, psi, omega = torsions(backbone)
        cell = np.floor(np.stack((phi, psi)) / (2 * np.pi) * FINE + FINE // 2 + 0.5).astype(int) % FINE
        for k, (i, j) in enumerate(cell.T):
            kind = kind_of(*sequence[k + 1 : k + 3])
            if abs(omega[k]) > np.pi / 2 and kind in every:
                every[kind][i, j] += 1
                coil[kind][i, j] += dssp[k + 1] not in ORDERED
    numbers = ", ".join(f"{kind} {int(coil[kind].sum())} of {int(every[kind].sum())}" for kind in KINDS)
    lines = [
        "# Source: own statistics by scripts/train/loop_torsions.py over ProMod3's structure data base "
        "(SIB, Apache-2.0; coordinates PDB, CC0).",
        f"# {len(used)} chains; trans residues that are neither helix nor strand, of all: {numbers}.",
        "# surface [1]: -ln of the density relative to the uniform one, "
        f"at psi -180, -{180 - 360 // COARSE}, ... degrees.",
        "class,phi_degrees,surface",
    ]
    step = FINE // COARSE
    for kind in KINDS:
        mixed = COIL * density(coil[kind]) + (1 - COIL) * density(every[kind])
        for row, values in enumerate(-np.log(mixed)[::step, ::step]):
            lines.append(f"{kind},{-180 + row * 360 // COARSE},{' '.join(f'{value:.2f}' for value in values)}")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(numbers, OUT.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
