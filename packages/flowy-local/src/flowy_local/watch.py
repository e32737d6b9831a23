"""Telling observers what happens in a run."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable
from typing import Any

from flowy.engine_api import ExecutionInfo, Observer, Observers, RunInfo
from flowy.events import (
    CallId,
    CloseWorkflow,
    Event,
    ScheduleActivity,
    ScheduleWorkflow,
    StartTimer,
    TaskCompleted,
    TaskScheduled,
    TaskStarted,
    TimerStarted,
)
from flowy.plugins import plugins
from flowy.run import Task, calls_of
from flowy_local.timers import Clock


class Watch:
    """The observers of a run, and the time for them. All is called under the run's lock."""

    def __init__(self, observers: Observers, clock: Clock) -> None:
        self._observers = observers
        self._now = clock.now
        self._epoch = time.time() - clock.now()

    def began(self, execution: ExecutionInfo, payload: Any) -> None:
        """Tell that an execution begins."""
        self._observers.execution_started(execution, payload, self._time())

    def scheduled(self, execution: ExecutionInfo, task: Task, call: CallId) -> None:
        """Tell that an attempt was commanded, and taken on."""
        observers = self._observers
        now = self._time()
        kind = task.dependency.kind
        if observers.want_commands:
            command = ScheduleWorkflow if kind == "workflow" else ScheduleActivity
            sources = calls_of(task.sources)
            observers.command(execution, command(call, task.input, sources), now)
        if observers.want_events:
            observers.event(execution, TaskScheduled(call, task.input, kind), now)

    def started(self, execution: ExecutionInfo, call: CallId, worker: str) -> None:
        """Tell that a worker began with an attempt."""
        if self._observers.want_events:
            self._observers.event(execution, TaskStarted(call, worker), self._time())

    def completed(self, execution: ExecutionInfo, call: CallId, payload: Any) -> None:
        """Tell that an attempt ended well."""
        if self._observers.want_events:
            self._observers.event(execution, TaskCompleted(call, payload), self._time())

    def delayed(self, execution: ExecutionInfo, call: CallId, delay: float) -> None:
        """Tell that a timer was commanded, and started."""
        now = self._time()
        self._observers.command(execution, StartTimer(call, delay), now)
        self._observers.event(execution, TimerStarted(call, delay), now)

    def happened(self, execution: ExecutionInfo, event: Event) -> None:
        """Tell of another event."""
        self._observers.event(execution, event, self._time())

    def closed(self, execution: ExecutionInfo, command: CloseWorkflow) -> None:
        """Tell that an execution is over."""
        self._observers.command(execution, command, self._time())

    def ended(self) -> None:
        """Tell that the run is over."""
        self._observers.run_ended(self._time())

    def _time(self) -> float:
        return self._epoch + self._now()


def watch(workflow: str, clock: Clock, observers: Iterable[Observer]) -> Watch | None:
    """Return the watch over a run: by these observers and those of plugins; None without any."""
    run = RunInfo(f"{os.getpid()}-{uuid.uuid4().hex[:12]}", workflow, "local")
    every = Observers([*observers, *plugins().observers(run)])
    return Watch(every, clock) if every else None
