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


def find_tool(*names: str) -> str:
    """Return the path of a program, or skip the test that needs it."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    message = f"this needs the program {names[0]!r}, which is not there"
    if os.environ.get("FLOWY_REQUIRE_TOOLS"):
        raise FileNotFoundError(message)
    pytest.skip(message)


@pytest.fixture
def dot() -> str:
    """Return where Graphviz is."""
    return find_tool("dot")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a browser, under the control of Selenium."""
    browser = find_tool("chromium", "chromium-browser", "google-chrome")
    chromedriver = find_tool("chromedriver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    profile = tmp_path_factory.mktemp("profile")
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1400,1000",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def examples() -> Path:
    return Path(__file__).parents[2] / "docs" / "examples"
