"""A result is its value wherever Python lets it, and what is said of the rest is true."""

from __future__ import annotations

import collections.abc
import contextlib
import copy
import dataclasses
import decimal
import functools
import inspect
import json
import math
import numbers
import os
import pickle
import pickletools
import statistics
import subprocess
import sys
import types
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from flowy.result import ResultProxy, Source, is_result_proxy, source_of, wait


class Finished:
    finished = True

    def __init__(self, value: Any) -> None:
        self._value = value

    def value(self) -> Any:
        return self._value

    def describe(self) -> str:
        return "square-0"


class Failed(Finished):
    def value(self) -> Any:
        raise self._value


class Stopped(BaseException):
    """The workflow code stopped on a pending result."""


class Pending(Finished):
    finished = False

    def __init__(self) -> None:
        super().__init__(Stopped())

    def value(self) -> Any:
        raise self._value


def result(value: Any) -> Any:
    return ResultProxy(Finished(value))


def failed(error: BaseException) -> Any:
    return ResultProxy(Failed(error))


def pending() -> Any:
    return ResultProxy(Pending())


@dataclasses.dataclass
class Point:
    x: int
    y: int


# What does not use the value


@pytest.mark.parametrize("source", [Finished(5), Failed(ValueError()), Pending()])
def test_looking_at_a_result_from_outside_forces_nothing(source: Source) -> None:
    proxy = ResultProxy(source)
    assert source_of(proxy) is source
    assert is_result_proxy(proxy)
    assert isinstance(proxy, ResultProxy)
    assert type(proxy) is ResultProxy
    assert id(proxy) == id(proxy)


@pytest.mark.parametrize("x", [5, None, ResultProxy, Finished(5)])
def test_anything_else_is_no_result(x: object) -> None:
    assert not is_result_proxy(x)


def test_the_repr_of_a_pending_result_says_so_and_forces_nothing() -> None:
    assert repr(pending()) == "<pending result of square-0>"
    assert f"{[pending()]}" == "[<pending result of square-0>]"


def test_the_repr_of_a_finished_result_is_its_value_s() -> None:
    assert repr(result("a")) == "'a'"


def test_the_repr_of_a_failed_result_raises_its_error() -> None:
    with pytest.raises(KeyError):
        repr(failed(KeyError("a")))


# wait


def test_waiting_for_a_finished_result_returns_nothing() -> None:
    proxy = result(5)
    outcome: object = wait(proxy)  # type: ignore[func-returns-value]
    assert outcome is None
    assert is_result_proxy(proxy)


def test_waiting_for_a_failed_result_raises_its_error() -> None:
    error = ValueError("no")
    with pytest.raises(ValueError, match=r"^no$") as raised:
        wait(failed(error))
    assert raised.value is error


def test_waiting_for_a_pending_result_stops_the_code() -> None:
    with pytest.raises(Stopped):
        wait(pending())


def test_waiting_for_anything_else_does_not_look_at_it() -> None:
    class Untouchable:
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

    wait(Untouchable())


# The proxy itself


def test_of_two_failed_operands_the_left_one_is_raised() -> None:
    with pytest.raises(LookupError, match="left"):
        failed(LookupError("left")) + failed(LookupError("right"))


def test_a_result_is_one_slot() -> None:
    assert object.__sizeof__(result(5)) == object.__sizeof__(object()) + 8
    with pytest.raises(AttributeError):
        object.__getattribute__(result(5), "__dict__")


def test_attributes_are_those_of_the_value_even_by_the_proxy_s_own_names() -> None:
    value = types.SimpleNamespace()
    proxy = result(value)
    proxy._source = 1
    proxy.value = 2
    assert value == types.SimpleNamespace(_source=1, value=2)
    assert (proxy._source, proxy.value) == (1, 2)


def test_a_proxy_can_only_be_made_of_a_source() -> None:
    with pytest.raises(TypeError) as raised:
        type(result(5))(5)
    assert str(raised.value) == (
        "a result stands for a task, not for 5; some code probably took the type of a result for "
        "that of its value: give it the plain value, copy.copy(result)"
    )


# Abstract base classes are answered by the value alone

ABSTRACT = [
    *(getattr(collections.abc, name) for name in collections.abc.__all__ if name != "ByteString"),
    *(numbers.Number, numbers.Complex, numbers.Real, numbers.Rational, numbers.Integral),
    *(contextlib.AbstractContextManager, contextlib.AbstractAsyncContextManager, os.PathLike),
]


async def numbers_up() -> AsyncIterator[int]:
    for number in range(3):
        yield number


async def native() -> int:
    return 9


#: A coroutine that needs no awaiting, because it has ended.
ENDED = native()
ENDED.close()

VALUES = [
    *(5, 2.5, 5j, None, True, "a", b"a", [1], (1,), {1}, {1: 2}, frozenset(), range(3), iter([1])),
    *(
        int,
        len,
        Point(1, 2),
        Path("a"),
        Fraction(1, 2),
        decimal.Decimal(1),
        object(),
        {1: 2}.keys(),
    ),
    *({}.items(), {}.values(), ENDED),
    *(contextlib.nullcontext(), (n for n in "a"), numbers_up(), bytearray(), memoryview(b"")),
]


@pytest.mark.parametrize("abstract", ABSTRACT)
def test_isinstance_of_an_abstract_class_is_answered_by_the_value(abstract: type) -> None:
    expected = [isinstance(value, abstract) for value in VALUES]
    assert set(expected) == {True, False}
    assert [isinstance(result(value), abstract) for value in VALUES] == expected
    assert not issubclass(ResultProxy, abstract)


def test_isinstance_of_a_pending_result_stops_the_code() -> None:
    with pytest.raises(Stopped):
        isinstance(pending(), int)
    with pytest.raises(Stopped):
        isinstance(pending(), collections.abc.Iterable)


# Uses beyond the special methods


def use_unpacking(x: Any) -> Any:
    first, *rest = x
    return first, rest


def use_yield_from(x: Any) -> Any:
    def generator() -> Iterator[Any]:
        yield from x

    return list(generator())


def use_match(x: Any) -> Any:
    match x:
        case Point(a, b):
            return "Point", a, b
        case int():
            return "int"
        case "a":
            return "the letter a"
        case _:
            return "something else"


@functools.singledispatch
def dispatched(x: object) -> str:
    return "object"


@dispatched.register
def _(x: int) -> str:
    return "int"


@dispatched.register
def _(x: collections.abc.Iterable) -> str:  # type: ignore[type-arg]
    return "iterable"


USES: list[tuple[str, Any, Callable[[Any], Any]]] = [
    ("6 < p", 5, lambda p: p > 6),
    ("6 >= p", 5, lambda p: p <= 6),
    ("5 == p", 5, lambda p: 5 == p),  # noqa: SIM300
    ("string[p]", 1, lambda p: "abc"[p]),
    ("string[:p]", 1, lambda p: "abc"[:p]),
    ("mapping[p]", 1, lambda p: {1: "a"}[p]),
    ("[*p]", [1, 2], lambda p: [*p]),
    ("{**p}", {"a": 1}, lambda p: {**p}),
    ("first, *rest = p", "abc", use_unpacking),
    ("yield from p", (1, 2), use_yield_from),
    ("print style %", 3, lambda p: "%05.1f" % p),  # noqa: UP031
    ("named %", {"a": 1}, lambda p: "%(a)s" % p),  # noqa: UP031
    ("f'{p!r}'", "a", lambda p: f"{p!r}"),
    ("f'{p:>{p}}'", 3, lambda p: f"{p:>{p}}"),
    ("case int()", 5, use_match),
    ("case 'a'", "a", use_match),
    ("case Point(a, b)", Point(1, 2), use_match),
    ("case _", 5j, use_match),
    ("math.sqrt(p)", 16, math.sqrt),
    ("math.gcd(p, 6)", 4, lambda p: math.gcd(p, 6)),
    ("range(p)", 3, range),
    ("sum(p)", [1, 2.5], sum),
    ("sum([p, 1])", 2.5, lambda p: sum([p, 1])),
    ("max(p, 3) is p", 5, lambda p: max(p, 3) is p),
    ("sorted([p, 1])", 0, lambda p: sorted([p, 1])[1]),
    ("statistics.mean(p)", [1, 2], statistics.mean),
    ("statistics.fmean([p, 2])", 3, lambda p: statistics.fmean([p, 2])),
    ("statistics.median([p, 2])", 3, lambda p: statistics.median([p, 2])),
    ("json.dumps(str(p))", 5, lambda p: json.dumps(str(p))),
    ("dict(p)", [("a", 1)], dict),
    ("date + p", timedelta(1), lambda p: date(2000, 1, 1) + p),
    ("date < p", date(2000, 1, 2), lambda p: date(2000, 1, 1) < p),
    ("Decimal + p", 2, lambda p: decimal.Decimal("1.5") + p),
    ("Fraction(p)", 2, Fraction),
    ("Path(p)", "a", PurePosixPath),
    ("Path / p", "a", lambda p: PurePosixPath("b") / p),
    ("singledispatch(p)", 5, dispatched),
    ("singledispatch(p)", [], dispatched),
    ("singledispatch(p)", 5j, dispatched),
    ("inspect.signature(p)", use_match, inspect.signature),
    ("inspect.isfunction(p)", use_match, inspect.isfunction),
    ("inspect.isclass(p)", int, inspect.isclass),
    ("inspect.isawaitable(p)", 5, inspect.isawaitable),
    ("dataclasses.fields(p)", Point(1, 2), lambda p: [f.name for f in dataclasses.fields(p)]),
    ("dataclass == p", Point(1, 2), lambda p: Point(1, 2) == p),
    ("asdict(holder)", 5, lambda p: type(dataclasses.asdict(Point(p, 1))["x"])),
    ("vars(p)", Point(1, 2), vars),
    ("hasattr(p, name)", 5, lambda p: (hasattr(p, "imag"), hasattr(p, "_source"))),
    ("p.__class__", 5, lambda p: p.__class__),
    ("p.__doc__", 5, lambda p: p.__doc__),
    ("p.__module__", Point, lambda p: p.__module__),
]


@pytest.mark.parametrize(("value", "use"), [row[1:] for row in USES], ids=[row[0] for row in USES])
def test_python_uses_a_result_as_its_value(value: Any, use: Callable[[Any], Any]) -> None:
    assert use(result(value)) == use(value)


async def returned(awaitable: Any) -> Any:
    return await awaitable


async def collected(iterable: Any) -> Any:
    return [item async for item in iterable]


@types.coroutine
def generator_based() -> Generator[None, None, int]:
    yield
    return 8


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    while True:
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value


def test_coroutines_of_both_kinds_can_be_awaited() -> None:
    assert run(returned(result(generator_based()))) == 8
    assert run(returned(result(native()))) == 9


def test_an_asynchronous_iterator_can_be_iterated() -> None:
    assert run(collected(result(numbers_up()))) == [0, 1, 2]


def test_a_context_manager_without_an_exit_is_not_entered() -> None:
    class NoExit:
        def __enter__(self) -> None:
            raise AssertionError("entered")

    with pytest.raises((TypeError, AttributeError), match="__exit__"), result(NoExit()):
        raise AssertionError("entered")


def test_the_error_of_a_with_block_reaches_the_context_manager() -> None:
    with result(contextlib.suppress(KeyError)):
        raise KeyError("a")


def test_the_method_behind_buffers_gives_the_value_s_memory() -> None:
    value = bytearray(b"ab")
    # Called by name, because Python does so from 3.12 on only.
    with ResultProxy.__buffer__(result(value), 0) as view:
        assert view.obj is value


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python has __buffer__ from 3.12 on")
def test_a_buffer_is_the_value_s_memory_and_is_released() -> None:
    value = bytearray(b"ab")
    with memoryview(result(value)) as view:
        view[0] = ord("c")
        with pytest.raises(BufferError):
            value.append(0)
    value.append(ord("d"))
    assert value == b"cbd"


# Pickles and copies


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dumps", [pickle.dumps, pickle._dumps])  # type: ignore[attr-defined]
def test_a_pickle_holds_the_value_and_knows_nothing_of_flowy(
    dumps: Callable[[Any, int], bytes], protocol: int
) -> None:
    data = dumps({"result": result([1, "a"])}, protocol)
    loaded = pickle.loads(data)
    assert loaded == {"result": [1, "a"]}
    assert type(loaded["result"]) is list
    words = [argument for _, argument, _ in pickletools.genops(data) if isinstance(argument, str)]
    assert not any("flowy" in word for word in words)


def test_a_pickle_loads_without_flowy() -> None:
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer), 'flowy' in sys.modules)"
    process = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        input=pickle.dumps([result(5)]),
        capture_output=True,
        check=True,
    )
    assert process.stdout.split() == [b"[5]", b"False"]


def test_a_pickle_keeps_one_value_one() -> None:
    value = [1]
    first, second, plain = pickle.loads(pickle.dumps([result(value), result(value), value]))
    assert first is second is plain


def test_a_copy_is_a_copy_of_the_value_and_plain() -> None:
    value = [[1]]
    shallow, deep = copy.copy(result(value)), copy.deepcopy(result(value))
    assert (type(shallow), type(deep)) == (list, list)
    assert shallow[0] is value[0]
    assert deep == value
    assert deep[0] is not value[0]


def test_a_copy_of_a_result_that_is_none_is_none() -> None:
    assert copy.copy(result(None)) is None


def test_a_deep_copy_keeps_one_value_one() -> None:
    value = [1]
    first, second = copy.deepcopy([result(value), value])
    assert first is second
