"""Workflows that start anew."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.tasks import (
    THREADS_AND_PROCESSES,
    add,
    calling,
    configured,
    fail,
    square,
)

import flowy
from flowy import TaskError
from flowy_local import LocalWorkflow

Options = dict[str, Any]


class CountDown:
    """Starts anew until it has counted down, with what it gathered."""

    def __init__(self, add: Any) -> None:
        self.add = add

    def __call__(self, n: int, total: int = 0) -> Any:
        if n == 0:
            return total
        # Pending, and at another place each time.
        return flowy.restart(n - 1, total=self.add(total, n))


@pytest.mark.parametrize("options", THREADS_AND_PROCESSES)
def test_the_root_starts_anew_when_the_arguments_are_there(options: Options) -> None:
    assert configured(CountDown, add, **options).run(10) == 55


@pytest.mark.parametrize("options", THREADS_AND_PROCESSES)
def test_a_child_starts_anew_when_the_arguments_are_there(options: Options) -> None:
    workflow = LocalWorkflow(calling("child"), **options)
    workflow.conf_workflow("child", configured(CountDown, add))
    assert workflow.run(10) == 55


@pytest.mark.parametrize("child", [False, True])
def test_a_workflow_may_start_anew_thousands_of_times(child: bool) -> None:
    def factory() -> Any:
        return lambda n: flowy.restart(n - 1) if n else "landed"

    workflow = LocalWorkflow(factory)
    if child:
        parent = LocalWorkflow(calling("child"))
        parent.conf_workflow("child", workflow)
        workflow = parent
    assert workflow.run(3_000) == "landed"


def test_a_failed_argument_fails_the_workflow_that_would_start_anew() -> None:
    def factory(fail: Any) -> Any:
        return lambda: flowy.restart(fail("no luck"))

    with pytest.raises(TaskError, match=r"^fail-0-0 failed: ValueError: no luck$"):
        configured(factory, fail).run()


def test_the_calls_are_numbered_anew() -> None:
    def factory(fail: Any, square: Any) -> Any:
        def run(n: int) -> Any:
            flowy.wait(square(n))
            return flowy.restart(n - 1) if n else fail("at last")

        return run

    with pytest.raises(TaskError, match=r"^fail-0-0 failed: ValueError: at last$"):
        configured(factory, fail, square).run(3)


def test_what_was_left_open_before_is_dropped() -> None:
    ran: list[int] = []

    def factory(square: Any, note: Any) -> Any:
        def run(again: bool) -> Any:
            if not again:
                return square(5)
            value = square(2)
            for n in range(10):
                note(square(square(n)))
            return flowy.restart(flowy.first(value, "plain") == "never")

        return run

    workflow = configured(factory, square, activity_workers=1)
    workflow.conf_activity("note", ran.append)
    assert workflow.run(True) == 25
    assert ran == []


def test_with_wait_it_is_done() -> None:
    ran: list[int] = []

    def factory(note: Any, square: Any) -> Any:
        def run(again: bool) -> Any:
            note(square(2 if again else 3))
            return flowy.restart(False) if again else "done"

        return run

    workflow = configured(factory, square, activity_workers=1)
    workflow.conf_activity("note", ran.append)
    assert workflow.run(True, _wait=True) == "done"
    assert sorted(ran) == [4, 9]


def test_failures_that_nobody_looked_at_are_logged_for_each_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def factory(fail: Any, square: Any) -> Any:
        def run(n: int) -> Any:
            fail(str(n))
            flowy.wait(square(n))
            return flowy.restart(n - 1) if n else "done"

        return run

    assert configured(factory, fail, square, activity_workers=1).run(1) == "done"
    assert [record.getMessage() for record in caplog.records] == [
        f"factory ended and never looked at this failure: fail-0-0 failed: ValueError: {n}"
        for n in (1, 0)
    ]
