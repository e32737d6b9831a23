"""What moto implements correctly gives the same histories and errors for the same calls.

Left out is what moto does otherwise than Amazon SWF: it misspells TimerCanceled, schedules a second
decision task instead of none while one waits, and writes no member whose value is 0. Its timers run
by the machine's clock, in threads that outlive a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.exceptions
import moto
import pytest

from flowy_swf.emulator import Emulator
from flowy_swf.emulator.model import member_of

Json = dict[str, Any]
TYPE = {"name": "workflow", "version": "1"}
ACTIVITY = {"name": "activity", "version": "1"}
LIST = {"name": "list"}
#: Members that Amazon SWF writes and moto does not.
_NOT_IN_MOTO = {"externalInitiatedEventId", "parentInitiatedEventId", "scheduleToStartTimeout"}


def make_decision(kind: str, **attributes: Any) -> Json:
    return {"decisionType": kind, member_of(kind, "Decision"): attributes}


def schedule(**changes: Any) -> Json:
    settings: Json = {
        "activityType": ACTIVITY,
        "activityId": "a",
        "input": "i",
        "control": "c",
        "taskList": LIST,
        "scheduleToStartTimeout": "600",
        "scheduleToCloseTimeout": "600",
        "startToCloseTimeout": "600",
        "heartbeatTimeout": "600",
    }
    return make_decision("ScheduleActivityTask", **{**settings, **changes})


class Service:
    """A client, the histories of what it started, and the errors it met."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.errors: list[tuple[str, str]] = []
        client.register_domain(name="domain", workflowExecutionRetentionPeriodInDays="1")
        client.register_workflow_type(
            domain="domain",
            **TYPE,
            defaultTaskList=LIST,
            defaultChildPolicy="ABANDON",
            defaultTaskStartToCloseTimeout="600",
            defaultExecutionStartToCloseTimeout="600",
        )
        client.register_activity_type(domain="domain", **ACTIVITY)
        self.run_id = client.start_workflow_execution(
            domain="domain", workflowId="w", workflowType=TYPE, input="i"
        )["runId"]

    def refused(self, operation: str, **request: Any) -> None:
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            getattr(self.client, operation)(**request)
        error = caught.value.response["Error"]
        self.errors.append((error["Code"], error["Message"].replace(self.run_id, "RUN")))

    def decide(self, *decisions: Json, **options: Any) -> None:
        task = self.client.poll_for_decision_task(domain="domain", taskList=LIST, identity="d")
        self.client.respond_decision_task_completed(
            taskToken=task["taskToken"], decisions=list(decisions), **options
        )

    def take(self) -> str:
        task = self.client.poll_for_activity_task(domain="domain", taskList=LIST, identity="w")
        token: str = task["taskToken"]
        return token

    def signal(self) -> None:
        self.client.signal_workflow_execution(
            domain="domain", workflowId="w", signalName="s", input="i"
        )

    def history(self) -> list[tuple[str, Json]]:
        events = self.client.get_workflow_execution_history(
            domain="domain", execution={"workflowId": "w", "runId": self.run_id}
        )["events"]
        return [
            (
                event["eventType"],
                {
                    member: value
                    for member, value in event[member_of(event["eventType"], "Event")].items()
                    if member not in _NOT_IN_MOTO or event["eventType"] == "ActivityTaskScheduled"
                },
            )
            for event in events
        ]

    def description(self) -> Json:
        answer = self.client.describe_workflow_execution(
            domain="domain", execution={"workflowId": "w", "runId": self.run_id}
        )
        info = answer["executionInfo"]
        return {
            "status": (info["executionStatus"], info.get("closeStatus")),
            "configuration": answer["executionConfiguration"],
            "activities": answer["openCounts"]["openActivityTasks"],
            "context": answer.get("latestExecutionContext"),
        }


def complete(swf: Service) -> None:
    swf.decide(make_decision("CompleteWorkflowExecution", result="r"), executionContext="c")


def fail(swf: Service) -> None:
    swf.decide(make_decision("FailWorkflowExecution", reason="r", details="d"))


def terminate(swf: Service) -> None:
    swf.client.terminate_workflow_execution(
        domain="domain", workflowId="w", reason="r", details="d"
    )


def activities(swf: Service) -> None:
    swf.decide(schedule())
    swf.client.respond_activity_task_completed(taskToken=swf.take(), result="r")
    swf.decide(schedule(activityId="b"))
    swf.client.respond_activity_task_failed(taskToken=swf.take(), reason="r", details="d")
    swf.decide(make_decision("CompleteWorkflowExecution"))


def wrong_activities(swf: Service) -> None:
    swf.client.register_activity_type(domain="domain", name="old", version="1")
    old = {"name": "old", "version": "1"}
    swf.client.deprecate_activity_type(domain="domain", activityType=old)
    settings = schedule()["scheduleActivityTaskDecisionAttributes"]
    swf.decide(
        schedule(activityType={"name": "none", "version": "1"}),
        schedule(activityType=old),
        schedule(),
        schedule(),
        *(
            make_decision(
                "ScheduleActivityTask",
                **{
                    name: value
                    for name, value in {**settings, "activityId": member}.items()
                    if name != member
                },
            )
            for member in (
                "taskList",
                "scheduleToStartTimeout",
                "scheduleToCloseTimeout",
                "startToCloseTimeout",
                "heartbeatTimeout",
            )
        ),
    )


def markers(swf: Service) -> None:
    swf.decide(
        make_decision("RecordMarker", markerName="m", details="d"),
        make_decision("RecordMarker", markerName="n"),
    )


def signals(swf: Service) -> None:
    swf.decide()
    swf.signal()
    swf.decide(make_decision("CompleteWorkflowExecution"))


def errors(swf: Service) -> None:
    swf.refused("register_domain", name="domain", workflowExecutionRetentionPeriodInDays="1")
    swf.refused("register_workflow_type", domain="domain", **TYPE)
    swf.refused("register_activity_type", domain="domain", **ACTIVITY)
    swf.refused("describe_domain", name="x")
    swf.refused(
        "describe_workflow_type", domain="domain", workflowType={"name": "x", "version": "1"}
    )
    swf.refused(
        "deprecate_activity_type", domain="domain", activityType={"name": "x", "version": "1"}
    )
    swf.client.deprecate_activity_type(domain="domain", activityType=ACTIVITY)
    swf.refused("deprecate_activity_type", domain="domain", activityType=ACTIVITY)
    swf.refused("start_workflow_execution", domain="domain", workflowId="w", workflowType=TYPE)
    signal = {"domain": "domain", "workflowId": "x", "signalName": "s", "input": "i"}
    swf.refused("signal_workflow_execution", **signal)
    swf.refused("terminate_workflow_execution", domain="domain", workflowId="w", runId="x")
    swf.client.register_workflow_type(domain="domain", name="bare", version="1")
    bare = {"name": "bare", "version": "1"}
    swf.refused("start_workflow_execution", domain="domain", workflowId="y", workflowType=bare)
    task = swf.client.poll_for_decision_task(domain="domain", taskList=LIST, identity="d")
    close = make_decision("CompleteWorkflowExecution")
    respond = "respond_decision_task_completed"
    swf.refused(respond, taskToken="x", decisions=[])
    swf.refused(respond, taskToken=task["taskToken"], decisions=[close, close])
    swf.client.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[close])


@pytest.fixture
def in_moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "moto")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "moto")
    with moto.mock_aws():
        client = boto3.client("swf", region_name="us-east-1")
        yield client
        client.close()


@pytest.mark.parametrize(
    "scenario",
    [complete, fail, terminate, activities, wrong_activities, markers, signals, errors],
)
def test_the_same_calls_have_the_same_outcome(
    in_moto: Any, scenario: Callable[[Service], None]
) -> None:
    theirs = Service(in_moto)
    scenario(theirs)
    emulator = Emulator(clock="virtual", long_poll=0)
    with emulator.serve():
        client = emulator.client()
        ours = Service(client)
        scenario(ours)
        assert ours.history() == theirs.history()
        assert ours.description() == theirs.description()
        assert ours.errors == theirs.errors
        client.close()
