"""Worker processes: how they start, die and are replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.local import tasks
from tests.local.tasks import (
    PATIENCE,
    Start,
    add,
    calling,
    configured,
    end_own_process,
    fail,
    identity,
    in_thread,
    kill_own_process,
    kill_own_process_once,
    pid,
    raise_unloadable,
    square,
    wait,
)

import flowy
from flowy import Retry, TaskError
from flowy_local import LocalWorkflow
from flowy_local.processes import _how

# Python warns of a fork beside other threads, which some tests have.
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)

METHODS = ["fork", "spawn", "forkserver"]


@pytest.mark.parametrize("method", METHODS)
def test_every_way_to_start_processes_works(method: str) -> None:
    def factory(square: Any, pid: Any, raise_unloadable: Any) -> Any:
        def run() -> Any:
            try:
                flowy.wait(raise_unloadable())
            except TaskError as exc:
                return square(7), pid(), exc.message
            return "no failure"

        return run

    workflow = configured(
        factory,
        square,
        pid,
        raise_unloadable,
        executor="processes",
        mp_context=method,
        activity_workers=2,
    )
    value, other, message = workflow.run()
    assert (value, message) == (49, "lost at sea")
    assert other != os.getpid()


@pytest.mark.parametrize(
    ("method", "die", "args", "how"),
    [
        ("fork", kill_own_process, (), "killed by SIGKILL"),
        ("spawn", kill_own_process, (), "killed by SIGKILL"),
        ("forkserver", kill_own_process, (), "killed by SIGKILL"),
        ("fork", end_own_process, (3,), "exit code 3"),
        ("fork", end_own_process, (0,), "exit code 0"),
    ],
)
def test_a_process_that_dies_fails_its_task_and_the_pool_goes_on(
    method: str, die: Callable[..., Any], args: tuple[Any, ...], how: str
) -> None:
    def factory(die: Any, square: Any) -> Any:
        def run() -> Any:
            try:
                flowy.wait(die(*args))
            except TaskError as exc:
                return str(exc), [square(n) for n in range(5)]
            return "no failure"

        return run

    workflow = LocalWorkflow(factory, executor="processes", mp_context=method, activity_workers=1)
    workflow.conf_activity("die", die)
    workflow.conf_activity("square", square)
    message = f"die-0-0 failed: ProcessDied: the worker process died while it ran the task ({how})"
    assert workflow.run() == (message, [0, 1, 4, 9, 16])


def test_a_task_whose_process_died_is_retried_by_policy(tmp_path: Path) -> None:
    workflow = LocalWorkflow(calling("act"), executor="processes")
    workflow.conf_activity("act", kill_own_process_once, retry=Retry(attempts=2))
    assert workflow.run(str(tmp_path / "mark")) == "survived"


def test_a_policy_may_give_up_when_the_process_died(tmp_path: Path) -> None:
    workflow = LocalWorkflow(calling("act"), executor="processes")
    retry = Retry(attempts=2, give_up_on=("ProcessDied",))
    workflow.conf_activity("act", kill_own_process_once, retry=retry)
    with pytest.raises(TaskError, match="killed by SIGKILL"):
        workflow.run(str(tmp_path / "mark"))


def test_many_processes_may_die_at_once() -> None:
    def factory(kill_own_process: Any, square: Any) -> Any:
        def run() -> Any:
            deaths = 0
            for result in [kill_own_process() for _ in range(20)]:
                try:
                    flowy.wait(result)
                except TaskError:
                    deaths += 1
            return deaths, square(2)

        return run

    workflow = configured(
        factory, kill_own_process, square, executor="processes", activity_workers=4
    )
    assert workflow.run() == (20, 4)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (None, "exit code unknown"),
        (0, "exit code 0"),
        (70, "exit code 70"),
        (-int(signal.SIGSEGV), "killed by SIGSEGV"),
        (-250, "killed by signal 250"),
    ],
)
def test_the_end_of_a_process_is_told_in_words(code: int | None, text: str) -> None:
    assert _how(code) == text


def kill_parent_process() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    # The end of the pipe to the run shows whoever started this process is gone.
    kill_own_process()


def test_without_the_process_that_starts_processes_tasks_fail() -> None:
    def factory(kill_parent_process: Any, square: Any) -> Any:
        def run() -> Any:
            seen = []
            for call in (kill_parent_process, lambda: square(2)):
                try:
                    flowy.wait(call())
                except TaskError as exc:
                    seen.append(str(exc))
            return seen

        return run

    workflow = configured(
        factory,
        kill_parent_process,
        square,
        executor="processes",
        mp_context="fork",
        activity_workers=1,
    )
    assert workflow.run() == [
        "kill_parent_process-0-0 failed: ProcessDied: "
        "the worker process died while it ran the task (exit code unknown)",
        "square-0-0 failed: ProcessError: no worker process could be started: "
        "BrokenPipeError: [Errno 32] Broken pipe",
    ]


def test_a_run_on_processes_ends_while_one_that_began_later_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = multiprocessing.get_context("fork").Pipe()
    monkeypatch.setattr(tasks, "LINE", [theirs])

    has_processes = threading.Event()
    second_runs = threading.Event()

    class First:
        """Calls a task, waits until the other run has its processes, and returns."""

        def __init__(self, square: Any) -> None:
            self.square = square

        def __call__(self) -> Any:
            value = self.square(3) + 0
            has_processes.set()
            wait(second_runs)
            return value

    first = configured(First, square, executor="processes", mp_context="fork")
    second = configured(calling("talk"), tasks.talk, executor="processes", mp_context="fork")
    first_result = in_thread(first.run)
    # The processes of the other run inherit the pipes of this one.
    wait(has_processes)
    second_result = in_thread(second.run, "second")
    with ours, theirs:
        assert ours.recv() == "second"
        second_runs.set()
        assert first_result.result(PATIENCE) == 9
        assert not second_result.done()
        ours.send("answer")
        assert second_result.result(PATIENCE) == "answer"


def test_many_tasks_on_few_processes() -> None:
    def factory(add: Any, identity: Any) -> Any:
        return lambda n: flowy.parallel_reduce(add, [identity(i) for i in range(n)])

    workflow = configured(factory, add, identity, executor="processes", activity_workers=2)
    assert workflow.run(1_000) == 499_500


def test_failures_on_processes_leave_them_alive() -> None:
    def factory(fail: Any, pid: Any) -> Any:
        def run() -> Any:
            before = pid() + 0
            for n in range(5):
                try:
                    flowy.wait(fail(str(n)))
                except TaskError:
                    continue
            return pid() == before

        return run

    workflow = configured(factory, fail, pid, executor="processes", activity_workers=1)
    assert workflow.run() is True


UNGUARDED = """
from flowy_local import LocalWorkflow

def square(n):
    return n * n

workflow = LocalWorkflow(
    lambda square: lambda: [square(n) for n in range(4)], executor="processes", mp_context="fork"
)
workflow.conf_activity("square", square)
print(workflow.run())
"""


def test_a_script_that_forks_needs_no_guard(start: Start) -> None:
    ended = start(UNGUARDED).end()
    assert (ended.code, ended.out, ended.err) == (0, "[0, 1, 4, 9]\n", "")


PARENT_KILLED = """
import os, signal, sys
from flowy_local import LocalWorkflow

def kill_the_run(pid):
    os.kill(pid, signal.SIGKILL)

if __name__ == "__main__":
    workflow = LocalWorkflow(
        lambda act: act, executor="processes", mp_context=sys.argv[1], activity_workers=2
    )
    workflow.conf_activity("act", kill_the_run)
    workflow.run(os.getpid())
"""


@pytest.mark.parametrize("method", METHODS)
def test_processes_end_with_the_program_that_was_killed(method: str, start: Start) -> None:
    # Whoever goes on holds its output open, and this waits until that is closed.
    ended = start(PARENT_KILLED, method).end()
    assert ended.code == -signal.SIGKILL
    assert ended.out == ""


UNGUARDED_SPAWN = """
from flowy_local import LocalWorkflow

def factory(absolute):
    return lambda: absolute(-3)

workflow = LocalWorkflow(factory, executor="processes", mp_context="spawn", activity_workers=1)
workflow.conf_activity("absolute", abs)
workflow.run()
"""


def test_a_script_without_a_guard_is_told_what_it_lacks(start: Start) -> None:
    ended = start(UNGUARDED_SPAWN).end()
    assert ended.code == 1
    assert ended.err.splitlines()[-1] == (
        "flowy.errors.TaskError: absolute-0-0 failed: ProcessDied: the worker process died before "
        "it took the task (exit code 1); a new process imports the main module anew: put what runs "
        "the workflow under if __name__ == '__main__', and see what the process wrote to stderr"
    )
