"""Telling observers what happens in a run."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable

from flowy.engine_api import ExecutionInfo, Observer, Observers, RunInfo
from flowy.events import (
    CallId,
    StartTimer,
    TimerStarted,
)
from flowy.plugins import plugins
from flowy_local.timers import Clock


class Watch(Observers):
    """The observers of a run, and the time for them. All is called under the run's lock."""

    def __init__(self, observers: Iterable[Observer], clock: Clock) -> None:
        super().__init__(observers)
        #: the run's clock
        self.now = clock.now
        #: when that was zero, in seconds since 1970
        self.epoch = time.time() - clock.now()

    def time(self) -> float:
        """Return the seconds since 1970, by the run's clock.

        What is told three times a task adds the two up by itself: a call less each time.
        """
        return self.epoch + self.now()

    def delayed(self, execution: ExecutionInfo, call: CallId, delay: float) -> None:
        """Tell that a timer was commanded, and started."""
        now = self.time()
        self.command(execution, StartTimer(call, delay), now)
        self.event(execution, TimerStarted(call, delay), now)


def watch(workflow: str, clock: Clock, observers: Iterable[Observer]) -> Watch | None:
    """Return the watch over a run: by these observers and those of plugins; None without any."""
    run = RunInfo(f"{os.getpid()}-{uuid.uuid4().hex[:12]}", workflow, "local")
    every = Watch([*observers, *plugins().observers(run)], clock)
    return every if every else None
