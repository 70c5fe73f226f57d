"""Make `src/motet/chem/tables/{bond_lengths,bond_angles}.csv`: ideal covalent geometry with standard deviations.

Values: Engh and Huber, International Tables for Crystallography F (2006), chapter 18.3, as tabulated in the
Apache-2.0 wheel of AlphaFold 2 (`pip download --no-deps alphafold-colabfold==2.3.27`, unzipped):
`python scripts/tables/engh_huber.py WHEEL_DIR/alphafold/common/stereo_chemical_props.txt`.
Links between residues (`+N` is the next residue's N, `-C` the one before) and the C-terminal oxygen are typed
here from the same chapter.
"""

import csv
import sys
from pathlib import Path

TABLES = Path(__file__).parents[2] / "src/motet/chem/tables"
SOURCE = (
    "# Source: Engh and Huber, International Tables for Crystallography F (2006), chapter 18.3; "
    "scripts/tables/engh_huber.py.\n"
)

LINK_BONDS = [
    ("*", "C", "+N", 1.336, 0.023),
    ("PRO", "-C", "N", 1.338, 0.019),
    ("GLY", "-C", "N", 1.326, 0.018),
    ("*", "C", "OXT", 1.249, 0.020),
    ("CYS", "SG", "*SG", 2.033, 0.016),
]
LINK_ANGLES = [
    ("*", "CA", "C", "+N", 117.2, 2.2),
    ("GLY", "CA", "C", "+N", 116.2, 2.0),
    ("PRO", "CA", "C", "+N", 117.1, 2.8),
    ("*", "O", "C", "+N", 122.7, 1.6),
    ("GLY", "O", "C", "+N", 123.2, 1.7),
    ("PRO", "O", "C", "+N", 121.1, 1.9),
    ("*", "-C", "N", "CA", 121.7, 2.5),
    ("GLY", "-C", "N", "CA", 122.3, 2.1),
    ("PRO", "-C", "N", "CA", 119.3, 1.5),
    ("PRO", "-C", "N", "CD", 128.4, 2.1),
    ("*", "CA", "C", "OXT", 117.0, 2.0),
    ("*", "O", "C", "OXT", 124.0, 2.0),
    ("CYS", "CB", "SG", "*SG", 103.8, 1.8),
]


def main(source: Path) -> None:
    bonds, angles = [], []
    rows: list = bonds
    for line in source.read_text().splitlines():
        fields = line.split()
        if line.startswith("Angle"):
            rows = angles
        elif line.startswith("Non-bonded"):
            break
        elif len(fields) == 4 and fields[0].count("-") in (1, 2) and fields[0] != "-":
            atoms = fields[0].split("-")
            rows.append((fields[1], *atoms, float(fields[2]), float(fields[3])))
    write("bond_lengths.csv", "residue,a,b,length_angstrom,deviation_angstrom", bonds + LINK_BONDS)
    write("bond_angles.csv", "residue,a,b,c,angle_degrees,deviation_degrees", angles + LINK_ANGLES)


def write(file: str, header: str, rows: list) -> None:
    with (TABLES / file).open("w", newline="", encoding="utf-8") as sink:
        sink.write(SOURCE)
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
