"""The Trace Event Format: slices of a row nest, and flows begin and end inside slices."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest

from flowy_trace import Attempt, Call, Execution, Trace
from flowy_trace.perfetto import perfetto
from flowy_trace.tree import tree

from .traces import TRACES


@pytest.mark.parametrize("name", TRACES)
def test_slices_nest_and_flows_connect(name: str) -> None:
    trace = TRACES[name]()
    document = json.loads(perfetto(trace))
    assert set(document) == {"displayTimeUnit", "traceEvents"}
    slices: dict[tuple[int, int], list[Any]] = defaultdict(list)
    flows: dict[int, list[Any]] = defaultdict(list)
    named: set[tuple[str, int, int | None]] = set()
    for event in document["traceEvents"]:
        assert isinstance(event["name"], str)
        if event["ph"] == "X":
            assert event["dur"] >= 0
            slices[event["pid"], event["tid"]].append(event)
        elif event["ph"] in "sf":
            flows[event["id"]].append(event)
        else:
            assert event["ph"] == "M"
            named.add((event["name"], event["pid"], event.get("tid")))
    for (process, row), events in slices.items():
        assert ("process_name", process, None) in named
        assert ("thread_name", process, row) in named
        check_nesting(events)
    for begin, end in flows.values():
        assert (begin["ph"], end["ph"], end["bp"]) == ("s", "f", "e")
        assert begin["ts"] <= end["ts"]
        for each in (begin, end):
            assert any(
                event["ts"] <= each["ts"] <= event["ts"] + event["dur"]
                for event in slices[each["pid"], each["tid"]]
            )
    entries = tree(trace).entries
    attempts = [a for entry in entries for a in entry.call.attempts if a.started is not None]
    assert sum(map(len, slices.values())) == len(attempts)
    known = [
        (source, entry)
        for entry in entries
        for source in entry.sources
        if entry.call.attempts[0].started is not None
    ]
    assert len(flows) == len(known)


def check_nesting(events: list[Any]) -> None:
    open_until: list[float] = []
    for event in sorted(events, key=lambda each: (each["ts"], -each["dur"])):
        end = event["ts"] + event["dur"]
        while open_until and open_until[-1] <= event["ts"] + 1e-3:
            open_until.pop()
        assert not open_until or end <= open_until[-1] + 1e-3
        open_until.append(end)


def test_a_worker_that_did_two_things_at_once_has_two_rows() -> None:
    calls = tuple(
        Call("a", number, attempts=(Attempt(0, None, 0, number, number + 1.5, "w", "completed"),))
        for number in range(4)
    )
    trace = Trace("w", ended=6, executions=(Execution("", "w", calls=calls),))
    events = json.loads(perfetto(trace))["traceEvents"]
    names = {each["tid"]: each["args"]["name"] for each in events if each["name"] == "thread_name"}
    rows = {each["name"]: names[each["tid"]] for each in events if each["ph"] == "X"}
    assert rows == {"w": "w", "a-0": "w", "a-1": "w (2)", "a-2": "w", "a-3": "w (2)"}
