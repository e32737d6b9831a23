from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver

Json = dict[str, Any]
OTHER = {"name": "workflow", "version": "2"}
THIRD = {"name": "third", "version": "1"}
EVERYTHING: Json = {"startTimeFilter": {"oldestDate": 0}}


def close(swf: Driver, name: str, kind: str) -> None:
    swf.decide({"decisionType": kind}, name=name)


@pytest.fixture
def busy(swf: Driver) -> Driver:
    """Four open and four closed executions, started and closed a second apart."""
    swf.register_workflow(OTHER)
    swf.register_workflow(THIRD)
    types = [{"name": "workflow", "version": "1"}, OTHER, THIRD, OTHER]
    kinds = ["CompleteWorkflowExecution", "FailWorkflowExecution", "CancelWorkflowExecution"]
    swf.emulator.advance(1000 - swf.emulator.now() % 1000)
    for number, workflow_type in enumerate(types):
        tags = ["even" if number % 2 == 0 else "odd", f"n{number}"]
        for state in ("open", "closed"):
            swf.start(
                f"{state} {number}",
                workflowType=workflow_type,
                tagList=tags,
                taskList={"name": f"{state} {number}"},
            )
        swf.emulator.advance(1)
    for number, kind in zip((2, 0, 1), kinds, strict=True):
        close(swf, f"closed {number}", kind)
        swf.emulator.advance(1)
    swf.client.terminate_workflow_execution(domain="domain", workflowId="closed 3")
    return swf


def names(answer: Json) -> list[str]:
    return [info["execution"]["workflowId"].split()[1] for info in answer["executionInfos"]]


def listed(swf: Driver, state: str, **request: Any) -> list[str]:
    """List executions, and check that their count is the same."""
    paginator = swf.client.get_paginator(f"list_{state}_workflow_executions")
    pages = paginator.paginate(domain="domain", PaginationConfig={"PageSize": 3}, **request)
    found = [name for page in pages for name in names(page)]
    count = getattr(swf.client, f"count_{state}_workflow_executions")
    request.pop("reverseOrder", None)
    assert count(domain="domain", **request)["count"] == len(found)
    return found


def test_open_executions_are_listed_by_their_start_the_latest_first(busy: Driver) -> None:
    assert listed(busy, "open", **EVERYTHING) == ["3", "2", "1", "0"]
    assert listed(busy, "open", **EVERYTHING, reverseOrder=True) == ["0", "1", "2", "3"]


def test_closed_executions_are_listed_by_start_or_by_close(busy: Driver) -> None:
    assert listed(busy, "closed", **EVERYTHING) == ["3", "2", "1", "0"]
    assert listed(busy, "closed", closeTimeFilter={"oldestDate": 0}) == ["3", "1", "0", "2"]


@pytest.mark.parametrize(
    ("request_", "open_", "closed"),
    [
        ({"executionFilter": {"workflowId": "open 1"}}, ["1"], []),
        ({"executionFilter": {"workflowId": "closed 1"}}, [], ["1"]),
        ({"typeFilter": {"name": "workflow"}}, ["3", "1", "0"], ["3", "1", "0"]),
        ({"typeFilter": {"name": "workflow", "version": "2"}}, ["3", "1"], ["3", "1"]),
        ({"typeFilter": {"name": "workflow", "version": ""}}, ["3", "1", "0"], ["3", "1", "0"]),
        ({"typeFilter": {"name": "unknown"}}, [], []),
        ({"tagFilter": {"tag": "even"}}, ["2", "0"], ["2", "0"]),
        ({"tagFilter": {"tag": "n1"}}, ["1"], ["1"]),
    ],
)
def test_a_filter_selects(
    busy: Driver, request_: Json, open_: list[str], closed: list[str]
) -> None:
    assert listed(busy, "open", **EVERYTHING, **request_) == open_
    assert listed(busy, "closed", **EVERYTHING, **request_) == closed


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("COMPLETED", ["2"]),
        ("FAILED", ["0"]),
        ("CANCELED", ["1"]),
        ("TERMINATED", ["3"]),
        ("TIMED_OUT", []),
    ],
)
def test_a_close_status_selects(busy: Driver, status: str, found: list[str]) -> None:
    status_filter = {"closeStatusFilter": {"status": status}}
    assert listed(busy, "closed", **EVERYTHING, **status_filter) == found


def test_a_time_window_selects_inclusively(busy: Driver) -> None:
    last = round(busy.events("open 3")[0]["eventTimestamp"])
    window = {"oldestDate": last - 2, "latestDate": last - 1}
    assert listed(busy, "open", startTimeFilter=window) == ["2", "1"]
    assert listed(busy, "closed", startTimeFilter=window) == ["2", "1"]
    window = {"oldestDate": last + 2, "latestDate": last + 3}
    assert listed(busy, "closed", closeTimeFilter=window) == ["1", "0"]
    assert listed(busy, "closed", closeTimeFilter={"oldestDate": last + 4}) == ["3"]


def test_an_open_and_a_closed_execution_are_told_apart(busy: Driver) -> None:
    open_info = busy.client.list_open_workflow_executions(domain="domain", **EVERYTHING)
    info = open_info["executionInfos"][0]
    assert info == {
        "execution": {"workflowId": "open 3", "runId": info["execution"]["runId"]},
        "workflowType": OTHER,
        "startTimestamp": info["startTimestamp"],
        "executionStatus": "OPEN",
        "tagList": ["odd", "n3"],
        "cancelRequested": False,
    }
    closed_info = busy.client.list_closed_workflow_executions(domain="domain", **EVERYTHING)
    info = closed_info["executionInfos"][0]
    assert (info["executionStatus"], info["closeStatus"]) == ("CLOSED", "TERMINATED")
    assert (info["closeTimestamp"] - info["startTimestamp"]).total_seconds() == 4


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        (
            "list_closed_workflow_executions",
            {},
            "Must specify one of: closeTimeFilter, startTimeFilter",
        ),
        (
            "count_closed_workflow_executions",
            {**EVERYTHING, "closeTimeFilter": {"oldestDate": 0}},
            "Must specify one of: closeTimeFilter, startTimeFilter",
        ),
        (
            "list_open_workflow_executions",
            {**EVERYTHING, "tagFilter": {"tag": "a"}, "typeFilter": {"name": "a"}},
            "Cannot specify more than one of: "
            "closeStatusFilter, executionFilter, tagFilter, typeFilter",
        ),
        (
            "count_open_workflow_executions",
            {"startTimeFilter": {"oldestDate": 2, "latestDate": 1}},
            "oldestDate must not be after latestDate",
        ),
    ],
)
def test_filters_must_fit_together(
    swf: Driver, operation: str, request_: Json, message: str
) -> None:
    error = swf.fault(operation, domain="domain", **request_)
    assert error == ("ValidationException", message)


def test_executions_of_one_millisecond_are_listed_in_their_order(swf: Driver) -> None:
    ids = [f"n {number}" for number in range(9)]
    for workflow_id in ids:
        swf.start(workflow_id)
    assert listed(swf, "open", **EVERYTHING, reverseOrder=True) == list("012345678")
    for workflow_id in reversed(ids):
        swf.client.terminate_workflow_execution(domain="domain", workflowId=workflow_id)
    assert listed(swf, "closed", **EVERYTHING) == list("876543210")
    assert listed(swf, "closed", closeTimeFilter={"oldestDate": 0}) == list("012345678")


@pytest.mark.parametrize("verb", ["list", "count"])
@pytest.mark.parametrize("state", ["open", "closed"])
def test_executions_live_in_known_domains(swf: Driver, verb: str, state: str) -> None:
    error = swf.fault(f"{verb}_{state}_workflow_executions", domain="nowhere", **EVERYTHING)
    assert error == ("UnknownResourceFault", "Unknown domain: nowhere")


def test_a_page_of_executions_is_stable_while_others_start_and_close(busy: Driver) -> None:
    request: Json = {"domain": "domain", **EVERYTHING, "maximumPageSize": 2}
    first = busy.client.list_open_workflow_executions(**request)
    assert names(first) == ["3", "2"]
    busy.start("new 9")
    busy.client.terminate_workflow_execution(domain="domain", workflowId="open 3")
    token = first["nextPageToken"]
    second = busy.client.list_open_workflow_executions(**request, nextPageToken=token)
    assert names(second) == ["1", "0"]
    assert "nextPageToken" not in second
