"""The time of the service: a clock that says what it is, and a timeline of what is due.

Times are whole milliseconds since 1970. There is no thread here: whoever calls the service or
waits in it first lets the past happen, each moment at its own time, so that an event written late
still carries the time it was due.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from itertools import count
from typing import Literal

ClockKind = Literal["real", "virtual", "skipping"]
_KINDS = ("real", "virtual", "skipping")


class Clock:
    """Tell the time in one of three ways.

    A real clock is the machine's. A virtual one stands still until told to advance. A skipping one
    goes with the machine's and can be put forward.
    """

    def __init__(self, kind: ClockKind) -> None:
        if kind not in _KINDS:
            raise ValueError(f"unknown clock {kind!r}: choose one of {', '.join(_KINDS)}")
        self.kind = kind
        self._offset = 0
        self._start = self._latest = self._machine()

    @staticmethod
    def _machine() -> int:
        return time.time_ns() // 1_000_000

    def now(self) -> int:
        """Give the present time, never less than given before."""
        base = self._start if self.kind == "virtual" else self._machine()
        self._latest = max(self._latest, base + self._offset)
        return self._latest

    def advance(self, milliseconds: int) -> None:
        """Put the clock forward; a real clock cannot be."""
        if self.kind == "real":
            raise RuntimeError(
                "a real clock cannot be advanced: make the emulator with clock='virtual'"
            )
        if milliseconds < 0:
            raise ValueError(f"time goes forward only, not by {milliseconds / 1000!r} seconds")
        self._offset += milliseconds


class Alarm:
    """Something due at a time. ``prompt`` ones are what a workflow waits for, such as timers."""

    __slots__ = ("action", "due", "prompt")

    def __init__(self, due: int, action: Callable[[], None], prompt: bool) -> None:
        self.due = due
        self.action: Callable[[], None] | None = action
        self.prompt = prompt


class Timeline:
    """Hold what is due, in order; alarms of one moment go off in the order they were set."""

    def __init__(self, now: int) -> None:
        #: The moment that is happening. Events are stamped with it.
        self.now = now
        self._alarms: list[tuple[int, int, Alarm]] = []
        self._serial = count()
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._alarms) - self._cancelled

    def set(self, seconds: int, action: Callable[[], None], *, prompt: bool = False) -> Alarm:
        """Let ``action`` happen that many seconds from now."""
        alarm = Alarm(self.now + seconds * 1000, action, prompt)
        heapq.heappush(self._alarms, (alarm.due, next(self._serial), alarm))
        return alarm

    def cancel(self, alarm: Alarm) -> None:
        """Let an alarm not go off. It may have gone off already."""
        if alarm.action is None:
            return
        alarm.action = None
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled > len(self._alarms) // 2:
            # A year's time-out of an activity that took a second must not stay for the year.
            self._alarms = [entry for entry in self._alarms if entry[2].action is not None]
            heapq.heapify(self._alarms)
            self._cancelled = 0

    def first(self) -> Alarm | None:
        """Give the alarm that goes off next, if there is one."""
        while self._alarms and self._alarms[0][2].action is None:
            heapq.heappop(self._alarms)
            self._cancelled -= 1
        return self._alarms[0][2] if self._alarms else None

    def take_due(self, until: int) -> Callable[[], None] | None:
        """Move to the next alarm due by then and give its action; without one, move to then."""
        alarm = self.first()
        if alarm is None or alarm.due > until:
            self.now = max(self.now, until)
            return None
        heapq.heappop(self._alarms)
        self.now = max(self.now, alarm.due)
        action, alarm.action = alarm.action, None
        return action
