"""Every special method of Python's data model: what a result does with it, or why it does nothing.

`FORWARDED`, `ATTRIBUTES` and `NOT_FORWARDED` together are the table; the last tests of this module
compare it with the types of the running Python.
"""

from __future__ import annotations

import copy
import importlib
import math
import operator
import os
import pickle
import re
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, ClassVar, NamedTuple, NoReturn

import pytest

from flowy.result import ResultProxy


class Finished:
    finished = True

    def __init__(self, value: Any) -> None:
        self._value = value

    def value(self) -> Any:
        return self._value

    def describe(self) -> str:
        raise AssertionError("only a pending result needs its description")


class Failed:
    finished = True

    def __init__(self, error: Exception) -> None:
        self._error = error

    def value(self) -> Any:
        raise self._error

    def describe(self) -> str:
        raise AssertionError("only a pending result needs its description")


class Stopped(BaseException):
    """The workflow code stopped on a pending result."""


class Pending:
    finished = False

    def __init__(self) -> None:
        self.asked = 0

    def value(self) -> Any:
        self.asked += 1
        raise Stopped

    def describe(self) -> str:
        return "square-0"


class Refusing:
    """A value with which every operation fails, also those that `object` has."""

    __slots__ = ()

    def _refuse(self, *args: Any) -> NoReturn:
        raise ValueError("refused")  # not TypeError, which some operations replace by their own

    __bool__ = __delattr__ = __dir__ = __eq__ = __format__ = __hash__ = __length_hint__ = _refuse
    __ne__ = __reduce_ex__ = __repr__ = __setattr__ = __sizeof__ = __str__ = _refuse


class Settable:
    def __init__(self, color: str = "red") -> None:
        self.color = color


class Matrix(NamedTuple):
    """Something that answers `@` in all three forms."""

    name: str

    def __matmul__(self, other: Any) -> str:
        return f"{self.name} @ {other!r}"

    def __rmatmul__(self, other: Any) -> str:
        return f"{other!r} @ {self.name}"

    def __imatmul__(self, other: Any) -> Matrix:
        return Matrix(f"{self.name} @= {other!r}")


class Opened:
    """A context manager, plain and asynchronous, which keeps count and swallows KeyError."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def __enter__(self) -> list[str]:
        self.log.append("enter")
        return self.log

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> bool:
        self.log.append("exit")
        return kind is KeyError

    async def __aenter__(self) -> list[str]:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, *rest: Any) -> bool:
        return self.__exit__(kind, *rest)


class Awaitable:
    def __await__(self) -> Generator[Any, Any, int]:
        yield
        return 5


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


async def numbers() -> AsyncIterator[int]:
    for number in range(3):
        yield number


def do_sizeof(x: Any) -> Any:
    kind: Any = type(x)
    return kind.__sizeof__(x)


def do_await(x: Any) -> Any:
    async def main() -> Any:
        return await x

    return finish(main())


def do_anext(x: Any) -> Any:
    async def main() -> Any:
        return await anext(x)

    return finish(main())


def do_aiter(x: Any) -> Any:
    iterator = aiter(x)  # here, because `async for` has a message of its own

    async def main() -> Any:
        return [number async for number in iterator]

    return finish(main())


def do_with(x: Any) -> Any:
    with x as log:
        raise KeyError
    return log


def do_async_with(x: Any) -> Any:
    async def main() -> Any:
        async with x as log:
            raise KeyError
        return log

    return finish(main())


def do_exit(x: Any) -> Any:
    return type(x).__exit__(x, None, None, None)


def do_async_exit(x: Any) -> Any:
    return finish(type(x).__aexit__(x, None, None, None))


def do_set_attribute(x: Any) -> Any:
    x.color = "blue"
    return x.color


def do_delete_attribute(x: Any) -> Any:
    del x.color
    return x.__dict__


def do_set_item(x: Any) -> Any:
    x[1:2] = [9]
    return x[:]


def do_delete_item(x: Any) -> Any:
    del x[0]
    return x[:]


def do_subclass(x: Any) -> Any:
    class Derived(x):  # type: ignore[misc]
        pass

    return Derived.__mro__[1:]


def do_pickle(x: Any) -> Any:
    return [pickle.loads(pickle.dumps(x, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)]


class Case(NamedTuple):
    name: str
    make: Callable[[], Any]
    operation: Callable[[Any], Any]
    since: tuple[int, int] = (3, 10)


def unary(name: str, value: Any, operation: Callable[[Any], Any]) -> Case:
    return Case(f"__{name}__", lambda: copy.copy(value), operation)


def arithmetic(name: str, operator_name: str, value: Any, other: Any) -> list[Case]:
    plain = getattr(operator, f"__{operator_name}__")
    in_place = getattr(operator, f"__i{operator_name}__")
    return [
        unary(name, value, lambda x: plain(x, other)),
        unary(f"r{name}", value, lambda x: plain(other, x)),
        unary(f"i{name}", value, lambda x: in_place(x, other)),
    ]


FORWARDED: list[Case] = [
    # representation
    unary("repr", "a", repr),
    unary("str", Fraction(1, 2), str),
    unary("format", 5, lambda x: f"{x:03}"),
    unary("format", 5, lambda x: "{}".format(x)),  # noqa: UP032 - another road to it
    unary("bytes", bytearray(b"a"), bytes),
    unary("hash", 5, hash),
    unary("bool", [], bool),
    unary("sizeof", 2**100, do_sizeof),
    unary("sizeof", int, do_sizeof),
    unary("dir", 5, dir),
    unary("fspath", PurePosixPath("a"), os.fspath),
    unary("fspath", "a", os.fspath),
    # attributes
    unary("getattribute", 5j, lambda x: x.imag),
    unary("getattribute", 5, lambda x: x.color),
    Case("__setattr__", Settable, do_set_attribute),
    Case("__delattr__", Settable, do_delete_attribute),
    # comparison
    unary("lt", 5, lambda x: x < 6),
    unary("le", 5, lambda x: x <= 5),
    unary("eq", 5, lambda x: x == 5.0),
    unary("ne", 5, lambda x: x != 5.0),
    unary("gt", 5, lambda x: x > 6),
    unary("ge", 5, lambda x: x >= 5),
    # arithmetic
    *arithmetic("add", "add", 5, 0.5),
    *arithmetic("add", "add", [1], [2]),
    *arithmetic("add", "add", "a", "b"),
    *arithmetic("sub", "sub", {1, 2}, {2, 3}),
    *arithmetic("mul", "mul", 5, 3),
    *arithmetic("mul", "mul", 3, "ab"),
    *arithmetic("matmul", "matmul", Matrix("m"), 3),
    *arithmetic("truediv", "truediv", 5, 3),
    *arithmetic("floordiv", "floordiv", 5, 3),
    *arithmetic("mod", "mod", 5, 3),
    *arithmetic("pow", "pow", 5, 3),
    *arithmetic("lshift", "lshift", 5, 3),
    *arithmetic("rshift", "rshift", 5, 3),
    *arithmetic("and", "and", {1, 2}, {2, 3}),
    *arithmetic("or", "or", {"a": 1}, {"b": 2}),
    *arithmetic("xor", "xor", 5, 3),
    unary("divmod", 7, lambda x: divmod(x, 2)),
    unary("rdivmod", 2, lambda x: divmod(7, x)),
    unary("pow", 2, lambda x: pow(x, 3, 5)),
    unary("pow", 2, lambda x: pow(x, 3, None)),
    unary("neg", 5, operator.neg),
    unary("pos", -5, operator.pos),
    unary("abs", -5, abs),
    unary("invert", 5, operator.invert),
    # conversion to numbers
    unary("int", "42", int),
    unary("int", 4.2, int),
    unary("float", "4.2", float),
    unary("complex", "4j", complex),
    unary("index", 2, operator.index),
    unary("round", 2.567, round),
    unary("round", 2.567, lambda x: round(x, 1)),
    unary("trunc", -2.5, math.trunc),
    unary("floor", -2.5, math.floor),
    unary("ceil", -2.5, math.ceil),
    # containers and iterators
    unary("len", [1, 2], len),
    Case("__length_hint__", lambda: iter([1, 2]), lambda x: operator.length_hint(x, 7)),
    Case("__length_hint__", lambda: (n for n in "ab"), lambda x: operator.length_hint(x, 7)),
    unary("getitem", [1, 2], lambda x: x[-1]),
    unary("getitem", [1, 2], lambda x: x[5]),
    unary("getitem", list, lambda x: x[int]),
    unary("setitem", [1, 2], do_set_item),
    unary("delitem", [1, 2], do_delete_item),
    unary("contains", "ab", lambda x: "b" in x),
    unary("iter", [1, 2], list),
    Case("__next__", lambda: iter([1, 2]), next),
    Case("__next__", lambda: iter([]), next),
    unary("reversed", [1, 2], lambda x: list(reversed(x))),
    # calls, contexts and coroutines
    unary("call", dict, lambda x: x([("a", 1)], self=2)),
    Case("__enter__", Opened, do_with),
    Case("__exit__", Opened, do_exit),
    Case("__aenter__", Opened, do_async_with),
    Case("__aexit__", Opened, do_async_exit),
    Case("__await__", Awaitable, do_await),
    Case("__aiter__", numbers, do_aiter),
    Case("__anext__", numbers, do_anext),
    # classes as values
    unary("instancecheck", (int, str), lambda x: isinstance("a", x)),
    unary("subclasscheck", int, lambda x: issubclass(bool, x)),
    unary("mro_entries", int, do_subclass),
    unary("mro_entries", list[int], do_subclass),
    unary("mro_entries", 5, do_subclass),
    # copies and buffers
    unary("reduce_ex", [1], do_pickle),
    unary("reduce_ex", len, do_pickle),
    Case("__reduce_ex__", lambda: lambda: 1, do_pickle),
    unary("copy", [1], copy.copy),
    unary("deepcopy", [[1]], copy.deepcopy),
    unary("deepcopy", Fraction, copy.deepcopy),  # a class that has one for its instances
    Case("__buffer__", lambda: b"ab", lambda x: memoryview(x).tolist(), since=(3, 12)),
]

CASES = [case for case in FORWARDED if sys.version_info >= case.since]
IDS = [case.name for case in CASES]

#: Looked up as an attribute, so that the value's own is found.
ATTRIBUTES = {
    "__alloc__",
    "__ctypes_from_outparam__",
    "__getformat__",
    "__getinitargs__",
    "__getitem_inner__",
    "__getnewargs__",
    "__getstate__",
    "__new_member__",
    "__prepare__",
    "__reduce__",  # pickle and copy ask for __reduce_ex__ first
    "__replace__",
    "__setformat__",
    "__setstate__",
    "__signature__",
    "__subclasses__",
    "__typing_prepare_subst__",
    "__typing_subst__",
}

DESCRIPTOR = "a result in a class body is an attribute like any other"
NOT_FORWARDED = {
    "__get__": DESCRIPTOR,
    "__set__": DESCRIPTOR,
    "__delete__": DESCRIPTOR,
    "__set_name__": DESCRIPTOR,
    "__new__": "making a proxy is not making a value",
    "__init__": "making a proxy is not making a value",
    "__del__": "the end of a proxy is not the end of the value",
    "__getattr__": "__getattribute__ answers for every attribute",
    "__class_getitem__": "__getitem__ covers it: result[int]",
    "__init_subclass__": "a subclass of a result derives from the value, by __mro_entries__",
    "__subclasshook__": "the value's own is asked, by __subclasscheck__",
    "__missing__": "the value's own __getitem__ calls it",
    "__release_buffer__": "the memoryview that __buffer__ returns releases the value's buffer",
}


def outcome(operation: Callable[[Any], Any], x: Any) -> tuple[Any, ...]:
    """Return all that can be compared of what an operation does."""
    try:
        result = operation(x)
    except Exception as exc:
        return "raised", type(exc), str(exc)
    return "returned", type(result), result


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_finished_result_does_what_its_value_does(case: Case) -> None:
    expected = outcome(case.operation, case.make())
    assert outcome(case.operation, ResultProxy(Finished(case.make()))) == expected


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_finished_result_refuses_what_its_value_refuses(case: Case) -> None:
    expected = outcome(case.operation, Refusing())
    assert expected[0] == "raised"
    assert outcome(case.operation, ResultProxy(Finished(Refusing()))) == expected


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_failed_result_raises_its_error(case: Case) -> None:
    error = ZeroDivisionError("division by zero")
    with pytest.raises(ZeroDivisionError) as raised:
        case.operation(ResultProxy(Failed(error)))
    assert raised.value is error


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name != "__repr__"], ids=lambda case: case.name
)
def test_a_pending_result_stops_the_code(case: Case) -> None:
    source = Pending()
    with pytest.raises(Stopped):
        case.operation(ResultProxy(source))
    assert source.asked == 1


TWO_RESULTS: list[tuple[str, Callable[[Any, Any], Any], Any, Any]] = [
    ("p + q", lambda p, q: p + q, [1], [2]),
    ("p + q", lambda p, q: p + q, "a", 1),
    ("p - q", lambda p, q: p - q, 1, 0.5),
    ("p % q", lambda p, q: p % q, "%s and %s", ("a", "b")),
    ("p | q", lambda p, q: p | q, {1}, {2}),
    ("p ** q", lambda p, q: p**q, 2, 3),
    ("pow(p, q, q)", lambda p, q: pow(p, q, q), 2, 3),
    ("divmod(p, q)", divmod, 7, 2),
    ("round(p, q)", round, 2.567, 1),
    ("round(p, q)", round, 2.567, None),
    ("p == q", lambda p, q: p == q, 1, 1.0),
    ("p != q", lambda p, q: p != q, (1,), [1]),
    ("p < q", lambda p, q: p < q, "a", "b"),
    ("p < q", lambda p, q: p < q, "a", 1),
    ("q in p", lambda p, q: q in p, "ab", "b"),
    ("p[q]", lambda p, q: p[q], [1, 2], slice(1, None)),
    ("p[q]", lambda p, q: p[q], {"a": 1}, "a"),
    ("p(q)", lambda p, q: p(q), len, "abc"),
    ("isinstance(p, q)", isinstance, True, int),
    ("issubclass(p, q)", issubclass, int, int),
    ("sum([p, q])", lambda p, q: sum([p, q]), 1, 2.5),
    ("{p, q}", lambda p, q: len({p, q}), 1, 1),
    ("f(*p, **q)", lambda p, q: dict(*p, **q), [[("a", 1)]], {"b": 2}),
]


@pytest.mark.parametrize(
    ("operation", "left", "right"),
    [row[1:] for row in TWO_RESULTS],
    ids=[row[0] for row in TWO_RESULTS],
)
def test_two_results_do_what_their_values_do(
    operation: Callable[[Any, Any], Any], left: Any, right: Any
) -> None:
    expected = outcome(lambda x: operation(x, right), left)
    p, q = ResultProxy(Finished(left)), ResultProxy(Finished(right))
    assert outcome(lambda x: operation(x, q), p) == expected


@pytest.mark.parametrize(("name", "value"), [("add", [1]), ("or", {1}), ("or", {1: 1})])
def test_in_place_operators_change_the_value_and_give_it_plain(name: str, value: Any) -> None:
    other = type(value)(value)
    p: Any = ResultProxy(Finished(value))
    assert getattr(operator, f"__i{name}__")(p, ResultProxy(Finished(other))) is value


def test_assigning_by_a_key_that_is_a_result_uses_its_value() -> None:
    items = [1, 2, 3]
    proxy: Any = ResultProxy(Finished(items))
    proxy[ResultProxy(Finished(slice(0, 2)))] = [9]
    del proxy[ResultProxy(Finished(slice(1, 2)))]
    assert items == [9]


def test_reflected_operators_of_two_results_use_both_values() -> None:
    p, q = ResultProxy(Finished(2)), ResultProxy(Finished(5))
    reflected: Any = ResultProxy
    assert reflected.__rsub__(p, q) == 3
    assert reflected.__rpow__(p, q, ResultProxy(Finished(7))) == 4


def test_every_forwarding_method_has_a_case() -> None:
    special = {name for name, member in vars(ResultProxy).items() if callable(member)}
    assert special - {"__init__"} == {case.name for case in FORWARDED}


MODULES = [
    *("abc", "argparse", "array", "ast", "asyncio", "builtins", "collections"),
    *("collections.abc", "concurrent.futures", "configparser", "contextlib", "contextvars"),
    *("copy", "ctypes", "dataclasses", "datetime", "decimal", "email.message", "enum"),
    *("fractions", "functools", "graphlib", "hashlib", "inspect", "io", "ipaddress"),
    *("itertools", "logging", "mmap", "numbers", "operator", "os", "pathlib", "queue"),
    *("random", "re", "select", "selectors", "shelve", "socket", "sqlite3", "statistics"),
    *("string", "struct", "tempfile", "threading", "types", "typing", "unittest.mock", "uuid"),
    *("weakref", "xml.etree.ElementTree", "zipfile", "zoneinfo"),
]


def special_methods(types: Iterator[type]) -> set[str]:
    classes = {base for t in types for kind in (t, type(t)) for base in kind.__mro__}
    return {
        name
        for cls in classes
        for name, member in vars(cls).items()
        if re.fullmatch(r"__[a-z]\w*__", name)
        and (callable(member) or isinstance(member, (classmethod, staticmethod)))
        and not isinstance(member, type)
    }


def test_the_table_forgets_no_special_method_of_this_python() -> None:
    found = special_methods(
        member
        for name in MODULES
        for member in list(vars(importlib.import_module(name)).values())
        if isinstance(member, type)
    )
    table = {case.name for case in FORWARDED} | ATTRIBUTES | NOT_FORWARDED.keys()
    assert len(found) > 100
    assert found - table == set()


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
def test_what_is_looked_up_as_an_attribute_is_the_value_s(name: str) -> None:
    class Value:
        answers: ClassVar[dict[str, object]] = {}

        def __getattribute__(self, wanted: str) -> object:
            return Value.answers.setdefault(wanted, object())

    assert getattr(ResultProxy(Finished(Value())), name) is Value.answers[name]


@pytest.mark.parametrize("name", sorted(NOT_FORWARDED.keys() - {"__init__"}))
def test_what_is_not_forwarded_is_not_defined(name: str) -> None:
    assert name not in vars(ResultProxy)
