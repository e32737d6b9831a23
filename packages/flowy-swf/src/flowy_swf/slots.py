"""Slots: the threads of a process that poll and handle tasks, one task each at a time."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from flowy_swf.polling import PULSE, Stop

logger = logging.getLogger("flowy.swf")


class _Ended(NamedTuple):
    """A slot has ended."""

    #: what ended it, if it was no stop
    error: BaseException | None


def serve(slot: Callable[[], None], threads: int, stop: Stop, grace: float | None) -> None:
    """Run slots until all have ended, or for `grace` seconds after a stop was asked for.

    Slots have threads of their own, so that the calling thread hears signals whatever tasks do.
    Those that did not end in time are told to end at once, and left to themselves: they cannot keep
    the process from ending.

    Parameters
    ----------
    slot
        polls and handles tasks until `stop` says that it should end.
    threads
        how many slots there are.
    stop
        is asked for by whoever wants the slots to end.
    grace
        seconds, or None for as long as it takes.

    Raises
    ------
    BaseException
        what ended a slot other than a stop; the other slots were stopped because of it.
    """
    # Signal handlers may put something there while this thread waits, which no event allows.
    news: queue.SimpleQueue[_Ended | None] = queue.SimpleQueue()

    def run() -> None:
        error = None
        try:
            slot()
        except BaseException as exc:
            error = exc
        news.put(_Ended(error))

    slots = [
        # Daemons, so that what does not end in time does not keep the process.
        threading.Thread(target=run, name=f"flowy-swf-{number}", daemon=True)
        for number in range(threads)
    ]
    with stop.telling(lambda: news.put(None)):
        for thread in slots:
            thread.start()
        errors = _wait(news, threads, stop, grace)
    if not stop.ends_everything:
        for thread in slots:
            thread.join()
    if errors:
        raise errors[0]


def _wait(
    news: queue.SimpleQueue[_Ended | None], threads: int, stop: Stop, grace: float | None
) -> list[BaseException]:
    errors: list[BaseException] = []
    deadline = math.inf
    while threads:
        left = deadline - time.monotonic()
        try:
            ended = news.get(timeout=max(0.0, min(PULSE, left)))
        except queue.Empty:
            if left > PULSE:
                continue
            logger.warning(
                "%d tasks or polls have not ended within %s s and are left to the service, which "
                "has their tasks time out",
                threads,
                grace,
            )
            stop.stop_everything()
            break
        if ended is not None:
            threads -= 1
            if ended.error is not None:
                errors.append(ended.error)
                stop.stop_polling()
        if deadline == math.inf and grace is not None and stop.polls_no_more:
            deadline = time.monotonic() + grace
    return errors
