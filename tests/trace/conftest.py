"""The programs that pictures need, and the browser that shows pages.

Whoever has none of them can run the other tests. Where FLOWY_REQUIRE_TOOLS is set, as it is where
changes are checked before they land, a program that is missing is an error.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import browser


def do_without(program: str) -> None:
    message = f"this needs the program {program!r}, which is not there"
    if os.environ.get("FLOWY_REQUIRE_TOOLS"):
        raise FileNotFoundError(message)
    pytest.skip(message)


@pytest.fixture
def dot() -> str:
    """Return where Graphviz is."""
    found = shutil.which("dot")
    if found is None:
        do_without("dot")
    return str(found)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a browser, under the control of Selenium."""
    program = browser.missing()
    if program is not None:
        do_without(program)
    driver = browser.start(tmp_path_factory.mktemp("profile"))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def examples() -> Path:
    return Path(__file__).parents[2] / "docs" / "examples"
