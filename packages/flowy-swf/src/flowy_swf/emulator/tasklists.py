"""Task lists: tasks by priority and age, and the pollers that wait for them."""

from __future__ import annotations

import heapq
import threading
from dataclasses import dataclass
from itertools import count

from flowy_swf.emulator.execution import Task


class Caller:
    """Whoever makes a call: how the service tells callers apart and whether one is still there.

    This one is a thread that calls in process, and never goes away while it waits.
    """

    def __init__(self) -> None:
        self.thread = threading.get_ident()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Caller) and self.thread == other.thread

    def gone(self) -> bool:
        """Say whether nobody would get the answer."""
        return False

    def alone(self) -> bool:
        """Say whether this is certainly one thread, which cannot poll and work at once."""
        return True


@dataclass(frozen=True)
class Poller:
    """A long poll that is being held. Introspection gives these."""

    kind: str
    domain: str
    task_list: str
    identity: str | None


class TaskList:
    """The tasks of one kind that wait in one list, and the polls held for it."""

    def __init__(self, lock: threading.Lock) -> None:
        self._ready: list[tuple[int, int, Task]] = []
        self._serial = count()
        #: How many tasks wait.
        self.pending = 0
        #: Told when there is a task, or a reason to look at the time.
        self.condition = threading.Condition(lock)
        self.held: list[tuple[Poller, Caller]] = []

    @property
    def idle(self) -> bool:
        """Say whether no task and no poller waits here."""
        return not self.pending and not self.held

    def push(self, task: Task) -> None:
        """Add a task and wake one poller."""
        priority = int(task.attributes.get("taskPriority", "0"))
        heapq.heappush(self._ready, (-priority, next(self._serial), task))
        task.queued = True
        self.pending += 1
        self.condition.notify()

    def discard(self, task: Task) -> None:
        """Take a task out, wherever in the list it is."""
        task.queued = False
        self.pending -= 1
        if not self.pending:
            self._ready.clear()  # what is left in it was taken out before

    def pop(self) -> Task | None:
        """Take the next task out: the highest priority, then the oldest."""
        while self._ready:
            task = heapq.heappop(self._ready)[2]
            if task.queued:
                self.discard(task)
                return task
        return None
