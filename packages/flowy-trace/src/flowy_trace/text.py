"""The trace as a tree in plain text, for logs."""

from __future__ import annotations

from collections.abc import Iterator

from flowy_trace import words
from flowy_trace.critical_path import critical_path
from flowy_trace.model import Attempt, Trace
from flowy_trace.phases import phases
from flowy_trace.summary import sentences, summary
from flowy_trace.tree import Entry, Run, Tree, tree

#: how many characters of arguments and of a result stand on a line
_VALUE = 60


def text(trace: Trace) -> str:
    """Return the tree of the calls, with when each began and how long it took, and a summary."""
    source = tree(trace)
    path = critical_path(source)
    lines = ["      at        took"]
    lines += _lines(source)
    lines.append("")
    lines += sentences(source, summary(source, path))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _lines(source: Tree) -> Iterator[str]:
    # What is drawn, and the lines before it: of its own branch, and of what is below it.
    stack: list[tuple[Entry | Run, str, str]] = [(source.root, "", "")]
    while stack:
        top, own, below = stack.pop()
        if isinstance(top, Entry):
            yield from _entry(top, own, below, source)
            runs = [run for run in top.runs if run.label]
            parts: list[Entry | Run] = [*runs] if runs else list(top.entries())
        else:
            execution = top.execution
            text = (
                f"{top.label}: {_call(execution.workflow, execution.arguments, execution.result)}"
            )
            yield f"{_times(execution.started, execution.ended, source)}{own}{text}"
            parts = list(top.entries)
        for part in reversed(parts):
            last = part is parts[-1]
            branch, rest = ("└─ ", "   ") if last else ("├─ ", "│  ")
            stack.append((part, below + branch, below + rest))


def _entry(entry: Entry, own: str, below: str, source: Tree) -> Iterator[str]:
    call = entry.call
    text = _call(entry.label, call.arguments, call.result)
    if entry.sources:
        text += f"  <- {', '.join(each.label for each in entry.sources)}"
    queued = _queued(entry, source.now)
    if queued:
        text += f"  queued {words.seconds(queued)}"
    if call.outcome != "completed":
        text += f"  {_outcome(call.attempts[-1])}"
    yield f"{_times(entry.scheduled, entry.ended, source)}{own}{text}"
    indent = f"{'':20}{below}{'│  ' if entry.runs else '   '}"
    for attempt in call.attempts[:-1]:
        yield f"{indent}attempt {attempt.number + 1} {_outcome(attempt)}"


def _queued(entry: Entry, now: float) -> float:
    """Return how long the call waited for workers, if it is worth saying."""
    each = phases(entry, now, now)
    queued = sum(phase.end - phase.start for phase in each if phase.kind == "queued")
    whole = sum(phase.end - phase.start for phase in each)
    return queued if queued >= 0.1 * whole else 0.0


def _outcome(attempt: Attempt) -> str:
    how = "HAS NOT ENDED" if attempt.outcome == "open" else attempt.outcome.upper()
    if attempt.error is None:
        return how
    return f"{how}: {_one_line(str(attempt.error))}"


def _one_line(text: str) -> str:
    return words.clip(" ".join(text.split()), 3 * _VALUE)


def _call(name: str, arguments: str, result: str | None) -> str:
    shown = f"{name}({words.clip(arguments, _VALUE)})"
    return shown if result is None else f"{shown} = {words.clip(result, _VALUE)}"


def _times(start: float | None, end: float | None, source: Tree) -> str:
    if start is None:
        return f"{'?':>8}{'?':>12}"
    took = (source.now if end is None else end) - start
    return f"{start - source.trace.started:8.3f}{words.seconds(took):>12}  "
