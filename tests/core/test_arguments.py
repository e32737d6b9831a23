"""What arguments of commands stand for. That commands load modules is in the tests of commands."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import pytest

from flowy.arguments import duration, named_value, positive, value

_DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("17", 17),
        ('{"express": true}', {"express": True}),
        ('"17"', "17"),
        ("ship", "ship"),
        ("", ""),
        ("NaN", "NaN"),
        ("[-Infinity]", "[-Infinity]"),
        (_DEEP, _DEEP),
    ],
    ids=lambda each: repr(each)[:20],
)
def test_a_value_is_json_or_else_a_string(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_a_named_value_has_its_name_before_the_first_equals_sign() -> None:
    assert named_value("a=1=2") == ("a", "1=2")


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("1.5", 1.5), ("1e3", 1000.0)])
def test_a_duration_is_in_seconds(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (named_value, "a", "'a' is not of the form NAME=VALUE"),
        (named_value, "1=2", "'1=2' is not of the form NAME=VALUE"),
        (positive, "0", "'0' is no whole number above 0"),
        (positive, "-1", "'-1' is no whole number above 0"),
        (positive, "many", "'many' is no whole number above 0"),
        (duration, "-1", "'-1' is no number of seconds, 0 or more"),
        (duration, "nan", "'nan' is no number of seconds, 0 or more"),
        (duration, "inf", "'inf' is no number of seconds, 0 or more"),
        (duration, "long", "'long' is no number of seconds, 0 or more"),
    ],
)
def test_what_is_of_another_form_is_refused(
    kind: Callable[[str], object], text: str, message: str
) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        kind(text)
    assert str(caught.value) == message
