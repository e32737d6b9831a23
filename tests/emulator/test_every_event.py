"""All event types, each with all its attributes, from scenarios that together use the whole API."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from flowy_swf.emulator.model import description, enumeration, member_of, shapes

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

Json = dict[str, Any]
TYPE = {"name": "workflow", "version": "1"}
ROLE = "arn:aws:iam::123456789012:role/lambda"


def make_decision(kind: str, **attributes: Any) -> Json:
    return {"decisionType": kind, member_of(kind, "Decision"): attributes}


def _activities(swf: Driver) -> None:
    swf.start("activities", input="i", tagList=["t"], taskPriority="1", lambdaRole=ROLE)
    settings: Json = {"control": "c", "input": "i", "taskPriority": "1"}
    each = ["complete", "fail", "time out", "cancel", "never started"]
    swf.decide(*(swf.schedule(name, heartbeatTimeout="60", **settings) for name in each))
    tokens = [swf.poll_activity(identity="worker")["taskToken"] for _ in each[:-1]]
    swf.client.respond_activity_task_completed(taskToken=tokens[0], result="r")
    swf.client.respond_activity_task_failed(taskToken=tokens[1], reason="r", details="d")
    swf.decide(
        make_decision("RequestCancelActivityTask", activityId="cancel"),
        make_decision("RequestCancelActivityTask", activityId="never started"),
        make_decision("RequestCancelActivityTask", activityId="unknown"),
        swf.schedule("complete", activityType={"name": "none", "version": "1"}),
        executionContext="c",
        taskList={"name": "list"},
        taskListScheduleToStartTimeout="600",
    )
    swf.client.respond_activity_task_canceled(taskToken=tokens[3], details="d")
    swf.client.record_activity_task_heartbeat(taskToken=tokens[2], details="d")
    swf.emulator.advance(60)
    swf.decide(make_decision("CompleteWorkflowExecution", result="r"))


def _small_decisions(swf: Driver) -> None:
    swf.start("small", taskStartToCloseTimeout="100")
    swf.emulator.inject.fail_decision("RecordMarker", "OPERATION_NOT_PERMITTED")
    swf.decide(
        make_decision("RecordMarker", markerName="m"),
        make_decision("RecordMarker", markerName="m", details="d"),
        make_decision("StartTimer", timerId="t", startToFireTimeout="1", control="c"),
        make_decision("StartTimer", timerId="t", startToFireTimeout="1"),
        make_decision("StartTimer", timerId="u", startToFireTimeout="1"),
        make_decision("CancelTimer", timerId="u"),
        make_decision("CancelTimer", timerId="u"),
    )
    swf.emulator.advance(1)
    swf.poll_decision(identity="decider")
    swf.emulator.advance(100)
    swf.client.signal_workflow_execution(
        domain="domain", workflowId="small", signalName="s", input="i"
    )
    for kind in ("Complete", "Fail", "Cancel", "ContinueAsNew"):
        task = swf.poll_decision(identity="decider")
        swf.client.signal_workflow_execution(domain="domain", workflowId="small", signalName="s")
        swf.respond(task, make_decision(f"{kind}WorkflowExecution"))
    swf.decide(make_decision("FailWorkflowExecution", reason="r", details="d"))


def _families(swf: Driver) -> None:
    swf.start("parent")
    settings: Json = {
        "workflowType": TYPE,
        "control": "c",
        "input": "i",
        "taskPriority": "1",
        "tagList": ["t"],
        "lambdaRole": ROLE,
    }
    names = ["complete", "fail", "cancel", "terminate", "time out"]
    swf.decide(
        *(
            make_decision(
                "StartChildWorkflowExecution",
                workflowId=name,
                executionStartToCloseTimeout="50",
                taskList={"name": name},
                **settings,
            )
            for name in names
        ),
        make_decision("StartChildWorkflowExecution", workflowId="parent", **settings),
        *(
            make_decision(kind, workflowId=target, runId=run, control="c", **extra)
            for kind, extra in (
                ("SignalExternalWorkflowExecution", {"signalName": "s", "input": "i"}),
                ("RequestCancelExternalWorkflowExecution", {}),
            )
            for target, run in (("complete", ""), ("nobody", "x"))
        ),
    )
    for kind, attributes in (
        ("Complete", {"result": "r"}),
        ("Fail", {"reason": "r", "details": "d"}),
        ("Cancel", {"details": "d"}),
    ):
        swf.decide(make_decision(f"{kind}WorkflowExecution", **attributes), name=kind.lower())
    swf.client.terminate_workflow_execution(
        domain="domain", workflowId="terminate", reason="r", details="d"
    )
    swf.emulator.advance(50)
    swf.decide(
        make_decision(
            "StartChildWorkflowExecution",
            workflowId="orphan",
            taskList={"name": "orphan"},
            **settings,
        )
    )
    swf.client.terminate_workflow_execution(
        domain="domain", workflowId="parent", childPolicy="REQUEST_CANCEL"
    )


def _continuation(swf: Driver) -> None:
    swf.start("continued", taskList={"name": "continued"})
    swf.decide(
        make_decision(
            "ContinueAsNewWorkflowExecution",
            input="i",
            taskPriority="1",
            tagList=["t"],
            lambdaRole=ROLE,
        ),
        name="continued",
    )


def _lambdas(swf: Driver) -> None:
    go = threading.Event()
    swf.emulator.register_lambda("good", lambda event: event)
    swf.emulator.register_lambda("bad", lambda event: 1 / 0)
    swf.emulator.register_lambda("slow", lambda event: go.wait())
    swf.emulator.inject.fail_decision("ScheduleLambdaFunction", "ID_ALREADY_IN_USE")
    swf.start("lambdas", lambdaRole=ROLE, taskList={"name": "lambdas"})
    swf.decide(
        *(
            make_decision(
                "ScheduleLambdaFunction",
                id=f"{name}-{number}",
                name=name,
                control="c",
                input="1",
                startToCloseTimeout="30",
            )
            for number, name in enumerate(("good", "good", "bad", "slow"))
        ),
        name="lambdas",
    )
    for outcome in ("Completed", "Failed"):
        event = f"LambdaFunction{outcome}"
        swf.emulator.wait_for(lambda event=event: event in swf.types("lambdas"))  # type: ignore[misc]
    swf.emulator.advance(30)
    go.set()
    swf.start("no role", taskList={"name": "no role"})
    swf.decide(make_decision("ScheduleLambdaFunction", id="l", name="good"), name="no role")


def test_every_event_type_is_written_with_every_attribute_it_can_have(make: Make) -> None:
    swf = make()
    for scenario in (_activities, _small_decisions, _families, _continuation, _lambdas):
        scenario(swf)
    seen: dict[str, set[str]] = defaultdict(set)
    for execution in swf.emulator._state.runs.values():
        for event in execution.events:
            seen[event["eventType"]] |= set(event[member_of(event["eventType"], "Event")])
    expected = {
        event_type: set(shapes()[f"{event_type}EventAttributes"]["members"])
        for event_type in enumeration("EventType")
    }
    assert len(expected) == 54
    assert seen == expected
    assert set(swf.emulator.calls()) <= set(description()["operations"])


def test_the_api_has_39_operations_and_13_decisions() -> None:
    from flowy_swf.emulator import decisions, service

    polls = {"PollForDecisionTask", "PollForActivityTask", "RecordActivityTaskHeartbeat"}
    assert set(service._OPERATIONS) | polls == set(description()["operations"])
    assert len(description()["operations"]) == 39
    assert set(decisions._DECISIONS) == set(enumeration("DecisionType"))
    assert len(decisions._DECISIONS) == 13
