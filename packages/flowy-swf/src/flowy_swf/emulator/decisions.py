"""The thirteen decisions: what each writes, and how each can fail.

A decision is a function that writes its events and gives None, or gives the cause of its failure
and has written nothing. Failures are written in one place, by one table. What a decision does to
other executions happens after the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flowy_swf.emulator import faults, lifecycle, tasks
from flowy_swf.emulator.execution import Execution, Task, present
from flowy_swf.emulator.model import Json, member_of
from flowy_swf.emulator.state import State
from flowy_swf.emulator.tasks import record

#: Decisions that close the execution; each must be the last of its batch.
_CLOSING = frozenset(
    {
        "CompleteWorkflowExecution",
        "FailWorkflowExecution",
        "CancelWorkflowExecution",
        "ContinueAsNewWorkflowExecution",
    }
)

#: The members of a decision that the event of its failure repeats.
_REPEATED: dict[str, tuple[str, ...]] = {
    "ScheduleActivityTask": ("activityType", "activityId"),
    "RequestCancelActivityTask": ("activityId",),
    "RecordMarker": ("markerName",),
    "StartTimer": ("timerId",),
    "CancelTimer": ("timerId",),
    "StartChildWorkflowExecution": ("workflowType", "workflowId", "control"),
    "SignalExternalWorkflowExecution": ("workflowId", "runId", "control"),
    "RequestCancelExternalWorkflowExecution": ("workflowId", "runId", "control"),
    "ScheduleLambdaFunction": ("id", "name"),
}
#: The failures that name the event that initiated the attempt, or 0 when it did not come to that.
_INITIATED = frozenset(
    {
        "StartChildWorkflowExecution",
        "SignalExternalWorkflowExecution",
        "RequestCancelExternalWorkflowExecution",
    }
)

_ACTIVITY_SETTINGS = (
    ("taskList", "defaultTaskList", "DEFAULT_TASK_LIST_UNDEFINED"),
    (
        "scheduleToCloseTimeout",
        "defaultTaskScheduleToCloseTimeout",
        "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED",
    ),
    (
        "scheduleToStartTimeout",
        "defaultTaskScheduleToStartTimeout",
        "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED",
    ),
    (
        "startToCloseTimeout",
        "defaultTaskStartToCloseTimeout",
        "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED",
    ),
    (
        "heartbeatTimeout",
        "defaultTaskHeartbeatTimeout",
        "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED",
    ),
)
_LAMBDA_TIMEOUT = "900"


def check(decisions: list[Json]) -> None:
    """Refuse a batch in which something follows a closing decision."""
    if any(decision["decisionType"] in _CLOSING for decision in decisions[:-1]):
        raise faults.invalid("Close must be last decision in list")


def carry_out(state: State, execution: Execution, decision: Json, completed_id: int) -> None:
    """Carry out a decision, or write why it failed."""
    kind = decision["decisionType"]
    attributes = decision[member_of(kind, "Decision")]
    cause = state.injection.next_cause(kind)
    if cause is None:
        cause = _DECISIONS[kind](state, execution, attributes, completed_id)
    if cause is not None:
        _fail(state, execution, kind, attributes, completed_id, cause)


def _fail(
    state: State,
    execution: Execution,
    kind: str,
    attributes: Json,
    completed_id: int,
    cause: str,
    initiated_id: int = 0,
) -> None:
    event = {member: attributes.get(member) for member in _REPEATED.get(kind, ())}
    if kind in _INITIATED:
        event["initiatedEventId"] = initiated_id
    record(
        state,
        execution,
        f"{kind}Failed",
        cause=cause,
        decisionTaskCompletedEventId=completed_id,
        **event,
    )


def _schedule_activity(
    state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    registered = state.domain(execution.domain).find_type("activity", attributes["activityType"])
    if registered is None:
        return "ACTIVITY_TYPE_DOES_NOT_EXIST"
    if registered.deprecation is not None:
        return "ACTIVITY_TYPE_DEPRECATED"
    if attributes["activityId"] in execution.activity_ids:
        return "ACTIVITY_ID_ALREADY_IN_USE"
    if len(execution.activities) >= state.quotas.open_activities:
        return "OPEN_ACTIVITIES_LIMIT_EXCEEDED"
    optional = (("taskPriority", "defaultTaskPriority"),)
    try:
        settings = lifecycle.settings(_ACTIVITY_SETTINGS, optional, attributes, registered)
    except lifecycle.UndefinedError as undefined:
        return undefined.cause
    scheduled_id = record(
        state,
        execution,
        "ActivityTaskScheduled",
        **{**attributes, **settings, "decisionTaskCompletedEventId": completed_id},
    )
    tasks.enqueue(state, execution.activities[scheduled_id])
    return None


def _cancel_activity(
    state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    scheduled_id = execution.activity_ids.get(attributes["activityId"])
    if scheduled_id is None:
        return "ACTIVITY_ID_UNKNOWN"
    task = execution.activities[scheduled_id]
    record(
        state,
        execution,
        "ActivityTaskCancelRequested",
        activityId=attributes["activityId"],
        decisionTaskCompletedEventId=completed_id,
    )
    if not task.started_id:
        cancel_id = task.cancel_requested_id
        tasks.finish(state, task, "Canceled", latestCancelRequestedEventId=cancel_id)
    return None


def _record_marker(
    state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    attributes = {**attributes, "decisionTaskCompletedEventId": completed_id}
    record(state, execution, "MarkerRecorded", **attributes)
    return None


def _start_timer(
    state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    timer_id = attributes["timerId"]
    if timer_id in execution.timers:
        return "TIMER_ID_ALREADY_IN_USE"
    if len(execution.timers) >= state.quotas.open_timers:
        return "OPEN_TIMERS_LIMIT_EXCEEDED"
    attributes = {**attributes, "decisionTaskCompletedEventId": completed_id}
    record(state, execution, "TimerStarted", **attributes)
    fire = partial(_fire_timer, state, execution, timer_id)
    delay = int(attributes["startToFireTimeout"])
    execution.timer_alarms[timer_id] = state.timeline.set(delay, fire, prompt=True)
    return None


def _fire_timer(state: State, execution: Execution, timer_id: str) -> None:
    del execution.timer_alarms[timer_id]
    started_id = execution.timers[timer_id]
    record(state, execution, "TimerFired", timerId=timer_id, startedEventId=started_id)


def _cancel_timer(
    state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    timer_id = attributes["timerId"]
    if timer_id not in execution.timers:
        return "TIMER_ID_UNKNOWN"
    record(
        state,
        execution,
        "TimerCanceled",
        timerId=timer_id,
        startedEventId=execution.timers[timer_id],
        decisionTaskCompletedEventId=completed_id,
    )
    state.timeline.cancel(execution.timer_alarms.pop(timer_id))
    return None


def _signal_external(
    state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    attributes = _without_empty_run_id(attributes)
    initiated_id = record(
        state,
        execution,
        "SignalExternalWorkflowExecutionInitiated",
        **{**attributes, "decisionTaskCompletedEventId": completed_id},
    )

    def deliver(target: Execution) -> None:
        record(
            state,
            target,
            "WorkflowExecutionSignaled",
            signalName=attributes["signalName"],
            input=attributes.get("input"),
            externalWorkflowExecution=execution.ids,
            externalInitiatedEventId=initiated_id,
        )

    kind = "SignalExternalWorkflowExecution"
    event = "ExternalWorkflowExecutionSignaled"
    _reach(state, execution, kind, event, attributes, completed_id, initiated_id, deliver)
    return None


def _cancel_external(
    state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    attributes = _without_empty_run_id(attributes)
    initiated_id = record(
        state,
        execution,
        "RequestCancelExternalWorkflowExecutionInitiated",
        **{**attributes, "decisionTaskCompletedEventId": completed_id},
    )

    def deliver(target: Execution) -> None:
        lifecycle.request_cancel(state, target, source=execution.ids, initiated_id=initiated_id)

    kind = "RequestCancelExternalWorkflowExecution"
    event = "ExternalWorkflowExecutionCancelRequested"
    _reach(state, execution, kind, event, attributes, completed_id, initiated_id, deliver)
    return None


def _without_empty_run_id(attributes: Json) -> Json:
    return {name: value for name, value in attributes.items() if (name, value) != ("runId", "")}


def _reach(
    state: State,
    execution: Execution,
    kind: str,
    event_type: str,
    attributes: Json,
    completed_id: int,
    initiated_id: int,
    deliver: Callable[[Execution], None],
) -> None:
    """Reach another execution once the batch is done, and tell this one how that went."""

    def reach() -> None:
        run_id = attributes.get("runId", "")
        target = state.open_execution(execution.domain, attributes["workflowId"], run_id)
        if target is None:
            cause = "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"
            _fail(state, execution, kind, attributes, completed_id, cause, initiated_id)
            return
        state.attempt(partial(deliver, target))
        record(
            state,
            execution,
            event_type,
            workflowExecution=target.ids,
            initiatedEventId=initiated_id,
        )

    state.later(reach)


def _start_child(
    state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    domain = state.domain(execution.domain)
    registered = domain.find_type("workflow", attributes["workflowType"])
    if registered is None:
        return "WORKFLOW_TYPE_DOES_NOT_EXIST"
    if registered.deprecation is not None:
        return "WORKFLOW_TYPE_DEPRECATED"
    if len(execution.children) >= state.quotas.open_children:
        return "OPEN_CHILDREN_LIMIT_EXCEEDED"
    if len(state.open[execution.domain]) >= state.quotas.open_executions:
        return "OPEN_WORKFLOWS_LIMIT_EXCEEDED"
    try:
        settings = lifecycle.execution_settings(attributes, registered)
    except lifecycle.UndefinedError as undefined:
        return undefined.cause
    initiated_id = record(
        state,
        execution,
        "StartChildWorkflowExecutionInitiated",
        workflowId=attributes["workflowId"],
        control=attributes.get("control"),
        decisionTaskCompletedEventId=completed_id,
        **settings,
    )

    def start() -> None:
        workflow_id = attributes["workflowId"]
        if workflow_id in state.open[execution.domain]:
            kind, cause = "StartChildWorkflowExecution", "WORKFLOW_ALREADY_RUNNING"
            _fail(state, execution, kind, attributes, completed_id, cause, initiated_id)
            return
        parent = {
            "parentWorkflowExecution": execution.ids,
            "parentInitiatedEventId": initiated_id,
        }
        child = lifecycle.start(state, execution.domain, workflow_id, settings, parent=parent)
        record(
            state,
            execution,
            "ChildWorkflowExecutionStarted",
            workflowExecution=child.ids,
            workflowType=registered.ids,
            initiatedEventId=initiated_id,
        )

    state.later(start)
    return None


def _schedule_lambda(
    state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    if attributes["id"] in execution.lambda_ids:
        return "ID_ALREADY_IN_USE"
    if len(execution.lambdas) >= state.quotas.open_lambdas:
        return "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED"
    attributes = {"startToCloseTimeout": _LAMBDA_TIMEOUT, **attributes}
    attributes["decisionTaskCompletedEventId"] = completed_id
    scheduled_id = record(state, execution, "LambdaFunctionScheduled", **attributes)
    state.later(partial(_start_lambda, state, execution.lambdas[scheduled_id]))
    return None


def _start_lambda(state: State, task: Task) -> None:
    execution = task.execution
    if "lambdaRole" not in execution.started:
        record(
            state,
            execution,
            "StartLambdaFunctionFailed",
            scheduledEventId=task.scheduled_id,
            cause="ASSUME_ROLE_FAILED",
            message="the execution has no lambdaRole",
        )
        return
    tasks.start(state, task, None, None)

    def done(outcome: str, event: Json) -> None:
        with state.lock:
            state.touch()
            state.catch_up()
            if execution.is_open and execution.lambdas.get(task.scheduled_id) is task:
                state.attempt(partial(tasks.finish, state, task, outcome, **event))
            state.settle()

    state.lambdas.run(task.attributes, task.token[-36:], done)


def _unhandled(execution: Execution) -> bool:
    """Say whether something happened that the decider has not seen: a decision task waits."""
    return execution.waiting is not None


def _close(
    event_type: str, state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    if _unhandled(execution):
        return "UNHANDLED_DECISION"
    attributes = {**attributes, "decisionTaskCompletedEventId": completed_id}
    lifecycle.close(state, execution, event_type, **attributes)
    return None


def _continue_as_new(
    state: State, execution: Execution, attributes: Json, completed_id: int
) -> str | None:
    if _unhandled(execution):
        return "UNHANDLED_DECISION"
    ids = dict(execution.started["workflowType"])
    ids["version"] = attributes.get("workflowTypeVersion", ids["version"])
    registered = state.domain(execution.domain).find_type("workflow", ids)
    if registered is None:
        return "WORKFLOW_TYPE_DOES_NOT_EXIST"
    if registered.deprecation is not None:
        return "WORKFLOW_TYPE_DEPRECATED"
    try:
        settings = lifecycle.execution_settings(attributes, registered)
    except lifecycle.UndefinedError as undefined:
        return undefined.cause
    run_id = state.new_run_id()
    lifecycle.close(
        state,
        execution,
        "WorkflowExecutionContinuedAsNew",
        newExecutionRunId=run_id,
        decisionTaskCompletedEventId=completed_id,
        **settings,
    )
    parent = present(
        parentWorkflowExecution=execution.started.get("parentWorkflowExecution"),
        parentInitiatedEventId=execution.started["parentInitiatedEventId"],
    )
    lifecycle.start(
        state,
        execution.domain,
        execution.workflow_id,
        settings,
        run_id=run_id,
        parent=parent,
        continued_run_id=execution.run_id,
    )
    return None


_DECISIONS: dict[str, Callable[[State, Execution, Json, int], str | None]] = {
    "ScheduleActivityTask": _schedule_activity,
    "RequestCancelActivityTask": _cancel_activity,
    "RecordMarker": _record_marker,
    "StartTimer": _start_timer,
    "CancelTimer": _cancel_timer,
    "SignalExternalWorkflowExecution": _signal_external,
    "RequestCancelExternalWorkflowExecution": _cancel_external,
    "StartChildWorkflowExecution": _start_child,
    "ScheduleLambdaFunction": _schedule_lambda,
    "CompleteWorkflowExecution": partial(_close, "WorkflowExecutionCompleted"),
    "FailWorkflowExecution": partial(_close, "WorkflowExecutionFailed"),
    "CancelWorkflowExecution": partial(_close, "WorkflowExecutionCanceled"),
    "ContinueAsNewWorkflowExecution": _continue_as_new,
}
