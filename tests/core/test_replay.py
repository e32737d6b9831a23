"""Code that does not repeat its history is found out, and destroys nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from flowy import Execution, NonDeterminismError, Retry, wait
from flowy.events import Command, Event, TaskScheduled
from flowy.retry import RetryDelays, RetryPolicy
from flowy.run import Dependency
from flowy.serialization import OBJECT
from flowy.task import Node

from .machine import (
    begin,
    completed,
    failed,
    retried,
    run_activity,
    scheduled,
    start_timer,
    timed_out,
    timer_fired,
    timer_started,
)

ADVICE = (
    "the code changed while this workflow was running, or it depends on something that differs "
    "from run to run (time, randomness, the environment, the order of a set); deploy the code that "
    "this workflow started with, or move what differs into a task"
)


def differs(execution: Execution) -> NonDeterminismError:
    """Run the code, which must not repeat its history; return the error."""
    with pytest.raises(NonDeterminismError) as caught:
        execution.run()
    assert execution.apply() == []
    assert execution.closed is None
    return caught.value


def line_of(code: Callable[..., Any], text: str) -> str:
    """Return `file:line` of the line of `code` that has `text`."""
    lines, start = inspect.getsourcelines(code)
    (number,) = (number for number, line in enumerate(lines, start) if text in line)
    return f"{__file__}:{number}"


# --- the two sides -------------------------------------------------------------------------------


def test_another_input() -> None:
    def code(*, a: Any) -> Any:
        a(1)
        return a(3)  # changed

    error = differs(begin(code, [scheduled("a-0-0", 1), scheduled("a-1-0", 2)]))
    assert str(error) == (
        "replay of a-1 differs from the history\n"
        "  recorded: input '[[2], {}]'\n"
        "  now:      input '[[3], {}]'\n"
        f"  at:       {line_of(code, '# changed')}\n{ADVICE}"
    )
    assert (error.call, error.recorded, error.replayed, error.location) == (
        "a-1",
        "input '[[2], {}]'",
        "input '[[3], {}]'",
        line_of(code, "# changed"),
    )


def test_another_value_of_a_result_in_the_input() -> None:
    def code(*, a: Any, b: Any) -> Any:
        return b(a(1))  # changed

    history = [scheduled("a-0-0", 1), completed("a-0-0", 5), scheduled("b-0-0", 6)]
    error = differs(begin(code, history))
    assert (error.call, error.recorded, error.replayed, error.location) == (
        "b-0",
        "input '[[6], {}]'",
        "input '[[5], {}]'",
        line_of(code, "# changed"),
    )


def test_another_kind_of_dependency() -> None:
    def code(*, a: Any) -> Any:
        return a(1)  # changed

    error = differs(begin(code, [scheduled("a-0-0", 1, kind="workflow")]))
    assert (error.call, error.recorded, error.replayed, error.location) == (
        "a-0",
        "a call of the workflow a",
        "a call of the activity a",
        line_of(code, "# changed"),
    )


@pytest.mark.parametrize(
    "history",
    [
        [scheduled("a-0-0", 1), timed_out("a-0-0"), scheduled("a-0-1", 1), timed_out("a-0-1")],
        [scheduled("a-0-0", 1), failed("a-0-0"), timer_started("a-0-1", 3), timer_fired("a-0-1")],
        [timer_started("a-0-0", 2), timer_fired("a-0-0"), scheduled("a-0-0", 1)],
    ],
    ids=["retried", "delayed", "delayed at first"],
)
def test_another_kind_of_a_dependency_that_was_retried(history: list[Event]) -> None:
    def code(*, a: Any) -> Any:
        return a(1)

    error = differs(begin(code, history, dependencies={"a": Dependency("a", "workflow")}))
    assert (error.call, error.recorded, error.replayed) == (
        "a-0",
        "a call of the activity a",
        "a call of the workflow a",
    )


@pytest.mark.parametrize("state", ["is pending", "has failed"])
def test_an_argument_that_cannot_have_been_there(state: str) -> None:
    def code(*, a: Any, b: Any) -> Any:
        return b(a(1))  # changed

    end = [failed("a-0-0")] if state == "has failed" else []
    error = differs(begin(code, [scheduled("a-0-0", 1), *end, scheduled("b-0-0", 5)]))
    assert (error.call, error.recorded, error.replayed, error.location) == (
        "b-0",
        "scheduled with '[[5], {}]'",
        f"needs a-0, which {state}",
        line_of(code, "# changed"),
    )


@pytest.mark.parametrize(
    ("calls", "times"), [(0, "0 times"), (1, "once"), (2, "2 times")], ids=["0", "1", "2"]
)
def test_a_call_that_is_made_no_more(calls: int, times: str) -> None:
    def code(*, a: Any) -> Any:
        return [a(number) for number in range(calls)]

    error = differs(begin(code, [scheduled(f"a-{number}-0", number) for number in range(3)]))
    assert (error.call, error.recorded, error.replayed, error.location) == (
        f"a-{calls}",
        f"a call with input '[[{calls}], {{}}]'",
        f"the code called a {times} until it ended",
        "",
    )


def test_a_call_that_is_made_later_now() -> None:
    def code(*, a: Any, b: Any) -> Any:
        wait(a(1))
        return b(2)

    error = differs(begin(code, [scheduled("a-0-0", 1), scheduled("b-0-0", 2)]))
    assert (error.call, error.recorded, error.replayed) == (
        "b-0",
        "a call with input '[[2], {}]'",
        "the code called b 0 times until it stopped on the result of a-0",
    )


def test_a_call_behind_a_timer_that_is_made_no_more() -> None:
    def code(*, a: Any) -> Any:
        return None

    error = differs(begin(code, [timer_started("a-0-0", 2)]))
    assert (error.call, error.recorded, error.replayed) == (
        "a-0",
        "a timer before the first attempt",
        "the code called a 0 times until it ended",
    )


@pytest.mark.parametrize(
    "history",
    [
        [scheduled("gone-0-0", 1), completed("gone-0-0", 5)],
        [scheduled("gone-0-0", 1), failed("gone-0-0"), scheduled("gone-0-1", 1)],
        [timer_started("gone-0-0", 2), timer_fired("gone-0-0"), scheduled("gone-0-0", 1)],
        [scheduled("gone-0-0", 1, kind="workflow")],
    ],
    ids=["completed", "retried", "delayed", "workflow"],
)
def test_a_dependency_that_is_gone(history: list[Event]) -> None:
    def code(*, a: Any) -> Any:
        return None

    error = differs(begin(code, history))
    assert (error.call, error.recorded, error.replayed) == (
        "gone-0",
        "a call with input '[[1], {}]'",
        "there is no dependency 'gone'",
    )


def test_a_call_is_told_even_if_the_code_fails_now() -> None:
    def code(*, a: Any) -> Any:
        raise ValueError("no luck")

    error = differs(begin(code, [scheduled("a-0-0", 1)]))
    assert error.replayed == "the code called a 0 times until it ended"


# --- what it does not destroy --------------------------------------------------------------------


def test_code_that_swallows_the_error_does_not_get_away_with_it() -> None:
    def code(*, a: Any) -> Any:
        with pytest.raises(NonDeterminismError):
            a(2)
        with pytest.raises(NonDeterminismError):
            a(3)
        return "swallowed"

    error = differs(begin(code, [scheduled("a-0-0", 1)]))
    assert error.replayed == "input '[[2], {}]'"


def test_nothing_is_commanded_by_code_that_differs() -> None:
    def code(*, a: Any, b: Any) -> Any:
        b(1)
        return a(2)

    differs(begin(code, [scheduled("a-0-0", 1)]))


def test_the_right_code_goes_on_over_the_same_history() -> None:
    def code(number: int, *, a: Any, b: Any) -> Any:
        return b(a(number))

    history = [scheduled("a-0-0", 1), completed("a-0-0", 5)]
    differs(begin(code, history, args=(2,)))
    assert begin(code, history, args=(1,)).run() == [run_activity("b-0-0", 5, sources=["a-0-0"])]


def test_code_that_differs_while_it_is_parked_is_found_out_when_it_stops() -> None:
    def code(*, a: Any, b: Any) -> Any:
        wait(a(1))
        return b(2)

    def park(execution: Execution, node: Node) -> None:
        execution.apply(scheduled("a-0-0", 1), scheduled("b-0-0", 3), completed("a-0-0"))

    execution = begin(code, park=park)
    error = differs(execution)
    assert (error.call, error.recorded, error.replayed) == (
        "b-0",
        "input '[[3], {}]'",
        "input '[[2], {}]'",
    )


@pytest.mark.parametrize(
    ("early", "recorded"),
    [
        (scheduled("b-0-0", 9), "a call with input '[[9], {}]'"),
        (timer_started("b-0-0", 2), "a timer before the first attempt"),
    ],
)
@pytest.mark.parametrize("end", [[], [failed("a-0-0")]], ids=["pending", "failed"])
def test_a_call_whose_results_the_history_did_not_wait_for(
    end: list[Event], early: Event, recorded: str
) -> None:
    def code(*, a: Any, b: Any, c: Any) -> Any:
        b(a(1))
        wait(c())

    execution = begin(code)
    execution.run()
    execution.apply(scheduled("a-0-0", 1), *end)
    with pytest.raises(NonDeterminismError) as caught:
        execution.apply(early)
    error = caught.value
    assert (error.call, error.recorded, error.replayed) == (
        "b-0",
        recorded,
        "the code made the call with results that have not finished, or failed",
    )


# --- what does not differ ------------------------------------------------------------------------


def test_more_calls_than_the_history_has_are_new() -> None:
    def code(*, a: Any) -> Any:
        return [a(1), a(2)]

    assert begin(code, [scheduled("a-0-0", 1)]).run() == [run_activity("a-1-0", 2)]


def test_an_input_in_another_writing() -> None:
    def code(*, a: Any) -> Any:
        return a({"x": 1, "y": (2,)})

    call = scheduled("a-0-0")
    assert isinstance(call, TaskScheduled)
    recorded = TaskScheduled(call.call, '[[{"y":[2],"x":1}],{}]')
    assert begin(code, [recorded]).run() == []


def test_objects_are_not_compared() -> None:
    def code(*, a: Any) -> Any:
        return a(object())

    call = scheduled("a-0-0")
    assert isinstance(call, TaskScheduled)
    history = [TaskScheduled(call.call, ((object(),), {}))]
    execution = begin(code, history, dependencies={"a": Dependency("a", codec=OBJECT)})
    assert execution.run() == []


def test_the_sources_of_a_retry_are_those_of_the_call() -> None:
    def code(*, a: Any, b: Any) -> Any:
        return b(a(1))

    history = [
        *(scheduled("a-0-0", 1), completed("a-0-0", 5)),
        *(scheduled("b-0-0", 5), timed_out("b-0-0")),
    ]
    execution = begin(code, history, dependencies=retried("b", Retry(attempts=2)))
    assert execution.run() == [run_activity("b-0-1", 5, sources=["a-0-0"])]


@pytest.mark.parametrize(
    ("policy", "command"),
    [
        (Retry(attempts=2), run_activity("b-0-1", 5, sources=["a-0-0"])),
        (RetryDelays((0, 3)), start_timer("b-0-1", 3)),
    ],
)
def test_nothing_is_commanded_of_a_call_before_the_code_has_repeated_it(
    policy: RetryPolicy, command: Command
) -> None:
    def code(*, a: Any, b: Any) -> Any:
        return b(a(1))

    history = [scheduled("a-0-0", 1), completed("a-0-0", 5), scheduled("b-0-0", 5)]
    execution = begin(code, history, dependencies=retried("b", policy))
    assert execution.apply(timed_out("b-0-0")) == []
    assert execution.run() == [command]


def test_a_call_behind_its_first_delay_takes_its_input_from_the_code() -> None:
    def code(*, a: Any, b: Any) -> Any:
        return b(a(1))

    history = [scheduled("a-0-0", 1), completed("a-0-0", 5), timer_started("b-0-0", 2)]
    delayed = retried("b", RetryDelays((2,)))
    assert begin(code, history, dependencies=delayed).run() == []
    execution = begin(code, [*history, timer_fired("b-0-0")], dependencies=delayed)
    assert execution.run() == [run_activity("b-0-0", 5, sources=["a-0-0"])]
