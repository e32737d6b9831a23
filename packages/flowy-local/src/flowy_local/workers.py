"""Who runs the activities that are ready: threads, processes, or somebody else's executor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, Protocol

from flowy.heartbeats import call_with_heartbeats, send_heartbeats_to
from flowy_local.activities import Activity, failure_of, run_activity
from flowy_local.threads import ThreadPool, Worker

if TYPE_CHECKING:
    from flowy.run import Task
    from flowy_local.execution import Job
    from flowy_local.scheduler import Scheduler


#: seconds that a process is given to end after SIGTERM before it gets SIGKILL, and that threads are
#: given to end after Ctrl-C
GRACE = 1.0


class ActivityWorkers(Protocol):
    """What runs activities for a run."""

    def wake(self) -> None:
        """See to it that the jobs that are ready get run."""
        ...

    def run_here(self, task: Task) -> bool:
        """Run the task on this thread, if it is the next one and that can be done; say whether."""
        ...

    def close(self) -> None:
        """Take no more jobs."""
        ...

    def kill(self) -> None:
        """Stop the jobs that are running, as far as they can be stopped."""
        ...

    def join(self, timeout: float | None = None) -> list[threading.Thread]:
        """Wait for all that has nothing more to do; return the threads that still have.

        With a `timeout`, wait for each thread so many seconds at most.
        """
        ...


class ThreadedWorkers:
    """Activities on threads of this process, or on threads that each have a process.

    Parameters
    ----------
    scheduler
        the run.
    size
        how many threads.
    worker
        makes what a thread does.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        size: int,
        worker: Callable[[Scheduler, ThreadPool], ActivityWorker],
    ) -> None:
        self._pool = ThreadPool(
            "activity", scheduler.ready, size, lambda: worker(scheduler, self._pool)
        )
        self._scheduler = scheduler
        self.wake = self._pool.wake
        self.close = self._pool.close
        self.join = self._pool.join

    def run_here(self, task: Task) -> bool:
        """Say no: the caller's thread has no process."""
        return False

    def kill(self) -> None:
        """Leave the jobs that are running: a thread cannot be stopped."""


class CallersThread(ThreadedWorkers):
    """Activities on threads; one that the workflow's code waits for may run on the code's own.

    The code can do nothing else meanwhile, and two switches of threads are saved, which take as
    long as all the rest. A task with a limit is left to a thread that can be given up. The task
    sees no context variable of the code, as on any other thread.
    """

    def run_here(self, task: Task) -> bool:
        """Run the task on this thread, if it is the next one and a place is free; say whether."""
        ready = self._scheduler.ready
        target = task.dependency.target
        # Where there is more to do the threads are at it, and it is cheaper to leave it to them.
        if len(ready) != 1 or target.limited:
            return False
        place = self._pool.lend()
        if place is None:
            return False
        try:
            job = self._take(task)
            if job is None:
                return False
            scheduler = self._scheduler
            try:
                if job.execution.info is not None:
                    scheduler.tell_started(job, threading.current_thread().name)
                outcome = Context().run(
                    call_with_heartbeats,
                    job.beat,
                    run_activity,
                    target.function,
                    target.codec,
                    task.input,
                    KeyboardInterrupt,
                )
                scheduler.post_outcome(job, outcome)
            except KeyboardInterrupt as exc:
                # The code may catch it and go on; the task does not, unless it was over.
                scheduler.post_outcome(job, failure_of(exc))
                raise
        finally:
            self._pool.give_back(place)
        # The code may go on for long without calling or waiting for anything.
        if scheduler.runnable:
            scheduler.wake_workflows()
        return True

    def _take(self, task: Task) -> Job | None:
        """Take the task's job if it is the first that is ready."""
        ready = self._scheduler.ready
        try:
            if ready[0].task is not task:
                return None
            job = ready.popleft()
        except IndexError:
            return None
        if job.task is task:
            return job
        # Another thread was quicker.
        ready.appendleft(job)
        return None


class ActivityWorker(Worker):
    """Runs activities on its own thread."""

    def __init__(self, scheduler: Scheduler, pool: ThreadPool) -> None:
        self._scheduler = scheduler
        self._pool = pool
        self._current: Job | None = None
        self._name = threading.current_thread().name
        send_heartbeats_to(self._beat)

    def work(self, job: Job) -> bool:
        """Run the job; return whether the thread should go on."""
        # In this order: whoever ends a job and then finds it current knows that it is running.
        self._current = job
        if not job.over:
            if job.execution.info is not None:
                self._scheduler.tell_started(job, self._name)
            target = job.target
            if target.limited:
                self._watch(job, target)
            scheduler = self._scheduler
            scheduler.post_outcome(job, self._run(job, target))
            # What became ready is for this thread; what became runnable is not.
            if scheduler.runnable:
                scheduler.wake_workflows()
        self._current = None
        return not self.stuck

    def busy(self) -> bool:
        """Return whether a job is running."""
        return self._current is not None

    def abandon(self, job: Job) -> None:
        """Give up a job that passed its limit: its thread cannot be stopped, so have another."""
        if self._current is job:
            self.stuck = True
            self._pool.grow()

    def _watch(self, job: Job, target: Activity) -> None:
        clock = self._scheduler.clock
        job.worker = self
        job.last_beat = clock.now()
        due = [limit for limit in (target.timeout, target.heartbeat) if limit is not None]
        job.timer = clock.call_later(min(due), self._check_limits, job, job.last_beat)

    def _check_limits(self, job: Job, started: float) -> None:
        """Find out, when a limit may have passed, whether it did; else look again later."""
        target = job.target
        clock = self._scheduler.clock
        now = clock.now()
        rest = []
        for limit, since, name in (
            (target.timeout, started, "START_TO_CLOSE"),
            (target.heartbeat, job.last_beat, "HEARTBEAT"),
        ):
            if limit is not None:
                if now >= since + limit:
                    self._scheduler.expire(job, name)
                    return
                rest.append(since + limit - now)
        if not job.over:
            job.timer = clock.call_later(min(rest), self._check_limits, job, started)

    def _run(self, job: Job, target: Activity) -> Any:
        return run_activity(target.function, target.codec, job.task.input)

    def _beat(self, details: Any) -> None:
        job = self._current
        if job is not None:
            job.beat(details)
