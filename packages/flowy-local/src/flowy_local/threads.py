"""Threads that work off a queue.

Threads are started as there is work for them. A thread that finds the queue empty goes idle. At
most one idle thread is being woken at a time: it takes what is there, and if it leaves something
behind it wakes the next one. So a thread that makes work and goes on to do it itself wakes nobody,
and a burst of work does not wake all threads to fight over a few crumbs.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

#: the place of a thread that there could be
_NOT_STARTED: Any = object()

#: how many seconds Ctrl-C may go unseen
INTERRUPT_CHECK = 1.0


def wait_on_main(waiter: Any) -> None:
    """Take a lock that another thread releases, and let Ctrl-C interrupt that.

    A signal interrupts the wait for a lock only if it comes to this thread, and while it waits:
    one that comes just before, or to another thread, would go unseen until the lock is released. So
    the wait is ended now and then.
    """
    while not waiter.acquire(timeout=INTERRUPT_CHECK):
        pass


class ThreadPool:
    """Up to `size` threads.

    Parameters
    ----------
    name
        of the threads.
    queue
        where the work is; anything may be appended to it, followed by `wake`.
    size
        how many threads at the most.
    worker
        is called in each thread once; returns what is called with each item of the queue.
    """

    def __init__(
        self,
        name: str,
        queue: deque[Any],
        size: int,
        worker: Callable[[], Worker],
    ) -> None:
        self.name = name
        self.queue = queue
        self.size = size
        self._make_worker = worker
        #: what each thread waits for when there is no work, and who waits
        self._waiters: list[Any] = []
        self._idle: list[Any] = []
        self._waking = False
        self._closed = False
        self._threads: list[threading.Thread] = []
        self._workers: dict[threading.Thread, Worker] = {}
        self._lock = threading.Lock()

    def wake(self) -> None:
        """See to it that somebody works on the queue."""
        if self._waking or not self.queue:
            return
        waiter = self._take_idle()
        if waiter is None:
            if len(self._threads) < self.size:
                self._start()
            return
        try:
            self._waking = True
            waiter.release()
        except RuntimeError:
            # As in `_start`.
            pass

    @property
    def saturated(self) -> bool:
        """Whether all threads are there and busy."""
        return not self._idle and len(self._threads) >= self.size

    def lend(self) -> Any:
        """Return the place of an idle thread, whose work the caller may do; None if there is none.

        It has to be given back.
        """
        waiter = self._take_idle()
        if waiter is not None:
            return waiter
        with self._lock:
            if len(self._threads) >= self.size:
                return None
            self.size -= 1
            return _NOT_STARTED

    def give_back(self, place: Any) -> None:
        """Take a place back."""
        if place is _NOT_STARTED:
            with self._lock:
                self.size += 1
        else:
            self._idle.append(place)
        if self.queue:
            self.wake()

    def grow(self) -> None:
        """Allow for one more thread, because one is stuck for good."""
        with self._lock:
            self.size += 1
        self.wake()

    def close(self) -> None:
        """Have each thread end when it is done with what it does."""
        self._closed = True
        # Not only the idle ones: an interrupt may have come when somebody was about to wake one.
        for waiter in list(self._waiters):
            with suppress(RuntimeError):
                waiter.release()

    def join(self, timeout: float | None = None) -> list[threading.Thread]:
        """Wait for the end of the threads that do nothing more; return those that will end.

        With a `timeout`, wait for each so many seconds at most.
        """
        busy = []
        for thread in list(self._threads):
            worker = self._workers.get(thread)
            if worker is None or not worker.busy():
                # Python refuses to join a thread whose start was interrupted.
                with suppress(RuntimeError):
                    thread.join(timeout)
            elif not worker.stuck:
                busy.append(thread)
        return busy

    def _take_idle(self) -> Any:
        # Asked first, because the answer is no for every task while all threads are busy, and to
        # catch an exception takes longer than all the rest.
        if not self._idle:
            return None
        try:
            return self._idle.pop()
        except IndexError:
            # Another thread was quicker.
            return None

    def _start(self) -> None:
        with self._lock:
            if self._closed or len(self._threads) >= self.size:
                return
            number = len(self._threads)
            waiter = threading.Lock()
            waiter.acquire()
            # Daemons, because a task that nobody can wait for any more must not keep the
            # interpreter from exiting; those that should be waited for are, see flowy_local.exits.
            thread = threading.Thread(
                target=self._work,
                args=(waiter,),
                name=f"flowy-{self.name}-{number}",
                daemon=True,
            )
            self._threads.append(thread)
            self._waiters.append(waiter)
        try:
            self._waking = True
            thread.start()
        except BaseException:
            # The system has no more threads to give, or Ctrl-C came, and the code may go on.
            self._waking = False
            if thread.ident is None:
                self._threads.remove(thread)
            raise
        finally:
            # Not by `suppress`, which takes so many steps that Ctrl-C may come between them.
            try:  # noqa: SIM105
                waiter.release()
            except RuntimeError:
                # The pool may have been closed meanwhile, and the thread woken by that.
                pass

    def _work(self, waiter: Any) -> None:
        # To start a thread hands the interpreter over to it. Here it comes back, so that this
        # thread gets it when the others block or have had their time, like one that was idle. A
        # burst of 1,000 tiny tasks starts 2 threads that way and not 8, which saves a sixth.
        waiter.acquire()
        self._waking = False
        worker = self._workers[threading.current_thread()] = self._make_worker()
        queue = self.queue
        idle = self._idle
        try:
            while not self._closed:
                try:
                    item = queue.popleft()
                except IndexError:
                    idle.append(waiter)
                    if self._closed or queue:
                        # Something came in between: take the waiter back, unless it is being woken.
                        with suppress(ValueError):
                            idle.remove(waiter)
                            continue
                    waiter.acquire()
                    self._waking = False
                    continue
                if queue and not self._waking:
                    self.wake()
                if not worker.work(item):
                    # What it made ready is for another thread.
                    self.wake()
                    return
        finally:
            worker.close()


class Worker:
    """What a thread does with the items of the queue."""

    #: whether it was given up: nobody knows when what it does will end
    stuck = False

    def work(self, item: Any) -> bool:
        """Work on an item; return whether the thread should go on."""
        raise NotImplementedError

    def busy(self) -> bool:
        """Return whether the worker does something that nobody should wait for."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what the worker holds."""
