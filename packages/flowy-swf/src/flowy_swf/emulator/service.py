"""The service: a table of operations, and what each call goes through.

A call meets the faults put in for it, is checked, lets everything happen that is due, and is
carried out under the service's lock. Long polls let go of the lock while they wait.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from flowy_swf.emulator import faults, operations, registry, tasks, visibility
from flowy_swf.emulator.execution import Task
from flowy_swf.emulator.model import Json
from flowy_swf.emulator.state import State
from flowy_swf.emulator.tasklists import Caller, Poller
from flowy_swf.emulator.validation import check_request

_log = logging.getLogger(__name__)

_OPERATIONS: dict[str, Callable[[State, Json], Json]] = {
    **registry.OPERATIONS,
    **operations.OPERATIONS,
    **visibility.OPERATIONS,
}


class CutError(Exception):
    """The connection of this call is to be cut without an answer."""


class Service:
    """Carry out calls. ``long_poll`` is how long a poll is held, in seconds of the machine."""

    def __init__(self, state: State, long_poll: float, lose_polls: bool) -> None:
        self.state = state
        self._long_poll = long_poll
        self._lose_polls = lose_polls
        self._stopped = threading.Event()

    def call(self, operation: str, request: Any, caller: Caller) -> Json:
        """Answer a call, or raise the Fault it is answered with, or CutError."""
        injection = self.state.injection
        delay = injection.next_delay(operation)
        if delay is not None:
            self._stopped.wait(delay)
        cut = injection.next_cut(operation)
        if cut == "before":
            raise CutError
        error = injection.next_error(operation)
        if error is not None:
            raise error
        try:
            response = self._carry_out(operation, check_request(operation, request), caller)
        except faults.Fault:
            raise
        except Exception:
            _log.exception("the emulator failed to carry out %s of %r", operation, request)
            message = f"the emulator failed to carry out {operation}; its log says why"
            raise faults.Fault("InternalFailure", message) from None
        if cut == "after":
            raise CutError
        return response

    def stop(self) -> None:
        """End held polls and delays at once; calls are still answered, but nothing waits."""
        self._stopped.set()
        with self.state.lock:
            self.state.stopping = True
            self.state.wake_pollers()

    def resume(self) -> None:
        """Let polls wait again."""
        with self.state.lock:
            self._stopped.clear()
            self.state.stopping = False

    def _carry_out(self, operation: str, request: Json, caller: Caller) -> Json:
        with self.state.lock:
            self.state.touch()
            self.state.catch_up()
            if operation == "PollForDecisionTask":
                return self._poll_decision(request, caller)
            if operation == "PollForActivityTask":
                return self._poll_activity(request, caller)
            response: Json = {}

            def act() -> None:
                if operation == "RecordActivityTaskHeartbeat":
                    response.update(operations.record_heartbeat(self.state, request, caller))
                else:
                    response.update(_OPERATIONS[operation](self.state, request))

            try:
                self.state.attempt(act)
            finally:
                self.state.settle()
            return response

    def _poll_decision(self, request: Json, caller: Caller) -> Json:
        self.state.domain(request["domain"])
        if "nextPageToken" in request:
            return operations.next_decision_page(self.state, request)
        task = self._wait_for_task("decision", request, caller)
        if task is None:
            return {"startedEventId": 0, "previousStartedEventId": 0}
        return operations.decision_task(self.state, task, request)

    def _poll_activity(self, request: Json, caller: Caller) -> Json:
        self.state.domain(request["domain"])
        task = self._wait_for_task("activity", request, caller)
        return {"startedEventId": 0} if task is None else operations.activity_task(task)

    def _wait_for_task(self, kind: str, request: Json, caller: Caller) -> Task | None:
        """Hold a poll until there is a task for it, its time is over or nobody waits for it."""
        state, name = self.state, request["taskList"]["name"]
        task_list = state.task_list(kind, request["domain"], name)
        if len(task_list.held) >= state.quotas.pollers:
            raise faults.limit_exceeded(f"a list has {state.quotas.pollers} pollers at most")
        if caller.alone():
            # One thread cannot both poll and work: what it was given before, it has dropped.
            state.busy = {task for task in state.busy if task.caller != caller}
        poller = Poller(kind, request["domain"], name, request.get("identity"))
        end = time.monotonic() + self._long_poll
        task_list.held.append((poller, caller))
        try:
            while True:
                state.settle()
                if caller.gone() and not self._lose_polls:
                    # The task this poll was woken for must go to somebody else.
                    task_list.condition.notify()
                    return None
                task = task_list.pop()
                if task is not None:
                    if self._start(task, request.get("identity"), caller):
                        return task
                    continue
                remaining = end - time.monotonic()
                if remaining <= 0 or state.stopping:
                    return None
                patience = state.patience()
                task_list.condition.wait(
                    remaining if patience is None else min(remaining, patience)
                )
        finally:
            task_list.held.remove((poller, caller))
            state.forget_idle(kind, request["domain"], name)

    def _start(self, task: Task, identity: str | None, caller: Caller) -> bool:
        """Start a task for a poller; say whether its execution is still open then."""
        self.state.touch()
        self.state.attempt(lambda: self._give(task, identity, caller))
        self.state.settle()
        return task.execution.is_open

    def _give(self, task: Task, identity: str | None, caller: Caller) -> None:
        tasks.start(self.state, task, identity, caller)
        if self.state.injection.next_repeat(task.kind):
            self.state.list_of(task).push(task)
