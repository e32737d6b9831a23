"""Finish orders and reductions, with plain values and over histories."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import pytest

from flowy import (
    Execution,
    SuspendTask,
    TaskError,
    finish_order,
    first,
    is_result_proxy,
    parallel_reduce,
    restart,
    wait,
)
from flowy.events import CallId, Command, Event, TaskCompleted, TaskScheduled
from flowy.operations import Restart
from flowy.run import Dependency
from flowy.serialization import JSON, OBJECT, Codec
from flowy.task import Node

from .machine import (
    MANY,
    begin,
    complete,
    completed,
    fail,
    failed,
    run_activity,
    run_to_the_end,
    scheduled,
)

# --- plain values, without an engine -------------------------------------------------------------


@pytest.mark.parametrize("arguments", [(3, 5), ([3, 5],), ((3, 5),), (iter([3, 5]),), (3,)])
def test_of_plain_values_the_first_is_first(arguments: tuple[Any, ...]) -> None:
    assert first(*arguments) == 3


@pytest.mark.parametrize("text", ["two", b"two"])
def test_a_text_is_one_value(text: Any) -> None:
    assert first(text) == text
    assert list(finish_order(text)) == [text]


@pytest.mark.parametrize("arguments", [(), ([],), ((),)])
def test_the_first_of_nothing_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="no results") as caught:
        first(*arguments)
    assert str(caught.value) == "first() of no results: there is none to wait for"


def test_plain_values_finish_in_the_order_they_stand_in() -> None:
    assert list(finish_order(3, 1, 2)) == [3, 1, 2]
    assert list(finish_order([3, 1, 2])) == [3, 1, 2]
    assert list(finish_order()) == list(finish_order([])) == []


@pytest.mark.parametrize(
    ("values", "initializer", "expected"),
    [([1, 2, 3], (), 6), ([1, 2, 3], (10,), 16), ([7], (), 7), ([], (5,), 5), ([1, None], (), 0)],
)
def test_plain_values_are_reduced(values: Any, initializer: Any, expected: Any) -> None:
    def add(left: Any, right: Any) -> Any:
        return left + right if right is not None else 0

    result = parallel_reduce(add, values, *initializer)
    assert is_result_proxy(result)
    assert result == expected


def test_a_reduction_takes_a_call_less_than_there_are_values() -> None:
    calls: list[Any] = []

    def add(left: int, right: int) -> int:
        calls.append((left, right))
        return left + right

    assert parallel_reduce(add, iter([1, 2, 3, 4])) == 10
    assert calls == [(1, 2), (3, 4), (3, 7)]


def test_a_reduction_of_no_value_is_refused() -> None:
    with pytest.raises(ValueError, match="no values") as caught:
        parallel_reduce(max, [])
    assert str(caught.value) == "parallel_reduce() of no values: give it an initializer"


def test_a_reduction_of_reductions() -> None:
    one = parallel_reduce(operator.add, [1])
    assert parallel_reduce(operator.add, [one, 2]) == 3
    assert parallel_reduce(operator.add, [one]) == 1
    assert first(one, one) == 1
    assert list(finish_order(one, 2)) == [2, 1]


def test_a_restart_holds_its_arguments() -> None:
    assert restart(1, k=2) == Restart((1,), {"k": 2})
    assert restart(1, k=2) != restart(1)
    assert restart(1) != 1
    assert repr(restart(1, "a", k=[2])) == "restart(1, 'a', k=[2])"
    with pytest.raises(TypeError, match="unhashable"):
        hash(restart())


@pytest.mark.parametrize("codec", [JSON, OBJECT])
def test_a_restart_in_a_value_is_refused(codec: Codec) -> None:
    with pytest.raises(TypeError) as caught:
        codec.prepare_value([restart(1)])
    assert str(caught.value) == (
        "result[0] is what flowy.restart() returns, which is no value; "
        "a restart happens if the workflow returns it itself: return flowy.restart(...)"
    )


# --- places --------------------------------------------------------------------------------------


def calls(*numbers: int) -> list[Event]:
    """Return the events that schedule the calls of `a` with these numbers."""
    return [scheduled(f"a-{number}-0", number) for number in numbers]


def every_way(
    code: Callable[..., Any], history: Iterable[Event], **options: Any
) -> list[list[Command]]:
    """Return what code commands last: suspended, parked, and over the whole history at once."""
    happened = list(history)
    suspended: Execution = begin(code, **options)
    commands = suspended.run()
    for event in happened:
        if suspended.closed is None:
            commands = suspended.apply(event)
        if suspended.runnable:
            commands += suspended.run()
    return [commands, parked(code, happened, **options), begin(code, happened, **options).run()]


def parked(code: Callable[..., Any], happened: Iterable[Event], **options: Any) -> list[Command]:
    """Return what parked code commands last."""
    events = iter(happened)
    commands: list[Command] = []

    def park(execution: Execution, node: Node) -> None:
        commands.extend(execution.apply())
        while node.order is None:
            event = next(events, None)
            if event is None:
                raise SuspendTask
            commands[:] = execution.apply(event)

    execution = begin(code, park=park, **options)
    commands += execution.run()
    for event in events:
        if execution.closed is None:
            commands[:] = execution.apply(event)
    return commands


def test_the_first_of_pending_results_is_a_result_that_can_be_passed_on() -> None:
    def code(*, a: Any, b: Any) -> Any:
        place = first(a(0), a(1))
        assert repr(place) in ("<pending result of whichever finishes next>", "6")
        return b(place)

    history = [*calls(0, 1), completed("a-1-0", 6)]
    expected = [run_activity("b-0-0", 6, sources=["a-1-0"])]
    assert every_way(code, history) == [expected] * 3


def test_one_pending_result_is_one_member() -> None:
    def code(*, a: Any) -> Any:
        place = first(a(0))
        places = list(finish_order(a(1)))
        return [place, places]

    assert begin(code).run() == [run_activity("a-0-0", 0), run_activity("a-1-0", 1)]


def test_a_finished_list_is_one_member() -> None:
    def code(*, a: Any) -> Any:
        result = a(0)
        wait(result)
        return [first(result), list(finish_order(result))]

    assert begin(code, [*calls(0), completed("a-0-0", [1, 2])]).run() == [
        complete([[1, 2], [[1, 2]]])
    ]


def test_plain_values_come_before_results() -> None:
    def code(*, a: Any) -> Any:
        result = a(0)
        wait(result)
        assert first(result, 7) == 7
        return list(finish_order(result, 7, 8))

    history = [*calls(0), completed("a-0-0", 5)]
    expected = [complete([7, 8, 5])]
    assert every_way(code, history) == [expected] * 3


def test_results_are_given_in_the_order_in_which_they_finish() -> None:
    def code(*, a: Any) -> Any:
        return [place + 0 for place in finish_order(a(number) for number in range(3))]

    history = [*calls(0, 1, 2), *(completed(f"a-{number}-0", number) for number in (2, 0, 1))]
    expected = [complete([2, 0, 1])]
    assert every_way(code, history) == [expected] * 3


def test_a_result_that_stands_twice_gets_two_places() -> None:
    def code(*, a: Any) -> Any:
        one, other = a(0), a(1)
        return list(finish_order(one, other, one))

    history = [*calls(0, 1), completed("a-1-0", 6), completed("a-0-0", 5)]
    expected = [complete([6, 5, 5])]
    assert every_way(code, history) == [expected] * 3


def test_a_failure_has_its_place() -> None:
    def code(*, a: Any) -> Any:
        places = finish_order(a(0), a(1))
        with pytest.raises(TaskError):
            wait(next(places))
        return next(places)

    history = [*calls(0, 1), failed("a-1-0"), completed("a-0-0", 5)]
    expected = [complete(5)]
    assert every_way(code, history) == [expected] * 3


def test_the_first_fails_with_its_member() -> None:
    def code(*, a: Any) -> Any:
        return first(first(a(0), a(1)), a(2))

    history = [*calls(0, 1, 2), failed("a-1-0")]
    expected = [fail("TaskError: a-1-0 failed: ValueError: no luck")]
    assert every_way(code, history) == [expected] * 3


def test_a_place_is_known_by_the_call_behind_it() -> None:
    def code(*, a: Any, b: Any) -> Any:
        place = first(first(a(0), a(1)), a(2))
        wait(place)
        b(1, place)
        b(2, first(a(3)))
        return wait(b(3))

    history = [*calls(0, 1, 2), completed("a-1-0", 6)]
    expected = [
        run_activity("b-0-0", 1, 6, sources=["a-1-0"]),
        run_activity("a-3-0", 3),
        run_activity("b-2-0", 3),
    ]
    assert every_way(code, history) == [expected] * 3


def test_a_value_that_was_settled_comes_from_no_call() -> None:
    def code(*, b: Any) -> Any:
        return b(parallel_reduce(operator.add, [1, 2]))

    assert begin(code).run() == [run_activity("b-0-0", 3)]
    assert repr(parallel_reduce(operator.add, [1, 2])) == "3"


def test_a_place_is_settled_when_it_is_asked_for() -> None:
    def code(*, a: Any) -> Any:
        places = finish_order(a(0), a(1), a(2))
        wait(next(places))
        return [first(next(places), a(3)), list(places)]

    ends = [completed(f"a-{number}-0", number) for number in (1, 3, 2, 0)]
    history = [*calls(0, 1, 2), ends[0], *calls(3), *ends[1:]]
    expected = [complete([3, [0]])]
    assert every_way(code, history) == [expected] * 3


# A call that cannot write a value fails as soon as the value is there. So it can be told from
# places that get the value by the same event.


def unwritable(*numbers: int) -> list[Event]:
    """Return the events of calls of `a` that end, in this order, with such values."""
    order = sorted(numbers)
    return [
        *(TaskScheduled(CallId("a", number), ((number,), {})) for number in order),
        *(TaskCompleted(CallId("a", number), object()) for number in numbers),
    ]


def who_fails(result: Any) -> str:
    """Return the call whose failure this is."""
    try:
        wait(result)
    except TaskError as error:
        return error.call
    return "none"


def test_of_one_event_finishes_first_what_was_made_first() -> None:
    def call_before_place(*, a: Any, b: Any) -> Any:
        result = a(0)
        places = finish_order(result)
        call = b(result)
        return who_fails(first(next(places), call))

    def place_before_call(*, a: Any, b: Any) -> Any:
        result = a(0)
        place = first(result)
        call = b(result)
        return who_fails(first(call, place))

    def place_of_a_place(*, a: Any, b: Any) -> Any:
        result = a(0)
        place = first(first(result))
        call = b(result)
        return who_fails(first(place, call))

    # In the first code the place is told of the end before the call is. In the last one it is made
    # before the call, but is a step further away from the end.
    ways = ((call_before_place, "b-0-0"), (place_before_call, "none"), (place_of_a_place, "b-0-0"))
    for code, who in ways:
        expected = [complete(who)]
        assert every_way(code, unwritable(0), dependencies=OBJECTS) == [expected] * 3


def test_a_call_that_cannot_write_its_values_fails_with_the_last_of_them() -> None:
    def code(*, a: Any, b: Any) -> Any:
        results = [a(0), a(1), a(2)]
        return who_fails(first(b(results[0], results[1]), results[2]))

    expected = [complete("none")]
    history = unwritable(0, 2, 1)
    assert every_way(code, history, dependencies=OBJECTS) == [expected] * 3


OBJECTS = {"a": Dependency("a", codec=OBJECT)}


def test_members_of_two_workflows() -> None:
    kept: list[Any] = []

    def lender(*, a: Any) -> Any:
        kept.append(a(0))
        return kept[0]

    lent = begin(lender)
    lent.run()
    lent.apply(completed("a-0-0", 5))

    def borrower(*, a: Any) -> Any:
        return first(kept)

    assert begin(borrower).run() == [complete(5)]


# --- reductions ----------------------------------------------------------------------------------


def test_values_are_reduced_as_they_come() -> None:
    def code(*, a: Any, add: Any) -> Any:
        return parallel_reduce(add, [a(0), a(1), a(2)], 10)

    execution = begin(code)
    execution.run()
    assert execution.apply(completed("a-2-0", 2)) == [
        run_activity("add-0-0", 10, 2, sources=["a-2-0"])
    ]
    assert execution.apply(completed("add-0-0", 12)) == []
    assert execution.apply(completed("a-0-0", 0)) == [
        run_activity("add-1-0", 12, 0, sources=["add-0-0", "a-0-0"])
    ]
    assert execution.apply(completed("a-1-0", 1)) == []
    assert execution.apply(completed("add-1-0", 12)) == [
        run_activity("add-2-0", 1, 12, sources=["a-1-0", "add-1-0"])
    ]
    assert execution.apply(completed("add-2-0", 13)) == [complete(13)]


def test_a_replay_that_knows_more_endings_makes_the_same_pairs() -> None:
    def code(*, a: Any, add: Any) -> Any:
        return parallel_reduce(add, [a(0), a(1), a(2), a(3)])

    ends = [completed(f"a-{number}-0", number) for number in range(4)]
    history = [
        *calls(0, 1, 2, 3),
        *(ends[0], ends[1], scheduled("add-0-0", 0, 1), ends[2], completed("add-0-0", 1)),
        *(scheduled("add-1-0", 2, 1), ends[3], completed("add-1-0", 3)),
    ]
    expected = [run_activity("add-2-0", 3, 3, sources=["a-3-0", "add-1-0"])]
    assert every_way(code, history) == [expected] * 3


def test_a_reduction_that_failed_is_no_argument_of_itself() -> None:
    def code(*, a: Any, add: Any) -> Any:
        reduced = parallel_reduce(add, [a(0), a(1), a(2)])
        with pytest.raises(TaskError) as caught:
            wait(reduced)
        return caught.value.call

    history = [*calls(0, 1, 2), failed("a-1-0"), completed("a-0-0", 0), completed("a-2-0", 2)]
    expected = [complete("a-1-0")]
    assert every_way(code, history[:-2]) == [expected] * 3
    # It was known before the other values were.
    assert begin(code, history).run() == expected


def test_a_reduction_by_a_plain_function_forces_its_values() -> None:
    def code(*, a: Any) -> Any:
        return parallel_reduce(operator.sub, [a(0), a(1), a(2)])

    history = [*calls(0, 1, 2), *(completed(f"a-{number}-0", number) for number in (2, 0, 1))]
    # 2 - 0 is known before 1 is asked for.
    expected = [complete(1)]
    assert every_way(code, history) == [expected] * 3


def test_one_result_is_reduced_to_itself() -> None:
    def code(*, a: Any, add: Any) -> Any:
        return parallel_reduce(add, [a(0)])

    history = [*calls(0), completed("a-0-0", 5)]
    expected = [complete(5)]
    assert every_way(code, history) == [expected] * 3


def test_part_of_a_finish_order_asks_for_no_more() -> None:
    def code(*, a: Any) -> Any:
        return list(islice(finish_order(a(0), a(1), a(2)), 2))

    history = [*calls(0, 1, 2), completed("a-2-0", 2), completed("a-0-0", 0)]
    expected = [complete([2, 0])]
    assert every_way(code, history) == [expected] * 3


# --- size ----------------------------------------------------------------------------------------


def test_a_reduction_of_very_many_values_does_not_recurse() -> None:
    def code(*, a: Any) -> Any:
        return parallel_reduce(a, [a(1) for _ in range(MANY)])

    assert run_to_the_end(code) == MANY


def test_a_reduction_of_very_many_plain_values() -> None:
    assert parallel_reduce(operator.add, range(MANY)) == MANY * (MANY - 1) // 2


def test_a_finish_order_of_very_many_results() -> None:
    def code(*, a: Any) -> Any:
        return list(finish_order([a(number) for number in range(MANY)]))

    assert run_to_the_end(code) == list(reversed(range(MANY)))


def test_very_many_firsts_of_firsts_do_not_recurse() -> None:
    def code(*, a: Any) -> Any:
        result = a(7)
        for _ in range(MANY):
            result = first(result)
        return result

    assert run_to_the_end(code) == 7
