"""An engine by somebody else: installed, found, and put through the conformance suite.

It is also the example of docs/write-an-engine.md.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from tests.packaging.environments import ROOT, build, make_environment, program, run, wheel_of

SERIAL = ROOT / "tests/engines/serial"
PAGE = ROOT / "docs/write-an-engine.md"

LISTED = "flowy-serial 1.0 one task at a time, in the thread that runs the workflow"

WORKFLOW = """
import flowy

class Sum:
    def __init__(self, square, add):
        self.square, self.add = square, add

    def __call__(self, a, b):
        return self.add(self.square(a), self.square(b))

workflow = flowy.SerialWorkflow(Sum)
workflow.conf_activity("square", lambda n: n * n)
workflow.conf_activity("add", lambda a, b: a + b)
print(workflow.run(2, 10))
"""


@pytest.fixture(scope="module")
def serial(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment with the engine's wheel, those of flowy-core and -local, and pytest."""
    folder = tmp_path_factory.mktemp("serial")
    # Away from the checkout, which a build may leave things in.
    source = folder / "source"
    shutil.copytree(SERIAL, source, ignore=shutil.ignore_patterns("__pycache__"))
    build(source, folder, "-t", "wheel")
    core = f"flowy-core[plugins] @ {wheel_of(built, 'flowy-core').as_uri()}"
    wheels = [wheel_of(built, "flowy-local"), wheel_of(folder, "flowy-serial")]
    return make_environment(folder / "env", core, *wheels, "pytest>=8.2")


def test_flowy_engines_lists_it_beside_ours(serial: Path, tmp_path: Path) -> None:
    listed = run(program(serial, "flowy"), "engines", cwd=tmp_path).splitlines()
    engines = {name: " ".join(rest) for name, *rest in map(str.split, listed)}
    assert list(engines) == ["local", "serial"]
    assert engines["serial"] == LISTED


def test_its_public_name_is_a_name_of_flowy(serial: Path, tmp_path: Path) -> None:
    assert run(program(serial, "python"), "-I", "-c", WORKFLOW, cwd=tmp_path) == "104"


def test_it_passes_the_conformance_suite(serial: Path, tmp_path: Path) -> None:
    test_file = shutil.copy(SERIAL / "test_engine.py", tmp_path)
    printed = run(program(serial, "python"), "-m", "pytest", "-q", test_file, cwd=tmp_path)
    [passed] = re.findall(r"^(\d+) passed in", printed, re.MULTILINE)
    assert int(passed) > 100


def test_the_page_about_writing_an_engine_shows_its_files_as_they_are() -> None:
    shown = re.findall(
        r"^`(tests/engines/\S+)`:\n\n```\w+\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.DOTALL
    )
    assert [name for name, _ in shown] == [
        f"tests/engines/serial/{name}"
        for name in (
            "src/flowy_serial/engine.py",
            "test_engine.py",
            "src/flowy_serial/plugin.py",
            "pyproject.toml",
        )
    ]
    for name, text in shown:
        assert text == (ROOT / name).read_text("utf-8"), name
