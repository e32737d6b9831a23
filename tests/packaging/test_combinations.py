"""The combinations of packages that users install, each in an environment of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.packaging.environments import IMPORTS, make_environment, program, run, wheel_of

#: what is installed, and what can be had from it
COMBINATIONS = {
    ("flowy-core",): {"plain"},
    ("flowy-core", "flowy-local"): {"plain", "local"},
    ("flowy-core", "flowy-swf"): {"plain", "swf"},
    tuple(IMPORTS): {"plain", "local", "swf", "trace"},
}

#: says of each thing that a user may want from Flowy whether it works here, or what is missing
SMOKE = """
import json

import flowy

def workflow(square):
    return lambda n: square(n) + 1

def square(n):
    return n * n

def plain():
    return workflow(square)(3)

def local():
    configured = flowy.LocalWorkflow(workflow)
    configured.conf_activity("square", square)
    return configured.run(3)

def swf():
    from flowy_swf.emulator import Emulator

    emulator = Emulator(clock="virtual")
    names = {"name": "d", "workflowExecutionRetentionPeriodInDays": "1"}
    emulator.call("RegisterDomain", names)
    assert flowy.SWFWorkflowConfig is not None
    return len(emulator.call("ListDomains", {"registrationStatus": "REGISTERED"})["domainInfos"])

def trace():
    configured = flowy.LocalWorkflow(workflow)
    configured.conf_activity("square", square)
    configured.run(3, _trace="trace.txt")
    with open("trace.txt", encoding="utf-8") as lines:
        return "square-0" in lines.read()

def tried(function):
    try:
        return function()
    except ImportError as exc:
        return str(exc)

print(json.dumps({each.__name__: tried(each) for each in (plain, local, swf, trace)}))
"""

WORKS = {"plain": 10, "local": 10, "swf": 1, "trace": True}
NEEDS = {
    "local": "flowy.LocalWorkflow needs flowy-local: python -m pip install flowy-local",
    "swf": "No module named 'flowy_swf'",
    "trace": "_trace= needs flowy-trace: python -m pip install flowy-trace",
}


def _smoke(environment: Path, folder: Path) -> object:
    return json.loads(run(program(environment, "python"), "-I", "-c", SMOKE, cwd=folder))


def _expected(works: set[str]) -> dict[str, object]:
    expected: dict[str, object] = {
        name: answer if name in works else NEEDS[name] for name, answer in WORKS.items()
    }
    if "local" not in works:
        # Without an engine there is no run to trace.
        expected["trace"] = NEEDS["local"]
    return expected


@pytest.mark.parametrize("distributions", COMBINATIONS, ids="+".join)
def test_what_is_installed_works_and_what_is_not_says_so(
    built: Path, distributions: tuple[str, ...], tmp_path: Path
) -> None:
    environment = make_environment(
        tmp_path / "env", *(wheel_of(built, distribution) for distribution in distributions)
    )
    assert _smoke(environment, tmp_path) == _expected(COMBINATIONS[distributions])


def test_uninstalling_one_after_another_leaves_the_others_working(
    built: Path, tmp_path: Path
) -> None:
    environment = make_environment(tmp_path / "env", *(wheel_of(built, each) for each in IMPORTS))
    pip = [sys.executable, "-m", "pip", "--python", str(program(environment, "python"))]
    works = set(WORKS)
    for name in ("trace", "swf", "local"):
        run(*pip, "uninstall", "--quiet", "--yes", f"flowy-{name}", cwd=tmp_path)
        works.remove(name)
        assert _smoke(environment, tmp_path) == _expected(works)


def test_twine_finds_nothing_to_say_of_the_wheels_and_sdists(built: Path, tmp_path: Path) -> None:
    files = [*sorted(built.glob("*.whl")), *sorted(built.glob("*.tar.gz"))]
    assert len(files) == 2 * len(IMPORTS)
    check = [sys.executable, "-m", "twine", "--no-color", "check", "--strict"]
    assert run(*check, *files, cwd=tmp_path).count("PASSED") == len(files)
