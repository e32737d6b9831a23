"""When observers are told what happens in a run, and when not."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.local.tasks import let_end, wait

import flowy
from flowy_local import LocalWorkflow
from flowy_local.scheduler import Scheduler


def test_one_thing_is_told_at_a_time_when_the_root_starts_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    restarted = threading.Event()
    posted = threading.Event()
    told: list[str] = []

    class Log(flowy.Observer):
        def execution_started(self, execution: flowy.ExecutionInfo, *_: Any) -> None:
            told.append(f"{execution.path} begins")
            if execution.restarts:
                restarted.set()
                wait(posted)
            told.append(f"{execution.path} has begun")

        def task_completed(self, *_: Any) -> None:
            told.append("the task of the first one is over")

    def post_outcome(scheduler: Scheduler, *args: Any) -> None:
        post(scheduler, *args)
        posted.set()

    post = Scheduler.post_outcome
    monkeypatch.setattr(Scheduler, "post_outcome", post_outcome)

    def factory(task: Any) -> Any:
        def run(again: bool) -> Any:
            if again:
                task()
                return flowy.restart(False)
            return None

        return run

    workflow = LocalWorkflow(factory)
    workflow.conf_activity("task", lambda: wait(restarted))
    workflow.run(True, _wait=True, _observers=[Log()])
    assert told == [
        " begins",
        " has begun",
        "~1 begins",
        "~1 has begun",
        "the task of the first one is over",
    ]


def test_nothing_is_told_of_what_ends_after_the_run() -> None:
    busy = threading.Event()
    let_go = threading.Event()
    ended: list[str] = []
    told: list[str] = []

    class Log(flowy.Observer):
        def command(self, execution: flowy.ExecutionInfo, command: Any, time: float) -> None:
            told.append(f"{type(command).__name__} of {execution.workflow}")

        def run_ended(self, time: float) -> None:
            told.append("the end")

    def child() -> Any:
        def run() -> None:
            busy.set()
            wait(let_go)
            ended.append("the child's code")

        return run

    def parent(child: Any) -> Any:
        def run() -> None:
            child()
            wait(busy)

        return run

    workflow = LocalWorkflow(parent)
    workflow.conf_workflow("child", LocalWorkflow(child))
    workflow.run(_observers=[Log()])
    let_go.set()
    let_end()
    assert ended == ["the child's code"]
    assert told == ["ScheduleWorkflow of parent", "CompleteWorkflow of parent", "the end"]
