"""The codecs, case by case; the laws are in `test_serialization_properties.py`."""

from __future__ import annotations

import collections
import datetime as dt
import enum
import io
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import types
import uuid
from collections.abc import Callable, Iterator
from dataclasses import InitVar, dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from flowy.result import ResultProxy
from flowy.serialization import JSON, OBJECT, Codec, JSONCodec, ObjectCodec, PayloadError, codec

HERE = __name__
REMEDY = 'give its class a __json__ method, or use codec="object" on the local engine'


class Source:
    """A task that somebody else ran, or will."""

    __hash__ = None  # type: ignore[assignment]  # a codec must not need it

    def __init__(self, value: Any = None, codec: Codec | None = JSON) -> None:
        self.finished = False
        self.forced = 0
        self.codec = codec
        self.payload: Any = None
        if value is not None:
            self.finish(value)

    def finish(self, value: Any) -> None:
        self.finished = True
        self.result = value
        if self.codec is not None:
            self.payload = self.codec.dump_value(value)

    def value(self) -> Any:
        assert self.finished, "a pending source was forced"
        self.forced += 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def describe(self) -> str:
        return "task-0"


def proxy(value: Any) -> Any:
    return ResultProxy(Source(value))


class Color(enum.Enum):
    RED = "red"
    BLUE = object()  # a value without a form in JSON
    AZURE = BLUE


class Level(enum.IntEnum):
    LOW = 1


class Permission(enum.Flag):
    READ = 1
    WRITE = 2
    ALL = 3


class Mode(enum.IntFlag):
    A = 1
    B = 4


@dataclass
class Point:
    x: Any
    y: Any = 0
    kind: ClassVar[str] = "point"


class Outer:
    @dataclass(frozen=True)
    class Inner:
        z: Any


@dataclass(frozen=True)
class Point3(Point.__mro__[1]):  # type: ignore[misc]  # object, spelt so that it is no bare name
    z: Any


@dataclass
class Labelled(Point):
    label: str = ""


@dataclass(frozen=True, slots=True)
class Slotted:
    x: Any
    y: Any


@dataclass
class Guarded:
    """Counts how often its own code runs."""

    a: Any
    scale: InitVar[int] = 2
    b: Any = field(init=False)
    unset: Any = field(init=False, repr=False, compare=False)
    ran: ClassVar[int] = 0

    def __post_init__(self, scale: int) -> None:
        Guarded.ran += 1
        self.b = self.a * scale

    def __setattr__(self, name: str, value: Any) -> None:
        Guarded.ran += 1
        object.__setattr__(self, name, value)


@dataclass(eq=False)
class ById:
    x: Any


@dataclass
class Record(dict[str, Any]):
    x: Any


class Pair(NamedTuple):
    first: Any
    second: Any


class Broken(Pair):
    """A named tuple that is longer than its fields."""

    def __new__(cls) -> Broken:
        return tuple.__new__(cls, (1, 2, 3))


class Mixed(Point, enum.Enum):
    ORIGIN = 0, 0


class Money:
    def __init__(self, amount: Any) -> None:
        self.amount = amount

    def __json__(self) -> Any:
        return {"amount": self.amount}


@dataclass
class JSONPoint:
    x: Any

    def __json__(self) -> Any:
        return ["point", self.x]


class Text(str):
    __slots__ = ()


class ShiftingZone(dt.tzinfo):
    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(hours=1 + (when is not None and when.fold))

    def dst(self, when: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(0)

    def tzname(self, when: dt.datetime | None) -> str:
        return "shifting"


INCOMPLETE = Point(1)
del INCOMPLETE.x
FIXED = dt.timezone(dt.timedelta(hours=-3, minutes=-30))
HUGE = 10**5000 + 7

FORMS: list[tuple[Any, str]] = [
    (None, "null"),
    (True, "true"),
    (False, "false"),
    (5, "5"),
    (-0.0, "-0.0"),
    (1e300, "1e+300"),
    (math.inf, '{" f": "inf"}'),
    (-math.inf, '{" f": "-inf"}'),
    (HUGE, f'{{" i": "{HUGE:#x}"}}'),
    (-HUGE, f'{{" i": "{-HUGE:#x}"}}'),
    ([HUGE, 1, 2, 3, 4, 5, 6], f'[{{" i": "{HUGE:#x}"}}, 1, 2, 3, 4, 5, 6]'),
    ("a\"\\\n\u20ac\U0001f600", r'"a\"\\\n\u20ac\ud83d\ude00"'),
    ("\udc80", r'"\udc80"'),
    (1.5 - 0.0j, '{" c": [1.5, -0.0]}'),
    (complex(1, math.inf), '{" c": [1.0, {" f": "inf"}]}'),
    (b"\x00\xff", '{" b": "AP8="}'),
    (uuid.UUID(int=10), '{" u": "0000000000000000000000000000000a"}'),
    (Decimal("1.50"), '{" dec": "1.50"}'),
    (Decimal("-Infinity"), '{" dec": "-Infinity"}'),
    (dt.date(2024, 2, 29), '{" date": "2024-02-29"}'),
    (dt.timedelta(-1, 2, 3), '{" td": [-1, 2, 3]}'),
    (dt.datetime(2024, 1, 2, 3, 4, 5, 6), '{" dt": "2024-01-02T03:04:05.000006"}'),
    (dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc), '{" dt": "2024-01-02T00:00:00+00:00"}'),
    (dt.datetime(2024, 1, 2, tzinfo=FIXED), '{" dt": "2024-01-02T00:00:00-03:30"}'),
    (dt.datetime(2024, 1, 2, fold=1), '{" dt": ["2024-01-02T00:00:00", 1, null]}'),
    (
        dt.datetime(2024, 1, 2, tzinfo=ZoneInfo("UTC"), fold=1),
        '{" dt": ["2024-01-02T00:00:00", 1, "UTC"]}',
    ),
    (dt.time(1, 2), '{" time": "01:02:00"}'),
    (dt.time(1, 2, tzinfo=ZoneInfo("UTC")), '{" time": ["01:02:00", 0, "UTC"]}'),
    (pathlib.Path("a/b"), '{" path": "a/b"}'),
    (pathlib.PurePosixPath("/a\\b"), r'{" path": ["PurePosixPath", "/a\\b"]}'),
    (pathlib.PureWindowsPath("c:\\a"), '{" path": ["PureWindowsPath", "c:/a"]}'),
    ([], "[]"),
    ([1, [2, "x"]], '[1, [2, "x"]]'),
    ([1, 2, 3, 4, 5, 6, 7], "[1, 2, 3, 4, 5, 6, 7]"),
    ([1, 2, 3, 4, 5, 6, ()], '[1, 2, 3, 4, 5, 6, {" t": []}]'),
    ({}, "{}"),
    ({"a": [1], "b": {}}, '{"a": [1], "b": {}}'),
    (dict.fromkeys("abcdef", 1), '{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}'),
    (
        {**dict.fromkeys("abcde", 1), "f": math.inf},
        '{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": {" f": "inf"}}',
    ),
    ({2: "b", 1: "a", "c": None}, '{" d": [[2, "b"], [1, "a"], ["c", null]]}'),
    ({(1, 2): {3: 4}}, '{" d": [[{" t": [1, 2]}, {" d": [[3, 4]]}]]}'),
    ({" u": "no uuid"}, '{" d": [[" u", "no uuid"]]}'),
    ({" d": [[1, 2]]}, '{" d": [[" d", [[1, 2]]]]}'),
    ({" x": 1}, '{" d": [[" x", 1]]}'),
    ({" u": 1, " b": 2}, '{" u": 1, " b": 2}'),
    ({"": 1}, '{"": 1}'),
    ((), '{" t": []}'),
    ((1, (2,)), '{" t": [1, {" t": [2]}]}'),
    (set(), '{" s": []}'),
    ({10, 9, "a"}, '{" s": ["a", 10, 9]}'),
    (frozenset([frozenset([2, 1])]), '{" fs": [{" fs": [1, 2]}]}'),
    (Color.RED, f'{{" e": ["{HERE}:Color", "RED"]}}'),
    (Color.AZURE, f'{{" e": ["{HERE}:Color", "BLUE"]}}'),
    (Level.LOW, f'{{" e": ["{HERE}:Level", "LOW"]}}'),
    (Permission.ALL, f'{{" e": ["{HERE}:Permission", "ALL"]}}'),
    (Permission(0), f'{{" e": ["{HERE}:Permission", 0]}}'),
    (Mode.A | Mode.B, f'{{" e": ["{HERE}:Mode", 5]}}'),
    (Mode(8), f'{{" e": ["{HERE}:Mode", 8]}}'),
    (Mixed.ORIGIN, f'{{" e": ["{HERE}:Mixed", "ORIGIN"]}}'),
    (Point(1, (2,)), f'{{" dc": ["{HERE}:Point", {{"x": 1, "y": {{" t": [2]}}}}]}}'),
    (Outer.Inner(None), f'{{" dc": ["{HERE}:Outer.Inner", {{"z": null}}]}}'),
    (Point3(Point(1)), f'{{" dc": ["{HERE}:Point3", '
        f'{{"z": {{" dc": ["{HERE}:Point", {{"x": 1, "y": 0}}]}}}}]}}'),
    (Labelled(1, 2, "a"), f'{{" dc": ["{HERE}:Labelled", {{"x": 1, "y": 2, "label": "a"}}]}}'),
    (Slotted([], {}), f'{{" dc": ["{HERE}:Slotted", {{"x": [], "y": {{}}}}]}}'),
    (Guarded(2), f'{{" dc": ["{HERE}:Guarded", {{"a": 2, "b": 4}}]}}'),
    (Pair(1, [2]), f'{{" nt": ["{HERE}:Pair", {{"first": 1, "second": [2]}}]}}'),
]
