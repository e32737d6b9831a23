from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver

TYPE = {"name": "workflow", "version": "1"}
LIST = {"name": "list"}
COMPLETE = {"decisionType": "CompleteWorkflowExecution"}


def test_a_started_execution_says_how_it_was_started(swf: Driver) -> None:
    settings: dict[str, Any] = {
        "taskList": {"name": "other"},
        "taskPriority": "7",
        "input": "[1]",
        "executionStartToCloseTimeout": "60",
        "tagList": ["a", "b"],
        "taskStartToCloseTimeout": "10",
        "childPolicy": "ABANDON",
        "lambdaRole": "arn:aws:iam::123456789012:role/x",
    }
    swf.start("a:b", **settings)
    started, scheduled = swf.events("a:b")
    assert started == {
        "eventId": 1,
        "eventType": "WorkflowExecutionStarted",
        "eventTimestamp": swf.emulator.now(),
        "workflowExecutionStartedEventAttributes": {
            **settings,
            "workflowType": TYPE,
            "parentInitiatedEventId": 0,
        },
    }
    assert scheduled == {
        "eventId": 2,
        "eventType": "DecisionTaskScheduled",
        "eventTimestamp": swf.emulator.now(),
        "decisionTaskScheduledEventAttributes": {
            "taskList": {"name": "other"},
            "taskPriority": "7",
            "startToCloseTimeout": "10",
            "scheduleToStartTimeout": "NONE",
        },
    }


def test_run_ids_look_as_the_service_makes_them(swf: Driver) -> None:
    run_ids = [swf.start(f"w{number}") for number in range(50)]
    assert all(re.fullmatch(r"22[A-Za-z0-9+/]{43}=", run_id) for run_id in run_ids)
    assert len(set(run_ids)) == 50
    assert {"+", "/"} <= set("".join(run_ids))


def test_timestamps_have_milliseconds(swf: Driver) -> None:
    swf.emulator.advance(0.001)
    run_id = swf.start()
    moment = swf.events()[0]["eventTimestamp"]
    assert moment == round(moment, 3)
    answer = swf.client.get_workflow_execution_history(
        domain="domain", execution={"workflowId": "w", "runId": run_id}
    )
    assert answer["events"][0]["eventTimestamp"].timestamp() == pytest.approx(moment, abs=1e-6)


@pytest.mark.parametrize(
    ("member", "default"),
    [
        ("executionStartToCloseTimeout", "defaultExecutionStartToCloseTimeout"),
        ("taskList", "defaultTaskList"),
        ("taskStartToCloseTimeout", "defaultTaskStartToCloseTimeout"),
        ("childPolicy", "defaultChildPolicy"),
    ],
)
def test_a_setting_without_default_must_be_given(swf: Driver, member: str, default: str) -> None:
    ids = {"name": "bare", "version": "1"}
    swf.register_workflow(ids, **{default: None})
    request = {"domain": "domain", "workflowId": "w", "workflowType": ids}
    error = swf.fault("start_workflow_execution", **request)
    assert error == ("DefaultUndefinedFault", member)


@pytest.mark.parametrize("deprecated", [False, True])
def test_only_registered_types_are_started(swf: Driver, deprecated: bool) -> None:
    ids = {"name": "other", "version": "1"}
    label = "WorkflowType=[name=other, version=1]"
    expected = ("UnknownResourceFault", f"Unknown type: {label}")
    if deprecated:
        swf.register_workflow(ids)
        swf.client.deprecate_workflow_type(domain="domain", workflowType=ids)
        expected = ("TypeDeprecatedFault", label)
    request = {"domain": "domain", "workflowId": "w", "workflowType": ids}
    assert swf.fault("start_workflow_execution", **request) == expected


def test_a_workflow_id_is_open_once_and_free_again_when_closed(swf: Driver) -> None:
    first = swf.start()
    request = {"domain": "domain", "workflowId": "w", "workflowType": TYPE}
    error = swf.fault("start_workflow_execution", **request)
    assert error == ("WorkflowExecutionAlreadyStartedFault", "Already Started")
    swf.decide(COMPLETE)
    assert swf.start() != first


def test_a_signal_wakes_the_decider(swf: Driver) -> None:
    run_id = swf.start()
    swf.decide()
    swf.client.signal_workflow_execution(
        domain="domain", workflowId="w", signalName="one", input="i"
    )
    swf.client.signal_workflow_execution(
        domain="domain", workflowId="w", runId=run_id, signalName="two"
    )
    assert swf.types()[4:] == [
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "WorkflowExecutionSignaled",
    ]
    assert swf.last("WorkflowExecutionSignaled") == {
        "signalName": "two",
        "externalInitiatedEventId": 0,
    }


def test_a_cancellation_is_requested_and_left_to_the_decider(swf: Driver) -> None:
    run_id = swf.start()
    swf.decide()
    assert swf.describe("w", run_id)["executionInfo"]["cancelRequested"] is False
    swf.client.request_cancel_workflow_execution(domain="domain", workflowId="w")
    assert swf.last("WorkflowExecutionCancelRequested") == {"externalInitiatedEventId": 0}
    assert swf.types()[-1] == "DecisionTaskScheduled"
    info = swf.describe("w", run_id)["executionInfo"]
    assert (info["executionStatus"], info["cancelRequested"]) == ("OPEN", True)


def test_a_termination_closes_at_once(swf: Driver) -> None:
    run_id = swf.start()
    task = swf.poll_decision()
    swf.client.terminate_workflow_execution(
        domain="domain", workflowId="w", reason="r", details="d", childPolicy="ABANDON"
    )
    assert swf.last("WorkflowExecutionTerminated") == {
        "reason": "r",
        "details": "d",
        "childPolicy": "ABANDON",
        "cause": "OPERATOR_INITIATED",
    }
    detail = swf.describe("w", run_id)
    assert detail["executionInfo"]["closeStatus"] == "TERMINATED"
    assert detail["openCounts"]["openDecisionTasks"] == 0
    error = swf.fault("respond_decision_task_completed", taskToken=task["taskToken"], decisions=[])
    label = f"WorkflowExecution=[workflowId=w, runId={run_id}]"
    assert error == ("UnknownResourceFault", f"Unknown execution: {label}")


@pytest.mark.parametrize(
    "operation",
    [
        "signal_workflow_execution",
        "request_cancel_workflow_execution",
        "terminate_workflow_execution",
    ],
)
def test_only_open_executions_are_reached(swf: Driver, operation: str) -> None:
    extra = {"signalName": "s"} if "signal" in operation else {}
    closed = swf.start("closed")
    swf.decide(COMPLETE)
    for workflow_id in ("closed", "never"):
        error = swf.fault(operation, domain="domain", workflowId=workflow_id, **extra)
        assert error == ("UnknownResourceFault", f"Unknown execution, workflowId = {workflow_id}")
    error = swf.fault(operation, domain="domain", workflowId="closed", runId=closed, **extra)
    label = f"WorkflowExecution=[workflowId=closed, runId={closed}]"
    assert error == ("UnknownResourceFault", f"Unknown execution: {label}")
    error = swf.fault(operation, domain="nowhere", workflowId="w", **extra)
    assert error == ("UnknownResourceFault", "Unknown domain: nowhere")


def test_a_description_tells_all(swf: Driver) -> None:
    run_id = swf.start(tagList=["a"], taskPriority="3", lambdaRole="arn:x")
    detail = swf.describe("w", run_id)
    assert "latestActivityTaskTimestamp" not in detail
    assert "latestExecutionContext" not in detail
    swf.emulator.advance(2)
    swf.decide(
        swf.schedule("a"),
        swf.schedule("b"),
        {
            "decisionType": "StartTimer",
            "startTimerDecisionAttributes": {"timerId": "t", "startToFireTimeout": "9"},
        },
        executionContext="context",
    )
    detail = swf.describe("w", run_id)
    assert detail["executionInfo"] == {
        "execution": {"workflowId": "w", "runId": run_id},
        "workflowType": TYPE,
        "startTimestamp": detail["executionInfo"]["startTimestamp"],
        "executionStatus": "OPEN",
        "tagList": ["a"],
        "cancelRequested": False,
    }
    assert detail["executionConfiguration"] == {
        "taskStartToCloseTimeout": "NONE",
        "executionStartToCloseTimeout": "1000",
        "taskList": LIST,
        "taskPriority": "3",
        "childPolicy": "TERMINATE",
        "lambdaRole": "arn:x",
    }
    assert detail["openCounts"] == {
        "openActivityTasks": 2,
        "openDecisionTasks": 0,
        "openTimers": 1,
        "openChildWorkflowExecutions": 0,
        "openLambdaFunctions": 0,
    }
    waited = detail["latestActivityTaskTimestamp"] - detail["executionInfo"]["startTimestamp"]
    assert waited.total_seconds() == 2
    assert detail["latestExecutionContext"] == "context"


def test_the_latest_context_is_the_last_decision_s(swf: Driver) -> None:
    run_id = swf.start()
    swf.decide(executionContext="one")
    swf.client.signal_workflow_execution(domain="domain", workflowId="w", signalName="s")
    swf.decide(executionContext="")
    assert swf.describe("w", run_id)["latestExecutionContext"] == ""
    assert swf.last("DecisionTaskCompleted")["executionContext"] == ""
    swf.client.signal_workflow_execution(domain="domain", workflowId="w", signalName="s")
    swf.decide()
    assert "latestExecutionContext" not in swf.describe("w", run_id)
    assert "executionContext" not in swf.last("DecisionTaskCompleted")


@pytest.mark.parametrize(
    "operation", ["describe_workflow_execution", "get_workflow_execution_history"]
)
def test_an_execution_is_looked_up_by_both_its_ids(swf: Driver, operation: str) -> None:
    run_id = swf.start()
    swf.client.register_domain(name="other", workflowExecutionRetentionPeriodInDays="1")
    for domain, workflow_id, run in (
        ("domain", "w", "x"),
        ("domain", "x", run_id),
        ("other", "w", run_id),
    ):
        execution = {"workflowId": workflow_id, "runId": run}
        error = swf.fault(operation, domain=domain, execution=execution)
        label = f"WorkflowExecution=[workflowId={workflow_id}, runId={run}]"
        assert error == ("UnknownResourceFault", f"Unknown execution: {label}")


def test_something_meanwhile_schedules_one_decision_before_the_present_one_is_completed(
    swf: Driver,
) -> None:
    swf.start()
    task = swf.poll_decision()
    for name in ("one", "two"):
        swf.client.signal_workflow_execution(domain="domain", workflowId="w", signalName=name)
    assert swf.poll_decision().get("taskToken") is None  # the second waits for the first
    swf.respond(task)
    second = swf.poll_decision()
    assert swf.types() == [
        "WorkflowExecutionStarted",
        "DecisionTaskScheduled",
        "DecisionTaskStarted",
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "WorkflowExecutionSignaled",
        "DecisionTaskCompleted",
        "DecisionTaskStarted",
    ]
    assert second["previousStartedEventId"] == 3
    assert swf.last("DecisionTaskStarted") == {"scheduledEventId": 5}


def test_a_cancellation_succeeds_with_open_activities_which_stay_counted(swf: Driver) -> None:
    run_id = swf.start()
    swf.decide(swf.schedule())
    task = swf.poll_activity(identity="worker")
    swf.client.request_cancel_workflow_execution(domain="domain", workflowId="w")
    swf.decide(
        {
            "decisionType": "CancelWorkflowExecution",
            "cancelWorkflowExecutionDecisionAttributes": {"details": "d"},
        }
    )
    assert swf.types()[5:] == [
        "ActivityTaskStarted",
        "WorkflowExecutionCancelRequested",
        "DecisionTaskScheduled",
        "DecisionTaskStarted",
        "DecisionTaskCompleted",
        "WorkflowExecutionCanceled",
    ]
    detail = swf.describe("w", run_id)
    assert detail["executionInfo"]["closeStatus"] == "CANCELED"
    assert detail["openCounts"]["openActivityTasks"] == 1
    error = swf.fault("respond_activity_task_completed", taskToken=task["taskToken"])
    assert error[0] == "UnknownResourceFault"
