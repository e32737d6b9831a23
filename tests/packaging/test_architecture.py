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
        r"^- ((?:`[\w.]+`(?:, )?)+): ",
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("### The rooms")[1],
        re.MULTILINE,
    )
    for name in re.findall(r"[\w.]+", names)
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


def _path(room: str) -> Path:
    return CORE.joinpath(*room.split(".")).with_suffix(".py")


def _room(name: str) -> str:
    """Find the room that an imported name leads into: the longest part of it that is one."""
    parts = name.split(".")[1:]
    prefixes = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((prefix for prefix in prefixes if prefix in ROOMS), name)


def test_every_module_of_the_core_is_in_the_list_of_rooms_once() -> None:
    paths = [path.relative_to(CORE).with_suffix("") for path in CORE.rglob("*.py")]
    modules = {".".join(path.parts) for path in paths if path.name != "__init__"}
    assert sorted(ROOMS) == sorted(modules - {"_version"})


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_above_it(room: str) -> None:
    above = ROOMS[: ROOMS.index(room)]
    inside = {_room(name) for name in _imports(_path(room)) if name.split(".")[0] == "flowy"}
    assert inside - set(above) == set()


@pytest.mark.parametrize("room", ROOMS)
def test_the_core_imports_only_the_standard_library_and_pluggy_in_two_places(room: str) -> None:
    packages = {name.split(".")[0] for name in _imports(_path(room))}
    allowed = {"pluggy"} if room in ("hookspecs", "plugins") else set()
    assert packages - sys.stdlib_module_names - {"flowy"} - allowed == set()
