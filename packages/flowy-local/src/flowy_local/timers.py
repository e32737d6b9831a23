"""Doing something later: retry delays and time-outs of the local engine."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol


class Timer:
    """Something to be done later."""

    __slots__ = ("_args", "_function", "due")

    def __init__(self, due: float, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.due = due
        self._function: Callable[..., Any] | None = function
        self._args = args

    def cancel(self) -> None:
        """Do not do it, and let go of what it needs."""
        self._function = None
        self._args = ()

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._function is None

    def fire(self) -> None:
        """Do it now, unless it was cancelled."""
        function, args = self._function, self._args
        if function is not None:
            function(*args)


class Clock(Protocol):
    """What the engine asks of a clock."""

    def now(self) -> float:
        """Return the time in seconds, from any start, never going back."""
        ...

    def call_later(self, delay: float, function: Callable[..., Any], *args: Any) -> Timer:
        """Call the function, on any thread, when `delay` seconds have passed."""
        ...

    def close(self) -> None:
        """Forget what is to be done."""
        ...


class _Agenda:
    """What is to be done, by time."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._purge_at = 1000

    def __len__(self) -> int:
        return sum(not timer.cancelled for _, _, timer in self._entries)

    def add(self, timer: Timer) -> None:
        self._count += 1
        heapq.heappush(self._entries, (timer.due, self._count, timer))
        if len(self._entries) > self._purge_at:
            # Most time-outs are cancelled long before they are due; keep only those that are not.
            self._entries = [entry for entry in self._entries if not entry[2].cancelled]
            heapq.heapify(self._entries)
            self._purge_at = max(1000, 2 * len(self._entries))

    def next_due(self) -> float | None:
        return self._entries[0][0] if self._entries else None

    def pop(self) -> Timer:
        return heapq.heappop(self._entries)[2]

    def clear(self) -> None:
        self._entries.clear()


class Timers:
    """The clock of this machine, with a thread that is started when it is first needed."""

    def __init__(self) -> None:
        self._agenda = _Agenda()
        # Ctrl-C may come at any moment of the main thread. To enter a lock cannot be interrupted in
        # the middle, as opposed to entering a condition. To notify can, and then Python's list of
        # those that wait has one too many: so all are notified, though one thread waits.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._closed = False

    # Without a layer of its own, because observers are told it three times a task.
    now = staticmethod(time.monotonic)

    def call_later(self, delay: float, function: Callable[..., Any], *args: Any) -> Timer:
        """Call the function on the timer thread when `delay` seconds have passed."""
        timer = Timer(self.now() + delay, function, args)
        with self._lock:
            if self._closed:
                return timer
            self._agenda.add(timer)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="flowy-timer", daemon=True)
                self._thread.start()
            elif self._agenda.next_due() == timer.due:
                self._changed.notify_all()
        return timer

    def close(self) -> None:
        """Forget what is to be done, and end the thread."""
        with self._lock:
            self._closed = True
            self._agenda.clear()
            self._changed.notify_all()
        if self._thread is not None:
            # Python refuses to join a thread whose start was interrupted.
            with suppress(RuntimeError):
                self._thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._closed:
                    due = self._agenda.next_due()
                    rest = threading.TIMEOUT_MAX if due is None else due - self.now()
                    if rest <= 0:
                        break
                    # Python cannot wait longer than this at once.
                    self._changed.wait(min(rest, threading.TIMEOUT_MAX))
                if self._closed:
                    return
                timer = self._agenda.pop()
            timer.fire()


class ManualTimers:
    """A clock for tests: time passes when `advance` is called, and not otherwise."""

    def __init__(self) -> None:
        self._now = 0.0
        self._agenda = _Agenda()
        self._changed = threading.Condition()

    def now(self) -> float:
        """Return the seconds that were advanced so far."""
        return self._now

    def call_later(self, delay: float, function: Callable[..., Any], *args: Any) -> Timer:
        """Call the function in the `advance` that reaches its time."""
        with self._changed:
            timer = Timer(self._now + delay, function, args)
            self._agenda.add(timer)
            self._changed.notify_all()
        return timer

    def close(self) -> None:
        """Forget what is to be done."""
        with self._changed:
            self._agenda.clear()

    def advance(self, seconds: float) -> None:
        """Let time pass, and do on this thread what is due by then, in order of time."""
        end = self._now + seconds
        while True:
            with self._changed:
                due = self._agenda.next_due()
                if due is None or due > end:
                    self._now = end
                    return
                self._now = due
                timer = self._agenda.pop()
            timer.fire()

    def wait_for(self, count: int, timeout: float = 30) -> None:
        """Wait until `count` timers are set; raise TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._agenda) >= count, timeout):
                raise TimeoutError(f"{len(self._agenda)} timers are set, expected {count}")
