"""Heartbeats, which a worker sends by itself for each activity that it runs.

`flowy.heartbeat` in the activity only notes details and learns what is known. The first one of a
task is sent at once; all others are sent by a few threads for all tasks of the process.

How long a task may be silent is not in what the service answers a poll with. A worker knows the
default of the type, and no more than that; a workflow may have asked for less
(`conf_activity(heartbeat=...)`). So heartbeats never come less often than every `LONGEST` seconds,
which suits any time-out of three times that and more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flowy.errors import TaskCancelled
from flowy_swf.calls import Backoff, Log, code_of
from flowy_swf.failures import fitted

#: seconds between the heartbeats of a task, at most and at least
LONGEST, SHORTEST = 10.0, 0.1
#: how many characters of details the service takes
DETAILS_LIMIT = 2048
#: how many threads send: more than one, so that a call that hangs leaves the other tasks alive
_SENDERS = 4


def interval_of(time_out: str | None) -> float:
    """Return the seconds between heartbeats for a time-out in the service's form, or for none."""
    if time_out is None or time_out == "NONE":
        return LONGEST
    return max(SHORTEST, min(LONGEST, int(time_out) / 3))


class TaskHeartbeats:
    """The heartbeats of one task. It is what `flowy.heartbeat` calls in the activity.

    Parameters
    ----------
    send
        makes the call, with `details` if there are any; returns the service's answer.
    interval
        seconds between heartbeats.
    log
        where to say what went wrong: an error of a heartbeat is nobody's failure.
    clock
        gives the time in seconds.
    """

    def __init__(
        self,
        send: Callable[..., Any],
        interval: float,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._interval = interval
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._backoff = Backoff()
        self._details: str | None = None
        self._first = True
        self._sending = False
        self._stops: str | None = None
        #: when the next one is to be sent, by the clock
        self.due = clock() + interval
        #: whether the service does not know the task any more
        self.closed = False

    def __call__(self, details: Any = None) -> None:
        """Note details, if there are any; raise TaskCancelled if the activity should stop."""
        if details is not None:
            self._details = fitted(str(details), DETAILS_LIMIT)
        if self._take(asked=True):
            self._beat()
        if self._stops is not None:
            raise TaskCancelled(self._stops)

    def send_if_due(self) -> None:
        """Send one with the last details, unless another thread was faster."""
        if self._take(asked=False):
            self._beat()

    def _take(self, *, asked: bool) -> bool:
        with self._lock:
            now = self._clock()
            if self.closed or (now < self.due and not (asked and self._first)):
                return False
            self.due = now + self._interval
            # One that hangs must not have others hang.
            if self._sending:
                return False
            self._first = False
            self._sending = True
            return True

    def _beat(self) -> None:
        details = self._details
        try:
            answer = self._send(**({} if details is None else {"details": details}))
        except Exception as exc:
            self._note(exc)
        else:
            self._backoff.reset()
            if answer.get("cancelRequested"):
                self._stops = "it was asked to stop"
        finally:
            self._sending = False

    def _note(self, exc: Exception) -> None:
        if code_of(exc) == "UnknownResourceFault":
            self.closed = True
            self._stops = "its time is over, or its workflow is closed: nobody takes its outcome"
            self._log.info("the task is closed, as the activity learns at its next heartbeat")
            return
        delay = min(self._interval, self._backoff.next())
        with self._lock:
            self.due = min(self.due, self._clock() + delay)
        self._log.warning(
            "a heartbeat failed (%s: %s); the next one is in %.1f s", type(exc).__name__, exc, delay
        )


class Heartbeats:
    """Sends what is due of the tasks that a worker runs."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._tasks: set[TaskHeartbeats] = set()

    def __reduce__(self) -> tuple[type[Heartbeats], tuple[()]]:
        # A worker that goes to another process has no tasks there yet.
        return Heartbeats, ()

    @contextmanager
    def kept_up(self, task: TaskHeartbeats) -> Iterator[None]:
        """Have a task's heartbeats sent inside a with block."""
        with self._changed:
            self._tasks.add(task)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._tasks.discard(task)

    @contextmanager
    def running(self, slots: int) -> Iterator[None]:
        """Have threads that send inside a with block.

        Parameters
        ----------
        slots
            how many tasks there can be at once.
        """
        over = threading.Event()
        # Daemons, as a call that hangs must not keep a process that is told to end.
        threads = [
            threading.Thread(
                target=self._send, args=(over,), name=f"flowy-swf-heartbeats-{number}", daemon=True
            )
            for number in range(min(slots, _SENDERS))
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            with self._changed:
                over.set()
                self._changed.notify_all()

    def _send(self, over: threading.Event) -> None:
        while (task := self._next(over)) is not None:
            task.send_if_due()

    def _next(self, over: threading.Event) -> TaskHeartbeats | None:
        """Wait for a task whose heartbeat is due; return None when it is all over."""
        with self._changed:
            while not over.is_set():
                open_tasks = [task for task in self._tasks if not task.closed]
                task = min(open_tasks, key=lambda each: each.due, default=None)
                if task is None:
                    self._changed.wait()
                    continue
                seconds = task.due - time.monotonic()
                if seconds <= 0:
                    return task
                self._changed.wait(seconds)
        return None
