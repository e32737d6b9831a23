from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver

Json = dict[str, Any]


def signal(swf: Driver) -> None:
    swf.client.signal_workflow_execution(domain="domain", workflowId="w", signalName="s")


@pytest.mark.parametrize(
    ("timeouts", "started", "timeout_type"),
    [
        ({"scheduleToStartTimeout": "5"}, False, "SCHEDULE_TO_START"),
        ({"scheduleToCloseTimeout": "5"}, False, "SCHEDULE_TO_CLOSE"),
        ({"scheduleToCloseTimeout": "5"}, True, "SCHEDULE_TO_CLOSE"),
        ({"startToCloseTimeout": "5"}, True, "START_TO_CLOSE"),
        ({"heartbeatTimeout": "5"}, True, "HEARTBEAT"),
        (
            {"scheduleToStartTimeout": "5", "scheduleToCloseTimeout": "6"},
            False,
            "SCHEDULE_TO_START",
        ),
        ({"startToCloseTimeout": "9", "heartbeatTimeout": "5"}, True, "HEARTBEAT"),
        ({"scheduleToCloseTimeout": "5", "startToCloseTimeout": "9"}, True, "SCHEDULE_TO_CLOSE"),
    ],
)
def test_an_activity_times_out(
    swf: Driver, timeouts: Json, started: bool, timeout_type: str
) -> None:
    swf.start()
    swf.decide(swf.schedule(**timeouts))
    token = swf.poll_activity()["taskToken"] if started else ""
    begin = swf.emulator.now()
    swf.emulator.advance(4.999)
    assert "ActivityTaskTimedOut" not in swf.types()
    swf.emulator.advance(100)
    timed_out, scheduled = swf.events()[-2:]
    assert timed_out["activityTaskTimedOutEventAttributes"] == {
        "timeoutType": timeout_type,
        "scheduledEventId": 5,
        "startedEventId": 6 if started else 0,
    }
    # It is written as of the moment it happened, whenever that is noticed.
    assert timed_out["eventTimestamp"] == pytest.approx(begin + 5, abs=0.0005)
    assert scheduled["eventType"] == "DecisionTaskScheduled"
    if started:
        error = swf.fault("respond_activity_task_completed", taskToken=token)
        assert error == ("UnknownResourceFault", "Unknown activity, scheduledEventId = 5")
        error = swf.fault("record_activity_task_heartbeat", taskToken=token)
        assert error == ("UnknownResourceFault", "Unknown activity, scheduledEventId = 5")
    else:
        assert "taskToken" not in swf.poll_activity()


def test_time_spent_waiting_does_not_count_once_started(swf: Driver) -> None:
    swf.start()
    swf.decide(swf.schedule(scheduleToStartTimeout="5", startToCloseTimeout="5"))
    swf.emulator.advance(4)
    swf.poll_activity()
    swf.emulator.advance(4)
    assert swf.types()[-1] == "ActivityTaskStarted"
    swf.emulator.advance(1)
    assert swf.last("ActivityTaskTimedOut")["timeoutType"] == "START_TO_CLOSE"


def test_a_heartbeat_puts_its_time_out_off_and_leaves_its_details(swf: Driver) -> None:
    swf.start()
    swf.decide(swf.schedule(heartbeatTimeout="5", startToCloseTimeout="60"))
    token = swf.poll_activity()["taskToken"]
    for details in ("one", "two"):
        swf.emulator.advance(4)
        swf.client.record_activity_task_heartbeat(taskToken=token, details=details)
    swf.emulator.advance(4)
    swf.client.record_activity_task_heartbeat(taskToken=token)
    assert swf.types()[-1] == "ActivityTaskStarted"
    swf.emulator.advance(5)
    assert swf.last("ActivityTaskTimedOut") == {
        "timeoutType": "HEARTBEAT",
        "scheduledEventId": 5,
        "startedEventId": 6,
        "details": "two",
    }


def test_a_closed_activity_does_not_time_out(swf: Driver) -> None:
    swf.start()
    swf.decide(
        swf.schedule(startToCloseTimeout="5", scheduleToCloseTimeout="6", heartbeatTimeout="7")
    )
    swf.work()
    swf.emulator.advance(100)
    assert "ActivityTaskTimedOut" not in swf.types()


def test_a_decision_that_takes_too_long_is_scheduled_again(swf: Driver) -> None:
    swf.start(taskStartToCloseTimeout="10")
    swf.emulator.advance(100)  # waiting to be started, it does not time out
    task = swf.poll_decision()
    swf.emulator.advance(10)
    assert swf.types()[2:] == [
        "DecisionTaskStarted",
        "DecisionTaskTimedOut",
        "DecisionTaskScheduled",
    ]
    assert swf.last("DecisionTaskTimedOut") == {
        "timeoutType": "START_TO_CLOSE",
        "scheduledEventId": 2,
        "startedEventId": 3,
    }
    error = swf.fault("respond_decision_task_completed", taskToken=task["taskToken"])
    assert error == ("UnknownResourceFault", "Unknown decision, scheduledEventId = 2")
    again = swf.decide()
    assert again["startedEventId"] == 6
    assert again["previousStartedEventId"] == 0  # no decision was made before


def test_a_decision_that_waited_takes_the_place_of_one_that_timed_out(swf: Driver) -> None:
    swf.start(taskStartToCloseTimeout="10")
    swf.poll_decision()
    signal(swf)
    swf.emulator.advance(10)
    assert swf.types()[3:] == [
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "DecisionTaskTimedOut",
    ]
    assert swf.decide()["startedEventId"] == 7


def test_a_workflow_times_out_from_its_start(swf: Driver) -> None:
    run_id = swf.start(executionStartToCloseTimeout="60", childPolicy="ABANDON")
    swf.decide(swf.schedule(startToCloseTimeout="70"))
    swf.poll_activity()
    swf.emulator.advance(59.999)
    assert swf.types()[-1] == "ActivityTaskStarted"
    swf.emulator.advance(100)
    assert swf.types()[-1] == "WorkflowExecutionTimedOut"
    assert swf.last("WorkflowExecutionTimedOut") == {
        "timeoutType": "START_TO_CLOSE",
        "childPolicy": "ABANDON",
    }
    info = swf.describe("w", run_id)["executionInfo"]
    assert info["closeStatus"] == "TIMED_OUT"
    assert (info["closeTimestamp"] - info["startTimestamp"]).total_seconds() == 60


def test_an_override_of_the_task_list_lasts(swf: Driver) -> None:
    run_id = swf.start()
    swf.decide(taskList={"name": "sticky"})
    assert swf.last("DecisionTaskCompleted")["taskList"] == {"name": "sticky"}
    for _ in range(2):
        signal(swf)
        assert "taskToken" not in swf.poll_decision("list")
        swf.decide(name="sticky")
        assert swf.last("DecisionTaskScheduled") == {
            "taskList": {"name": "sticky"},
            "startToCloseTimeout": "NONE",
            "scheduleToStartTimeout": "NONE",
        }
    configuration = swf.describe("w", run_id)["executionConfiguration"]
    assert configuration["taskList"] == {"name": "sticky"}


@pytest.mark.parametrize("started", [False, True])
def test_a_temporary_override_is_reverted_by_a_time_out(swf: Driver, started: bool) -> None:
    swf.start(taskStartToCloseTimeout="10")
    swf.decide(taskList={"name": "sticky"}, taskListScheduleToStartTimeout="5")
    assert swf.last("DecisionTaskCompleted")["taskListScheduleToStartTimeout"] == "5"
    signal(swf)
    assert swf.last("DecisionTaskScheduled") == {
        "taskList": {"name": "sticky"},
        "startToCloseTimeout": "10",
        "scheduleToStartTimeout": "5",
    }
    if started:
        swf.poll_decision("sticky")
    swf.emulator.advance(10)
    assert swf.last("DecisionTaskTimedOut") == {
        "timeoutType": "START_TO_CLOSE" if started else "SCHEDULE_TO_START",
        "scheduledEventId": 6,
        "startedEventId": 7 if started else 0,
    }
    assert "taskToken" not in swf.poll_decision("sticky")
    assert swf.last("DecisionTaskScheduled") == {
        "taskList": {"name": "list"},
        "startToCloseTimeout": "10",
        "scheduleToStartTimeout": "NONE",
    }
    swf.decide()


def test_a_temporary_override_stays_while_it_is_met(swf: Driver) -> None:
    swf.start()
    swf.decide(taskList={"name": "sticky"}, taskListScheduleToStartTimeout="5")
    for _ in range(3):
        signal(swf)
        swf.emulator.advance(4)
        swf.decide(name="sticky")
    assert "DecisionTaskTimedOut" not in swf.types()


def test_an_override_needs_a_list(swf: Driver) -> None:
    swf.start()
    token = swf.poll_decision()["taskToken"]
    error = swf.fault(
        "respond_decision_task_completed", taskToken=token, taskListScheduleToStartTimeout="5"
    )
    assert error == (
        "ValidationException",
        "taskListScheduleToStartTimeout is for a taskList, and there is none",
    )


def test_what_is_due_on_the_way_happens_in_its_order(swf: Driver) -> None:
    swf.start("child", executionStartToCloseTimeout="7")
    swf.start("w", executionStartToCloseTimeout="20", taskList={"name": "l"})
    swf.decide(
        swf.schedule("a", scheduleToStartTimeout="9"),
        swf.schedule("b", scheduleToStartTimeout="3"),
        {
            "decisionType": "StartTimer",
            "startTimerDecisionAttributes": {"timerId": "t", "startToFireTimeout": "5"},
        },
        name="l",
    )
    begin = swf.emulator.now()
    swf.emulator.advance(3600)
    offsets = [
        (event["eventType"], round(event["eventTimestamp"] - begin)) for event in swf.events()[7:]
    ]
    assert offsets == [
        ("ActivityTaskTimedOut", 3),
        ("DecisionTaskScheduled", 3),
        ("TimerFired", 5),
        ("ActivityTaskTimedOut", 9),
        ("WorkflowExecutionTimedOut", 20),
    ]
    assert round(swf.events("child")[-1]["eventTimestamp"] - begin) == 7
