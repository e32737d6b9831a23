"""One run of a workflow with all its children: what is ready, what has ended, who is told.

The graphs of all executions of a run are guarded by one lock. A worker that ends a task does not
queue for it: it posts what happened, and whoever holds the lock deals with the posts before letting
it go for good. Python's locks are handed over to a waiter that cannot run before it gets the
interpreter as well, so that threads queueing for a lock that is taken for every task would proceed
at the pace of thread switches, two a task.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from flowy.events import (
    CompleteWorkflow,
    FailWorkflow,
    RestartWorkflow,
    TaskTimedOut,
)
from flowy_local.activities import Failure, failure_of
from flowy_local.execution import Job, LocalExecution
from flowy_local.threads import ThreadPool, Worker, wait_on_main
from flowy_local.timers import Clock

if TYPE_CHECKING:
    from flowy.run import Task
    from flowy_local.watch import Watch
    from flowy_local.workers import ActivityWorkers
    from flowy_local.workflow import LocalWorkflow


#: how many activities may wait for a thread before children that begin let those threads go first
BACKLOG = 32

#: how often the lock is tried for before a thread queues for it
TRIES = 20


class Scheduler:
    """The shared state of a run.

    It is a context manager: the lock of the executions' graphs.
    """

    def __init__(self, clock: Clock, workflow_workers: int, waits: bool) -> None:
        self.clock = clock
        #: whether tasks are run to their end even if nobody needs them any more
        self.waits = waits
        #: tells observers, if there are any
        self.watch: Watch | None = None
        #: the activities that are ready to run
        self.ready: deque[Job] = deque()
        #: the jobs of the children whose code can begin or go on
        self.runnable: deque[Job] = deque()
        #: the children that are parked on a thread and have been for long enough to be suspended
        self.evictable: dict[LocalExecution, None] = {}
        #: what went wrong with the engine itself, or the decision that failed
        self.crash: BaseException | None = None
        #: how many jobs have been made and are not over
        self.unfinished = 0
        self.workflow_threads = ThreadPool(
            "workflow", self.runnable, workflow_workers, lambda: _WorkflowWorker(self)
        )
        #: who takes what is in `ready`; set before the run begins
        self.workers: ActivityWorkers
        self.wake_activities: Callable[[], None]
        # Reentrant for the sake of `let_go` alone.
        self._lock = threading.RLock()
        self._posts: deque[tuple[Callable[[Any, Any], None], Any, Any]] = deque()
        self._all_over: Any = None
        #: the execution that runs on the caller's thread
        self.root: LocalExecution | None = None
        #: the children whose code is parked on a thread
        self.parked: set[LocalExecution] = set()
        #: whether the run has ended: nothing begins any more, and no code is parked
        self.over = False

    # --- the lock ------------------------------------------------------------------------------

    def __enter__(self) -> Scheduler:
        if not self._lock.acquire(False):
            self._wait_for_lock()
        return self

    def _wait_for_lock(self) -> None:
        # Without queueing: a lock that is handed over to this thread stays taken until this thread
        # gets the interpreter, and meanwhile the others run into it one after another. Three
        # threads that did so switched four times a child, which took longer than all the rest.
        for _ in range(TRIES):
            # Lets another thread run; as a rule that is the one with the lock.
            time.sleep(0)
            if self._lock.acquire(False):
                return
        # It does something else than compute, such as tell an observer who writes a file.
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()
        if self._posts:
            self._deal()
        if self.ready:
            self.wake_activities()
        if self.runnable:
            self.wake_workflows()

    def let_go(self) -> None:
        """Release the lock if an interrupt left it with this thread.

        Ctrl-C is raised between any two steps of the main thread, even between taking a lock and
        entering the block that would release it.
        """
        while self._lock._is_owned():  # type: ignore[attr-defined]
            self._lock.release()

    def post(self, deal: Callable[[Any, Any], None], subject: Any, data: Any) -> None:
        """Have `deal(subject, data)` called under the lock, by this thread or another, soon."""
        self._posts.append((deal, subject, data))
        self._deal()
        # Not only for this post: whoever holds the lock deals with those of others as well.
        self.wake()

    def tell_started(self, job: Job, worker: str) -> None:
        """Tell observers that a worker begins with a job, at once if nobody has the lock."""
        if not self._lock.acquire(False):
            self.post(job.execution.started, job, worker)
            return
        try:
            job.execution.started(job, worker)
        finally:
            self._lock.release()
        if self._posts:
            self._deal()
            self.wake()

    def post_outcome(self, job: Job, outcome: Any) -> None:
        """Post the end of a job: its result's payload, or a Failure.

        A caller that does not go on to take a job itself calls `wake` afterwards.
        """
        deal = self.failed if type(outcome) is Failure else self.completed
        self._posts.append((deal, job, outcome))
        self._deal()

    def _deal(self) -> None:
        posts = self._posts
        # Whoever fails to get the lock here posted before its holder looked for the last time.
        while posts and self._lock.acquire(False):
            try:
                while posts:
                    deal, subject, data = posts.popleft()
                    deal(subject, data)
            except BaseException as exc:
                self._crashed(exc, None)
                if isinstance(exc, KeyboardInterrupt):
                    # It is for the code that this thread runs, which may go on for long.
                    raise
            finally:
                self._lock.release()

    def wake(self) -> None:
        """See to it that what is ready gets run."""
        if self.ready:
            self.wake_activities()
        if self.runnable:
            self.wake_workflows()

    def wake_workflows(self) -> None:
        """See to it that children that can go on do, on the thread of a parked one if need be."""
        self.workflow_threads.wake()
        if self.evictable and self.workflow_threads.saturated:
            # Not by `post`, which would come back here.
            self._posts.append((self._evict, None, None))
            self._deal()
            # That dealt with the posts of others as well, who may have woken nobody yet.
            if self.ready:
                self.wake_activities()
            if self.runnable:
                self.workflow_threads.wake()

    def _evict(self, _subject: None, _data: None) -> None:
        if self.evictable:
            next(iter(self.evictable)).evict()

    # --- what happens, on whatever thread ------------------------------------------------------

    def expire(self, job: Job, limit: str) -> None:
        """Take note that a job passed one of its limits."""
        self.post(self._timed_out, job, limit)

    def fire(self, execution: LocalExecution, task: Task) -> None:
        """Take note that the delay before an attempt is over."""
        self.post(self._timer_fired, execution, task)

    def fail(self, exc: BaseException) -> None:
        """End the run with an error that is no workflow's."""
        self.post(self._crashed, exc, None)

    # --- the same under the lock ---------------------------------------------------------------

    def completed(self, job: Job, payload: Any) -> None:
        """Deal with the good end of a job."""
        if job.over:
            return
        self.end(job)
        execution = job.execution
        if execution.info is not None:
            watch = execution.watch
            now = watch.epoch + watch.now()
            watch.task_completed(execution.info, job.task.call, payload, now)
        execution.core.complete_task(job.task, payload)
        self._progressed(execution)

    def failed(self, job: Job, failure: Failure) -> None:
        """Deal with the bad end of a job."""
        if job.over:
            return
        self.end(job)
        core = job.execution.core
        task = job.task
        call = task.call
        error = failure.error(call.name, str(call))
        if job.execution.info is not None:
            job.execution.happened(failure.event(call))
        if failure.cancelled:
            core.close_task_with(task, error)
        else:
            core.fail_task(task, "error", error)
        self._progressed(job.execution)

    def _timed_out(self, job: Job, limit: str) -> None:
        if job.over:
            return
        self.end(job)
        if job.child is not None:
            job.child.drop()
        if job.worker is not None:
            job.worker.abandon(job)
        if job.execution.info is not None:
            job.execution.happened(TaskTimedOut(job.task.call, limit))
        job.execution.core.time_out_task(job.task, limit)
        self._progressed(job.execution)

    def _timer_fired(self, execution: LocalExecution, task: Task) -> None:
        if not execution.dropped:
            self.unfinished -= 1
            execution.timer_fired(task)
            self._check_all_over()

    def finished_later(self, execution: LocalExecution) -> None:
        """Deal with a child that closed, after what is being dealt with."""
        self._posts.append((self._finished, execution, None))

    def _finished(self, execution: LocalExecution, _data: None) -> None:
        job = execution.job
        assert job is not None
        execution.log_unseen_failures()
        closed = execution.core.closed
        if isinstance(closed, RestartWorkflow):
            if not job.over:
                execution.again(closed.input)
                self.runnable.append(job)
        elif isinstance(closed, CompleteWorkflow):
            job.child = None
            self.completed(job, closed.result)
        elif isinstance(closed, FailWorkflow):
            job.child = None
            self.failed(job, failure_of(closed.error))
        if execution.dropped:
            # Its code and its graph have ended, and what its jobs and delays tell is not taken in.
            execution.core.discard()

    def drop_all(self) -> None:
        """Forget all that is open; do it all again if an interrupt came in between."""
        self.over = True
        if self.root is not None:
            self.root.drop()
        # What is left is below one that closed, or that was being dropped when an interrupt came.
        for execution in list(self.parked):
            execution.leave()

    def end(self, job: Job) -> None:
        """Take note that the outcome of a job does not count any more."""
        job.over = True
        self.unfinished -= 1
        if job.timer is not None:
            job.timer.cancel()

    def _progressed(self, execution: LocalExecution) -> None:
        node = execution.core.blocked_on
        if node is not None and node.order is not None:
            execution.unblock()
        self._check_all_over()

    def _check_all_over(self) -> None:
        if self._all_over is not None and not self.unfinished:
            self._all_over.release()
            self._all_over = None

    def _crashed(self, exc: BaseException, _data: None) -> None:
        if self.crash is None:
            self.crash = exc
        if self.root is not None:
            self.root.wake_parked()
        if self._all_over is not None:
            self._all_over.release()
            self._all_over = None

    # --- the root's thread ---------------------------------------------------------------------

    def check(self) -> None:
        """Raise what ended the run, if something did that is no workflow's error."""
        if self.crash is not None:
            raise self.crash

    def run_root(self, config: LocalWorkflow, payload: Any) -> Any:
        """Run a workflow on this thread; return its result's payload or raise its error."""
        root = LocalExecution(self, config, payload, None)
        while True:
            self.root = root
            root.core.run()
            root.wait_until_closed()
            closed = root.core.closed
            if not isinstance(closed, RestartWorkflow):
                break
            root.log_unseen_failures()
            # Under the lock, because observers are told one thing at a time, and tasks of the old
            # one may be ending, with `_wait`.
            with self:
                root = root.again(closed.input)
        if self.waits:
            self._wait_until_all_over()
        root.log_unseen_failures()
        if isinstance(closed, FailWorkflow):
            raise closed.error
        assert isinstance(closed, CompleteWorkflow)
        return closed.result

    def _wait_until_all_over(self) -> None:
        waiter = threading.Lock()
        waiter.acquire()
        with self:
            self.check()
            if not self.unfinished:
                return
            self._all_over = waiter
        wait_on_main(waiter)
        self.check()


class _WorkflowWorker(Worker):
    """Runs the code of children."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.current: LocalExecution | None = None

    def work(self, job: Job) -> bool:
        """Run the child until it ends or stops."""
        child = job.child
        try:
            if child is None:
                child = self._begin(job)
            if child is not None:
                self.current = child
                child.run_child()
        except BaseException as exc:
            self._scheduler.fail(exc)
        self.current = None
        return True

    def _begin(self, job: Job) -> LocalExecution | None:
        """Make the execution of a child, only now: so one that waits for a thread is small."""
        scheduler = self._scheduler
        if len(scheduler.ready) > BACKLOG:
            # Lets another thread run: children that are under way while activities queue only pile
            # up for the garbage collector, which took a third of the time of each of 100,000.
            time.sleep(0)
        with scheduler:
            if job.over or self._scheduler.over:
                return None
            if job.execution.info is not None:
                job.execution.started(job, threading.current_thread().name)
            job.child = LocalExecution(scheduler, job.target.config, job.task.input, job)
            return job.child

    def busy(self) -> bool:
        """Return whether code is running that was not told to leave."""
        current = self.current
        return current is not None and not current.leaving
