"""The page of the wire format: its examples are what the code writes, and its list is whole."""

from __future__ import annotations

import enum
import re
import sys
import types
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.docs.manual import REFERENCE

import flowy
from flowy import _json_reader, _scalars
from flowy.events import CallId
from flowy.serialization import JSON
from flowy_swf import decisions, history, payloads

PAGE = (REFERENCE / "wire-format.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| [^|]+ \| `(.+?)` \| `(\{.+?\})` \|$", PAGE, re.MULTILINE)

#: what the values of the table are made of
NAMES: dict[str, Any] = {
    "CallId": CallId,
    "Decimal": Decimal,
    "Path": Path,
    "PureWindowsPath": PureWindowsPath,
    "ZoneInfo": ZoneInfo,
    "date": date,
    "datetime": datetime,
    "flowy": flowy,
    "time": time,
    "timedelta": timedelta,
    "timezone": timezone,
    "uuid": uuid,
}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    class Access(enum.Flag):
        READ = 1
        WRITE = 2

    module = types.ModuleType("wire_format")
    module.Access = Access  # type: ignore[attr-defined]
    Access.__module__, Access.__qualname__ = "wire_format", "Access"
    monkeypatch.setitem(sys.modules, "wire_format", module)
    return {**NAMES, "Access": Access}


@pytest.mark.parametrize(("value", "text"), ROWS)
def test_a_value_is_written_as_the_table_says(value: str, text: str, names: dict[str, Any]) -> None:
    made = eval(value.replace("\\|", "|"), names)
    written = JSON.dump_value(made)
    beginning, shortened, end = text.partition("...")
    if shortened:
        assert (written[: len(beginning)], written[-len(end) :]) == (beginning, end)
    else:
        assert written == text
    loaded = JSON.load_value(written)
    assert (type(loaded), loaded) == (type(made), made)


def test_the_table_has_every_tag() -> None:
    known = {*_json_reader._TAGS, *_scalars.TAGS}
    assert {text.split('"')[1] for _, text in ROWS} == known
    for packed in (payloads._COMPRESSED, payloads._STORED):
        assert f"`{packed[1:].rstrip(': ')}`" in PAGE


def test_the_ids_on_amazon_swf_are_those_of_the_table() -> None:
    call = CallId("square", 2, 1)
    assert decisions.delay_timer(call, 3)["startTimerDecisionAttributes"]["timerId"] == (
        "square-2-1:t"
    )
    assert decisions.again_timer(17, 0)["startTimerDecisionAttributes"]["timerId"] == "again-17"
    assert re.fullmatch(
        r"shop-[0-9a-f]{16}:order-0-0", decisions.child_id("shop", "run", CallId("order", 0, 0))
    )
    for shown in ("square-2-0", "square-2-1:t", "again-17", "order-0-0"):
        assert f"`{shown}`" in PAGE
    assert history.NO_INPUT in PAGE
