"""Retries, their delays, time-outs and heartbeats, on a clock that the tests move."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.local import tasks
from tests.local.tasks import (
    PATIENCE,
    beat_when_told,
    calling,
    in_thread,
    let_end,
    talk,
    touch,
    wait,
)

import flowy
from flowy import Retry, TaskError, TaskTimedout
from flowy_local import LocalWorkflow, processes
from flowy_local.timers import ManualTimers

# Python warns of a fork beside other threads, and runs are on threads here to leave the clock to
# the test.
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


@pytest.fixture
def clock() -> ManualTimers:
    return ManualTimers()


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give the test's end of the pipe that activities in forked processes hold."""
    ours, theirs = multiprocessing.get_context("fork").Pipe()
    monkeypatch.setattr(tasks, "LINE", [theirs])
    with ours, theirs:
        yield ours


class Attempts:
    """An activity that fails until its last attempt, and notes when each began."""

    def __init__(self, clock: ManualTimers, failures: int) -> None:
        self.clock = clock
        self.failures = failures
        self.times: list[float] = []

    def __call__(self) -> str:
        self.times.append(self.clock.now())
        if len(self.times) <= self.failures:
            raise ValueError(f"attempt {len(self.times)}")
        return "done"


class Stuck:
    """An activity that stays where it is, unless it is let go."""

    def __init__(self) -> None:
        self.began: queue.Queue[int] = queue.Queue()
        self.let_go = threading.Event()
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        self.began.put(self.count)
        wait(self.let_go)
        return "too late"


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    activity = Stuck()
    yield activity
    activity.let_go.set()


# --- retries -----------------------------------------------------------------------------------


def test_a_failed_attempt_is_made_again_after_growing_delays(clock: ManualTimers) -> None:
    activity = Attempts(clock, failures=3)
    workflow = LocalWorkflow(calling("act"), clock=lambda: clock)
    workflow.conf_activity("act", activity, retry=Retry(attempts=4, delay=1, backoff=2))
    result = in_thread(workflow.run)
    for delay in (1, 2, 4):
        clock.wait_for(1)
        clock.advance(delay)
    assert result.result(PATIENCE) == "done"
    assert activity.times == [0, 1, 3, 7]


def test_the_last_failure_counts_when_all_attempts_failed(clock: ManualTimers) -> None:
    activity = Attempts(clock, failures=3)
    workflow = LocalWorkflow(calling("act"), clock=lambda: clock)
    workflow.conf_activity("act", activity, retry=Retry(attempts=3))
    with pytest.raises(TaskError, match=r"^act-0-2 failed: ValueError: attempt 3$"):
        workflow.run()
    assert activity.times == [0, 0, 0]


@pytest.mark.parametrize(
    ("retry", "attempts"),
    [
        ((0, 3, 10), 1),
        (Retry(attempts=3, on=("timeout",)), 1),
        (Retry(attempts=3, give_up_on=("ValueError",)), 1),
        (Retry(attempts=3, give_up_on=("KeyError",)), 3),
    ],
)
def test_the_policy_says_which_failures_are_tried_again(
    retry: Any, attempts: int, clock: ManualTimers
) -> None:
    activity = Attempts(clock, failures=9)
    workflow = LocalWorkflow(calling("act"), clock=lambda: clock)
    workflow.conf_activity("act", activity, retry=retry)
    with pytest.raises(TaskError, match=f"^act-0-{attempts - 1} failed: "):
        workflow.run()
    assert len(activity.times) == attempts


def test_the_first_attempt_waits_for_its_own_delay(clock: ManualTimers) -> None:
    activity = Attempts(clock, failures=0)
    workflow = LocalWorkflow(calling("act"), clock=lambda: clock)
    workflow.conf_activity("act", activity, retry=(5,))
    result = in_thread(workflow.run)
    clock.wait_for(1)
    clock.advance(4)
    assert activity.times == []
    clock.advance(1)
    assert result.result(PATIENCE) == "done"
    assert activity.times == [5]


def test_a_failed_child_is_run_again(clock: ManualTimers) -> None:
    code = Attempts(clock, failures=1)
    workflow = LocalWorkflow(calling("child"), clock=lambda: clock)
    child = LocalWorkflow(lambda: code)
    workflow.conf_workflow("child", child, retry=Retry(attempts=2, delay=60))
    result = in_thread(workflow.run)
    clock.wait_for(1)
    clock.advance(60)
    assert result.result(PATIENCE) == "done"
    assert code.times == [0, 60]


# --- time-outs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", ["threads", ThreadPoolExecutor])
def test_a_time_out_frees_the_workflow_though_the_thread_is_stuck(
    executor: Any, clock: ManualTimers, stuck: Stuck
) -> None:
    workflow = LocalWorkflow(calling("stuck"), clock=lambda: clock, executor=executor)
    workflow.conf_activity("stuck", stuck, timeout=5)
    result = in_thread(workflow.run)
    stuck.began.get(timeout=PATIENCE)
    clock.advance(4)
    assert not result.done()
    clock.advance(1)
    error = result.exception(PATIENCE)
    assert type(error) is TaskTimedout
    assert str(error) == "stuck-0-0 timed out: passed its START_TO_CLOSE limit"
    assert (error.name, error.call) == ("stuck", "stuck-0-0")


def test_a_stuck_thread_is_replaced_by_another(clock: ManualTimers, stuck: Stuck) -> None:
    def factory(stuck: Any, quick: Any) -> Any:
        def run() -> Any:
            try:
                flowy.wait(stuck())
            except TaskTimedout:
                return [quick(n) for n in range(3)]
            return "no time-out"

        return run

    workflow = LocalWorkflow(factory, activity_workers=1, clock=lambda: clock)
    workflow.conf_activity("stuck", stuck, timeout=5)
    workflow.conf_activity("quick", abs)
    result = in_thread(workflow.run)
    stuck.began.get(timeout=PATIENCE)
    clock.advance(5)
    assert result.result(PATIENCE) == [0, 1, 2]


@pytest.mark.parametrize("retry", [(0, 3, 10), Retry(attempts=3, delay=3, backoff=10 / 3)])
def test_each_attempt_has_the_whole_limit(retry: Any, clock: ManualTimers, stuck: Stuck) -> None:
    workflow = LocalWorkflow(calling("stuck"), activity_workers=1, clock=lambda: clock)
    workflow.conf_activity("stuck", stuck, retry=retry, timeout=5)
    result = in_thread(workflow.run)
    for delay in (3, 10):
        stuck.began.get(timeout=PATIENCE)
        clock.advance(5)
        clock.wait_for(1)
        clock.advance(delay)
    assert stuck.began.get(timeout=PATIENCE) == 3
    clock.advance(4)
    assert not result.done()
    clock.advance(1)
    error = result.exception(PATIENCE)
    assert type(error) is TaskTimedout
    assert error.call == "stuck-0-2"
    assert clock.now() == 28


def test_what_a_stuck_thread_returns_in_the_end_counts_for_nothing(
    clock: ManualTimers, stuck: Stuck
) -> None:
    second = threading.Event()

    def activity() -> str:
        if stuck.count == 0:
            return stuck()
        wait(second)
        return "in time"

    workflow = LocalWorkflow(calling("act"), activity_workers=1, clock=lambda: clock)
    workflow.conf_activity("act", activity, retry=(0, 0), timeout=5)
    result = in_thread(workflow.run)
    stuck.began.get(timeout=PATIENCE)
    (thread,) = [t for t in threading.enumerate() if t.name.startswith("flowy-activity")]
    clock.advance(5)
    stuck.let_go.set()
    thread.join(PATIENCE)
    second.set()
    assert result.result(PATIENCE) == "in time"


def test_an_activity_that_keeps_its_limit_is_not_timed_out(clock: ManualTimers) -> None:
    def factory(quick: Any, later: Any) -> Any:
        return lambda: later(quick(-1))

    def later(value: Any) -> Any:
        clock.advance(100)
        return value

    workflow = LocalWorkflow(factory, clock=lambda: clock)
    workflow.conf_activity("quick", abs, timeout=5)
    workflow.conf_activity("later", later)
    assert workflow.run() == 1


def test_a_process_that_passes_its_limit_is_killed(clock: ManualTimers, line: Any) -> None:
    def factory(talk: Any, pid: Any) -> Any:
        def run() -> Any:
            first = pid() + 0
            try:
                flowy.wait(talk("stuck"))
            except TaskTimedout as exc:
                return str(exc), pid() != first
            return "no time-out"

        return run

    workflow = LocalWorkflow(
        factory, executor="processes", mp_context="fork", activity_workers=1, clock=lambda: clock
    )
    workflow.conf_activity("talk", talk, timeout=5)
    workflow.conf_activity("pid", tasks.pid)
    result = in_thread(workflow.run)
    assert line.recv() == "stuck"
    clock.advance(5)
    expected = ("talk-0-0 timed out: passed its START_TO_CLOSE limit", True)
    assert result.result(PATIENCE) == expected


def test_a_limit_that_passes_while_the_process_starts_keeps_the_activity_from_running(
    clock: ManualTimers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = processes._Forker.start

    def start_slowly(self: Any, connection: Any) -> Any:
        clock.advance(5)
        return start(self, connection)

    monkeypatch.setattr(processes._Forker, "start", start_slowly)
    workflow = LocalWorkflow(
        calling("touch"), executor="processes", mp_context="fork", clock=lambda: clock
    )
    workflow.conf_activity("touch", touch, timeout=5)
    with pytest.raises(TaskTimedout, match=r"^touch-0-0 timed out: "):
        workflow.run(str(tmp_path / "ran"))
    let_end()
    assert not (tmp_path / "ran").exists()


def test_a_child_that_passes_its_limit_is_given_up_with_all_it_does(
    clock: ManualTimers, stuck: Stuck
) -> None:
    ran: list[int] = []

    def child(stuck: Any, note: Any) -> Any:
        def run() -> Any:
            queued = [note(n) for n in range(3)]
            return stuck(), queued

        return run

    inner = LocalWorkflow(child)
    inner.conf_activity("stuck", stuck)
    inner.conf_activity("note", ran.append)
    workflow = LocalWorkflow(calling("child"), activity_workers=1, clock=lambda: clock)
    workflow.conf_workflow("child", inner, timeout=7)
    # One worker: stuck has it, what the child calls first is done before.
    result = in_thread(workflow.run)
    stuck.began.get(timeout=PATIENCE)
    clock.advance(7)
    error = result.exception(PATIENCE)
    assert type(error) is TaskTimedout
    assert str(error) == "child-0-0 timed out: passed its START_TO_CLOSE limit"
    assert ran == [0, 1, 2]


def test_code_of_a_child_that_passed_its_limit_starts_no_delay(
    clock: ManualTimers, stuck: Stuck
) -> None:
    went_on = threading.Event()

    def child(late: Any) -> Any:
        def run() -> Any:
            stuck()
            result = late()
            went_on.set()
            return result

        return run

    def factory(child: Any) -> Any:
        def run() -> Any:
            try:
                flowy.wait(child())
            except TaskTimedout:
                stuck.let_go.set()
                wait(went_on)
            return "over"

        return run

    inner = LocalWorkflow(child)
    inner.conf_activity("late", int, retry=(5,))
    workflow = LocalWorkflow(factory, clock=lambda: clock)
    workflow.conf_workflow("child", inner, timeout=7)
    result = in_thread(workflow.run, _wait=True)
    stuck.began.get(timeout=PATIENCE)
    clock.advance(7)
    # A delay that nobody counts down would be waited for in vain.
    assert result.result(PATIENCE) == "over"


def test_a_child_that_passes_its_limit_in_the_queue_never_runs(clock: ManualTimers) -> None:
    ran: list[str] = []
    busy = threading.Event()
    let_go = threading.Event()

    def holding() -> Any:
        def run() -> str:
            busy.set()
            wait(let_go)
            return "held"

        return run

    def queued() -> Any:
        return lambda: ran.append("code ran")

    def factory(holding: Any, queued: Any, watch: Any) -> Any:
        def run() -> Any:
            held = holding()
            flowy.wait(watch())
            try:
                flowy.wait(queued())
            except TaskTimedout as exc:
                let_go.set()
                return str(exc), held
            return "no time-out"

        return run

    workflow = LocalWorkflow(factory, workflow_workers=1, clock=lambda: clock)
    workflow.conf_workflow("holding", LocalWorkflow(holding))
    workflow.conf_workflow("queued", LocalWorkflow(queued), timeout=5)
    workflow.conf_activity("watch", lambda: wait(busy))
    result = in_thread(workflow.run)
    clock.wait_for(1)
    clock.advance(5)
    message = "queued-0-0 timed out: passed its START_TO_CLOSE limit"
    assert result.result(PATIENCE) == (message, "held")
    assert ran == []


class BrokenPolicy:
    """A retry policy of somebody else, with a bug."""

    def first_delay(self) -> float:
        return 0

    def next_delay(self, *_: Any) -> float | None:
        raise ZeroDivisionError("a bug in the policy")


@pytest.mark.parametrize("waits", [False, True])
def test_an_error_in_a_retry_policy_ends_the_run(waits: bool, stuck: Stuck) -> None:
    def broken() -> None:
        raise ValueError("no luck")

    def factory(broken: Any, stuck: Any) -> Any:
        def run() -> Any:
            broken()
            # With `waits`, the code has ended when the error comes.
            return "done" if waits else stuck() + ""

        return run

    workflow = LocalWorkflow(factory)
    workflow.conf_activity("broken", broken, retry=BrokenPolicy())
    # With a limit, it is none of those that the caller's thread runs itself.
    workflow.conf_activity("stuck", stuck, timeout=600)
    with pytest.raises(ZeroDivisionError, match=r"^a bug in the policy$"):
        workflow.run(_wait=waits)


class NeverStarts(Executor):
    """Take everything and do nothing."""

    def __init__(self, max_workers: int) -> None:
        self.taken = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.taken += 1
        return Future()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        assert not wait


def test_a_time_out_on_an_executor_makes_room_for_another_job(clock: ManualTimers) -> None:
    executor = NeverStarts(1)
    workflow = LocalWorkflow(
        calling("act"), activity_workers=1, executor=executor, clock=lambda: clock
    )
    workflow.conf_activity("act", abs, retry=(0, 0), timeout=5)
    result = in_thread(workflow.run, 1)
    for _ in range(2):
        clock.wait_for(1)
        clock.advance(5)
    error = result.exception(PATIENCE)
    assert str(error) == "act-0-1 timed out: passed its START_TO_CLOSE limit"
    assert executor.taken == 2


# --- heartbeats --------------------------------------------------------------------------------


class Beating:
    """An activity that sends a heartbeat whenever it is told to."""

    def __init__(self) -> None:
        self.orders: queue.Queue[bool] = queue.Queue()
        self.answers: queue.Queue[str] = queue.Queue()

    def __call__(self) -> list[str]:
        seen: list[str] = []
        self.answers.put("running")
        while self.orders.get(timeout=PATIENCE):
            try:
                flowy.heartbeat(len(seen))
                seen.append("alive")
            except flowy.TaskCancelled:
                seen.append("cancelled")
            self.answers.put(seen[-1])
        self.answers.put("over")
        return seen

    def beat(self) -> str:
        """Have a heartbeat sent; return how that went."""
        self.orders.put(True)
        return self.answers.get(timeout=PATIENCE)

    def stop(self) -> None:
        self.orders.put(False)
        assert self.answers.get(timeout=PATIENCE) == "over"


def test_an_activity_lives_as_long_as_its_heart_beats(clock: ManualTimers) -> None:
    activity = Beating()
    workflow = LocalWorkflow(calling("act"), clock=lambda: clock)
    workflow.conf_activity("act", activity, heartbeat=2)
    result = in_thread(workflow.run)
    assert activity.answers.get(timeout=PATIENCE) == "running"
    for _ in range(5):
        clock.advance(1)
        assert activity.beat() == "alive"
    activity.stop()
    assert result.result(PATIENCE) == ["alive"] * 5


def test_an_activity_whose_heart_stops_beating_is_timed_out(clock: ManualTimers) -> None:
    activity = Beating()
    workflow = LocalWorkflow(calling("act"), clock=lambda: clock)
    workflow.conf_activity("act", activity, heartbeat=2, timeout=60)
    result = in_thread(workflow.run)
    assert activity.answers.get(timeout=PATIENCE) == "running"
    clock.advance(1)
    assert activity.beat() == "alive"
    clock.advance(1.5)
    assert not result.done()
    clock.advance(0.5)
    error = result.exception(PATIENCE)
    assert type(error) is TaskTimedout
    assert str(error) == "act-0-0 timed out: passed its HEARTBEAT limit"
    # The next heartbeat tells the activity.
    assert activity.beat() == "cancelled"
    activity.stop()


def test_a_beating_heart_does_not_extend_the_limit(clock: ManualTimers) -> None:
    activity = Beating()
    workflow = LocalWorkflow(calling("act"), clock=lambda: clock)
    workflow.conf_activity("act", activity, heartbeat=2, timeout=3)
    result = in_thread(workflow.run)
    assert activity.answers.get(timeout=PATIENCE) == "running"
    clock.advance(1.5)
    assert activity.beat() == "alive"
    clock.advance(1.5)
    error = result.exception(PATIENCE)
    assert str(error) == "act-0-0 timed out: passed its START_TO_CLOSE limit"
    activity.stop()


def test_heartbeats_cross_processes(clock: ManualTimers, line: Any) -> None:
    workflow = LocalWorkflow(
        calling("act"), executor="processes", mp_context="fork", clock=lambda: clock
    )
    workflow.conf_activity("act", beat_when_told, heartbeat=2)
    result = in_thread(workflow.run)
    assert line.recv() == "running"
    for n in range(3):
        clock.advance(1.5)
        line.send(True)
        assert line.recv() == ["alive"] * (n + 1)
    line.send(False)
    assert result.result(PATIENCE) == ["alive"] * 3


def test_a_process_whose_heart_stops_beating_is_killed(clock: ManualTimers, line: Any) -> None:
    workflow = LocalWorkflow(
        calling("act"), executor="processes", mp_context="fork", clock=lambda: clock
    )
    workflow.conf_activity("act", beat_when_told, heartbeat=2)
    result = in_thread(workflow.run)
    assert line.recv() == "running"
    clock.advance(2)
    error = result.exception(PATIENCE)
    assert str(error) == "act-0-0 timed out: passed its HEARTBEAT limit"


def test_details_that_cannot_be_loaded_here_fail_the_task_alone() -> None:
    def factory(beat_unloadable: Any, pid: Any) -> Any:
        def run() -> Any:
            try:
                flowy.wait(beat_unloadable())
            except TaskError as exc:
                return exc.summary(), [pid() + 0 != os.getpid() for _ in range(3)]
            return "no failure"

        return run

    workflow = tasks.configured(
        factory, tasks.beat_unloadable, tasks.pid, executor="processes", activity_workers=1
    )
    assert workflow.run() == (
        "beat_unloadable-0-0 failed: LookupError: made in another process, not in this one",
        [True] * 3,
    )


def test_heartbeats_reach_the_run_from_an_executor_of_this_process() -> None:
    beats: list[Any] = []

    def activity() -> None:
        flowy.heartbeat("half way")
        beats.append("alive")

    workflow = LocalWorkflow(calling("act"), executor=ThreadPoolExecutor)
    workflow.conf_activity("act", activity)
    workflow.run()
    assert beats == ["alive"]


def test_a_heartbeat_in_workflow_code_does_nothing() -> None:
    def factory() -> Any:
        return lambda: flowy.heartbeat("code")

    assert LocalWorkflow(factory).run() is None
