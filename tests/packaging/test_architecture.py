"""Imports point one way: the order is the list of rooms in CONTRIBUTING.md."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "packages/flowy-core/src/flowy"
ROOMS = [
    name
    for names in re.findall(
        r"^- ((?:`\w+`(?:, )?)+): ",
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("### The rooms")[1],
        re.MULTILINE,
    )
    for name in re.findall(r"\w+", names)
]


def _imports(module: Path) -> set[str]:
    """Find the modules that a module imports when it is imported itself."""
    found: set[str] = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{module} imports relatively"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def test_every_module_of_the_core_is_in_the_list_of_rooms_once() -> None:
    modules = {path.stem for path in CORE.glob("*.py")} - {"__init__", "_version"}
    assert sorted(ROOMS) == sorted(modules)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_above_it(room: str) -> None:
    above = ROOMS[: ROOMS.index(room)]
    parts = [name.split(".") for name in _imports(CORE / f"{room}.py")]
    inside = {"".join(rest[:1]) for package, *rest in parts if package == "flowy"}
    assert inside - set(above) == set()


@pytest.mark.parametrize("room", ROOMS)
def test_the_core_imports_only_the_standard_library_and_pluggy_in_two_places(room: str) -> None:
    packages = {name.split(".")[0] for name in _imports(CORE / f"{room}.py")}
    allowed = {"pluggy"} if room in ("hookspecs", "plugins") else set()
    assert packages - sys.stdlib_module_names - {"flowy"} - allowed == set()
