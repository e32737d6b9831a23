"""When `run` returns, what it started is gone."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.local.tasks import (
    ENGINES,
    Point,
    add,
    calling,
    configured,
    fail,
    kill_own_process,
    square,
)

import flowy
from flowy import TaskError
from flowy_local import LocalWorkflow
from flowy_local.timers import ManualTimers

Options = dict[str, Any]


class State:
    """The threads, processes and open files of this process."""

    def __init__(self) -> None:
        self.threads = set(threading.enumerate())
        self.processes = set(children())
        self.files = set(open_files())


def children() -> Iterator[str]:
    """Yield the ids of the processes that this one started."""
    for task in Path("/proc/self/task").iterdir():
        # The thread may have ended since the folder was read.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield from (task / "children").read_text().split()


def open_files() -> Iterator[str]:
    """Yield the files, pipes and sockets that are open, by names that are used once."""
    for number in os.listdir("/proc/self/fd"):
        # The folder itself was open when it was read.
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(f"/proc/self/fd/{number}")


@pytest.fixture
def before() -> State:
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    # What multiprocessing keeps for itself from its first use on is not a leak.
    multiprocessing.get_context("fork").Pipe()
    gc.collect()
    return State()


def assert_nothing_is_left(before: State) -> None:
    after = State()
    assert after.threads - before.threads == set()
    assert after.processes - before.processes == set()
    gc.collect()
    assert set(open_files()) - before.files == set()


def everything(square: Any, add: Any, fail: Any, child: Any) -> Any:
    """Call tasks, a child and a task that fails."""

    def run(n: int) -> Any:
        total = flowy.parallel_reduce(add, [square(i) for i in range(n)])
        try:
            flowy.wait(fail("expected"))
        except TaskError:
            return add(total, child(3))
        return None

    return run


@pytest.mark.parametrize("options", ENGINES)
def test_nothing_is_left_after_a_result(options: Options, before: State) -> None:
    workflow = configured(everything, square, add, fail, **options)
    workflow.conf_workflow("child", configured(calling("square"), square))
    for _ in range(3):
        assert workflow.run(20) == sum(i * i for i in range(20)) + 9
    assert_nothing_is_left(before)


@pytest.mark.parametrize("options", ENGINES)
def test_nothing_is_left_after_a_failure(options: Options, before: State) -> None:
    workflow = configured(calling("fail"), fail, **options)
    with pytest.raises(TaskError):
        workflow.run("expected")
    assert_nothing_is_left(before)


def test_nothing_is_left_after_a_process_died(before: State) -> None:
    workflow = configured(calling("kill_own_process"), kill_own_process, executor="processes")
    with pytest.raises(TaskError):
        workflow.run()
    assert_nothing_is_left(before)


def test_no_process_or_thread_is_left_of_a_clock_that_was_used(before: State) -> None:
    workflow = LocalWorkflow(calling("square"))
    workflow.conf_activity("square", square, timeout=600, retry=(0.001,))
    assert workflow.run(3) == 9
    assert_nothing_is_left(before)


def test_children_that_wait_for_ever_are_gone(before: State) -> None:
    def child(never: Any) -> Any:
        return lambda: never() + 1

    workflow = LocalWorkflow(
        lambda child, square: lambda: [child() for _ in range(50)] and square(2) + 0,
        clock=ManualTimers,
    )
    inner = LocalWorkflow(child)
    # It waits for a delay that never ends.
    inner.conf_activity("never", square, retry=(3600,))
    workflow.conf_workflow("child", inner)
    workflow.conf_activity("square", square)
    assert workflow.run() == 4
    assert_nothing_is_left(before)


def test_values_are_free_when_the_run_is_over() -> None:
    def factory(identity: Any) -> Any:
        return lambda point: [identity(point) for _ in range(10)] and None

    point = Point(1, 2)
    workflow = LocalWorkflow(factory, codec="object")
    workflow.conf_activity("identity", lambda value: value)
    workflow.run(point)
    gone = weakref.ref(point)
    del point
    gc.collect()
    assert gone() is None
