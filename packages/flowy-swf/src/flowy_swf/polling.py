"""The loop that every worker lives in: poll, handle, and let no error end it."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from flowy_swf.calls import Backoff

logger = logging.getLogger("flowy.swf")

T = TypeVar("T")
#: For how many seconds the thread that signals come to waits at once. A signal that comes just
#: before it waits, or to another thread of the process, does not end the wait, and is handled
#: after it.
PULSE = 1.0


class Stop:
    """How far a worker's stop has come: not asked for, no more polls, or at once."""

    def __init__(self) -> None:
        self._polling = threading.Event()
        self._everything = threading.Event()
        self._listeners: list[Callable[[], object]] = []

    def __reduce__(self) -> tuple[type[Stop], tuple[()]]:
        # A worker that goes to another process is not stopped there.
        return Stop, ()

    def stop_polling(self) -> None:
        """Have no more polls sent; what was sent or is being handled goes on to its end."""
        self._polling.set()
        self._tell()

    def stop_everything(self) -> None:
        """Have everything end as soon as it can."""
        self._polling.set()
        self._everything.set()
        self._tell()

    @contextmanager
    def telling(self, listener: Callable[[], object]) -> Iterator[None]:
        """Call `listener` whenever a stop is asked for inside a with block, and now if one was.

        It is called on the thread that asks, and may be called inside a signal handler. The thread
        that signals come to must wait in this way and not for an event: the handler would wait for
        the event's lock, which that thread may hold.
        """
        self._listeners.append(listener)
        try:
            if self.polls_no_more:
                listener()
            yield
        finally:
            self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    @property
    def polls_no_more(self) -> bool:
        """Whether no more polls are to be sent."""
        return self._polling.is_set()

    @property
    def ends_everything(self) -> bool:
        """Whether everything is to end as soon as it can."""
        return self._everything.is_set()

    def wait_to_poll(self, seconds: float) -> bool:
        """Wait before another poll; return True, at once, when there is to be none."""
        return self._polling.wait(seconds)

    def wait(self, seconds: float) -> bool:
        """Wait while a task is being handled; return True, at once, when that is to end."""
        return self._everything.wait(seconds)


def poll_forever(
    poll: Callable[[], Any],
    handle: Callable[[Any], None],
    stop: Stop,
    break_loop: Callable[[], bool] = lambda: False,
) -> None:
    """Poll for tasks and handle each, until stopped.

    Whatever polling raises is logged, and the next poll waits, the longer the more errors come in a
    row. Whatever handling raises is logged.

    Parameters
    ----------
    poll
        makes one call; returns a task, or None if there was none.
    handle
        deals with a task.
    stop
        ends the loop before the next poll.
    break_loop
        is asked before each poll, and ends the loop with True.
    """
    backoff = Backoff()
    while not stop.polls_no_more and not break_loop():
        try:
            task = poll()
        except Exception as exc:
            delay = backoff.next()
            logger.warning(
                "polling failed (%s: %s); the next poll is in %.1f s",
                type(exc).__name__,
                exc,
                delay,
            )
            stop.wait_to_poll(delay)
            continue
        backoff.reset()
        if task is not None:
            try:
                handle(task)
            except Exception:
                logger.exception("handling a task failed; the worker goes on")


def next_of(news: queue.SimpleQueue[T]) -> T:
    """Wait for what comes next out of a queue, on the thread that signals come to."""
    while True:
        with suppress(queue.Empty):
            return news.get(timeout=PULSE)


def polled(response: dict[str, Any]) -> dict[str, Any] | None:
    """Return the task that a poll was answered with, or None if there was none."""
    return response if response.get("taskToken") else None


def default_identity() -> str:
    """Return what tells this process from others in histories."""
    return f"{socket.gethostname()}:{os.getpid()}"[:256]


@contextmanager
def stopped_by_signals(stop: Stop) -> Iterator[None]:
    """Have SIGTERM and SIGINT stop polling, and a second one everything, inside a with block.

    A second signal raises KeyboardInterrupt besides. On another thread than the main one, which
    signals never come to, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handler(number: int, frame: FrameType | None) -> None:
        if stop.polls_no_more:
            stop.stop_everything()
            raise KeyboardInterrupt
        # First of all, as a second signal may come while this one is told.
        stop.stop_polling()
        logger.warning(
            "%s: no more polls; tasks and polls that are under way end first, a second signal "
            "stops at once",
            signal.Signals(number).name,
        )

    before = {number: signal.signal(number, handler) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
