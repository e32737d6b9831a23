"""A trace as a tree: calls, the executions behind them, and the calls of these.

This is what all pictures are drawn from. The root of the tree stands for the run, as if somebody
had called its workflow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from flowy_trace.model import Attempt, Call, Execution, Trace


@dataclass(slots=True, eq=False)
class Entry:
    """A call in its place."""

    #: its identity in the trace
    id: str
    call: Call
    parent: Entry | None
    #: how many entries come before it in the tree
    index: int = 0
    #: the executions behind it: one for each attempt and each restart, in order of time
    runs: list[Run] = field(default_factory=list)
    #: the entries whose results were passed to it
    sources: list[Entry] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """How many calls it lies within."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def label(self) -> str:
        """Its name and number; of the root, the workflow's name."""
        return self.call.name if self.parent is None else self.call.key

    @property
    def retries(self) -> int:
        """How many attempts came after the first."""
        return len(self.call.attempts) - 1

    @property
    def scheduled(self) -> float | None:
        """When the engine took on the first attempt, or began to wait for it."""
        first = self.call.attempts[0]
        return first.scheduled if first.delayed is None else first.delayed

    @property
    def ended(self) -> float | None:
        """When the last attempt ended, if it has."""
        return self.call.attempts[-1].ended

    def entries(self) -> Iterator[Entry]:
        """Yield the calls of the executions behind it."""
        for run in self.runs:
            yield from run.entries


@dataclass(slots=True, eq=False)
class Run:
    """An execution in its place."""

    execution: Execution
    #: what tells it from others behind the same call: `attempt 2`, `run 3`; empty if it is alone
    label: str = ""
    #: its calls, in the order in which they were scheduled first
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Tree:
    """All entries of a trace."""

    trace: Trace
    #: stands for the run
    root: Entry
    #: the root and all below it, each before what is below it, in the order of scheduling
    entries: list[Entry]
    #: the end of the run, or the last time that the trace knows of
    now: float


def tree(trace: Trace) -> Tree:
    """Return the trace as a tree.

    An execution whose parent is not in the trace is put below the root.
    """
    root = Entry("/", _root_call(trace), None)
    by_execution: dict[str, Execution] = {each.id: each for each in trace.executions}
    behind: dict[str, list[Execution]] = {}
    for execution in trace.executions:
        behind.setdefault(_called_by(execution, by_execution), []).append(execution)
    entries: list[Entry] = []
    stack = [root]
    while stack:
        entry = stack.pop()
        entry.index = len(entries)
        entries.append(entry)
        executions = behind.pop(entry.id, [])
        entry.runs = [_run(each, executions, entry) for each in executions]
        stack.extend(reversed(list(entry.entries())))
    return Tree(trace, root, entries, trace.latest)


def _root_call(trace: Trace) -> Call:
    roots = [execution for execution in trace.executions if execution.parent is None]
    if not roots:
        return Call(trace.workflow, 0, "workflow")
    first, last = roots[0], roots[-1]
    attempt = Attempt(
        scheduled=first.started,
        started=first.started,
        ended=last.ended,
        outcome=last.outcome,
        error=last.error,
    )
    return Call(first.workflow, 0, "workflow", first.arguments, last.result, attempts=(attempt,))


def _called_by(execution: Execution, by_execution: dict[str, Execution]) -> str:
    """Return the identity of the entry that an execution is behind."""
    if execution.parent is None or execution.call is None:
        return "/"
    if execution.parent not in by_execution:
        return "/"
    return _identity(execution.parent, execution.call.rpartition("-")[0])


def _identity(execution: str, key: str) -> str:
    """Return the identity of a call of an execution."""
    return f"/{execution}/{key}" if execution else f"/{key}"


def _run(execution: Execution, siblings: list[Execution], entry: Entry) -> Run:
    run = Run(execution, _label_of(execution, siblings))
    by_key: dict[str, Entry] = {}
    for call in execution.calls:
        by_key[call.key] = child = Entry(_identity(execution.id, call.key), call, entry)
        run.entries.append(child)
    for child in run.entries:
        child.sources = [by_key[key] for key in child.call.sources if key in by_key]
    return run


def _label_of(execution: Execution, siblings: list[Execution]) -> str:
    if len(siblings) == 1:
        return ""
    parts = []
    if len({each.call for each in siblings}) > 1 and execution.call is not None:
        parts.append(f"attempt {int(execution.call.rpartition('-')[2]) + 1}")
    if any(each.restarts for each in siblings if each.call == execution.call):
        parts.append(f"run {execution.restarts + 1}")
    return ", ".join(parts)
