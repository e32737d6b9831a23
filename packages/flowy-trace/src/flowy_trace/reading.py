"""From what a recorder was told to the executions of a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flowy.engine_api import ExecutionInfo
from flowy.events import (
    CallId,
    CompleteWorkflow,
    RestartWorkflow,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskTimedOut,
    TimerStarted,
)
from flowy_trace import describe
from flowy_trace.describe import ObjectText, Text
from flowy_trace.model import Attempt, Call, Error, Execution, Outcome


@dataclass(frozen=True, slots=True)
class Began:
    """An execution began."""

    #: the payload of its input, or a text for it
    input: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """An execution failed."""

    error: Error


@dataclass(slots=True, eq=False)
class _Call:
    name: str
    number: int
    kind: str = "activity"
    input: Any = ""
    result: Any = None
    sources: tuple[CallId, ...] = ()
    attempts: dict[int, Attempt] = field(default_factory=dict)

    def change(self, call: CallId, **changes: Any) -> None:
        """Change what is known of an attempt."""
        attempt = self.attempts.get(call.attempt)
        if attempt is None:
            attempt = Attempt(call.attempt)
        self.attempts[call.attempt] = replace(attempt, **changes)


@dataclass(slots=True, eq=False)
class _Execution:
    info: ExecutionInfo
    id: str
    parent: str | None
    input: Any
    started: float
    ended: float | None = None
    outcome: Outcome = "open"
    result: Any = None
    error: Error | None = None
    calls: dict[tuple[str, int], _Call] = field(default_factory=dict)

    def call(self, call: CallId) -> _Call:
        """Return the call that an event is about."""
        key = (call.name, call.number)
        found = self.calls.get(key)
        if found is None:
            found = self.calls[key] = _Call(*key)
        return found


def read(told: Sequence[Any]) -> tuple[Execution, ...]:
    """Return the executions that are told of: an execution, something, its time, and so on."""
    reader = _Reader()
    # The list may grow meanwhile.
    entries = iter(told[: len(told)])
    for info, what, time in zip(entries, entries, entries, strict=True):
        reader.take(info, what, time)
    return tuple(_execution(each) for each in reader.executions)


class _Reader:
    def __init__(self) -> None:
        self.executions: list[_Execution] = []
        # An engine may use one object for an execution throughout, or a new one each time.
        self._by_object: dict[int, _Execution] = {}
        # The last execution of a path: after a restart children have the paths they had before.
        self._by_path: dict[str, _Execution] = {}

    def take(self, info: ExecutionInfo, what: Any, time: float) -> None:
        if type(what) is Began:
            self._begin(info, what, time)
            return
        execution = self._by_object.get(id(info)) or self._equal(info)
        if type(what) is tuple:
            call, sources = what
            execution.call(call).sources = sources
        elif type(what) in _CLOSINGS:
            _CLOSINGS[type(what)](execution, what)
            execution.ended = time
        elif type(what) in _EVENTS:
            _EVENTS[type(what)](execution.call(what.call), what, time)

    def _begin(self, info: ExecutionInfo, what: Began, time: float) -> None:
        parent = None
        identity = ""
        if info.parent is not None:
            above = self._by_path.get(info.parent)
            parent = info.parent if above is None else above.id
            identity = f"{parent}/{info.call}"
        if info.restarts:
            identity += f"+{info.restarts}"
        execution = _Execution(info, identity, parent, what.input, time)
        self.executions.append(execution)
        self._by_object[id(info)] = execution
        self._by_path[info.path] = execution

    def _equal(self, info: ExecutionInfo) -> _Execution:
        for other in reversed(self.executions):
            if other.info == info:
                return other
        return self._by_path[info.path]


# --- what events mean ------------------------------------------------------------------------------


def _scheduled(call: _Call, event: TaskScheduled, time: float) -> None:
    call.kind = event.kind
    call.input = event.input
    call.change(event.call, scheduled=time)


def _started(call: _Call, event: TaskStarted, time: float) -> None:
    call.change(event.call, started=time, worker=describe.printable(event.worker))


def _completed(call: _Call, event: TaskCompleted, time: float) -> None:
    call.result = event.result
    call.change(event.call, ended=time, outcome="completed")


def _failed(call: _Call, event: TaskFailed, time: float) -> None:
    error = Error(event.error_type, event.message, event.traceback)
    call.change(event.call, ended=time, outcome="failed", error=error)


def _timed_out(call: _Call, event: TaskTimedOut, time: float) -> None:
    error = Error("TimedOut", event.timeout_type)
    call.change(event.call, ended=time, outcome="timed out", error=error)


def _cancelled(call: _Call, event: TaskCancelled, time: float) -> None:
    error = describe.error("Cancelled", event.details)
    call.change(event.call, ended=time, outcome="cancelled", error=error)


def _delayed(call: _Call, event: TimerStarted, time: float) -> None:
    call.change(event.call, delayed=time)


_EVENTS: dict[type, Callable[[_Call, Any, float], None]] = {
    TaskScheduled: _scheduled,
    TaskStarted: _started,
    TaskCompleted: _completed,
    TaskFailed: _failed,
    TaskTimedOut: _timed_out,
    TaskCancelled: _cancelled,
    TimerStarted: _delayed,
}


def _execution_completed(execution: _Execution, what: CompleteWorkflow) -> None:
    execution.outcome = "completed"
    execution.result = what.result


def _execution_failed(execution: _Execution, what: Failed) -> None:
    execution.outcome = "failed"
    execution.error = what.error


def _execution_restarted(execution: _Execution, what: RestartWorkflow) -> None:
    execution.outcome = "restarted"


_CLOSINGS: dict[type, Callable[[_Execution, Any], None]] = {
    CompleteWorkflow: _execution_completed,
    Failed: _execution_failed,
    RestartWorkflow: _execution_restarted,
}


# --- values ----------------------------------------------------------------------------------------


def _execution(known: _Execution) -> Execution:
    info = known.info
    return Execution(
        id=known.id,
        workflow=describe.printable(describe.shorten(info.workflow)),
        arguments=_arguments(known.input),
        result=_result(known.result, known.input),
        started=known.started,
        ended=known.ended,
        outcome=known.outcome,
        error=known.error,
        parent=known.parent,
        call=None if info.call is None else str(info.call),
        restarts=info.restarts,
        calls=tuple(_call(call, known) for call in known.calls.values()),
    )


def _call(known: _Call, execution: _Execution) -> Call:
    # Results of other executions are not among them: their edges would cross workflows.
    keys = dict.fromkeys((source.name, source.number) for source in known.sources)
    return Call(
        name=known.name,
        number=known.number,
        kind=known.kind,
        arguments=_arguments(known.input),
        result=_result(known.result, known.input),
        sources=tuple(
            f"{name}-{number}" for name, number in keys if (name, number) in execution.calls
        ),
        attempts=tuple(known.attempts[number] for number in sorted(known.attempts)) or (Attempt(),),
    )


def _arguments(kept: Any) -> str:
    return str(kept) if isinstance(kept, Text) else describe.arguments(kept)


def _result(kept: Any, input: Any) -> str | None:
    if kept is None:
        return None
    if isinstance(kept, Text):
        return str(kept)
    return describe.of_object(kept) if isinstance(input, ObjectText) else describe.result(kept)
