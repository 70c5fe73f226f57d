import pytest

from motet.ensemble import prepared
from motet.io import read


@pytest.fixture(scope="session")
def start(examples):
    """Trp-cage, ready for the force field; its loop between the helices is residues 8 to 14."""
    return prepared(read(examples / "1l2y.pdb")).model(0)
