"""The critical path: the chain of waiting that made a run take as long as it did.

It is found backwards from the end. What ended last in an execution held its end up. That call was
held up by the argument that came last; or, without arguments, by whatever call had ended last when
it was made, for which the code may have waited. In between the workflow's own code ran.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from flowy_trace.phases import phases
from flowy_trace.tree import Entry, Run, Tree


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of the critical path."""

    #: the call that it was spent on; a workflow's own entry stands for its code
    entry: Entry
    #: `running`, `queued`, `delay`, or `code`: of the workflow, or the engine
    kind: str
    start: float
    end: float


def critical_path(tree: Tree) -> list[Step]:
    """Return the steps of the critical path, in order of time: they cover the whole run."""
    steps: list[Step] = []
    _through_workflow(tree.root, tree.root.scheduled or tree.trace.started, tree.now, tree, steps)
    steps.reverse()
    return [step for step in steps if step.end > step.start]


def _through_workflow(
    entry: Entry, start: float, end: float, tree: Tree, steps: list[Step]
) -> None:
    """Add the steps through the executions behind a call, backwards."""
    # An explicit stack, for workflows may lie within workflows at any depth.
    stack: list[tuple[Entry, float, float] | Step] = [(entry, start, end)]
    while stack:
        top = stack.pop()
        if isinstance(top, Step):
            steps.append(top)
            continue
        parts = _backwards(*top, tree)
        stack.extend(reversed(parts))


def _backwards(
    entry: Entry, start: float, end: float, tree: Tree
) -> list[tuple[Entry, float, float] | Step]:
    """Return what the time from `start` to `end` in the workflow behind `entry` was spent on."""
    parts: list[tuple[Entry, float, float] | Step] = []
    time = end
    for run in reversed(entry.runs):
        begin = max(start, run.execution.started)
        if begin >= time:
            continue
        ends = _Ends(run, tree.now)
        call = ends.last_by(time)
        while call is not None and time > begin:
            ended = tree.now if call.ended is None else call.ended
            if ended < time:
                parts.append(Step(entry, "code", max(begin, ended), time))
                time = ended
            time = _through_call(call, begin, time, tree, parts)
            call = ends.cause(call, time)
        if time > begin:
            parts.append(Step(entry, "code", begin, time))
            time = begin
    if time > start:
        parts.append(Step(entry, "code", start, time))
    return parts


def _through_call(
    call: Entry,
    begin: float,
    time: float,
    tree: Tree,
    parts: list[tuple[Entry, float, float] | Step],
) -> float:
    """Add what a call did up to `time`; return when that began."""
    for phase in reversed(phases(call, tree.now, tree.now)):
        start, end = max(begin, phase.start), min(time, phase.end)
        if end <= start:
            continue
        if end < time:
            parts.append(Step(call, "code", end, time))
        if phase.kind == "running" and call.runs:
            parts.append((call, start, end))
        else:
            parts.append(Step(call, phase.kind, start, end))
        time = start
    scheduled = call.scheduled
    return time if scheduled is None else min(time, max(begin, scheduled))


class _Ends:
    """The calls of an execution by when they ended."""

    def __init__(self, run: Run, now: float) -> None:
        self._now = now
        known = [entry for entry in run.entries if entry.scheduled is not None]
        self._calls = sorted(known, key=self._end)
        self._times = [self._end(entry) for entry in self._calls]

    def _end(self, entry: Entry) -> float:
        return self._now if entry.ended is None else entry.ended

    def last_by(self, time: float) -> Entry | None:
        """Return the call that ended last by `time`."""
        place = bisect_right(self._times, time)
        return self._calls[place - 1] if place else None

    def cause(self, call: Entry, time: float) -> Entry | None:
        """Return what held the call up, which was scheduled at `time`."""
        if call.sources:
            return max(call.sources, key=self._end)
        place = bisect_right(self._times, time)
        # Calls that took no time may have ended when they began: one that began before is meant.
        while place:
            other = self._calls[place - 1]
            if other is not call and (other.scheduled or 0.0) < time:
                return other
            place -= 1
        return None
