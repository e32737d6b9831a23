"""What becomes of work that nobody needs any more."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest
from tests.local.tasks import (
    PATIENCE,
    add,
    calling,
    configured,
    engine_threads,
    in_thread,
    let_end,
    square,
    wait,
)

import flowy
from flowy_local import LocalWorkflow
from flowy_local.timers import ManualTimers


class Race:
    """Returns the first of two results."""

    def __init__(self, fast: Any, slow: Any) -> None:
        self.fast = fast
        self.slow = slow

    def __call__(self) -> Any:
        return flowy.first(self.slow(), self.fast())


def test_a_running_activity_is_told_by_its_next_heartbeat() -> None:
    running = threading.Event()
    run_is_over = threading.Event()
    seen: queue.Queue[str] = queue.Queue()

    def fast() -> str:
        wait(running)
        return "fast"

    def slow() -> None:
        flowy.heartbeat("begun")
        running.set()
        wait(run_is_over)
        try:
            flowy.heartbeat("still here")
        except flowy.TaskCancelled as exc:
            seen.put(str(exc))

    assert configured(Race, fast, slow).run() == "fast"
    # The run does not wait for it.
    assert seen.empty()
    assert len(engine_threads()) == 1
    run_is_over.set()
    assert seen.get(timeout=PATIENCE) == "nobody needs its result any more"


def test_an_activity_that_has_not_begun_is_dropped() -> None:
    ran: list[int] = []
    run_is_over = threading.Event()

    def factory(square: Any, slow: Any, note: Any) -> Any:
        def run() -> Any:
            value = square(2)
            slow()
            for n in range(10):
                note(n)
            return value + 0

        return run

    workflow = LocalWorkflow(factory, activity_workers=1)
    workflow.conf_activity("square", square)
    workflow.conf_activity("slow", lambda: wait(run_is_over))
    workflow.conf_activity("note", ran.append)
    assert workflow.run() == 4
    run_is_over.set()
    let_end()
    assert ran == []


def test_with_wait_all_that_was_called_is_done() -> None:
    ran: list[int] = []

    def factory(note: Any, square: Any) -> Any:
        def run() -> Any:
            for n in range(10):
                note(square(n))
            return "done"

        return run

    workflow = LocalWorkflow(factory, activity_workers=2)
    workflow.conf_activity("note", ran.append)
    workflow.conf_activity("square", square)
    assert workflow.run(_wait=True) == "done"
    assert sorted(ran) == [n * n for n in range(10)]


def test_with_wait_the_failure_comes_when_all_is_done() -> None:
    ran: list[int] = []

    def factory(note: Any) -> Any:
        def run() -> Any:
            for n in range(5):
                note(n)
            raise LookupError("enough")

        return run

    workflow = LocalWorkflow(factory, activity_workers=1)
    workflow.conf_activity("note", ran.append)
    with pytest.raises(LookupError, match=r"^enough$"):
        workflow.run(_wait=True)
    assert ran == [0, 1, 2, 3, 4]


def test_with_wait_children_and_retries_end_too() -> None:
    clock = ManualTimers()
    ran: list[Any] = []

    def child(note: Any, square: Any) -> Any:
        def run(n: int) -> Any:
            note(square(n) + 1)
            return "unneeded"

        return run

    def flaky() -> None:
        ran.append(clock.now())
        if clock.now() < 120:
            raise ValueError("again")

    inner = LocalWorkflow(child)
    inner.conf_activity("note", ran.append)
    inner.conf_activity("square", square)

    def factory(child: Any, flaky: Any) -> Any:
        def run() -> Any:
            child(3)
            flaky()
            return "done"

        return run

    workflow = LocalWorkflow(factory, activity_workers=1, clock=lambda: clock)
    workflow.conf_workflow("child", inner)
    workflow.conf_activity("flaky", flaky, retry=flowy.Retry(attempts=9, delay=60))
    result = in_thread(workflow.run, _wait=True)
    for _ in range(2):
        clock.wait_for(1)
        clock.advance(60)
    assert result.result(PATIENCE) == "done"
    assert sorted(ran) == [0, 10, 60, 120]


def test_a_delay_that_nobody_needs_is_not_waited_for() -> None:
    clock = ManualTimers()

    def factory(later: Any) -> Any:
        def run() -> Any:
            later()
            return "done"

        return run

    workflow = LocalWorkflow(factory, clock=lambda: clock)
    workflow.conf_activity("later", square, retry=(3600,))
    assert workflow.run() == "done"
    assert clock.now() == 0


def test_what_a_child_left_open_is_dropped_when_it_closes() -> None:
    ran: list[int] = []
    child_is_over = threading.Event()

    def child(stuck: Any, note: Any) -> Any:
        def run() -> Any:
            result = stuck()
            for n in range(5):
                note(n)
            return flowy.first(result, "plain")

        return run

    def stuck() -> None:
        wait(child_is_over)

    def factory(child: Any, add: Any) -> Any:
        def run() -> Any:
            flowy.wait(child())
            child_is_over.set()
            return add(1, 2)

        return run

    inner = LocalWorkflow(child)
    inner.conf_activity("stuck", stuck)
    inner.conf_activity("note", ran.append)
    workflow = LocalWorkflow(factory, activity_workers=1)
    workflow.conf_workflow("child", inner)
    workflow.conf_activity("add", add)
    assert workflow.run() == 3
    assert ran == []


@pytest.mark.parametrize("history", [0, 100])
def test_the_children_of_a_closed_workflow_are_dropped(history: int) -> None:
    ran: list[Any] = []
    waiting = threading.Event()
    run_is_over = threading.Event()

    def grandchild(square: Any, slow: Any, note: Any) -> Any:
        def run() -> Any:
            for n in range(history):
                flowy.wait(square(n))
            flowy.wait(slow())
            ran.append("code went on")
            flowy.wait(note("task ran"))

        return run

    def slow() -> None:
        waiting.set()
        wait(run_is_over)

    def fast() -> str:
        wait(waiting)
        return "fast"

    inner = LocalWorkflow(grandchild)
    for function in (square, slow):
        inner.conf_activity(function.__name__, function)
    inner.conf_activity("note", ran.append)
    child = LocalWorkflow(calling("grandchild"))
    child.conf_workflow("grandchild", inner)
    workflow = LocalWorkflow(Race)
    workflow.conf_activity("fast", fast)
    workflow.conf_workflow("slow", child)
    assert workflow.run() == "fast"
    run_is_over.set()
    let_end()
    assert ran == []


def test_a_child_that_has_not_begun_is_dropped() -> None:
    ran: list[str] = []
    busy = threading.Event()
    over = threading.Event()

    def holding() -> Any:
        def run() -> None:
            busy.set()
            wait(over)

        return run

    def noting() -> Any:
        return lambda: ran.append("code ran")

    def factory(holding: Any, noting: Any, watch: Any) -> Any:
        def run() -> Any:
            holding()
            noting()
            return watch()

        return run

    workflow = LocalWorkflow(factory, workflow_workers=1)
    workflow.conf_workflow("holding", LocalWorkflow(holding))
    workflow.conf_workflow("noting", LocalWorkflow(noting))
    workflow.conf_activity("watch", lambda: wait(busy))
    workflow.run()
    over.set()
    let_end()
    assert ran == []


def test_an_activity_may_say_that_it_is_cancelled() -> None:
    def give_up() -> None:
        raise flowy.TaskCancelled("not worth it")

    workflow = configured(calling("give_up"), give_up)
    workflow_with_retry = LocalWorkflow(calling("give_up"))
    workflow_with_retry.conf_activity("give_up", give_up, retry=flowy.Retry(attempts=5))
    for each in (workflow, workflow_with_retry):
        with pytest.raises(flowy.TaskCancelled) as caught:
            each.run()
        # It is not tried again.
        assert str(caught.value) == "give_up-0-0 was cancelled: TaskCancelled: not worth it"
