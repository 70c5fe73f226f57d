"""Make `src/motet/forcefield/tables/rotamers.csv`: centre, width and share of each side-chain rotamer.

Central values and standard deviations of the Top8000 rotamers (rlabduke/reference_data, CC BY 4.0). Kept are those
seen in one residue of a thousand or more; of proline two torsions, for its ring fixes the others.

    python scripts/train/rotamers.py ../shared/data/top8000/Top8000_rotamer_central_values
"""

import csv
import sys
from pathlib import Path

OUT = Path(__file__).parents[2] / "src/motet/forcefield/tables/rotamers.csv"
LEAST_PERCENT = 0.1
SOURCE = (
    "# Source: Top8000 rotamer central values, https://github.com/rlabduke/reference_data, CC BY 4.0;\n"
    "# Hintze, Lewis, Richardson, Richardson (2016) Proteins 84, 1177, doi:10.1002/prot.25039.\n"
    f"# By scripts/train/rotamers.py: rotamers seen in at least {LEAST_PERCENT} % of their residues.\n"
    "# means and deviations [degrees]: of each torsion, chi1 first.\n"
)


def main(folder: Path) -> None:
    rows = []
    for file in sorted(folder.glob("???.csv")):
        with file.open() as source:
            for row in csv.DictReader(source):
                if float(row["frequency%"]) < LEAST_PERCENT:
                    continue
                numbers = [number for number in range(1, 5) if row.get(f"chi{number}_mean")]
                numbers = numbers[:2] if row["res_type"] == "PRO" else numbers
                means = " ".join(row[f"chi{number}_mean"] for number in numbers)
                deviations = " ".join(row[f"chi{number}_esd"] for number in numbers)
                rows.append((row["res_type"], row["rotamer"], means, deviations, row["frequency%"]))
    rows.sort(key=lambda row: (row[0], -float(row[-1])))
    with OUT.open("w", newline="", encoding="utf-8") as sink:
        sink.write(SOURCE)
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(("residue", "rotamer", "means", "deviations", "frequency_percent"))
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
