"""The finish order: `first`, `finish_order`, `parallel_reduce`; and `restart`.

Where a case needs one result to finish before another, the other depends on it.
"""

# ruff: noqa: D103 - the name of a case is its sentence
from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from flowy.errors import TaskError
from flowy.operations import finish_order, first, parallel_reduce, restart
from flowy.result import is_result_proxy, wait
from flowy.testing.conformance import case as _case
from flowy.testing.conformance.activities import add, after, fail, identity, square
from flowy.testing.conformance.case import Case, Raises, Task

CASES: list[Case] = []
case = partial(_case.case, to=CASES)


@case(square, add, expected=4, starts={"square": 1})
def first_is_the_result_that_finishes_first(square: Task, add: Task) -> Any:
    def run() -> Any:
        early = square(2)
        return first(add(early, 1), early) + 0

    return run


@case(square, add, expected=16, starts={"square": 2})
def first_of_pending_results_may_be_passed_on(square: Task, add: Task) -> Any:
    def run() -> Any:
        early = square(2)
        return square(first([add(early, 1), early]))

    return run


@case(square, add, expected=9, starts={"square": 2, "add": 1})
def first_of_finished_results_goes_by_when_they_finished(square: Task, add: Task) -> Any:
    def run() -> Any:
        early = square(3)
        wait(early)
        late = square(2)
        wait(add(late, 1))
        return first(late, early)

    return run


@case(square, expected=["plain", 1])
def plain_values_have_finished_before_all_results(square: Task) -> Any:
    def run() -> Any:
        four = square(2)
        wait(four)
        return [first(four, "plain"), next(iter(finish_order(four, 1)))]

    return run


@case(expected=Raises(ValueError, "first() of no results"))
def first_of_nothing_is_refused() -> Any:
    return lambda: first([])


@case(fail, after, expected=Raises(TaskError, "fail-0-0 failed: ValueError: no"))
def first_may_be_a_failure(fail: Task, after: Task) -> Any:
    def run() -> Any:
        failed = fail("no")
        with suppress(TaskError):
            wait(failed)
        return first(after("late"), failed) + 0

    return run


@case(square, add, expected=[4, 5, 6], starts={"square": 1, "add": 2})
def finish_order_gives_results_as_they_finish(square: Task, add: Task) -> Any:
    def run() -> Any:
        early = square(2)
        late = add(early, 1)
        last = add(late, 1)
        return [result + 0 for result in finish_order(last, early, late)]

    return run


@case(square, add, expected=[16, 25, 36], starts={"square": 4, "add": 2})
def places_in_the_finish_order_may_be_passed_on(square: Task, add: Task) -> Any:
    def run() -> Any:
        early = square(2)
        late = add(early, 1)
        return [square(result) for result in finish_order([add(late, 1), late, early])]

    return run


@case(identity, add, expected=[1, 1], starts={"identity": 1, "add": 2})
def a_place_settled_late_is_the_same_as_one_settled_early(identity: Task, add: Task) -> Any:
    def run() -> Any:
        one = identity(1)
        two = add(one, 1)
        early = first(two, one)
        wait(add(two, 1))
        return [early, first(two, one)]

    return run


@case(expected=[])
def finish_order_of_nothing_is_empty() -> Any:
    return lambda: list(finish_order([]))


@case(square, fail, expected=["value", "failure", "value"], starts={"square": 2, "fail": 1})
def failures_have_their_place_in_the_finish_order(square: Task, fail: Task) -> Any:
    def run() -> Any:
        one = square(1)
        failed = fail("no", one)
        with suppress(TaskError):
            wait(failed)
        last = square(2)
        seen = []
        for result in finish_order(last, failed, one):
            try:
                wait(result)
                seen.append("value")
            except TaskError:
                seen.append("failure")
        return seen

    return run


# --- parallel_reduce -----------------------------------------------------------------------------


@case(square, add, expected=285, starts={"square": 10, "add": 9})
def parallel_reduce_of_n_values_takes_one_call_less(square: Task, add: Task) -> Any:
    return lambda: parallel_reduce(add, (square(n) for n in range(10)))


@case(add, expected=110, starts={"add": 5})
def parallel_reduce_may_begin_with_a_value(add: Task) -> Any:
    return lambda: parallel_reduce(add, range(5), 100)


@case(identity, add, expected=4950, starts={"identity": 100, "add": 99})
def parallel_reduce_of_many_results_adds_up_each_once(identity: Task, add: Task) -> Any:
    return lambda: parallel_reduce(add, map(identity, range(100)))


@case(add, expected=[True, 5], starts={"add": 0})
def parallel_reduce_of_one_value_is_that_value_as_a_result(add: Task) -> Any:
    def run() -> Any:
        result = parallel_reduce(add, [5])
        return [is_result_proxy(result), result]

    return run


@case(add, expected=Raises(ValueError, "parallel_reduce() of no values"), starts={"add": 0})
def parallel_reduce_of_nothing_is_refused(add: Task) -> Any:
    return lambda: parallel_reduce(add, [])


@case(square, expected=30, starts={"square": 4})
def parallel_reduce_takes_a_plain_function(square: Task) -> Any:
    return lambda: parallel_reduce(lambda a, b: a + b, map(square, range(1, 5)))


@case(square, fail, add, expected=Raises(TaskError, "fail-0-0 failed: ValueError: no"))
def a_failed_value_fails_the_reduction(square: Task, fail: Task, add: Task) -> Any:
    return lambda: parallel_reduce(add, [square(1), fail("no"), square(2)])


@case(square, add, expected=196, starts={"square": 4, "add": 2})
def what_a_reduction_gives_may_be_passed_on(square: Task, add: Task) -> Any:
    return lambda: square(parallel_reduce(add, map(square, (1, 2, 3))))


# --- restart -------------------------------------------------------------------------------------


@case(add, args=(0,), expected=3, starts={"add": 3}, needs=["restarts"])
def a_restart_begins_anew_with_its_arguments(add: Task) -> Any:
    def run(n: Any) -> Any:
        if n >= 3:
            return n
        return restart(add(n, 1) + 0)

    return run


@case(add, args=(0,), kwargs={"limit": 2}, expected=[2, 2], starts={"add": 2}, needs=["restarts"])
def a_restart_waits_for_the_results_among_its_arguments(add: Task) -> Any:
    def run(n: Any, limit: Any) -> Any:
        if n == limit:
            return [n, limit]
        return restart(add(n, 1), limit=limit)

    return run


@case(fail, args=(0,), expected="fail-0-0", starts={"fail": 3}, needs=["restarts"])
def a_restart_begins_with_an_empty_history(fail: Task) -> Any:
    def run(n: Any) -> Any:
        try:
            return fail("no") + 0
        except TaskError as error:
            return error.call if n == 2 else restart(n + 1)

    return run


@case(
    fail,
    expected=Raises(TaskError, "fail-0-0 failed: ValueError: no"),
    starts={"fail": 1},
    needs=["restarts"],
)
def a_failed_result_among_its_arguments_fails_a_restart(fail: Task) -> Any:
    return lambda: restart(fail("no"))


@case(square, expected=9, starts={"square": 1})
def a_restart_that_is_not_returned_does_nothing(square: Task) -> Any:
    def run() -> Any:
        restart()
        return square(3)

    return run
