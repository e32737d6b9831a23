"""Code stops on pending results, suspended or parked, and what it does then changes nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from flowy import (
    Execution,
    SuspendTask,
    first,
    is_result_proxy,
    wait,
)
from flowy.events import CloseWorkflow
from flowy.run import Task
from flowy.task import Node

from .machine import (
    begin,
    complete,
    completed,
    fail,
    failed,
    run_activity,
    scheduled,
)

# --- stopping ------------------------------------------------------------------------------------


def stops(*, a: Any) -> Any:
    return a(a(1) + 1)


def test_the_use_of_a_pending_result_suspends_the_code() -> None:
    execution = begin(stops)
    assert execution.runnable
    assert execution.created == 0
    assert execution.run() == [run_activity("a-0-0", 1)]
    assert not execution.runnable
    assert execution.created == 1
    assert execution.blocked_on is not None
    assert execution.blocked_on.describe() == "a-0"
    assert execution.apply(completed("a-0-0", 5)) == []
    assert execution.runnable
    assert execution.run() == [run_activity("a-1-0", 6)]
    assert execution.apply(completed("a-1-0", 7)) == [complete(7)]


def test_code_may_be_run_again_though_it_gets_no_further() -> None:
    execution = begin(stops)
    assert execution.run() == [run_activity("a-0-0", 1)]
    assert execution.run() == []
    execution.apply(completed("a-0-0", 5))
    assert execution.run() == [run_activity("a-1-0", 6)]
    assert execution.run() == []
    assert execution.apply(completed("a-1-0", 7)) == [complete(7)]


def test_what_is_ready_is_commanded_without_the_code() -> None:
    runs: list[int] = []

    def code(*, a: Any, b: Any) -> Any:
        runs.append(1)
        b(a(1))
        wait(a(2))

    execution = begin(code)
    execution.run()
    assert execution.apply(completed("a-0-0", 5)) == [run_activity("b-0-0", 5, sources=["a-0-0"])]
    assert len(runs) == 1


def test_a_run_that_was_replaced_commands_nothing() -> None:
    interrupts: list[BaseException] = []

    def code(*, a: Any, b: Any) -> Any:
        while interrupts:
            raise interrupts.pop()
        wait([b(a(1)), a(2)][1])

    execution = begin(code)
    execution.run()
    interrupts.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        execution.run()
    assert execution.apply(completed("a-0-0", 5)) == []
    assert execution.run() == [run_activity("b-0-0", 5, sources=["a-0-0"])]


def test_a_run_and_the_one_before_command_once() -> None:
    def code(*, a: Any, b: Any) -> Any:
        wait([b(a(1)), a(2)][1])

    execution = begin(code)
    execution.run()
    execution.run()
    assert execution.apply(completed("a-0-0", 5)) == [run_activity("b-0-0", 5, sources=["a-0-0"])]


def test_a_finally_block_commands_nothing_during_a_suspension() -> None:
    undone: list[str] = []

    def code(*, a: Any, undo: Any) -> Any:
        try:
            return a(1) + 1
        finally:
            try:
                undo()
            except SuspendTask:
                undone.append("suspended")
                raise

    execution = begin(code)
    assert execution.run() == [run_activity("a-0-0", 1)]
    assert undone == ["suspended"]
    execution.apply(completed("a-0-0", 5))
    assert execution.run() == [complete(6)]
    assert undone == ["suspended"]


def test_a_finally_block_calls_tasks_when_the_code_ends() -> None:
    def code(*, a: Any, undo: Any) -> Any:
        try:
            wait(a(1))
        finally:
            wait(undo())

    execution = begin(code)
    execution.run()
    execution.apply(failed("a-0-0"))
    assert execution.run() == [run_activity("undo-0-0")]
    execution.apply(completed("undo-0-0"))
    assert execution.run() == [fail("TaskError: a-0-0 failed: ValueError: no luck")]


@pytest.mark.parametrize("swallowed", [BaseException, SuspendTask])
def test_code_that_swallows_its_suspension_changes_nothing(
    swallowed: type[BaseException],
) -> None:
    def code(*, a: Any) -> Any:
        result, other = a(1), a(2)
        try:
            wait(result)
        except swallowed:
            for use in (lambda: a(3), lambda: wait(other)):
                with pytest.raises(SuspendTask):
                    use()
            return "swallowed"
        return result

    execution = begin(code)
    assert execution.run() == [run_activity("a-0-0", 1), run_activity("a-1-0", 2)]
    assert execution.closed is None
    execution.apply(completed("a-0-0", 5))
    assert execution.run() == [complete(5)]


def test_code_that_raises_another_error_while_it_is_suspended_changes_nothing() -> None:
    def code(*, a: Any) -> Any:
        result = a(1)
        try:
            wait(result)
        except BaseException:
            raise ValueError("no luck") from None
        return result

    execution = begin(code)
    assert execution.run() == [run_activity("a-0-0", 1)]
    assert execution.closed is None
    execution.apply(completed("a-0-0", 5))
    assert execution.run() == [complete(5)]


def test_a_suspension_of_the_codes_own_making_fails_the_workflow() -> None:
    def code(*, a: Any) -> Any:
        a(1)
        raise SuspendTask

    assert begin(code).run() == [fail("SuspendTask: ")]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_what_is_no_exception_comes_out_and_closes_nothing(stop: type[BaseException]) -> None:
    interrupts = [stop("now")]

    def code(*, a: Any) -> Any:
        result = a(1)
        while interrupts:
            raise interrupts.pop()
        return result

    execution = begin(code)
    with pytest.raises(stop, match="now"):
        execution.run()
    assert execution.closed is None
    assert execution.apply() == []
    # The history has nothing of it, so the next one begins anew.
    assert begin(code).run() == [run_activity("a-0-0", 1)]


def test_code_that_is_running_is_not_run_again() -> None:
    found: list[Execution] = []

    def code() -> None:
        assert not found[0].runnable
        found[0].run()

    found.append(begin(code))
    assert found[0].run() == [fail("RuntimeError: the workflow code is running or parked")]


# --- parking -------------------------------------------------------------------------------------


def test_parked_code_goes_on_when_its_result_is_there() -> None:
    told: list[Any] = []

    def park(execution: Execution, node: Node) -> None:
        assert execution.blocked_on is node
        assert not execution.runnable
        told.append(execution.apply())
        told.append(execution.apply(completed("a-0-0", 5)))

    execution = begin(stops, park=park)
    assert execution.run() == [run_activity("a-1-0", 6)]
    assert told == [[run_activity("a-0-0", 1)], []]
    assert execution.blocked_on is None
    assert not execution.runnable
    assert execution.apply(completed("a-1-0", 7)) == [complete(7)]


def test_parked_code_may_be_suspended_at_any_time() -> None:
    def park(execution: Execution, node: Node) -> None:
        execution.apply(scheduled("a-0-0", 1))
        raise SuspendTask

    execution = begin(stops, park=park)
    assert execution.run() == []
    assert not execution.runnable
    execution.apply(completed("a-0-0", 5))
    assert execution.runnable
    assert execution.run() == [run_activity("a-1-0", 6)]


def test_the_lock_is_held_while_the_graph_changes() -> None:
    lock = threading.Lock()
    held: list[bool] = []

    class Held:
        def schedule(self, task: Task) -> None:
            held.append(lock.locked())

        def start_timer(self, task: Task, delay: float) -> None:
            raise AssertionError("nothing has a delay here")

        def close(self, command: CloseWorkflow) -> None:
            held.append(lock.locked())

    def code(*, a: Any) -> Any:
        assert not lock.locked()
        place = first(a(1), a(2))
        assert not lock.locked()
        return 1 if is_result_proxy(place) else 0

    execution = begin(code, lock=lock, carrier=Held())
    assert execution.run() == []
    assert held == [True, True, True]
