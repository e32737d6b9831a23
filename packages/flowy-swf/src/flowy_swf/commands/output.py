"""Printing: tables for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from flowy_swf.times import seconds


def show(text: str) -> None:
    """Print a text; whatever would do something to a terminal is escaped."""
    tame = "".join(
        each if each.isprintable() or each in "\n\t" else _escaped(each) for each in text
    )
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(tame.encode(encoding, "backslashreplace").decode(encoding))


def show_json(value: Any) -> None:
    """Print a value as JSON, at once; moments are in seconds since 1970, as on the wire."""
    print(json.dumps(value, indent=2, default=seconds), flush=True)


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = (f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        show("  ".join(cells).rstrip())


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
