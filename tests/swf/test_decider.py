"""One decision, over histories as the service tells them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.swf.fleet import DOMAIN, Meddler, fleet, outcome, workflow_config
from tests.swf.histories import attributes, decide_over, decided, kinds, told

import flowy
from flowy.errors import NonDeterminismError
from flowy.events import CallId
from flowy.execution import HistoryError
from flowy.retry import Retry
from flowy_swf import decisions
from flowy_swf.causes import MEANINGS
from flowy_swf.config import SWFWorkflowConfig
from flowy_swf.decisions import LARGEST, MOST, child_id
from flowy_swf.failures import Failure
from flowy_swf.payloads import LIMIT
from flowy_swf.registration import register_types
from flowy_swf.workflow_worker import SWFWorkflowWorker


def configured(**options: Any) -> SWFWorkflowConfig:
    """Return a configuration with the dependencies a (activity), w (workflow), f (Lambda)."""
    config = SWFWorkflowConfig(**options)
    config.conf_activity("a", 1, "A")
    config.conf_workflow("w", 2, "W", tags=["t"])
    config.conf_lambda("f", "function")
    return config


def one_of_each(a: Any, w: Any, f: Any) -> Any:
    return lambda: [a(1), w(2), f(3)]


def many(count: int) -> Any:
    def factory(a: Any, w: Any, f: Any) -> Any:
        return lambda: [a(number) for number in range(count)]

    return factory


SCHEDULED = told("ActivityTaskScheduled", activityId="a-0-0", input="[[1], {}]")


def test_each_kind_of_call_is_scheduled() -> None:
    answer = decide_over(one_of_each, configured())
    assert answer.decisions == [
        {
            "decisionType": "ScheduleActivityTask",
            "scheduleActivityTaskDecisionAttributes": {
                "activityId": "a-0-0",
                "activityType": {"name": "A", "version": "1"},
                "input": "[[1], {}]",
            },
        },
        {
            "decisionType": "StartChildWorkflowExecution",
            "startChildWorkflowExecutionDecisionAttributes": {
                "workflowId": child_id("w", "r", CallId("w", 0)),
                "workflowType": {"name": "W", "version": "2"},
                "tagList": ["t"],
                "input": "[[2], {}]",
            },
        },
        {
            "decisionType": "ScheduleLambdaFunction",
            "scheduleLambdaFunctionDecisionAttributes": {
                "id": "f-0-0",
                "name": "function",
                "input": "[[3], {}]",
            },
        },
    ]
    assert answer.hold == 0


def test_the_id_of_a_child_ends_in_its_call_and_depends_on_the_run() -> None:
    call = CallId("w", 3, 1)
    assert child_id("w", "r", call).startswith("w-")
    assert child_id("w", "r", call).endswith(":w-3-1")
    assert child_id("w", "r", call) == child_id("w", "r", call)
    assert child_id("w", "r", call) != child_id("w", "other", call)
    long = child_id("x" * 256, "r", call)
    assert len(long) == 256
    assert long.endswith(":w-3-1")
    assert long != child_id("x" * 256, "other", call)


def test_what_is_in_the_history_is_not_scheduled_again() -> None:
    answer = decide_over(one_of_each, configured(), *decided(2), SCHEDULED)
    assert kinds(answer) == ["StartChildWorkflowExecution", "ScheduleLambdaFunction"]


def test_the_decision_tells_which_results_went_into_the_input() -> None:
    def factory(a: Any, w: Any, f: Any) -> Any:
        return lambda: a(a(1), w(2))

    child = child_id("w", "r", CallId("w", 0))
    answer = decide_over(
        factory,
        configured(),
        *decided(2),
        SCHEDULED,
        told("StartChildWorkflowExecutionInitiated", workflowId=child, input="[[2], {}]"),
        told("ActivityTaskCompleted", scheduledEventId=5, startedEventId=0, result="4"),
        told("ChildWorkflowExecutionCompleted", initiatedEventId=6, startedEventId=0, result="5"),
    )
    (only,) = map(attributes, answer.decisions)
    assert only["input"] == "[[4, 5], {}]"
    assert json.loads(only["control"]) == {"after": ["a-0-0", "w-0-0"]}


def test_later_attempts_tell_it_too() -> None:
    def factory(a: Any, w: Any, f: Any) -> Any:
        return lambda: a(a(1))

    answer = decide_over(
        factory,
        configured(),
        *decided(2),
        SCHEDULED,
        told("ActivityTaskCompleted", scheduledEventId=5, startedEventId=0, result="4"),
        *decided(7),
        told("ActivityTaskScheduled", activityId="a-1-0", input="[[4], {}]"),
        timed_out(10),
    )
    (only,) = map(attributes, answer.decisions)
    assert (only["activityId"], only["control"]) == ("a-1-1", '{"after": ["a-0-0"]}')


def test_what_is_told_of_very_many_results_fits() -> None:
    text = decisions.control([CallId("name", number) for number in range(5_000)])
    assert text is not None
    assert len(text) <= LIMIT
    found = json.loads(text)
    assert found["after"][0] == "name-0-0"
    assert found["omitted"] is True


def test_the_workflow_completes_with_its_result() -> None:
    answer = decide_over(lambda a, w, f: lambda x: [x], configured(), input="[[7], {}]")
    assert answer.decisions == [
        {
            "decisionType": "CompleteWorkflowExecution",
            "completeWorkflowExecutionDecisionAttributes": {"result": "[7]"},
        }
    ]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit("no")])
def test_the_workflow_fails_with_what_its_code_raises(error: BaseException) -> None:
    def factory(a: Any, w: Any, f: Any) -> Any:
        def workflow() -> None:
            a(1)
            raise error

        return workflow

    answer = decide_over(factory, configured())
    assert kinds(answer) == ["FailWorkflowExecution"]
    found = attributes(answer.decisions[0])
    assert found["reason"] == f"{type(error).__name__}: no"
    failure = Failure.read(found["reason"], found["details"])
    assert failure[:2] == (type(error).__name__, "no")
    assert "in workflow" in failure.traceback


def test_an_interrupt_of_the_decider_is_no_failure_of_the_workflow() -> None:
    def factory(a: Any, w: Any, f: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decide_over(factory, configured())


def test_a_restart_keeps_all_that_the_execution_was_started_with() -> None:
    started = {
        "executionStartToCloseTimeout": "7",
        "taskStartToCloseTimeout": "8",
        "taskList": {"name": "other"},
        "taskPriority": "9",
        "childPolicy": "ABANDON",
        "tagList": ["t"],
        "lambdaRole": "role",
        "workflowType": {"name": "workflow", "version": "3"},
    }
    answer = decide_over(lambda a, w, f: lambda: flowy.restart(1, x=2), configured(), **started)
    kept = {name: value for name, value in started.items() if name != "workflowType"}
    assert kinds(answer) == ["ContinueAsNewWorkflowExecution"]
    assert attributes(answer.decisions[0]) == {
        **kept,
        "workflowTypeVersion": "3",
        "input": '[[1], {"x": 2}]',
    }


def test_a_failure_that_nobody_looked_at_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def factory(a: Any, w: Any, f: Any) -> Any:
        def workflow() -> int:
            a(1)
            return 4

        return workflow

    failed = told("ActivityTaskFailed", scheduledEventId=5, startedEventId=0, reason="Error!")
    assert kinds(decide_over(factory, configured(), *decided(2), SCHEDULED, failed)) == [
        "CompleteWorkflowExecution"
    ]
    assert caplog.messages == [
        "workflow id 'w', run id 'r', of type 'workflow' version '1', ended and never looked at "
        "this failure: a-0-0 failed: Error!"
    ]
    (record,) = caplog.records
    assert (record.__dict__["workflowId"], record.__dict__["runId"]) == ("w", "r")


def test_code_that_does_not_repeat_the_history_decides_nothing() -> None:
    with pytest.raises(NonDeterminismError):
        decide_over(
            one_of_each,
            configured(),
            *decided(2),
            told("ActivityTaskScheduled", activityId="a-0-0", input="[[9], {}]"),
        )


def test_code_is_replaying_until_it_comes_to_something_new() -> None:
    seen: list[bool] = []

    def factory(a: Any, w: Any, f: Any) -> Any:
        def workflow() -> None:
            seen.append(flowy.is_replaying())
            flowy.wait(a(1))
            seen.append(flowy.is_replaying())

        return workflow

    done = told("ActivityTaskCompleted", scheduledEventId=5, startedEventId=0)
    decide_over(factory, configured())
    decide_over(factory, configured(), *decided(2), SCHEDULED)
    decide_over(factory, configured(), *decided(2), SCHEDULED, done)
    assert seen == [False, True, True, False]


# --- time-outs, delays and refusals ---------------------------------------------------------------


def timed_out(number: int) -> Any:
    return told("ActivityTaskTimedOut", scheduledEventId=number, startedEventId=0)


def test_a_time_out_is_tried_again_with_the_next_attempt() -> None:
    answer = decide_over(many(1), configured(), *decided(2), _scheduled(0), timed_out(5))
    assert attributes(answer.decisions[0])["activityId"] == "a-0-1"


def _scheduled(number: int) -> Any:
    return told("ActivityTaskScheduled", activityId=f"a-{number}-0", input=f"[[{number}], {{}}]")


@pytest.mark.parametrize(("delay", "seconds"), [(0.25, "1"), (3, "3"), (3.5, "4")])
def test_a_delay_is_a_timer_of_whole_seconds(delay: float, seconds: str) -> None:
    config = SWFWorkflowConfig()
    config.conf_activity("a", 1, retry=(0, delay))
    answer = decide_over(lambda a: lambda: a(0), config, *decided(2), _scheduled(0), timed_out(5))
    assert answer.decisions == [
        {
            "decisionType": "StartTimer",
            "startTimerDecisionAttributes": {
                "timerId": "a-0-1:t",
                "startToFireTimeout": seconds,
            },
        }
    ]


def test_a_delay_that_began_is_not_begun_again_whatever_the_order_of_events() -> None:
    config = SWFWorkflowConfig()
    config.conf_activity("a", 1, retry=(0, 3))
    started = told("TimerStarted", timerId="a-0-1:t", startToFireTimeout="3")
    happened = [*decided(2), _scheduled(0), started, timed_out(5)]
    assert decide_over(lambda a: lambda: a(0), config, *happened).decisions == []


PASSES = told(
    "ScheduleActivityTaskFailed", activityId="a-0-0", cause="ACTIVITY_CREATION_RATE_EXCEEDED"
)


def test_what_is_refused_for_now_is_delayed_by_a_timer_and_then_scheduled_again() -> None:
    refused = [*decided(2), PASSES]
    answer = decide_over(many(1), configured(), *refused)
    assert kinds(answer) == ["StartTimer"]
    assert attributes(answer.decisions[0])["timerId"] == "a-0-0:t"
    started = told("TimerStarted", timerId="a-0-0:t", startToFireTimeout="2")
    waiting = [*refused, *decided(6), started]
    assert decide_over(many(1), configured(), *waiting).decisions == []
    fired = [*waiting, told("TimerFired", timerId="a-0-0:t")]
    answer = decide_over(many(1), configured(), *fired)
    assert attributes(answer.decisions[0])["activityId"] == "a-0-0"


def test_a_child_that_is_refused_for_now_is_delayed_though_it_was_initiated() -> None:
    workflow_id = child_id("w", "r", CallId("w", 0))
    refused = [
        *decided(2),
        told("StartChildWorkflowExecutionInitiated", workflowId=workflow_id, input="[[2], {}]"),
        told(
            "StartChildWorkflowExecutionFailed",
            workflowId=workflow_id,
            initiatedEventId=5,
            cause="OPEN_WORKFLOWS_LIMIT_EXCEEDED",
        ),
    ]

    def factory(a: Any, w: Any, f: Any) -> Any:
        return lambda: w(2)

    answer = decide_over(factory, configured(), *refused)
    assert attributes(answer.decisions[0])["timerId"] == "w-0-0:t"
    fired = [
        *refused,
        *decided(7),
        told("TimerStarted", timerId="w-0-0:t", startToFireTimeout="2"),
        told("TimerFired", timerId="w-0-0:t"),
    ]
    answer = decide_over(factory, configured(), *fired)
    assert attributes(answer.decisions[0])["workflowId"] == workflow_id


def test_a_refused_call_fails_with_what_to_do_about_it() -> None:
    refused = told(
        "ScheduleActivityTaskFailed", activityId="a-0-0", cause="ACTIVITY_TYPE_DOES_NOT_EXIST"
    )
    answer = decide_over(many(1), configured(), *decided(2), refused)
    (only,) = map(attributes, answer.decisions)
    failure = Failure.read(only["reason"], only["details"])
    assert failure.message == (
        f"a-0-0 failed: ACTIVITY_TYPE_DOES_NOT_EXIST: {MEANINGS['ACTIVITY_TYPE_DOES_NOT_EXIST']}"
    )


def test_a_refused_call_is_tried_again_by_a_policy_for_errors() -> None:
    config = SWFWorkflowConfig()
    config.conf_activity("a", 1, retry=Retry(attempts=2))
    refused = told("ScheduleActivityTaskFailed", activityId="a-0-0", cause="X")
    answer = decide_over(lambda a: lambda: a(0), config, *decided(2), refused)
    (only,) = map(attributes, answer.decisions)
    assert (only["activityId"], only["input"]) == ("a-0-1", "[[0], {}]")


def test_the_answer_is_held_back_while_timers_are_refused() -> None:
    refused = told("StartTimerFailed", timerId="a-0-0:t", cause="TIMER_CREATION_RATE_EXCEEDED")
    config = SWFWorkflowConfig()
    config.conf_activity("a", 1, retry=(5,))

    def hold(times: int, **started: Any) -> float:
        happened = [*decided(2), *([refused] * times)]
        answer = decide_over(lambda a: lambda: a(0), config, *happened, **started)
        assert kinds(answer) == ["StartTimer"]
        return answer.hold

    assert [hold(times) for times in (0, 1, 2, 4, 9)] == [0, 1, 2, 8, 20]
    assert hold(9, taskStartToCloseTimeout="NONE") == 30
    assert hold(9, taskStartToCloseTimeout="3") == 1


def test_an_answer_without_timers_is_not_held_back() -> None:
    refused = told("StartTimerFailed", timerId="a-0-0:t", cause="TIMER_CREATION_RATE_EXCEEDED")
    answer = decide_over(one_of_each, configured(), *decided(2), refused)
    assert "StartTimer" not in kinds(answer)
    assert answer.hold == 0


# --- limits ---------------------------------------------------------------------------------------


def test_no_more_tasks_are_open_than_the_rate_limit() -> None:
    config = configured(rate_limit=3)
    assert len(decide_over(many(5), config).decisions) == 3
    happened = [*decided(2), _scheduled(0), _scheduled(1), _scheduled(2), timed_out(6)]
    answer = decide_over(many(5), config, *happened)
    assert [attributes(each)["activityId"] for each in answer.decisions] == ["a-1-1"]


def test_what_is_refused_for_now_counts_for_the_rate_limit() -> None:
    other = told(
        "ScheduleActivityTaskFailed", activityId="a-1-0", cause="ACTIVITY_CREATION_RATE_EXCEEDED"
    )
    answer = decide_over(many(5), configured(rate_limit=1), *decided(2), PASSES, other)
    assert [attributes(each)["timerId"] for each in answer.decisions] == ["a-0-0:t"]


def test_very_many_refusals_are_delayed_in_several_decisions() -> None:
    refusals = [
        told(
            "ScheduleActivityTaskFailed",
            activityId=f"a-{number}-0",
            cause="ACTIVITY_CREATION_RATE_EXCEEDED",
        )
        for number in range(150)
    ]
    answer = decide_over(many(151), configured(rate_limit=1_000), *decided(2), *refusals)
    assert set(kinds(answer)) == {"StartTimer"}
    assert len(answer.decisions) == MOST
    assert attributes(answer.decisions[-1])["timerId"] == "again-156"


def test_no_more_than_a_thousand_activities_are_open() -> None:
    config = configured(rate_limit=10_000)
    happened = [*decided(2), *map(_scheduled, range(995))]
    assert len(decide_over(many(2_000), config, *happened).decisions) == 5


def test_one_timer_is_left_for_deciding_again() -> None:
    config = SWFWorkflowConfig(rate_limit=10_000)
    config.conf_activity("a", 1, retry=(5,))
    timers = [
        told("TimerStarted", timerId=f"a-{number}-0:t", startToFireTimeout="5")
        for number in range(990)
    ]

    def factory(a: Any) -> Any:
        return lambda: [a(number) for number in range(2_000)]

    assert len(decide_over(factory, config, *decided(2), *timers).decisions) == 9


def test_what_does_not_fit_is_decided_in_another_decision_that_a_timer_brings() -> None:
    answer = decide_over(many(250), configured(rate_limit=1_000))
    assert len(answer.decisions) == MOST
    assert set(kinds(answer)[:-1]) == {"ScheduleActivityTask"}
    assert answer.decisions[-1] == {
        "decisionType": "StartTimer",
        "startTimerDecisionAttributes": {"timerId": "again-3", "startToFireTimeout": "0"},
    }
    happened = [
        *decided(2),
        *map(_scheduled, range(99)),
        told("TimerStarted", timerId="again-3", startToFireTimeout="0"),
        told("TimerFired", timerId="again-3"),
    ]
    answer = decide_over(many(250), configured(rate_limit=1_000), *happened)
    assert attributes(answer.decisions[0])["activityId"] == "a-99-0"
    assert attributes(answer.decisions[-1])["timerId"] == f"again-{len(happened) + 3}"


def test_what_fits_needs_no_timer() -> None:
    answer = decide_over(many(99), configured(rate_limit=1_000))
    assert set(kinds(answer)) == {"ScheduleActivityTask"}


def test_a_response_takes_no_more_than_a_megabyte() -> None:
    def factory(a: Any, w: Any, f: Any) -> Any:
        return lambda: [a("x" * 32_000) for _ in range(40)]

    answer = decide_over(factory, configured())
    assert kinds(answer) == [*["ScheduleActivityTask"] * 31, "StartTimer"]
    assert len(json.dumps(answer.decisions)) <= LARGEST


# --- closing that is refused ----------------------------------------------------------------------


def refused_to_close(kind: str, cause: str) -> Any:
    return told(f"{kind}WorkflowExecutionFailed", cause=cause)


def done(a: Any, w: Any, f: Any) -> Any:
    return lambda: 4


def restarts(a: Any, w: Any, f: Any) -> Any:
    return lambda: flowy.restart()


def test_closing_in_ignorance_of_an_event_is_decided_again_at_once() -> None:
    refused = refused_to_close("Complete", "UNHANDLED_DECISION")
    answer = decide_over(done, configured(), *decided(2), refused)
    assert kinds(answer) == ["CompleteWorkflowExecution"]


@pytest.mark.parametrize(
    ("factory", "kind", "cause"),
    [
        (done, "Complete", "OPERATION_NOT_PERMITTED"),
        (restarts, "ContinueAsNew", "OPERATION_NOT_PERMITTED"),
        (restarts, "ContinueAsNew", "CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED"),
    ],
)
def test_closing_that_is_refused_is_tried_again_later(
    factory: Any, kind: str, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    refused = [*decided(2), refused_to_close(kind, cause)]
    answer = decide_over(factory, configured(), *refused)
    assert kinds(answer) == ["StartTimer"]
    timer = attributes(answer.decisions[0])
    assert timer["timerId"] == "again-7"
    assert caplog.messages[0].startswith(
        "closing workflow id 'w', run id 'r', of type 'workflow' version '1', was refused "
        f"({cause}: "
    )
    waiting = [*refused, *decided(6), told("TimerStarted", **timer)]
    assert decide_over(factory, configured(), *waiting).decisions == []
    fired = [*waiting, told("TimerFired", timerId="again-7")]
    assert kinds(decide_over(factory, configured(), *fired)) == [f"{kind}WorkflowExecution"]


def test_a_restart_that_can_never_be_fails_the_workflow() -> None:
    refused = refused_to_close("ContinueAsNew", "WORKFLOW_TYPE_DEPRECATED")
    answer = decide_over(restarts, configured(), *decided(2), refused)
    (only,) = map(attributes, answer.decisions)
    assert only["reason"] == (
        "WORKFLOW_TYPE_DEPRECATED: cannot restart: the type is deprecated: use a newer version, or "
        "undeprecate it"
    )


def test_a_signal_that_comes_while_the_workflow_is_being_closed_has_it_decided_again() -> None:
    def meddle(operation: str, count: int, call: Callable[[], Any]) -> Any:
        if operation == "respond_decision_task_completed" and count == 0:
            running.client.signal_workflow_execution(
                domain=DOMAIN, workflowId=workflow_id, signalName="news"
            )
        return call()

    decider = SWFWorkflowWorker()
    decider.register(workflow_config(), lambda: lambda: 4, name="workflow")
    with fleet() as running:
        register_types(running.client, DOMAIN, decider.types)
        workflow_id = running.start("workflow")
        running.serve(decider, client=Meddler(running.client, meddle))
        assert outcome(running.end(workflow_id)) == 4
        assert "CompleteWorkflowExecutionFailed" in running.types(workflow_id)


# --- cancellation ---------------------------------------------------------------------------------

ASKED = told("WorkflowExecutionCancelRequested")
INITIATED = told("StartChildWorkflowExecutionInitiated", workflowId="p-:w-0-0", input="[[2], {}]")


def test_a_workflow_with_nothing_open_is_cancelled_at_once() -> None:
    answer = decide_over(one_of_each, configured(), ASKED)
    assert kinds(answer) == ["CancelWorkflowExecution"]


def test_a_cancelled_workflow_asks_what_is_open_to_stop_and_waits_for_it() -> None:
    open_tasks = [
        *decided(2),
        SCHEDULED,
        INITIATED,
        told("LambdaFunctionScheduled", id="f-0-0", input="[[3], {}]"),
        ASKED,
    ]
    answer = decide_over(one_of_each, configured(), *open_tasks)
    assert [(each["decisionType"], attributes(each)) for each in answer.decisions] == [
        ("RequestCancelActivityTask", {"activityId": "a-0-0"}),
        ("RequestCancelExternalWorkflowExecution", {"workflowId": "p-:w-0-0"}),
    ]
    asked = [
        *open_tasks,
        *decided(9),
        told("ActivityTaskCancelRequested", activityId="a-0-0"),
        told("RequestCancelExternalWorkflowExecutionInitiated", workflowId="p-:w-0-0"),
    ]
    assert decide_over(one_of_each, configured(), *asked).decisions == []
    answered = [
        *asked,
        told("ActivityTaskCanceled", scheduledEventId=5, startedEventId=0),
        told("ChildWorkflowExecutionCanceled", initiatedEventId=6, startedEventId=0),
        told("LambdaFunctionCompleted", scheduledEventId=7, startedEventId=0),
    ]
    assert kinds(decide_over(one_of_each, configured(), *answered)) == ["CancelWorkflowExecution"]


def test_a_child_that_could_not_be_asked_for_now_is_asked_again_later() -> None:
    refused = [
        *decided(2),
        INITIATED,
        ASKED,
        told("RequestCancelExternalWorkflowExecutionInitiated", workflowId="p-:w-0-0"),
        told(
            "RequestCancelExternalWorkflowExecutionFailed",
            workflowId="p-:w-0-0",
            cause="UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
        ),
    ]
    answer = decide_over(one_of_each, configured(), *refused)
    assert kinds(answer) == ["StartTimer"]
    timer = attributes(answer.decisions[0])
    fired = [*refused, told("TimerStarted", **timer), told("TimerFired", **timer)]
    assert kinds(decide_over(one_of_each, configured(), *fired)) == [
        "RequestCancelExternalWorkflowExecution"
    ]


@pytest.mark.parametrize(
    "open_task",
    [
        lambda number: told("ActivityTaskScheduled", activityId=f"a-{number}-0"),
        lambda number: told("StartChildWorkflowExecutionInitiated", workflowId=f"p:w-{number}-0"),
    ],
)
def test_very_many_tasks_are_asked_to_stop_in_several_decisions(open_task: Any) -> None:
    happened = [*decided(2), *map(open_task, range(150)), ASKED]
    answer = decide_over(one_of_each, configured(), *happened)
    assert len(answer.decisions) == MOST
    assert kinds(answer)[-1] == "StartTimer"


def test_a_cancellation_that_is_refused_is_tried_again_later() -> None:
    refused = [ASKED, *decided(3), refused_to_close("Cancel", "OPERATION_NOT_PERMITTED")]
    answer = decide_over(one_of_each, configured(), *refused)
    assert kinds(answer) == ["StartTimer"]
    timer = attributes(answer.decisions[0])
    waiting = [*refused, told("TimerStarted", **timer)]
    assert decide_over(one_of_each, configured(), *waiting).decisions == []
    fired = [*waiting, told("TimerFired", **timer)]
    assert kinds(decide_over(one_of_each, configured(), *fired)) == ["CancelWorkflowExecution"]


def test_a_cancellation_whose_timer_is_refused_is_held_back() -> None:
    refused = [
        ASKED,
        *decided(3),
        refused_to_close("Cancel", "OPERATION_NOT_PERMITTED"),
        *decided(7),
        told("StartTimerFailed", timerId="again-8", cause="TIMER_CREATION_RATE_EXCEEDED"),
        told("StartTimerFailed", timerId="again-8", cause="TIMER_CREATION_RATE_EXCEEDED"),
    ]
    answer = decide_over(one_of_each, configured(), *refused)
    assert kinds(answer) == ["StartTimer"]
    assert answer.hold == 2


# --- histories that cannot be ---------------------------------------------------------------------


def test_a_history_that_is_not_whole_decides_nothing() -> None:
    completed = told("ActivityTaskCompleted", scheduledEventId=5, startedEventId=0)
    with pytest.raises(HistoryError):
        decide_over(one_of_each, configured(), *decided(2), completed)


@pytest.mark.parametrize("times", [1, 5, 50])
def test_backoff_grows_to_five_minutes_or_so(times: int) -> None:
    expected = min(300, 2**times)
    assert expected / 2 <= decisions.backoff(times) <= expected * 1.5
