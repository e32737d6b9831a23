from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flowy_swf.emulator import Emulator, Fault, Quotas

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

Json = dict[str, Any]
TYPE = {"name": "workflow", "version": "1"}


def test_the_quotas_are_those_of_the_service() -> None:
    assert Quotas() == Quotas(
        open_activities=1_000,
        open_timers=1_000,
        open_children=1_000,
        open_lambdas=1_000,
        events=25_000,
        open_executions=100_000,
        types=10_000,
        pollers=1_000,
        domains=100,
    )


def test_domains_types_and_open_executions_are_limited(make: Make) -> None:
    swf = make(quotas=Quotas(domains=1, types=2, open_executions=1))
    error = swf.fault("register_domain", name="x", workflowExecutionRetentionPeriodInDays="1")
    assert error == ("LimitExceededFault", "an account has 1 domains at most")
    ids = {"domain": "domain", "name": "x", "version": "1"}
    limit = ("LimitExceededFault", "a domain has 2 types at most")
    assert swf.fault("register_activity_type", **ids) == limit
    assert swf.fault("register_workflow_type", **ids) == limit
    swf.start()
    request = {"domain": "domain", "workflowId": "x", "workflowType": TYPE}
    limit = ("LimitExceededFault", "a domain has 1 open executions at most")
    assert swf.fault("start_workflow_execution", **request) == limit
    swf.decide(
        {
            "decisionType": "StartChildWorkflowExecution",
            "startChildWorkflowExecutionDecisionAttributes": {
                "workflowType": TYPE,
                "workflowId": "c",
            },
        }
    )
    failed = swf.last("StartChildWorkflowExecutionFailed")
    assert failed["cause"] == "OPEN_WORKFLOWS_LIMIT_EXCEEDED"
    swf.decide({"decisionType": "ContinueAsNewWorkflowExecution"})  # takes its own place


def test_one_execution_has_a_thousand_open_tasks_of_each_kind(swf: Driver) -> None:
    def many(kind: str, member: str, **settings: Any) -> list[Json]:
        name = f"{kind[0].lower()}{kind[1:]}DecisionAttributes"
        return [
            {"decisionType": kind, name: {member: str(number), **settings}}
            for number in range(1001)
        ]

    swf.start(lambdaRole="arn:x")
    swf.emulator.register_lambda("f", lambda event: None)
    swf.decide(
        *many(
            "ScheduleActivityTask", "activityId", activityType={"name": "activity", "version": "1"}
        ),
        *many("StartTimer", "timerId", startToFireTimeout="1"),
        *many("StartChildWorkflowExecution", "workflowId", workflowType=TYPE),
    )
    failed = [event for event in swf.events() if event["eventType"].endswith("Failed")]
    assert [event["eventType"] for event in failed] == [
        "ScheduleActivityTaskFailed",
        "StartTimerFailed",
        "StartChildWorkflowExecutionFailed",
    ]


def signal_until_closed(emulator: Emulator) -> int:
    """Signal an execution until it is closed and give the number of signals it took."""
    count = 0
    request = {"domain": "domain", "workflowId": "w", "signalName": "s"}
    while True:
        try:
            emulator.call("SignalWorkflowExecution", request)
        except Fault:
            return count
        count += 1


def test_an_execution_has_25_000_events_and_is_then_terminated(make: Make) -> None:
    swf = make()
    run_id = swf.start(childPolicy="ABANDON")
    # The last signal finds the history full, and nobody to wake.
    assert signal_until_closed(swf.emulator) == 24_999
    events = swf.events()
    assert len(events) == 25_001
    assert events[-1]["eventId"] == 25_001
    assert events[-1]["workflowExecutionTerminatedEventAttributes"] == {
        "childPolicy": "ABANDON",
        "cause": "EVENT_LIMIT_EXCEEDED",
    }
    info = swf.describe("w", run_id)["executionInfo"]
    assert info["closeStatus"] == "TERMINATED"


def full(make: Make, events: int, **settings: Any) -> Driver:
    """Make an emulator whose histories are full after so many events."""
    swf = make(quotas=Quotas(events=events))
    swf.start(**settings)
    return swf


def test_a_closing_event_always_has_room(make: Make) -> None:
    swf = full(make, 4)
    swf.decide({"decisionType": "CompleteWorkflowExecution"})
    assert swf.types()[4:] == ["WorkflowExecutionCompleted"]


def test_decisions_after_the_one_that_fills_the_history_are_dropped(make: Make) -> None:
    swf = full(make, 5)
    swf.decide(swf.schedule("a"), swf.schedule("b"), swf.schedule("c"))
    assert swf.types()[4:] == ["ActivityTaskScheduled", "WorkflowExecutionTerminated"]


def test_a_full_history_ends_a_poll_with_nothing(make: Make) -> None:
    swf = full(make, 2)
    assert "taskToken" not in swf.poll_decision()
    assert swf.types()[2:] == ["WorkflowExecutionTerminated"]


def test_a_full_history_ends_a_time_out_too(make: Make) -> None:
    swf = full(make, 5)
    swf.decide(swf.schedule(scheduleToStartTimeout="5"))
    swf.emulator.advance(5)
    assert swf.types()[5:] == ["WorkflowExecutionTerminated"]


def test_a_child_s_full_history_spares_its_parent(make: Make) -> None:
    swf = make(quotas=Quotas(events=12))
    swf.start("target", taskList={"name": "other"})
    for _ in range(9):
        swf.client.signal_workflow_execution(domain="domain", workflowId="target", signalName="s")
    assert len(swf.events("target")) == 11
    swf.start("w")
    signal = {
        "decisionType": "SignalExternalWorkflowExecution",
        "signalExternalWorkflowExecutionDecisionAttributes": {
            "workflowId": "target",
            "signalName": "s",
        },
    }
    swf.decide(signal, signal)
    assert swf.types("target")[11:] == [
        "WorkflowExecutionSignaled",
        "WorkflowExecutionTerminated",
    ]
    assert swf.types()[6:] == [
        "ExternalWorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "ExternalWorkflowExecutionSignaled",
    ]
    assert swf.emulator._state.open["domain"].keys() == {"w"}


@pytest.mark.parametrize("size", [200, 2000])
def test_many_executions_are_counted(make: Make, size: int) -> None:
    emulator = make().emulator
    for number in range(size):
        emulator.call(
            "StartWorkflowExecution",
            {"domain": "domain", "workflowId": str(number), "workflowType": TYPE},
        )
    request = {"domain": "domain", "startTimeFilter": {"oldestDate": 0}}
    assert emulator.call("CountOpenWorkflowExecutions", request)["count"] == size
