"""A trace from a history of Amazon SWF, as GetWorkflowExecutionHistory answers with it.

The history alone is enough: no workflow's code is needed, and no access to SWF. It tells of one
execution. A child is seen from outside, for what it did is in a history of its own.

Which results were passed to a call is in its `control`: `{"after": ["square-0-0"]}`. Calls are
known by the identities that Flowy gives them: an activity or a Lambda function by its id
`name-call-attempt`, a child by the end of its workflow id, `:name-call-attempt`, and the wait
before an attempt is a timer `name-call-attempt:t`. What has another id was not Flowy's, and gets a
number.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from flowy.engine_api import ExecutionInfo
from flowy.errors import TaskError
from flowy.events import (
    CallId,
    CloseWorkflow,
    CompleteWorkflow,
    Event,
    FailWorkflow,
    RestartWorkflow,
    ScheduleActivity,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskTimedOut,
    TimerFired,
    TimerStarted,
)
from flowy_trace.model import Trace
from flowy_trace.recorder import Recorder


def from_history(history: Any) -> Trace:
    """Return the trace of an execution.

    Parameters
    ----------
    history
        what GetWorkflowExecutionHistory answers, `{"events": [...]}`, or the list of events, with
        all pages. A time is a number of seconds since 1970, an ISO text, or a datetime.

    Raises
    ------
    ValueError
        this is no history, or not from its beginning.
    """
    events: Any = history.get("events") if isinstance(history, Mapping) else history
    try:
        ordered = sorted(events, key=lambda event: event["eventId"])
        first = ordered[0]
        if first["eventType"] != "WorkflowExecutionStarted":
            raise ValueError(
                f"the history begins with {first['eventType']!r}, expected "
                "'WorkflowExecutionStarted': dump all pages, in any order"
            )
        reader = _Reader(first)
        for event in ordered[1:]:
            reader.take(event)
    except (TypeError, KeyError, AttributeError, IndexError) as exc:
        raise ValueError(
            f"this is no history of Amazon SWF ({type(exc).__name__}: {exc}); expected what "
            "GetWorkflowExecutionHistory answers"
        ) from None
    return reader.recorder.trace()


class _Reader:
    """Turns the events of SWF into those of Flowy, and has them recorded."""

    def __init__(self, first: Mapping[str, Any]) -> None:
        about = _attributes(first)
        name = about["workflowType"]["name"]
        self.recorder = Recorder(workflow=name, engine="swf")
        self._info = ExecutionInfo("", name)
        # By the number of the event that scheduled it, which later events refer to.
        self._calls: dict[int, CallId] = {}
        self._timers: dict[int, tuple[CallId, bool]] = {}
        self._strangers: dict[str, int] = {}
        self.recorder.execution_started(self._info, about.get("input", ""), _time(first))

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in an event; those that tell of no call and no end are passed over."""
        kind = event["eventType"]
        handle = _HANDLERS.get(kind)
        if handle is not None:
            handle(self, event, _attributes(event), _time(event))

    def tell(self, event: Event, time: float) -> None:
        """Have an event recorded."""
        self.recorder.event(self._info, event, time)

    def close(self, command: CloseWorkflow, time: float) -> None:
        """Have the end recorded."""
        self.recorder.command(self._info, command, time)
        self.recorder.run_ended(time)

    def scheduled(
        self, event: Mapping[str, Any], about: Mapping[str, Any], time: float, name: str, kind: str
    ) -> None:
        """Take in that an attempt was scheduled."""
        call = self._calls[event["eventId"]] = self._identity(name)
        payload = about.get("input", "")
        command = ScheduleActivity(call, payload, _sources(about.get("control")))
        self.recorder.command(self._info, command, time)
        self.tell(TaskScheduled(call, payload, kind), time)

    def call(self, about: Mapping[str, Any]) -> CallId:
        """Return the call that an event refers to."""
        number: Any = about.get("scheduledEventId", about.get("initiatedEventId"))
        return self._calls[number]

    def timer_started(
        self, event: Mapping[str, Any], about: Mapping[str, Any], time: float
    ) -> None:
        """Take in that a timer runs: the wait before an attempt, or one of its own."""
        text = about["timerId"]
        wait = text.endswith(":t")
        call = self._identity(text[:-2] if wait else text)
        self._timers[event["eventId"]] = (call, wait)
        delay = float(about.get("startToFireTimeout", 0))
        if wait:
            self.tell(TimerStarted(call, delay), time)
        else:
            self.tell(TaskScheduled(call, f"[[{delay:g}], {{}}]", "timer"), time)
            self.tell(TaskStarted(call), time)

    def timer_ended(self, about: Mapping[str, Any], time: float, fired: bool) -> None:
        """Take in the end of a timer."""
        call, wait = self._timers[about["startedEventId"]]
        if wait:
            self.tell(TimerFired(call), time)
        elif fired:
            self.tell(TaskCompleted(call, "null"), time)
        else:
            self.tell(TaskCancelled(call), time)

    def _identity(self, text: str) -> CallId:
        try:
            return CallId.parse(text)
        except ValueError:
            name = re.sub(r"\W+", "_", text) or "call"
            number = self._strangers[name] = self._strangers.get(name, -1) + 1
            return CallId(name, number)


def _attributes(event: Mapping[str, Any]) -> Mapping[str, Any]:
    kind: str = event["eventType"]
    found: Mapping[str, Any] = event.get(f"{kind[0].lower()}{kind[1:]}EventAttributes", {})
    return found


def _time(event: Mapping[str, Any]) -> float:
    value = event["eventTimestamp"]
    if isinstance(value, (int, float)):
        return float(value)
    if not isinstance(value, dt.datetime):
        # Python 3.10 does not read the Z.
        value = dt.datetime.fromisoformat(re.sub("Z$", "+00:00", value))
    if value.tzinfo is None:
        value = value.replace(tzinfo=dt.timezone.utc)
    return float(value.timestamp())


def _sources(control: str | None) -> tuple[CallId, ...]:
    """Return the calls that `control` names; anybody may have written it, so it may name none."""
    try:
        after = json.loads(control or "{}")["after"]
        return tuple(CallId.parse(each) for each in after)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def _failed(call: CallId, about: Mapping[str, Any]) -> TaskFailed:
    error_type, message = _reason(about.get("reason", ""))
    return TaskFailed(call, error_type, message, about.get("details", ""))


def _reason(reason: str) -> tuple[str, str]:
    match = re.fullmatch(r"([A-Za-z_][\w.]*): (.*)", reason, re.DOTALL)
    return (match[1], match[2]) if match else ("TaskError", reason)


# --- what each event of SWF means ----------------------------------------------------------------

_Handler = Callable[[_Reader, Mapping[str, Any], Mapping[str, Any], float], None]


def _scheduled(key: str, kind: str) -> _Handler:
    def handle(
        reader: _Reader, event: Mapping[str, Any], about: Mapping[str, Any], time: float
    ) -> None:
        name = about[key]
        if kind == "workflow":
            name = name.rpartition(":")[2]
        reader.scheduled(event, about, time, name, kind)

    return handle


def _told(make: Callable[[CallId, Mapping[str, Any]], Event]) -> _Handler:
    def handle(
        reader: _Reader, event: Mapping[str, Any], about: Mapping[str, Any], time: float
    ) -> None:
        reader.tell(make(reader.call(about), about), time)

    return handle


def _closed(
    make: Callable[[Mapping[str, Any]], CloseWorkflow],
) -> _Handler:
    def handle(
        reader: _Reader, event: Mapping[str, Any], about: Mapping[str, Any], time: float
    ) -> None:
        reader.close(make(about), time)

    return handle


def _fail_workflow(about: Mapping[str, Any]) -> FailWorkflow:
    error_type, message = _reason(about.get("reason", ""))
    return FailWorkflow(
        TaskError(message, error_type=error_type, traceback=about.get("details", ""))
    )


_started = _told(lambda call, about: TaskStarted(call, about.get("identity", "")))
_completed = _told(lambda call, about: TaskCompleted(call, about.get("result", "null")))
_timed_out = _told(lambda call, about: TaskTimedOut(call, about.get("timeoutType", "")))
_cancelled = _told(lambda call, about: TaskCancelled(call, about.get("details", "")))
_did_not_start = _told(lambda call, about: TaskFailed(call, about.get("cause", "")))

_HANDLERS: dict[str, _Handler] = {
    "ActivityTaskScheduled": _scheduled("activityId", "activity"),
    "ActivityTaskStarted": _started,
    "ActivityTaskCompleted": _completed,
    "ActivityTaskFailed": _told(_failed),
    "ActivityTaskTimedOut": _timed_out,
    "ActivityTaskCanceled": _cancelled,
    "LambdaFunctionScheduled": _scheduled("id", "lambda"),
    "LambdaFunctionStarted": _started,
    "LambdaFunctionCompleted": _completed,
    "LambdaFunctionFailed": _told(_failed),
    "LambdaFunctionTimedOut": _timed_out,
    "StartLambdaFunctionFailed": _did_not_start,
    "StartChildWorkflowExecutionInitiated": _scheduled("workflowId", "workflow"),
    "ChildWorkflowExecutionStarted": _started,
    "ChildWorkflowExecutionCompleted": _completed,
    "ChildWorkflowExecutionFailed": _told(_failed),
    "ChildWorkflowExecutionTimedOut": _timed_out,
    "ChildWorkflowExecutionCanceled": _cancelled,
    "ChildWorkflowExecutionTerminated": _told(lambda call, about: TaskFailed(call, "Terminated")),
    "TimerStarted": lambda reader, event, about, time: reader.timer_started(event, about, time),
    "TimerFired": lambda reader, event, about, time: reader.timer_ended(about, time, True),
    "TimerCanceled": lambda reader, event, about, time: reader.timer_ended(about, time, False),
    "WorkflowExecutionCompleted": _closed(
        lambda about: CompleteWorkflow(about.get("result", "null"))
    ),
    "WorkflowExecutionFailed": _closed(_fail_workflow),
    "WorkflowExecutionTimedOut": _closed(
        lambda about: FailWorkflow(TaskError(about.get("timeoutType", ""), error_type="TimedOut"))
    ),
    "WorkflowExecutionCanceled": _closed(
        lambda about: FailWorkflow(TaskError(about.get("details", ""), error_type="Cancelled"))
    ),
    "WorkflowExecutionTerminated": _closed(
        lambda about: FailWorkflow(TaskError(about.get("reason", ""), error_type="Terminated"))
    ),
    "WorkflowExecutionContinuedAsNew": _closed(lambda about: RestartWorkflow(about.get("input"))),
}
