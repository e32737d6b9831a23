from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flowy_swf.emulator import Quotas

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

Json = dict[str, Any]
TYPE = {"name": "workflow", "version": "1"}
CHILDREN = {"name": "children"}


def make_decision(kind: str, **attributes: Any) -> Json:
    return {
        "decisionType": kind,
        f"{kind[0].lower()}{kind[1:]}DecisionAttributes": attributes,
    }


def child(workflow_id: str = "c", **changes: Any) -> Json:
    settings = {"workflowType": TYPE, "workflowId": workflow_id, "taskList": CHILDREN, **changes}
    return make_decision("StartChildWorkflowExecution", **settings)


def run_of(swf: Driver, workflow_id: str = "c") -> str:
    found = swf.client.list_open_workflow_executions(
        domain="domain",
        startTimeFilter={"oldestDate": 0},
        executionFilter={"workflowId": workflow_id},
    )
    run_id: str = found["executionInfos"][0]["execution"]["runId"]
    return run_id


def test_a_child_is_initiated_and_then_started(swf: Driver) -> None:
    parent = swf.start()
    settings: Json = {
        "input": "i",
        "executionStartToCloseTimeout": "50",
        "taskList": CHILDREN,
        "taskPriority": "1",
        "taskStartToCloseTimeout": "10",
        "childPolicy": "ABANDON",
        "tagList": ["t"],
        "lambdaRole": "arn:x",
    }
    swf.decide(child("c:1", control="k", **settings))
    assert swf.last("StartChildWorkflowExecutionInitiated") == {
        **settings,
        "control": "k",
        "workflowId": "c:1",
        "workflowType": TYPE,
        "decisionTaskCompletedEventId": 4,
    }
    run_id = run_of(swf, "c:1")
    assert swf.types()[5:] == ["ChildWorkflowExecutionStarted", "DecisionTaskScheduled"]
    assert swf.last("ChildWorkflowExecutionStarted") == {
        "workflowExecution": {"workflowId": "c:1", "runId": run_id},
        "workflowType": TYPE,
        "initiatedEventId": 5,
    }
    assert swf.last("WorkflowExecutionStarted", "c:1") == {
        **settings,
        "workflowType": TYPE,
        "parentWorkflowExecution": {"workflowId": "w", "runId": parent},
        "parentInitiatedEventId": 5,
    }
    info = swf.describe("c:1", run_id)["executionInfo"]
    assert info["parent"] == {"workflowId": "w", "runId": parent}
    assert swf.describe("w", parent)["openCounts"]["openChildWorkflowExecutions"] == 1


@pytest.mark.parametrize(
    ("kind", "given", "event", "told"),
    [
        ("CompleteWorkflowExecution", {"result": "r"}, "Completed", {"result": "r"}),
        (
            "FailWorkflowExecution",
            {"reason": "r", "details": "d"},
            "Failed",
            {"reason": "r", "details": "d"},
        ),
        ("CancelWorkflowExecution", {"details": "d"}, "Canceled", {"details": "d"}),
    ],
)
def test_a_parent_is_told_how_its_child_closed(
    swf: Driver, kind: str, given: Json, event: str, told: Json
) -> None:
    parent = swf.start()
    swf.decide(child())
    swf.decide()
    run_id = run_of(swf)
    swf.decide(make_decision(kind, **given), name="children")
    assert swf.types()[9:] == [f"ChildWorkflowExecution{event}", "DecisionTaskScheduled"]
    assert swf.last(f"ChildWorkflowExecution{event}") == {
        **told,
        "workflowExecution": {"workflowId": "c", "runId": run_id},
        "workflowType": TYPE,
        "initiatedEventId": 5,
        "startedEventId": 6,
    }
    assert swf.describe("w", parent)["openCounts"]["openChildWorkflowExecutions"] == 0


def test_a_parent_is_told_that_its_child_timed_out_or_was_terminated(swf: Driver) -> None:
    swf.start()
    swf.decide(child("c", executionStartToCloseTimeout="5"), child("d"))
    runs = {each: run_of(swf, each) for each in "cd"}
    swf.emulator.advance(5)
    swf.client.terminate_workflow_execution(domain="domain", workflowId="d")
    assert swf.types()[9:] == [
        "ChildWorkflowExecutionTimedOut",
        "ChildWorkflowExecutionTerminated",
    ]
    assert swf.last("ChildWorkflowExecutionTimedOut") == {
        "timeoutType": "START_TO_CLOSE",
        "workflowExecution": {"workflowId": "c", "runId": runs["c"]},
        "workflowType": TYPE,
        "initiatedEventId": 5,
        "startedEventId": 7,
    }
    assert swf.last("ChildWorkflowExecutionTerminated") == {
        "workflowExecution": {"workflowId": "d", "runId": runs["d"]},
        "workflowType": TYPE,
        "initiatedEventId": 6,
        "startedEventId": 9,
    }


def test_a_child_that_continues_as_new_stays_a_child(swf: Driver) -> None:
    parent = swf.start()
    swf.decide(child())
    swf.decide()
    first = run_of(swf)
    swf.decide(make_decision("ContinueAsNewWorkflowExecution", taskList=CHILDREN), name="children")
    second = run_of(swf)
    assert swf.types()[-1] == "DecisionTaskCompleted"  # the parent has heard nothing
    started = swf.last("WorkflowExecutionStarted", "c", second)
    assert started["continuedExecutionRunId"] == first
    assert started["parentWorkflowExecution"] == {"workflowId": "w", "runId": parent}
    assert started["parentInitiatedEventId"] == 5
    swf.decide(make_decision("CompleteWorkflowExecution", result="r"), name="children")
    told = swf.last("ChildWorkflowExecutionCompleted")
    assert told["workflowExecution"] == {"workflowId": "c", "runId": second}
    assert told["startedEventId"] == 6


@pytest.mark.parametrize("how", ["terminated", "timed out"])
@pytest.mark.parametrize("policy", ["TERMINATE", "REQUEST_CANCEL", "ABANDON"])
def test_a_child_policy_is_applied_to_open_children(swf: Driver, policy: str, how: str) -> None:
    parent = swf.start(childPolicy=policy, executionStartToCloseTimeout="10")
    grandchild = child("g", taskList={"name": "grandchildren"})
    swf.decide(child("closed"), child("open"))
    swf.decide(make_decision("CompleteWorkflowExecution"), name="children")
    swf.decide(grandchild, name="children")
    if how == "terminated":
        swf.client.terminate_workflow_execution(domain="domain", workflowId="w")
        assert swf.last("WorkflowExecutionTerminated")["childPolicy"] == policy
    else:
        swf.emulator.advance(10)
        assert swf.last("WorkflowExecutionTimedOut") == {
            "timeoutType": "START_TO_CLOSE",
            "childPolicy": policy,
        }
        info = swf.describe("w", parent)["executionInfo"]
        assert info["closeStatus"] == "TIMED_OUT"
    open_ids = {
        info["execution"]["workflowId"]
        for info in swf.client.list_open_workflow_executions(
            domain="domain", startTimeFilter={"oldestDate": 0}
        )["executionInfos"]
    }
    if policy == "TERMINATE":
        assert open_ids == set()  # the child's own policy went for the grandchild
        for each in ("open", "g"):
            assert swf.last("WorkflowExecutionTerminated", each) == {
                "childPolicy": "TERMINATE",
                "cause": "CHILD_POLICY_APPLIED",
            }
    else:
        assert open_ids == {"open", "g"}
    if policy == "REQUEST_CANCEL":
        assert swf.last("WorkflowExecutionCancelRequested", "open") == {
            "cause": "CHILD_POLICY_APPLIED",
            "externalInitiatedEventId": 0,
            "externalWorkflowExecution": {"workflowId": "w", "runId": parent},
        }
    if policy == "ABANDON":
        assert "WorkflowExecutionCancelRequested" not in swf.types("open")


def test_a_termination_may_bring_a_policy_of_its_own(swf: Driver) -> None:
    swf.start()
    swf.decide(child())
    swf.client.terminate_workflow_execution(domain="domain", workflowId="w", childPolicy="ABANDON")
    assert swf.last("WorkflowExecutionTerminated")["childPolicy"] == "ABANDON"
    assert run_of(swf)


def test_a_policy_reaches_the_run_a_child_continued_as(swf: Driver) -> None:
    swf.start()
    swf.decide(child())
    swf.decide(make_decision("ContinueAsNewWorkflowExecution"), name="children")
    run_id = run_of(swf)
    swf.client.terminate_workflow_execution(domain="domain", workflowId="w")
    info = swf.describe("c", run_id)["executionInfo"]
    assert info["closeStatus"] == "TERMINATED"


def test_a_policy_spares_a_stranger_with_a_child_s_workflow_id(swf: Driver) -> None:
    swf.start("c")
    swf.start("w", taskList={"name": "parents"})
    swf.decide(child("c"), name="parents")  # fails: the id is running already
    swf.client.terminate_workflow_execution(domain="domain", workflowId="w")
    assert run_of(swf, "c")


def test_a_stranger_is_spared_even_when_the_parent_s_history_is_full(make: Make) -> None:
    swf = make(quotas=Quotas(events=5))
    swf.start("c", taskList=CHILDREN)
    swf.start()
    swf.decide(child("c"))  # is initiated, and there is no room to say that it failed
    assert swf.types()[4:] == [
        "StartChildWorkflowExecutionInitiated",
        "WorkflowExecutionTerminated",
    ]
    assert run_of(swf, "c")


def test_a_child_may_run_without_a_limit(swf: Driver) -> None:
    swf.start("w", childPolicy="ABANDON")
    swf.decide(child(executionStartToCloseTimeout="NONE"))
    swf.emulator.advance(3 * 365 * 24 * 3600)
    assert swf.types()[-1] == "WorkflowExecutionTimedOut"
    swf.decide(make_decision("CompleteWorkflowExecution"), name="children")
    assert swf.types("c")[-1] == "WorkflowExecutionCompleted"


@pytest.mark.parametrize("kind", ["CompleteWorkflowExecution", "ContinueAsNewWorkflowExecution"])
def test_a_parent_that_closes_by_itself_leaves_its_children_alone(swf: Driver, kind: str) -> None:
    parent = swf.start()
    swf.decide(child(), make_decision(kind))
    assert swf.types(run_id=parent)[-1].startswith("WorkflowExecutionCo")
    swf.decide(make_decision("CompleteWorkflowExecution"), name="children")
    assert "ChildWorkflowExecutionCompleted" not in swf.types(run_id=parent)


def test_a_signal_goes_from_one_execution_to_another(swf: Driver) -> None:
    source = swf.start()
    target = swf.start("target", taskList=CHILDREN)
    swf.decide(
        make_decision(
            "SignalExternalWorkflowExecution",
            workflowId="target",
            runId=target,
            signalName="s",
            input="i",
            control="k",
        )
    )
    assert swf.last("SignalExternalWorkflowExecutionInitiated") == {
        "workflowId": "target",
        "runId": target,
        "signalName": "s",
        "input": "i",
        "control": "k",
        "decisionTaskCompletedEventId": 4,
    }
    assert swf.last("WorkflowExecutionSignaled", "target") == {
        "signalName": "s",
        "input": "i",
        "externalWorkflowExecution": {"workflowId": "w", "runId": source},
        "externalInitiatedEventId": 5,
    }
    assert swf.last("ExternalWorkflowExecutionSignaled") == {
        "workflowExecution": {"workflowId": "target", "runId": target},
        "initiatedEventId": 5,
    }
    assert swf.types()[-1] == "DecisionTaskScheduled"


def test_a_cancellation_goes_from_one_execution_to_another(swf: Driver) -> None:
    source = swf.start()
    target = swf.start("target", taskList=CHILDREN)
    swf.decide(
        make_decision(
            "RequestCancelExternalWorkflowExecution", workflowId="target", runId="", control="k"
        )
    )
    assert swf.last("RequestCancelExternalWorkflowExecutionInitiated") == {
        "workflowId": "target",
        "control": "k",
        "decisionTaskCompletedEventId": 4,
    }
    assert swf.last("WorkflowExecutionCancelRequested", "target") == {
        "externalWorkflowExecution": {"workflowId": "w", "runId": source},
        "externalInitiatedEventId": 5,
    }
    assert swf.last("ExternalWorkflowExecutionCancelRequested") == {
        "workflowExecution": {"workflowId": "target", "runId": target},
        "initiatedEventId": 5,
    }


def test_an_execution_may_signal_and_cancel_itself(swf: Driver) -> None:
    swf.start()
    swf.decide(
        make_decision("SignalExternalWorkflowExecution", workflowId="w", signalName="s"),
        make_decision("RequestCancelExternalWorkflowExecution", workflowId="w"),
    )
    assert swf.types()[6:] == [
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "ExternalWorkflowExecutionSignaled",
        "WorkflowExecutionCancelRequested",
        "ExternalWorkflowExecutionCancelRequested",
    ]


def test_a_signal_sent_with_the_closing_decision_still_arrives(swf: Driver) -> None:
    swf.start()
    swf.start("target", taskList=CHILDREN)
    swf.decide(
        make_decision("SignalExternalWorkflowExecution", workflowId="target", signalName="s"),
        make_decision("CompleteWorkflowExecution"),
    )
    assert swf.types()[-1] == "WorkflowExecutionCompleted"
    assert swf.types("target")[-1] == "WorkflowExecutionSignaled"
