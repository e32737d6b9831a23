"""The activities of the cases. What they do depends on their arguments alone."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

_F = TypeVar("_F", bound=Callable[..., Any])


def _numbered(function: _F) -> _F:
    """Have the function told which start it is; see `flowy.testing.conformance.case.Counted`."""
    function.numbered = True  # type: ignore[attr-defined]
    return function


@dataclass(frozen=True)
class Point:
    """A value with fields."""

    x: Any
    y: Any


class Pair(NamedTuple):
    """A value with named members."""

    left: Any
    right: Any


class Color(enum.Enum):
    """A value out of few."""

    RED = 1
    BLUE = "b"


class OutOfStock(Exception):
    """An error of a type of its own."""


def square(n: Any) -> Any:
    """Return the square."""
    return n * n


def add(a: Any, b: Any) -> Any:
    """Return the sum."""
    return a + b


def identity(value: Any) -> Any:
    """Return what it is given."""
    return value


def after(value: Any, *others: Any) -> Any:
    """Return the first of what it is given."""
    return value


def call_with(*args: Any, **kwargs: Any) -> Any:
    """Return all that it is given."""
    return [args, kwargs]


def type_name(value: Any) -> str:
    """Return the name of the type of what it is given."""
    return type(value).__name__


def nothing() -> None:
    """Do nothing."""


def note(*_: Any) -> None:
    """Do nothing, but be counted."""


def fail(message: str, *_: Any) -> Any:
    """Raise a ValueError."""
    raise ValueError(message)


def fail_as(error_type: str, message: str) -> Any:
    """Raise an error of the named type."""
    raise {"KeyError": KeyError, "OutOfStock": OutOfStock, "SystemExit": SystemExit}[error_type](
        message
    )


def give_object() -> Any:
    """Return something that JSON has no form for."""
    return object()


@_numbered
def fail_first(start: int, failures: int, value: Any) -> Any:
    """Raise an error in as many starts, and then return the value."""
    if start < failures:
        raise OutOfStock(f"start {start}")
    return value


def take(seconds: float) -> float:
    """Take so many seconds."""
    time.sleep(seconds)
    return seconds


@_numbered
def take_first(start: int, seconds: float, value: Any) -> Any:
    """Take so many seconds at the first start, and none after it."""
    if start == 0:
        time.sleep(seconds)
    return value
