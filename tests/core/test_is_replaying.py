from __future__ import annotations

import logging
from typing import Any

import pytest

import flowy
from flowy.events import CallId, Event, SignalReceived, TaskCompleted, TaskFailed, TaskScheduled
from flowy.execution import Execution
from flowy.run import Dependency
from flowy.task import Node

A = CallId("a", 0)
DEPENDENCIES = {"a": Dependency("a"), "b": Dependency("b")}
SCHEDULED = TaskScheduled(A, "[[], {}]")
COMPLETED = TaskCompleted(A, "1")


class Says:
    """Notes what it would print, at each step of the code."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, a: Any, b: Any) -> Any:
        def workflow() -> None:
            self.say("begins")
            result = a()
            self.say("has called a")
            flowy.wait(result)
            self.say("has a")
            flowy.wait(b())
            self.say("ends")

        return workflow

    def say(self, what: str) -> None:
        if not flowy.is_replaying():
            self.said.append(what)


def said(*events: Event, replayed: int | None = None) -> list[str]:
    says = Says()
    Execution(says, DEPENDENCIES, "[[], {}]", events, replayed=replayed).run()
    return says.said


def test_code_that_runs_for_the_first_time_is_not_replaying() -> None:
    assert said() == ["begins", "has called a"]


def test_code_is_replaying_until_it_uses_what_happened_since_it_last_ran() -> None:
    assert said(SCHEDULED, COMPLETED, replayed=0) == ["has a"]


def test_code_that_learns_nothing_new_is_replaying_throughout() -> None:
    assert said(SCHEDULED, SignalReceived("s"), replayed=1) == []
    assert said(SCHEDULED, COMPLETED, replayed=2) == []


def test_a_history_that_no_code_has_run_over_is_new() -> None:
    assert said(SCHEDULED, COMPLETED) == ["begins", "has called a", "has a"]


def test_a_new_failure_is_something_new() -> None:
    seen = []

    def factory(a: Any, b: Any) -> Any:
        def workflow() -> None:
            try:
                flowy.wait(a())
            except flowy.TaskError:
                seen.append(flowy.is_replaying())

        return workflow

    events: list[Event] = [SCHEDULED, TaskFailed(A, "ValueError")]
    Execution(factory, DEPENDENCIES, "[[], {}]", events, replayed=1).run()
    Execution(factory, DEPENDENCIES, "[[], {}]", events, replayed=2).run()
    assert seen == [False, True]


def test_code_that_is_run_again_by_the_same_execution_is_replaying() -> None:
    says = Says()
    execution = Execution(says, DEPENDENCIES, "[[], {}]")
    execution.run()
    execution.apply(SCHEDULED)
    execution.apply(COMPLETED)
    execution.run()
    execution.run()
    assert says.said == ["begins", "has called a", "has a"]


def test_code_that_is_parked_is_not_replaying_when_it_goes_on() -> None:
    says = Says()

    def park(execution: Execution, node: Node) -> None:
        if node is not execution.blocked_on or len(execution.open_calls()) != 1:
            raise flowy.SuspendTask
        call = execution.open_calls()[0].call
        execution.apply(TaskScheduled(call, "[[], {}]"), TaskCompleted(call, "1"))

    Execution(says, DEPENDENCIES, "[[], {}]", park=park).run()
    assert says.said == ["begins", "has called a", "has a", "ends"]


def test_outside_workflow_code_nothing_is_replaying() -> None:
    said(SCHEDULED, SignalReceived("s"), replayed=1)
    assert flowy.is_replaying() is False


@pytest.mark.parametrize("given", ["the.workflow", logging.getLogger("the.workflow")])
def test_a_workflow_logger_says_each_thing_once(
    given: Any, caplog: pytest.LogCaptureFixture
) -> None:
    log = flowy.WorkflowLogger(given)

    def factory(a: Any, b: Any) -> Any:
        def workflow() -> None:
            log.warning("begins")
            log.warning("has %s", +a())

        return workflow

    happened: list[Event] = [SCHEDULED, COMPLETED]
    for replayed in (None, 1, 2):
        events = happened[: 1 if replayed is None else 2]
        Execution(factory, DEPENDENCIES, "[[], {}]", events, replayed=replayed).run()
    assert caplog.messages == ["begins", "has 1"]
    assert {record.name for record in caplog.records} == {"the.workflow"}


def test_a_workflow_logger_keeps_to_the_level_of_its_logger(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    flowy.WorkflowLogger("the.workflow").info("not this")
    flowy.WorkflowLogger("the.workflow").warning("this")
    assert caplog.messages == ["this"]
