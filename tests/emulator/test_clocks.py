from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from flowy_swf.emulator import Emulator
from flowy_swf.emulator.clock import Clock, Timeline

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

Json = dict[str, Any]
DAY = 24 * 3600
COMPLETE = {"decisionType": "CompleteWorkflowExecution"}


def timer(timer_id: str, seconds: int) -> Json:
    return {
        "decisionType": "StartTimer",
        "startTimerDecisionAttributes": {"timerId": timer_id, "startToFireTimeout": str(seconds)},
    }


def elapsed(swf: Driver) -> float:
    events = swf.events()
    seconds: float = events[-1]["eventTimestamp"] - events[0]["eventTimestamp"]
    return seconds


def test_a_virtual_clock_stands_still() -> None:
    emulator = Emulator(clock="virtual")
    now = emulator.now()
    assert emulator.now() == now
    emulator.advance(1.5)
    assert emulator.now() == pytest.approx(now + 1.5, abs=1e-6)


@pytest.mark.parametrize("clock", ["real", "skipping"])
def test_other_clocks_go_with_the_machine(clock: Any) -> None:
    emulator = Emulator(clock=clock)
    assert emulator.now() == pytest.approx(time.time(), abs=60)


def test_time_goes_forward_only() -> None:
    with pytest.raises(ValueError, match=r"time goes forward only, not by -1.0 seconds"):
        Emulator(clock="virtual").advance(-1)


def test_a_real_clock_cannot_be_advanced() -> None:
    message = r"a real clock cannot be advanced: make the emulator with clock='virtual'"
    with pytest.raises(RuntimeError, match=message):
        Emulator().advance(1)


def test_there_are_three_clocks() -> None:
    message = r"unknown clock 'sundial': choose one of real, virtual, skipping"
    with pytest.raises(ValueError, match=message):
        Emulator(clock="sundial")  # type: ignore[arg-type]


def test_a_machine_s_clock_that_is_put_back_does_not_put_the_service_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock("real")
    now = clock.now()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert clock.now() >= now


def test_alarms_of_one_moment_go_off_as_they_were_set() -> None:
    timeline = Timeline(0)
    seen: list[int] = []
    alarms = [timeline.set(1, lambda n=number: seen.append(n)) for number in range(5)]  # type: ignore[misc]
    timeline.cancel(alarms[1])
    timeline.cancel(alarms[1])
    while (action := timeline.take_due(1000)) is not None:
        action()
    assert seen == [0, 2, 3, 4]
    timeline.cancel(alarms[0])  # it has gone off
    assert len(timeline) == 0


def test_cancelled_alarms_do_not_pile_up() -> None:
    timeline = Timeline(0)
    kept = timeline.set(5, lambda: None)
    for _ in range(1000):
        timeline.cancel(timeline.set(3600, lambda: None))
    assert timeline.first() is kept
    assert len(timeline) == 1
    assert len(timeline._alarms) < 200


def test_a_real_clock_ends_a_long_poll_when_a_timer_fires(make: Make) -> None:
    swf = make(clock="real", long_poll=60)
    swf.start()
    swf.decide(timer("t", 1))
    task = swf.poll_decision()
    assert "taskToken" in task
    assert "TimerFired" in swf.types()


def test_a_real_clock_notices_an_alarm_that_is_earlier_than_the_one_waited_for(make: Make) -> None:
    swf = make(clock="real", long_poll=60)
    swf.start("long", taskList={"name": "long"})
    swf.start("w", taskList={"name": "short"})
    swf.decide(timer("t", 3600), name="long")
    task = swf.poll_decision("short")
    found: list[Json] = []
    poller = threading.Thread(target=lambda: found.append(swf.poll_decision("short")))
    poller.start()
    swf.emulator.wait_for(lambda: bool(swf.emulator.pollers()))
    swf.respond(task, timer("t", 1))
    poller.join(60)
    assert "taskToken" in found[0]


def test_skipping_time_ends_a_day_of_timers_at_once(make: Make) -> None:
    swf = make(clock="skipping", long_poll=60)
    swf.start(executionStartToCloseTimeout=str(100 * DAY))
    for number in range(10):
        swf.decide(timer(f"t{number}", DAY))
    swf.decide(COMPLETE)
    assert elapsed(swf) == pytest.approx(10 * DAY, abs=DAY / 2)


def test_skipping_time_waits_for_those_who_work(make: Make) -> None:
    swf = make(clock="skipping", long_poll=60)
    swf.start(executionStartToCloseTimeout=str(100 * DAY))
    swf.decide(timer("t", DAY), swf.schedule(startToCloseTimeout="600"))
    worker = swf.emulator.client()
    task = worker.poll_for_activity_task(domain="domain", taskList={"name": "list"})
    found: list[Json] = []
    decider = threading.Thread(target=lambda: found.append(swf.decide(COMPLETE)))
    decider.start()
    swf.emulator.wait_for(lambda: bool(swf.emulator.pollers()))
    assert "TimerFired" not in swf.types()
    worker.respond_activity_task_completed(taskToken=task["taskToken"])
    decider.join(60)
    worker.close()
    assert "TimerFired" not in swf.types()
    assert elapsed(swf) < DAY / 2


def test_skipping_time_reaches_the_time_out_of_a_task_that_was_dropped(make: Make) -> None:
    swf = make(clock="skipping", long_poll=60)
    swf.start()
    swf.decide(swf.schedule(startToCloseTimeout="600"))
    swf.poll_activity()  # and the only thread there is polls again
    swf.decide(COMPLETE)
    assert swf.last("ActivityTaskTimedOut")["timeoutType"] == "START_TO_CLOSE"
    assert elapsed(swf) == pytest.approx(600, abs=300)


def test_skipping_time_gives_a_worker_the_chance_to_take_a_task(make: Make) -> None:
    swf = make(clock="skipping", long_poll=60)
    swf.start()
    swf.decide(swf.schedule(scheduleToStartTimeout="600"))
    swf.poll_activity()
    assert "ActivityTaskTimedOut" not in swf.types()


def test_skipping_time_stands_until_a_poller_has_taken_the_task_it_came_for(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if threads were so slow that half a second passes between any two things they do.
    monkeypatch.setattr("flowy_swf.emulator.state._QUIET", 0.0)
    swf = make(clock="skipping", long_poll=60)
    swf.start()
    swf.decide(swf.schedule(scheduleToStartTimeout="600"))
    assert swf.poll_activity()["activityId"] == "a"


def test_skipping_time_reaches_a_time_out_when_nobody_comes(make: Make) -> None:
    swf = make(clock="skipping", long_poll=60)
    swf.start()
    swf.decide(swf.schedule(scheduleToStartTimeout="600"))
    swf.decide(COMPLETE)
    assert swf.last("ActivityTaskTimedOut")["timeoutType"] == "SCHEDULE_TO_START"


def test_skipping_time_stands_without_pollers_and_can_be_put_forward(make: Make) -> None:
    swf = make(clock="skipping", long_poll=0)
    swf.start(executionStartToCloseTimeout=str(100 * DAY))
    swf.decide(timer("t", DAY))
    assert swf.types()[-1] == "TimerStarted"
    swf.emulator.advance(DAY)
    assert "TimerFired" in swf.types()


def test_skipping_time_waits_for_a_lambda_function(make: Make) -> None:
    go = threading.Event()
    swf = make(clock="skipping", long_poll=60, lambdas={"f": lambda event: go.wait()})
    swf.start(lambdaRole="arn:x", executionStartToCloseTimeout=str(100 * DAY))
    call = {
        "decisionType": "ScheduleLambdaFunction",
        "scheduleLambdaFunctionDecisionAttributes": {"id": "l", "name": "f"},
    }
    swf.decide(call, timer("t", DAY))
    found: list[Json] = []
    decider = threading.Thread(target=lambda: found.append(swf.decide(COMPLETE)))
    decider.start()
    swf.emulator.wait_for(lambda: bool(swf.emulator.pollers()))
    assert "TimerFired" not in swf.types()
    go.set()
    decider.join(60)
    assert "LambdaFunctionCompleted" in swf.types()
    assert "TimerFired" not in swf.types()


def test_closed_executions_are_dropped_after_the_retention(make: Make) -> None:
    swf = make(retention=60)
    closed = swf.start()
    swf.decide(COMPLETE)
    swf.start("open")
    swf.emulator.advance(59.999)
    assert swf.describe("w", closed)["executionInfo"]["executionStatus"] == "CLOSED"
    swf.emulator.advance(0.001)
    error = swf.fault(
        "describe_workflow_execution",
        domain="domain",
        execution={"workflowId": "w", "runId": closed},
    )
    assert error[0] == "UnknownResourceFault"
    everything = {"domain": "domain", "startTimeFilter": {"oldestDate": 0}}
    assert swf.client.count_closed_workflow_executions(**everything)["count"] == 0
    assert swf.client.count_open_workflow_executions(**everything)["count"] == 1
    assert len(swf.emulator._state.runs) == 1
    with pytest.raises(LookupError, match="no execution of workflow id 'w' is known"):
        swf.emulator.history("w")


def test_skipping_time_does_not_skip_to_the_end_of_the_retention(make: Make) -> None:
    swf = make(clock="skipping", long_poll=1.2, retention=60)
    swf.start()
    swf.decide(COMPLETE)
    swf.poll_decision()
    assert swf.types()[-1] == "WorkflowExecutionCompleted"
