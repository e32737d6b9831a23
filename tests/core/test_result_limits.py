"""What Python does not let a result do, and that the remedies of `docs/proxies.md` are ones."""

from __future__ import annotations

import abc
import asyncio
import collections.abc
import copy
import dataclasses
import decimal
import doctest
import io
import json
import math
import numbers
import os
import re
import statistics
import sys
import time
import types
import weakref
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, SupportsInt, TypeAlias, runtime_checkable

import pytest

from flowy.result import ResultProxy


class Finished:
    finished = True

    def __init__(self, value: Any) -> None:
        self._value = value

    def value(self) -> Any:
        return self._value

    def describe(self) -> str:
        return "square-0"


def result(value: Any) -> Any:
    return ResultProxy(Finished(value))


@dataclasses.dataclass
class Point:
    x: int
    y: int


@runtime_checkable
class SupportsColor(Protocol):
    color: int


since_312 = pytest.mark.skipif(sys.version_info < (3, 12), reason="other before Python 3.12")
before_312 = pytest.mark.skipif(sys.version_info >= (3, 12), reason="works from Python 3.12 on")
before_314 = pytest.mark.skipif(sys.version_info >= (3, 14), reason="works from Python 3.14 on")


def use_structural_match(x: Any) -> Any:
    match x:
        case [_, _]:
            return "pair"
        case {"a": _}:
            return "mapping"
        case None:
            return "nothing"
        case _:
            return "something else"


def use_in_place_on_a_list(x: Any) -> Any:
    alias = numbers = [1]
    numbers += x
    return alias is numbers


def use_extend(x: Any) -> Any:
    alias = numbers = [1]
    numbers.extend(x)
    return alias is numbers


def use_in_place_on_a_set(x: Any) -> Any:
    alias = numbers = {1}
    numbers |= x
    return alias is numbers


def use_update(x: Any) -> Any:
    alias = numbers = {1}
    numbers.update(x)
    return alias is numbers


class Closable(abc.ABC):  # noqa: B024 - its hook is all there is to it
    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return hasattr(other, "__exit__")


Use: TypeAlias = Callable[[Any], Any]

#: value, use, the answer of the proxy, remedy with the answer of the value
WRONG: list[Any] = [
    (None, lambda x: x is None, False, lambda x: copy.copy(x) is None),
    (None, lambda x: x is None, False, lambda x: x == None),  # noqa: E711
    (5, type, ResultProxy, lambda x: x.__class__),
    ([1, 2], use_structural_match, "something else", lambda x: use_structural_match(list(x))),
    ({"a": 1}, use_structural_match, "something else", lambda x: use_structural_match(dict(x))),
    (None, use_structural_match, "something else", lambda x: use_structural_match(copy.copy(x))),
    (5, callable, True, lambda x: isinstance(x, collections.abc.Callable)),  # type: ignore[arg-type]
    (int, lambda x: issubclass(x, int), False, lambda x: issubclass(copy.copy(x), int)),
    ([2], use_in_place_on_a_list, False, use_extend),
    ({2}, use_in_place_on_a_set, False, use_update),
    ((1,), lambda x: "%s" % x, "(1,)", lambda x: "%s" % tuple(x)),  # noqa: UP031
    (
        Point(1, 2),
        dataclasses.is_dataclass,
        False,
        lambda x: dataclasses.is_dataclass(x.__class__),
    ),
    (5, lambda x: isinstance(x, Closable), True, lambda x: isinstance(copy.copy(x), Closable)),
    pytest.param(
        *([], lambda x: isinstance(x, SupportsInt), True),
        lambda x: isinstance(copy.copy(x), SupportsInt),
        marks=since_312,
    ),
    pytest.param(
        *(types.SimpleNamespace(color=1), lambda x: isinstance(x, SupportsColor), False),
        lambda x: isinstance(copy.copy(x), SupportsColor),
        marks=since_312,
    ),
]


@pytest.mark.parametrize(("value", "use", "answer", "remedy"), WRONG)
def test_a_wrong_answer_has_a_remedy(value: Any, use: Use, answer: Any, remedy: Use) -> None:
    right = use(value)
    assert use(result(value)) == answer != right
    assert remedy(result(value)) == right


def test_text_that_reads_as_a_number_passes_for_a_number() -> None:
    assert math.sqrt(result("16")) == 4.0


def test_a_sequence_pattern_forces_nothing() -> None:
    class Untouchable(Finished):
        def value(self) -> Any:
            raise AssertionError("forced")

    match ResultProxy(Untouchable(None)):
        case [*_]:
            raise AssertionError("matched")


async def native() -> int:
    return 9


async def use_task(x: Any) -> Any:
    return await asyncio.get_running_loop().create_task(x)


def use_raise(x: Any) -> Any:
    try:
        raise x
    except KeyError as exc:
        return type(exc)


def use_except(x: Any) -> Any:
    try:
        raise KeyError
    except x as exc:
        return type(exc)


#: value, use, remedy
REFUSED: list[Any] = [
    ("a", lambda x: ",".join([x]), lambda x: ",".join(map(str, [x]))),
    ("a", lambda x: "abc".startswith(x), lambda x: "abc".startswith(str(x))),
    ("a", lambda x: x in "abc", lambda x: str(x) in "abc"),
    ("a", lambda x: re.findall("a", x), lambda x: re.findall("a", str(x))),
    ("real", lambda x: getattr(5, x), lambda x: getattr(5, str(x))),
    ("ff", lambda x: int(x, 16), lambda x: int(str(x), 16)),
    ("a", lambda x: io.StringIO().write(x), lambda x: io.StringIO().write(str(x))),
    (5, json.dumps, lambda x: json.dumps(int(x))),
    (None, lambda x: json.dumps({"a": [x]}), lambda x: json.dumps({"a": [copy.copy(x)]})),
    (5, decimal.Decimal, lambda x: decimal.Decimal(int(x))),
    (5, lambda x: timedelta(seconds=x), lambda x: timedelta(seconds=int(x))),
    (0.0, time.sleep, lambda x: time.sleep(float(x))),
    pytest.param(3, lambda x: pow(2, x, 5), lambda x: pow(2, int(x), 5), marks=before_314),
    (slice(1), lambda x: "abc"[x], lambda x: "abc"[copy.copy(x)]),
    (None, lambda x: "abc"[x:], lambda x: "abc"[copy.copy(x) :]),
    (".", os.path.isdir, lambda x: os.path.isdir(os.fspath(x))),
    (".", lambda x: os.stat(x).st_mode, lambda x: os.stat(os.fspath(x)).st_mode),
    pytest.param(b"a", memoryview, lambda x: memoryview(bytes(x)), marks=before_312),
    pytest.param([1], bytearray, lambda x: bytearray(list(x)), marks=since_312),
    (KeyError(), use_raise, lambda x: use_raise(copy.copy(x))),
    (KeyError, use_except, lambda x: use_except(copy.copy(x))),
    (Point(1, 2), dataclasses.asdict, lambda x: dataclasses.asdict(copy.copy(x))),
    (Point(1, 2), dataclasses.astuple, lambda x: dataclasses.astuple(copy.copy(x))),
    (
        Point(1, 2),
        lambda x: dataclasses.replace(x, y=3),
        lambda x: dataclasses.replace(copy.copy(x), y=3),
    ),
    (2, lambda x: statistics.mean([x, x]), lambda x: statistics.mean(map(float, [x, x]))),
    (
        int,
        lambda x: issubclass(x, numbers.Number),
        lambda x: issubclass(copy.copy(x), numbers.Number),
    ),
]


@pytest.mark.parametrize(("value", "use", "remedy"), REFUSED)
def test_a_use_that_is_refused_has_a_remedy(value: Any, use: Use, remedy: Use) -> None:
    right = use(value)
    with pytest.raises(TypeError):
        use(result(value))
    assert remedy(result(value)) == right


def test_the_event_loop_takes_no_result_for_a_coroutine() -> None:
    coroutine = native()
    with pytest.raises(TypeError):
        asyncio.run(use_task(result(coroutine)))
    coroutine.close()


def test_paths_and_files_can_be_opened_by_a_result(tmp_path: Path) -> None:
    path = result(str(tmp_path / "a"))
    with open(path, "w") as stream:
        stream.write("b")
    assert Path(path).read_text() == "b"


def test_a_result_has_no_weak_references() -> None:
    with pytest.raises(TypeError, match=r"^cannot create weak reference to 'ResultProxy' object$"):
        weakref.ref(result(Point(1, 2)))


# The documentation


def test_the_examples_of_the_documentation_run() -> None:
    page = Path(__file__).parents[2] / "docs" / "proxies.md"
    failures, tried = doctest.testfile(str(page), module_relative=False)
    assert failures == 0
    assert tried > 20
