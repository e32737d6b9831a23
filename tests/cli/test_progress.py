"""What `flowy run --progress` counts and shows, over a run told by hand."""

from __future__ import annotations

import io
import threading

import pytest

from flowy import events
from flowy.engine_api import ExecutionInfo
from flowy.events import CallId
from flowy_local.progress import Progress

ROOT = ExecutionInfo("", "Root")
CHILD = ExecutionInfo("child-0-0", "Child", parent="", call=CallId("child", 0))


class Clock:
    """A clock that is 100 s behind that of the run."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now - 100.0


class Lines(io.StringIO):
    """Tells when a line was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def flush(self) -> None:
        self.written.set()


class Run:
    """Tells progress of a run."""

    def __init__(self, stream: io.StringIO | None = None, interval: float = 3600.0) -> None:
        self.clock = Clock()
        self.progress = Progress(stream or io.StringIO(), interval, self.clock)

    def begin(self, execution: ExecutionInfo = ROOT) -> None:
        self.progress.execution_started(execution, "[]", self.clock.now)

    def tell(self, *happened: events.Event, execution: ExecutionInfo = ROOT) -> None:
        for event in happened:
            self.progress.event(execution, event, self.clock.now)

    def close(self, execution: ExecutionInfo) -> None:
        self.progress.command(execution, events.CompleteWorkflow("1"), self.clock.now)


def scheduled(call: CallId, kind: str = "activity") -> events.TaskScheduled:
    return events.TaskScheduled(call, "[]", kind)


A, B, C = CallId("a", 0), CallId("b", 0), CallId("c", 0, 1)


def test_tasks_are_queued_then_running_then_done_or_failed() -> None:
    run = Run()
    with run.progress:
        run.begin()
        assert run.progress.line() == "running 0, queued 0, done 0, failed 0; 0.0 s"
        run.tell(scheduled(A), scheduled(B), scheduled(C))
        assert run.progress.line() == "running 0, queued 3, done 0, failed 0; 0.0 s"
        run.clock.now = 1.5
        run.tell(events.TaskStarted(B))
        run.clock.now = 2.0
        run.tell(events.TaskStarted(C))
        run.clock.now = 65.0
        assert run.progress.line() == (
            "running 2, queued 1, done 0, failed 0; 0:01:05; slowest: b-0-0 (0:01:03)"
        )
        run.tell(events.TaskCompleted(B, "1"))
        assert run.progress.line() == (
            "running 1, queued 1, done 1, failed 0; 0:01:05; slowest: c-0-1 (0:01:03)"
        )
        run.tell(events.TaskTimedOut(A), events.TaskFailed(C, "ValueError"))
        assert run.progress.line() == "running 0, queued 0, done 1, failed 2; 0:01:05"


def test_child_workflows_are_no_tasks_and_their_activities_are() -> None:
    run = Run()
    with run.progress:
        run.begin()
        child = CallId("child", 0)
        run.tell(scheduled(child, "workflow"), events.TaskStarted(child))
        run.begin(CHILD)
        run.tell(scheduled(A), events.TaskStarted(A), execution=CHILD)
        assert run.progress.line() == (
            "running 1, queued 0, done 0, failed 0; 0.0 s; slowest: child-0-0/a-0-0 (0.0 s)"
        )
        run.tell(events.TaskCompleted(child, "1"))
        assert run.progress.running == 1


@pytest.mark.parametrize(("closes", "left"), [(CHILD, 1), (ROOT, 0)])
def test_what_a_workflow_leaves_open_is_forgotten_with_what_its_children_do(
    closes: ExecutionInfo, left: int
) -> None:
    run = Run()
    with run.progress:
        run.begin()
        run.tell(scheduled(A), events.TaskStarted(A))
        run.begin(CHILD)
        run.tell(scheduled(A), scheduled(B), events.TaskStarted(B), execution=CHILD)
        run.close(closes)
        assert (run.progress.running, run.progress.queued) == (left, 0)
        # Its end may still be told.
        run.tell(events.TaskCompleted(B, "1"), execution=CHILD)
        assert run.progress.done == 0


def test_other_commands_and_events_change_nothing() -> None:
    run = Run()
    with run.progress:
        run.begin()
        before = run.progress.line()
        run.progress.command(ROOT, events.ScheduleActivity(A, "[]"), 0.0)
        run.tell(events.TimerStarted(A, 1.0), events.TimerFired(A))
        assert run.progress.line() == before


def test_lines_are_printed_now_and_then_and_at_the_end() -> None:
    stream = Lines()
    run = Run(stream, interval=0.001)
    with run.progress:
        run.begin()
        assert stream.written.wait(60)
    printed = stream.getvalue().splitlines()
    assert len(printed) > 1
    assert set(printed) == {"running 0, queued 0, done 0, failed 0; 0.0 s"}


def test_nothing_is_printed_of_a_run_that_never_began() -> None:
    run = Run()
    with run.progress:
        pass
    assert run.progress._stream.getvalue() == ""  # type: ignore[attr-defined]
