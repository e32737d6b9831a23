"""The emulator: an Amazon SWF in this process, for development and tests."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowy_swf.emulator import lifecycle
from flowy_swf.emulator.calls import CallCount, Calls
from flowy_swf.emulator.clock import Clock, ClockKind
from flowy_swf.emulator.histories import Histories
from flowy_swf.emulator.http import Server
from flowy_swf.emulator.injection import Injection
from flowy_swf.emulator.lambdas import Function
from flowy_swf.emulator.model import Json
from flowy_swf.emulator.service import CutError, Service
from flowy_swf.emulator.state import Quotas, State
from flowy_swf.emulator.tasklists import Caller, Poller


@dataclass(frozen=True)
class OpenTask:
    """A task that is scheduled or started, as introspection gives it.

    ``task_id`` is the activity's or the Lambda task's id, and empty for a decision task.
    """

    kind: str
    domain: str
    workflow_id: str
    run_id: str
    task_id: str
    scheduled_event_id: int
    started_event_id: int


class Emulator:
    """An Amazon SWF that lives in memory.

    ``clock`` is "real", "virtual" (moves by `advance` alone) or "skipping" (goes with the machine's
    clock and moves by itself to the next due moment while every poller is idle). ``long_poll`` is
    how many seconds of the machine's clock a poll is held. ``lose_polls`` lets a poller that went
    away swallow the task it waited for, as Amazon SWF does. Closed executions are dropped after
    ``retention`` seconds of the emulator's clock, or never; the retention period of a domain is
    recorded and not applied. ``lambdas`` are functions by name. ``history`` is a directory into
    which the history of each execution is written when it closes, and of those still open when the
    emulator stops serving.

    It keeps nothing on disk, knows no accounts, permissions or rates, and is no replacement for
    Amazon SWF in production.
    """

    def __init__(
        self,
        *,
        clock: ClockKind = "real",
        long_poll: float = 60.0,
        lose_polls: bool = False,
        retention: float | None = None,
        quotas: Quotas | None = None,
        lambdas: Mapping[str, Function] | None = None,
        history: str | Path | None = None,
    ) -> None:
        if not 0 <= long_poll <= threading.TIMEOUT_MAX:
            raise ValueError(f"long_poll is a number of seconds, 0 or more, not {long_poll!r}")
        if retention is not None and not retention >= 0:
            raise ValueError(f"retention is a number of seconds, 0 or more, not {retention!r}")
        state = State(Clock(clock), quotas or Quotas(), retention, lifecycle.terminate_full)
        self._state = state
        self._service = Service(state, long_poll, lose_polls)
        self._calls = Calls()
        self._server: Server | None = None
        self._histories = None if history is None else Histories(Path(history))
        if self._histories is not None:
            state.archive = self._histories.write
        for name, function in (lambdas or {}).items():
            self.register_lambda(name, function)

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Serve over HTTP on loopback inside a with block, and give the URL.

        Port 0 takes a free one. Leaving the block ends held polls at once and leaves no thread.
        What the emulator knows stays, and it can serve again.
        """
        if self._server is not None:
            raise RuntimeError(f"the emulator is serving already, at {self._server.url}")
        server = self._server = Server(self._service, self._calls, port)
        server.start()
        try:
            yield server.url
        finally:
            self._service.stop()
            server.stop()
            self._server = None
            self._service.resume()
            self._state.lambdas.join()
            if self._histories is not None:
                with self._state.lock:
                    self._histories.write_open(self._state.runs.values())

    @property
    def url(self) -> str:
        """Give the URL the emulator serves at."""
        if self._server is None:
            raise RuntimeError("the emulator is not serving: use `with emulator.serve() as url:`")
        return self._server.url

    def client(self, **kwargs: Any) -> Any:
        """Make a boto3 client of this emulator, which must be serving.

        It never retries, signs with made-up credentials and ignores profiles, proxies and AWS_
        variables. ``kwargs`` go to boto3 and replace what is set here.
        """
        from flowy_swf.emulator.client import make_client

        return make_client(self.url, **kwargs)

    def call(self, operation: str, request: Json | None = None) -> Json:
        """Call an operation in process, without HTTP.

        Request and answer have the form of the wire: times are seconds since 1970, as numbers.
        Raises Fault where the service answers with an error.
        """
        try:
            answer = self._service.call(operation, request or {}, Caller())
        except CutError:
            raise ConnectionResetError(f"the connection of {operation} was cut by a test") from None
        finally:
            self._calls.add(operation, 0, 0)
        return copy.deepcopy(answer)

    def register_lambda(self, name: str, function: Function) -> None:
        """Let workflows call a Python function as the Lambda function of that name.

        It gets the JSON value of the task's input and, if it takes two arguments, a context; what
        it returns is the result, as JSON. What it raises fails the task. It runs in a thread.
        """
        self._state.lambdas.register(name, function)

    @property
    def inject(self) -> Injection:
        """Give the faults to put in."""
        return self._state.injection

    def advance(self, seconds: float) -> None:
        """Put a virtual or skipping clock forward; everything due on the way happens in order."""
        with self._state.lock:
            self._state.touch()
            self._state.advance(seconds)

    def now(self) -> float:
        """Give the time of the emulator's clock, in seconds since 1970."""
        with self._state.lock:
            self._state.catch_up()
            return self._state.now / 1000

    def history(self, workflow_id: str, run_id: str = "", *, domain: str = "") -> list[Json]:
        """Give all events of an execution: of the latest with that id, unless a run is named."""
        with self._state.lock:
            self._state.catch_up()
            found = [
                execution
                for execution in self._state.runs.values()
                if execution.workflow_id == workflow_id
                and run_id in ("", execution.run_id)
                and domain in ("", execution.domain)
            ]
            if not found:
                raise LookupError(f"no execution of workflow id {workflow_id!r} is known")
            return copy.deepcopy(found[-1].events)

    def open_tasks(self) -> list[OpenTask]:
        """Give the open tasks of open executions, by execution and scheduling."""
        with self._state.lock:
            self._state.catch_up()
            return [
                OpenTask(
                    task.kind,
                    execution.domain,
                    execution.workflow_id,
                    execution.run_id,
                    task.attributes.get("activityId") or task.attributes.get("id", ""),
                    task.scheduled_id,
                    task.started_id,
                )
                for execution in self._state.runs.values()
                if execution.is_open
                for task in sorted(execution.open_tasks(), key=lambda each: each.scheduled_id)
            ]

    def pollers(self) -> list[Poller]:
        """Give the polls that are being held for callers that are still there."""
        with self._state.lock:
            return [
                poller
                for task_list in self._state.lists.values()
                for poller, caller in task_list.held
                if not caller.gone()
            ]

    def wait_for(self, condition: Callable[[], bool], timeout: float = 30.0) -> None:
        """Wait until something is so, and look whenever the emulator has done something.

        ``condition`` looks by `history`, `open_tasks`, `pollers` or at things of its own, and makes
        no calls. ``timeout`` is in seconds of the machine's clock; TimeoutError is raised after it.
        """
        state, end = self._state, time.monotonic() + timeout
        while True:
            with state.lock:
                serial = state.serial
            if condition():
                return
            with state.lock:
                while state.serial == serial:
                    remaining = end - time.monotonic()
                    if remaining <= 0:
                        raise TimeoutError(f"it was not so within {timeout} seconds")
                    patience = state.patience()
                    state.changed.wait(remaining if patience is None else min(remaining, patience))
                    state.catch_up()

    def calls(self) -> dict[str, CallCount]:
        """Give how often each operation was called, over HTTP and in process, and the bytes."""
        return self._calls.by_operation()

    def clear_calls(self) -> None:
        """Begin to count calls anew."""
        self._calls.clear()
