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
    CallId,
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
        if isinstance(command, (ScheduleActivity, ScheduleWorkflow)):
            # The event says all but this.
            if command.sources:
                self._told += (execution, kind, command.call, command.sources, time)
        elif isinstance(command, CompleteWorkflow):
            self._told += (execution, kind, None, _kept_result(command.result), time)
        elif isinstance(command, FailWorkflow):
            error = command.error
            self._told += (execution, _ending(error), None, describe.exception(error), time)
        elif kind is RestartWorkflow:
            self._told += (execution, kind, None, None, time)

    def event(self, execution: ExecutionInfo, event: Event, time: float) -> None:
        """Take down what happened to an execution."""
        data: Any = None
        if isinstance(event, TaskScheduled):
            self.task_scheduled(execution, event.call, event.input, event.kind, (), time)
        elif isinstance(event, TaskStarted):
            self.task_started(execution, event.call, event.worker, time)
        elif isinstance(event, TaskCompleted):
            self.task_completed(execution, event.call, event.result, time)
        elif type(event) in CALL_EVENTS:
            if isinstance(event, TaskFailed):
                # Without the exception, which holds on to all that was there when it was raised.
                data = describe.error(event.error_type, event.message, event.traceback)
            elif isinstance(event, TaskTimedOut):
                data = describe.error("TimedOut", event.timeout_type)
            elif isinstance(event, TaskCancelled):
                data = describe.error("Cancelled", event.details)
            self._told += (execution, type(event), event.call, data, time)  # type: ignore[union-attr]

    def task_scheduled(
        self,
        execution: ExecutionInfo,
        call: CallId,
        input: Any,
        kind: str,
        sources: tuple[CallId, ...],
        time: float,
    ) -> None:
        """Take down that an attempt was commanded, and taken on."""
        if type(input) is not str or len(input) > LIMIT:
            input = _kept_input(input)
        if kind != "activity":
            self._told += (execution, str, call, kind, time)
        if sources:
            self._told += (execution, tuple, call, (input, sources), time)
        else:
            self._told += (execution, TaskScheduled, call, input, time)

    def task_started(
        self, execution: ExecutionInfo, call: CallId, worker: str, time: float
    ) -> None:
        """Take down that a worker began with an attempt."""
        self._told += (execution, TaskStarted, call, worker, time)

    def task_completed(
        self, execution: ExecutionInfo, call: CallId, result: Any, time: float
    ) -> None:
        """Take down that an attempt ended well."""
        if type(result) is not str or len(result) > LIMIT:
            result = _kept_result(result)
        self._told += (execution, TaskCompleted, call, result, time)

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
