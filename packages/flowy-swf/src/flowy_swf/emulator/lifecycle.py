"""How executions start and close, with what that means for their families."""

from __future__ import annotations

from functools import partial
from typing import Any

from flowy_swf.emulator import faults
from flowy_swf.emulator.execution import Execution, present
from flowy_swf.emulator.model import Json
from flowy_swf.emulator.registry import RegisteredType
from flowy_swf.emulator.state import State
from flowy_swf.emulator.tasks import record, seconds

#: Each setting an execution cannot do without: its name in requests and decisions, the default of
#: its type, and the cause when there is neither. In the order the service looks at them.
EXECUTION_SETTINGS = (
    (
        "executionStartToCloseTimeout",
        "defaultExecutionStartToCloseTimeout",
        "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED",
    ),
    ("taskList", "defaultTaskList", "DEFAULT_TASK_LIST_UNDEFINED"),
    (
        "taskStartToCloseTimeout",
        "defaultTaskStartToCloseTimeout",
        "DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED",
    ),
    ("childPolicy", "defaultChildPolicy", "DEFAULT_CHILD_POLICY_UNDEFINED"),
)
_OPTIONAL = (("taskPriority", "defaultTaskPriority"), ("lambdaRole", "defaultLambdaRole"))

#: What a parent is told when a child closes, and the members it is told of the closing event.
#: A child that continues as new has not closed for its parent.
_CHILD_CLOSED: dict[str, tuple[str, tuple[str, ...]]] = {
    "WorkflowExecutionCompleted": ("ChildWorkflowExecutionCompleted", ("result",)),
    "WorkflowExecutionFailed": ("ChildWorkflowExecutionFailed", ("reason", "details")),
    "WorkflowExecutionCanceled": ("ChildWorkflowExecutionCanceled", ("details",)),
    "WorkflowExecutionTimedOut": ("ChildWorkflowExecutionTimedOut", ("timeoutType",)),
    "WorkflowExecutionTerminated": ("ChildWorkflowExecutionTerminated", ()),
}


class UndefinedError(Exception):
    """A setting that neither the request nor the type defines."""

    def __init__(self, member: str, cause: str) -> None:
        super().__init__(member, cause)
        self.member = member
        self.cause = cause


def settings(
    table: tuple[tuple[str, str, str], ...],
    optional: tuple[tuple[str, str], ...],
    request: Json,
    registered: RegisteredType,
) -> Json:
    """Give the settings of a request, completed by the defaults of its type."""
    found: Json = {}
    for member, default, cause in table:
        value = request.get(member, registered.configuration.get(default))
        if value is None:
            raise UndefinedError(member, cause)
        found[member] = value
    for member, default in optional:
        value = request.get(member, registered.configuration.get(default))
        if value is not None:
            found[member] = value
    return found


def execution_settings(request: Json, registered: RegisteredType) -> Json:
    """Give what WorkflowExecutionStarted says of a request, completed by the type's defaults."""
    found = settings(EXECUTION_SETTINGS, _OPTIONAL, request, registered)
    found["workflowType"] = registered.ids
    for member in ("input", "tagList"):
        if request.get(member):
            found[member] = request[member]
    return found


def start(
    state: State,
    domain: str,
    workflow_id: str,
    attributes: Json,
    *,
    run_id: str = "",
    parent: Json | None = None,
    continued_run_id: str | None = None,
) -> Execution:
    """Start an execution: its first event, its time-out, its first decision task.

    ``parent`` holds parentWorkflowExecution and parentInitiatedEventId.
    """
    execution = Execution(domain, workflow_id, run_id or state.new_run_id())
    execution.start_order = next(state.order)
    state.runs[execution.run_id] = execution
    state.open.setdefault(domain, {})[workflow_id] = execution
    limit = seconds(attributes["executionStartToCloseTimeout"])
    if limit is not None:
        expire = partial(_time_out, state, execution)
        execution.close_alarm = state.timeline.set(limit, expire)
    started = {
        **attributes,
        **(parent or {"parentInitiatedEventId": 0}),
        **present(continuedExecutionRunId=continued_run_id),
    }
    record(state, execution, "WorkflowExecutionStarted", **started)
    return execution


def close(state: State, execution: Execution, event_type: str, **attributes: Any) -> None:
    """Write the closing event and let go of everything that was open."""
    record(state, execution, event_type, **attributes)
    alarms = [*execution.timer_alarms.values()]
    if execution.close_alarm is not None:
        alarms.append(execution.close_alarm)
    for task in execution.open_tasks():
        alarms += task.alarms.values()
        state.busy.discard(task)
        state.dequeue(task)
    for alarm in alarms:
        state.timeline.cancel(alarm)
    # What is still open stays in the counts of a closed execution, as it does in the service, but
    # there is no decision task any more.
    execution.waiting = execution.current = None
    state.keep_closed(execution)
    if event_type in _CHILD_CLOSED and "parentWorkflowExecution" in execution.started:
        state.later(partial(_tell_parent, state, execution, event_type, attributes))


def terminate(
    state: State,
    execution: Execution,
    cause: str,
    *,
    child_policy: str | None = None,
    reason: str | None = None,
    details: str | None = None,
) -> None:
    """Terminate an execution and apply the child policy."""
    policy = child_policy or execution.started["childPolicy"]
    close(
        state,
        execution,
        "WorkflowExecutionTerminated",
        childPolicy=policy,
        cause=cause,
        reason=reason,
        details=details,
    )
    _apply_child_policy(state, execution, policy)


def terminate_full(state: State, execution: Execution) -> None:
    """Terminate an execution whose history has no room for one more event."""
    terminate(state, execution, "EVENT_LIMIT_EXCEEDED")


def request_cancel(
    state: State,
    execution: Execution,
    *,
    source: Json | None = None,
    initiated_id: int = 0,
    cause: str | None = None,
) -> None:
    """Tell an execution that it should cancel."""
    record(
        state,
        execution,
        "WorkflowExecutionCancelRequested",
        externalWorkflowExecution=source,
        externalInitiatedEventId=initiated_id,
        cause=cause,
    )


def _time_out(state: State, execution: Execution) -> None:
    policy = execution.started["childPolicy"]
    close(
        state,
        execution,
        "WorkflowExecutionTimedOut",
        timeoutType="START_TO_CLOSE",
        childPolicy=policy,
    )
    _apply_child_policy(state, execution, policy)


def _apply_child_policy(state: State, parent: Execution, policy: str) -> None:
    cause = "CHILD_POLICY_APPLIED"
    if policy == "ABANDON":
        return
    for child in list(parent.children.values()):
        execution = state.open_execution(parent.domain, child.workflow_id, "")
        if execution is None or not _is_child(execution, parent, child.initiated_id):
            continue
        if policy == "TERMINATE":
            state.later(partial(terminate, state, execution, cause))
        else:
            cancel = partial(request_cancel, state, execution, source=parent.ids, cause=cause)
            state.later(cancel)


def _is_child(execution: Execution, parent: Execution, initiated_id: int) -> bool:
    # A child that continued as new has another run id by now, but says whose it is.
    return (
        execution.started.get("parentWorkflowExecution") == parent.ids
        and execution.started["parentInitiatedEventId"] == initiated_id
    )


def _tell_parent(state: State, execution: Execution, event_type: str, attributes: Json) -> None:
    parent = state.runs.get(execution.started["parentWorkflowExecution"]["runId"])
    child_event, members = _CHILD_CLOSED[event_type]
    initiated_id = execution.started["parentInitiatedEventId"]
    if parent is not None and parent.is_open:
        record(
            state,
            parent,
            child_event,
            workflowExecution=execution.ids,
            workflowType=execution.started["workflowType"],
            initiatedEventId=initiated_id,
            startedEventId=parent.children[initiated_id].started_id,
            **{member: attributes.get(member) for member in members},
        )


def find_open(state: State, request: Json) -> Execution:
    """Give the open execution that a request names, or raise the fault."""
    state.domain(request["domain"])
    workflow_id, run_id = request["workflowId"], request.get("runId", "")
    execution = state.open_execution(request["domain"], workflow_id, run_id)
    if execution is None:
        raise faults.unknown_execution(workflow_id, run_id)
    return execution
