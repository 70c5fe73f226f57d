"""Make `src/motet/chem/tables/rotamers.csv`: common side-chain rotamers.

Central values of the Top8000 rotamers (Hintze, Lewis, Richardson, Richardson 2016; rlabduke/reference_data, CC BY
4.0): `python scripts/tables/rotamers.py FOLDER/Top8000_rotamer_central_values`. Kept are those seen in one residue
of two hundred or more; angles and frequencies as printed there.
"""

import csv
import sys
from pathlib import Path

TABLES = Path(__file__).parents[2] / "src/motet/chem/tables"
LEAST_PERCENT = 0.5
SOURCE = (
    "# Source: Top8000 rotamer central values, https://github.com/rlabduke/reference_data, CC BY 4.0;\n"
    "# Hintze, Lewis, Richardson, Richardson (2016) Proteins 84, 1177, doi:10.1002/prot.25039.\n"
    f"# By scripts/tables/rotamers.py: rotamers seen in at least {LEAST_PERCENT} % of their residues.\n"
)


def main(folder: Path) -> None:
    rows = []
    for file in sorted(folder.glob("???.csv")):
        with file.open() as source:
            for row in csv.DictReader(source):
                if float(row["frequency%"]) >= LEAST_PERCENT:
                    chis = [row.get(f"chi{number}_mean") or "" for number in range(1, 5)]
                    chis = chis[:2] if row["res_type"] == "PRO" else chis  # the ring fixes the others
                    chis += [""] * (4 - len(chis))
                    rows.append((row["res_type"], row["rotamer"], *chis, row["frequency%"]))
    rows.sort(key=lambda row: (row[0], -float(row[-1])))
    with (TABLES / "rotamers.csv").open("w", newline="") as sink:
        sink.write(SOURCE)
        writer = csv.writer(sink, lineterminator="\n")
        header = "residue,rotamer,chi1_degrees,chi2_degrees,chi3_degrees,chi4_degrees,frequency_percent"
        writer.writerow(header.split(","))
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
