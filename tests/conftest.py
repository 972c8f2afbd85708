"""Shared by all tests: where the real data is, and a miniature reader that loads nothing."""

import os
from pathlib import Path

import pytest

REAL_DATA = os.environ.get("BABELSPAN_DATA", "")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests that need it are skipped where there is none."""
    folder = Path(REAL_DATA or Path(__file__).parents[1] / "../shared/data").resolve()
    if not folder.is_dir():
        pytest.skip("the real data is not on this machine; set BABELSPAN_DATA to its folder")
    return folder
