"""The trace for Perfetto and chrome://tracing, in the Trace Event Format.

A row is a slot of a worker: what ran on it is a slice. Workflows have rows of their own, for they
hold no worker while they wait. Arrows lead from a call to those that took its result.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from typing import Any

from flowy_trace.model import Attempt, Trace
from flowy_trace.tree import Entry, Tree, tree

_WORKFLOWS, _WORKERS = 1, 2
_PROCESSES = {_WORKFLOWS: "workflows", _WORKERS: "workers"}

#: the names of colours that the format knows
_COLOURS = {"failed": "terrible", "timed out": "bad", "cancelled": "grey", "open": "yellow"}

#: how far an arrow is drawn from the end of a slice, in microseconds: it has to begin inside it
_INSIDE = 0.001


def perfetto(trace: Trace) -> str:
    """Return the trace as JSON text, in ASCII."""
    source = tree(trace)
    rows = _Rows()
    slices = sorted(_slices(source), key=lambda each: (each[0], -each[1], each[2].index))
    events: list[dict[str, Any]] = []
    first: dict[Entry, dict[str, Any]] = {}
    last: dict[Entry, dict[str, Any]] = {}
    for start, end, entry, attempt in slices:
        process = _WORKFLOWS if entry.call.kind == "workflow" else _WORKERS
        worker = entry.call.name if process == _WORKFLOWS else attempt.worker
        event = _slice(start, end, entry, attempt, source, process, rows)
        event["tid"] = rows.take(process, worker, start, end)
        events.append(event)
        first.setdefault(entry, event)
        last[entry] = event
    arrows = [arrow for entry in source.entries for arrow in _arrows(entry, first, last)]
    lines = ",\n".join(map(json.dumps, [*rows.names(), *events, *_numbered(arrows)]))
    return f'{{"displayTimeUnit": "ms", "traceEvents": [\n{lines}\n]}}\n'


def _slices(source: Tree) -> Iterator[tuple[float, float, Entry, Attempt]]:
    for entry in source.entries:
        for attempt in entry.call.attempts:
            if attempt.started is not None:
                end = source.now if attempt.ended is None else attempt.ended
                yield attempt.started, max(end, attempt.started), entry, attempt


def _slice(
    start: float,
    end: float,
    entry: Entry,
    attempt: Attempt,
    source: Tree,
    process: int,
    rows: _Rows,
) -> dict[str, Any]:
    call = entry.call
    number = f" (attempt {attempt.number + 1})" if len(call.attempts) > 1 else ""
    about: dict[str, Any] = {"call": entry.id, "arguments": call.arguments}
    if attempt.outcome == "completed" and call.result is not None:
        about["result"] = call.result
    about["outcome"] = attempt.outcome
    if attempt.scheduled is not None and attempt.started is not None:
        about["queued ms"] = round((attempt.started - attempt.scheduled) * 1e3, 3)
    if attempt.worker:
        about["worker"] = attempt.worker
    if attempt.error is not None:
        about["error"] = str(attempt.error)
    begin = _microseconds(start, source)
    event: dict[str, Any] = {
        "ph": "X",
        "name": f"{entry.label}{number}",
        "cat": call.kind,
        "pid": process,
        "ts": begin,
        "dur": round(_microseconds(end, source) - begin, 3),
        "args": about,
    }
    if attempt.outcome in _COLOURS:
        event["cname"] = _COLOURS[attempt.outcome]
    return event


def _microseconds(time: float, source: Tree) -> float:
    return round((time - source.trace.started) * 1e6, 3)


def _arrows(
    entry: Entry, first: dict[Entry, dict[str, Any]], last: dict[Entry, dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for other in entry.sources:
        if other in last and entry in first:
            yield last[other], first[entry]


def _numbered(arrows: list[tuple[dict[str, Any], dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for number, (start, end) in enumerate(arrows, 1):
        common = {"name": "result", "cat": "result", "id": number}
        leave = round(start["ts"] + max(0.0, start["dur"] - _INSIDE), 3)
        yield {**common, "ph": "s", "pid": start["pid"], "tid": start["tid"], "ts": leave}
        arrive = end["ts"]
        yield {**common, "ph": "f", "bp": "e", "pid": end["pid"], "tid": end["tid"], "ts": arrive}


class _Rows:
    """The rows. A worker has as many as it did things at the same time."""

    def __init__(self) -> None:
        # By process and worker: when each of its rows becomes free, and the number of the row.
        self._free: dict[tuple[int, str], list[tuple[float, int]]] = {}
        self._names: dict[int, tuple[int, str]] = {}

    def take(self, process: int, worker: str, start: float, end: float) -> int:
        """Return the number of a row of the worker that is free from `start` on; take it."""
        rows = self._free.setdefault((process, worker), [])
        if rows and rows[0][0] <= start:
            row = heapq.heappop(rows)[1]
        else:
            row = len(self._names) + 1
            slot = f" ({len(rows) + 1})" if rows else ""
            self._names[row] = (process, f"{worker or 'some worker'}{slot}")
        heapq.heappush(rows, (end, row))
        return row

    def names(self) -> Iterator[dict[str, Any]]:
        """Yield what names the rows."""
        for process in sorted({process for process, _ in self._names.values()}):
            about = {"name": _PROCESSES[process]}
            yield {"ph": "M", "name": "process_name", "pid": process, "args": about}
        for row, (process, name) in self._names.items():
            about = {"name": name}
            yield {"ph": "M", "name": "thread_name", "pid": process, "tid": row, "args": about}
