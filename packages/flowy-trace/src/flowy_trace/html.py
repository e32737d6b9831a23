"""The page: one file with all that a trace holds, for looking at a run in a browser.

The page loads nothing from anywhere. Values are in it as text, in a block of JSON that the page's
script reads, and are put on the page as text only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any

from flowy_trace import describe
from flowy_trace.critical_path import Step, critical_path
from flowy_trace.graph import graph
from flowy_trace.model import OUTCOMES, Attempt, Error, Trace
from flowy_trace.phases import called
from flowy_trace.summary import CODE, sentences, summary
from flowy_trace.svg import STYLE, svg
from flowy_trace.tree import Entry, Run, Tree, tree

#: up to how many calls the graph is shown with a node for each call
EACH_UP_TO = 300

#: about how many bytes of arguments and results, and of messages and tracebacks, a page holds
_VALUES, _ERRORS = 2_000_000, 1_500_000


def html(trace: Trace, full: bool = False) -> str:
    """Return the page.

    Parameters
    ----------
    trace
        what to show.
    full
        whether the graph has a node for each call of a big run too.
    """
    source = tree(trace)
    path = critical_path(source)
    numbers = summary(source, path)
    parts = {
        "title": escape(trace.workflow or "a workflow"),
        "outcome": escape(_state(source)),
        "style": _resource("page.css") + STYLE,
        "summary": "\n".join(f"<p>{escape(each)}</p>" for each in sentences(source, numbers)),
        "graphs": _graphs(source, path, full),
        "data": _embedded({**_data(source, path), "shares": _shares(numbers.shares)}),
        "script": _resource("page.js"),
    }
    # In one pass, so that nothing that is put in is taken for a place to put something in.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _resource("page.html"))


def frame(trace: Trace) -> str:
    """Return the page inside a frame, for pages of others."""
    page = escape(html(trace))
    return (
        f'<iframe srcdoc="{page}" sandbox="allow-scripts" '
        'style="width: 100%; height: 640px; border: 1px solid #8886"></iframe>'
    )


def _resource(name: str) -> str:
    return (files("flowy_trace") / "page" / name).read_text(encoding="utf-8")


def _embedded(value: Any) -> str:
    """Return JSON text that cannot end the block that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _state(source: Tree) -> str:
    if source.trace.ended is None:
        return "going-on"
    return source.root.call.outcome.replace(" ", "-")


def _shares(shares: Iterable[Any]) -> list[Any]:
    return [
        [share.name, _micro(share.on_path), _micro(share.waited), share.calls, share.name == CODE]
        for share in shares
    ]


# --- the graph -----------------------------------------------------------------------------------


def _graphs(source: Tree, path: list[Step], full: bool) -> str:
    critical = {source.root}
    for step in path:
        entry: Entry | None = step.entry if step.kind != "code" else None
        while entry is not None and entry not in critical:
            critical.add(entry)
            entry = entry.parent
    calls = len(source.entries) - 1
    found = []
    if full or calls <= EACH_UP_TO:
        found.append(("each", svg(graph(source, full=True), critical, style=False)))
    if calls > 20 or not found:
        found.append(("task", svg(graph(source, by_task=True), critical, style=False)))
    shown = "task" if calls > 60 else "each"
    return "\n".join(
        f'<div class="graph" data-by="{by}"{"" if by == shown or len(found) == 1 else " hidden"}>'
        f"{picture}</div>"
        for by, picture in found
    )


# --- the data ------------------------------------------------------------------------------------


class _Strings:
    """The texts of a page, each once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        """Return where the text is among all."""
        found = self._places.get(text)
        if found is None:
            found = self._places[text] = len(self.all)
            self.all.append(text)
        return found


class _Writer:
    def __init__(self, source: Tree) -> None:
        self.source = source
        self.strings = _Strings()
        calls = max(1, len(source.entries))
        errors = sum(
            attempt.error is not None for entry in source.entries for attempt in entry.call.attempts
        )
        self.value_limit = max(24, _VALUES // (2 * calls))
        self.error_limit = max(80, _ERRORS // (2 * max(1, errors)))

    def value(self, text: str) -> int:
        return self.strings.place(describe.shorten_bytes(text, self.value_limit))

    def time(self, time: float | None) -> int:
        """Return a time in microseconds from the run's start, or -1."""
        return -1 if time is None else max(0, _micro(time - self.source.trace.started))

    def attempt(self, attempt: Attempt) -> list[Any]:
        row: list[Any] = [
            attempt.number,
            self.time(attempt.delayed),
            self.time(attempt.scheduled),
            self.time(attempt.started),
            self.time(attempt.ended),
            self.strings.place(attempt.worker),
            OUTCOMES.index(attempt.outcome),
        ]
        return row + self.error(attempt.error)

    def error(self, error: Error | None) -> list[int]:
        if error is None:
            return []
        message = describe.shorten_bytes(error.message, self.error_limit)
        traceback = describe.shorten_bytes(error.traceback, self.error_limit, from_end=True)
        return [self.strings.place(text) for text in (error.type, message, traceback)]


def _data(source: Tree, path: list[Step]) -> dict[str, Any]:
    writer = _Writer(source)
    made = called(source)
    rows: list[list[Any]] = []
    places: dict[Entry, int] = {}
    stack: list[tuple[Entry | Run, int]] = [(source.root, -1)]
    while stack:
        top, parent = stack.pop()
        place = len(rows)
        if isinstance(top, Entry):
            places[top] = place
            rows.append(_entry_row(top, parent, writer, made[top]))
            runs = [run for run in top.runs if run.label]
            inside: list[Entry | Run] = [*runs] if runs else list(top.entries())
        else:
            rows.append(_run_row(top, parent, writer))
            inside = list(top.entries)
        stack.extend((each, place) for each in reversed(inside))
    for entry, place in places.items():
        rows[place][6] = [places[each] for each in entry.sources]
    return {
        "strings": writer.strings.all,
        "rows": rows,
        "path": _merged(path, places, writer),
        "now": writer.time(source.now),
        "started": source.trace.started,
        "engine": source.trace.engine,
        "run": source.trace.run,
        "outcomes": OUTCOMES,
        "goingOn": source.trace.ended is None,
    }


def _entry_row(entry: Entry, parent: int, writer: _Writer, called_at: float) -> list[Any]:
    call = entry.call
    return [
        parent,
        writer.strings.place(call.name),
        -1 if entry.parent is None else call.number,
        writer.strings.place(call.kind),
        writer.value(call.arguments),
        -1 if call.result is None else writer.value(call.result),
        [],
        [writer.attempt(attempt) for attempt in call.attempts],
        writer.time(called_at),
    ]


def _run_row(run: Run, parent: int, writer: _Writer) -> list[Any]:
    execution = run.execution
    attempt = Attempt(
        started=execution.started,
        ended=execution.ended,
        outcome=execution.outcome,
        error=execution.error,
    )
    return [
        parent,
        writer.strings.place(run.label),
        -1,
        writer.strings.place("run"),
        writer.value(execution.arguments),
        -1 if execution.result is None else writer.value(execution.result),
        [],
        [writer.attempt(attempt)],
        writer.time(execution.started),
    ]


def _merged(path: list[Step], places: dict[Entry, int], writer: _Writer) -> list[list[int]]:
    """Return the stretches of the path: the row, and from when to when."""
    found: list[list[int]] = []
    for step in path:
        place, start, end = places[step.entry], writer.time(step.start), writer.time(step.end)
        if found and found[-1][0] == place:
            found[-1][2] = end
        elif end > start:
            found.append([place, start, end])
    return found


def _micro(seconds: float) -> int:
    return round(seconds * 1e6)
