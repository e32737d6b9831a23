from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import botocore.exceptions
import pytest

from flowy_swf.emulator import Emulator
from flowy_swf.emulator.model import enumeration, shapes

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

Json = dict[str, Any]
TYPE = {"name": "workflow", "version": "1"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("ThrottlingException", 400),
        ("InternalFailure", 500),
        ("ServiceUnavailable", 503),
        ("OperationNotPermittedFault", 400),
    ],
)
def test_the_next_calls_of_an_operation_fail(swf: Driver, error: str, status: int) -> None:
    swf.emulator.inject.fail("DescribeDomain", error, "m", times=2)
    for _ in range(2):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            swf.client.describe_domain(name="domain")
        response = caught.value.response
        assert response["Error"] == {"Code": error, "Message": "m"}
        assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    swf.client.describe_domain(name="domain")


def test_a_failed_call_has_no_effect(swf: Driver) -> None:
    swf.emulator.inject.fail("StartWorkflowExecution", "ThrottlingException")
    with pytest.raises(botocore.exceptions.ClientError):
        swf.start()
    swf.start()


@pytest.mark.parametrize(("moment", "effects"), [("before", 0), ("after", 1)])
def test_a_connection_is_cut_before_or_after_the_effect(
    swf: Driver, moment: Any, effects: int
) -> None:
    swf.emulator.inject.cut("StartWorkflowExecution", moment)
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        swf.start()
    request: Json = {"domain": "domain", "startTimeFilter": {"oldestDate": 0}}
    assert swf.client.count_open_workflow_executions(**request)["count"] == effects
    swf.emulator.inject.cut("DescribeDomain", moment)
    message = "the connection of DescribeDomain was cut by a test"
    with pytest.raises(ConnectionResetError, match=message):
        swf.emulator.call("DescribeDomain", {"name": "domain"})
    assert swf.emulator.calls()["StartWorkflowExecution"].response_bytes == 0


def test_a_delayed_call_waits_and_holds_up_nobody_else(make: Make) -> None:
    swf = make()
    swf.emulator.inject.delay("StartWorkflowExecution", 3600)
    thread = threading.Thread(target=swf.start)
    thread.start()
    swf.client.describe_domain(name="domain")
    assert thread.is_alive()
    assert "StartWorkflowExecution" not in swf.emulator.calls()
    swf.emulator._service.stop()  # which ends the delay
    thread.join(60)
    assert swf.types()[0] == "WorkflowExecutionStarted"


def test_an_activity_is_delivered_twice(swf: Driver) -> None:
    swf.emulator.inject.deliver_twice("activity")
    swf.start()
    swf.decide(swf.schedule())
    first, second = swf.poll_activity(), swf.poll_activity()
    assert first["taskToken"] == second["taskToken"]
    assert swf.types().count("ActivityTaskStarted") == 1
    assert "taskToken" not in swf.poll_activity()
    swf.client.respond_activity_task_completed(taskToken=first["taskToken"])
    error = swf.fault("respond_activity_task_completed", taskToken=second["taskToken"])
    assert error[0] == "UnknownResourceFault"


def test_a_decision_is_delivered_twice_unless_it_was_made_meanwhile(swf: Driver) -> None:
    swf.emulator.inject.deliver_twice("decision", times=2)
    swf.start()
    first, second = swf.poll_decision(), swf.poll_decision()
    assert first["taskToken"] == second["taskToken"]
    assert first["events"] == second["events"]
    swf.respond(first)  # a third delivery is still waiting, and is withdrawn
    assert "taskToken" not in swf.poll_decision()


DECISIONS: dict[str, Json] = {
    "ScheduleActivityTask": {
        "activityType": {"name": "activity", "version": "1"},
        "activityId": "a",
    },
    "RequestCancelActivityTask": {"activityId": "a"},
    "CompleteWorkflowExecution": {},
    "FailWorkflowExecution": {},
    "CancelWorkflowExecution": {},
    "ContinueAsNewWorkflowExecution": {},
    "RecordMarker": {"markerName": "m"},
    "StartTimer": {"timerId": "t", "startToFireTimeout": "1"},
    "CancelTimer": {"timerId": "t"},
    "SignalExternalWorkflowExecution": {"workflowId": "w", "signalName": "s"},
    "RequestCancelExternalWorkflowExecution": {"workflowId": "w"},
    "StartChildWorkflowExecution": {"workflowType": TYPE, "workflowId": "c"},
    "ScheduleLambdaFunction": {"id": "l", "name": "f"},
}


@pytest.mark.parametrize(
    ("kind", "cause"),
    [(kind, cause) for kind in DECISIONS for cause in enumeration(f"{kind}FailedCause")],
)
def test_a_decision_fails_with_any_cause_of_its_kind(swf: Driver, kind: str, cause: str) -> None:
    swf.emulator.inject.fail_decision(kind, cause)
    swf.start()
    member = f"{kind[0].lower()}{kind[1:]}DecisionAttributes"
    swf.decide({"decisionType": kind, member: DECISIONS[kind]})
    assert swf.types()[4:] == [f"{kind}Failed", "DecisionTaskScheduled"]
    failed = swf.last(f"{kind}Failed")
    assert failed["cause"] == cause
    required = shapes()[f"{kind}FailedEventAttributes"]["required"]
    assert set(required) <= set(failed)
    assert swf.emulator.inject.next_cause(kind) is None  # it is used up


def test_what_cannot_be_injected_is_refused() -> None:
    inject = Emulator().inject
    with pytest.raises(ValueError, match=r"unknown operation 'Sleep': Amazon SWF has none"):
        inject.fail("Sleep", "ThrottlingException")
    with pytest.raises(ValueError, match=r"unknown operation 'Sleep'"):
        inject.delay("Sleep", 1)
    with pytest.raises(ValueError, match=r"'before' or 'after' the effect, not 'never'"):
        inject.cut("DescribeDomain", "never")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"tasks are of kind 'activity' or 'decision', not 'x'"):
        inject.deliver_twice("x")  # type: ignore[arg-type]
    with pytest.raises(
        ValueError,
        match=r"'RecordMarker' decisions never fail with 'X'; "
        r"the causes are OPERATION_NOT_PERMITTED",
    ):
        inject.fail_decision("RecordMarker", "X")
    with pytest.raises(ValueError, match=r"none, as there is no such decision"):
        inject.fail_decision("Sleep", "X")
