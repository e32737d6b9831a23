"""Workflows that call workflows."""

# ruff: noqa: D103 - the name of a case is its sentence
from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from flowy.errors import TaskError
from flowy.operations import parallel_reduce, restart
from flowy.result import wait
from flowy.testing.conformance import case as _case
from flowy.testing.conformance.activities import add, fail, identity, square
from flowy.testing.conformance.case import Case, Raises, Task, workflow

CASES: list[Case] = []
case = partial(_case.case, to=CASES)


# --- the children --------------------------------------------------------------------------------


def sums_squares(square: Task, add: Task) -> Any:
    """Return a child that waits between its calls."""

    def run(*numbers: Any) -> Any:
        total: Any = 0
        for number in numbers:
            total = add(total, square(number)) + 0
        return total

    return run


def fails_by_a_task(fail: Task) -> Any:
    """Return a child that lets the failure of its task through."""
    return lambda message: fail(message)


def fails_by_itself() -> Any:
    """Return a child whose code raises an error."""

    def run(message: Any) -> Any:
        raise LookupError(message)

    return run


def fails_in_its_factory() -> Any:
    """Raise an error."""
    raise LookupError("from the factory")


def counts_down(add: Task) -> Any:
    """Return a child that restarts."""
    return lambda n, total: total if n == 0 else restart(n - 1, add(total, n))


def calls_a_child(sums: Task) -> Any:
    """Return a child that has a child."""
    return lambda *numbers: sums(*numbers) + 1


def returns_its_arguments() -> Any:
    """Return a child that calls nothing."""
    return lambda *args, **kwargs: [args, kwargs]


def reports_its_first_failure(fail: Task) -> Any:
    """Return a child that tells the identity of its task's call."""

    def run() -> Any:
        try:
            wait(fail("no"))
        except TaskError as error:
            return error.call

    return run


SUMS = workflow(sums_squares, square, add)


@case(workflows={"sums": SUMS}, expected=14, starts={"square": 3, "add": 3})
def a_workflow_may_be_a_dependency(sums: Task) -> Any:
    return lambda: sums(1, 2, 3)


@case(workflows={"child": workflow(returns_its_arguments)}, expected=[(1, [2]), {"a": {"b": 3}}])
def a_child_takes_arguments_by_position_and_by_keyword(child: Task) -> Any:
    return lambda: child(1, [2], a={"b": 3})


@case(square, workflows={"sums": SUMS}, expected=625, starts={"square": 4, "add": 2})
def results_go_into_children_and_out_of_them(square: Task, sums: Task) -> Any:
    return lambda: square(sums(3, square(2)))


@case(add, workflows={"sums": SUMS}, expected=sum(n * n for n in range(40)), starts={"square": 40})
def many_children_may_wait_at_once(add: Task, sums: Task) -> Any:
    return lambda: parallel_reduce(add, [sums(n) for n in range(40)])


@case(workflows={"middle": workflow(calls_a_child, sums=SUMS)}, expected=[6, 11])
def a_child_may_have_children(middle: Task) -> Any:
    return lambda: [middle(1, 2), middle(1, 3)]


@case(
    fail,
    workflows={"child": workflow(reports_its_first_failure, fail)},
    expected=["fail-0-0", "fail-0-0", "fail-1-0"],
    starts={"fail": 4},
)
def each_execution_numbers_its_own_calls(fail: Task, child: Task) -> Any:
    def run() -> Any:
        with suppress(TaskError):
            wait(fail("mine"))
        children = [child() + "", child() + ""]
        try:
            wait(fail("mine again"))
        except TaskError as error:
            return [*children, error.call]

    return run


@case(
    workflows={"child": workflow(fails_by_a_task, fail)},
    expected=["child-0-0", "TaskError", True],
    starts={"fail": 1},
)
def a_child_that_fails_by_a_task_fails_the_call(child: Task) -> Any:
    def run() -> Any:
        try:
            wait(child("no"))
        except TaskError as error:
            return [error.call, error.error_type, "fail-0-0 failed: ValueError: no" in str(error)]

    return run


@case(
    workflows={"child": workflow(fails_by_itself)},
    expected=["child-0-0", "LookupError", "no"],
)
def a_child_whose_code_raises_fails_the_call(child: Task) -> Any:
    def run() -> Any:
        try:
            wait(child("no"))
        except TaskError as error:
            return [error.call, error.error_type, error.message]

    return run


@case(
    workflows={"child": workflow(fails_in_its_factory)},
    expected=Raises(TaskError, "child-0-0 failed: LookupError: from the factory"),
)
def a_child_whose_factory_raises_fails_the_call(child: Task) -> Any:
    return lambda: child() + 1


@case(
    fail,
    workflows={"child": workflow(returns_its_arguments)},
    expected="fail-0-0",
    starts={"fail": 1},
)
def a_failed_argument_starts_no_child(fail: Task, child: Task) -> Any:
    def run() -> Any:
        try:
            wait(child(fail("no")))
        except TaskError as error:
            return error.call

    return run


@case(
    workflows={"child": workflow(counts_down, add)},
    expected=[10, 6],
    starts={"add": 7},
    needs=["restarts"],
)
def a_child_that_restarts_gives_what_its_last_execution_returns(child: Task) -> Any:
    return lambda: [child(4, 0), child(3, 0)]


@case(identity, workflows={"sums": SUMS}, expected=[5, "meanwhile"], starts={"identity": 1})
def a_workflow_goes_on_while_its_child_runs(identity: Task, sums: Task) -> Any:
    def run() -> Any:
        child = sums(1, 2)
        word = identity("meanwhile") + ""
        return [child, word]

    return run
