"""Make `src/motet/density/tables/electron_scattering.csv` from gemmi's copy of International Tables C, 4.3.2.2.

gemmi is MPL-2.0; the numbers are published facts. `python scripts/tables/electron_scattering.py`.
"""

from pathlib import Path

import gemmi

TABLE = Path(__file__).parents[2] / "src/motet/density/tables/electron_scattering.csv"
SOURCE = (
    "# Source: International Tables for Crystallography C (2006), table 4.3.2.2 (Peng et al. 1996), neutral "
    "atoms, as in gemmi; scripts/tables/electron_scattering.py."
)
FORMULA = "# Scattering factor f(s) = Σ a exp(-b s²/4), with s = 1/d."


def main() -> None:
    columns = [f"a{i}_angstrom" for i in range(1, 6)] + [f"b{i}_angstrom2" for i in range(1, 6)]
    lines = [SOURCE, FORMULA, ",".join(("symbol", *columns))]
    for number in range(1, 119):
        element = gemmi.Element(number)
        factors = element.c4322
        if factors is None:
            continue
        values = (f"{value:.4f}" for value in (*factors.a, *factors.b))
        lines.append(",".join((element.name.capitalize(), *values)))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
