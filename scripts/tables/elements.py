"""Make `src/motet/chem/tables/elements.csv` from gemmi's element data.

Masses: IUPAC; covalent radii: Cordero et al. (2008); van der Waals radii: Bondi (1964) and followers, as in gemmi
(MPL-2.0; the numbers are published facts). `python scripts/tables/elements.py`.
"""

from pathlib import Path

import gemmi

TABLES = Path(__file__).parents[2] / "src/motet/chem/tables"
SOURCE = (
    "# Source: IUPAC (masses), Cordero et al. (2008), Bondi (1964) and followers, as in gemmi; "
    "scripts/tables/elements.py."
)


def main() -> None:
    lines = [SOURCE, "symbol,number,mass_da,covalent_radius_angstrom,van_der_waals_radius_angstrom"]
    for number in range(1, 119):
        element = gemmi.Element(number)
        lines.append(
            f"{element.name.capitalize()},{number},{element.weight:.4f},{element.covalent_r:.2f},{element.vdw_r:.2f}"
        )
    (TABLES / "elements.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
