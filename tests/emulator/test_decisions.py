from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flowy_swf.emulator import Quotas

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

Json = dict[str, Any]
TYPE = {"name": "workflow", "version": "1"}
ACTIVITY = {"name": "activity", "version": "1"}
LIST = {"name": "list"}


def make_decision(kind: str, **attributes: Any) -> Json:
    return {
        "decisionType": kind,
        f"{kind[0].lower()}{kind[1:]}DecisionAttributes": attributes,
    }


def timer(timer_id: str, seconds: str = "5") -> Json:
    return make_decision("StartTimer", timerId=timer_id, startToFireTimeout=seconds)


def test_an_activity_goes_from_schedule_to_result(swf: Driver) -> None:
    run_id = swf.start()
    settings: Json = {
        "activityType": ACTIVITY,
        "activityId": "a:1",
        "control": "c",
        "input": "i",
        "scheduleToCloseTimeout": "40",
        "taskList": {"name": "workers"},
        "taskPriority": "2",
        "scheduleToStartTimeout": "30",
        "startToCloseTimeout": "20",
        "heartbeatTimeout": "10",
    }
    swf.decide(make_decision("ScheduleActivityTask", **settings))
    assert swf.last("ActivityTaskScheduled") == {**settings, "decisionTaskCompletedEventId": 4}
    task = swf.poll_activity("workers", identity="worker 1")
    del task["ResponseMetadata"]
    assert task == {
        "taskToken": task["taskToken"],
        "activityId": "a:1",
        "startedEventId": 6,
        "workflowExecution": {"workflowId": "w", "runId": run_id},
        "activityType": ACTIVITY,
        "input": "i",
    }
    assert swf.last("ActivityTaskStarted") == {"identity": "worker 1", "scheduledEventId": 5}
    swf.client.respond_activity_task_completed(taskToken=task["taskToken"], result="r")
    assert swf.last("ActivityTaskCompleted") == {
        "result": "r",
        "scheduledEventId": 5,
        "startedEventId": 6,
    }
    assert swf.types()[-1] == "DecisionTaskScheduled"
    error = swf.fault("respond_activity_task_completed", taskToken=task["taskToken"])
    assert error == ("UnknownResourceFault", "Unknown activity, scheduledEventId = 5")


def test_an_activity_without_settings_takes_those_of_its_type(swf: Driver) -> None:
    ids = {"name": "full", "version": "1"}
    defaults: Json = {
        "defaultTaskList": {"name": "l"},
        "defaultTaskPriority": "4",
        "defaultTaskScheduleToStartTimeout": "1",
        "defaultTaskScheduleToCloseTimeout": "2",
        "defaultTaskStartToCloseTimeout": "3",
        "defaultTaskHeartbeatTimeout": "4",
    }
    swf.register_activity(ids, **defaults)
    swf.start()
    swf.decide(swf.schedule(activityType=ids))
    assert swf.last("ActivityTaskScheduled") == {
        "activityType": ids,
        "activityId": "a",
        "taskList": {"name": "l"},
        "taskPriority": "4",
        "scheduleToStartTimeout": "1",
        "scheduleToCloseTimeout": "2",
        "startToCloseTimeout": "3",
        "heartbeatTimeout": "4",
        "decisionTaskCompletedEventId": 4,
    }


def test_an_activity_fails_with_reason_and_details(swf: Driver) -> None:
    swf.start()
    swf.decide(swf.schedule())
    token = swf.poll_activity()["taskToken"]
    swf.client.respond_activity_task_failed(taskToken=token, reason="r", details="d")
    assert swf.last("ActivityTaskFailed") == {
        "reason": "r",
        "details": "d",
        "scheduledEventId": 5,
        "startedEventId": 6,
    }


def test_an_activity_not_yet_started_is_cancelled_at_once(swf: Driver) -> None:
    swf.start()
    swf.decide(swf.schedule())
    swf.client.signal_workflow_execution(domain="domain", workflowId="w", signalName="s")
    swf.decide(make_decision("RequestCancelActivityTask", activityId="a"))
    assert swf.types()[9:] == [
        "ActivityTaskCancelRequested",
        "ActivityTaskCanceled",
        "DecisionTaskScheduled",
    ]
    assert swf.last("ActivityTaskCancelRequested") == {
        "activityId": "a",
        "decisionTaskCompletedEventId": 9,
    }
    assert swf.last("ActivityTaskCanceled") == {
        "scheduledEventId": 5,
        "startedEventId": 0,
        "latestCancelRequestedEventId": 10,
    }
    assert "taskToken" not in swf.poll_activity()


def test_a_started_activity_learns_of_its_cancellation_by_heartbeat(swf: Driver) -> None:
    swf.start()
    swf.decide(swf.schedule())
    token = swf.poll_activity()["taskToken"]
    heartbeat = swf.client.record_activity_task_heartbeat
    assert heartbeat(taskToken=token)["cancelRequested"] is False
    swf.client.signal_workflow_execution(domain="domain", workflowId="w", signalName="s")
    swf.decide(make_decision("RequestCancelActivityTask", activityId="a"))
    assert swf.types()[-1] == "ActivityTaskCancelRequested"
    assert heartbeat(taskToken=token, details="d")["cancelRequested"] is True
    swf.client.respond_activity_task_canceled(taskToken=token, details="gone")
    assert swf.last("ActivityTaskCanceled") == {
        "details": "gone",
        "scheduledEventId": 5,
        "startedEventId": 6,
        "latestCancelRequestedEventId": 11,
    }


def test_a_worker_may_cancel_unasked(swf: Driver) -> None:
    swf.start()
    swf.decide(swf.schedule())
    swf.client.respond_activity_task_canceled(taskToken=swf.poll_activity()["taskToken"])
    assert swf.last("ActivityTaskCanceled") == {"scheduledEventId": 5, "startedEventId": 6}


def test_markers_are_recorded_without_a_new_decision(swf: Driver) -> None:
    swf.start()
    swf.decide(
        make_decision("RecordMarker", markerName="one", details="d"),
        make_decision("RecordMarker", markerName="one"),
    )
    assert swf.types()[4:] == ["MarkerRecorded", "MarkerRecorded"]
    markers = [event["markerRecordedEventAttributes"] for event in swf.events()[4:]]
    assert markers == [
        {"markerName": "one", "details": "d", "decisionTaskCompletedEventId": 4},
        {"markerName": "one", "decisionTaskCompletedEventId": 4},
    ]


def test_a_timer_fires_at_its_time_and_a_cancelled_one_does_not(swf: Driver) -> None:
    swf.start()
    swf.decide(
        make_decision("StartTimer", timerId="t:1", startToFireTimeout="120", control="c"),
        timer("t:2", "2"),
    )
    started = swf.events()[4]["timerStartedEventAttributes"]
    assert started == {
        "timerId": "t:1",
        "startToFireTimeout": "120",
        "control": "c",
        "decisionTaskCompletedEventId": 4,
    }
    swf.emulator.advance(1.999)
    assert swf.types()[-1] == "TimerStarted"
    swf.emulator.advance(0.001)
    assert swf.last("TimerFired") == {"timerId": "t:2", "startedEventId": 6}
    fired, scheduled = swf.events()[6:]
    assert fired["eventTimestamp"] == scheduled["eventTimestamp"] == swf.emulator.now()
    swf.decide(make_decision("CancelTimer", timerId="t:1"))
    assert swf.last("TimerCanceled") == {
        "timerId": "t:1",
        "startedEventId": 5,
        "decisionTaskCompletedEventId": 10,
    }
    swf.emulator.advance(500)
    assert swf.types()[-1] == "TimerCanceled"


def test_a_timer_of_no_seconds_fires_at_once(swf: Driver) -> None:
    swf.start()
    swf.decide(timer("t", "0"))
    assert swf.types()[4:] == ["TimerStarted", "TimerFired", "DecisionTaskScheduled"]


def test_a_timer_id_is_free_again_in_the_decision_that_cancels_it(swf: Driver) -> None:
    swf.start()
    swf.decide(timer("t"), make_decision("CancelTimer", timerId="t"), timer("t", "1"))
    swf.emulator.advance(100)
    assert swf.types()[4:] == [
        "TimerStarted",
        "TimerCanceled",
        "TimerStarted",
        "TimerFired",
        "DecisionTaskScheduled",
    ]


@pytest.mark.parametrize(
    ("kind", "attributes", "event", "status"),
    [
        ("CompleteWorkflowExecution", {"result": "r"}, "WorkflowExecutionCompleted", "COMPLETED"),
        (
            "FailWorkflowExecution",
            {"reason": "r", "details": "d"},
            "WorkflowExecutionFailed",
            "FAILED",
        ),
        ("CancelWorkflowExecution", {"details": "d"}, "WorkflowExecutionCanceled", "CANCELED"),
    ],
)
def test_a_closing_decision_closes(
    swf: Driver, kind: str, attributes: Json, event: str, status: str
) -> None:
    run_id = swf.start()
    swf.emulator.advance(3)
    swf.decide(timer("t"), make_decision(kind, **attributes))
    assert swf.types()[4:] == ["TimerStarted", event]
    assert swf.last(event) == {**attributes, "decisionTaskCompletedEventId": 4}
    swf.emulator.advance(100)
    assert swf.types()[-1] == event
    info = swf.describe("w", run_id)["executionInfo"]
    assert (info["executionStatus"], info["closeStatus"]) == ("CLOSED", status)
    assert (info["closeTimestamp"] - info["startTimestamp"]).total_seconds() == 3


def test_continuing_as_new_starts_another_run(swf: Driver) -> None:
    old = swf.start(tagList=["x"], input="old")
    swf.register_workflow({"name": "workflow", "version": "2"})
    settings: Json = {
        "input": "new",
        "executionStartToCloseTimeout": "60",
        "taskList": {"name": "other"},
        "taskPriority": "5",
        "taskStartToCloseTimeout": "10",
        "childPolicy": "ABANDON",
        "tagList": ["a"],
        "lambdaRole": "arn:x",
    }
    swf.decide(make_decision("ContinueAsNewWorkflowExecution", workflowTypeVersion="2", **settings))
    event = swf.last("WorkflowExecutionContinuedAsNew", run_id=old)
    new = event["newExecutionRunId"]
    workflow_type = {"name": "workflow", "version": "2"}
    assert event == {
        **settings,
        "workflowType": workflow_type,
        "newExecutionRunId": new,
        "decisionTaskCompletedEventId": 4,
    }
    assert swf.types(run_id=new) == ["WorkflowExecutionStarted", "DecisionTaskScheduled"]
    assert swf.last("WorkflowExecutionStarted", run_id=new) == {
        **settings,
        "workflowType": workflow_type,
        "continuedExecutionRunId": old,
        "parentInitiatedEventId": 0,
    }
    assert swf.describe("w", old)["executionInfo"]["closeStatus"] == "CONTINUED_AS_NEW"


def test_continuing_as_new_takes_the_defaults_of_the_type_not_of_the_run(swf: Driver) -> None:
    old = swf.start(executionStartToCloseTimeout="7", input="old", tagList=["x"])
    swf.decide(make_decision("ContinueAsNewWorkflowExecution"))
    event = swf.last("WorkflowExecutionStarted")
    assert event["executionStartToCloseTimeout"] == "1000"
    assert event["continuedExecutionRunId"] == old
    assert {"input", "tagList"}.isdisjoint(event)


def test_nothing_may_follow_a_closing_decision_and_nothing_is_done_then(swf: Driver) -> None:
    swf.start()
    task = swf.poll_decision()
    decisions = [timer("t"), make_decision("CompleteWorkflowExecution"), timer("u")]
    error = swf.fault(
        "respond_decision_task_completed", taskToken=task["taskToken"], decisions=decisions
    )
    assert error == ("ValidationException", "Close must be last decision in list")
    assert swf.types()[-1] == "DecisionTaskStarted"
    swf.respond(task)


@pytest.mark.parametrize(
    "kind",
    [
        "CompleteWorkflowExecution",
        "FailWorkflowExecution",
        "CancelWorkflowExecution",
        "ContinueAsNewWorkflowExecution",
    ],
)
def test_closing_fails_when_something_happened_that_the_decider_has_not_seen(
    swf: Driver, kind: str
) -> None:
    swf.start()
    task = swf.poll_decision()
    swf.client.signal_workflow_execution(domain="domain", workflowId="w", signalName="s")
    swf.respond(task, make_decision(kind))
    assert swf.types()[3:] == [
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "DecisionTaskCompleted",
        f"{kind}Failed",
    ]
    assert swf.last(f"{kind}Failed") == {
        "cause": "UNHANDLED_DECISION",
        "decisionTaskCompletedEventId": 6,
    }
    swf.decide(make_decision(kind))  # which has seen it
    assert swf.events()[0]["eventType"] == "WorkflowExecutionStarted"
    count = swf.client.count_closed_workflow_executions(
        domain="domain", startTimeFilter={"oldestDate": 0}
    )
    assert count["count"] == 1


def test_a_failed_decision_does_not_keep_its_batch_from_closing(swf: Driver) -> None:
    swf.start()
    swf.decide(
        make_decision("CancelTimer", timerId="none"), make_decision("CompleteWorkflowExecution")
    )
    assert swf.types()[4:] == ["CancelTimerFailed", "WorkflowExecutionCompleted"]


def schedule(**changes: Any) -> Json:
    return make_decision(
        "ScheduleActivityTask", **{"activityType": ACTIVITY, "activityId": "a", **changes}
    )


def child(**changes: Any) -> Json:
    return make_decision(
        "StartChildWorkflowExecution", **{"workflowType": TYPE, "workflowId": "c", **changes}
    )


OLD = {"name": "old", "version": "1"}
BARE = {"name": "bare", "version": "1"}
NONE = {"name": "none", "version": "1"}

#: A failing decision after others, the members its failure repeats, and the cause.
FAILURES: list[tuple[list[Json], Json, str]] = [
    (
        [schedule(activityType=NONE)],
        {"activityType": NONE, "activityId": "a"},
        "ACTIVITY_TYPE_DOES_NOT_EXIST",
    ),
    (
        [schedule(activityType=OLD)],
        {"activityType": OLD, "activityId": "a"},
        "ACTIVITY_TYPE_DEPRECATED",
    ),
    (
        [schedule(), schedule()],
        {"activityType": ACTIVITY, "activityId": "a"},
        "ACTIVITY_ID_ALREADY_IN_USE",
    ),
    (
        [schedule(), schedule(activityId="b"), schedule(activityId="c")],
        {"activityType": ACTIVITY, "activityId": "c"},
        "OPEN_ACTIVITIES_LIMIT_EXCEEDED",
    ),
    (
        [make_decision("RequestCancelActivityTask", activityId="x")],
        {"activityId": "x"},
        "ACTIVITY_ID_UNKNOWN",
    ),
    ([timer("t"), timer("t")], {"timerId": "t"}, "TIMER_ID_ALREADY_IN_USE"),
    ([timer("t"), timer("u"), timer("v")], {"timerId": "v"}, "OPEN_TIMERS_LIMIT_EXCEEDED"),
    ([make_decision("CancelTimer", timerId="x")], {"timerId": "x"}, "TIMER_ID_UNKNOWN"),
    (
        [child(workflowType=NONE, control="k")],
        {"workflowType": NONE, "workflowId": "c", "initiatedEventId": 0, "control": "k"},
        "WORKFLOW_TYPE_DOES_NOT_EXIST",
    ),
    (
        [child(workflowType=OLD)],
        {"workflowType": OLD, "workflowId": "c", "initiatedEventId": 0},
        "WORKFLOW_TYPE_DEPRECATED",
    ),
    (
        [child(), child(workflowId="d"), child(workflowId="e")],
        {"workflowType": TYPE, "workflowId": "e", "initiatedEventId": 0},
        "OPEN_CHILDREN_LIMIT_EXCEEDED",
    ),
    (
        [child(workflowId="w")],
        {"workflowType": TYPE, "workflowId": "w", "initiatedEventId": 5},
        "WORKFLOW_ALREADY_RUNNING",
    ),
    (
        [
            make_decision(
                "SignalExternalWorkflowExecution", workflowId="x", signalName="s", control="k"
            )
        ],
        {"workflowId": "x", "initiatedEventId": 5, "control": "k"},
        "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
    ),
    (
        [make_decision("RequestCancelExternalWorkflowExecution", workflowId="w", runId="x")],
        {"workflowId": "w", "runId": "x", "initiatedEventId": 5},
        "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
    ),
    (
        [
            make_decision("ScheduleLambdaFunction", id="l", name="f"),
            make_decision("ScheduleLambdaFunction", id="l", name="g"),
        ],
        {"id": "l", "name": "g"},
        "ID_ALREADY_IN_USE",
    ),
    (
        [make_decision("ScheduleLambdaFunction", id=each, name="f") for each in "123"],
        {"id": "3", "name": "f"},
        "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED",
    ),
    (
        [make_decision("ContinueAsNewWorkflowExecution", workflowTypeVersion="9")],
        {},
        "WORKFLOW_TYPE_DOES_NOT_EXIST",
    ),
]


@pytest.mark.parametrize(("decisions", "event", "cause"), FAILURES, ids=lambda case: str(case)[:40])
def test_a_decision_that_cannot_be_carried_out_says_why(
    make: Make, decisions: list[Json], event: Json, cause: str
) -> None:
    few = Quotas(open_activities=2, open_timers=2, open_children=2, open_lambdas=2)
    swf = make(quotas=few)
    swf.register_activity(OLD)
    swf.client.deprecate_activity_type(domain="domain", activityType=OLD)
    swf.register_workflow(OLD)
    swf.client.deprecate_workflow_type(domain="domain", workflowType=OLD)
    swf.start()
    swf.decide(*decisions)
    failed = f"{decisions[-1]['decisionType']}Failed"
    assert swf.last(failed) == {**event, "cause": cause, "decisionTaskCompletedEventId": 4}
    assert swf.types().count(failed) == 1
    assert swf.types()[5:].count("DecisionTaskScheduled") == 1  # the decider hears of it


@pytest.mark.parametrize(
    ("default", "cause"),
    [
        ("defaultTaskList", "DEFAULT_TASK_LIST_UNDEFINED"),
        (
            "defaultTaskScheduleToCloseTimeout",
            "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED",
        ),
        (
            "defaultTaskScheduleToStartTimeout",
            "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED",
        ),
        ("defaultTaskStartToCloseTimeout", "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
        ("defaultTaskHeartbeatTimeout", "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED"),
    ],
)
def test_an_activity_needs_every_setting(swf: Driver, default: str, cause: str) -> None:
    swf.register_activity(BARE, **{default: None})
    swf.start()
    swf.decide(schedule(activityType=BARE))
    assert swf.last("ScheduleActivityTaskFailed")["cause"] == cause


@pytest.mark.parametrize(
    ("default", "cause"),
    [
        (
            "defaultExecutionStartToCloseTimeout",
            "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED",
        ),
        ("defaultTaskList", "DEFAULT_TASK_LIST_UNDEFINED"),
        (
            "defaultTaskStartToCloseTimeout",
            "DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED",
        ),
        ("defaultChildPolicy", "DEFAULT_CHILD_POLICY_UNDEFINED"),
    ],
)
def test_a_child_and_a_new_run_need_every_setting(swf: Driver, default: str, cause: str) -> None:
    swf.register_workflow(BARE, **{default: None})
    swf.start(
        workflowType=BARE,
        executionStartToCloseTimeout="60",
        taskList=LIST,
        taskStartToCloseTimeout="60",
        childPolicy="ABANDON",
    )
    swf.decide(child(workflowType=BARE), make_decision("ContinueAsNewWorkflowExecution"))
    assert swf.last("StartChildWorkflowExecutionFailed")["cause"] == cause
    assert swf.last("ContinueAsNewWorkflowExecutionFailed")["cause"] == cause
    assert swf.types()[-1] == "DecisionTaskScheduled"


def test_a_run_of_a_deprecated_type_cannot_continue_as_new(swf: Driver) -> None:
    swf.start()
    swf.client.deprecate_workflow_type(domain="domain", workflowType=TYPE)
    swf.decide(make_decision("ContinueAsNewWorkflowExecution"))
    failed = swf.last("ContinueAsNewWorkflowExecutionFailed")
    assert failed["cause"] == "WORKFLOW_TYPE_DEPRECATED"


def test_decisions_are_written_in_their_order_before_their_effects(swf: Driver) -> None:
    swf.start()
    swf.decide(
        child(),
        make_decision("SignalExternalWorkflowExecution", workflowId="w", signalName="s"),
        timer("t", "0"),
        swf.schedule(),
    )
    assert swf.types()[4:] == [
        "StartChildWorkflowExecutionInitiated",
        "SignalExternalWorkflowExecutionInitiated",
        "TimerStarted",
        "ActivityTaskScheduled",
        "ChildWorkflowExecutionStarted",
        "DecisionTaskScheduled",
        "WorkflowExecutionSignaled",
        "ExternalWorkflowExecutionSignaled",
        "TimerFired",
    ]


@pytest.mark.parametrize("token", ["x", "AAAA", "e30="])
@pytest.mark.parametrize(
    "operation",
    [
        "respond_decision_task_completed",
        "respond_activity_task_completed",
        "respond_activity_task_failed",
        "respond_activity_task_canceled",
        "record_activity_task_heartbeat",
    ],
)
def test_a_token_nobody_gave_out_is_invalid(swf: Driver, operation: str, token: str) -> None:
    assert swf.fault(operation, taskToken=token) == ("ValidationException", "Invalid token")


def test_a_token_serves_its_own_purpose_and_emulator(swf: Driver, make: Make) -> None:
    swf.start()
    token = swf.poll_decision()["taskToken"]
    error = swf.fault("respond_activity_task_completed", taskToken=token)
    assert error == ("ValidationException", "Invalid token")
    code, message = make().fault("respond_decision_task_completed", taskToken=token)
    assert code == "UnknownResourceFault"
    assert message.startswith("Unknown execution: runId=22")


def test_a_decision_is_made_once(swf: Driver) -> None:
    swf.start()
    task = swf.decide()
    error = swf.fault("respond_decision_task_completed", taskToken=task["taskToken"])
    assert error == ("UnknownResourceFault", "Unknown decision, scheduledEventId = 2")
