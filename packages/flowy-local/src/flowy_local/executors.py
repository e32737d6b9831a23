"""Activities on any executor of `concurrent.futures`, Dask's and loky's among them."""

from __future__ import annotations

import contextvars
import itertools
import os
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from flowy.heartbeats import send_heartbeats_to
from flowy.serialization import Codec
from flowy_local.activities import Failure, failure_of, run_activity

if TYPE_CHECKING:
    from flowy.run import Task
    from flowy_local.execution import Job
    from flowy_local.scheduler import Scheduler

#: the process and a number of its own
_Token = tuple[int, int]

_tokens = itertools.count()
_jobs: WeakValueDictionary[_Token, Job] = WeakValueDictionary()


class ExecutorWorkers:
    """Activities on an executor.

    Parameters
    ----------
    scheduler
        the run.
    size
        how many jobs are with the executor at most.
    make
        makes the executor.
    owned
        whether the executor is the run's own: shut down with it, and made anew when it breaks.
    """

    def __init__(
        self, scheduler: Scheduler, size: int, make: Callable[[], Executor], owned: bool
    ) -> None:
        self._scheduler = scheduler
        self._size = size
        self._make = make
        self._owned = owned
        self._executor = make()
        self._in_flight = 0
        self._count = threading.Lock()
        self._dispatching = threading.Lock()
        self._closed = False

    def wake(self) -> None:
        """Hand jobs that are ready to the executor while it has room."""
        ready = self._scheduler.ready
        # One dispatcher at a time; whoever comes second has appended before the first looks again.
        # An executor may run a job at once, in `submit`, and so come back here.
        while ready and self._has_room() and self._dispatching.acquire(False):
            try:
                while ready and self._has_room():
                    job = ready.popleft()
                    if not job.over:
                        self._submit(job)
            finally:
                self._dispatching.release()

    def run_here(self, task: Task) -> bool:
        """Say no: all jobs are the executor's."""
        return False

    def abandon(self, job: Job) -> None:
        """Give up a job that passed its limit: have another in its place."""
        with self._count:
            self._size += 1

    def close(self) -> None:
        """Take no more jobs."""
        self._closed = True

    def kill(self) -> None:
        """Stop the jobs that are running, as far as the executor can."""
        if self._owned:
            kill = getattr(self._executor, "kill_workers", None)
            if kill is not None:
                kill()
            self._executor.shutdown(wait=False, cancel_futures=True)

    def join(self, timeout: float | None = None) -> list[threading.Thread]:
        """Let go of the executor, and wait for its end if nothing runs on it."""
        if self._owned:
            self._executor.shutdown(wait=not self._in_flight, cancel_futures=True)
        return []

    def _has_room(self) -> bool:
        return self._in_flight < self._size and not self._closed

    def _submit(self, job: Job) -> None:
        target = job.target
        token = (os.getpid(), next(_tokens))
        _jobs[token] = job
        arguments = (token, target.function, target.codec, job.task.input)
        with self._count:
            self._in_flight += 1
        job.worker = self
        if job.execution.info is not None:
            self._scheduler.tell_started(job, type(self._executor).__name__)
        if target.timeout is not None:
            job.timer = self._scheduler.clock.call_later(
                target.timeout, self._scheduler.expire, job, "START_TO_CLOSE"
            )
        try:
            try:
                future = self._executor.submit(_run_job, *arguments)
            except BrokenExecutor:
                if not self._owned:
                    raise
                self._executor.shutdown(wait=False)
                self._executor = self._make()
                future = self._executor.submit(_run_job, *arguments)
        except Exception as exc:
            self._done(job, failure_of(exc))
            return
        future.add_done_callback(lambda future: self._done(job, _outcome(future)))

    def _done(self, job: Job, outcome: Any) -> None:
        with self._count:
            self._in_flight -= 1
        self._scheduler.post_outcome(job, outcome)
        self._scheduler.wake()


def _outcome(future: Future[Any]) -> Any:
    try:
        outcome = future.result()
    except BrokenExecutor as exc:
        return Failure("ProcessDied", f"the executor broke while it had the task: {exc}", "", exc)
    except BaseException as exc:
        # Cancelled, or the function, the input or the result does not get there or back.
        return failure_of(exc)
    return outcome.unpacked() if type(outcome) is Failure else outcome


def _run_job(token: _Token, function: Callable[..., Any], codec: Codec, payload: Any) -> Any:
    """Run an activity on the executor: in this process or, as likely, in another."""
    job = _jobs.get(token) if token[0] == os.getpid() else None
    if job is None:
        outcome = run_activity(function, codec, payload)
        return outcome.packed() if type(outcome) is Failure else outcome
    return contextvars.copy_context().run(_run_beating, job, function, codec, payload)


def _run_beating(job: Job, function: Callable[..., Any], codec: Codec, payload: Any) -> Any:
    send_heartbeats_to(job.beat)
    return run_activity(function, codec, payload)
