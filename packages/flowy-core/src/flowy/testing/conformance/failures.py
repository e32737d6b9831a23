"""Failures, retries and time-outs."""

# ruff: noqa: D103 - the name of a case is its sentence
from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from flowy.errors import TaskError, TaskTimedout
from flowy.result import wait
from flowy.retry import Retry
from flowy.testing.conformance import case as _case
from flowy.testing.conformance.activities import (
    add,
    after,
    fail,
    fail_as,
    fail_first,
    give_object,
    identity,
    note,
    square,
    take,
    take_first,
)
from flowy.testing.conformance.case import Activity, Case, Raises, Task

CASES: list[Case] = []
case = partial(_case.case, to=CASES)


def facts_of(result: Any) -> Any:
    """Return what a failed result says of its failure."""
    try:
        wait(result)
    except TaskError as error:
        return [type(error).__name__, error.name, error.call, error.error_type, error.message]


@case(fail, expected=["TaskError", "fail", "fail-0-0", "ValueError", "no"], starts={"fail": 1})
def a_failed_task_raises_a_task_error_where_it_is_used(fail: Task) -> Any:
    return lambda: facts_of(fail("no"))


@case(fail, expected=Raises(TaskError, "fail-0-0 failed: ValueError: no"), starts={"fail": 1})
def a_failure_that_is_not_caught_fails_the_workflow(fail: Task) -> Any:
    return lambda: fail("no") + 1


@case(fail, square, expected=16, starts={"fail": 1, "square": 1})
def a_workflow_may_catch_a_failure_and_do_something_else(fail: Task, square: Task) -> Any:
    def run() -> Any:
        try:
            return fail("no") + 1
        except TaskError:
            return square(4)

    return run


@case(fail, expected=["no", "no", "no"], starts={"fail": 1})
def a_failed_result_raises_each_time_it_is_used(fail: Task) -> Any:
    def run() -> Any:
        failed = fail("no")
        return [facts_of(failed)[4] for _ in range(3)]

    return run


@case(fail_as, expected=["OutOfStock", "no bolts"], starts={"fail_as": 1})
def a_failure_names_the_type_of_the_error(fail_as: Task) -> Any:
    return lambda: facts_of(fail_as("OutOfStock", "no bolts"))[3:]


@case(fail_as, identity, expected=["SystemExit", "5", "still here"])
def a_task_that_exits_fails_and_takes_no_worker_along(fail_as: Task, identity: Task) -> Any:
    return lambda: [*facts_of(fail_as("SystemExit", "5"))[3:], identity("still here")]


@case(square, expected=["TypeError", "square-0-0"], starts={"square": 1})
def a_task_called_with_arguments_it_does_not_take_fails(square: Task) -> Any:
    def run() -> Any:
        facts = facts_of(square(1, 2, 3))
        return [facts[3], facts[2]]

    return run


@case(give_object, expected="TypeError", starts={"give_object": 1}, needs=["json"])
def a_task_whose_result_json_has_no_form_for_fails(give_object: Task) -> Any:
    return lambda: facts_of(give_object())[3]


@case(fail, after, expected="fail-0-0", starts={"fail": 1, "after": 0})
def a_failed_argument_fails_the_call(fail: Task, after: Task) -> Any:
    return lambda: facts_of(after(1, fail("no")))[2]


@case(fail, after, expected="fail-0-0", starts={"fail": 1, "after": 0})
def a_failed_argument_fails_all_that_depends_on_it(fail: Task, after: Task) -> Any:
    def run() -> Any:
        failed = fail("no")
        for _ in range(5):
            failed = after(1, [failed])
        return facts_of(failed)[2]

    return run


@case(fail, after, expected="early", starts={"fail": 2, "after": 0})
def of_failed_arguments_the_one_that_finished_first_counts(fail: Task, after: Task) -> Any:
    def run() -> Any:
        early = fail("early")
        with suppress(TaskError):
            wait(early)
        late = fail("late")
        with suppress(TaskError):
            wait(late)
        return facts_of(after(late, early))[4]

    return run


@case(fail, after, note, expected="no", starts={"fail": 1, "after": 0})
def a_failed_argument_fails_the_call_whatever_the_others_do(
    fail: Task, after: Task, note: Task
) -> Any:
    def run() -> Any:
        failed = fail("no")
        with suppress(TaskError):
            wait(failed)
        return facts_of(after(note(), failed))[4]

    return run


@case(fail, square, expected=[1, "no", 9], starts={"fail": 1, "square": 2})
def a_failure_does_not_touch_what_does_not_depend_on_it(fail: Task, square: Task) -> Any:
    def run() -> Any:
        one, failed, nine = square(1), fail("no"), square(3)
        return [one, facts_of(failed)[4], nine]

    return run


@case(square, expected=Raises(LookupError, "no such thing as 4"), starts={"square": 1})
def an_exception_of_the_workflow_code_fails_the_workflow(square: Task) -> Any:
    def run() -> Any:
        raise LookupError(f"no such thing as {square(2)}")

    return run


@case(expected=Raises(LookupError, "from the factory"))
def an_exception_of_the_factory_fails_the_workflow() -> Any:
    raise LookupError("from the factory")


@case(expected=Raises(TypeError, "argument"), args=(1, 2))
def arguments_that_the_workflow_does_not_take_fail_it() -> Any:
    return lambda only: only


@case(fail, expected=Raises(RuntimeError, "gave up"), starts={"fail": 1})
def a_workflow_may_raise_another_error_for_a_failure(fail: Task) -> Any:
    def run() -> Any:
        try:
            wait(fail("no"))
        except TaskError as error:
            raise RuntimeError("gave up") from error

    return run


# --- retries -------------------------------------------------------------------------------------


@case(Activity(fail_first, Retry(attempts=3)), expected="got it", starts={"fail_first": 3})
def a_failed_attempt_is_tried_again(fail_first: Task) -> Any:
    return lambda: fail_first(2, "got it")


@case(
    Activity(fail_first, Retry(attempts=3)),
    expected=["fail_first-0-2", "start 2"],
    starts={"fail_first": 3},
)
def the_last_attempt_counts(fail_first: Task) -> Any:
    def run() -> Any:
        facts = facts_of(fail_first(10, "never"))
        return [facts[2], facts[4]]

    return run


@case(
    Activity(fail_first, Retry(attempts=4, delay=0.01, backoff=2, jitter=0.5)),
    expected="got it",
    starts={"fail_first": 4},
    needs=["delays"],
)
def delays_may_grow_from_attempt_to_attempt(fail_first: Task) -> Any:
    return lambda: fail_first(3, "got it")


@case(
    Activity(fail_first, Retry(attempts=3, give_up_on=("OutOfStock",))),
    expected="fail_first-0-0",
    starts={"fail_first": 1},
)
def a_policy_may_give_up_on_an_error(fail_first: Task) -> Any:
    return lambda: facts_of(fail_first(1, "never"))[2]


@case(
    Activity(fail_first, Retry(attempts=3, on=("timeout",))),
    expected="fail_first-0-0",
    starts={"fail_first": 1},
)
def a_policy_for_time_outs_does_not_try_errors_again(fail_first: Task) -> Any:
    return lambda: facts_of(fail_first(1, "never"))[2]


@case(Activity(fail_first, (0, 0, 0)), expected="fail_first-0-0", starts={"fail_first": 1})
def a_tuple_of_delays_does_not_try_errors_again(fail_first: Task) -> Any:
    return lambda: facts_of(fail_first(1, "never"))[2]


@case(
    Activity(square, (0.02, 1)), add, expected=5, starts={"square": 1, "add": 1}, needs=["delays"]
)
def a_first_attempt_may_be_delayed(square: Task, add: Task) -> Any:
    return lambda: add(square(2), 1)


@case(Activity(fail_first, Retry(attempts=2)), add, expected=7, starts={"fail_first": 2, "add": 1})
def what_depends_on_a_call_waits_for_its_last_attempt(fail_first: Task, add: Task) -> Any:
    return lambda: add(fail_first(1, 3), 4)


@case(
    Activity(fail, Retry(attempts=2)),
    expected=["fail-0-1", "fail-1-1"],
    starts={"fail": 4},
)
def each_call_has_its_own_attempts(fail: Task) -> Any:
    def run() -> Any:
        results = [fail("a"), fail("b")]
        return [facts_of(result)[2] for result in results]

    return run


# --- time-outs -----------------------------------------------------------------------------------
#
# How often these tasks start is not determined: a worker that is slow to begin may be too late.


@case(
    Activity(take, timeout=0.05),
    expected=["TaskTimedout", "take", "take-0-0"],
    needs=["timeouts"],
)
def an_attempt_that_takes_too_long_times_out(take: Task) -> Any:
    return lambda: facts_of(take(0.2))[:3]


@case(
    Activity(take, (0, 0.01), timeout=0.04),
    expected=["TaskTimedout", "take-0-1"],
    needs=["delays", "timeouts"],
)
def a_tuple_of_delays_tries_time_outs_again(take: Task) -> Any:
    def run() -> Any:
        facts = facts_of(take(0.15))
        return [facts[0], facts[2]]

    return run


# More attempts than it takes, so that a slow machine changes nothing.
@case(Activity(take_first, Retry(attempts=100), timeout=0.1), expected="ended", needs=["timeouts"])
def an_attempt_after_a_time_out_may_end_well(take_first: Task) -> Any:
    return lambda: take_first(0.25, "ended")


@case(
    Activity(take, Retry(attempts=3, on=("error",)), timeout=0.05),
    expected="take-0-0",
    needs=["timeouts"],
)
def a_policy_for_errors_does_not_try_time_outs_again(take: Task) -> Any:
    return lambda: facts_of(take(0.2))[2]


@case(Activity(take, timeout=0.05), square, expected=9, starts={"square": 1}, needs=["timeouts"])
def a_workflow_may_catch_a_time_out(take: Task, square: Task) -> Any:
    def run() -> Any:
        try:
            wait(take(0.2))
        except TaskTimedout:
            return square(3)

    return run


@case(Activity(square, timeout=60), expected=9, starts={"square": 1})
def a_limit_that_is_not_passed_changes_nothing(square: Task) -> Any:
    return lambda: square(3)
