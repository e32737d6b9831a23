"""What is said of executions: what they wait for, why they may be stuck, how they ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.swf.outside import (
    ACTIVITY,
    COMPLETE,
    DOMAIN,
    NOON,
    RESTART,
    decide,
    decision,
    pay,
    start,
    take_activity,
    take_decision,
)

from flowy_swf.emulator import Emulator
from flowy_swf.explain import Explanation, Facts, Place, explain, places, types
from flowy_swf.failures import Failure
from flowy_swf.survey import Survey
from flowy_swf.times import seconds, span, stamp

SINCE = "since 2026-01-01 12:00:00 UTC"


def explained(emulator: Emulator, facts: Facts | None = None, run_id: str = "") -> Explanation:
    """Explain the execution as it is now."""
    survey = Survey(emulator.history("order-17", run_id))
    return explain(survey, facts or Facts(), DOMAIN, emulator.now())


def problems(emulator: Emulator, **facts: Any) -> list[str]:
    return explained(emulator, Facts(**facts)).problems


# --- what an execution waits for ----------------------------------------------------------------


def test_an_execution_that_has_just_started_waits_for_a_decision(emulator: Emulator) -> None:
    start(emulator)
    emulator.advance(3)
    assert explained(emulator) == Explanation(
        f"open for 3 s, {SINCE}; times out in 59 min 57 s",
        ["decision: scheduled 3 s ago on task list 'orders', not started"],
        [],
        [],
    )


def test_each_thing_that_is_open_is_told(emulator: Emulator) -> None:
    emulator.register_lambda("pack", lambda event: event)
    start(emulator, lambdaRole="role")
    child = {"workflowId": "order-17-a:ship-0-0", "workflowType": {"name": "Order", "version": "1"}}
    decide(
        emulator,
        decision("StartTimer", timerId="pay-1-1:t", startToFireTimeout="90"),
        decision("StartChildWorkflowExecution", **child, taskList={"name": "children"}),
        pay(scheduleToStartTimeout="60"),
        pay("pay-1-0"),
    )
    emulator.advance(20)
    take_activity(emulator)
    emulator.advance(5)
    decide(emulator)
    assert explained(emulator).waits_for == [
        "activity pay-0-0, 'pay' version '2': started 5 s ago by worker-1 on task list 'payments'",
        "activity pay-1-0, 'pay' version '2': scheduled 25 s ago on task list 'payments', not "
        "started",
        "child order-17-a:ship-0-0, 'Order' version '1': started 25 s ago, run id run-2",
        "timer pay-1-1:t: fires in 1 min 5 s, at 2026-01-01 12:01:30 UTC",
    ]


def test_what_times_out_unless_it_is_started_says_when(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, pay(scheduleToStartTimeout="60"))
    emulator.advance(20)
    assert explained(emulator).waits_for == [
        "activity pay-0-0, 'pay' version '2': scheduled 20 s ago on task list 'payments', not "
        "started, times out in 40 s"
    ]


def test_a_lambda_task_is_told(emulator: Emulator) -> None:
    survey = Survey(
        [
            *emulator_events(emulator),
            event(5, "LambdaFunctionScheduled", id="pack-0-0", name="pack", input="[[], {}]"),
            event(6, "LambdaFunctionStarted", scheduledEventId=5),
        ]
    )
    assert explain(survey, Facts(), DOMAIN, NOON.timestamp() + 3).waits_for == [
        "lambda pack-0-0, 'pack': started 3 s ago"
    ]


def emulator_events(emulator: Emulator) -> list[dict[str, Any]]:
    """Return the events of an execution after its first decision, which decided nothing."""
    start(emulator)
    decide(emulator)
    return emulator.history("order-17")


def event(number: int, kind: str, **attributes: Any) -> dict[str, Any]:
    """Return an event as the service tells it."""
    return {
        "eventId": number,
        "eventType": kind,
        "eventTimestamp": NOON,
        f"{kind[0].lower()}{kind[1:]}EventAttributes": attributes,
    }


def test_a_timer_may_be_overdue() -> None:
    survey = Survey(
        [
            event(1, "WorkflowExecutionStarted", workflowType={"name": "Order", "version": "1"}),
            event(2, "TimerStarted", timerId="t", startToFireTimeout="5"),
        ]
    )
    assert explain(survey, Facts(), DOMAIN, NOON.timestamp() + 9) == Explanation(
        f"open for 9 s, {SINCE}", ["timer t: due since 2026-01-01 12:00:05 UTC"], [], []
    )


def test_many_things_are_cut_short(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, *[pay(f"pay-{number}-0") for number in range(25)])
    lines = explained(emulator).waits_for
    assert len(lines) == 21
    assert lines[-1] == "and 5 more"


def test_requests_to_cancel_are_told(emulator: Emulator) -> None:
    start(emulator)
    child = {"workflowId": "c", "workflowType": {"name": "Order", "version": "1"}}
    started = decision("StartChildWorkflowExecution", **child, taskList={"name": "children"})
    decide(emulator, pay(), started)
    take_activity(emulator)
    emulator.call("RequestCancelWorkflowExecution", {"domain": DOMAIN, "workflowId": "order-17"})
    cancel_child = decision("RequestCancelExternalWorkflowExecution", workflowId="c")
    decide(emulator, decision("RequestCancelActivityTask", activityId="pay-0-0"), cancel_child)
    emulator.advance(5)
    found = explained(emulator)
    assert found.state.endswith("; was asked to cancel 5 s ago")
    asked = [line for line in found.waits_for if line.endswith(", asked to cancel")]
    assert [line.split()[:2] for line in asked] == [["activity", "pay-0-0,"], ["child", "c,"]]


# --- why it may be stuck ------------------------------------------------------------------------


def test_nothing_is_wrong_with_what_is_quick(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, pay())
    emulator.advance(9)
    assert problems(emulator) == []


def test_a_decision_that_nobody_takes(emulator: Emulator) -> None:
    start(emulator)
    emulator.advance(300)
    place = Place("decision", "orders")
    assert places(Survey(emulator.history("order-17"))) == {place}
    assert problems(emulator, pending={place: 1}) == [
        "nobody has taken a decision from task list 'orders' for 5 min (1 task waits there): no "
        "worker polls it, or all are busy; start one with `flowy swf worker MODULE --workflows "
        "--domain shop --task-list orders`"
    ]


def test_activities_that_nobody_takes_are_one_problem_for_each_task_list(
    emulator: Emulator,
) -> None:
    start(emulator)
    decide(emulator, pay("pay-0-0"), pay("pay-1-0"), pay("pay-2-0", taskList={"name": "others"}))
    emulator.advance(12)
    payments, others = Place("activity", "payments"), Place("activity", "others")
    assert places(Survey(emulator.history("order-17"))) == {payments, others}
    assert problems(emulator, pending={payments: 1200}) == [
        "nobody has taken an activity from task list 'others' for 12 s: no worker polls it, or all "
        "are busy; start one with `flowy swf worker MODULE --activities --domain shop --task-list "
        "others`",
        "nobody has taken an activity from task list 'payments' for 12 s (1,200 tasks wait there): "
        "no worker polls it, or all are busy; start one with `flowy swf worker MODULE --activities "
        "--domain shop --task-list payments`",
    ]


def test_a_decider_that_takes_long(emulator: Emulator) -> None:
    start(emulator, taskStartToCloseTimeout="60")
    take_decision(emulator)
    emulator.advance(20)
    assert problems(emulator) == [
        "decider-1 has been deciding for 20 s; if it is lost, another decider gets the decision in "
        "40 s"
    ]


def test_a_decider_that_is_lost_for_ever(emulator: Emulator) -> None:
    start(emulator, taskStartToCloseTimeout="NONE")
    take_decision(emulator)
    emulator.advance(20)
    assert problems(emulator) == [
        "decider-1 has been deciding for 20 s, and decisions of this execution have no time-out: "
        "if the decider is lost, nobody else ever gets the decision; terminate the execution and "
        "start it anew, with a default_decision_duration or a task_duration"
    ]


def test_decisions_that_time_out_again_and_again(emulator: Emulator) -> None:
    start(emulator)
    take_decision(emulator)
    emulator.advance(10)
    assert problems(emulator) == []
    for _ in range(2):
        take_decision(emulator)
        emulator.advance(10)
    assert problems(emulator) == [
        "the last 3 decisions timed out, most recently with decider-1: the worker does not know "
        "'Order' version '1', its code does not repeat the history, it takes too long, or it dies; "
        "its log says which"
    ]
    decide(emulator, pay())
    assert problems(emulator) == []


def test_a_decision_that_nobody_took_in_time_says_nothing_about_deciders() -> None:
    survey = Survey(
        [
            event(1, "WorkflowExecutionStarted", workflowType={"name": "Order", "version": "1"}),
            event(2, "DecisionTaskScheduled", taskList={"name": "orders"}),
            event(3, "DecisionTaskTimedOut", scheduledEventId=2, timeoutType="SCHEDULE_TO_START"),
            event(4, "DecisionTaskScheduled", taskList={"name": "orders"}),
        ]
    )
    assert (survey.decisions_timed_out, len(survey.open)) == (0, 1)


def test_what_the_service_refused_at_last(emulator: Emulator) -> None:
    start(emulator)
    unknown = {**ACTIVITY, "version": "3"}
    decide(
        emulator,
        decision("ScheduleActivityTask", activityId="pay-0-0", activityType=unknown),
        decision("ScheduleActivityTask", activityId="pay-1-0", activityType=unknown),
        pay("pay-2-0"),
        pay("pay-2-0"),
    )
    assert problems(emulator) == [
        "Amazon SWF refused ScheduleActivityTask for pay-0-0 and 1 more with "
        "ACTIVITY_TYPE_DOES_NOT_EXIST: no type of this name and version is registered: start a "
        "worker that has it",
        "Amazon SWF refused ScheduleActivityTask for pay-2-0 with ACTIVITY_ID_ALREADY_IN_USE: "
        "another open activity has this id",
    ]
    decide(emulator)
    assert problems(emulator) == []


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        ("OPERATION_NOT_PERMITTED", "the decider's credentials do not permit this decision"),
        ("TIMER_CREATION_RATE_EXCEEDED", "it is tried again later"),
    ],
)
def test_what_was_refused_says_why(emulator: Emulator, cause: str, why: str) -> None:
    start(emulator)
    emulator.inject.fail_decision("StartTimer", cause)
    decide(emulator, decision("StartTimer", timerId="t", startToFireTimeout="5"), pay())
    assert problems(emulator) == [f"Amazon SWF refused StartTimer for t with {cause}: {why}"]


def test_a_decision_that_is_made_again_is_no_problem(emulator: Emulator) -> None:
    start(emulator)
    task = take_decision(emulator)
    signal = {"domain": DOMAIN, "workflowId": "order-17", "signalName": "s"}
    emulator.call("SignalWorkflowExecution", signal)
    emulator.call(
        "RespondDecisionTaskCompleted", {"taskToken": task["taskToken"], "decisions": [COMPLETE]}
    )
    assert Survey(emulator.history("order-17")).refusals[0].cause == "UNHANDLED_DECISION"
    assert problems(emulator) == []


def test_types_that_are_not_in_use(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, pay())
    order, pays = ("workflow", "Order", "1"), ("activity", "pay", "2")
    assert types(Survey(emulator.history("order-17"))) == {order, pays}
    assert problems(emulator, types={order: "deprecated", pays: "not registered any more"}) == [
        "activity 'pay' version '2' is not registered any more: what is scheduled goes on, and "
        "nothing new of this type is scheduled or started",
        "workflow 'Order' version '1' is deprecated: what is scheduled goes on, and nothing new of "
        "this type is scheduled or started",
    ]


@pytest.mark.parametrize(
    ("limit", "end"), [("NONE", "ever"), ("3000", "before 2026-01-01 12:50:00 UTC")]
)
def test_an_activity_without_heartbeats_that_takes_long(
    emulator: Emulator, limit: str, end: str
) -> None:
    start(emulator)
    decide(emulator, pay(startToCloseTimeout=limit))
    take_activity(emulator)
    emulator.advance(599)
    assert problems(emulator) == []
    emulator.advance(1)
    assert problems(emulator) == [
        "worker-1 has been working on pay-0-0 for 10 min, and it has no heartbeat time-out: if the "
        f"worker is lost, nobody notices {end}"
    ]


def test_an_activity_with_heartbeats_may_take_long(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, pay(startToCloseTimeout="3000", heartbeatTimeout="700"))
    take_activity(emulator)
    emulator.advance(650)
    assert problems(emulator) == []


def test_nothing_is_open(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator)
    assert explained(emulator).waits_for == []
    assert problems(emulator) == [
        "nothing is open: the last decision decided nothing, and only a signal or a request to "
        "cancel brings about another one"
    ]


def test_a_history_that_is_long() -> None:
    events = [
        event(1, "WorkflowExecutionStarted", workflowType={"name": "Order", "version": "1"}),
        event(2, "TimerStarted", timerId="t", startToFireTimeout="5"),
        *(event(number, "WorkflowExecutionSignaled") for number in range(3, 10_002)),
    ]
    assert explain(Survey(events), Facts(), DOMAIN, NOON.timestamp()).problems == [
        "the history has 10,001 events, and Amazon SWF terminates an execution at 25,000: let the "
        "workflow return flowy.restart(...) before that"
    ]


# --- how it ended -------------------------------------------------------------------------------

FAILURE = Failure("ValueError", "no such\nitem", "Traceback ...\nValueError: no such item\n")


def fail(emulator: Emulator) -> None:
    failed = {"reason": FAILURE.reason, "details": FAILURE.details}
    decide(emulator, decision("FailWorkflowExecution", **failed))


def terminate(emulator: Emulator) -> None:
    emulator.call(
        "TerminateWorkflowExecution",
        {"domain": DOMAIN, "workflowId": "order-17", "reason": "stuck", "details": "by me"},
    )


@pytest.mark.parametrize(
    ("close", "state"),
    [
        (lambda emulator: decide(emulator, COMPLETE), 'completed after 2 s, at T: {"paid": 3}'),
        (fail, "failed after 2 s, at T: ValueError: no such item"),
        (
            lambda emulator: decide(emulator, decision("CancelWorkflowExecution", details="yes")),
            "was cancelled after 2 s, at T: yes",
        ),
        (terminate, "was terminated after 2 s, at T: stuck: by me"),
        (
            lambda emulator: decide(emulator, RESTART),
            "continued as new after 2 s, at T: it goes on as run run-2",
        ),
    ],
)
def test_how_it_closed(emulator: Emulator, close: Callable[[Emulator], None], state: str) -> None:
    start(emulator)
    emulator.advance(2)
    close(emulator)
    found = explained(emulator, run_id="run-1")
    assert found.state == state.replace("T:", "2026-01-01 12:00:02 UTC:")
    assert found.traceback == (FAILURE.traceback if close is fail else "")
    assert found.problems == []


def test_what_was_open_when_it_timed_out(emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, pay(startToCloseTimeout="NONE"))
    take_activity(emulator)
    emulator.advance(3600)
    assert explained(emulator) == Explanation(
        "timed out after 1 h, at 2026-01-01 13:00:00 UTC: it may take 3600 s",
        [
            "activity pay-0-0, 'pay' version '2': started 1 h ago by worker-1 on task list "
            "'payments'"
        ],
        [],
        [],
    )


def test_the_service_terminates_what_has_too_many_events() -> None:
    survey = Survey(
        [
            event(1, "WorkflowExecutionStarted", workflowType={"name": "Order", "version": "1"}),
            event(2, "WorkflowExecutionTerminated", cause="EVENT_LIMIT_EXCEEDED"),
        ]
    )
    assert explain(survey, Facts(), DOMAIN, 0.0).state == (
        "was terminated after 0 s, at 2026-01-01 12:00:00 UTC: its history reached the limit of "
        "25,000 events: let the workflow return flowy.restart(...) before that"
    )


def test_which_attempts_went_wrong(emulator: Emulator) -> None:
    start(emulator)
    child = {"workflowId": "c", "workflowType": {"name": "Order", "version": "1"}}
    started = decision("StartChildWorkflowExecution", **child, taskList={"name": "children"})
    decide(emulator, pay("pay-0-0"), pay("pay-1-0"), pay("pay-2-0", heartbeatTimeout="5"), started)
    token = take_activity(emulator)["taskToken"]
    failed = {"reason": FAILURE.reason, "details": FAILURE.details}
    emulator.call("RespondActivityTaskFailed", {"taskToken": token, **failed})
    token = take_activity(emulator)["taskToken"]
    emulator.call("RespondActivityTaskCanceled", {"taskToken": token})
    take_activity(emulator)
    emulator.advance(5)
    emulator.call("TerminateWorkflowExecution", {"domain": DOMAIN, "workflowId": "c"})
    decide(emulator, COMPLETE)
    found = explained(emulator)
    assert found.troubles == [
        "pay-0-0 failed 0 s after the start: ValueError: no such item",
        "pay-1-0 was cancelled 0 s after the start",
        "pay-2-0 timed out 5 s after the start: passed its HEARTBEAT limit",
        "c was terminated 5 s after the start",
    ]
    assert found.waits_for == []


def test_an_execution_of_another_maker_is_explained_too() -> None:
    survey = Survey(
        [
            event(1, "WorkflowExecutionStarted", workflowType={"name": "Order", "version": "1"}),
            event(2, "SomethingNew", about="whatever"),
            event(3, "ActivityTaskScheduled", activityId="7", activityType=ACTIVITY),
            event(4, "ActivityTaskFailed", scheduledEventId=3, reason="no"),
            event(5, "ActivityTaskFailed", scheduledEventId=99),
            event(6, "ActivityTaskStarted", scheduledEventId=99),
            event(7, "StartLambdaFunctionFailed", scheduledEventId=98, cause="ASSUME_ROLE_FAILED"),
            event(8, "WorkflowExecutionFailed", reason="because", details="of that"),
        ]
    )
    assert explain(survey, Facts(), DOMAIN, 0.0) == Explanation(
        "failed after 0 s, at 2026-01-01 12:00:00 UTC: because",
        [],
        [],
        ["7 failed 0 s after the start: no"],
        "of that",
    )


def test_a_lambda_task_that_did_not_start_has_a_cause() -> None:
    survey = Survey(
        [
            event(1, "WorkflowExecutionStarted", workflowType={"name": "Order", "version": "1"}),
            event(2, "LambdaFunctionScheduled", id="pack-0-0", name="pack"),
            event(
                3,
                "StartLambdaFunctionFailed",
                scheduledEventId=2,
                cause="ASSUME_ROLE_FAILED",
                message="no role",
            ),
        ]
    )
    assert explain(survey, Facts(), DOMAIN, NOON.timestamp()).troubles == [
        "pack-0-0 failed 0 s after the start: ASSUME_ROLE_FAILED: no role"
    ]


# --- times --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (-1, "0 s"),
        (0.0123, "0.0123 s"),
        (9.876, "9.88 s"),
        (59.6, "60 s"),
        (60, "1 min"),
        (3599, "59 min 59 s"),
        (7260, "2 h 1 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_have_one_unit_or_two(duration: float, text: str) -> None:
    assert span(duration) == text


def test_moments_are_datetimes_or_numbers() -> None:
    assert seconds(NOON) == seconds(NOON.timestamp()) == 1_767_268_800.0
    assert stamp(seconds(NOON)) == "2026-01-01 12:00:00 UTC"
