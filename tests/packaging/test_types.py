"""What mypy and pyright know of a small program, with links to the sources and with wheels."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.packaging.environments import make_environment, program, wheel_of

#: what is revealed, and its type as both write it
REVEALED = {
    "flowy.LocalWorkflow(Example)": "LocalWorkflow",
    "flowy.engine": "def (name: str) -> Engine",
    "flowy.engine('local').workflow(Example)": "Any",
    "[each.version for each in flowy.engines()]": "list[str]",
    "flowy.Retry(attempts=2)": "Retry",
    "flowy.is_result_proxy(1)": "bool",
    "flowy.activity('name', timeout=2.0)(square)": "def (n: int) -> int",
    "flowy.TaskError('x').error_type": "str",
    "flowy.Observer()": "Observer",
    "flowy.heartbeat(3)": "None",
    "flowy.__version__": "str",
}

PROGRAM = """\
import flowy


def square(n: int) -> int:
    return n**2


class Example:
    pass


""" + "".join(f"reveal_type({expression})\n" for expression in REVEALED)

#: a checker: from a Python and a program to what the checker says
Check = Callable[[Path, Path], str]


def run_mypy(python: Path, source: Path) -> str:
    return _run("mypy", "--strict", "--python-executable", python, source)


def run_pyright(python: Path, source: Path) -> str:
    return _run("basedpyright", "--pythonpath", python, source)


def _run(tool: str, *arguments: str | Path) -> str:
    command = [sys.executable, "-m", tool, *map(str, arguments)]
    folder = Path(arguments[-1]).parent
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def revealed(said: str) -> list[str]:
    """Find the types, and write those of both checkers in the same way."""
    found = re.findall(r'Revealed type is "(.+)"|Type of ".+" is "(.+)"', said)
    return [_short(mypys or pyrights) for mypys, pyrights in found]


def _short(name: str) -> str:
    name = re.sub(r"\b\w+\.(?=\w)", "", name)  # where a class is defined
    name = re.sub(r"^\((.*)\) -> ", r"def (\1) -> ", name)
    return name.rstrip("?")


@pytest.fixture(scope="module")
def wheels(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install flowy-core and flowy-local from wheels where nothing else is; return the Python."""
    environment = make_environment(
        tmp_path_factory.mktemp("types") / "env",
        *(wheel_of(built, name) for name in ("flowy-core", "flowy-local")),
    )
    return program(environment, "python")


@pytest.mark.parametrize("check", [run_mypy, run_pyright])
@pytest.mark.parametrize("installed", ["links", "wheels"])
def test_a_type_checker_knows_what_flowy_offers(
    check: Check, installed: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    python = request.getfixturevalue("wheels") if installed == "wheels" else Path(sys.executable)
    source = tmp_path / "source.py"
    source.write_text(PROGRAM)
    said = check(python, source)
    assert revealed(said) == list(REVEALED.values()), said
    assert not re.search(r"\berror:", said), said
