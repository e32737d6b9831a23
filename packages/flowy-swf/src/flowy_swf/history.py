"""The service's history of an execution, read for the machine.

One table covers every type of event. Each becomes events of the machine, or changes what is known
to be open, or deliberately neither. Whatever is optional in an event may be missing. A history that
cannot be one is refused: from the wrong events come wrong decisions.

What the service refused to do has no event of its own in the machine. A refusal that passes leaves
the call in `throttled`, until a timer is started for it: the same timer that delays an attempt, so
that the machine sees a delay and nothing else. Any other refusal is an attempt that failed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from flowy import events
from flowy.events import (
    CallId,
    CancelRequested,
    Event,
    MarkerRecorded,
    SignalReceived,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskTimedOut,
    TimerFired,
    TimerStarted,
)
from flowy.execution import HistoryError
from flowy.run import UNKNOWN_INPUT, Dependency
from flowy_swf.calls import Log
from flowy_swf.causes import PASSING, UNHANDLED, meaning
from flowy_swf.failures import Failure, shortened
from flowy_swf.payloads import PayloadStore, unpack

logger = logging.getLogger("flowy.swf")

Json = Mapping[str, Any]
#: what an execution or a task without an input was given
NO_INPUT = "[[], {}]"
#: what a task without a result returned
NO_RESULT = "null"
#: ends the ids of timers that delay an attempt
DELAY = ":t"
#: begins the ids of timers that do nothing but bring about another decision
AGAIN = "again-"
#: how many characters of an event's attributes an error tells
_TOLD = 1000


class Child(NamedTuple):
    """An open child workflow."""

    call: CallId
    workflow_id: str


class History:
    """What is known of an execution from the events added so far.

    Parameters
    ----------
    store
        where payloads are that the service did not take.
    dependencies
        what the workflow may call, by name.
    log
        where to say what is odd.
    """

    def __init__(
        self,
        store: PayloadStore | None = None,
        dependencies: Mapping[str, Dependency] = MappingProxyType({}),
        log: Log = logger,
    ) -> None:
        self._store = store
        self._dependencies = dependencies
        self._log = log
        #: the attributes of WorkflowExecutionStarted
        self.started: Json = {}
        #: the payload of the execution's input
        self.input = NO_INPUT
        #: the id of the last event
        self.last_id = 0
        #: what the machine is to take in, in order
        self.events: list[Event] = []
        #: how many of these were there at the last decision that was completed; None if none was
        self.replayed: int | None = None
        #: open activities by the id of the event that scheduled them
        self.activities: dict[int, CallId] = {}
        #: open children by the id of the event that initiated them
        self.children: dict[int, Child] = {}
        #: open Lambda tasks by the id of the event that scheduled them
        self.lambdas: dict[int, CallId] = {}
        #: open timers by their ids, with their calls if they delay one
        self.timers: dict[str, CallId | None] = {}
        #: calls that the service refused for now and no timer waits for, with how often it did
        self.throttled: dict[CallId, int] = {}
        #: how often in a row a timer was refused for now
        self.timers_refused = 0
        #: how often in a row the closing of the execution was refused
        self.closing_refused = 0
        #: the cause of the last such refusal, until a timer waits for it
        self.closing_cause = ""
        #: whether somebody asked the execution to stop
        self.cancel_requested = False
        #: open tasks that were asked to stop: the ids of the events that scheduled them
        self.cancelling: set[int] = set()
        #: how often asking children to stop was refused for now
        self.cancelling_refused = 0
        #: whether that is to be tried again and no timer waits for it
        self.cancelling_throttled = False
        #: the id of the DecisionTaskStarted event that came last
        self.decision_started = 0
        self._at_decision: dict[int, int] = {}
        self._refusals: dict[CallId, int] = {}
        self._inputs: dict[tuple[str, int], str] = {}
        #: the activities, children and Lambda tasks of the history, also those that are over
        self._calls: dict[int, CallId] = {}

    def add_all(self, happened: Iterable[Json]) -> None:
        """Take events in; see `add`."""
        for event in happened:
            self.add(event)

    def add(self, event: Json) -> None:
        """Take the next event in.

        Raises
        ------
        HistoryError
            it is not the next one, lacks what it cannot be without, or contradicts those before.
        """
        try:
            event_id, event_type = event["eventId"], event["eventType"]
            handler = TABLE.get(event_type)
        except (KeyError, TypeError):
            raise HistoryError(f"an event without id or type: {event!r}") from None
        if event_id != self.last_id + 1:
            raise HistoryError(
                f"the history is not whole: event {event_id!r} ({event_type}) follows event "
                f"{self.last_id}; events are missing or come twice"
            )
        if (event_id == 1) != (event_type == "WorkflowExecutionStarted"):
            raise HistoryError(
                f"event {event_id} is {event_type}, but a history begins with "
                "WorkflowExecutionStarted and has no other"
            )
        self.last_id = event_id
        if handler is None:
            self._log.warning(
                "event %s is of type %s, which this version of Flowy does not know; it is passed "
                "over",
                event_id,
                event_type,
            )
            return
        attributes = event.get(f"{event_type[0].lower()}{event_type[1:]}EventAttributes", {})
        try:
            handler(self, event_id, attributes)
        except HistoryError as exc:
            raise HistoryError(f"event {event_id} ({event_type}): {exc}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise HistoryError(
                f"event {event_id} ({event_type}) cannot be read: {type(exc).__name__}: {exc}; "
                f"its attributes are {shortened(repr(attributes), _TOLD)}"
            ) from exc

    @property
    def open_calls(self) -> int:
        """How many calls have an activity, a child, a Lambda task or a delay open."""
        delays = sum(call is not None for call in self.timers.values())
        return len(self.activities) + len(self.children) + len(self.lambdas) + delays

    def check_decision(self, started_id: int) -> None:
        """Raise HistoryError unless the history holds this decision's beginning."""
        if self.decision_started < started_id:
            raise HistoryError(
                f"the history is not whole: it ends with event {self.last_id}, and the decision "
                f"began with event {started_id}"
            )

    # --- what events have in common ------------------------------------------------------------

    def _unpacked(self, payload: str | None, default: str) -> str:
        return default if payload is None else unpack(payload, self._store)

    def _scheduled(self, event_id: int, call_id: str, kind: str, payload: str | None) -> CallId:
        call = _parse(call_id)
        self._calls[event_id] = call
        input = self._unpacked(payload, NO_INPUT)
        self._inputs[call.name, call.number] = input
        self.throttled.pop(call, None)
        self.events.append(TaskScheduled(call, input, kind))
        return call

    def _call(self, attributes: Json, member: str) -> CallId:
        call = self._calls.get(attributes[member])
        if call is None:
            raise HistoryError(
                f"it refers to event {attributes[member]!r}, which scheduled nothing: events are "
                "missing"
            )
        return call

    def _over(self, attributes: Json, member: str) -> CallId:
        """Return the call of a task that is over now."""
        call = self._call(attributes, member)
        scheduled_id = attributes[member]
        open_tasks: dict[int, Any]
        for open_tasks in (self.activities, self.children, self.lambdas):
            if open_tasks.pop(scheduled_id, None) is not None:
                break
        else:
            raise HistoryError(f"the task of event {scheduled_id} was over before")
        self.cancelling.discard(scheduled_id)
        return call

    def _failed(self, call: CallId, reason: str | None, details: str | None) -> None:
        failure = Failure.read(reason, details)
        self.events.append(TaskFailed(call, *failure))

    def _refused(self, call: CallId, kind: str, cause: str) -> None:
        """Take in that the service did not schedule an attempt."""
        if self._is_open(call):
            self._log.warning("%s was refused (%s) and is open already; it goes on", call, cause)
            return
        if cause in PASSING:
            self._refusals[call] = self.throttled[call] = self._refusals.get(call, 0) + 1
            return
        input = self._inputs.get((call.name, call.number), UNKNOWN_INPUT)
        self.events.append(TaskScheduled(call, input, kind))
        self.events.append(TaskFailed(call, cause, meaning(cause)))

    def _is_open(self, call: CallId) -> bool:
        return (
            call in self.activities.values()
            or call in self.lambdas.values()
            or any(child.call == call for child in self.children.values())
            or call in self.timers.values()
        )

    # --- the table's entries -------------------------------------------------------------------

    def _nothing(self, event_id: int, attributes: Json) -> None:
        """Pass over: the machine need not know, or it comes after the last decision."""

    def _execution_started(self, event_id: int, attributes: Json) -> None:
        self.started = attributes
        self.input = self._unpacked(attributes.get("input"), NO_INPUT)

    def _cancel_requested(self, event_id: int, attributes: Json) -> None:
        self.cancel_requested = True
        self.events.append(CancelRequested(attributes.get("cause", "")))

    def _closing_refused(self, event_id: int, attributes: Json) -> None:
        cause = attributes.get("cause", "")
        if cause != UNHANDLED:
            self.closing_refused += 1
            self.closing_cause = cause

    def _decision_started(self, event_id: int, attributes: Json) -> None:
        self.decision_started = event_id
        self._at_decision[event_id] = len(self.events)

    def _decision_completed(self, event_id: int, attributes: Json) -> None:
        self.replayed = self._at_decision.get(attributes["startedEventId"], self.replayed)

    def _activity_scheduled(self, event_id: int, attributes: Json) -> None:
        self.activities[event_id] = self._scheduled(
            event_id, attributes["activityId"], "activity", attributes.get("input")
        )

    def _activity_refused(self, event_id: int, attributes: Json) -> None:
        self._refused(_parse(attributes["activityId"]), "activity", attributes.get("cause", ""))

    def _task_started(self, event_id: int, attributes: Json) -> None:
        call = self._call(attributes, "scheduledEventId")
        self.events.append(TaskStarted(call, attributes.get("identity", "")))

    def _task_completed(self, event_id: int, attributes: Json) -> None:
        call = self._over(attributes, "scheduledEventId")
        self.events.append(TaskCompleted(call, self._unpacked(attributes.get("result"), NO_RESULT)))

    def _task_failed(self, event_id: int, attributes: Json) -> None:
        call = self._over(attributes, "scheduledEventId")
        self._failed(call, attributes.get("reason"), attributes.get("details"))

    def _task_timed_out(self, event_id: int, attributes: Json) -> None:
        call = self._over(attributes, "scheduledEventId")
        self.events.append(TaskTimedOut(call, attributes.get("timeoutType", "START_TO_CLOSE")))

    def _activity_cancelled(self, event_id: int, attributes: Json) -> None:
        call = self._over(attributes, "scheduledEventId")
        self.events.append(events.TaskCancelled(call, attributes.get("details", "")))

    def _activity_cancel_requested(self, event_id: int, attributes: Json) -> None:
        self.cancelling.update(self._activity_events(attributes))

    def _activity_cancel_refused(self, event_id: int, attributes: Json) -> None:
        # It is over, and the event that says so comes before this one; or nobody may stop it.
        self.cancelling.update(self._activity_events(attributes))

    def _activity_events(self, attributes: Json) -> list[int]:
        call = _parse(attributes["activityId"])
        return [scheduled_id for scheduled_id, each in self.activities.items() if each == call]

    def _signalled(self, event_id: int, attributes: Json) -> None:
        # Not unpacked: workflows take no signals yet, and whoever may send one must not be able to
        # stop an execution with one that cannot be.
        self.events.append(
            SignalReceived(attributes.get("signalName", ""), attributes.get("input"))
        )

    def _marker_recorded(self, event_id: int, attributes: Json) -> None:
        self.events.append(
            MarkerRecorded(attributes.get("markerName", ""), attributes.get("details"))
        )

    def _timer_started(self, event_id: int, attributes: Json) -> None:
        timer_id = attributes["timerId"]
        call = self.timers[timer_id] = _delayed_call(timer_id)
        self.timers_refused = 0
        if call is not None:
            self.throttled.pop(call, None)
            self.events.append(TimerStarted(call, float(attributes["startToFireTimeout"])))
        elif timer_id.startswith(AGAIN):
            self.closing_cause = ""
            self.cancelling_throttled = False

    def _timer_refused(self, event_id: int, attributes: Json) -> None:
        timer_id, cause = attributes["timerId"], attributes.get("cause", "")
        call = _delayed_call(timer_id)
        if call is None or cause in PASSING:
            self.timers_refused += 1
        else:
            self.throttled.pop(call, None)
            dependency = self._dependencies.get(call.name)
            self._refused(call, dependency.kind if dependency else "activity", cause)

    def _timer_fired(self, event_id: int, attributes: Json) -> None:
        call = self._timer_over(attributes)
        if call is not None:
            self.events.append(TimerFired(call))

    def _timer_cancelled(self, event_id: int, attributes: Json) -> None:
        self._timer_over(attributes)

    def _timer_over(self, attributes: Json) -> CallId | None:
        timer_id = attributes["timerId"]
        if timer_id not in self.timers:
            raise HistoryError(f"no open timer has the id {timer_id!r}: events are missing")
        return self.timers.pop(timer_id)

    def _child_initiated(self, event_id: int, attributes: Json) -> None:
        workflow_id = attributes["workflowId"]
        call_id = workflow_id.rpartition(":")[2]
        call = self._scheduled(event_id, call_id, "workflow", attributes.get("input"))
        self.children[event_id] = Child(call, workflow_id)

    def _child_refused(self, event_id: int, attributes: Json) -> None:
        call = _parse(attributes["workflowId"].rpartition(":")[2])
        initiated_id = attributes.get("initiatedEventId")
        if initiated_id in self.children:
            self.children.pop(initiated_id)
            self.cancelling.discard(initiated_id)
        self._refused(call, "workflow", attributes.get("cause", ""))

    def _child_started(self, event_id: int, attributes: Json) -> None:
        call = self._call(attributes, "initiatedEventId")
        run_id = attributes.get("workflowExecution", {}).get("runId", "")
        self.events.append(TaskStarted(call, run_id))

    def _child_completed(self, event_id: int, attributes: Json) -> None:
        call = self._over(attributes, "initiatedEventId")
        self.events.append(TaskCompleted(call, self._unpacked(attributes.get("result"), NO_RESULT)))

    def _child_failed(self, event_id: int, attributes: Json) -> None:
        call = self._over(attributes, "initiatedEventId")
        self._failed(call, attributes.get("reason"), attributes.get("details"))

    def _child_timed_out(self, event_id: int, attributes: Json) -> None:
        call = self._over(attributes, "initiatedEventId")
        self.events.append(TaskTimedOut(call, attributes.get("timeoutType", "START_TO_CLOSE")))

    def _child_cancelled(self, event_id: int, attributes: Json) -> None:
        call = self._over(attributes, "initiatedEventId")
        self.events.append(events.TaskCancelled(call, attributes.get("details", "")))

    def _child_terminated(self, event_id: int, attributes: Json) -> None:
        call = self._over(attributes, "initiatedEventId")
        self.events.append(TaskFailed(call, "Terminated", "the workflow was terminated"))

    def _child_cancel_initiated(self, event_id: int, attributes: Json) -> None:
        for initiated_id, child in self.children.items():
            if child.workflow_id == attributes["workflowId"]:
                self.cancelling.add(initiated_id)

    def _child_cancel_refused(self, event_id: int, attributes: Json) -> None:
        for initiated_id, child in self.children.items():
            if child.workflow_id == attributes["workflowId"]:
                if attributes.get("cause", "") in PASSING:
                    self.cancelling.discard(initiated_id)
                    self.cancelling_throttled = True
                    self.cancelling_refused += 1
                else:
                    # Nobody may stop it; then it goes on without this workflow.
                    self.cancelling.add(initiated_id)

    def _lambda_scheduled(self, event_id: int, attributes: Json) -> None:
        self.lambdas[event_id] = self._scheduled(
            event_id, attributes["id"], "lambda", attributes.get("input")
        )

    def _lambda_refused(self, event_id: int, attributes: Json) -> None:
        self._refused(_parse(attributes["id"]), "lambda", attributes.get("cause", ""))

    def _lambda_not_started(self, event_id: int, attributes: Json) -> None:
        call = self._over(attributes, "scheduledEventId")
        cause = attributes.get("cause", "")
        told = attributes.get("message")
        message = f"{meaning(cause)}: {told}" if told else meaning(cause)
        self.events.append(TaskFailed(call, cause, message))


def _parse(call_id: str) -> CallId:
    try:
        return CallId.parse(call_id)
    except ValueError as exc:
        raise HistoryError(f"this is no execution of Flowy: {exc}") from None


def _delayed_call(timer_id: str) -> CallId | None:
    """Return the call that a timer delays, or None if it is another timer."""
    if not timer_id.endswith(DELAY):
        return None
    try:
        return CallId.parse(timer_id.removesuffix(DELAY))
    except ValueError:
        return None


Handler = Callable[[History, int, Json], None]
_IGNORE = History._nothing

TABLE: dict[str, Handler] = {
    "WorkflowExecutionStarted": History._execution_started,
    "WorkflowExecutionCancelRequested": History._cancel_requested,
    "WorkflowExecutionSignaled": History._signalled,
    # An execution that is closed is decided no more.
    "WorkflowExecutionCompleted": _IGNORE,
    "WorkflowExecutionFailed": _IGNORE,
    "WorkflowExecutionTimedOut": _IGNORE,
    "WorkflowExecutionCanceled": _IGNORE,
    "WorkflowExecutionContinuedAsNew": _IGNORE,
    "WorkflowExecutionTerminated": _IGNORE,
    "CompleteWorkflowExecutionFailed": History._closing_refused,
    "FailWorkflowExecutionFailed": History._closing_refused,
    "CancelWorkflowExecutionFailed": History._closing_refused,
    "ContinueAsNewWorkflowExecutionFailed": History._closing_refused,
    "DecisionTaskScheduled": _IGNORE,
    "DecisionTaskStarted": History._decision_started,
    "DecisionTaskCompleted": History._decision_completed,
    "DecisionTaskTimedOut": _IGNORE,
    "ActivityTaskScheduled": History._activity_scheduled,
    "ScheduleActivityTaskFailed": History._activity_refused,
    "ActivityTaskStarted": History._task_started,
    "ActivityTaskCompleted": History._task_completed,
    "ActivityTaskFailed": History._task_failed,
    "ActivityTaskTimedOut": History._task_timed_out,
    "ActivityTaskCanceled": History._activity_cancelled,
    "ActivityTaskCancelRequested": History._activity_cancel_requested,
    "RequestCancelActivityTaskFailed": History._activity_cancel_refused,
    "MarkerRecorded": History._marker_recorded,
    # Flowy records no markers yet, so nothing waits for one.
    "RecordMarkerFailed": _IGNORE,
    "TimerStarted": History._timer_started,
    "StartTimerFailed": History._timer_refused,
    "TimerFired": History._timer_fired,
    "TimerCanceled": History._timer_cancelled,
    # It fired meanwhile, and the event that says so comes before this one.
    "CancelTimerFailed": _IGNORE,
    "StartChildWorkflowExecutionInitiated": History._child_initiated,
    "StartChildWorkflowExecutionFailed": History._child_refused,
    "ChildWorkflowExecutionStarted": History._child_started,
    "ChildWorkflowExecutionCompleted": History._child_completed,
    "ChildWorkflowExecutionFailed": History._child_failed,
    "ChildWorkflowExecutionTimedOut": History._child_timed_out,
    "ChildWorkflowExecutionCanceled": History._child_cancelled,
    "ChildWorkflowExecutionTerminated": History._child_terminated,
    # Flowy sends no signals yet.
    "SignalExternalWorkflowExecutionInitiated": _IGNORE,
    "SignalExternalWorkflowExecutionFailed": _IGNORE,
    "ExternalWorkflowExecutionSignaled": _IGNORE,
    "RequestCancelExternalWorkflowExecutionInitiated": History._child_cancel_initiated,
    "RequestCancelExternalWorkflowExecutionFailed": History._child_cancel_refused,
    "ExternalWorkflowExecutionCancelRequested": _IGNORE,
    "LambdaFunctionScheduled": History._lambda_scheduled,
    "ScheduleLambdaFunctionFailed": History._lambda_refused,
    "LambdaFunctionStarted": History._task_started,
    "StartLambdaFunctionFailed": History._lambda_not_started,
    "LambdaFunctionCompleted": History._task_completed,
    "LambdaFunctionFailed": History._task_failed,
    "LambdaFunctionTimedOut": History._task_timed_out,
}
