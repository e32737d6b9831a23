"""Every test of the engine ends as it began: no thread and no process is left."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local.tasks import Script

# Spawned processes import activities by the name of their module, tests.local.tasks.
sys.path.insert(0, str(Path(__file__).parents[2]))


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    # A test that leaves an activity running lets it go, and here is where it ends.
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert set(threading.enumerate()) - before == set()
    for process in multiprocessing.active_children():
        process.join(30)
    assert multiprocessing.active_children() == []


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Script]]:
    """Give what starts a script: `start(source, *args)`; kill what still runs in the end."""
    from tests.local.tasks import Script

    scripts: list[Script] = []

    def start_script(source: str, *args: str, measured: bool = True) -> Script:
        scripts.append(Script(tmp_path, source, *args, measured=measured))
        return scripts[-1]

    yield start_script
    for script in scripts:
        script.kill()
