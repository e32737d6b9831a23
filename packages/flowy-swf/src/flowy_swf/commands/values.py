"""Values on the command line: JSON, or else strings, as `flowy run` takes them."""

from __future__ import annotations

import argparse
import json
from typing import Any


def value(text: str) -> Any:
    """Return what a text stands for."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def named_value(text: str) -> tuple[str, Any]:
    """Return what `NAME=VALUE` stands for."""
    name, equals, given = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value(given)


def positive(text: str) -> int:
    """Return a whole number above 0."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def duration(text: str) -> float:
    """Return a number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, 0 or more")
    return seconds


def _no_constant(text: str) -> Any:
    # `NaN` and the like are no JSON, though Python reads them.
    raise ValueError(text)
