"""An execution as a state machine whose only truth is its history.

1. `Execution.append` is the one way an execution changes: it writes an event.
2. What the service needs to look up (open activities, timers, children, the decision task, ...) are
   indexes beside the history. Only the functions in `_APPLY` change them, one for each event type,
   and they look at nothing but the event: `Execution.rebuild` makes the same indexes from a history
   alone.
3. A decision task is *waiting* from DecisionTaskScheduled on and *current* from
   DecisionTaskStarted on. There is one of each at most, so a second one can wait while the first
   is being decided, and never a third.
4. Nothing here knows of clocks, queues, time-outs or other executions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flowy_swf.emulator import tokens
from flowy_swf.emulator.clock import Alarm
from flowy_swf.emulator.model import Json, member_of

#: The events that close an execution, and the close status each gives.
CLOSE_STATUS = {
    "WorkflowExecutionCompleted": "COMPLETED",
    "WorkflowExecutionFailed": "FAILED",
    "WorkflowExecutionCanceled": "CANCELED",
    "WorkflowExecutionTerminated": "TERMINATED",
    "WorkflowExecutionContinuedAsNew": "CONTINUED_AS_NEW",
    "WorkflowExecutionTimedOut": "TIMED_OUT",
}

#: The events that a decider must see, so that each asks for a decision task.
WAKING = frozenset(
    {
        "WorkflowExecutionStarted",
        "WorkflowExecutionSignaled",
        "WorkflowExecutionCancelRequested",
        "DecisionTaskTimedOut",
        "ActivityTaskCompleted",
        "ActivityTaskFailed",
        "ActivityTaskTimedOut",
        "ActivityTaskCanceled",
        "TimerFired",
        "ChildWorkflowExecutionStarted",
        "ChildWorkflowExecutionCompleted",
        "ChildWorkflowExecutionFailed",
        "ChildWorkflowExecutionTimedOut",
        "ChildWorkflowExecutionCanceled",
        "ChildWorkflowExecutionTerminated",
        "ExternalWorkflowExecutionSignaled",
        "ExternalWorkflowExecutionCancelRequested",
        "LambdaFunctionCompleted",
        "LambdaFunctionFailed",
        "LambdaFunctionTimedOut",
        "StartLambdaFunctionFailed",
        "ScheduleActivityTaskFailed",
        "RequestCancelActivityTaskFailed",
        "StartTimerFailed",
        "CancelTimerFailed",
        "RecordMarkerFailed",
        "StartChildWorkflowExecutionFailed",
        "SignalExternalWorkflowExecutionFailed",
        "RequestCancelExternalWorkflowExecutionFailed",
        "ScheduleLambdaFunctionFailed",
        "CompleteWorkflowExecutionFailed",
        "FailWorkflowExecutionFailed",
        "CancelWorkflowExecutionFailed",
        "ContinueAsNewWorkflowExecutionFailed",
    }
)


class Task:
    """Work that is open: an activity, a decision or a Lambda function.

    ``attributes`` are those of the event that scheduled it. Alarms, the queue and the caller that
    works on it belong to the service, not to the history.
    """

    __slots__ = (
        "alarms",
        "attributes",
        "caller",
        "cancel_requested_id",
        "details",
        "execution",
        "kind",
        "queued",
        "scheduled_id",
        "started_id",
    )

    def __init__(self, kind: str, execution: Execution, scheduled_id: int, attributes: Json):
        self.kind = kind
        self.execution = execution
        self.scheduled_id = scheduled_id
        self.attributes = attributes
        self.started_id = 0
        self.cancel_requested_id = 0
        self.details: str | None = None
        self.alarms: dict[str, Alarm] = {}
        self.queued = False
        self.caller: object = None

    @property
    def token(self) -> str:
        """Name this start of the task; opaque to those who get it."""
        return tokens.write(self.kind, [self.execution.run_id, self.scheduled_id, self.started_id])


class Child:
    """A child execution that is open, or about to be started."""

    __slots__ = ("initiated_id", "run_id", "started_id", "workflow_id")

    def __init__(self, initiated_id: int, workflow_id: str) -> None:
        self.initiated_id = initiated_id
        self.workflow_id = workflow_id
        self.run_id = ""
        self.started_id = 0


class Execution:
    """One run of a workflow."""

    def __init__(self, domain: str, workflow_id: str, run_id: str) -> None:
        self.domain = domain
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.events: list[Json] = []

        #: The attributes of WorkflowExecutionStarted.
        self.started: Json = {}
        self.start_time = 0
        #: Tells apart what started, or closed, in one millisecond.
        self.start_order = self.close_order = 0
        self.close_status: str | None = None
        self.close_time = 0
        self.cancel_requested = False
        self.activities: dict[int, Task] = {}
        self.activity_ids: dict[str, int] = {}
        self.lambdas: dict[int, Task] = {}
        self.lambda_ids: dict[str, int] = {}
        #: The started event of each open timer.
        self.timers: dict[str, int] = {}
        self.children: dict[int, Child] = {}
        self.waiting: Task | None = None
        self.current: Task | None = None
        self.previous_started_id = 0
        self.latest_context: str | None = None
        self.latest_activity_time = 0
        #: Where decision tasks go instead of the execution's own list, and for how long.
        self.override: Json | None = None
        self.override_timeout: str | None = None

        # The service's own: alarms that are not a task's, and the batch being decided.
        self.timer_alarms: dict[str, Alarm] = {}
        self.close_alarm: Alarm | None = None
        self.deciding = False
        self.wanted = False

    @classmethod
    def rebuild(cls, domain: str, ids: Json, events: Iterable[Json]) -> Execution:
        """Make an execution from a history in wire form. It has no alarms and is in no queue."""
        execution = cls(domain, ids["workflowId"], ids["runId"])
        for event in events:
            attributes = event[member_of(event["eventType"], "Event")]
            execution.append(round(event["eventTimestamp"] * 1000), event["eventType"], attributes)
        return execution

    @property
    def is_open(self) -> bool:
        """Say whether the execution still runs."""
        return self.close_status is None

    @property
    def ids(self) -> Json:
        """Give the execution's name as the service writes it."""
        return {"workflowId": self.workflow_id, "runId": self.run_id}

    @property
    def task_list(self) -> Json:
        """Give the list for the execution's next decision task."""
        task_list: Json = self.override or self.started["taskList"]
        return task_list

    def append(self, now: int, event_type: str, attributes: Json) -> int:
        """Write an event, bring the indexes up to date and give the event's id."""
        event_id = len(self.events) + 1
        self.events.append(
            {
                "eventTimestamp": now / 1000,
                "eventType": event_type,
                "eventId": event_id,
                member_of(event_type, "Event"): attributes,
            }
        )
        apply = _APPLY.get(event_type)
        if apply is not None:
            apply(self, event_id, attributes)
        if event_type in CLOSE_STATUS:
            self.close_status = CLOSE_STATUS[event_type]
            self.close_time = now
        elif event_id == 1:
            self.started = attributes
            self.start_time = now
        return event_id

    def open_tasks(self) -> list[Task]:
        """Give the execution's open tasks of every kind."""
        decisions = [task for task in (self.current, self.waiting) if task is not None]
        return [*decisions, *self.activities.values(), *self.lambdas.values()]


_Apply = Callable[[Execution, int, Json], None]


def _decision_scheduled(execution: Execution, event_id: int, attributes: Json) -> None:
    execution.waiting = Task("decision", execution, event_id, attributes)


def _decision_started(execution: Execution, event_id: int, attributes: Json) -> None:
    task, execution.waiting = execution.waiting, None
    assert task is not None, "a decision task is scheduled before it is started"
    task.started_id = event_id
    execution.current = task


def _decision_completed(execution: Execution, event_id: int, attributes: Json) -> None:
    execution.current = None
    execution.previous_started_id = attributes["startedEventId"]
    execution.latest_context = attributes.get("executionContext")
    if "taskList" in attributes:
        execution.override = attributes["taskList"]
        timeout = attributes.get("taskListScheduleToStartTimeout", "NONE")
        execution.override_timeout = None if timeout == "NONE" else timeout


def _decision_timed_out(execution: Execution, event_id: int, attributes: Json) -> None:
    if attributes["startedEventId"]:
        execution.current = None
    else:
        execution.waiting = None
    if execution.override_timeout is not None:
        execution.override = execution.override_timeout = None


def _activity_scheduled(execution: Execution, event_id: int, attributes: Json) -> None:
    execution.activities[event_id] = Task("activity", execution, event_id, attributes)
    execution.activity_ids[attributes["activityId"]] = event_id
    execution.latest_activity_time = round(execution.events[-1]["eventTimestamp"] * 1000)


def _activity_started(execution: Execution, event_id: int, attributes: Json) -> None:
    execution.activities[attributes["scheduledEventId"]].started_id = event_id


def _activity_cancel_requested(execution: Execution, event_id: int, attributes: Json) -> None:
    scheduled_id = execution.activity_ids[attributes["activityId"]]
    execution.activities[scheduled_id].cancel_requested_id = event_id


def _activity_closed(execution: Execution, event_id: int, attributes: Json) -> None:
    task = execution.activities.pop(attributes["scheduledEventId"])
    del execution.activity_ids[task.attributes["activityId"]]


def _lambda_scheduled(execution: Execution, event_id: int, attributes: Json) -> None:
    execution.lambdas[event_id] = Task("lambda", execution, event_id, attributes)
    execution.lambda_ids[attributes["id"]] = event_id


def _lambda_started(execution: Execution, event_id: int, attributes: Json) -> None:
    execution.lambdas[attributes["scheduledEventId"]].started_id = event_id


def _lambda_closed(execution: Execution, event_id: int, attributes: Json) -> None:
    task = execution.lambdas.pop(attributes["scheduledEventId"])
    del execution.lambda_ids[task.attributes["id"]]


def _timer_started(execution: Execution, event_id: int, attributes: Json) -> None:
    execution.timers[attributes["timerId"]] = event_id


def _timer_closed(execution: Execution, event_id: int, attributes: Json) -> None:
    del execution.timers[attributes["timerId"]]


def _child_initiated(execution: Execution, event_id: int, attributes: Json) -> None:
    execution.children[event_id] = Child(event_id, attributes["workflowId"])


def _child_started(execution: Execution, event_id: int, attributes: Json) -> None:
    child = execution.children[attributes["initiatedEventId"]]
    child.started_id = event_id
    child.run_id = attributes["workflowExecution"]["runId"]


def _child_closed(execution: Execution, event_id: int, attributes: Json) -> None:
    # A child that could not even be initiated has no initiated event, and 0 stands for it.
    execution.children.pop(attributes["initiatedEventId"], None)


def _cancel_requested(execution: Execution, event_id: int, attributes: Json) -> None:
    execution.cancel_requested = True


_APPLY: dict[str, _Apply] = {
    "WorkflowExecutionCancelRequested": _cancel_requested,
    "DecisionTaskScheduled": _decision_scheduled,
    "DecisionTaskStarted": _decision_started,
    "DecisionTaskCompleted": _decision_completed,
    "DecisionTaskTimedOut": _decision_timed_out,
    "ActivityTaskScheduled": _activity_scheduled,
    "ActivityTaskStarted": _activity_started,
    "ActivityTaskCancelRequested": _activity_cancel_requested,
    "ActivityTaskCompleted": _activity_closed,
    "ActivityTaskFailed": _activity_closed,
    "ActivityTaskTimedOut": _activity_closed,
    "ActivityTaskCanceled": _activity_closed,
    "LambdaFunctionScheduled": _lambda_scheduled,
    "LambdaFunctionStarted": _lambda_started,
    "LambdaFunctionCompleted": _lambda_closed,
    "LambdaFunctionFailed": _lambda_closed,
    "LambdaFunctionTimedOut": _lambda_closed,
    "StartLambdaFunctionFailed": _lambda_closed,
    "TimerStarted": _timer_started,
    "TimerFired": _timer_closed,
    "TimerCanceled": _timer_closed,
    "StartChildWorkflowExecutionInitiated": _child_initiated,
    "StartChildWorkflowExecutionFailed": _child_closed,
    "ChildWorkflowExecutionStarted": _child_started,
    "ChildWorkflowExecutionCompleted": _child_closed,
    "ChildWorkflowExecutionFailed": _child_closed,
    "ChildWorkflowExecutionTimedOut": _child_closed,
    "ChildWorkflowExecutionCanceled": _child_closed,
    "ChildWorkflowExecutionTerminated": _child_closed,
}


def present(**attributes: Any) -> Json:
    """Leave out what is None: the service leaves members out rather than writing null."""
    return {name: value for name, value in attributes.items() if value is not None}
