"""Handles of executions: waiting for them, signalling and stopping them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.swf.fleet import Meddler, fleet, workers, workflow_config
from tests.swf.outside import (
    COMPLETE,
    DOMAIN,
    RESTART,
    Client,
    decide,
    decision,
    start,
)

from flowy.errors import TaskCancelled, TaskError, TaskTimedout
from flowy_swf.emulator import Emulator
from flowy_swf.failures import Failure
from flowy_swf.handle import EVER, ExecutionClosedError, SWFWorkflowHandle, UnknownExecutionError
from flowy_swf.starter import SWFWorkflowStarter


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have nothing wait; return how long it would have been."""
    waited: list[float] = []

    def pause(seconds: float) -> bool:
        waited.append(seconds)
        return False

    monkeypatch.setattr("flowy_swf.handle.pause", pause)
    return waited


def handle(emulator: Emulator, run_id: str = "run-1", **options: Any) -> SWFWorkflowHandle:
    return SWFWorkflowHandle(DOMAIN, "order-17", run_id, Client(emulator), **options)


def types(emulator: Emulator) -> list[str]:
    return [event["eventType"] for event in emulator.history("order-17")]


def test_a_handle_says_what_it_is_of() -> None:
    assert repr(SWFWorkflowHandle("shop", "order-17", "run-1", object())) == (
        "<SWFWorkflowHandle of workflow id 'order-17', run id 'run-1', in domain 'shop'>"
    )


def test_the_result_of_a_real_run_is_waited_for() -> None:
    def factory(square: Any) -> Callable[[int], Any]:
        return lambda n: square(n)

    with fleet() as running:
        for worker in workers(factory, workflow_config(), {"square": lambda n: n * n}):
            running.serve(worker)
        execution = SWFWorkflowStarter("domain", "workflow", 1, running.client)(7)
        assert execution.result() == 49
        assert execution.payload() == "49"


def test_the_result_is_there_at_once_when_the_execution_has_closed(
    emulator: Emulator, pauses: list[float]
) -> None:
    start(emulator)
    decide(emulator, COMPLETE)
    assert handle(emulator).result() == {"paid": 3}
    assert pauses == []


def test_a_result_that_was_left_out_is_none(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, decision("CompleteWorkflowExecution"))
    assert handle(emulator).result() is None
    assert handle(emulator).payload() == "null"


def test_a_result_can_have_a_form_of_its_own(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, decision("CompleteWorkflowExecution", result="six"))
    assert handle(emulator, deserialize_result=str.upper).result() == "SIX"


def test_a_result_that_was_compressed_is_unpacked(emulator: Emulator) -> None:
    from flowy_swf.payloads import pack

    text = f'"{"a" * 40_000}"'
    start(emulator)
    decide(emulator, decision("CompleteWorkflowExecution", result=pack(text)))
    assert handle(emulator).result() == "a" * 40_000
    assert handle(emulator).payload() == text


def test_waiting_looks_again_the_later_the_longer_it_has_been(
    emulator: Emulator, pauses: list[float]
) -> None:
    start(emulator)

    def before(operation: str, count: int) -> None:
        if (operation, count) == ("describe_workflow_execution", 3):
            decide(emulator, COMPLETE)

    execution = SWFWorkflowHandle(DOMAIN, "order-17", "run-1", Client(emulator, before))
    assert execution.result() == {"paid": 3}
    assert len(pauses) == 3
    assert all(0.1 <= pause <= 10 for pause in pauses)


def test_restarts_are_followed_to_the_last_run(emulator: Emulator) -> None:
    start(emulator)
    for last in (RESTART, RESTART, COMPLETE):
        decide(emulator, last)
    execution = handle(emulator)
    assert execution.result() == {"paid": 3}
    assert execution.run_id == "run-1"


def test_time_may_be_up_before_it_has_closed(emulator: Emulator, pauses: list[float]) -> None:
    start(emulator)
    with pytest.raises(TimeoutError) as caught:
        handle(emulator).result(timeout=0)
    assert str(caught.value) == "workflow id 'order-17' has not closed within 0 s; it goes on"
    decide(emulator, COMPLETE)
    assert handle(emulator).result(timeout=0) == {"paid": 3}
    assert pauses == []


FAILURE = Failure("ValueError", "no such item", "Traceback ...\nValueError: no such item\n")


def closed_by(emulator: Emulator, how: str) -> None:
    """Start an execution and have it close."""
    start(emulator)
    if how == "failed":
        failed = {"reason": FAILURE.reason, "details": FAILURE.details}
        decide(emulator, decision("FailWorkflowExecution", **failed))
    elif how == "cancelled":
        decide(emulator, decision("CancelWorkflowExecution", details="as asked"))
    elif how == "timed out":
        emulator.advance(3600)
    elif how == "terminated":
        ids = {"domain": DOMAIN, "workflowId": "order-17"}
        emulator.call("TerminateWorkflowExecution", {**ids, "reason": "stuck", "details": "by me"})
    else:
        emulator.call("TerminateWorkflowExecution", {"domain": DOMAIN, "workflowId": "order-17"})


@pytest.mark.parametrize(
    ("how", "kind", "summary"),
    [
        ("failed", TaskError, "order-17 failed: ValueError: no such item"),
        ("timed out", TaskTimedout, "order-17 timed out: passed its START_TO_CLOSE limit"),
        ("cancelled", TaskCancelled, "order-17 was cancelled: as asked"),
        ("terminated", TaskError, "order-17 failed: Terminated: stuck: by me"),
        ("terminated silently", TaskError, "order-17 failed: Terminated: somebody terminated it"),
    ],
)
def test_an_execution_that_did_not_complete_raises_what_happened(
    emulator: Emulator, how: str, kind: type[TaskError], summary: str
) -> None:
    closed_by(emulator, how)
    for method in (handle(emulator).result, handle(emulator).payload):
        with pytest.raises(TaskError) as caught:
            method()
        assert (type(caught.value), caught.value.summary()) == (kind, summary)


def test_a_failure_has_the_traceback_of_where_it_happened(emulator: Emulator) -> None:
    closed_by(emulator, "failed")
    with pytest.raises(TaskError) as caught:
        handle(emulator).result()
    assert caught.value.traceback == FAILURE.traceback
    assert caught.value.error_type == "ValueError"


def test_a_child_that_its_parent_terminated_says_so(emulator: Emulator) -> None:
    start(emulator, "parent")
    child = {"workflowId": "order-17", "workflowType": {"name": "Order", "version": "1"}}
    decide(emulator, decision("StartChildWorkflowExecution", **child))
    emulator.call("TerminateWorkflowExecution", {"domain": DOMAIN, "workflowId": "parent"})
    with pytest.raises(TaskError) as caught:
        SWFWorkflowHandle.latest(DOMAIN, "order-17", Client(emulator)).result()
    assert caught.value.message == ("its parent closed, and its child policy says to terminate it")


# --- waiting through trouble --------------------------------------------------------------------


def test_waiting_outlives_calls_that_fail(emulator: Emulator, pauses: list[float]) -> None:
    start(emulator)
    decide(emulator, COMPLETE)
    emulator.inject.fail(
        "DescribeWorkflowExecution", "ThrottlingException", "Rate exceeded", times=3
    )
    emulator.inject.cut("GetWorkflowExecutionHistory", "before")
    assert handle(emulator).result() == {"paid": 3}


def test_news_of_an_execution_may_come_late(emulator: Emulator, pauses: list[float]) -> None:
    start(emulator)
    decide(emulator, COMPLETE)
    unknown = ("UnknownResourceFault", "Unknown execution: ...")
    emulator.inject.fail("DescribeWorkflowExecution", *unknown, times=2)
    assert handle(emulator).result() == {"paid": 3}
    assert len(pauses) == 2


def test_the_last_event_may_come_late(emulator: Emulator, pauses: list[float]) -> None:
    start(emulator)
    decide(emulator, COMPLETE)

    def late(operation: str, count: int, made: Callable[[], Any]) -> Any:
        answer = made()
        if operation == "get_workflow_execution_history" and not count:
            answer["events"][0]["eventType"] = "DecisionTaskCompleted"
        return answer

    client = Meddler(Client(emulator), late)
    assert SWFWorkflowHandle(DOMAIN, "order-17", "run-1", client).result() == {"paid": 3}
    assert len(pauses) == 1


def test_an_execution_that_stays_unknown_is_an_error(
    emulator: Emulator, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowy_swf.handle._NEWS", 0)
    with pytest.raises(ClientError, match="Unknown execution"):
        handle(emulator).result()


# --- signals and requests -----------------------------------------------------------------------


def test_a_signal_has_a_name_and_may_have_an_input(emulator: Emulator) -> None:
    start(emulator)
    handle(emulator).signal("approved")
    handle(emulator).signal("paid", {"amount": 3})
    assert [
        (about["signalName"], about.get("input"))
        for event in emulator.history("order-17")
        if (about := event.get("workflowExecutionSignaledEventAttributes"))
    ] == [("approved", None), ("paid", '{"amount": 3}')]


def test_cancel_asks_the_execution_to_cancel(emulator: Emulator) -> None:
    start(emulator)
    handle(emulator).cancel()
    assert types(emulator)[-1] == "WorkflowExecutionCancelRequested"


def test_terminate_closes_the_execution_with_a_reason(emulator: Emulator) -> None:
    start(emulator)
    handle(emulator).terminate("stuck", child_policy="ABANDON")
    event = emulator.history("order-17")[-1]
    assert event["workflowExecutionTerminatedEventAttributes"] == {
        "cause": "OPERATOR_INITIATED",
        "childPolicy": "ABANDON",
        "reason": "stuck",
    }
    handle(emulator).terminate("again")  # there is nothing left to do


def test_a_child_policy_is_checked() -> None:
    with pytest.raises(ValueError, match="child policy must be one of") as caught:
        SWFWorkflowHandle("shop", "w", "r", object()).terminate(child_policy="KEEP")
    assert str(caught.value) == (
        "child policy must be one of TERMINATE, REQUEST_CANCEL, ABANDON, not 'KEEP'"
    )


def test_requests_follow_an_execution_that_continued_as_new(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, RESTART)
    decide(emulator, RESTART)
    execution = handle(emulator)
    execution.signal("approved")
    execution.cancel()
    assert types(emulator)[-2:] == [
        "WorkflowExecutionSignaled",
        "WorkflowExecutionCancelRequested",
    ]
    execution.terminate()
    assert types(emulator)[-1] == "WorkflowExecutionTerminated"


def test_an_execution_that_has_closed_takes_no_requests(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, RESTART)
    decide(emulator, COMPLETE)
    # Somebody else's, with the same id.
    start(emulator)
    execution = handle(emulator)
    requests: list[Callable[[], None]] = [
        lambda: execution.signal("s"),
        execution.cancel,
        execution.terminate,
    ]
    for ask in requests:
        with pytest.raises(ExecutionClosedError) as caught:
            ask()
        assert str(caught.value) == (
            "workflow id 'order-17', run id 'run-2' is not open any more: it completed"
        )
    assert len(types(emulator)) == 2


def test_a_request_that_is_refused_is_the_services_error(emulator: Emulator) -> None:
    start(emulator)
    emulator.inject.fail("SignalWorkflowExecution", "AccessDeniedException", "not you")
    with pytest.raises(ClientError, match="not you"):
        handle(emulator).signal("s")


def test_a_request_to_what_never_was_is_the_services_error(emulator: Emulator) -> None:
    with pytest.raises(ClientError, match="UnknownResourceFault"):
        handle(emulator).cancel()
    start(emulator)
    emulator.inject.fail("SignalWorkflowExecution", "UnknownResourceFault", "just now", times=1)
    with pytest.raises(ClientError, match="just now"):
        handle(emulator).signal("s")


# --- executions that are there already ----------------------------------------------------------


def test_the_latest_is_the_open_one_or_else_the_one_that_closed_last(emulator: Emulator) -> None:
    for _ in range(2):
        start(emulator)
        decide(emulator, COMPLETE)
        emulator.advance(1)
    assert SWFWorkflowHandle.latest(DOMAIN, "order-17", Client(emulator)).run_id == "run-2"
    start(emulator)
    assert SWFWorkflowHandle.latest(DOMAIN, "order-17", Client(emulator)).run_id == "run-3"


def test_a_service_that_does_not_filter_is_no_trouble(emulator: Emulator) -> None:
    for workflow_id in ("order-17", "order-18"):
        start(emulator, workflow_id)
        decide(emulator, COMPLETE)

    def unfiltered(operation: str, count: int, made: Callable[[], Any]) -> Any:
        request = {"domain": DOMAIN, "startTimeFilter": {"oldestDate": EVER}}
        return getattr(Client(emulator), operation)(**request)

    client = Meddler(Client(emulator), unfiltered)
    assert SWFWorkflowHandle.latest(DOMAIN, "order-17", client).run_id == "run-1"


def test_there_may_be_no_such_execution(emulator: Emulator) -> None:
    with pytest.raises(UnknownExecutionError) as caught:
        SWFWorkflowHandle.latest(DOMAIN, "order-17", Client(emulator))
    assert str(caught.value) == (
        "domain 'shop' knows no execution with workflow id 'order-17': check the id; a closed "
        "execution is forgotten after the domain's retention period"
    )
