"""The reference has all that is public, and says what the code says."""

from __future__ import annotations

import inspect
import re
import types
from pathlib import Path
from typing import Any

import pytest
from tests.docs.manual import REFERENCE, ROOT, load

api = load("_ext/api.py")
commands = load("_ext/commands.py")

DOCUMENTED = api.documented()
PUBLIC = [f"{module}.{name}" for module in api.EXPORTING for name in api.exports(module)]
TABLES = re.findall(
    r"^```\{flowy-options\} ([\w.]+)$",
    (REFERENCE / "configuration.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
#: errors that nobody outside of the packages gets to see
INTERNAL = {
    "flowy.arguments.TargetError": "becomes a line of the flowy command",
    "flowy.testing.conformance.activities.OutOfStock": "what an activity of a case raises",
    "flowy_swf.commands.errors.BrokenModuleError": "becomes a line of the flowy command",
    "flowy_swf.emulator.lifecycle.UndefinedError": "becomes the cause of a failed start",
    "flowy_swf.emulator.service.CutError": "becomes a cut connection",
    "flowy_swf.emulator.state.ExecutionClosedError": "becomes a fault",
    "flowy_swf.emulator.state.HistoryFullError": "becomes the end of an execution",
    "flowy_swf.workflow_worker.UnreadError": "becomes a line of the log",
}


def _kind(thing: Any) -> str:
    """Return the kind of directive that documents a thing."""
    if inspect.ismodule(thing):
        return "module"
    # Python 3.10 takes the alias of a generic for a class.
    if isinstance(thing, type) and not isinstance(thing, types.GenericAlias):
        return "exception" if issubclass(thing, BaseException) else "class"
    # A function that is cached is an object with the function behind it.
    return "function" if inspect.isroutine(inspect.unwrap(thing)) else "data"


def _described(thing: Any, name: str) -> bool:
    """Return whether there is a docstring, or a comment beside the constant."""
    if _kind(thing) != "data":
        return bool(thing.__doc__)
    attribute = name.rpartition(".")[2]
    comment = re.compile(rf"^#: .*\n(?:#.*\n)*{attribute}\b.* = ", re.MULTILINE)
    return any(
        comment.search(Path(module.__file__).read_text(encoding="utf-8"))
        for module in api.modules()
        if getattr(module, attribute, None) is thing
    )


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_in_the_reference(name: str) -> None:
    thing = api.resolve(name)
    assert name in DOCUMENTED or any(api.resolve(other) is thing for other in DOCUMENTED)


@pytest.mark.parametrize("name", sorted({*PUBLIC, *DOCUMENTED}))
def test_what_is_in_the_reference_is_described_in_the_code(name: str) -> None:
    assert _described(api.resolve(name), name)


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_a_page_documents_a_thing_as_what_it_is(name: str) -> None:
    assert DOCUMENTED[name] == _kind(api.resolve(name))


def test_every_error_is_in_the_reference_or_never_leaves_the_packages() -> None:
    known = [api.resolve(name) for name in DOCUMENTED]
    unknown = {
        name
        for name, kind in api.exceptions().items()
        # What is private in its module or its package says so by its name.
        if "._" not in name and not any(kind is each for each in known)
    }
    assert unknown == set(INTERNAL)


def test_the_tree_of_errors_has_each_below_its_bases() -> None:
    above: list[str] = []
    found: set[tuple[str, str]] = set()
    for line in api.exception_tree().splitlines():
        match = re.match(r"( *)- (?:{py:exc})?`([\w.]+)`", line)
        assert match is not None
        above[len(match[1]) // 2 :] = [match[2].rpartition(".")[2]]
        if len(above) > 1:
            found.add((above[-2], above[-1]))
    for name, kind in DOCUMENTED.items():
        if kind == "exception":
            error = api.resolve(name)
            for base in error.__bases__:
                assert (base.__name__, error.__name__) in found


@pytest.mark.parametrize("name", TABLES)
def test_each_option_is_described_and_each_description_is_of_an_option(name: str) -> None:
    rows = api.options(api.resolve(name))
    assert rows
    assert all(text for _, _, text in rows)


def test_every_method_that_configures_has_a_table() -> None:
    classes = ("flowy.LocalWorkflow", "flowy.SWFWorkflowConfig")
    methods = [
        f"{name}.{method}"
        for name in classes
        for method in vars(api.resolve(name))
        if method.startswith("conf_")
    ]
    assert set(methods) <= set(TABLES)
    assert {*classes, "flowy.SWFActivityConfig", "flowy.Retry"} <= set(TABLES)


def test_the_page_of_the_command_has_every_subcommand_and_option() -> None:
    text = commands.command_reference()
    found = list(commands.commands(commands.whole_parser()))
    assert {"flowy", "flowy run", "flowy engines", "flowy trace", "flowy swf emulator"} <= {
        parser.prog for parser, _ in found
    }
    sections = dict(re.findall(r"^## `(.+?)`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == [parser.prog for parser, _ in found]
    for parser, _ in found:
        for action in parser._actions:
            for option in set(action.option_strings) - {"-h", "--help"}:
                assert f"`{option}" in sections[parser.prog]


def test_every_variable_of_the_environment_is_in_the_reference() -> None:
    sources = list((ROOT / "packages").rglob("*.py"))
    read = {
        name
        for path in sources
        for name in re.findall(r"\bFLOWY_[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    page = (REFERENCE / "environment.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(FLOWY_\w+)` \|", page, re.MULTILINE)) == read
