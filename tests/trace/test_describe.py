from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pytest

from flowy.serialization import JSON
from flowy_trace import describe
from flowy_trace.words import clip, count, listing, percent, seconds


class Colour(enum.Enum):
    RED = 1


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Pair(NamedTuple):
    one: int
    other: str


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        ([1, 2.5, "a"], "[1, 2.5, 'a']"),
        ({"a": {"b": []}}, "{'a': {'b': []}}"),
        ((1,), "(1,)"),
        ((1, 2), "(1, 2)"),
        (set(), "set()"),
        ({3}, "{3}"),
        (frozenset(), "frozenset()"),
        (frozenset({3}), "frozenset({3})"),
        ({1: "a", "b": 2}, "{1: 'a', 'b': 2}"),
        (b"\x00ab", r"b'\x00ab'"),
        (float("inf"), "inf"),
        (1j, "complex(0.0, 1.0)"),
        (Decimal("1.50"), "Decimal('1.50')"),
        (uuid.UUID(int=1), "UUID('00000000000000000000000000000001')"),
        (dt.date(2026, 1, 2), "date('2026-01-02')"),
        (dt.datetime(2026, 1, 2, 3, 4), "datetime('2026-01-02T03:04:00')"),
        (dt.datetime(2026, 1, 2, 3, 4, fold=1), "datetime('2026-01-02T03:04:00')"),
        (dt.time(3, 4), "time('03:04:00')"),
        (dt.timedelta(1, 2, 3), "timedelta(1, 2, 3)"),
        (Path("a/b"), "Path('a/b')"),
        (PurePosixPath("a/b"), "Path('a/b')"),
        (Colour.RED, "Colour.RED"),
        (Rights.READ | Rights.WRITE, "Rights(3)"),
        (Point(1, 2), "Point(x=1, y=2)"),
        (Pair(1, "b"), "Pair(one=1, other='b')"),
        ({" t": "no tuple"}, "{' t': 'no tuple'}"),
        ("tab\there \u202e", r"'tab\there \u202e'"),
        ("שלום", "'שלום'"),
    ],
)
def test_a_payload_is_shown_as_python_writes_its_value(value: Any, text: str) -> None:
    assert describe.result(JSON.dump_value(value)) == text


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ('[[2, "a"], {"key": [1]}]', "2, 'a', key=[1]"),
        ("[[], {}]", ""),
        ("", ""),
        ("no JSON", "no JSON"),
        ("[1, 2]", "[1, 2]"),
        ('{" td": 7}', "timedelta(7)"),
        (None, ""),
        (((1, "a"), {"key": Point(1, 2)}), "1, 'a', key=Point(x=1, y=2)"),
        (7, "7"),
    ],
)
def test_an_input_is_shown_as_the_arguments_of_a_call(payload: Any, text: str) -> None:
    found = describe.arguments(payload) if payload != '{" td": 7}' else describe.result(payload)
    assert found.removeprefix("[") == text.removeprefix("[")


@pytest.mark.parametrize("tag", ['{" dec": {}}', '{" nt": 3}', '{" e": [1, 2, 3]}', '{" b": 1}'])
def test_what_only_looks_like_a_tag_is_shown_as_what_it_is(tag: str) -> None:
    assert describe.result(tag)


def test_a_long_value_is_shown_by_its_beginning_and_its_length() -> None:
    text = describe.arguments(JSON.prepare_input(("x" * 1_000_000,), {})[0])
    assert text == '"' + "x" * 94 + "... (1,000,008 characters)"
    assert describe.result('"' + "y" * 300 + '"') == '"' + "y" * 94 + "... (302 characters)"


def test_a_value_that_is_no_json_is_shown_as_it_is() -> None:
    assert describe.result("{broken") == "{broken"
    assert describe.result("[" * 90) == "[" * 90


def test_an_object_with_a_broken_repr_is_shown_by_its_type() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    text = describe.of_object(Broken())
    assert text.startswith("<Broken instance at 0x") or text == (
        "<Broken, whose __repr__ raised RuntimeError>"
    )


def test_a_long_object_is_shown_in_short() -> None:
    assert len(describe.of_object(["x" * 1000] * 1000)) < 1200
    assert len(describe.arguments((("x" * 1000,) * 100, {}))) < 250


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb\u2066", "a\\u202eb\\u2066"),
        ("\ud800", "\\ud800"),
        ("a\nb\tc\rd", "a\nb\\tc\\rd"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, shown: str) -> None:
    assert describe.printable(text, keep="\n") == shown


def test_a_long_traceback_is_kept_by_its_end() -> None:
    assert describe.tail("a" * 10 + "the end", 7) == "(10 characters)…\nthe end"


def test_bytes_are_counted_where_a_page_must_stay_small() -> None:
    assert describe.shorten_bytes("abc", 12) == "abc"
    assert describe.shorten_bytes("€" * 10, 30) == "€" * 10
    assert describe.shorten_bytes("€" * 10, 10) == "€€€…"
    assert describe.shorten_bytes("€" * 10, 10, from_end=True) == "…€€€"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-1, "0 µs"),
        (0.00034, "340 µs"),
        (0.00534, "5.34 ms"),
        (0.25, "250 ms"),
        (2, "2.00 s"),
        (12.34, "12.3 s"),
        (59.97, "1 min 0 s"),
        (3700, "1 h 1 min"),
        (49 * 3600, "2 d 1 h"),
    ],
)
def test_time_is_written_with_its_unit(value: float, text: str) -> None:
    assert seconds(value) == text


def test_words() -> None:
    assert count(1, "call") == "1 call"
    assert count(2000, "retry", "retries") == "2,000 retries"
    assert [percent(1, 3), percent(0.001, 3), percent(0, 3), percent(1, 0)] == [
        "33 %",
        "< 1 %",
        "0 %",
        "0 %",
    ]
    assert [listing([]), listing(["a"]), listing(["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert clip("abcdef", 4) == "abc…"
