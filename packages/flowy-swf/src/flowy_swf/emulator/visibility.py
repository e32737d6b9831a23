"""Looking at executions: lists, counts and descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flowy_swf.emulator import faults
from flowy_swf.emulator.execution import Execution, present
from flowy_swf.emulator.model import Json
from flowy_swf.emulator.operations import find_execution
from flowy_swf.emulator.paging import page_of
from flowy_swf.emulator.state import State

_Found = list[tuple[tuple[int, int], Execution]]


def _has_type(execution: Execution, wanted: Json) -> bool:
    ids = execution.started["workflowType"]
    return wanted["name"] == ids["name"] and wanted.get("version") in (None, "", ids["version"])


#: The filters of which a request may have one.
_FILTERS: dict[str, Callable[[Execution, Any], bool]] = {
    "executionFilter": lambda execution, wanted: execution.workflow_id == wanted["workflowId"],
    "typeFilter": _has_type,
    "tagFilter": lambda execution, wanted: wanted["tag"] in execution.started.get("tagList", ()),
    "closeStatusFilter": lambda execution, wanted: execution.close_status == wanted["status"],
}


def _find(executions: Iterable[Execution], request: Json) -> _Found:
    """Give the executions a request asks for, sorted by the time it asks about."""
    filters = [member for member in _FILTERS if member in request]
    if len(filters) > 1:
        raise faults.invalid(f"Cannot specify more than one of: {', '.join(sorted(_FILTERS))}")
    by_close = "closeTimeFilter" in request
    if by_close == ("startTimeFilter" in request):
        raise faults.invalid("Must specify one of: closeTimeFilter, startTimeFilter")
    window = request["closeTimeFilter" if by_close else "startTimeFilter"]
    oldest, latest = window["oldestDate"] * 1000, window.get("latestDate", float("inf")) * 1000
    if oldest > latest:
        raise faults.invalid("oldestDate must not be after latestDate")
    found: _Found = []
    for execution in executions:
        if by_close:
            time, order = execution.close_time, execution.close_order
        else:
            time, order = execution.start_time, execution.start_order
        if oldest <= time <= latest and all(
            _FILTERS[member](execution, request[member]) for member in filters
        ):
            found.append(((time, order), execution))
    found.sort(key=lambda each: each[0])
    return found


def _executions(which: str, state: State, request: Json) -> list[Execution]:
    domain = state.domain(request["domain"]).name
    table: dict[str, dict[str, Execution]] = getattr(state, which)
    return list(table.get(domain, {}).values())


def _list(which: str, state: State, request: Json) -> Json:
    found = _find(_executions(which, state, request), request)
    response = page_of("executionInfos", found, request, state.now, descending=True)
    response["executionInfos"] = [_info(each) for each in response["executionInfos"]]
    return response


def _count(which: str, state: State, request: Json) -> Json:
    found = _find(_executions(which, state, request), request)
    return {"count": len(found), "truncated": False}


def _info(execution: Execution) -> Json:
    return present(
        execution=execution.ids,
        workflowType=execution.started["workflowType"],
        startTimestamp=execution.start_time / 1000,
        closeTimestamp=None if execution.is_open else execution.close_time / 1000,
        executionStatus="OPEN" if execution.is_open else "CLOSED",
        closeStatus=execution.close_status,
        parent=execution.started.get("parentWorkflowExecution"),
        tagList=execution.started.get("tagList"),
        cancelRequested=execution.cancel_requested,
    )


def open_counts(execution: Execution) -> Json:
    """Count what is open in an execution; a closed one keeps the counts it closed with."""
    return {
        "openActivityTasks": len(execution.activities),
        "openDecisionTasks": int(bool(execution.waiting or execution.current)),
        "openTimers": len(execution.timers),
        "openChildWorkflowExecutions": len(execution.children),
        "openLambdaFunctions": len(execution.lambdas),
    }


def _describe(state: State, request: Json) -> Json:
    execution = find_execution(state, request)
    started = execution.started
    latest = execution.latest_activity_time
    return present(
        executionInfo=_info(execution),
        executionConfiguration=present(
            taskStartToCloseTimeout=started["taskStartToCloseTimeout"],
            executionStartToCloseTimeout=started["executionStartToCloseTimeout"],
            taskList=execution.task_list,
            taskPriority=started.get("taskPriority"),
            childPolicy=started["childPolicy"],
            lambdaRole=started.get("lambdaRole"),
        ),
        openCounts=open_counts(execution),
        latestActivityTaskTimestamp=latest / 1000 if latest else None,
        latestExecutionContext=execution.latest_context,
    )


OPERATIONS: dict[str, Callable[[State, Json], Json]] = {
    "ListOpenWorkflowExecutions": partial(_list, "open"),
    "ListClosedWorkflowExecutions": partial(_list, "closed"),
    "CountOpenWorkflowExecutions": partial(_count, "open"),
    "CountClosedWorkflowExecutions": partial(_count, "closed"),
    "DescribeWorkflowExecution": _describe,
}
