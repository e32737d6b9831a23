"""Showing how far a run is: in one line that changes, with rich, or in a line now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

from flowy import events
from flowy.engine_api import ExecutionInfo, Observer
from flowy.events import CallId, Command, Event

#: seconds between two plain lines
INTERVAL = 2.0


class Counts(Observer):
    """Counts the activities of a run: those that are queued, running, done, and failed.

    An attempt that is retried counts as failed. What nobody needs any more when its workflow closes
    is not counted any longer.
    """

    def __init__(self) -> None:
        self.done = 0
        self.failed = 0
        self.queued = 0
        #: of the run, or None before it
        self.started: float | None = None
        # The tasks that are not over: when each started, or None; by execution, so that those of
        # one that closes can be dropped.
        self._open: dict[str, dict[CallId, float | None]] = {}
        # In the order in which they started.
        self._running: dict[tuple[str, CallId], float] = {}
        #: guards all of this: who shows it is on a thread of its own
        self.lock = threading.Lock()

    @property
    def running(self) -> int:
        """How many tasks are running."""
        return len(self._running)

    def slowest(self) -> tuple[str, float] | None:
        """Return the task that has been running for longest, and since when; None without any."""
        for (path, call), since in self._running.items():
            return f"{path}/{call}" if path else str(call), since
        return None

    def execution_started(self, execution: ExecutionInfo, input: Any, time: float) -> None:
        """Take note of when the run began."""
        with self.lock:
            if self.started is None:
                self.started = time

    def command(self, execution: ExecutionInfo, command: Command, time: float) -> None:
        """Forget what a workflow that closes, or one that it called, has left open."""
        if isinstance(command, events.CloseWorkflow):
            with self.lock:
                inside = f"{execution.path}/" if execution.path else ""
                for path in [*self._open]:
                    if path == execution.path or path.startswith(inside):
                        for call in [*self._open[path]]:
                            self._end(path, call)

    def event(self, execution: ExecutionInfo, event: Event, time: float) -> None:
        """Count a task."""
        path = execution.path
        with self.lock:
            if isinstance(event, events.TaskScheduled):
                if event.kind == "activity":
                    self.queued += 1
                    self._open.setdefault(path, {})[event.call] = None
            elif isinstance(event, events.TaskStarted):
                if event.call in self._open.get(path, ()):
                    self.queued -= 1
                    self._open[path][event.call] = time
                    self._running[path, event.call] = time
            elif isinstance(event, events.TaskClosed) and self._end(path, event.call):
                if isinstance(event, events.TaskCompleted):
                    self.done += 1
                else:
                    self.failed += 1

    def _end(self, path: str, call: CallId) -> bool:
        """Forget a task; return whether it was an activity and open."""
        calls = self._open.get(path, {})
        if call not in calls:
            return False
        if calls.pop(call) is None:
            self.queued -= 1
        else:
            del self._running[path, call]
        if not calls:
            del self._open[path]
        return True


class Progress(Counts):
    """Shows the counts of a run while it is used as a context, from when the run begins.

    Parameters
    ----------
    stream
        where to. The line changes if it is a terminal and rich is installed.
    interval
        seconds between two lines, where it cannot change.
    clock
        what time it is, in seconds; the times of the run are moved to it.
    """

    def __init__(
        self,
        stream: TextIO,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._stream = stream
        self._interval = interval
        self._clock = clock
        self._offset = 0.0
        self._display: _Lines | Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._display is not None:
            self._display.stop()

    def execution_started(self, execution: ExecutionInfo, input: Any, time: float) -> None:
        """Begin to show, if this is the first of the run."""
        first = self.started is None
        super().execution_started(execution, input, time)
        if first:
            self._offset = time - self._clock()
            self._display = self._make_display()
            self._display.start()

    def line(self) -> str:
        """Return how far the run is."""
        with self.lock:
            now = self._clock() + self._offset
            elapsed = now - (now if self.started is None else self.started)
            counts = (
                f"running {self.running}, queued {self.queued}, done {self.done}, "
                f"failed {self.failed}; {_duration(elapsed)}"
            )
            slowest = self.slowest()
        if slowest is None:
            return counts
        return f"{counts}; slowest: {slowest[0]} ({_duration(now - slowest[1])})"

    def _make_display(self) -> Any:
        if self._stream.isatty():
            try:
                from rich.console import Console
                from rich.live import Live
                from rich.spinner import Spinner
                from rich.text import Text
            except ModuleNotFoundError:
                pass
            else:
                spinner = Spinner("dots")

                def render() -> Spinner:
                    spinner.update(text=Text(self.line(), overflow="ellipsis", no_wrap=True))
                    return spinner

                console = Console(file=self._stream)
                return Live(console=console, get_renderable=render, refresh_per_second=8)
        return _Lines(self._stream, self._interval, self.line)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


class _Lines:
    """Prints a line now and then, and one at the end."""

    def __init__(self, stream: TextIO, interval: float, line: Callable[[], str]) -> None:
        self._stream = stream
        self._interval = interval
        self._line = line
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="flowy-progress", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopped.wait(self._interval):
            self._print()
        self._print()

    def _print(self) -> None:
        print(self._line(), file=self._stream, flush=True)
