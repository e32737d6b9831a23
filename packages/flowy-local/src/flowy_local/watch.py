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
    TaskScheduled,
    TimerStarted,
)
from flowy.plugins import plugins
from flowy.run import Task, calls_of
from flowy_local.timers import Clock


class Watch:
    """The observers of a run, and the time for them. All is called under the run's lock."""

    def __init__(self, observers: Observers, clock: Clock) -> None:
        self._observers = observers
        self._clock = clock
        self._epoch = time.time() - clock.now()

    def began(self, execution: ExecutionInfo, payload: Any) -> None:
        """Tell that an execution begins."""
        self._observers.execution_started(execution, payload, self._time())

    def scheduled(self, execution: ExecutionInfo, task: Task) -> None:
        """Tell that an attempt was commanded, and taken on."""
        now = self._time()
        call = task.call
        kind = task.dependency.kind
        command = ScheduleWorkflow if kind == "workflow" else ScheduleActivity
        self._observers.command(execution, command(call, task.input, calls_of(task.sources)), now)
        self._observers.event(execution, TaskScheduled(call, task.input, kind), now)

    def delayed(self, execution: ExecutionInfo, call: CallId, delay: float) -> None:
        """Tell that a timer was commanded, and started."""
        now = self._time()
        self._observers.command(execution, StartTimer(call, delay), now)
        self._observers.event(execution, TimerStarted(call, delay), now)

    def happened(self, execution: ExecutionInfo, event: Event) -> None:
        """Tell of an event."""
        self._observers.event(execution, event, self._time())

    def closed(self, execution: ExecutionInfo, command: CloseWorkflow) -> None:
        """Tell that an execution is over."""
        self._observers.command(execution, command, self._time())

    def ended(self) -> None:
        """Tell that the run is over."""
        self._observers.run_ended(self._time())

    def _time(self) -> float:
        return self._epoch + self._clock.now()


def watch(workflow: str, clock: Clock, observers: Iterable[Observer]) -> Watch | None:
    """Return the watch over a run: by these observers and those of plugins; None without any."""
    run = RunInfo(f"{os.getpid()}-{uuid.uuid4().hex[:12]}", workflow, "local")
    every = Observers([*observers, *plugins().observers(run)])
    return Watch(every, clock) if every else None
