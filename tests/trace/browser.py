"""A headless Chromium, under the control of Selenium."""

from __future__ import annotations

import os
import shutil
from typing import Any

#: what keeps it from talking to anybody, and lets it run in a container
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)


def missing() -> str | None:
    """Return the program that is not there, if one is."""
    for names in (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)):
        if not any(map(shutil.which, names)):
            return names[0]
    return None


def start(profile: str | os.PathLike[str]) -> Any:
    """Start it, with a folder for its profile; `quit()` ends it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    browsers = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    options.binary_location = str(next(filter(None, browsers)))
    for argument in (*ARGUMENTS, f"--user-data-dir={os.fspath(profile)}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
