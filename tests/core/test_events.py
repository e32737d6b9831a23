"""Events, commands and call identities are frozen values, and every event moves the machine on."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import pytest

from flowy import NonDeterminismError, Retry, TaskCancelled, TaskError, TaskTimedout, wait
from flowy import events as flowy_events
from flowy.events import (
    CallId,
    CancelRequested,
    Command,
    CompleteWorkflow,
    Event,
    FailWorkflow,
    MarkerRecorded,
    RecordMarker,
    RestartWorkflow,
    ScheduleActivity,
    ScheduleWorkflow,
    SignalReceived,
    StartTimer,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskTimedOut,
    TimerFired,
    TimerStarted,
)
from flowy.execution import HistoryError
from flowy.retry import RetryDelays
from flowy.run import Dependency

from .machine import (
    begin,
    cancelled,
    complete,
    completed,
    fail,
    failed,
    payload,
    retried,
    run_activity,
    run_workflow,
    scheduled,
    start_timer,
    timed_out,
    timer_fired,
    timer_started,
)

CALL = CallId("square", 2, 1)


# --- identities ----------------------------------------------------------------------------------


def test_a_call_is_written_with_its_name_its_number_and_its_attempt() -> None:
    assert str(CALL) == "square-2-1"
    assert str(CallId("square", 0)) == "square-0-0"


def test_a_written_call_is_read_back() -> None:
    assert CallId.parse("square-2-1") == CALL
    assert CallId.parse("a-1-2-3") == CallId("a-1", 2, 3)


@pytest.mark.parametrize("text", ["", "square", "square-1", "square-1-x", "square-1--1", "0-0"])
def test_what_is_no_call_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="call identity") as caught:
        CallId.parse(text)
    assert str(caught.value) == (
        f"{text!r} is no call identity; expected name-call-attempt, such as 'square-0-0'"
    )


# --- values --------------------------------------------------------------------------------------

EVENTS = [
    TaskScheduled(CALL, payload(1)),
    TaskStarted(CALL, "worker-1"),
    TaskCompleted(CALL, "1"),
    TaskFailed(CALL, "ValueError", "no luck", "Traceback", ValueError("no luck")),
    TaskTimedOut(CALL),
    flowy_events.TaskCancelled(CALL, "not needed"),
    TimerStarted(CALL, 3),
    TimerFired(CALL),
    SignalReceived("news", 1),
    MarkerRecorded("note", 1),
    CancelRequested("enough"),
]
COMMANDS = [
    ScheduleActivity(CALL, payload(1)),
    ScheduleWorkflow(CALL, payload(1), (CALL,)),
    StartTimer(CALL, 3),
    RecordMarker("note", 1),
    CompleteWorkflow("1"),
    FailWorkflow(ValueError("no luck"), "ValueError: no luck"),
    RestartWorkflow(payload(1)),
]


def test_the_tables_hold_every_event_and_command() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))
    assert {type(command) for command in COMMANDS} == set(get_args(Command))


@pytest.mark.parametrize("value", [*EVENTS, *COMMANDS], ids=lambda value: type(value).__name__)
def test_events_and_commands_are_frozen_slotted_values(value: Any) -> None:
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)
    assert not hasattr(value, "__dict__")
    assert dataclasses.replace(value) == value
    assert hash(dataclasses.replace(value)) == hash(value)


def test_the_exception_is_no_part_of_what_happened() -> None:
    assert TaskFailed(CALL, "ValueError", cause=ValueError()) == TaskFailed(CALL, "ValueError")
    assert FailWorkflow(ValueError(), "no") == FailWorkflow(KeyError(), "no")


# --- what each event does ------------------------------------------------------------------------


def one(*, a: Any) -> Any:
    return a(1)


def test_a_scheduled_call_is_not_commanded_again() -> None:
    execution = begin(one)
    assert execution.run() == [run_activity("a-0-0", 1)]
    assert execution.apply(scheduled("a-0-0", 1)) == []
    assert begin(one, [scheduled("a-0-0", 1)]).run() == []


def test_a_started_attempt_goes_on() -> None:
    execution = begin(one, [scheduled("a-0-0", 1)])
    assert execution.apply(TaskStarted(CallId("a", 0), "worker-1")) == []
    assert [task.call for task in execution.open_calls()] == [CallId("a", 0)]
    assert execution.run() == []


def test_a_completed_call_gives_its_value() -> None:
    assert begin(one, [scheduled("a-0-0", 1), completed("a-0-0", 5)]).run() == [complete(5)]


def test_a_failed_call_gives_its_error() -> None:
    cause = ValueError("no luck")

    def code(*, a: Any) -> Any:
        with pytest.raises(TaskError) as caught:
            wait(a(1))
        error = caught.value
        assert type(error) is TaskError
        assert error.__cause__ is cause
        return [error.name, error.call, error.error_type, error.message, error.traceback]

    failure = TaskFailed(CallId("a", 0), "ValueError", "no luck", "Traceback ...", cause)
    assert begin(code, [scheduled("a-0-0", 1), failure]).run() == [
        complete(["a", "a-0-0", "ValueError", "no luck", "Traceback ..."])
    ]


def test_a_call_that_timed_out_gives_a_time_out() -> None:
    def code(*, a: Any) -> Any:
        with pytest.raises(TaskTimedout) as caught:
            wait(a(1))
        return str(caught.value)

    late = TaskTimedOut(CallId("a", 0), "HEARTBEAT")
    assert begin(code, [scheduled("a-0-0", 1), late]).run() == [
        complete("a-0-0 timed out: passed its HEARTBEAT limit")
    ]


def test_a_cancelled_call_gives_a_cancellation() -> None:
    def code(*, a: Any) -> Any:
        with pytest.raises(TaskCancelled) as caught:
            wait(a(1))
        return str(caught.value)

    assert begin(code, [scheduled("a-0-0", 1), cancelled("a-0-0", "not needed")]).run() == [
        complete("a-0-0 was cancelled: not needed")
    ]


def test_a_cancelled_call_is_not_tried_again() -> None:
    execution = begin(one, dependencies=retried("a", Retry(attempts=3)))
    execution.run()
    assert execution.apply(cancelled("a-0-0")) == [fail("TaskCancelled: a-0-0 was cancelled")]


def test_a_timer_that_fired_has_the_attempt_scheduled() -> None:
    execution = begin(one, dependencies=retried("a", RetryDelays((3,))))
    assert execution.run() == [start_timer("a-0-0", 3)]
    assert execution.apply(timer_started("a-0-0", 3)) == []
    assert execution.apply(timer_fired("a-0-0")) == [run_activity("a-0-0", 1)]


def test_signals_markers_and_requests_to_cancel_are_kept() -> None:
    execution = begin(one)
    assert execution.signals == []
    assert execution.markers == []
    assert execution.cancel_requested is None
    news = [SignalReceived("news", 1), SignalReceived("news", 2)]
    note, enough = MarkerRecorded("note", 1), CancelRequested("enough")
    assert execution.apply(*news, note, enough) == []
    assert execution.signals == news
    assert execution.markers == [note]
    assert execution.cancel_requested is enough


def test_a_closed_execution_takes_no_events_in() -> None:
    execution = begin(one, [scheduled("a-0-0", 1), completed("a-0-0", 5)])
    execution.run()
    assert execution.apply(SignalReceived("news"), completed("b-0-0")) == []
    assert execution.signals == []


# --- late, repeated and unknown deliveries -------------------------------------------------------


@pytest.mark.parametrize(
    "late",
    [
        scheduled("a-0-0", 1),
        TaskStarted(CallId("a", 0)),
        completed("a-0-0", 7),
        failed("a-0-0"),
        timed_out("a-0-0"),
        cancelled("a-0-0"),
        timer_started("a-0-0", 1),
        timer_fired("a-0-0"),
    ],
    ids=lambda event: type(event).__name__,
)
@pytest.mark.parametrize("fresh", [False, True], ids=["live", "replayed"])
class TestALateEvent:
    def test_changes_nothing_when_its_call_is_over(self, late: Event, fresh: bool) -> None:
        def code(*, a: Any, b: Any) -> Any:
            return [a(1), b()]

        history = [scheduled("a-0-0", 1), scheduled("b-0-0"), completed("a-0-0", 5), late]
        execution = begin(code, history if fresh else ())
        execution.run()
        if not fresh:
            assert execution.apply(*history) == []
        assert execution.apply(completed("b-0-0", 6)) == [complete([5, 6])]

    def test_changes_nothing_when_a_later_attempt_runs(self, late: Event, fresh: bool) -> None:
        history = [scheduled("a-0-0", 1), timed_out("a-0-0"), scheduled("a-0-1", 1), late]
        policy = retried("a", Retry(attempts=2))
        execution = begin(one, history if fresh else (), dependencies=policy)
        execution.run()
        if not fresh:
            assert execution.apply(*history) == []
        assert execution.apply(completed("a-0-1", 5)) == [complete(5)]


def test_an_end_of_an_attempt_behind_a_timer_changes_nothing() -> None:
    execution = begin(one, dependencies=retried("a", RetryDelays((0, 3))))
    execution.run()
    assert execution.apply(scheduled("a-0-0", 1), timed_out("a-0-0")) == [start_timer("a-0-1", 3)]
    assert execution.apply(timer_started("a-0-1", 3), completed("a-0-1", 7)) == []
    assert execution.apply(timer_fired("a-0-1")) == [run_activity("a-0-1", 1)]
    assert execution.apply(timer_fired("a-0-1")) == []
    assert execution.apply(completed("a-0-1", 5)) == [complete(5)]


@pytest.mark.parametrize(
    "unknown",
    [
        TaskStarted(CallId("a", 1)),
        completed("a-1-0"),
        failed("a-1-0"),
        timed_out("a-1-0"),
        cancelled("a-1-0"),
    ],
    ids=lambda event: type(event).__name__,
)
@pytest.mark.parametrize("fresh", [False, True], ids=["live", "replayed"])
def test_an_event_of_a_call_that_nothing_scheduled_is_refused(unknown: Event, fresh: bool) -> None:
    history = [scheduled("a-0-0", 1), unknown]
    execution = begin(one)
    with pytest.raises(HistoryError) as caught:
        begin(one, history) if fresh else execution.apply(*history)
    assert str(caught.value) == (
        "the history is not whole: something happened to a-1-0, which nothing in it scheduled"
    )


def test_an_event_of_a_dependency_that_nothing_called_is_refused() -> None:
    with pytest.raises(HistoryError) as caught:
        begin(one, [completed("b-0-0")])
    assert str(caught.value) == (
        "the history is not whole: something happened to b-0-0, which nothing in it scheduled"
    )


def test_an_event_of_an_attempt_to_come_is_refused() -> None:
    with pytest.raises(HistoryError) as caught:
        begin(one, [scheduled("a-0-0", 1), completed("a-0-1")])
    assert str(caught.value) == (
        "the history is not whole: something happened to a-0-1, which nothing in it scheduled"
    )


def test_a_timer_that_nothing_started_is_refused() -> None:
    with pytest.raises(HistoryError) as caught:
        begin(one, [timer_fired("a-0-0")])
    assert str(caught.value) == (
        "the history is not whole: a timer for a-0-0 fired that nothing in it started"
    )


def test_a_history_error_is_a_value_error() -> None:
    assert issubclass(HistoryError, ValueError)


def test_an_input_that_differs_from_what_was_commanded_is_refused() -> None:
    execution = begin(one)
    execution.run()
    with pytest.raises(NonDeterminismError) as caught:
        execution.apply(scheduled("a-0-0", 2))
    error = caught.value
    assert (error.call, error.recorded, error.replayed, error.location) == (
        "a-0-0",
        "input '[[2], {}]'",
        "input '[[1], {}]'",
        "",
    )


def test_the_same_input_in_another_writing_is_taken() -> None:
    execution = begin(one)
    execution.run()
    execution.apply(TaskScheduled(CallId("a", 0), "[[1],{}]"), completed("a-0-0", 5))
    assert execution.closed == complete(5)


def test_a_child_workflow_is_scheduled_as_one() -> None:
    child = {"a": Dependency("a", "workflow")}
    assert begin(one, dependencies=child).run() == [run_workflow("a-0-0", 1)]
    history = [scheduled("a-0-0", 1, kind="workflow"), completed("a-0-0", 5)]
    assert begin(one, history, dependencies=child).run() == [complete(5)]
