"""Workflows as dependencies of workflows."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest
from tests.local.tasks import (
    PATIENCE,
    THREADS_AND_PROCESSES,
    add,
    calling,
    configured,
    engine_threads,
    identity,
    let_end,
    square,
    wait,
)

import flowy
from flowy import NonDeterminismError
from flowy_local import LocalWorkflow, execution, scheduler

Options = dict[str, Any]


class Sum:
    def __init__(self, square: Any, add: Any) -> None:
        self.square = square
        self.add = add

    def __call__(self, values: Any) -> Any:
        return flowy.parallel_reduce(self.add, [self.square(n) for n in values], 0)


@pytest.mark.parametrize("options", THREADS_AND_PROCESSES)
def test_a_child_is_called_like_any_task(options: Options) -> None:
    def factory(child: Any, add: Any) -> Any:
        return lambda: add(child([1, 2, 3]), child(values=[child([1]), 2]))

    workflow = configured(factory, add, **options)
    workflow.conf_workflow("child", configured(Sum, square, add))
    assert workflow.run() == 14 + 5


def test_a_child_may_have_another_codec_than_its_parent() -> None:
    def factory(child: Any, identity: Any) -> Any:
        return lambda: identity(child(identity([1]), child((2,))))

    child = LocalWorkflow(lambda: lambda a, b=(): [tuple(a), b], codec="object")
    workflow = configured(factory, identity)
    workflow.conf_workflow("child", child)
    assert workflow.run() == [(1,), [(2,), ()]]


def test_the_workers_of_the_workflow_that_is_run_count() -> None:
    running: list[int] = []
    most: list[int] = []

    def busy(n: int) -> None:
        running.append(n)
        most.append(len(running))
        running.remove(n)

    child = LocalWorkflow(lambda busy: lambda: [busy(n) for n in range(20)], activity_workers=8)
    child.conf_activity("busy", busy)
    workflow = LocalWorkflow(calling("child"), activity_workers=1)
    workflow.conf_workflow("child", child)
    assert workflow.run() == [None] * 20
    assert max(most) == 1


def test_children_nest_a_hundred_levels_deep() -> None:
    def parent(below: Any) -> Any:
        return lambda n: below(n) + 1

    workflow = configured(calling("square"), square)
    for _ in range(100):
        above = LocalWorkflow(parent)
        above.conf_workflow("below", workflow)
        workflow = above
    assert workflow.run(3) == 109


def test_a_workflow_may_depend_on_itself() -> None:
    def fibonacci(fibonacci: Any, add: Any) -> Any:
        def run(n: int) -> Any:
            return n if n < 2 else add(fibonacci(n - 1), fibonacci(n - 2))

        return run

    workflow = configured(fibonacci, add)
    workflow.conf_workflow("fibonacci", workflow)
    assert workflow.run(12) == 144


def test_a_workflow_may_call_itself_thousands_of_levels_deep() -> None:
    def count(count: Any, add: Any) -> Any:
        return lambda n: add(1, count(n - 1)) if n else 0

    workflow = configured(count, add)
    workflow.conf_workflow("count", workflow)
    assert workflow.run(3_000) == 3_000


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_child_may_wait_many_times_in_a_row(executor: str) -> None:
    def child(square: Any) -> Any:
        def run(times: int) -> Any:
            total = 0
            for _ in range(times):
                total += square(1)
            return total

        return run

    times = 10_000 if executor == "threads" else 1_000
    workflow = LocalWorkflow(calling("child"), executor=executor)
    workflow.conf_workflow("child", configured(child, square))
    assert workflow.run(times) == times


def test_a_child_begins_when_a_thread_is_free_for_its_code() -> None:
    release = threading.Event()
    begun: list[str] = []
    called = threading.Event()

    class Begun(flowy.Observer):
        def execution_started(self, execution: flowy.ExecutionInfo, *_: Any) -> None:
            begun.append(execution.path)

    def child() -> Any:
        def run(n: int) -> int:
            # Without a thread for the others, so that none of them can begin meanwhile.
            called.set()
            wait(release)
            return n

        return run

    def parent(child: Any) -> Any:
        def run() -> Any:
            results = [child(n) for n in range(3)]
            wait(called)
            before = list(begun)
            release.set()
            return before, sum(results)

        return run

    workflow = LocalWorkflow(parent, workflow_workers=1, codec="object")
    workflow.conf_workflow("child", LocalWorkflow(child, codec="object"))
    assert workflow.run(_observers=[Begun()]) == (["", "child-0-0"], 3)
    assert begun == ["", "child-0-0", "child-1-0", "child-2-0"]


@pytest.mark.parametrize("restarts", [0, 3])
def test_what_is_over_of_a_child_does_not_wait_for_the_garbage_collector(
    restarts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[Any]] = []

    class Watched(execution.LocalExecution):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.extend([weakref.ref(self), weakref.ref(self.core)])

    monkeypatch.setattr(execution, "LocalExecution", Watched)
    monkeypatch.setattr(scheduler, "LocalExecution", Watched)

    def child(square: Any) -> Any:
        def run(left: int) -> Any:
            if left:
                return flowy.restart(square(left) and left - 1)
            return [square(3) + square(4), square(5)]

        return run

    def parent(child: Any) -> Any:
        def run() -> Any:
            results = [child(restarts) for _ in range(10)]
            assert results == [[25, 25]] * 10
            # Two threads may still be about to leave the child that they ran last.
            return sum(each() is not None for each in made)

        return run

    workflow = LocalWorkflow(parent)
    workflow.conf_workflow("child", configured(child, square))
    gc.disable()
    try:
        left = workflow.run()
    finally:
        gc.enable()
    assert len(made) == 2 + 2 * 10 * (restarts + 1)
    assert left <= 2 + 2 * 2


def test_ten_thousand_children_may_wait_at_once_without_a_thread_each() -> None:
    started: set[int] = set()
    all_started = threading.Event()
    threads: list[int] = []
    count = 10_000

    def child(hold: Any) -> Any:
        def run(n: int) -> Any:
            started.add(n)
            if len(started) == count:
                all_started.set()
            return hold(n) + 1

        return run

    def hold(n: int) -> int:
        wait(all_started)
        if n % 1_000 == 0:
            threads.append(len(engine_threads()))
        return n

    def factory(child: Any) -> Any:
        return lambda: [child(n) for n in range(count)]

    workflow = LocalWorkflow(factory, activity_workers=3, workflow_workers=2)
    workflow.conf_workflow("child", configured(child, hold))
    assert workflow.run() == [n + 1 for n in range(count)]
    assert len(threads) == 10
    assert max(threads) <= 3 + 2 + 4


def test_children_with_long_histories_share_one_thread_while_they_wait() -> None:
    count = 20
    arrived: set[int] = set()
    all_arrived = threading.Event()
    threads: list[int] = []

    def child(square: Any, hold: Any) -> Any:
        def run(n: int) -> Any:
            total = sum(square(1) + 0 for _ in range(100))
            arrived.add(n)
            if len(arrived) == count:
                all_arrived.set()
            return total + hold(n)

        return run

    def hold(n: int) -> int:
        wait(all_arrived)
        threads.append(len([name for name in engine_threads() if "workflow" in name]))
        return n

    def factory(child: Any) -> Any:
        return lambda: [child(n) for n in range(count)]

    # Each child holds an activity worker in the end.
    workflow = LocalWorkflow(factory, activity_workers=count + 1, workflow_workers=1)
    workflow.conf_workflow("child", configured(child, square, hold))
    assert workflow.run() == [100 + n for n in range(count)]
    assert set(threads) == {1}


def test_a_child_that_waits_long_lets_another_have_its_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No wait is short.
    monkeypatch.setattr(execution, "REPLAY_COST", 0)
    other_ran = threading.Event()

    def waiting(square: Any, hold: Any) -> Any:
        def run() -> Any:
            total = sum(square(1) + 0 for _ in range(100))
            return total + hold()

        return run

    def other() -> Any:
        def run() -> str:
            other_ran.set()
            return "other"

        return run

    def hold() -> int:
        wait(other_ran)
        return 1

    def factory(waiting: Any, other: Any, square: Any) -> Any:
        def run() -> Any:
            first = waiting()
            for n in range(200):
                flowy.wait(square(n))
            return [first, other()]

        return run

    workflow = configured(factory, square, workflow_workers=1)
    workflow.conf_workflow("waiting", configured(waiting, square, hold))
    workflow.conf_workflow("other", LocalWorkflow(other))
    assert workflow.run() == [101, "other"]


class Fickle:
    """A child that makes another call each time that it runs, and does run twice."""

    def __init__(self) -> None:
        self.runs = 0
        self.suspended = threading.Event()

    def workflow(self, code: Any) -> LocalWorkflow:
        """Return a workflow with this child; `code(hold, add, run_number)` is the child's."""

        def child(hold: Any, add: Any) -> Any:
            def run() -> Any:
                self.runs += 1
                try:
                    return code(hold, add, self.runs) + 1
                finally:
                    self.suspended.set()

            return run

        def hold(n: int) -> int:
            wait(self.suspended)
            return n

        workflow = LocalWorkflow(calling("child"))
        workflow.conf_workflow("child", configured(child, hold, add))
        return workflow


@pytest.mark.parametrize("waits", [False, True])
def test_a_child_that_does_not_repeat_a_call_ends_the_run(waits: bool) -> None:
    workflow = Fickle().workflow(lambda hold, add, run: hold(3) if run == 1 else add(3, 3))
    with pytest.raises(NonDeterminismError) as caught:
        workflow.run(_wait=waits)
    error = caught.value
    assert error.call == "hold-0"
    assert error.recorded == "a call with input '[[3], {}]'"
    assert error.replayed == (
        "the code called hold 0 times until it stopped on the result of add-0"
    )
    let_end()


def test_a_child_that_changes_an_argument_ends_the_run_and_says_where() -> None:
    def code(hold: Any, add: Any, run: int) -> Any:
        return hold(run)

    with pytest.raises(NonDeterminismError) as caught:
        Fickle().workflow(code).run()
    assert str(caught.value) == (
        "replay of hold-0 differs from the history\n"
        "  recorded: input '[[1], {}]'\n"
        "  now:      input '[[2], {}]'\n"
        f"  at:       {__file__}:{code.__code__.co_firstlineno + 1}\n"
        "the code changed while this workflow was running, or it depends on something that "
        "differs from run to run (time, randomness, the environment, the order of a set); "
        "deploy the code that this workflow started with, or move what differs into a task"
    )


def test_a_child_that_swallows_its_suspension_changes_nothing() -> None:
    def child(square: Any) -> Any:
        def run() -> Any:
            try:
                return square(2) + 1
            except BaseException:
                square(100)
                return "swallowed"
            finally:
                square(3)

        return run

    workflow = LocalWorkflow(calling("child"))
    workflow.conf_workflow("child", configured(child, square))
    assert workflow.run() == 5


def test_a_child_that_suspends_itself_fails() -> None:
    def child() -> Any:
        def run() -> Any:
            raise flowy.SuspendTask

        return run

    workflow = LocalWorkflow(calling("child"))
    workflow.conf_workflow("child", LocalWorkflow(child))
    with pytest.raises(flowy.TaskError, match=r"^child-0-0 failed: SuspendTask$"):
        workflow.run()


def test_many_children_end_while_the_code_of_the_parent_waits() -> None:
    meeting = threading.Barrier(2)

    def child(meet: Any) -> Any:
        return lambda: meet()

    workflow = LocalWorkflow(lambda child: lambda: [child(), child()])
    inner = LocalWorkflow(child)
    inner.conf_activity("meet", lambda: meeting.wait(PATIENCE) >= 0)
    workflow.conf_workflow("child", inner)
    assert workflow.run() == [True, True]
