"""Worker processes: each activity thread drives one, and has another started when it dies.

Thread and process talk over a pipe, so that the death of either shows as its end. To the process go
`(index of the activity, payload)`, a bool for each heartbeat: whether the activity may go on, and
nothing at all when the process shall end. It is told so, because a process that somebody forks from
this one meanwhile holds the pipe as well. From the process comes `(READY, None)` once, then for
each activity `(BEAT, details)` and in the end `(DONE, outcome)`.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, Protocol

from flowy.errors import TaskCancelled
from flowy.heartbeats import send_heartbeats_to
from flowy_local.activities import Activity, Failure, failure_of, run_activity
from flowy_local.threads import ThreadPool
from flowy_local.workers import GRACE, ActivityWorker, ActivityWorkers, ThreadedWorkers

if TYPE_CHECKING:
    from flowy_local.execution import Job
    from flowy_local.scheduler import Scheduler

_READY = 0
_BEAT = 1
_DONE = 2

# Windows has no other way to end a process than the one that it calls SIGTERM.
_SIGKILL = getattr(signal, "SIGKILL", signal.SIGTERM)


# --- in the worker process -------------------------------------------------------------------


def _serve(connection: Connection, activities: Sequence[Activity]) -> None:
    """Run activities until the other end of the pipe says so or is closed."""
    _leave_ctrl_c_to_the_parent()

    def beat(details: Any) -> None:
        connection.send((_BEAT, details))
        if not connection.recv():
            raise TaskCancelled("nobody needs its result any more")

    send_heartbeats_to(beat)
    try:
        connection.send((_READY, None))
        while message := connection.recv_bytes():
            connection.send_bytes(_pickled_outcome(_outcome(message, activities)))
    except (EOFError, OSError):
        # The parent has gone, or has no use for this process any more.
        return


def _outcome(message: bytes, activities: Sequence[Activity]) -> Any:
    try:
        index, payload = pickle.loads(message)
    except Exception as exc:
        # An argument, pickled there, that cannot be unpickled here.
        return failure_of(exc)
    activity = activities[index]
    return run_activity(activity.function, activity.codec, payload)


def _pickled_outcome(outcome: Any) -> bytes:
    if type(outcome) is Failure:
        return pickle.dumps((_DONE, outcome.packed()))
    try:
        return pickle.dumps((_DONE, outcome))
    except Exception as exc:
        return _pickled_outcome(failure_of(exc))


def _leave_ctrl_c_to_the_parent() -> None:
    # Ctrl-C reaches all processes of a terminal; the parent decides what becomes of the run. A
    # handler rather than SIG_IGN, because programs started by an activity would inherit that.
    signal.signal(signal.SIGINT, lambda _signal, _frame: None)


# --- in the parent -----------------------------------------------------------------------------


class _Process(Protocol):
    """A worker process, as far as its thread needs to know it."""

    pid: int

    def exit_code(self) -> int | None:
        """Wait for its end; return its exit code, minus the signal's number if one killed it."""
        ...


class Starter(Protocol):
    """What starts worker processes."""

    #: why a process may die before it is ready, and what to do
    advice: str

    def start(self, connection: Connection) -> _Process:
        """Start a process at the other end of the pipe; close this side's copy of that end."""
        ...

    def close(self, wait: bool) -> None:
        """Let go of what is held; with `wait`, return when all processes have ended."""
        ...


def make_starter(context: BaseContext, activities: Sequence[Activity]) -> Starter:
    """Return what starts processes by the context's method."""
    if context.get_start_method() == "fork":
        return _Forker(context, activities)
    return _Spawner(context, activities)


class _Spawned:
    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid

    def exit_code(self) -> int | None:
        self._process.join()
        return self._process.exitcode


class _Spawner:
    """Starts processes from this one, by a method that is safe while threads run."""

    advice = (
        "; a new process imports the main module anew: put what runs the workflow under "
        "if __name__ == '__main__', and see what the process wrote to stderr"
    )

    def __init__(self, context: BaseContext, activities: Sequence[Activity]) -> None:
        self._context = context
        self._activities = activities
        self._processes: list[BaseProcess] = []
        self._lock = threading.Lock()

    def start(self, connection: Connection) -> _Process:
        with self._lock:
            process: BaseProcess = self._context.Process(  # type: ignore[attr-defined]
                target=_serve, args=(connection, self._activities), name="flowy-activity"
            )
            process.start()
            self._processes.append(process)
        connection.close()
        return _Spawned(process)

    def close(self, wait: bool) -> None:
        if wait:
            for process in self._processes:
                process.join()


class _Forked:
    def __init__(self, forker: _Forker, pid: int) -> None:
        self._forker = forker
        self.pid = pid

    def exit_code(self) -> int | None:
        return self._forker.exit_code(self.pid)


class _Forker:
    """Starts processes from a helper process, forked before this run has any thread.

    To fork a process that has threads is not safe: the child inherits locks that threads held and
    has no threads to release them. The helper has none.
    """

    advice = ""

    _FORK = 0
    _EXIT_CODE = 1
    _END = 2
    _MESSAGE = struct.Struct("=Bq")

    def __init__(self, context: BaseContext, activities: Sequence[Activity]) -> None:
        self._control, control = socket.socketpair()
        self._lock = threading.Lock()
        self._process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=self._help, args=(context, control, activities), name="flowy-forker"
        )
        try:
            self._process.start()
        except BaseException:
            # Ctrl-C in the middle: what was started ends with the other end of its pipe.
            self._control.close()
            raise
        finally:
            control.close()

    def start(self, connection: Connection) -> _Process:
        with self._lock, connection:
            message = self._MESSAGE.pack(self._FORK, 0)
            socket.send_fds(self._control, [message], [connection.fileno()])
            return _Forked(self, self._answer())

    def exit_code(self, pid: int) -> int | None:
        with self._lock:
            try:
                self._control.sendall(self._MESSAGE.pack(self._EXIT_CODE, pid))
                return self._answer()
            except OSError:
                return None

    def close(self, wait: bool) -> None:
        with self._lock:
            with suppress(OSError):
                self._control.sendall(self._MESSAGE.pack(self._END, 0))
            self._control.close()
        if wait:
            self._process.join()

    def _answer(self) -> int:
        answer = self._control.recv(self._MESSAGE.size, socket.MSG_WAITALL)
        if not answer:
            raise ConnectionError("the process that starts the worker processes has died")
        number: int = self._MESSAGE.unpack(answer)[1]
        return number

    def _help(
        self, context: BaseContext, control: socket.socket, activities: Sequence[Activity]
    ) -> None:
        """Start processes and tell how they ended, until the parent lets go."""
        _leave_ctrl_c_to_the_parent()
        self._control.close()
        processes: dict[int, BaseProcess] = {}
        while True:
            message, fds, _, _ = socket.recv_fds(control, self._MESSAGE.size, 1)
            if not message:
                break
            what, number = self._MESSAGE.unpack(message)
            if what == self._END:
                break
            if what == self._FORK:
                with Connection(fds[0]) as connection:
                    process: BaseProcess = context.Process(  # type: ignore[attr-defined]
                        target=_serve_forked,
                        args=(control, connection, activities),
                        name="flowy-activity",
                    )
                    process.start()
                assert process.pid is not None
                number = process.pid
                processes[number] = process
            else:
                process = processes.pop(number)
                process.join()
                number = process.exitcode or 0
            control.sendall(self._MESSAGE.pack(what, number))
        for process in processes.values():
            process.join()


def _serve_forked(
    control: socket.socket, connection: Connection, activities: Sequence[Activity]
) -> None:
    control.close()
    _serve(connection, activities)


class ProcessWorker(ActivityWorker):
    """Runs activities in a process of its own."""

    def __init__(
        self,
        scheduler: Scheduler,
        pool: ThreadPool,
        starter: Starter,
        indexes: dict[int, int],
    ) -> None:
        super().__init__(scheduler, pool)
        self._starter = starter
        self._indexes = indexes
        self._process: _Process | None = None
        self._connection: Connection | None = None
        #: whether the process said that it takes tasks
        self._ready = False

    def abandon(self, job: Job) -> None:
        """Give up a job that passed its limit, and the process with it."""
        if self._current is job:
            self._signal(_SIGKILL)

    def terminate(self) -> None:
        """Ask the process to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self._signal(_SIGKILL)

    def close(self) -> None:
        """Let the process end."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.send_bytes(b"")
            self._connection.close()

    def _signal(self, number: int) -> None:
        process = self._process
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)

    def _run(self, job: Job, target: Activity) -> Any:
        try:
            message = pickle.dumps((self._indexes[id(target)], job.task.input))
        except Exception as exc:
            return failure_of(exc)
        try:
            connection = self._connected()
        except Exception as exc:
            return Failure(
                "ProcessError",
                f"no worker process could be started: {type(exc).__name__}: {exc}",
                "",
                exc,
            )
        try:
            if job.over:
                # It passed its limit while the process was started, and there was none to kill.
                return None
            connection.send_bytes(message)
            while True:
                received = pickle.loads(connection.recv_bytes())
                if received[0] == _DONE:
                    break
                if received[0] == _READY:
                    self._ready = True
                else:
                    connection.send(self._may_go_on(job, received[1]))
        except (EOFError, OSError):
            return self._died()
        except Exception as exc:
            # The details of a heartbeat, pickled there, that cannot be unpickled here. The process
            # waits for an answer that it cannot get.
            self._signal(_SIGKILL)
            self._died()
            return failure_of(exc)
        outcome = received[1]
        return outcome.unpacked() if type(outcome) is Failure else outcome

    def _connected(self) -> Connection:
        if self._connection is None:
            ours, theirs = multiprocessing.Pipe()
            self._ready = False
            self._process = self._starter.start(theirs)
            self._connection = ours
        return self._connection

    def _may_go_on(self, job: Job, details: Any) -> bool:
        try:
            job.beat(details)
        except TaskCancelled:
            return False
        return True

    def _died(self) -> Failure:
        process, connection = self._process, self._connection
        assert process is not None
        assert connection is not None
        self._process = self._connection = None
        connection.close()
        how = _how(process.exit_code())
        if self._ready:
            message = f"the worker process died while it ran the task ({how})"
        else:
            message = f"the worker process died before it took the task ({how})"
            message += self._starter.advice
        return Failure("ProcessDied", message, "", None)


def _how(code: int | None) -> str:
    if code is None:
        return "exit code unknown"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


class _ProcessWorkers(ThreadedWorkers):
    """Threads with a process each, and what starts the processes."""

    def __init__(
        self, scheduler: Scheduler, size: int, starter: Starter, activities: Sequence[Activity]
    ) -> None:
        indexes = {id(activity): index for index, activity in enumerate(activities)}
        self._workers: list[ProcessWorker] = []

        def make(scheduler: Scheduler, pool: ThreadPool) -> ProcessWorker:
            worker = ProcessWorker(scheduler, pool, starter, indexes)
            self._workers.append(worker)
            return worker

        super().__init__(scheduler, size, make)
        self._starter = starter
        self.join = self._join

    def kill(self) -> None:
        """Ask the processes to end, and end those that do not."""
        for worker in list(self._workers):
            worker.terminate()
        end = time.monotonic() + GRACE
        for thread in self._pool.join(GRACE):
            thread.join(max(0, end - time.monotonic()))
        for worker in list(self._workers):
            worker.kill()

    def _join(self, timeout: float | None = None) -> list[threading.Thread]:
        busy = self._pool.join(timeout)
        self._starter.close(wait=not busy)
        return busy


def process_workers(
    scheduler: Scheduler, size: int, context: BaseContext, activities: Sequence[Activity]
) -> ActivityWorkers:
    """Return workers with a process each, started by the context's method."""
    return _ProcessWorkers(scheduler, size, make_starter(context, activities), activities)
