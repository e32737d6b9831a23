"""A local engine in one thread, on a virtual clock, that observers are told of.

Every run of it is the same in all its times, so pictures of one can be compared letter by letter.
An activity takes as long as it sleeps, and a quarter of a second besides, which floats can hold.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from flowy.engine_api import ExecutionInfo, Observer
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
    TaskCompleted,
    TaskScheduled,
    TaskStarted,
    TaskTimedOut,
    TimerFired,
    TimerStarted,
)
from flowy.execution import Execution
from flowy_local.activities import Activity, Failure, failure_of, run_activity
from flowy_trace import Recorder, Trace

#: when a simulated run begins: 2026-01-01 in UTC
BEGIN = 1767225600.0


@dataclass(eq=False)
class _Record:
    info: ExecutionInfo
    core: Execution
    config: Any
    parent: _Record | None
    children: list[_Record] = field(default_factory=list)
    over: bool = False


class Simulation:
    """A run.

    Parameters
    ----------
    observers
        who is told of it.
    workers
        how many activities run at once.
    until
        after how many seconds to stop with the run still going on, if it is by then.
    """

    def __init__(
        self, observers: Sequence[Observer], workers: int = 2, until: float | None = None
    ) -> None:
        self.now = BEGIN
        self._observers = observers
        self._until = None if until is None else BEGIN + until
        self._idle = [f"worker-{number}" for number in reversed(range(workers))]
        self._queue: deque[tuple[_Record, CallId, Any]] = deque()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._root: _Record | None = None

    def run(self, workflow: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the workflow; return its result or raise its error; None if it goes on still."""
        payload, _ = workflow.codec.prepare_input(args, kwargs)
        self._root = self._start(workflow, payload, None, None, 0)
        while not isinstance(self._root.core.closed, (CompleteWorkflow, FailWorkflow)):
            self._hand_out()
            due, _, action = heapq.heappop(self._agenda)
            if self._until is not None and due > self._until:
                return None
            self.now = due
            action()
        for observer in self._observers:
            observer.run_ended(self.now)
        closed = self._root.core.closed
        if isinstance(closed, FailWorkflow):
            raise closed.error
        return workflow.codec.load_value(closed.result)

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (self.now + delay, self._count, action))

    def _start(
        self, config: Any, payload: Any, parent: _Record | None, call: CallId | None, restarts: int
    ) -> _Record:
        if parent is None or call is None:
            info = ExecutionInfo.root(config.name, restarts)
        else:
            info = parent.info.child(call, config.name, restarts)
        core = Execution(config.factory, config.dependencies, payload, codec=config.codec)
        record = _Record(info, core, config, parent)
        for observer in self._observers:
            observer.execution_started(info, payload, self.now)
        if parent is None:
            self._root = record
        else:
            parent.children.append(record)
        self._carry(record, core.run())
        return record

    def _tell(self, record: _Record, event: Event) -> None:
        if record.over:
            return
        for observer in self._observers:
            observer.event(record.info, event, self.now)
        self._carry(record, record.core.apply(event))
        if record.core.runnable:
            self._carry(record, record.core.run())

    def _carry(self, record: _Record, commands: list[Command]) -> None:
        for command in commands:
            for observer in self._observers:
                observer.command(record.info, command, self.now)
            if isinstance(command, ScheduleActivity):
                self._tell(record, TaskScheduled(command.call, command.input))
                self._queue.append((record, command.call, command.input))
            elif isinstance(command, ScheduleWorkflow):
                self._tell(record, TaskScheduled(command.call, command.input, "workflow"))
                self._later(0, self._child(record, command.call, command.input))
            elif isinstance(command, StartTimer):
                self._tell(record, TimerStarted(command.call, command.delay))
                self._later(command.delay, self._fire(record, command.call))
            elif isinstance(command, CloseWorkflow):
                self._close(record, command)

    def _child(self, record: _Record, call: CallId, payload: Any) -> Callable[[], None]:
        def start() -> None:
            if not record.over:
                self._tell(record, TaskStarted(call, "workflow-worker"))
                config = record.config.dependencies[call.name].target.config
                self._start(config, payload, record, call, 0)

        return start

    def _fire(self, record: _Record, call: CallId) -> Callable[[], None]:
        return lambda: self._tell(record, TimerFired(call))

    def _close(self, record: _Record, command: Any) -> None:
        self._drop(record)
        parent, call = record.parent, record.info.call
        if isinstance(command, RestartWorkflow):
            restarts = record.info.restarts + 1
            self._start(record.config, command.input, parent, call, restarts)
        elif parent is None or call is None:
            return
        elif isinstance(command, CompleteWorkflow):
            self._later(0, lambda: self._tell(parent, TaskCompleted(call, command.result)))
        else:
            event = failure_of(command.error).event(call)
            self._later(0, lambda: self._tell(parent, event))

    def _drop(self, record: _Record) -> None:
        record.over = True
        for child in record.children:
            self._drop(child)

    def _hand_out(self) -> None:
        while self._queue and self._idle:
            record, call, payload = self._queue.popleft()
            if record.over:
                continue
            self._work(record, call, payload, self._idle.pop())

    def _work(self, record: _Record, call: CallId, payload: Any, worker: str) -> None:
        self._tell(record, TaskStarted(call, worker))
        activity: Activity = record.config.dependencies[call.name].target
        with _slept() as slept:
            outcome = run_activity(activity.function, activity.codec, payload)
        event: Event
        if isinstance(outcome, Failure):
            event = outcome.event(call)
        else:
            event = TaskCompleted(call, outcome)
        took = 0.25 + sum(slept)
        if activity.timeout is not None and took > activity.timeout:
            took, event = activity.timeout, TaskTimedOut(call)

        def end() -> None:
            self._idle.append(worker)
            self._idle.sort(reverse=True)
            self._tell(record, event)

        self._later(took, end)


@contextmanager
def _slept() -> Iterator[list[float]]:
    """Gather what is slept instead of sleeping it."""
    slept: list[float] = []
    # What is no number is refused, as `time.sleep` does.
    with mock.patch.object(time, "sleep", lambda seconds: slept.append(seconds + 0.0)):
        yield slept


def simulate(workflow: Any, *args: Any, workers: int = 2, until: float | None = None) -> Trace:
    """Return the trace of a simulated run, however it ended."""
    recorder = Recorder(engine="simulated", run="run-1")
    with suppress(Exception):  # The trace says so.
        Simulation([recorder], workers, until).run(workflow, *args)
    return recorder.trace()
