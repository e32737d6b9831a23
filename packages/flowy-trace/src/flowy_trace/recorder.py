"""An observer that takes down what happens in a run, for a trace to be made of it.

The engine waits while it is told something, so as little as possible is done then: what was told is
put on a list, after what is big was replaced by a short text. `flowy_trace.reading` makes sense of
the list when a trace is wanted.
"""

from __future__ import annotations

from typing import Any

from flowy import errors
from flowy.engine_api import ExecutionInfo, Observer
from flowy.errors import TaskError
from flowy.events import (
    Command,
    CompleteWorkflow,
    Event,
    FailWorkflow,
    RestartWorkflow,
    ScheduleActivity,
    ScheduleWorkflow,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskTimedOut,
)
from flowy_trace import describe
from flowy_trace.describe import LIMIT, ObjectText, Text
from flowy_trace.model import Trace
from flowy_trace.reading import CALL_EVENTS, read


class Recorder(Observer):
    """Takes down what happens in a run. `trace` may be called at any time, during the run as well.

    Of arguments and results the first `describe.LIMIT` characters are kept. A call without failures
    takes less than 1 kB.

    Parameters
    ----------
    workflow
        the workflow's name; by default that of the first execution.
    engine
        the engine's name.
    run
        what tells the run from others.
    """

    def __init__(self, workflow: str = "", engine: str = "", run: str = "") -> None:
        self.workflow = workflow
        self.engine = engine
        self.run = run
        self._ended: float | None = None
        # An entry is five items in a row, for objects of their own would take twice as much: the
        # execution, the class of what was told, the call, what else there is to it, the time.
        self._told: list[Any] = []

    def execution_started(self, execution: ExecutionInfo, input: Any, time: float) -> None:
        """Take down that an execution begins."""
        self._told += (execution, None, None, _kept_input(input), time)

    def command(self, execution: ExecutionInfo, command: Command, time: float) -> None:
        """Take down what an execution wants done."""
        kind = type(command)
        if kind is ScheduleActivity or kind is ScheduleWorkflow:
            # The event says all but this.
            sources = command.sources  # type: ignore[union-attr]
            if sources:
                if len(sources) == 1:
                    sources = sources[0]
                self._told += (execution, kind, command.call, sources, time)  # type: ignore[union-attr]
        elif isinstance(command, CompleteWorkflow):
            self._told += (execution, kind, None, _kept_result(command.result), time)
        elif isinstance(command, FailWorkflow):
            error = command.error
            self._told += (execution, _ending(error), None, describe.exception(error), time)
        elif kind is RestartWorkflow:
            self._told += (execution, kind, None, None, time)

    def event(self, execution: ExecutionInfo, event: Event, time: float) -> None:
        """Take down what happened to an execution."""
        kind = type(event)
        if kind not in CALL_EVENTS:
            return
        data: Any
        if kind is TaskStarted:
            data = event.worker  # type: ignore[union-attr]
        elif kind is TaskCompleted:
            data = event.result  # type: ignore[union-attr]
            if type(data) is not str or len(data) > LIMIT:
                data = _kept_result(data)
        elif kind is TaskScheduled:
            data = event.input  # type: ignore[union-attr]
            if type(data) is not str or len(data) > LIMIT:
                data = _kept_input(data)
            if event.kind != "activity":  # type: ignore[union-attr]
                self._told += (execution, str, event.call, event.kind, time)  # type: ignore[union-attr]
        elif isinstance(event, TaskFailed):
            # Without the exception, which holds on to all that was there when it was raised.
            data = describe.error(event.error_type, event.message, event.traceback)
        elif isinstance(event, TaskTimedOut):
            data = describe.error("TimedOut", event.timeout_type)
        elif isinstance(event, TaskCancelled):
            data = describe.error("Cancelled", event.details)
        else:
            data = None
        self._told += (execution, kind, event.call, data, time)  # type: ignore[union-attr]

    def run_ended(self, time: float) -> None:
        """Take down that the run is over."""
        self._ended = time

    def trace(self, now: float | None = None) -> Trace:
        """Return what is known of the run by now.

        Parameters
        ----------
        now
            what time it is, for a run that is going on still, in seconds since 1970. By default
            it is drawn as it was when something happened last.
        """
        executions = read(self._told)
        return Trace(
            workflow=self.workflow or (executions[0].workflow if executions else ""),
            engine=self.engine,
            run=self.run,
            started=executions[0].started if executions else 0.0,
            ended=self._ended,
            taken=now if self._ended is None else None,
            executions=executions,
        )


def _ending(error: BaseException) -> type:
    """Return what stands for how an execution ended that this error closes."""
    # One that names a call is that of a task.
    if isinstance(error, TaskError) and not error.call:
        if isinstance(error, errors.TaskTimedout):
            return TaskTimedOut
        if isinstance(error, errors.TaskCancelled):
            return TaskCancelled
    return FailWorkflow


def _kept_input(payload: Any) -> Any:
    if type(payload) is not str:
        return ObjectText(describe.arguments(payload))
    return payload if len(payload) <= LIMIT else Text(describe.arguments(payload))


def _kept_result(payload: Any) -> Any:
    if type(payload) is not str:
        return ObjectText(describe.of_object(payload))
    # Whether a short text is JSON or the value itself is known when the input is.
    return payload if len(payload) <= LIMIT else Text(describe.result(payload))
