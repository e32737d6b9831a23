"""An observer that makes a trace of a run."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from flowy.engine_api import ExecutionInfo, Observer
from flowy.errors import TaskError
from flowy.events import (
    CallId,
    Command,
    CompleteWorkflow,
    Event,
    FailWorkflow,
    RestartWorkflow,
    ScheduleActivity,
    ScheduleWorkflow,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskTimedOut,
    TimerStarted,
)
from flowy_trace import describe
from flowy_trace.model import Attempt, Call, Error, Execution, Outcome, Trace


class _Shown(str):
    """A text that is in its final form already."""

    __slots__ = ()


class _Attempt:
    """An attempt as it is known so far."""

    __slots__ = ("delayed", "ended", "error", "outcome", "scheduled", "started", "worker")

    def __init__(self) -> None:
        self.delayed: float | None = None
        self.scheduled: float | None = None
        self.started: float | None = None
        self.ended: float | None = None
        self.worker = ""
        self.outcome: Outcome = "open"
        self.error: Error | None = None


class _Call:
    """A call as it is known so far, and the last attempt at it."""

    __slots__ = (
        "attempt",
        "earlier",
        "input",
        "is_json",
        "kind",
        "last",
        "name",
        "number",
        "result",
        "sources",
    )

    def __init__(self, call: CallId) -> None:
        self.name = call.name
        self.number = call.number
        self.kind = "activity"
        self.input: Any = ""
        #: whether values are carried as JSON text
        self.is_json = True
        self.result: Any = None
        self.sources: tuple[_Call, ...] = ()
        #: the number of the last attempt
        self.attempt = call.attempt
        self.last = _Attempt()
        #: the attempts before the last, by number
        self.earlier: dict[int, _Attempt] | None = None


class _Execution:
    """An execution as it is known so far."""

    __slots__ = (
        "calls",
        "ended",
        "error",
        "id",
        "info",
        "input",
        "is_json",
        "outcome",
        "parent",
        "result",
        "started",
    )

    def __init__(
        self, info: ExecutionInfo, identity: str, parent: str | None, input: Any, time: float
    ) -> None:
        self.info = info
        self.id = identity
        self.parent = parent
        self.input = _kept(input)
        self.is_json = type(input) is str
        self.started = time
        self.ended: float | None = None
        self.outcome: Outcome = "open"
        self.result: Any = None
        self.error: Error | None = None
        self.calls: dict[tuple[str, int], _Call] = {}


class Recorder(Observer):
    """Takes down what happens in a run. `trace` may be called at any time, during the run as well.

    Texts are kept short: of arguments and results the first `describe.LIMIT` characters. A call
    without failures takes less than 1 kB.

    Parameters
    ----------
    workflow
        the workflow's name; by default that of the first execution.
    engine
        the engine's name.
    run
        what tells the run from others.
    """

    def __init__(self, workflow: str = "", engine: str = "", run: str = "") -> None:
        self.workflow = workflow
        self.engine = engine
        self.run = run
        self._ended: float | None = None
        self._executions: list[_Execution] = []
        # An engine uses one object for an execution throughout, and `id` is quicker than `hash`.
        self._by_object: dict[int, _Execution] = {}
        # The last execution of a path: after a restart children have the paths they had before.
        self._by_path: dict[str, _Execution] = {}

    def execution_started(self, execution: ExecutionInfo, input: Any, time: float) -> None:
        """Take down that an execution begins."""
        parent = None
        identity = ""
        if execution.parent is not None:
            parent_record = self._by_path.get(execution.parent)
            parent = execution.parent if parent_record is None else parent_record.id
            identity = f"{parent}/{execution.call}"
        if execution.restarts:
            identity += f"+{execution.restarts}"
        record = _Execution(execution, identity, parent, input, time)
        self._executions.append(record)
        self._by_object[id(execution)] = record
        self._by_path[execution.path] = record

    def command(self, execution: ExecutionInfo, command: Command, time: float) -> None:
        """Take down what an execution wants done."""
        record = self._by_object.get(id(execution)) or self._of_equal(execution)
        kind = type(command)
        if kind is ScheduleActivity or kind is ScheduleWorkflow:
            call = self._call(record, command.call)  # type: ignore[union-attr]
            # Calls of other executions are not among them: their edges would cross workflows.
            known = map(record.calls.get, [source[:2] for source in command.sources])  # type: ignore[union-attr]
            call.sources = tuple([source for source in known if source is not None])
        elif kind in _CLOSINGS:
            record.ended = time
            record.outcome = _CLOSINGS[kind]
            if isinstance(command, CompleteWorkflow):
                record.result = _kept_result(command.result, record.is_json)
            elif isinstance(command, FailWorkflow):
                record.error = _error_of(command.error)

    def event(self, execution: ExecutionInfo, event: Event, time: float) -> None:
        """Take down what happened to an execution."""
        take = _EVENTS.get(type(event))
        if take is not None:
            record = self._by_object.get(id(execution)) or self._of_equal(execution)
            take(self._call(record, event.call), event, time)  # type: ignore[union-attr]

    def run_ended(self, time: float) -> None:
        """Take down that the run is over."""
        self._ended = time

    def trace(self) -> Trace:
        """Return what is known of the run by now."""
        executions = tuple(_execution(record) for record in list(self._executions))
        root = executions[0] if executions else Execution("", self.workflow)
        return Trace(
            workflow=self.workflow or root.workflow,
            engine=self.engine,
            run=self.run,
            started=root.started,
            ended=self._ended,
            executions=executions,
        )

    def _of_equal(self, execution: ExecutionInfo) -> _Execution:
        """Return the last execution of an engine that makes a new object each time."""
        record = self._by_path[execution.path]
        for other in reversed(self._executions):
            if other.info == execution:
                return other
        return record

    def _call(self, record: _Execution, call: CallId) -> _Call:
        key = call[:2]
        found = record.calls.get(key)
        if found is None:
            found = record.calls[key] = _Call(call)
        elif found.attempt != call.attempt:
            if found.earlier is None:
                found.earlier = {}
            found.earlier[found.attempt] = found.last
            found.attempt = call.attempt
            known = found.earlier.pop(call.attempt, None)
            found.last = _Attempt() if known is None else known
        return found


# --- events --------------------------------------------------------------------------------------


def _scheduled(call: _Call, event: TaskScheduled, time: float) -> None:
    call.last.scheduled = time
    call.kind = event.kind
    call.input = _kept(event.input)
    call.is_json = type(event.input) is str


def _started(call: _Call, event: TaskStarted, time: float) -> None:
    call.last.started = time
    call.last.worker = event.worker


def _completed(call: _Call, event: TaskCompleted, time: float) -> None:
    _close(call, "completed", time)
    call.result = _kept_result(event.result, call.is_json)


def _failed(call: _Call, event: TaskFailed, time: float) -> None:
    _close(call, "failed", time, _error(event.error_type, event.message, event.traceback))


def _timed_out(call: _Call, event: TaskTimedOut, time: float) -> None:
    _close(call, "timed out", time, Error("TimedOut", event.timeout_type))


def _cancelled(call: _Call, event: TaskCancelled, time: float) -> None:
    _close(call, "cancelled", time, _error("Cancelled", event.details))


def _delayed(call: _Call, event: TimerStarted, time: float) -> None:
    call.last.delayed = time


def _close(call: _Call, outcome: Outcome, time: float, error: Error | None = None) -> None:
    call.last.ended = time
    call.last.outcome = outcome
    call.last.error = error


_EVENTS: dict[type, Callable[[_Call, Any, float], None]] = {
    TaskScheduled: _scheduled,
    TaskStarted: _started,
    TaskCompleted: _completed,
    TaskFailed: _failed,
    TaskTimedOut: _timed_out,
    TaskCancelled: _cancelled,
    TimerStarted: _delayed,
}

_CLOSINGS: dict[type, Outcome] = {
    CompleteWorkflow: "completed",
    FailWorkflow: "failed",
    RestartWorkflow: "restarted",
}


# --- what is kept of values ----------------------------------------------------------------------


def _kept(payload: Any) -> Any:
    """Return what to keep of an input: JSON text as it is if it is short, else a short text."""
    if type(payload) is str and len(payload) <= describe.LIMIT:
        return payload
    return _Shown(describe.arguments(payload))


def _kept_result(payload: Any, is_json: bool) -> Any:
    """Return what to keep of a result: JSON text as it is if it is short, else a short text."""
    if is_json and type(payload) is str:
        return payload if len(payload) <= describe.LIMIT else _Shown(describe.result(payload))
    return _Shown(describe.of_object(payload))


def _error(error_type: str, message: str, trace_text: str = "") -> Error:
    return Error(
        describe.printable(describe.shorten(error_type)),
        describe.printable(describe.shorten(message, describe.LONG_LIMIT), keep="\n\t"),
        describe.printable(describe.tail(trace_text), keep="\n\t"),
    )


def _error_of(exc: BaseException) -> Error:
    if isinstance(exc, TaskError) and exc.error_type and not exc.call:
        # It stands for an error of another process, or of long ago.
        return _error(exc.error_type, exc.message, exc.traceback)
    try:
        message = str(exc)
    except Exception as broken:
        message = f"(no message: its __str__ raised {type(broken).__name__})"
    lines = traceback.format_exception(type(exc), exc, exc.__traceback__)
    return _error(type(exc).__name__, message, "".join(lines))


# --- from records to values ----------------------------------------------------------------------


def _execution(record: _Execution) -> Execution:
    info = record.info
    return Execution(
        id=record.id,
        workflow=describe.printable(describe.shorten(info.workflow)),
        arguments=_arguments(record.input),
        result=_result(record.result),
        started=record.started,
        ended=record.ended,
        outcome=record.outcome,
        error=record.error,
        parent=record.parent,
        call=None if info.call is None else str(info.call),
        restarts=info.restarts,
        calls=tuple(_call(call) for call in list(record.calls.values())),
    )


def _call(record: _Call) -> Call:
    attempts = {**(record.earlier or {}), record.attempt: record.last}
    return Call(
        name=record.name,
        number=record.number,
        kind=record.kind,
        arguments=_arguments(record.input),
        result=_result(record.result),
        sources=tuple(dict.fromkeys(f"{call.name}-{call.number}" for call in record.sources)),
        attempts=tuple(_attempt(number, attempts[number]) for number in sorted(attempts)),
    )


def _attempt(number: int, record: _Attempt) -> Attempt:
    return Attempt(
        number=number,
        delayed=record.delayed,
        scheduled=record.scheduled,
        started=record.started,
        ended=record.ended,
        worker=record.worker,
        outcome=record.outcome,
        error=record.error,
    )


def _arguments(kept: Any) -> str:
    return str(kept) if type(kept) is _Shown else describe.arguments(kept)


def _result(kept: Any) -> str | None:
    if kept is None:
        return None
    return str(kept) if type(kept) is _Shown else describe.result(kept)
