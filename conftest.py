"""What every test and benchmark may ask for."""

from pathlib import Path

import pytest
import torch

# Tests are made of small tensors: with more threads they spend their time waiting for each other.
torch.set_num_threads(1)

ROOT = Path(__file__).parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test data beside the checkout; without it the test is skipped."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the shared data in {folder}")
    return folder


@pytest.fixture(scope="session")
def data() -> Path:
    """Small samples that travel with the tests."""
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def examples() -> Path:
    """The examples a user finds in the repository."""
    return ROOT / "examples"
