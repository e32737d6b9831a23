"""One execution on the local engine: carries out what the machine wishes, and parks its code."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowy.engine_api import ExecutionInfo
from flowy.errors import NonDeterminismError, SuspendTask, TaskCancelled
from flowy.events import CloseWorkflow, Event, TimerFired
from flowy.execution import Execution
from flowy.run import Task, calls_of
from flowy.task import Node
from flowy_local.activities import Activity
from flowy_local.threads import wait_on_main

if TYPE_CHECKING:
    from flowy_local.scheduler import Scheduler
    from flowy_local.watch import Watch
    from flowy_local.workflow import LocalWorkflow

logger = logging.getLogger("flowy.local")

#: A child that has made fewer nodes than this is suspended rather than parked: to run so little
#: again costs less than to hand its thread over and back.
PARK_FROM = 50

#: About what it takes to run the code again, in seconds a node. A parked child is left alone for
#: as long as its replay would take; then another child may have its thread. So no mix of children
#: spends more than half of its time on replay.
REPLAY_COST = 3e-6


@dataclass(frozen=True, slots=True)
class Child:
    """What the local engine has to know of a child workflow."""

    config: LocalWorkflow
    #: seconds that an attempt may take, or None
    timeout: float | None = None


class Job:
    """One attempt at a task, from when it is ready until it is over."""

    __slots__ = (
        "__weakref__",
        "child",
        "details",
        "execution",
        "last_beat",
        "over",
        "target",
        "task",
        "timer",
        "worker",
    )

    def __init__(self, execution: LocalExecution, task: Task, target: Any) -> None:
        self.execution = execution
        self.task = task
        #: an Activity or a Child, by the task's kind
        self.target = target
        #: whether its outcome does not count (any more)
        self.over = False
        self.child: LocalExecution | None = None
        self.worker: Any = None
        self.timer: Any = None

    #: when it began or gave its last heartbeat, by the scheduler's clock; not there before
    last_beat: float
    #: of the last heartbeat; not there before
    details: Any

    def beat(self, details: Any) -> None:
        """Take a heartbeat; raise TaskCancelled when nobody needs the job any more."""
        if self.over or self.execution.scheduler.over:
            raise TaskCancelled("nobody needs its result any more", name=self.task.dependency.name)
        self.details = details
        self.last_beat = self.execution.scheduler.clock.now()


class LocalExecution:
    """An execution of the run.

    Parameters
    ----------
    scheduler
        the run.
    config
        the workflow.
    payload
        of its input.
    job
        the parent's call, or None for the root.
    restarts
        how many executions of a chain of restarts came before.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        config: LocalWorkflow,
        payload: Any,
        job: Job | None,
        restarts: int = 0,
    ) -> None:
        self.scheduler = scheduler
        self.config = config
        self.job = job
        self._restarts = restarts
        #: whether its outcome, and what it still has open, does not count any more
        self.dropped = False
        self.core = Execution(
            config.factory,
            config.dependencies,
            payload,
            codec=config.codec,
            carrier=self,
            park=self._park,
            lock=scheduler,
            forgets=job is None,
        )
        # The code is running, parked (its thread waits for `_waiter`), suspended (no thread has
        # it), or over; the lock guards these.
        self._parked = False
        self._suspended = False
        self._evicted = False
        self._waiter = threading.Lock()
        self._waiter.acquire()
        self._delays = 0
        #: what observers are told of it, if there are any
        self.info: ExecutionInfo | None = None
        #: who tells them; not there without any
        self.watch: Watch
        if scheduler.watch is not None:
            self.watch = scheduler.watch
            self.info = self._describe(restarts)
            self.watch.execution_started(self.info, payload, self.watch.time())

    def again(self, payload: Any) -> LocalExecution:
        """Return the execution that a restart starts."""
        restarts = self._restarts + 1
        execution = LocalExecution(self.scheduler, self.config, payload, self.job, restarts)
        if self.job is not None:
            self.job.child = execution
        return execution

    def _describe(self, restarts: int) -> ExecutionInfo:
        if self.job is None:
            return ExecutionInfo.root(self.config.name, restarts)
        parent = self.job.execution.info
        assert parent is not None
        return parent.child(self.job.task.call, self.config.name, restarts)

    # --- what the machine wishes, under the lock -----------------------------------------------

    def schedule(self, task: Task) -> None:
        """Have the task run."""
        scheduler = self.scheduler
        if self.dropped or scheduler.over:
            return
        target = task.dependency.target
        task.carried = job = Job(self, task, target)
        if self.info is not None:
            watch = self.watch
            sources = calls_of(task.sources) if task.sources else ()
            kind = task.dependency.kind
            now = watch.epoch + watch.now()
            watch.task_scheduled(self.info, task.call, task.input, kind, sources, now)
        task.sources = ()
        scheduler.unfinished += 1
        if type(target) is Activity:
            scheduler.ready.append(job)
        else:
            scheduler.runnable.append(job)
            if target.timeout is not None:
                job.timer = scheduler.clock.call_later(
                    target.timeout, scheduler.expire, job, "START_TO_CLOSE"
                )

    def start_timer(self, task: Task, delay: float) -> None:
        """Tell the machine after `delay` seconds."""
        if self.dropped or self.scheduler.over:
            return
        if self.info is not None:
            self.watch.delayed(self.info, task.call, delay)
        self._delays += 1
        self.scheduler.unfinished += 1
        self.scheduler.clock.call_later(delay, self.scheduler.fire, self, task)

    def close(self, command: CloseWorkflow) -> None:
        """Let go of what nobody needs any more, and tell whoever waits for the end."""
        if self.info is not None:
            self.watch.command(self.info, command, self.watch.time())
        if not self.scheduler.waits:
            self.drop()
        if self.job is not None:
            self.scheduler.finished_later(self)
        else:
            self.wake_parked()

    # --- what the scheduler tells, under the lock ----------------------------------------------

    def timer_fired(self, task: Task) -> None:
        """Take in the end of a delay."""
        self._delays -= 1
        self.happened(TimerFired(task.call))
        # Not as an event: a closed execution takes none, and this may be a task that nobody needs.
        self.core.attempt(task)

    def happened(self, event: Event) -> None:
        """Tell observers, if there are any."""
        if self.info is not None:
            self.watch.event(self.info, event, self.watch.time())

    def started(self, job: Job, worker: str) -> None:
        """Tell the observers, which there are, that a worker began with a job."""
        if not job.over:
            assert self.info is not None
            watch = self.watch
            watch.task_started(self.info, job.task.call, worker, watch.epoch + watch.now())

    def unblock(self) -> None:
        """Let the code go on: what it stopped on has closed."""
        if self._suspended:
            self._suspended = False
            assert self.job is not None
            self.scheduler.runnable.append(self.job)
        else:
            self.wake_parked()

    def wake_parked(self) -> None:
        """Let the code's thread go on if it is parked."""
        if self._parked:
            self._parked = False
            self.scheduler.evictable.pop(self, None)
            self._waiter.release()
            # Last: an interrupt may come before, and then `leave` is what wakes it.
            self.scheduler.parked.discard(self)

    def evict(self) -> None:
        """Suspend the code if it is parked."""
        if self._parked:
            self._evicted = True
            self.wake_parked()

    def leave(self) -> None:
        """Have the parked code leave its thread, even if an interrupt came while it was woken."""
        self._evicted = True
        with suppress(RuntimeError):
            self._waiter.release()

    @property
    def leaving(self) -> bool:
        """Whether the code is about to leave its thread, because it was told to."""
        return self._evicted

    def drop(self) -> None:
        """Forget all that this execution has open, and what its children have."""
        stack = [self]
        while stack:
            execution = stack.pop()
            if execution.dropped:
                continue
            execution.dropped = True
            self.scheduler.unfinished -= execution._delays
            execution.evict()
            for task in execution.core.open_calls():
                job = task.carried
                if job is None or job.over:
                    continue
                self.scheduler.end(job)
                if job.child is not None:
                    stack.append(job.child)

    def log_unseen_failures(self) -> None:
        """Warn of each failed task whose failure nobody looked at."""
        for error in self.core.unseen_failures():
            logger.warning(
                "%s ended and never looked at this failure: %s", self.config.name, error.summary()
            )

    # --- the code's own thread -----------------------------------------------------------------

    def run_child(self) -> None:
        """Run the code until it ends or stops; raise NonDeterminismError if it differs."""
        if self.dropped:
            return
        self._evicted = False
        job = self.job
        assert job is not None
        try:
            self.core.run()
        except NonDeterminismError:
            raise
        except BaseException as exc:
            # SystemExit and the like end this workflow, not the thread that it happens to run on.
            with self.scheduler:
                self.core.fail(exc)
            return
        with self.scheduler:
            if self.core.runnable:
                self.scheduler.runnable.append(job)
            elif self.core.closed is None:
                self._suspended = True

    def wait_until_closed(self) -> None:
        """Hold the root's thread until the execution is closed."""
        with self.scheduler as scheduler:
            if self.core.closed is not None:
                return
            scheduler.check()
            self._parked = True
        self._take_waiter()
        scheduler.check()

    def _park(self, core: Execution, node: Node) -> None:
        if self.job is None:
            self._park_root(node)
        else:
            self._park_child(core, node)

    def _park_root(self, node: Node) -> None:
        scheduler = self.scheduler
        if (
            isinstance(node, Task)
            and type(node.dependency.target) is Activity
            and scheduler.workers.run_here(node)
            and node.order is not None
        ):
            return
        with scheduler:
            if node.order is not None:
                return
            scheduler.check()
            self._parked = True
        self._take_waiter()
        scheduler.check()

    def _park_child(self, core: Execution, node: Node) -> None:
        with self.scheduler as scheduler:
            if node.order is not None:
                return
            if self.dropped or scheduler.over or core.created < PARK_FROM:
                raise SuspendTask
            self._parked = True
            scheduler.parked.add(self)
        if not self._waiter.acquire(timeout=core.created * REPLAY_COST):
            with scheduler:
                if self._parked:
                    if scheduler.runnable:
                        self._parked = False
                        scheduler.parked.discard(self)
                        raise SuspendTask
                    scheduler.evictable[self] = None
            self._waiter.acquire()
        if self._evicted:
            raise SuspendTask

    def _take_waiter(self) -> None:
        """Wait until somebody wakes the parked code."""
        self.scheduler.let_go()
        try:
            wait_on_main(self._waiter)
        except BaseException:
            # Ctrl-C: leave the waiter as it was, for the code may catch this and wait again.
            with self.scheduler:
                if self._parked:
                    self._parked = False
                else:
                    # It was released; the interrupt came before or after it was taken.
                    self._waiter.acquire(False)
            raise
