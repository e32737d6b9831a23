"""Tasks that the workflow's code runs on its own thread, because it waits for them."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from contextlib import suppress
from typing import Any

import pytest
from tests.local.tasks import configured, square, wait

import flowy
from flowy_local import LocalWorkflow
from flowy_local.execution import Job
from flowy_local.scheduler import Scheduler
from flowy_local.threads import ThreadPool

SETTING: contextvars.ContextVar[str] = contextvars.ContextVar("setting", default="unset")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the threads for activities from starting, so that the caller's is the only one."""
    wake = ThreadPool.wake

    def wake_others(pool: ThreadPool) -> None:
        if pool.name != "activity":
            wake(pool)

    monkeypatch.setattr(ThreadPool, "wake", wake_others)


def ident() -> int:
    return threading.get_ident()


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("activity_workers", [1, 2])
def test_tasks_that_are_waited_for_one_by_one_need_no_other_thread(activity_workers: int) -> None:
    def factory(ident: Any, square: Any) -> Any:
        def run() -> Any:
            number = 2
            for _ in range(4):
                number = square(number) + 0
            return number, ident() + 0

        return run

    workflow = configured(factory, ident, square, activity_workers=activity_workers)
    assert workflow.run() == (2**16, threading.get_ident())


@pytest.mark.usefixtures("alone")
def test_a_failure_there_is_one_as_anywhere_else() -> None:
    def refusing(value: str) -> None:
        raise ValueError(f"not {value!r}")

    def factory(refusing: Any) -> Any:
        def run() -> Any:
            try:
                flowy.wait(refusing("x"))
            except flowy.TaskError as exc:
                return exc.summary(), type(exc.__cause__) is ValueError
            return "no failure"

        return run

    summary = "refusing-0-0 failed: ValueError: not 'x'"
    assert configured(factory, refusing).run() == (summary, True)


@pytest.mark.usefixtures("alone")
def test_heartbeats_there_are_of_the_task_and_end_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        Job, "beat", lambda job, details: seen.append((str(job.task.call), details))
    )

    def beating(details: str) -> None:
        flowy.heartbeat(details)

    def factory(beating: Any) -> Any:
        def run() -> None:
            flowy.wait(beating("first"))
            flowy.heartbeat("of the code")
            flowy.wait(beating("second"))

        return run

    configured(factory, beating).run()
    assert seen == [("beating-0-0", "first"), ("beating-1-0", "second")]


@pytest.mark.usefixtures("alone")
def test_a_task_there_and_the_code_see_no_context_variables_of_each_other() -> None:
    def setting() -> str:
        before = SETTING.get()
        SETTING.set("by the task")
        return before

    def factory(setting: Any) -> Any:
        def run() -> Any:
            SETTING.set("by the code")
            return setting() + "", SETTING.get()

        return run

    run = configured(factory, setting).run
    assert contextvars.copy_context().run(run) == ("unset", "by the code")


@pytest.mark.usefixtures("alone")
def test_a_task_there_may_run_a_workflow() -> None:
    def nested() -> Any:
        return configured(lambda square: lambda: square(3) + 0, square).run()

    def factory(nested: Any) -> Any:
        return lambda: nested() * 2

    assert configured(factory, nested).run() == 18


@pytest.mark.usefixtures("alone")
def test_an_interrupt_there_is_for_the_code_and_the_task_has_failed() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt("enough")

    def factory(interrupted: Any) -> Any:
        def run() -> Any:
            result = interrupted()
            with suppress(KeyboardInterrupt):
                flowy.wait(result)
                return "no interrupt"
            try:
                flowy.wait(result)
            except flowy.TaskError as exc:
                return exc.summary()
            return "no failure"

        return run

    summary = "interrupted-0-0 failed: KeyboardInterrupt: enough"
    assert configured(factory, interrupted).run() == summary


class Interrupted(flowy.Observer):
    def task_started(self, *_: Any) -> None:
        raise KeyboardInterrupt("enough")


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("begun", [False, True])
def test_an_interrupt_around_a_task_there_does_not_lose_it(
    begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post_outcome(scheduler: Scheduler, *args: Any) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt("enough")

    if begun:
        monkeypatch.setattr(Scheduler, "post_outcome", post_outcome)

    def factory(square: Any) -> Any:
        def run() -> Any:
            result = square(3)
            with suppress(KeyboardInterrupt):
                flowy.wait(result)
                return "no interrupt"
            try:
                flowy.wait(result)
            except flowy.TaskError as exc:
                return exc.summary()
            return "no failure"

        return run

    workflow = configured(factory, square)
    summary = "square-0-0 failed: KeyboardInterrupt: enough"
    assert workflow.run(_observers=[] if begun else [Interrupted()]) == summary


@pytest.mark.usefixtures("alone")
def test_a_child_that_becomes_ready_there_does_not_wait_for_the_code() -> None:
    child_ran = threading.Event()

    def child() -> Any:
        def run(number: int) -> int:
            child_ran.set()
            return number + 1

        return run

    def factory(square: Any, child: Any) -> Any:
        def run() -> Any:
            number = square(3)
            following = child(number)
            flowy.wait(number)
            wait(child_ran)
            return following

        return run

    workflow = configured(factory, square)
    workflow.conf_workflow("child", LocalWorkflow(child))
    assert workflow.run() == 10


def test_no_task_runs_on_a_thread_with_an_event_loop() -> None:
    def own_loop() -> int:
        asyncio.run(asyncio.sleep(0))
        return threading.get_ident()

    def factory(own_loop: Any) -> Any:
        return lambda: {own_loop() + 0 for _ in range(50)}

    async def main() -> Any:
        return configured(factory, own_loop).run()

    assert threading.get_ident() not in asyncio.run(main())


@pytest.mark.usefixtures("alone")
def test_an_event_loop_that_is_over_does_not_count() -> None:
    asyncio.run(asyncio.sleep(0))

    def factory(ident: Any) -> Any:
        return lambda: ident() + 0

    assert configured(factory, ident).run() == threading.get_ident()
