"""Activities on executors of `concurrent.futures`, classes and instances."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest
from tests.local.tasks import (
    InlineExecutor,
    add,
    calling,
    configured,
    identity,
    kill_own_process,
    pid,
    square,
    wait,
)

import flowy
from flowy import TaskError
from flowy_local import LocalWorkflow

# Python warns of a fork beside other threads: a broken pool is made anew on one of its threads.
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[InlineExecutor]:
    """Gather the inline executors that are made."""
    executors: list[InlineExecutor] = []
    init = InlineExecutor.__init__

    def remember(self: InlineExecutor, max_workers: int = 1) -> None:
        init(self, max_workers)
        executors.append(self)

    monkeypatch.setattr(InlineExecutor, "__init__", remember)
    return executors


def test_a_class_is_made_for_each_run_and_shut_down(made: list[InlineExecutor]) -> None:
    workflow = configured(calling("square"), square, executor=InlineExecutor, activity_workers=3)
    assert [workflow.run(n) for n in (2, 3)] == [4, 9]
    assert [executor.max_workers for executor in made] == [3, 3]
    assert all(executor.shut_down for executor in made)


def test_a_function_may_make_the_executor(made: list[InlineExecutor]) -> None:
    def make(size: int) -> InlineExecutor:
        return InlineExecutor(size * 100)

    workflow = configured(calling("square"), square, executor=make, activity_workers=3)
    assert workflow.run(2) == 4
    assert [(executor.max_workers, executor.shut_down) for executor in made] == [(300, True)]


def test_an_instance_is_not_shut_down() -> None:
    with ThreadPoolExecutor(2) as executor:
        workflow = configured(calling("square"), square, executor=executor)
        assert workflow.run(2) == 4
        assert executor.submit(square, 3).result() == 9
        assert workflow.run(4) == 16


def test_a_process_pool_may_be_used_for_many_runs() -> None:
    with ProcessPoolExecutor(1) as executor:
        workflow = configured(calling("pid"), pid, executor=executor)
        assert workflow.run() == workflow.run() == executor.submit(pid).result()


@pytest.mark.parametrize("executor", [InlineExecutor, InlineExecutor()])
def test_an_executor_that_runs_at_once_does_not_recurse(executor: Any) -> None:
    def factory(add: Any) -> Any:
        def run(n: int) -> Any:
            total = add(0, 0)
            for _ in range(n):
                total = add(total, 1)
            return total

        return run

    assert configured(factory, add, executor=executor).run(5_000) == 5_000


def test_an_executor_that_runs_at_once_serves_children() -> None:
    def factory(child: Any) -> Any:
        return lambda: [child(n) for n in range(50)]

    def child(square: Any, identity: Any) -> Any:
        def run(n: int) -> Any:
            return identity(square(n) + 1)

        return run

    workflow = LocalWorkflow(factory, executor=InlineExecutor)
    workflow.conf_workflow("child", configured(child, square, identity))
    assert workflow.run() == [n * n + 1 for n in range(50)]


def test_no_more_jobs_than_activity_workers_are_with_an_executor() -> None:
    class Counting(ThreadPoolExecutor):
        inside = 0
        most = 0
        count = threading.Lock()

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            with self.count:
                Counting.inside += 1
                Counting.most = max(Counting.most, Counting.inside)
            return super().submit(self._run, fn, *args, **kwargs)

        def _run(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                with self.count:
                    Counting.inside -= 1

    workflow = configured(
        lambda square: lambda: [square(n) for n in range(100)],
        square,
        executor=Counting,
        activity_workers=3,
    )
    assert workflow.run() == [n * n for n in range(100)]
    assert 1 <= Counting.most <= 3


class Refusing(InlineExecutor):
    """Take the first job only."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.shut_down:
            raise RuntimeError("cannot schedule new futures after shutdown")
        self.shut_down = True
        return super().submit(fn, *args, **kwargs)


def test_a_job_that_the_executor_refuses_fails() -> None:
    def factory(square: Any) -> Any:
        def run() -> Any:
            first = square(3) + 0
            try:
                flowy.wait(square(4))
            except TaskError as exc:
                return first, str(exc)
            return "no failure"

        return run

    assert configured(factory, square, executor=Refusing()).run() == (
        9,
        "square-1-0 failed: RuntimeError: cannot schedule new futures after shutdown",
    )


class Cancelling(InlineExecutor):
    """Give every job back undone."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.cancel()
        return future


def test_a_job_that_the_executor_cancels_fails() -> None:
    workflow = configured(calling("square"), square, executor=Cancelling)
    with pytest.raises(TaskError, match=r"^square-0-0 failed: CancelledError$"):
        workflow.run(3)


def unnamed() -> Callable[..., Any]:
    return lambda: None


def test_a_function_that_the_executor_cannot_send_fails_its_task() -> None:
    workflow = LocalWorkflow(calling("act"), executor=ProcessPoolExecutor, activity_workers=1)
    workflow.conf_activity("act", unnamed())
    with pytest.raises(
        TaskError, match=r"^act-0-0 failed: (PicklingError|AttributeError): "
    ) as error:
        workflow.run()
    assert "unnamed.<locals>.<lambda>" in str(error.value)


class DiesOnce:
    """A workflow that sees its process die, and goes on."""

    def __init__(self, kill_own_process: Any, square: Any) -> None:
        self.kill_own_process = kill_own_process
        self.square = square

    def __call__(self) -> Any:
        try:
            flowy.wait(self.kill_own_process())
        except TaskError as exc:
            return exc.error_type, exc.message, self.square(3)
        return "no failure"


def test_a_class_whose_executor_breaks_is_made_anew() -> None:
    workflow = configured(
        DiesOnce, kill_own_process, square, executor=ProcessPoolExecutor, activity_workers=1
    )
    error_type, message, value = workflow.run()
    assert error_type == "ProcessDied"
    assert message.startswith(
        "the executor broke while it had the task: A process in the process pool"
    )
    assert value == 9


def test_an_instance_that_breaks_stays_broken() -> None:
    with ProcessPoolExecutor(1) as executor:
        workflow = configured(DiesOnce, kill_own_process, square, executor=executor)
        with pytest.raises(TaskError, match=r"^square-0-0 failed: BrokenProcessPool: "):
            workflow.run()


def test_an_activity_on_an_executor_is_told_when_nobody_needs_it() -> None:
    running = threading.Event()
    over = threading.Event()
    seen: list[str] = []

    def slow() -> None:
        running.set()
        wait(over)
        try:
            flowy.heartbeat()
        except flowy.TaskCancelled as exc:
            seen.append(str(exc))

    def fast() -> str:
        wait(running)
        return "fast"

    def factory(slow: Any, fast: Any) -> Any:
        return lambda: flowy.first(slow(), fast())

    with ThreadPoolExecutor(2) as pool:
        assert configured(factory, slow, fast, executor=pool).run() == "fast"
        over.set()
    assert seen == ["nobody needs its result any more"]
