"""Configuration from outside: names, checks, marks and scanning."""

from __future__ import annotations

import functools
import importlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import flowy
from flowy import DependencyError
from flowy.config import ActivityMark, WorkflowConfig, mark, marks
from flowy.run import Dependency


class Workflow:
    def __init__(self, one: Any, *, two: Any, three: Any = None) -> None:
        """Take three dependencies."""


def configured(factory: Callable[..., Any], *names: str) -> WorkflowConfig:
    config = WorkflowConfig(factory)
    for name in names:
        config.add(Dependency(name))
    return config


# --- names and dependencies --------------------------------------------------------------------


def test_a_configuration_is_named_like_its_factory() -> None:
    assert WorkflowConfig(Workflow).name == "Workflow"
    assert WorkflowConfig(lambda: None).name == "<lambda>"
    assert WorkflowConfig(functools.partial(Workflow, one=1)).name == "partial"


@pytest.mark.parametrize("factory", [None, "Workflow", 42])
def test_a_factory_must_be_callable(factory: Any) -> None:
    with pytest.raises(TypeError) as caught:
        WorkflowConfig(factory)
    assert str(caught.value) == (
        f"a workflow is a class or function that takes its dependencies by keyword, not {factory!r}"
    )


@pytest.mark.parametrize("name", ["", "a b", "1a", "a-0", "if", "True", "a.b", None, 1, b"a"])
def test_a_name_that_is_no_identifier_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="identifier") as caught:
        configured(Workflow, name)
    assert str(caught.value) == (
        f"{name!r} cannot be the name of a dependency: Workflow takes it as a keyword argument, "
        "so it must be a Python identifier and no keyword"
    )


@pytest.mark.parametrize("thing", [len, WorkflowConfig(Workflow)])
def test_what_is_given_in_place_of_the_name_is_refused(thing: Any) -> None:
    with pytest.raises(ValueError, match="comes first") as caught:
        configured(Workflow, thing)
    assert str(caught.value) == (
        f"{thing!r} cannot be the name of a dependency: the name comes first, then what it stands "
        "for, as in conf_activity('square', square)"
    )


def test_a_configuration_shows_its_workflow_and_its_dependencies() -> None:
    assert repr(configured(Workflow)) == "<WorkflowConfig of Workflow, with no dependencies>"
    assert repr(configured(Workflow, "one", "two")) == "<WorkflowConfig of Workflow, with one, two>"


def test_a_name_is_taken_once() -> None:
    config = configured(Workflow, "one")
    with pytest.raises(ValueError, match="already") as caught:
        config.add(Dependency("one", "workflow"))
    assert str(caught.value) == "Workflow has a dependency 'one' already: configure it once"
    assert config.dependencies["one"].kind == "activity"


def test_dependencies_are_kept_by_name_in_order() -> None:
    config = configured(Workflow, "two", "one")
    assert list(config.dependencies) == ["two", "one"]
    assert [dependency.name for dependency in config.dependencies.values()] == ["two", "one"]


# --- what the factory takes --------------------------------------------------------------------


def takes_anything(one: Any, **rest: Any) -> None:
    """Take what there is."""


def takes_positions(one: Any, /, *rest: Any) -> None:
    """Take nothing by keyword."""


class Opaque:
    """Does not tell what it takes."""

    __signature__ = "nothing"

    def __call__(self) -> None:
        """Be callable."""


@pytest.mark.parametrize(
    ("factory", "names", "missing", "unknown"),
    [
        (Workflow, ["one", "two"], (), ()),
        (Workflow, ["one", "two", "three"], (), ()),
        (Workflow, ["three"], ("one", "two"), ()),
        (Workflow, ["one", "two", "four", "five"], (), ("four", "five")),
        (Workflow, ["four"], ("one", "two"), ("four",)),
        (takes_anything, ["one", "other"], (), ()),
        (takes_anything, ["other"], ("one",), ()),
        (takes_positions, ["one"], (), ("one",)),
        (functools.partial(Workflow, two=2), ["one"], (), ()),
        (Opaque(), ["what", "ever"], (), ()),
    ],
)
def test_dependencies_are_checked_against_the_factory(
    factory: Any, names: list[str], missing: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    config = configured(factory, *names)
    if not missing and not unknown:
        config.check()
        return
    with pytest.raises(DependencyError) as caught:
        config.check()
    assert caught.value.factory == config.name
    assert caught.value.missing == missing
    assert caught.value.unknown == unknown


@pytest.mark.parametrize(
    ("factory", "name", "answer"),
    [
        (Workflow, "one", True),
        (Workflow, "three", True),
        (Workflow, "four", False),
        (takes_anything, "other", False),
    ],
)
def test_a_configuration_knows_the_parameters_of_its_factory(
    factory: Any, name: str, answer: bool
) -> None:
    assert WorkflowConfig(factory).takes(name) is answer


# --- marks -------------------------------------------------------------------------------------


def test_a_marked_function_stays_what_it_is() -> None:
    def square(n: int) -> int:
        return n * n

    assert flowy.activity()(square) is square
    assert square(3) == 9


def test_an_activity_is_named_like_its_function_or_as_it_says() -> None:
    @flowy.activity(timeout=3, retry=(0, 1))
    @flowy.activity("other")
    def square(n: int) -> int:
        return n * n

    assert marks(square) == (
        ActivityMark("other", {}),
        ActivityMark("square", {"timeout": 3, "retry": (0, 1)}),
    )


def test_the_decorator_needs_its_parentheses() -> None:
    with pytest.raises(TypeError) as caught:

        @flowy.activity  # type: ignore[arg-type]
        def square(n: int) -> int:
            return n * n

    assert str(caught.value) == "write @activity() with parentheses"


def test_a_mark_is_not_inherited() -> None:
    class Base:
        """Be marked."""

    class Derived(Base):
        """Be marked by itself."""

    mark(Base, "base")
    assert marks(Derived) == ()
    mark(Derived, "derived")
    assert (marks(Base), marks(Derived)) == (("base",), ("derived",))


@pytest.mark.parametrize("thing", [len, int, object()])
def test_what_cannot_be_marked_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError) as caught:
        mark(thing, "registration")
    assert str(caught.value) == (f"{thing!r} cannot be marked: wrap it in a function of your own")
    assert marks(thing) == ()


# --- scan --------------------------------------------------------------------------------------

FILES = {
    "__init__.py": """
        from flowy.config import mark
        from .tasks import imported as again
        def top(): pass
        alias = mark(top, "top")
        note = "no function"
    """,
    "__main__.py": "raise AssertionError('it was run')",
    "tasks.py": """
        from flowy.config import mark
        def imported(): pass
        mark(imported, "imported once")
        mark(imported, "imported twice")
        def unmarked(): pass
    """,
    "deep/__init__.py": "",
    "deep/deeper.py": """
        from flowy.config import mark
        class Thing: pass
        mark(Thing, "deep")
    """,
    "deep/__main__.py": "raise AssertionError('it was run')",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the folder of a package that can be imported."""
    folder = tmp_path / "scanned_package"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.strip() for line in text.splitlines()), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == folder.name]:
        del sys.modules[name]


def found(things: Iterator[tuple[Any, Any]]) -> list[tuple[str, Any]]:
    return [(thing.__name__, registration) for thing, registration in things]


ALL = [
    ("top", "top"),
    ("Thing", "deep"),
    ("imported", "imported once"),
    ("imported", "imported twice"),
]


def test_scan_finds_what_is_marked_in_a_package_once(package: Path) -> None:
    assert sorted(found(flowy.scan(package.name))) == sorted(ALL)


def test_scan_takes_the_module_itself(package: Path) -> None:
    module = importlib.import_module(f"{package.name}.tasks")
    assert found(flowy.scan(module)) == ALL[2:]


def test_scan_without_an_argument_scans_the_module_that_calls_it(package: Path) -> None:
    (package / "self_scanning.py").write_text(
        "import flowy\n"
        "from flowy.config import mark\n"
        "def here(): pass\n"
        "mark(here, 'here')\n"
        "found = list(flowy.scan())\n",
        encoding="utf-8",
    )
    module = importlib.import_module(f"{package.name}.self_scanning")
    assert module.found == [(module.here, "here")]


def test_scan_names_the_module_that_cannot_be_imported(package: Path) -> None:
    (package / "deep" / "broken.py").write_text("1 / 0", encoding="utf-8")
    with pytest.raises(ImportError) as caught:
        list(flowy.scan(package.name))
    name = f"{package.name}.deep.broken"
    assert str(caught.value) == (
        f"cannot scan {name}: importing it raised ZeroDivisionError: division by zero"
    )
    assert caught.value.name == name
    assert type(caught.value.__cause__) is ZeroDivisionError


def test_scan_names_a_package_that_is_not_there() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        flowy.scan("no_such_package")


def test_scan_passes_by_what_has_no_attributes() -> None:
    module = types.ModuleType("with_slots")

    class Slotted:
        __module__ = module.__name__
        __slots__ = ()

    module.thing = Slotted()  # type: ignore[attr-defined]
    assert list(flowy.scan(module)) == []
