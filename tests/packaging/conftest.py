"""What the tests of the packages share: the wheels and sdists, built once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# For the module beside this one, whatever starts the tests.
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.packaging.environments import IMPORTS, ROOT, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build every wheel and sdist from the checkout, into one folder."""
    folder = tmp_path_factory.mktemp("built")
    for distribution in IMPORTS:
        build(ROOT / "packages" / distribution, folder)
    return folder
