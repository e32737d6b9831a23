"""The engine: configuring a workflow, carrying out its commands, bringing back events."""

from __future__ import annotations

import heapq
import logging
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from flowy.config import WorkflowConfig
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
    StartTimer,
    TaskCompleted,
    TaskFailed,
    TimerFired,
)
from flowy.execution import Execution
from flowy.retry import RetryPolicy, retry_policy
from flowy.run import Dependency
from flowy.serialization import JSON

logger = logging.getLogger("flowy.serial")

Retries = RetryPolicy | Iterable[float]


class SerialWorkflow(WorkflowConfig):
    """A workflow whose tasks run one at a time, in the thread that runs it."""

    def conf_activity(
        self,
        name: str,
        function: Callable[..., Any],
        retry: Retries = (0,),
    ) -> None:
        """Configure a function as a dependency."""
        self.add(Dependency(name, "activity", JSON, retry_policy(retry), function))

    def conf_workflow(
        self,
        name: str,
        workflow: SerialWorkflow,
        retry: Retries = (0,),
    ) -> None:
        """Configure another workflow as a dependency."""
        self.add(Dependency(name, "workflow", JSON, retry_policy(retry), workflow))

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the workflow; return its result or raise its error."""
        payload, _ = JSON.prepare_input(args, kwargs)
        return JSON.load_value(self.run_payload(JSON.fill(payload)))

    def run_payload(self, payload: Any) -> Any:
        """Run the workflow, and what it restarts as; return the payload of the last result."""
        self.check()
        while True:
            end = _Running(self, payload).run_to_end()
            if isinstance(end, FailWorkflow):
                raise end.error
            if isinstance(end, CompleteWorkflow):
                return end.result
            payload = end.input


class _Running:
    """One execution."""

    def __init__(self, workflow: SerialWorkflow, payload: Any) -> None:
        self._workflow = workflow
        self._execution = Execution(workflow.factory, workflow.dependencies, payload)
        #: what to do next: when, in which order it was commanded, and the command
        self._agenda: list[tuple[float, int, Command]] = []
        self._commanded = 0

    def run_to_end(self) -> CompleteWorkflow | FailWorkflow | RestartWorkflow:
        """Run the code whenever that gets it further, and the next command when it does not."""
        execution = self._execution
        while execution.closed is None:
            if execution.runnable:
                self._note(execution.run())
            else:
                self._note(execution.apply(self._carry_out_next()))
        for error in execution.unseen_failures():
            logger.warning("%s never looked at: %s", self._workflow.name, error.summary())
        return execution.closed

    def _note(self, commands: list[Command]) -> None:
        for command in commands:
            delay = command.delay if isinstance(command, StartTimer) else 0
            self._commanded += 1
            heapq.heappush(self._agenda, (time.monotonic() + delay, self._commanded, command))

    def _carry_out_next(self) -> Event:
        due, _, command = heapq.heappop(self._agenda)
        time.sleep(max(0, due - time.monotonic()))
        if isinstance(command, StartTimer):
            return TimerFired(command.call)
        assert isinstance(command, ScheduleActivity | ScheduleWorkflow)
        target = self._workflow.dependencies[command.call.name].target
        try:
            if isinstance(command, ScheduleWorkflow):
                return TaskCompleted(command.call, target.run_payload(command.input))
            args, kwargs = JSON.load_input(command.input)
            return TaskCompleted(command.call, JSON.dump_value(target(*args, **kwargs)))
        except (Exception, SystemExit) as exc:
            return _failed(command.call, exc)


def _failed(call: CallId, error: BaseException) -> TaskFailed:
    message = error.summary() if isinstance(error, TaskError) else str(error)
    return TaskFailed(call, type(error).__name__, message, traceback.format_exc(), error)
