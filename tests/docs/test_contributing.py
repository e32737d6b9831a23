"""What CONTRIBUTING.md says of the packages is so."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest
from tests.docs.manual import ROOT, load

from flowy import events, hookspecs

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SOURCES = {
    "flowy": ROOT / "packages/flowy-core/src/flowy",
    "flowy_local": ROOT / "packages/flowy-local/src/flowy_local",
    "flowy_swf": ROOT / "packages/flowy-swf/src/flowy_swf",
    "flowy_trace": ROOT / "packages/flowy-trace/src/flowy_trace",
}
#: the modules that use another package when they are asked to, and where it is installed
EXCEPTIONS: dict[str, set[tuple[str, str]]] = {
    "flowy_local": {("workflow", "flowy_trace"), ("command", "flowy_trace")},
    "flowy_swf": set(),
    "flowy_trace": {("swf_service", "flowy_swf")},
}
TABLES = re.findall(r"^\| module of `([\w.]+)` .*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
api = load("_ext/api.py")


def _imported(path: Path) -> set[str]:
    """Return the packages of the family that a module imports, wherever in it that stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names} & set(SOURCES)


@pytest.mark.parametrize("package", EXCEPTIONS)
def test_a_package_imports_the_core_and_no_other(package: str) -> None:
    found = {
        (path.stem, name)
        for path in SOURCES[package].rglob("*.py")
        for name in _imported(path) - {"flowy", package}
    }
    assert found <= EXCEPTIONS[package]


@pytest.mark.parametrize(
    ("package", "module"),
    [(package, module) for package, known in EXCEPTIONS.items() for module, _ in sorted(known)],
)
def test_an_exception_is_imported_when_it_is_used(package: str, module: str) -> None:
    source = ast.parse((SOURCES[package] / f"{module}.py").read_text(encoding="utf-8"))
    at_once = {node.module or "" for node in source.body if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in at_once} & set(SOURCES) <= {"flowy", package}


def test_the_core_imports_the_others_only_to_tell_type_checkers_of_them() -> None:
    found = {path.stem for path in SOURCES["flowy"].rglob("*.py") if _imported(path) - {"flowy"}}
    assert found == {"__init__"}


@pytest.mark.parametrize(("package", "rows"), TABLES)
def test_a_module_in_a_table_is_there(package: str, rows: str) -> None:
    folder = SOURCES[package.partition(".")[0]].joinpath(*package.split(".")[1:])
    modules = {path.stem for path in folder.glob("*.py")}
    named = set(re.findall(r"`(\w+)`", rows)) - set(SOURCES)
    assert named <= modules


def test_each_package_but_the_core_has_a_table() -> None:
    assert {package for package, _ in TABLES} == {
        "flowy_local",
        "flowy_swf",
        "flowy_swf.emulator",
        "flowy_trace",
    }


@pytest.mark.parametrize(
    "name",
    sorted(
        f"flowy.events.{kind.__name__}"
        for kind in (*get_args(events.Event), *get_args(events.Command))
    ),
)
def test_an_event_or_command_is_in_the_reference(name: str) -> None:
    assert name in api.documented()


def test_each_hook_is_in_the_reference() -> None:
    hooks = {f"flowy.hookspecs.{name}" for name in dir(hookspecs) if name.startswith("flowy_")}
    assert hooks
    assert hooks <= set(api.documented())


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:tests|docs|packages)/[\w./-]+)`", TEXT)))
)
def test_a_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()
