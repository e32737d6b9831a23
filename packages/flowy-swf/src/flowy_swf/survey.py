"""What an execution is doing, read from its history for people. Any execution will do.

Unlike `flowy_swf.history`, which is for the machine, this keeps times and who did what, and takes
executions of other makers than Flowy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from flowy_swf.failures import Failure
from flowy_swf.handle import CLOSINGS, attributes
from flowy_swf.history import Json
from flowy_swf.times import seconds


@dataclass(slots=True)
class Open:
    """What is scheduled or started and has not ended. Times are in seconds since 1970."""

    #: `decision`, `activity`, `child`, `lambda` or `timer`
    kind: str
    #: its id; empty for a decision
    id: str
    scheduled: float
    #: its type's name and version, or the name of a Lambda function
    type: tuple[str, ...] = ()
    task_list: str = ""
    started: float | None = None
    #: who works on it; of a child, its run id
    identity: str = ""
    #: its time-outs in seconds, or `"NONE"`, by the names that the service gives them
    limits: dict[str, str] = field(default_factory=dict)
    #: whether it was asked to stop
    cancelling: bool = False


class Trouble(NamedTuple):
    """An attempt that did not succeed."""

    time: float
    id: str
    #: how it ended: `failed`, `timed out` or `was cancelled`
    how: str
    failure: Failure


class Refusal(NamedTuple):
    """What the service did not do although a decision asked for it."""

    #: the type of its event, without `Failed` at the end
    what: str
    id: str
    cause: str


class Survey:
    """What is known of an execution from its events, from the first on.

    Parameters
    ----------
    events
        all of them, in order.
    """

    def __init__(self, events: Iterable[Json]) -> None:
        #: the attributes of WorkflowExecutionStarted
        self.about: Json = {}
        #: when the execution started
        self.began = 0.0
        #: how many events there are
        self.length = 0
        #: what is open, by the id of the event that scheduled it
        self.open: dict[int, Open] = {}
        #: when it was asked to cancel
        self.cancel_requested: float | None = None
        #: how many decisions timed out in a row, up to now
        self.decisions_timed_out = 0
        #: who was deciding when the last of them did
        self.last_decider = ""
        #: what the service refused of the last decision
        self.refusals: list[Refusal] = []
        #: attempts that went wrong
        self.troubles: list[Trouble] = []
        #: the type and attributes of the last event, if the execution has closed
        self.closing: tuple[str, Json] | None = None
        #: when it closed
        self.closed = 0.0
        for event in events:
            self._add(event)

    def _add(self, event: Json) -> None:
        self.length = event["eventId"]
        kind = event["eventType"]
        about, time = attributes(event), seconds(event["eventTimestamp"])
        if kind in CLOSINGS:
            self.closing, self.closed = (kind, about), time
        elif kind in _SCHEDULED:
            self.open[self.length] = _opened(kind, about, time)
        elif kind in _STARTED:
            self._started(about[_STARTED[kind]], about, time)
        elif kind in _ENDED:
            self._ended(kind, about, time)
        elif kind in _OTHERS:
            _OTHERS[kind](self, about, time)
        if kind in _REFUSED:
            what, member = kind.removesuffix("Failed"), _REFUSED[kind]
            self.refusals.append(Refusal(what, about.get(member, ""), about.get("cause", "")))

    def _started(self, scheduled_id: int, about: Json, time: float) -> None:
        task = self.open.get(scheduled_id)
        if task is not None:
            task.started = time
            execution = about.get("workflowExecution", {})
            task.identity = about.get("identity") or execution.get("runId", "")

    def _ended(self, kind: str, about: Json, time: float) -> None:
        member, how = _ENDED[kind]
        task = self.open.pop(about.get(member, 0), None)
        if task is not None and how:
            self.troubles.append(Trouble(time, task.id, how, _failure(how, about)))

    def _execution_started(self, about: Json, time: float) -> None:
        self.about, self.began = about, time

    def _cancel_requested(self, about: Json, time: float) -> None:
        self.cancel_requested = time

    def _decision_completed(self, about: Json, time: float) -> None:
        self.open.pop(about["scheduledEventId"], None)
        self.decisions_timed_out = 0
        self.refusals.clear()

    def _decision_timed_out(self, about: Json, time: float) -> None:
        task = self.open.pop(about["scheduledEventId"], None)
        # One that nobody took before its time was up says nothing about deciders' code.
        if task is not None and task.started is not None:
            self.decisions_timed_out += 1
            self.last_decider = task.identity

    def _activity_cancelling(self, about: Json, time: float) -> None:
        self._cancelling("activity", about.get("activityId", ""))

    def _child_cancelling(self, about: Json, time: float) -> None:
        self._cancelling("child", about.get("workflowId", ""))

    def _cancelling(self, kind: str, id: str) -> None:
        for task in self.open.values():
            if (task.kind, task.id) == (kind, id):
                task.cancelling = True


def _opened(kind: str, about: Json, time: float) -> Open:
    what, member = _SCHEDULED[kind]
    named = about.get("activityType") or about.get("workflowType")
    if named is not None:
        type_name: tuple[str, ...] = (named["name"], named["version"])
    else:
        type_name = (about["name"],) if what == "lambda" else ()
    limits = {name: value for name, value in about.items() if name.endswith("Timeout")}
    return Open(
        what,
        about.get(member, ""),
        time,
        type_name,
        about.get("taskList", {}).get("name", ""),
        limits=limits,
    )


def _failure(how: str, about: Json) -> Failure:
    if "timeoutType" in about:
        return Failure("", f"passed its {about['timeoutType']} limit")
    if "cause" in about:
        return Failure(about["cause"], about.get("message", ""))
    return Failure.read(about.get("reason"), about.get("details"))


#: what is opened by an event of a type, and the member that has its id
_SCHEDULED = {
    "DecisionTaskScheduled": ("decision", ""),
    "ActivityTaskScheduled": ("activity", "activityId"),
    "LambdaFunctionScheduled": ("lambda", "id"),
    "StartChildWorkflowExecutionInitiated": ("child", "workflowId"),
    "TimerStarted": ("timer", "timerId"),
}
#: the member that says what has been started
_STARTED = {
    "DecisionTaskStarted": "scheduledEventId",
    "ActivityTaskStarted": "scheduledEventId",
    "LambdaFunctionStarted": "scheduledEventId",
    "ChildWorkflowExecutionStarted": "initiatedEventId",
}
#: the member that says what has ended, and how, if not well
_ENDED = {
    "ActivityTaskCompleted": ("scheduledEventId", ""),
    "ActivityTaskFailed": ("scheduledEventId", "failed"),
    "ActivityTaskTimedOut": ("scheduledEventId", "timed out"),
    "ActivityTaskCanceled": ("scheduledEventId", "was cancelled"),
    "LambdaFunctionCompleted": ("scheduledEventId", ""),
    "LambdaFunctionFailed": ("scheduledEventId", "failed"),
    "LambdaFunctionTimedOut": ("scheduledEventId", "timed out"),
    "StartLambdaFunctionFailed": ("scheduledEventId", "failed"),
    "ChildWorkflowExecutionCompleted": ("initiatedEventId", ""),
    "ChildWorkflowExecutionFailed": ("initiatedEventId", "failed"),
    "ChildWorkflowExecutionTimedOut": ("initiatedEventId", "timed out"),
    "ChildWorkflowExecutionCanceled": ("initiatedEventId", "was cancelled"),
    "ChildWorkflowExecutionTerminated": ("initiatedEventId", "was terminated"),
    "StartChildWorkflowExecutionFailed": ("initiatedEventId", "failed"),
    "TimerFired": ("startedEventId", ""),
    "TimerCanceled": ("startedEventId", ""),
}
#: the member that has the id of what the service refused
_REFUSED = {
    "ScheduleActivityTaskFailed": "activityId",
    "RequestCancelActivityTaskFailed": "activityId",
    "ScheduleLambdaFunctionFailed": "id",
    "StartTimerFailed": "timerId",
    "CancelTimerFailed": "timerId",
    "StartChildWorkflowExecutionFailed": "workflowId",
    "RequestCancelExternalWorkflowExecutionFailed": "workflowId",
    "SignalExternalWorkflowExecutionFailed": "workflowId",
    "RecordMarkerFailed": "markerName",
    "CompleteWorkflowExecutionFailed": "",
    "FailWorkflowExecutionFailed": "",
    "CancelWorkflowExecutionFailed": "",
    "ContinueAsNewWorkflowExecutionFailed": "",
}
_OTHERS: dict[str, Callable[[Survey, Json, float], None]] = {
    "WorkflowExecutionStarted": Survey._execution_started,
    "WorkflowExecutionCancelRequested": Survey._cancel_requested,
    "DecisionTaskCompleted": Survey._decision_completed,
    "DecisionTaskTimedOut": Survey._decision_timed_out,
    "ActivityTaskCancelRequested": Survey._activity_cancelling,
    "RequestCancelExternalWorkflowExecutionInitiated": Survey._child_cancelling,
}
