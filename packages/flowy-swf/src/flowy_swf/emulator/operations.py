"""What clients, deciders and workers do to executions and tasks, long polls excepted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flowy_swf.emulator import decisions, faults, lifecycle, tasks, tokens
from flowy_swf.emulator.execution import Execution, Task, present
from flowy_swf.emulator.model import Json
from flowy_swf.emulator.paging import page_of_events, read_token, write_token
from flowy_swf.emulator.registry import type_label
from flowy_swf.emulator.state import State
from flowy_swf.emulator.tasklists import Caller


def _start_workflow(state: State, request: Json) -> Json:
    domain = state.active_domain(request["domain"])
    registered = domain.find_type("workflow", request["workflowType"])
    if registered is None:
        raise faults.unknown_type(type_label("workflow", request["workflowType"]))
    if registered.deprecation is not None:
        raise faults.Fault("TypeDeprecatedFault", registered.label)
    try:
        settings = lifecycle.execution_settings(request, registered)
    except lifecycle.UndefinedError as undefined:
        raise faults.Fault("DefaultUndefinedFault", undefined.member) from None
    running = state.open.get(domain.name, {})
    if request["workflowId"] in running:
        raise faults.Fault("WorkflowExecutionAlreadyStartedFault", "Already Started")
    if len(running) >= state.quotas.open_executions:
        limit = state.quotas.open_executions
        raise faults.limit_exceeded(f"a domain has {limit} open executions at most")
    execution = lifecycle.start(state, domain.name, request["workflowId"], settings)
    return {"runId": execution.run_id}


def _signal(state: State, request: Json) -> Json:
    tasks.record(
        state,
        lifecycle.find_open(state, request),
        "WorkflowExecutionSignaled",
        signalName=request["signalName"],
        input=request.get("input"),
        externalInitiatedEventId=0,
    )
    return {}


def _request_cancel(state: State, request: Json) -> Json:
    lifecycle.request_cancel(state, lifecycle.find_open(state, request))
    return {}


def _terminate(state: State, request: Json) -> Json:
    lifecycle.terminate(
        state,
        lifecycle.find_open(state, request),
        "OPERATOR_INITIATED",
        child_policy=request.get("childPolicy"),
        reason=request.get("reason"),
        details=request.get("details"),
    )
    return {}


def find_execution(state: State, request: Json) -> Execution:
    """Give the execution, open or closed, that a request names with both its ids."""
    state.domain(request["domain"])
    ids = request["execution"]
    execution = state.runs.get(ids["runId"])
    if execution is None or (execution.domain, execution.workflow_id) != (
        request["domain"],
        ids["workflowId"],
    ):
        raise faults.unknown_execution(ids["workflowId"], ids["runId"])
    return execution


def _history(state: State, request: Json) -> Json:
    events = find_execution(state, request).events
    begin, end, reverse = 0, len(events), request.get("reverseOrder", False)
    if "nextPageToken" in request:
        begin, end, reverse = read_token("history", request["nextPageToken"], state.now)
    size = request.get("maximumPageSize", 0)
    page, rest = page_of_events(events, begin, end, reverse=reverse, size=size)
    response: Json = {"events": page}
    if rest is not None:
        response["nextPageToken"] = write_token("history", state.now, [*rest, reverse])
    return response


def decision_task(state: State, task: Task, request: Json) -> Json:
    """Answer a poll with the first page of a decision task that was just started."""
    execution = task.execution
    begin, previous = 0, execution.previous_started_id
    if request.get("startAtPreviousStartedEvent") and previous:
        # Inclusive by time: events of the very moment the previous task was started come again.
        begin = previous - 1
        moment = execution.events[begin]["eventTimestamp"]
        while begin and execution.events[begin - 1]["eventTimestamp"] == moment:
            begin -= 1
    reverse = request.get("reverseOrder", False)
    ids = [execution.run_id, task.scheduled_id, task.started_id, previous]
    return _decision_page(state, ids, begin, task.started_id, reverse, request)


def next_decision_page(state: State, request: Json) -> Json:
    """Answer a poll that asks for a further page of a decision task."""
    token = request["nextPageToken"]
    *ids, begin, end, reverse = read_token("decision", token, state.now)
    return _decision_page(state, ids, begin, end, reverse, request)


def _decision_page(
    state: State, ids: list[Any], begin: int, end: int, reverse: bool, request: Json
) -> Json:
    run_id, scheduled_id, started_id, previous = ids
    execution = state.runs.get(run_id)
    if execution is None or execution.domain != request["domain"]:
        raise faults.invalid("Invalid token")
    task = Task("decision", execution, scheduled_id, {})
    task.started_id = started_id
    size = request.get("maximumPageSize", 0)
    page, rest = page_of_events(execution.events, begin, end, reverse=reverse, size=size)
    response = {
        "taskToken": task.token,
        "startedEventId": started_id,
        "previousStartedEventId": previous,
        "workflowExecution": execution.ids,
        "workflowType": execution.started["workflowType"],
        "events": page,
    }
    if rest is not None:
        response["nextPageToken"] = write_token("decision", state.now, [*ids, *rest, reverse])
    return response


def activity_task(task: Task) -> Json:
    """Answer a poll with an activity that was just started."""
    return present(
        taskToken=task.token,
        activityId=task.attributes["activityId"],
        startedEventId=task.started_id,
        workflowExecution=task.execution.ids,
        activityType=task.attributes["activityType"],
        input=task.attributes.get("input"),
    )


def _find_task(state: State, request: Json, kind: str) -> Task:
    """Give the open task that a token names, or raise the fault."""
    run_id, scheduled_id, started_id = tokens.read(kind, request["taskToken"])
    execution = state.runs.get(run_id)
    if execution is None:
        raise faults.Fault("UnknownResourceFault", f"Unknown execution: runId={run_id}")
    if not execution.is_open:
        raise faults.unknown_execution(execution.workflow_id, run_id)
    task = execution.activities.get(scheduled_id) if kind == "activity" else execution.current
    if task is None or (task.scheduled_id, task.started_id) != (scheduled_id, started_id):
        raise faults.unknown_task(kind, scheduled_id)
    return task


def _respond_decision(state: State, request: Json) -> Json:
    batch = request.get("decisions", [])
    decisions.check(batch)
    if "taskListScheduleToStartTimeout" in request and "taskList" not in request:
        raise faults.invalid("taskListScheduleToStartTimeout is for a taskList, and there is none")
    task = _find_task(state, request, "decision")
    execution = task.execution
    execution.deciding, execution.wanted = True, False
    try:
        completed_id = tasks.finish(
            state,
            task,
            "Completed",
            executionContext=request.get("executionContext"),
            taskList=request.get("taskList"),
            taskListScheduleToStartTimeout=request.get("taskListScheduleToStartTimeout"),
        )
        for decision in batch:
            decisions.carry_out(state, execution, decision, completed_id)
    finally:
        execution.deciding = False
    if execution.is_open and execution.wanted:
        tasks.wake(state, execution)
    tasks.offer_decision(state, execution)
    return {}


def _respond_activity(outcome: str, members: tuple[str, ...], state: State, request: Json) -> Json:
    task = _find_task(state, request, "activity")
    event = {member: request.get(member) for member in members}
    if outcome == "Canceled" and task.cancel_requested_id:
        event["latestCancelRequestedEventId"] = task.cancel_requested_id
    tasks.finish(state, task, outcome, **event)
    return {}


def record_heartbeat(state: State, request: Json, caller: Caller) -> Json:
    """Note that an activity is alive and say whether it should stop."""
    task = _find_task(state, request, "activity")
    tasks.heartbeat(state, task, request.get("details"), caller)
    return {"cancelRequested": task.cancel_requested_id != 0}


def _count_pending(kind: str, state: State, request: Json) -> Json:
    domain = state.domain(request["domain"]).name
    tasks_waiting = state.lists.get((kind, domain, request["taskList"]["name"]))
    return {"count": tasks_waiting.pending if tasks_waiting else 0, "truncated": False}


OPERATIONS: dict[str, Callable[[State, Json], Json]] = {
    "StartWorkflowExecution": _start_workflow,
    "SignalWorkflowExecution": _signal,
    "RequestCancelWorkflowExecution": _request_cancel,
    "TerminateWorkflowExecution": _terminate,
    "GetWorkflowExecutionHistory": _history,
    "RespondDecisionTaskCompleted": _respond_decision,
    "RespondActivityTaskCompleted": partial(_respond_activity, "Completed", ("result",)),
    "RespondActivityTaskFailed": partial(_respond_activity, "Failed", ("reason", "details")),
    "RespondActivityTaskCanceled": partial(_respond_activity, "Canceled", ("details",)),
    "CountPendingActivityTasks": partial(_count_pending, "activity"),
    "CountPendingDecisionTasks": partial(_count_pending, "decision"),
}
