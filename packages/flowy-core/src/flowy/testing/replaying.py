"""Replay: running today's code over the history of an execution."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flowy.config import WorkflowConfig
from flowy.errors import NonDeterminismError
from flowy.events import (
    CallId,
    CloseWorkflow,
    CompleteWorkflow,
    Event,
    FailWorkflow,
    RestartWorkflow,
    TaskScheduled,
    TimerStarted,
)
from flowy.execution import Execution
from flowy.retry import Mishap
from flowy.run import Dependency
from flowy.serialization import JSON, Codec
from flowy.testing.histories import History, summary_of


def replay(workflow: WorkflowConfig | Callable[..., Any], history: History) -> None:
    """Check that the code still does what it did when a history was made.

    No task is run, and a `WorkflowLogger` says nothing. The code has to make the recorded calls
    with the recorded inputs, and to end as it ended if the history has an end. Calls that the
    history does not have are no difference: running workflows would make them next.

    Parameters
    ----------
    workflow
        its configuration, or the factory alone. A factory takes any dependency that the history
        names, and its tasks are tried again as they were then; a configuration's retry policies
        have to lead to the recorded attempts.
    history
        what a `Recorder` recorded or `load_history` loaded.

    Raises
    ------
    NonDeterminismError
        the code does something else than the history says; the error shows both.
    """
    if isinstance(workflow, WorkflowConfig):
        config = workflow
    else:
        config = _recorded_config(workflow, history.events)
    config.check()
    codec: Codec = getattr(config, "codec", JSON)
    replay_execution(config.factory, config.dependencies, codec, history)


def replay_execution(
    factory: Callable[..., Any],
    dependencies: Mapping[str, Dependency],
    codec: Codec,
    history: History,
) -> None:
    """Replay a history with these dependencies; raise NonDeterminismError if the code differs."""
    events = history.events
    # All of it was seen before, so what code says once it has said.
    execution = Execution(
        factory, dependencies, history.input, events, codec=codec, replayed=len(events)
    )
    execution.run()
    end = execution.closed
    if history.end is not None and (end is None or not _same_end(codec, history.end, end)):
        raise NonDeterminismError("the end", _describe(history.end), _how_far(execution))


def _recorded_config(factory: Callable[..., Any], events: Iterable[Event]) -> WorkflowConfig:
    """Return a configuration that has what the history names, or the factory asks for."""
    config = WorkflowConfig(factory)
    kinds = {
        parameter.name: "activity"
        for parameter in inspect.signature(factory).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and parameter.default is parameter.empty
    }
    delays: dict[tuple[str, int], float] = {}
    first_delays: dict[str, float] = {}
    for event in events:
        if isinstance(event, TaskScheduled):
            kinds[event.call.name] = event.kind
            delays.setdefault(_attempt(event.call), 0)
        elif isinstance(event, TimerStarted):
            kinds.setdefault(event.call.name, "activity")
            delays.setdefault(_attempt(event.call), event.delay)
            if event.call.attempt == 0:
                first_delays[event.call.name] = event.delay
    for name, kind in kinds.items():
        retry = _RecordedRetry(first_delays.get(name, 0), delays)
        config.add(Dependency(name, kind, retry=retry))
    return config


class _RecordedRetry:
    """Tries again what was tried again."""

    def __init__(self, first_delay: float, delays: Mapping[tuple[str, int], float]) -> None:
        self._first_delay = first_delay
        self._delays = delays

    def first_delay(self) -> float:
        return self._first_delay

    def next_delay(self, attempt: int, mishap: Mishap, error_type: str, seed: str) -> float | None:
        return self._delays.get((seed, attempt + 1))


def _attempt(call: CallId) -> tuple[str, int]:
    """Return what `_RecordedRetry` knows an attempt by: the machine's seed names the call."""
    return f"{call.name}-{call.number}", call.attempt


def _same_end(codec: Codec, recorded: CloseWorkflow, now: CloseWorkflow) -> bool:
    if isinstance(recorded, CompleteWorkflow) and isinstance(now, CompleteWorkflow):
        return codec.same_input(recorded.result, now.result)
    if isinstance(recorded, RestartWorkflow) and isinstance(now, RestartWorkflow):
        return codec.same_input(recorded.input, now.input)
    if isinstance(recorded, FailWorkflow) and isinstance(now, FailWorkflow):
        return _identity(recorded.error) == _identity(now.error)
    return False


def _identity(error: BaseException) -> str:
    """Return what has to be the same of the errors that two executions failed with.

    The text of a task's failure comes out of the history. That of another error may well have
    something in it that is never the same, such as the address of an object.
    """
    text = summary_of(error)
    kind = text.partition(":")[0]
    return text if kind in ("TaskError", "TaskTimedout", "TaskCancelled") else kind


def _describe(end: CloseWorkflow) -> str:
    if isinstance(end, CompleteWorkflow):
        return f"the workflow completed with {end.result!r}"
    if isinstance(end, RestartWorkflow):
        return f"the workflow restarted with {end.input!r}"
    return f"the workflow failed with {summary_of(end.error)}"


def _how_far(execution: Execution) -> str:
    if execution.closed is not None:
        return _describe(execution.closed)
    if execution.blocked_on is not None:
        return f"the code stopped on the result of {execution.blocked_on.describe()}"
    return "the code ended and what it returned is not finished"
