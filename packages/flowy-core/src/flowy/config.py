"""Configuration of workflows from outside: what is behind each dependency, and what is where.

Engines build on `WorkflowConfig`. `activity` marks functions and `scan` finds what was marked, so
that a worker need not list what a package holds.
"""

from __future__ import annotations

import importlib
import inspect
import keyword
import sys
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from flowy.errors import DependencyError
from flowy.run import Dependency

_T = TypeVar("_T", bound=Callable[..., Any])

_MARKS = "__flowy_marks__"


class WorkflowConfig:
    """A workflow and its dependencies, for one engine.

    Parameters
    ----------
    factory
        the workflow: a class or function that takes its dependencies by keyword and returns a
        callable.
    """

    def __init__(self, factory: Callable[..., Any]) -> None:
        if not callable(factory):
            raise TypeError(
                f"a workflow is a class or function that takes its dependencies by keyword, "
                f"not {factory!r}"
            )
        self.factory = factory
        self._dependencies: dict[str, Dependency] = {}

    @property
    def name(self) -> str:
        """The workflow's name: that of its factory."""
        return getattr(self.factory, "__name__", type(self.factory).__name__)

    @property
    def dependencies(self) -> Mapping[str, Dependency]:
        """What the workflow may call, by name."""
        return self._dependencies

    def __repr__(self) -> str:
        dependencies = ", ".join(self._dependencies) or "no dependencies"
        return f"<{type(self).__name__} of {self.name}, with {dependencies}>"

    def add(self, dependency: Dependency) -> None:
        """Add a dependency.

        Raises
        ------
        ValueError
            its name is no Python identifier, or taken.
        """
        self.check_name(dependency.name)
        self._dependencies[dependency.name] = dependency

    def check_name(self, name: str) -> None:
        """Raise ValueError unless a dependency may be added under `name`."""
        check_name(name, self._dependencies, self.name)

    def check(self) -> None:
        """Raise DependencyError unless the dependencies are those that the factory takes."""
        try:
            parameters = inspect.signature(self.factory).parameters.values()
        except (TypeError, ValueError):
            # Some callables written in C tell nothing; then calling them has to do.
            return
        takes = {
            p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        }
        missing = [
            name
            for name, parameter in takes.items()
            if parameter.default is parameter.empty and name not in self._dependencies
        ]
        unknown = []
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            unknown = [name for name in self._dependencies if name not in takes]
        if missing or unknown:
            raise DependencyError(self.name, missing, unknown)

    def takes(self, name: str) -> bool:
        """Return whether the factory has a parameter of this very name."""
        return name in inspect.signature(self.factory).parameters


def check_name(name: str, taken: Container[str], workflow: str) -> None:
    """Raise ValueError unless a workflow may have a dependency `name` besides those `taken`."""
    if callable(name) or isinstance(name, WorkflowConfig):
        raise ValueError(
            f"{name!r} cannot be the name of a dependency: the name comes first, then what it "
            "stands for, as in conf_activity('square', square)"
        )
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(
            f"{name!r} cannot be the name of a dependency: {workflow} takes it as a keyword "
            "argument, so it must be a Python identifier and no keyword"
        )
    if name in taken:
        raise ValueError(f"{workflow} has a dependency {name!r} already: configure it once")


@dataclass(frozen=True, slots=True)
class ActivityMark:
    """What `activity` attaches to a function."""

    #: the dependency's name
    name: str
    #: what `conf_activity` takes besides the function
    options: Mapping[str, Any]


def activity(name: str | None = None, **options: Any) -> Callable[[_T], _T]:
    """Mark a function as an activity, for the `scan` method of a workflow's configuration.

    The function stays as it is.

    Parameters
    ----------
    name
        the dependency's name; by default the function's.
    options
        what the engine's `conf_activity` takes: `retry`, `timeout` and so on.
    """
    if callable(name):
        raise TypeError("write @activity() with parentheses")

    def decorate(function: _T) -> _T:
        return mark(function, ActivityMark(name or function.__name__, options))

    return decorate


def mark(thing: _T, registration: Any) -> _T:
    """Attach a registration to a function or class, for `scan` to find; return `thing` itself.

    Raises
    ------
    TypeError
        nothing can be attached, as with functions written in C.
    """
    marks = vars(thing).get(_MARKS, ()) if hasattr(thing, "__dict__") else ()
    try:
        setattr(thing, _MARKS, (*marks, registration))
    except (AttributeError, TypeError):
        raise TypeError(f"{thing!r} cannot be marked: wrap it in a function of your own") from None
    return thing


def marks(thing: Any) -> tuple[Any, ...]:
    """Return the registrations attached to `thing` itself, oldest first."""
    try:
        own = vars(thing)
    except TypeError:
        return ()
    found: tuple[Any, ...] = own.get(_MARKS, ())
    return found


def scan(package: ModuleType | str | None = None) -> Iterator[tuple[Any, Any]]:
    """Import a package with all that is under it; yield each marked thing and its registration.

    What a module merely imports from elsewhere is yielded for the module that defines it only.
    Modules named `__main__` are not imported, because that would run them.

    Parameters
    ----------
    package
        a module, its name, or None for the module that calls this.

    Raises
    ------
    ImportError
        the package, or a module under it, cannot be imported; the message names it.
    """
    if package is None:
        package = sys.modules[sys._getframe(1).f_globals["__name__"]]
    elif isinstance(package, str):
        package = importlib.import_module(package)
    return _scan(package)


def _scan(package: ModuleType) -> Iterator[tuple[Any, Any]]:
    yield from _marked(package)
    paths = getattr(package, "__path__", None)
    if paths is None:
        return
    import pkgutil

    for info in pkgutil.iter_modules(paths, f"{package.__name__}."):
        if info.name.rpartition(".")[2] == "__main__":
            continue
        try:
            module = importlib.import_module(info.name)
        except Exception as exc:
            raise ImportError(
                f"cannot scan {info.name}: importing it raised {type(exc).__name__}: {exc}",
                name=info.name,
            ) from exc
        yield from _scan(module)


def _marked(module: ModuleType) -> Iterator[tuple[Any, Any]]:
    seen: set[int] = set()
    for thing in list(vars(module).values()):
        if id(thing) in seen or getattr(thing, "__module__", None) != module.__name__:
            continue
        seen.add(id(thing))
        for registration in marks(thing):
            yield thing, registration
