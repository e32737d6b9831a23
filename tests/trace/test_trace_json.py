from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowy_trace import Trace
from flowy_trace.trace_json import from_json, to_json

from . import runs
from .simulation import simulate


@pytest.mark.parametrize(
    "trace",
    [
        simulate(runs.shop(), "4711", {"apple": 10, "pear": 2}),
        simulate(runs.trouble()),
        simulate(runs.restarts()),
        simulate(runs.example(), 2, 10, until=1),
        Trace("nothing"),
    ],
    ids=["shop", "trouble", "restarts", "going on", "nothing"],
)
def test_a_trace_comes_back_from_json_as_it_was(trace: Trace, tmp_path: Path) -> None:
    assert from_json(to_json(trace)) == trace
    trace.save(tmp_path / "run.json")
    assert Trace.load(tmp_path / "run.json") == trace


def test_the_text_says_what_it_is_and_leaves_out_defaults() -> None:
    assert json.loads(to_json(simulate(runs.example(), 2, 10)))["executions"][0]["calls"][0] == {
        "name": "square",
        "number": 0,
        "arguments": "2",
        "result": "4",
        "attempts": [
            {
                "scheduled": 1767225600.0,
                "started": 1767225600.0,
                "ended": 1767225600.75,
                "worker": "worker-0",
                "outcome": "completed",
            }
        ],
    }
    start = {key: json.loads(to_json(Trace("w")))[key] for key in ("format", "version")}
    assert start == {"format": "flowy-trace", "version": 1}


def test_fields_that_are_not_known_are_passed_over() -> None:
    text = '{"format": "flowy-trace", "version": 1, "workflow": "w", "mood": "good"}'
    assert from_json(text) == Trace("w")


HEAD: dict[str, Any] = {"format": "flowy-trace", "version": 1, "workflow": "w"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{",
            "this is no trace: it is no JSON text (Expecting property name enclosed in double "
            "quotes: line 1 column 2 (char 1))",
        ),
        ("{}", 'this is no trace: a trace is a JSON object with "format": "flowy-trace"'),
        ("[]", 'this is no trace: a trace is a JSON object with "format": "flowy-trace"'),
        (
            json.dumps({**HEAD, "version": 2}),
            "this trace is of version 2, and only version 1 is known here: read it with the "
            "version of flowy-trace that wrote it, or a newer one",
        ),
        (
            json.dumps({**HEAD, "started": "now"}),
            "this trace is damaged: TypeError: 'started' is 'now', expected float",
        ),
        (
            json.dumps({**HEAD, "executions": [{"id": "", "workflow": "w", "outcome": "fine"}]}),
            "this trace is damaged: TypeError: 'outcome' is 'fine', expected one of completed, "
            "failed, timed out, cancelled, restarted, open",
        ),
        (
            json.dumps({**HEAD, "executions": [3]}),
            "this trace is damaged: AttributeError: 'int' object has no attribute 'get'",
        ),
    ],
)
def test_what_is_no_trace_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        from_json(text)
    assert str(caught.value).replace("property name enclosed", "property name enclosed") == message


def test_a_file_that_holds_no_trace_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("{}")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Trace.load(path)
    assert str(caught.value) == (
        f"{str(path)!r} cannot be read as a trace: this is no trace: a trace is a JSON object with "
        '"format": "flowy-trace"'
    )
