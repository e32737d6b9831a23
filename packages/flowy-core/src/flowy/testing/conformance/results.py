"""Using results: what forces them, and what a workflow may return."""

# ruff: noqa: D103 - the name of a case is its sentence
from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from flowy.errors import TaskError
from flowy.result import is_result_proxy, wait
from flowy.testing.conformance import case as _case
from flowy.testing.conformance.activities import (
    Pair,
    Point,
    add,
    after,
    fail,
    identity,
    note,
    nothing,
    square,
)
from flowy.testing.conformance.case import Case, Raises, Task

CASES: list[Case] = []
case = partial(_case.case, to=CASES)


@case(square, expected=[13, 13, 5, 27, 2.25, True, False], starts={"square": 1})
def a_result_calculates_and_compares_as_its_value(square: Task) -> Any:
    def run() -> Any:
        nine = square(3)
        return [nine + 4, 4 + nine, nine - 4, nine * 3, nine / 4, nine > 8, nine == 8]

    return run


@case(square, identity, expected=13, starts={"square": 2})
def two_results_calculate_with_each_other(square: Task, identity: Task) -> Any:
    return lambda: square(2) + square(3)


@case(identity, expected=["empty", "full"], starts={"identity": 2})
def a_result_is_true_or_false_as_its_value(identity: Task) -> Any:
    return lambda: ["full" if identity(value) else "empty" for value in ([], [0])]


@case(identity, square, expected=[1, 4, [9, 16]], starts={"identity": 1, "square": 4})
def a_result_is_iterated_and_unpacked_as_its_value(identity: Task, square: Task) -> Any:
    def run() -> Any:
        first, second, *rest = identity([1, 2, 3, 4])
        return [square(first), square(second), [square(n) for n in rest]]

    return run


@case(identity, expected=[3, "c", True, ["b", "c"]], starts={"identity": 1})
def a_result_is_measured_and_indexed_as_its_value(identity: Task) -> Any:
    def run() -> Any:
        letters = identity(["a", "b", "c"])
        return [len(letters), letters[-1], "a" in letters, letters[1:]]

    return run


@case(identity, expected=["APPLES", "apples: 7", True, 3])
def a_result_has_the_attributes_and_type_of_its_value(identity: Task) -> Any:
    def run() -> Any:
        word, count = identity("apples"), identity(7)
        return [word.upper(), f"{word}: {count}", isinstance(count, int), {7: 3}[count]]

    return run


@case(square, identity, expected=[None, None, 4], starts={"square": 1})
def wait_forces_a_result_and_returns_nothing(square: Task, identity: Task) -> Any:
    def run() -> Any:
        force: Any = wait
        result = square(2)
        return [force(result), force("a value"), result + 0]

    return run


@case(nothing, expected=[True, None], starts={"nothing": 1})
def a_task_may_return_nothing(nothing: Task) -> Any:
    def run() -> Any:
        result = nothing()
        return [result == None, result]  # noqa: E711 - `is` does not see through a result

    return run


# --- stopping on a result ------------------------------------------------------------------------


@case(square, note, expected=4, starts={"square": 1, "note": 1})
def a_finally_block_calls_its_task_once(square: Task, note: Task) -> Any:
    def run() -> Any:
        try:
            return square(2) + 0
        finally:
            wait(note())

    return run


@case(square, note, expected=4, starts={"square": 1, "note": 0})
def code_that_swallows_the_suspension_changes_nothing(square: Task, note: Task) -> Any:
    def run() -> Any:
        try:
            return square(2) + 0
        except BaseException:
            with suppress(BaseException):
                note()
            return "swallowed"

    return run


@case(square, add, note, expected=[4, 9, 13], starts={"square": 2, "add": 1, "note": 3})
def what_is_called_between_two_waits_is_called_once(square: Task, add: Task, note: Task) -> Any:
    def run() -> Any:
        before = note()
        four = square(2) + 0
        between = note(before)
        nine = square(3) + 0
        wait(note(between))
        return [four, nine, add(four, nine)]

    return run


# --- what a workflow returns ---------------------------------------------------------------------


@case(square, expected=4, starts={"square": 1})
def a_workflow_may_return_a_result(square: Task) -> Any:
    return lambda: square(2)


@case(
    square,
    expected={"list": [4, (9, {16})], "point": Point(25, Pair(36, 49))},
    starts={"square": 6},
)
def a_returned_structure_may_hold_results_at_any_depth(square: Task) -> Any:
    return lambda: {
        "list": [square(2), (square(3), {square(4)})],
        "point": Point(square(5), Pair(square(6), square(7))),
    }


@case(fail, square, expected=Raises(TaskError, "fail-0-0 failed: ValueError: no"))
def a_failed_result_in_what_is_returned_fails_the_workflow(fail: Task, square: Task) -> Any:
    return lambda: {"good": square(2), "bad": [fail("no")]}


@case(fail, expected=Raises(TaskError, "fail-0-0 failed: ValueError: early"), starts={"fail": 2})
def of_failed_results_that_are_returned_the_one_that_finished_first_counts(fail: Task) -> Any:
    def run() -> Any:
        early = fail("early")
        with suppress(TaskError):
            wait(early)
        late = fail("late")
        with suppress(TaskError):
            wait(late)
        return [late, early]

    return run


@case(square, note, expected="done", starts={"square": 1})
def a_workflow_does_not_wait_for_what_it_does_not_return(square: Task, note: Task) -> Any:
    def run() -> Any:
        note(note(note()))
        wait(square(2))
        return "done"

    return run


@case(fail, after, expected="done", starts={"fail": 1, "after": 1})
def a_failure_nobody_looks_at_does_not_fail_the_workflow(fail: Task, after: Task) -> Any:
    def run() -> Any:
        failed = fail("unseen")
        # Fails as well, and in the same moment: who waits for it has waited for the first.
        with suppress(TaskError):
            wait(after("never", failed))
        return after("done")

    return run


@case(identity, expected=[True, False, False])
def is_result_proxy_tells_results_from_values(identity: Task) -> Any:
    def run() -> Any:
        result = identity([1])
        return [is_result_proxy(each) for each in (result, [result], result[0])]

    return run


@case(identity, expected=Raises(TypeError, "result['x']"), needs=["json"])
def a_returned_value_that_json_has_no_form_for_fails_the_workflow(identity: Task) -> Any:
    def run() -> Mapping[str, Any]:
        return {"x": object()}

    return run
