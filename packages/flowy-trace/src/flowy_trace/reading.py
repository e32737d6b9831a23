"""From what a recorder was told to the executions of a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flowy.engine_api import ExecutionInfo
from flowy.events import (
    CallId,
    CompleteWorkflow,
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
from flowy_trace.describe import ObjectText, Text
from flowy_trace.model import Attempt, Call, Error, Execution, Outcome


@dataclass(slots=True, eq=False)
class _Call:
    name: str
    number: int
    kind: str = "activity"
    input: Any = ""
    result: Any = None
    sources: tuple[CallId, ...] = ()
    attempts: dict[int, Attempt] = field(default_factory=dict)

    def change(self, number: int, **changes: Any) -> None:
        """Change what is known of an attempt."""
        attempt = self.attempts.get(number)
        if attempt is None:
            attempt = Attempt(number)
        self.attempts[number] = replace(attempt, **changes)


@dataclass(slots=True, eq=False)
class _Execution:
    info: ExecutionInfo
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
    """Return the executions that are told of.

    Parameters
    ----------
    told
        five items in a row for each thing: the execution; the class of the event or command, None
        for an execution's begin; the call; what else there is to it; the time.
    """
    reader = _Reader()
    # The list may grow meanwhile.
    items = iter(told[: len(told)])
    for info, what, call, data, time in zip(items, items, items, items, items, strict=True):
        reader.take(info, what, call, data, time)
    return tuple(_execution(each) for each in reader.executions.values())


class _Reader:
    def __init__(self) -> None:
        self.executions: dict[str, _Execution] = {}

    def take(
        self, info: ExecutionInfo, what: type | None, call: CallId | None, data: Any, time: float
    ) -> None:
        if what is None:
            self.executions[info.path] = _Execution(info, data, time)
            return
        execution = self.executions[info.path]
        if call is None:
            execution.ended = time
            _CLOSINGS[what](execution, data)
        else:
            CALL_EVENTS[what](execution.call(call), call.attempt, data, time)


# --- what events and commands mean ----------------------------------------------------------------


def _sources(call: _Call, attempt: int, data: tuple[CallId, ...], time: float) -> None:
    call.sources = data


def _kind(call: _Call, attempt: int, data: str, time: float) -> None:
    call.kind = data


def _scheduled(call: _Call, attempt: int, data: Any, time: float) -> None:
    call.input = data
    call.change(attempt, scheduled=time)


def _scheduled_with(
    call: _Call, attempt: int, data: tuple[Any, tuple[CallId, ...]], time: float
) -> None:
    input, call.sources = data
    _scheduled(call, attempt, input, time)


def _started(call: _Call, attempt: int, data: str, time: float) -> None:
    call.change(attempt, started=time, worker=describe.printable(data))


def _completed(call: _Call, attempt: int, data: Any, time: float) -> None:
    call.result = data
    call.change(attempt, ended=time, outcome="completed")


def _failed(call: _Call, attempt: int, data: Error, time: float) -> None:
    call.change(attempt, ended=time, outcome="failed", error=data)


def _timed_out(call: _Call, attempt: int, data: Error, time: float) -> None:
    call.change(attempt, ended=time, outcome="timed out", error=data)


def _cancelled(call: _Call, attempt: int, data: Error, time: float) -> None:
    call.change(attempt, ended=time, outcome="cancelled", error=data)


def _delayed(call: _Call, attempt: int, data: None, time: float) -> None:
    call.change(attempt, delayed=time)


#: what is told of calls; `str` stands for the kind of a call, if it is no activity, and `tuple` for
#: both what goes in and where it came from, which takes less than two entries
CALL_EVENTS: dict[type, Callable[[_Call, int, Any, float], None]] = {
    ScheduleActivity: _sources,
    ScheduleWorkflow: _sources,
    str: _kind,
    TaskScheduled: _scheduled,
    tuple: _scheduled_with,
    TaskStarted: _started,
    TaskCompleted: _completed,
    TaskFailed: _failed,
    TaskTimedOut: _timed_out,
    TaskCancelled: _cancelled,
    TimerStarted: _delayed,
}


def _execution_completed(execution: _Execution, data: Any) -> None:
    execution.outcome = "completed"
    execution.result = data


def _execution_ended(outcome: Outcome) -> Callable[[_Execution, Error | None], None]:
    def handle(execution: _Execution, data: Error | None) -> None:
        execution.outcome = outcome
        execution.error = data

    return handle


#: how executions end
_CLOSINGS: dict[type, Callable[[_Execution, Any], None]] = {
    CompleteWorkflow: _execution_completed,
    FailWorkflow: _execution_ended("failed"),
    TaskTimedOut: _execution_ended("timed out"),
    TaskCancelled: _execution_ended("cancelled"),
    RestartWorkflow: _execution_ended("restarted"),
}


# --- values -------------------------------------------------------------------------------------


def _execution(known: _Execution) -> Execution:
    info = known.info
    return Execution(
        id=info.path,
        workflow=describe.printable(describe.shorten(info.workflow)),
        arguments=_arguments(known.input),
        result=_result(known.result, known.input),
        started=known.started,
        ended=known.ended,
        outcome=known.outcome,
        error=known.error,
        parent=info.parent,
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
