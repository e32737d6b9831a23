"""Words to tell the machine what happened, and what it is expected to command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from flowy import Execution
from flowy.events import (
    CallId,
    CloseWorkflow,
    Command,
    CompleteWorkflow,
    Event,
    FailWorkflow,
    RestartWorkflow,
    ScheduleActivity,
    ScheduleWorkflow,
    StartTimer,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskTimedOut,
    TimerFired,
    TimerStarted,
)
from flowy.retry import RetryPolicy
from flowy.run import Dependency, Task
from flowy.serialization import JSON, OBJECT


def begin(
    code: Callable[..., Any],
    history: Iterable[Event] = (),
    *,
    args: tuple[Any, ...] = (),
    dependencies: Mapping[str, Dependency] | None = None,
    **options: Any,
) -> Execution:
    """Return an execution of `code`, which takes its dependencies as keyword-only parameters.

    They are activities unless told otherwise.
    """
    names = [
        name
        for name, parameter in inspect.signature(code).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    known = {name: Dependency(name) for name in names} | dict(dependencies or {})
    return Execution(workflow(code), known, payload(*args), history, **options)


def workflow(code: Callable[..., Any]) -> Callable[..., Any]:
    """Return `code` as the factory of a workflow."""
    return lambda **bound: partial(code, **bound)


def retried(name: str, retry: RetryPolicy) -> dict[str, Dependency]:
    """Return an activity with a retry policy."""
    return {name: Dependency(name, retry=retry)}


def payload(*args: Any, **kwargs: Any) -> Any:
    return JSON.prepare_input(args, kwargs)[0]


# --- size ----------------------------------------------------------------------------------------

#: more than Python can nest
MANY = 100_000


class _Engine:
    """Keeps the tasks that are ready, and lends an execution its `Carrier` methods."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def schedule(self, task: Task) -> None:
        self.tasks.append(task)

    def start_timer(self, task: Task, delay: float) -> None:
        raise AssertionError("nothing has a delay here")

    def close(self, command: CloseWorkflow) -> None:
        self.tasks.clear()


def run_to_the_end(code: Callable[..., Any]) -> Any:
    """Run code whose task `a` adds up its arguments, the newest call first; return the result."""
    engine = _Engine()
    dependencies = {"a": Dependency("a", codec=OBJECT)}
    execution = Execution(workflow(code), dependencies, ((), {}), codec=OBJECT, carrier=engine)
    execution.run()
    while engine.tasks:
        task = engine.tasks.pop()
        execution.complete_task(task, sum(task.input[0]))
        if execution.runnable:
            execution.run()
    assert isinstance(execution.closed, CompleteWorkflow)
    return execution.closed.result


# --- events --------------------------------------------------------------------------------------


def scheduled(call: str, *args: Any, kind: str = "activity") -> Event:
    return TaskScheduled(CallId.parse(call), payload(*args), kind)


def completed(call: str, value: Any = None) -> Event:
    return TaskCompleted(CallId.parse(call), JSON.dump_value(value))


def failed(call: str, message: str = "no luck", error_type: str = "ValueError") -> Event:
    return TaskFailed(CallId.parse(call), error_type, message)


def timed_out(call: str) -> Event:
    return TaskTimedOut(CallId.parse(call))


def cancelled(call: str, details: str = "") -> Event:
    return TaskCancelled(CallId.parse(call), details)


def timer_started(call: str, delay: float) -> Event:
    return TimerStarted(CallId.parse(call), delay)


def timer_fired(call: str) -> Event:
    return TimerFired(CallId.parse(call))


# --- commands ------------------------------------------------------------------------------------


def run_activity(call: str, *args: Any, sources: Iterable[str] = ()) -> Command:
    return ScheduleActivity(
        CallId.parse(call), payload(*args), tuple(CallId.parse(source) for source in sources)
    )


def run_workflow(call: str, *args: Any) -> Command:
    return ScheduleWorkflow(CallId.parse(call), payload(*args))


def start_timer(call: str, delay: float) -> Command:
    return StartTimer(CallId.parse(call), delay)


def complete(value: Any) -> Command:
    return CompleteWorkflow(JSON.dump_value(value))


def fail(summary: str) -> Command:
    return FailWorkflow(Exception(), summary)


def restart_with(*args: Any, **kwargs: Any) -> Command:
    return RestartWorkflow(payload(*args, **kwargs))
