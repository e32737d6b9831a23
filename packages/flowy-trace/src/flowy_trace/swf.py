"""Histories of Amazon SWF, as GetWorkflowExecutionHistory answers with them, read for a trace.

A history alone is enough: no workflow's code is needed, and no access to SWF. It tells of one
execution. A child is seen from outside, for what it did is in a history of its own;
`flowy_trace.swf_service` reads that as well.

Which results were passed to a call is in its `control`: `{"after": ["square-0-0"]}`. Calls are
known by the identities that Flowy gives them: an activity or a Lambda function by its id
`name-call-attempt`, a child by the end of its workflow id, `:name-call-attempt`, and the wait
before an attempt is a timer `name-call-attempt:t`. What has another id was not Flowy's, and gets a
number.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from flowy import errors
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

Json = Mapping[str, Any]


class Child(NamedTuple):
    """A child that an execution started."""

    call: CallId
    workflow_id: str
    run_id: str


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
    recorder = Recorder(engine="swf")
    reading = Reading(recorder, events)
    if reading.ended is not None:
        recorder.run_ended(reading.ended)
    return recorder.trace()


class Reading:
    """Reads a history: turns the events of SWF into those of Flowy, and has them recorded.

    Parameters
    ----------
    recorder
        takes them down.
    events
        all of the history, in any order.
    info
        returns what to call the execution, given the workflow's name; by default it is the root.

    Raises
    ------
    ValueError
        this is no history, or not from its beginning.
    """

    def __init__(
        self,
        recorder: Recorder,
        events: Iterable[Json],
        info: Callable[[str], ExecutionInfo] = ExecutionInfo.root,
    ) -> None:
        self.recorder = recorder
        #: what the trace calls the execution
        self.info: ExecutionInfo
        #: the children that were started
        self.children: list[Child] = []
        #: when the execution ended, or None if it has not
        self.ended: float | None = None
        #: the run id of the execution that it continued as, or empty
        self.continued = ""
        # By the number of the event that scheduled it, which later events refer to.
        self._calls: dict[int, CallId] = {}
        self._timers: dict[int, tuple[CallId, bool] | None] = {}
        self._inputs: dict[tuple[str, int], str] = {}
        self._strangers: dict[str, int] = {}
        try:
            self._read(sorted(events, key=lambda event: event["eventId"]), info)
        except (TypeError, KeyError, AttributeError, IndexError) as exc:
            raise ValueError(
                f"this is no history of Amazon SWF ({type(exc).__name__}: {exc}); expected what "
                "GetWorkflowExecutionHistory answers"
            ) from None

    def _read(self, events: list[Json], info: Callable[[str], ExecutionInfo]) -> None:
        first = events[0]
        if first["eventType"] != "WorkflowExecutionStarted":
            raise ValueError(
                f"the history begins with {first['eventType']!r}, expected "
                "'WorkflowExecutionStarted': dump all pages, in any order"
            )
        about = attributes(first)
        self.info = info(about["workflowType"]["name"])
        payload = _unpacked(about.get("input", ""))
        self.recorder.execution_started(self.info, payload, _time(first))
        for event in events[1:]:
            # Those that tell of no call and no end are passed over.
            handle = _HANDLERS.get(event["eventType"])
            if handle is not None:
                handle(self, event, attributes(event), _time(event))

    def tell(self, event: Event, time: float) -> None:
        """Have an event recorded."""
        self.recorder.event(self.info, event, time)

    def close(self, command: CloseWorkflow, time: float) -> None:
        """Have the end recorded."""
        self.recorder.command(self.info, command, time)
        self.ended = time

    def scheduled(self, event: Json, about: Json, time: float, name: str, kind: str) -> None:
        """Take in that an attempt was scheduled."""
        call = self._calls[event["eventId"]] = self._identity(name)
        payload = _unpacked(about.get("input", ""))
        self._inputs[call.name, call.number] = payload
        command = ScheduleActivity(call, payload, _sources(about.get("control")))
        self.recorder.command(self.info, command, time)
        self.tell(TaskScheduled(call, payload, kind), time)

    def refused(self, about: Json, time: float, name: str, kind: str) -> None:
        """Take in that SWF did not schedule an attempt."""
        cause = about.get("cause", "")
        if cause.endswith(("_LIMIT_EXCEEDED", "_RATE_EXCEEDED")):
            # It passes, and the same attempt is scheduled later.
            return
        call = self._calls.get(about.get("initiatedEventId", 0))
        if call is None:
            call = self._identity(name)
            payload = self._inputs.get((call.name, call.number), "")
            self.tell(TaskScheduled(call, payload, kind), time)
        self.tell(TaskFailed(call, cause), time)

    def call(self, about: Json) -> CallId:
        """Return the call that an event refers to."""
        number: Any = about.get("scheduledEventId", about.get("initiatedEventId"))
        return self._calls[number]

    def child_started(self, event: Json, about: Json, time: float) -> None:
        """Take in that a child began."""
        call = self.call(about)
        self.tell(TaskStarted(call), time)
        execution = about.get("workflowExecution", {})
        if "runId" in execution:
            self.children.append(Child(call, execution["workflowId"], execution["runId"]))

    def continued_as_new(self, event: Json, about: Json, time: float) -> None:
        """Take in that the execution restarted."""
        self.continued = about.get("newExecutionRunId", "")
        self.close(RestartWorkflow(about.get("input")), time)

    def timer_started(self, event: Json, about: Json, time: float) -> None:
        """Take in that a timer runs: the wait before an attempt, or one of its own."""
        text = about["timerId"]
        if text.startswith("again-"):
            # With it Flowy asks for another decision; nothing waits for it.
            self._timers[event["eventId"]] = None
            return
        wait = text.endswith(":t")
        call = self._identity(text[:-2] if wait else text)
        self._timers[event["eventId"]] = (call, wait)
        delay = float(about.get("startToFireTimeout", 0))
        if wait:
            self.tell(TimerStarted(call, delay), time)
        else:
            self.tell(TaskScheduled(call, f"[[{delay:g}], {{}}]", "timer"), time)
            self.tell(TaskStarted(call), time)

    def timer_ended(self, about: Json, time: float, fired: bool) -> None:
        """Take in the end of a timer."""
        timer = self._timers[about["startedEventId"]]
        if timer is None:
            return
        call, wait = timer
        if wait:
            self.tell(TimerFired(call), time)
        elif fired:
            self.tell(TaskCompleted(call, "null"), time)
        else:
            self.tell(TaskCancelled(call), time)

    def _identity(self, text: str) -> CallId:
        try:
            call = CallId.parse(text)
        except ValueError:
            call = None
        if call is not None and call.name.isidentifier():
            return call
        name = re.sub(r"\W+", "_", text) or "call"
        number = self._strangers[name] = self._strangers.get(name, -1) + 1
        return CallId(name, number)


def attributes(event: Json) -> Json:
    """Return what an event says besides its type and time."""
    kind: str = event["eventType"]
    found: Json = event.get(f"{kind[0].lower()}{kind[1:]}EventAttributes", {})
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


#: begins a payload that was too long for SWF as it was
_COMPRESSED = '{" z": '
#: how many bytes of one are read: nobody looks at more
_LARGEST = 64 * 1024 * 1024


def _unpacked(payload: str) -> str:
    """Return a payload as text, also one that Flowy compressed; a damaged one stays as it is."""
    if not payload.startswith(_COMPRESSED):
        return payload
    try:
        data = base64.b64decode(json.loads(payload)[" z"], validate=True)
        return zlib.decompressobj().decompress(data, _LARGEST).decode("utf-8", "replace")
    except (ValueError, TypeError, KeyError, zlib.error):
        return payload


def _failure(about: Json) -> tuple[str, str, str]:
    """Return the type, the message and the traceback of an error, whoever wrote it."""
    reason, details = about.get("reason", ""), about.get("details", "")
    try:
        known = json.loads(details)
        if "errorMessage" in known:
            # A Lambda function's.
            found = (known.get("errorType", "TaskError"), known["errorMessage"], details)
        else:
            found = (known["type"], known["message"], known["traceback"])
        if all(isinstance(each, str) for each in found):
            return found
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass  # It is not Flowy's, nor Lambda's.
    match = re.fullmatch(r"([A-Za-z_][\w.]*): (.*)", reason, re.DOTALL)
    return (*(match.groups() if match else ("TaskError", reason)), details)


# --- what each event of SWF means ----------------------------------------------------------------

_Handler = Callable[[Reading, Json, Json, float], None]


def _scheduled(key: str, kind: str) -> _Handler:
    return lambda reading, event, about, time: reading.scheduled(
        event, about, time, _end_of(about[key]), kind
    )


def _refused(key: str, kind: str) -> _Handler:
    return lambda reading, event, about, time: reading.refused(
        about, time, _end_of(about[key]), kind
    )


def _end_of(identity: str) -> str:
    # Only workflow ids have a colon.
    return identity.rpartition(":")[2]


def _told(make: Callable[[CallId, Json], Event]) -> _Handler:
    return lambda reading, event, about, time: reading.tell(make(reading.call(about), about), time)


def _closed(make: Callable[[Json], CloseWorkflow]) -> _Handler:
    return lambda reading, event, about, time: reading.close(make(about), time)


def _fail_workflow(about: Json) -> FailWorkflow:
    error_type, message, traceback = _failure(about)
    return FailWorkflow(TaskError(message, error_type=error_type, traceback=traceback))


_started = _told(lambda call, about: TaskStarted(call, about.get("identity", "")))
_completed = _told(lambda call, about: TaskCompleted(call, _unpacked(about.get("result", "null"))))
_failed = _told(lambda call, about: TaskFailed(call, *_failure(about)))
_timed_out = _told(lambda call, about: TaskTimedOut(call, about.get("timeoutType", "")))
_cancelled = _told(lambda call, about: TaskCancelled(call, about.get("details", "")))
_did_not_start = _told(lambda call, about: TaskFailed(call, about.get("cause", "")))

_HANDLERS: dict[str, _Handler] = {
    "ActivityTaskScheduled": _scheduled("activityId", "activity"),
    "ScheduleActivityTaskFailed": _refused("activityId", "activity"),
    "ActivityTaskStarted": _started,
    "ActivityTaskCompleted": _completed,
    "ActivityTaskFailed": _failed,
    "ActivityTaskTimedOut": _timed_out,
    "ActivityTaskCanceled": _cancelled,
    "LambdaFunctionScheduled": _scheduled("id", "lambda"),
    "ScheduleLambdaFunctionFailed": _refused("id", "lambda"),
    "LambdaFunctionStarted": _started,
    "LambdaFunctionCompleted": _completed,
    "LambdaFunctionFailed": _failed,
    "LambdaFunctionTimedOut": _timed_out,
    "StartLambdaFunctionFailed": _did_not_start,
    "StartChildWorkflowExecutionInitiated": _scheduled("workflowId", "workflow"),
    "StartChildWorkflowExecutionFailed": _refused("workflowId", "workflow"),
    "ChildWorkflowExecutionStarted": Reading.child_started,
    "ChildWorkflowExecutionCompleted": _completed,
    "ChildWorkflowExecutionFailed": _failed,
    "ChildWorkflowExecutionTimedOut": _timed_out,
    "ChildWorkflowExecutionCanceled": _cancelled,
    "ChildWorkflowExecutionTerminated": _told(lambda call, about: TaskFailed(call, "Terminated")),
    "TimerStarted": Reading.timer_started,
    "TimerFired": lambda reading, event, about, time: reading.timer_ended(about, time, True),
    "TimerCanceled": lambda reading, event, about, time: reading.timer_ended(about, time, False),
    "WorkflowExecutionCompleted": _closed(
        lambda about: CompleteWorkflow(_unpacked(about.get("result", "null")))
    ),
    "WorkflowExecutionFailed": _closed(_fail_workflow),
    "WorkflowExecutionTimedOut": _closed(
        lambda about: FailWorkflow(
            errors.TaskTimedout(about.get("timeoutType", ""), error_type="TimedOut")
        )
    ),
    "WorkflowExecutionCanceled": _closed(
        lambda about: FailWorkflow(
            errors.TaskCancelled(about.get("details", ""), error_type="Cancelled")
        )
    ),
    "WorkflowExecutionTerminated": _closed(
        lambda about: FailWorkflow(TaskError(about.get("reason", ""), error_type="Terminated"))
    ),
    "WorkflowExecutionContinuedAsNew": Reading.continued_as_new,
}
