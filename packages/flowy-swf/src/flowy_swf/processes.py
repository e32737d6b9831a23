"""The supervisor: a process without threads that starts worker processes, and replaces them.

What tells the processes to stop is the end of a pipe, which the supervisor's own death brings about
too, so that none of them is left behind. Signals would not do: a terminal sends Ctrl-C to all
processes, and so does systemd with SIGTERM, and those that the supervisor sends would be a second.
"""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.process
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Any

from flowy_swf.calls import LONGEST_DELAY, Backoff
from flowy_swf.polling import PULSE, Stop

logger = logging.getLogger("flowy.swf")
#: What a process exits with that ended in order. It is not 0, which is what an activity that calls
#: `os._exit(0)` has its process exit with.
_IN_ORDER = 87
#: seconds that a process has to end after its grace is over
_MARGIN = 5.0


def supervise(work: Callable[[Stop], None], number: int, stop: Stop, grace: float | None) -> None:
    """Have so many processes work, until they have ended or a stop takes too long.

    A process that ends without having been stopped is replaced, after a while that grows while it
    does not live long. One whose work returned is not.

    Parameters
    ----------
    work
        what each process does; it returns when it is told to stop.
    number
        how many processes.
    stop
        is asked for by whoever wants the processes to end. A second time, or an exception in this
        thread, kills them.
    grace
        how many seconds after a stop `work` takes to return at most, or None for as long as it
        takes.

    Raises
    ------
    TypeError
        `work` cannot be sent to other processes.
    """
    context = _context(work)
    end, open_end = context.Pipe(duplex=False)
    news, wake = context.Pipe(duplex=False)
    forks = context.get_start_method() == "fork"
    # A fork gets a copy of the open end, and has to close it.
    arguments = (work, end, open_end if forks else None)
    places = [_Place(context, arguments) for _ in range(number)]
    try:
        with stop.telling(lambda: wake.send_bytes(b"stop")):
            _supervise(places, stop, open_end, news, grace)
    finally:
        for place in places:
            place.kill()
        for connection in (end, open_end, news, wake):
            connection.close()


def _supervise(
    places: list[_Place], stop: Stop, open_end: Connection, news: Connection, grace: float | None
) -> None:
    deadline: float | None = None
    while not stop.ends_everything:
        if stop.polls_no_more:
            open_end.close()
            if deadline is None and grace is not None:
                deadline = time.monotonic() + grace + _MARGIN
        else:
            for place in places:
                place.start_if_due()
        working = {place.sentinel: place for place in places if place.sentinel is not None}
        moments = [] if deadline is None else [deadline]
        if not stop.polls_no_more:
            moments += [place.due for place in places if place.due is not None]
        if not working and (stop.polls_no_more or not moments):
            return
        seconds = min([PULSE, *(moment - time.monotonic() for moment in moments)])
        ready = wait([*working, news], max(0.0, seconds))
        if news in ready:
            news.recv_bytes()
        for sentinel in ready:
            if sentinel in working:
                working[sentinel].end(stop.polls_no_more)
        if deadline is not None and time.monotonic() >= deadline:
            logger.warning(
                "%d worker processes have not ended within %s s and are killed; the service has "
                "their tasks time out",
                sum(place.sentinel is not None for place in places),
                grace,
            )
            return


class _Place:
    """A place for a process: there is one, or another one is to be started, or it is done."""

    def __init__(self, context: Any, arguments: tuple[Any, ...]) -> None:
        self._context = context
        self._arguments = arguments
        self._process: multiprocessing.process.BaseProcess | None = None
        self._backoff = Backoff()
        self._began = 0.0
        #: when to start a process; None if there is one or none is wanted
        self.due: float | None = time.monotonic()

    @property
    def sentinel(self) -> int | None:
        """What becomes ready when the process ends; None if there is none."""
        return None if self._process is None else self._process.sentinel

    def start_if_due(self) -> None:
        """Start a process if it is time for one."""
        if self.due is None or time.monotonic() < self.due:
            return
        process = self._context.Process(target=_work, args=self._arguments, name="flowy-swf")
        try:
            process.start()
        except OSError as exc:
            delay = self._start_later()
            logger.error(
                "a worker process could not be started (%s); it is tried again in %.1f s",
                exc,
                delay,
            )
            return
        self._began = time.monotonic()
        self._process, self.due = process, None
        logger.info("worker process %s has started", process.pid)

    def end(self, stopped: bool) -> None:
        """Take note that the process has ended, and have another one started if it is needed."""
        process, self._process = self._process, None
        assert process is not None
        process.join()
        pid, code = process.pid, process.exitcode
        process.close()
        if code == _IN_ORDER:
            logger.info("worker process %s has ended", pid)
        elif stopped:
            logger.warning("worker process %s %s while it was to end", pid, _how(code))
        else:
            if time.monotonic() - self._began > LONGEST_DELAY:
                self._backoff.reset()
            logger.error(
                "worker process %s %s; another one starts in %.1f s; the service has its tasks "
                "time out",
                pid,
                _how(code),
                self._start_later(),
            )

    def kill(self) -> None:
        """End the process at once, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None

    def _start_later(self) -> float:
        delay = self._backoff.next()
        self.due = time.monotonic() + delay
        return delay


def _context(work: Callable[[Stop], None]) -> Any:
    # A fork needs nothing to be pickled, and starts at once. It is safe only of a process that has
    # no other threads, and not on macOS.
    if sys.platform == "linux" and threading.active_count() == 1:
        return multiprocessing.get_context("fork")
    try:
        ForkingPickler.dumps(work)
    except Exception as exc:
        raise TypeError(
            f"the worker cannot be sent to other processes ({type(exc).__name__}: {exc}): register "
            "functions and classes of modules, and give swf_client as such a function; or, on "
            "Linux, run it before the process has other threads, where anything goes"
        ) from exc
    return multiprocessing.get_context("spawn")


def _work(work: Callable[[Stop], None], end: Connection, open_end: Connection | None) -> None:
    """Work in a process of its own until told to stop."""
    stop = Stop()
    # Functions and not SIG_IGN, which programs that activities start would inherit.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: stop.stop_polling())
    if open_end is not None:
        open_end.close()

    def wait_for_the_end() -> None:
        wait([end])
        stop.stop_polling()

    threading.Thread(target=wait_for_the_end, name="flowy-swf-end", daemon=True).start()
    work(stop)
    sys.exit(_IN_ORDER)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"
    return f"ended with exit code {code}"
