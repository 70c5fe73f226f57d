"""The periodic table, as far as molecules go."""

import pytest

from motet.chem import ELEMENTS


def test_numbers_run_from_one_without_a_gap():
    assert sorted(element.number for element in ELEMENTS.values()) == list(range(1, len(ELEMENTS) + 1))
    assert all(symbol == element.symbol == symbol.capitalize() for symbol, element in ELEMENTS.items())


@pytest.mark.parametrize(
    ("symbol", "number", "mass"),
    [("H", 1, 1.008), ("C", 6, 12.011), ("N", 7, 14.007), ("O", 8, 15.999), ("S", 16, 32.06), ("Se", 34, 78.97)],
)
def test_masses_are_iupac_s(symbol, number, mass):
    assert ELEMENTS[symbol].number == number
    assert ELEMENTS[symbol].mass == pytest.approx(mass, rel=1e-3)


def test_an_atom_reaches_beyond_its_bonds():
    for symbol in ("H", "C", "N", "O", "P", "S", "Se", "Cl"):
        assert 0.2 < ELEMENTS[symbol].covalent_radius < ELEMENTS[symbol].van_der_waals_radius < 2.5
