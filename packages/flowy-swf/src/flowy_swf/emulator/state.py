"""Everything the service knows, under one lock, and how it moves through time.

An operation changes one execution. What that means for others (a parent, a child, the target of a
signal) and for alarms that are due goes through `later` and the timeline, and happens before the
lock is released, each thing in a guard of its own: an execution that closes under one of them stops
nothing else.
"""

from __future__ import annotations

import base64
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

from flowy_swf.emulator import faults
from flowy_swf.emulator.clock import Clock, Timeline
from flowy_swf.emulator.execution import Execution, Task
from flowy_swf.emulator.injection import Injection
from flowy_swf.emulator.lambdas import Lambdas
from flowy_swf.emulator.registry import Domain
from flowy_swf.emulator.tasklists import TaskList

#: How long nothing must have happened, in seconds of the machine's clock, before a skipping clock
#: moves to a time-out. It moves to timers at once.
_QUIET = 0.5


@dataclass(frozen=True)
class Quotas:
    """What the service allows; the defaults are those of Amazon SWF."""

    #: Of one execution.
    open_activities: int = 1_000
    open_timers: int = 1_000
    open_children: int = 1_000
    open_lambdas: int = 1_000
    events: int = 25_000
    #: Of one domain.
    open_executions: int = 100_000
    types: int = 10_000
    #: Of one task list.
    pollers: int = 1_000
    #: Of the account.
    domains: int = 100


class ExecutionClosedError(Exception):
    """An execution closed under what was being done to it, so the rest of it is dropped."""


class HistoryFullError(Exception):
    """A history has no room for an event, so what needs the event is dropped."""

    def __init__(self, execution: Execution) -> None:
        super().__init__(execution)
        self.execution = execution


class State:
    """The service's memory. Whoever uses it holds ``lock``."""

    def __init__(
        self,
        clock: Clock,
        quotas: Quotas,
        retention: float | None,
        history_full: Callable[[State, Execution], None],
    ) -> None:
        self.lock = threading.Lock()
        self.clock = clock
        self.quotas = quotas
        self.retention = retention
        self._history_full = history_full
        self.timeline = Timeline(clock.now())
        self.injection = Injection()
        self.lambdas = Lambdas()
        self.domains: dict[str, Domain] = {}
        self.runs: dict[str, Execution] = {}
        #: Open executions of each domain by workflow id, in the order they started.
        self.open: dict[str, dict[str, Execution]] = {}
        #: Closed executions of each domain by run id, in the order they closed.
        self.closed: dict[str, dict[str, Execution]] = {}
        self.lists: dict[tuple[str, str, str], TaskList] = {}
        #: Tasks somebody works on, so that time must not skip.
        self.busy: set[Task] = set()
        #: Told of each execution that closes.
        self.archive: Callable[[Execution], None] | None = None
        self.stopping = False
        #: Numbers executions as they start and close.
        self.order = count()
        #: Grows, and its condition is told, whenever something was done.
        self.serial = 0
        self.changed = threading.Condition(self.lock)
        self._outbox: deque[Callable[[], None]] = deque()
        self._expiring: deque[tuple[float, Execution]] = deque()
        self._watched = float("inf")
        self._touched = time.monotonic()

    @property
    def now(self) -> int:
        """Give the moment that is happening, in milliseconds since 1970."""
        return self.timeline.now

    def domain(self, name: str) -> Domain:
        """Give a domain, or raise the fault."""
        if name not in self.domains:
            raise faults.unknown_domain(name)
        return self.domains[name]

    def active_domain(self, name: str) -> Domain:
        """Give a domain in which things can be registered and started, or raise the fault."""
        domain = self.domain(name)
        if domain.deprecated:
            raise faults.Fault("DomainDeprecatedFault", name)
        return domain

    def open_execution(self, domain: str, workflow_id: str, run_id: str) -> Execution | None:
        """Give the open execution of that workflow id and, unless empty, of that run id."""
        execution = self.open.get(domain, {}).get(workflow_id)
        if execution is not None and run_id in ("", execution.run_id):
            return execution
        return None

    def task_list(self, kind: str, domain: str, name: str) -> TaskList:
        """Give a task list; it is made when it is needed and forgotten when it is idle."""
        key = (kind, domain, name)
        if key not in self.lists:
            self.lists[key] = TaskList(self.lock)
        return self.lists[key]

    def list_of(self, task: Task) -> TaskList:
        """Give the list that a task is scheduled in."""
        return self.task_list(task.kind, task.execution.domain, task.attributes["taskList"]["name"])

    def dequeue(self, task: Task) -> None:
        """Take a task out of its list, if it is in it."""
        if task.queued:
            self.list_of(task).discard(task)
            self.forget_idle(task.kind, task.execution.domain, task.attributes["taskList"]["name"])

    def forget_idle(self, kind: str, domain: str, name: str) -> None:
        """Forget a task list in which nothing waits: some have a list for every execution."""
        if self.lists[kind, domain, name].idle:
            del self.lists[kind, domain, name]

    @staticmethod
    def new_run_id() -> str:
        """Make a run id such as the service makes: long, random, in base 64."""
        return "22" + base64.b64encode(os.urandom(32)).decode()

    def later(self, action: Callable[[], None]) -> None:
        """Let something happen once what is being done is done, before anybody else sees it."""
        self._outbox.append(action)

    def keep_closed(self, execution: Execution) -> None:
        """Move an execution to the closed ones, where retention finds it."""
        execution.close_order = next(self.order)
        del self.open[execution.domain][execution.workflow_id]
        self.closed.setdefault(execution.domain, {})[execution.run_id] = execution
        if self.archive is not None:
            self.archive(execution)
        if self.retention is not None:
            self._expiring.append((self.now + self.retention * 1000, execution))

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""
        self._move_to(self.clock.now())

    def advance(self, seconds: float) -> None:
        """Put the clock forward and let everything on the way happen, each at its time."""
        self.clock.advance(round(seconds * 1000))
        self.settle()

    def touch(self) -> None:
        """Note that somebody uses the service."""
        self._touched = time.monotonic()

    def settle(self) -> None:
        """Let everything happen that follows from what was done, and skip time if it may be."""
        self.catch_up()
        self._skip()
        first = self.timeline.first()
        if first is not None and first.due < self._watched and self.clock.kind != "virtual":
            self._watched = first.due
            self.wake_pollers()
        self._tell()

    def _tell(self) -> None:
        self.serial += 1
        self.changed.notify_all()

    def wake_pollers(self) -> None:
        """Make every held poll look at the time, the queue and whether the service stops."""
        for each in self.lists.values():
            if each.held:
                each.condition.notify_all()

    def patience(self) -> float | None:
        """Say for how many seconds a held poll may wait before it must look at the time."""
        first = self.timeline.first()
        if first is None or self.clock.kind == "virtual":
            return None
        self._watched = first.due
        wait = max(first.due - self.clock.now(), 0) / 1000
        if self.clock.kind == "skipping":
            wait = min(wait, max(self._touched + _QUIET - time.monotonic(), 0.01))
        return wait

    def _skip(self) -> None:
        """Move a skipping clock to the next due moment while every poller is idle."""
        if self.clock.kind != "skipping":
            return
        while (first := self.timeline.first()) is not None and self._may_skip_to(first.prompt):
            self.clock.advance(max(first.due - self.clock.now(), 0))
            self.catch_up()
            self.touch()

    def _may_skip_to(self, prompt: bool) -> bool:
        lists = self.lists.values()
        if self.busy or not any(not caller.gone() for each in lists for _, caller in each.held):
            return False
        if any(each.held and each.pending for each in lists):
            return False  # a poller was woken for a task, and its thread has not come to it yet
        # A time-out says that something did not happen in time, so it must have had the chance:
        # a worker may be about to poll. Timers race with nothing as long as no task is waiting.
        quiet = time.monotonic() - self._touched >= _QUIET
        return quiet or (prompt and not any(each.pending for each in lists))

    def _move_to(self, until: int) -> None:
        self._drain()
        while (action := self.timeline.take_due(until)) is not None:
            self.attempt(action)
            self._drain()
            self._tell()
        while self._expiring and self._expiring[0][0] <= self.now:
            _, execution = self._expiring.popleft()
            del self.closed[execution.domain][execution.run_id]
            del self.runs[execution.run_id]

    def _drain(self) -> None:
        while self._outbox:
            self.attempt(self._outbox.popleft())

    def attempt(self, action: Callable[[], object]) -> None:
        """Do something to an execution that may close on the way."""
        try:
            action()
        except ExecutionClosedError:
            pass
        except HistoryFullError as full:
            self.later(partial(self._history_full, self, full.execution))
