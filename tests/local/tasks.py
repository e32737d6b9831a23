"""What the tests of the engine share: activities that worker processes can import, and helpers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import flowy
from flowy_local import LocalWorkflow

#: seconds after which something that should have happened will not happen any more
PATIENCE = 60


# --- executors ---------------------------------------------------------------------------------


class InlineExecutor(Executor):
    """Run everything at once, inside `submit`."""

    def __init__(self, max_workers: int = 1) -> None:
        self.max_workers = max_workers
        self.shut_down = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as exc:
            future.set_exception(exc)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.shut_down = True


def _engine(name: str, **options: Any) -> Any:
    return pytest.param(options, id=name)


#: one set of options for every way to run activities
ENGINES = [
    _engine("threads"),
    _engine("processes", executor="processes"),
    _engine("threads, objects", codec="object"),
    _engine("processes, objects", executor="processes", codec="object"),
    _engine("ThreadPoolExecutor", executor=ThreadPoolExecutor),
    _engine("ProcessPoolExecutor", executor=ProcessPoolExecutor),
    _engine("ProcessPoolExecutor, objects", executor=ProcessPoolExecutor, codec="object"),
    _engine("inline executor", executor=InlineExecutor),
]

THREADS_AND_PROCESSES = [_engine("threads"), _engine("processes", executor="processes")]


# --- running workflows -------------------------------------------------------------------------


def configured(
    factory: Callable[..., Any], *functions: Callable[..., Any], **options: Any
) -> LocalWorkflow:
    """Return the workflow with each function configured under its own name."""
    workflow = LocalWorkflow(factory, **options)
    for function in functions:
        workflow.conf_activity(function.__name__, function)
    return workflow


def calling(name: str) -> Callable[..., Any]:
    """Return a workflow that calls one dependency with its own arguments."""

    def factory(**dependencies: Any) -> Any:
        return lambda *args, **kwargs: dependencies[name](*args, **kwargs)

    factory.__name__ = "Calling"
    return factory


def in_thread(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
    """Call the function on a thread of its own."""
    future: Future[Any] = Future()

    def call() -> None:
        try:
            result = function(*args, **kwargs)
        except BaseException as exc:
            future.set_exception(exc)
        else:
            future.set_result(result)

    threading.Thread(target=call, name="in_thread", daemon=True).start()
    return future


def engine_threads() -> list[str]:
    """Return the names of the engine's threads in this process."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("flowy-")]


def let_end() -> None:
    """Wait until the engine's threads have ended, as those do that only had to finish a task."""
    for thread in threading.enumerate():
        if thread.name.startswith("flowy-"):
            thread.join(PATIENCE)
            assert not thread.is_alive()


def wait(event: threading.Event) -> None:
    """Wait for the event; fail the task that waits for it in vain."""
    assert event.wait(PATIENCE)


# --- scripts -----------------------------------------------------------------------------------


@dataclass
class Ended:
    """How a script ended."""

    code: int
    out: str
    err: str


class Script:
    """A Python program in a process group of its own, with pipes to it.

    Unless it is `measured`, it is none of those whose coverage counts.
    """

    def __init__(self, folder: Path, source: str, *args: str, measured: bool = True) -> None:
        path = folder / "script.py"
        path.write_text(source, encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, str(path), *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={
                name: value
                for name, value in os.environ.items()
                if measured or not name.startswith("COVERAGE_")
            },
        )

    def read_line(self) -> str:
        """Return the next line that it prints."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def interrupt(self, group: bool) -> None:
        """Send it what Ctrl-C sends, alone or with all that it started."""
        send = os.killpg if group else os.kill
        send(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        """Kill it and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def end(self) -> Ended:
        """Wait until it has ended, and all that has its output open."""
        try:
            out, err = self._process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            out, err = self._process.communicate()
            pytest.fail(f"the script, or a process that it left, did not end\n{out}\n{err}")
        return Ended(self._process.returncode, out, err)


#: `start(source, *args)`, see the fixture of that name
Start: TypeAlias = Callable[..., Script]


# --- activities --------------------------------------------------------------------------------


@dataclass
class Point:
    """A value with fields."""

    x: Any
    y: Any


#: how an activity in a forked process talks to its test, which sets it
LINE: list[Connection] = []


def add(a: Any, b: Any) -> Any:
    return a + b


def square(n: Any) -> Any:
    return n**2


def identity(value: Any) -> Any:
    return value


def keyword(*, value: Any) -> Any:
    return value


def fail(message: str) -> Any:
    raise ValueError(message)


def pid() -> int:
    return os.getpid()


def exit_with(status: Any) -> Any:
    raise SystemExit(status)


def interrupt() -> Any:
    raise KeyboardInterrupt("not from a keyboard")


def kill_own_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def end_own_process(status: int) -> None:
    os._exit(status)


def kill_own_process_once(mark: str) -> str:
    """Kill the process the first time, which the file `mark` shows."""
    path = Path(mark)
    if not path.exists():
        path.touch()
        kill_own_process()
    return "survived"


def touch(path: str) -> None:
    Path(path).touch()


def talk(first: str) -> Any:
    """Tell the test `first` and return what it answers."""
    LINE[0].send(first)
    return LINE[0].recv()


def beat_when_told() -> list[str]:
    """Send a heartbeat for each True that the test sends; return how each went."""
    line = LINE[0]
    line.send("running")
    seen: list[str] = []
    while line.recv():
        try:
            flowy.heartbeat(len(seen))
            seen.append("alive")
        except flowy.TaskCancelled:
            seen.append("cancelled")
        line.send(seen)
    return seen


class TwoArgumentsError(Exception):
    """Cannot be loaded from its pickle: it hands on other arguments than it takes."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} at {where}")


class HoldsLockError(Exception):
    """Cannot be pickled."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.lock = threading.Lock()


class BrokenTextError(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def raise_unloadable() -> Any:
    raise TwoArgumentsError("lost", "sea")


def raise_unpicklable() -> Any:
    raise HoldsLockError("locked")


def raise_without_text() -> Any:
    raise BrokenTextError


def raise_unknown_here() -> Any:
    """Raise an exception of a class that only this process has."""
    module = types.ModuleType("only_in_the_worker")
    kind = type("WorkerError", (Exception,), {"__module__": module.__name__})
    module.WorkerError = kind  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    raise kind("from afar")


def raise_task_error() -> Any:
    raise flowy.TaskError("inner", name="deep", call="deep-0-0", error_type="KeyError")


def unserializable() -> Any:
    return {"when": [object()]}


class Unloadable:
    """Can be pickled, and not loaded again in the process that made this module's test."""

    def __reduce__(self) -> Any:
        return _refuse_elsewhere, (os.getpid(),)


def _refuse_elsewhere(home: int) -> Unloadable:
    if os.getpid() != home:
        raise LookupError(f"made in another process, not in {'this one'}")
    return Unloadable()


def unloadable() -> Any:
    return Unloadable()


def beat_unloadable() -> Any:
    flowy.heartbeat(Unloadable())
    return "not reached"


def a_lock() -> Any:
    return threading.Lock()
