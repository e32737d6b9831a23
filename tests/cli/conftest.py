"""The command as users call it: a process of its own, in a folder with a module of workflows."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

#: calls `flowy` with these arguments
Flowy = Callable[..., "subprocess.CompletedProcess[str]"]

#: what is in `flows.py`
FLOWS = '''
import os
import flowy


@flowy.activity()
def square(n):
    if n == "bad":
        raise ValueError("no square of that")
    print(f"squaring {n}\\n", end="")  # in one piece
    return n ** 2


@flowy.activity("add")
def addition(a, b):
    return a + b


@flowy.activity()
def where():
    return os.getpid()


class SumOfSquares:
    def __init__(self, square, add):
        self.square = square
        self.add = add

    def __call__(self, a, b=10):
        return self.add(self.square(a), self.square(b))


def echo():
    def run(*args, **kwargs):
        print("echoing")
        return list(args), kwargs
    return run


def processes(where):
    return lambda: where() == os.getpid()


configured = flowy.LocalWorkflow(SumOfSquares, activity_workers=2)
configured.conf_activity("square", square)
configured.conf_activity("add", addition)


class Elsewhere:
    """A workflow of another engine."""

    def run(self, *args, _trace=None, **kwargs):
        return args, kwargs, _trace

    def __repr__(self):
        return "<elsewhere>"


elsewhere = Elsewhere()
number = 5


def workers():
    return lambda: None


class Holder:
    inner = echo
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flows.py").write_text(FLOWS)
    return tmp_path


@pytest.fixture
def flowy_command(folder: Path) -> Flowy:
    def call(
        *arguments: str, before: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Call it, in a process that runs the code `before` first."""
        code = (
            f"{textwrap.dedent(before)}\nimport sys\nfrom flowy.cli import main\nsys.exit(main())"
        )
        how = ["-c", code] if before else ["-m", "flowy"]
        return subprocess.run(
            [sys.executable, *how, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )

    return call
