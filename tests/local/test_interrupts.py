"""Ctrl-C: the run ends at once, and nothing stays behind.

Whatever a script leaves running holds its output open. So reading that to its end tells that
nothing is left.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.local.tasks import PATIENCE, Start, configured, engine_threads, let_end, square, wait

import flowy
from flowy.execution import Execution
from flowy_local import LocalWorkflow, execution, scheduler
from flowy_local.threads import ThreadPool

ENGINES = [
    ("threads", "fork"),
    ("processes", "fork"),
    ("processes", "spawn"),
    ("processes", "forkserver"),
]

HELD = """
import os, signal, sys, time
from flowy_local import LocalWorkflow

def hold():
    # Not print(), which writes the line and its end one after the other.
    os.write(1, b"holding\\n")
    while True:
        time.sleep(600)

def stubborn():
    signal.signal(signal.SIGTERM, lambda *_: None)
    hold()

if __name__ == "__main__":
    _, executor, method, activity = sys.argv
    workflow = LocalWorkflow(
        lambda act: lambda: [act(), act()], executor=executor, mp_context=method
    )
    workflow.conf_activity("act", globals()[activity])
    workflow.run()
"""


@pytest.mark.parametrize("group", [False, True], ids=["parent", "group"])
@pytest.mark.parametrize(("executor", "method"), ENGINES)
def test_ctrl_c_ends_a_run_whose_activities_do_not_end(
    executor: str, method: str, group: bool, start: Start
) -> None:
    script = start(HELD, executor, method, "hold")
    assert [script.read_line() for _ in range(2)] == ["holding", "holding"]
    script.interrupt(group)
    ended = script.end()
    assert ended.code == -signal.SIGINT
    assert ended.err.endswith("\nKeyboardInterrupt\n")
    # The workers say nothing.
    assert ended.err.count("KeyboardInterrupt") == 1
    assert ended.out == ""


def test_a_process_that_stays_when_asked_to_end_is_killed(start: Start) -> None:
    script = start(HELD, "processes", "fork", "stubborn")
    assert [script.read_line() for _ in range(2)] == ["holding", "holding"]
    script.interrupt(group=True)
    assert script.end().code == -signal.SIGINT


def test_ctrl_c_ends_a_run_on_an_executor(start: Start) -> None:
    source = HELD.replace("import os", "import concurrent.futures, os").replace(
        "executor=executor,", "executor=Killable, activity_workers=2,"
    )
    source = source.replace(
        "if __name__",
        """
class Killable(concurrent.futures.ProcessPoolExecutor):
    def kill_workers(self):  # as Python 3.14 has it
        for process in self._processes.values():
            process.kill()

if __name__""",
    )
    script = start(source, "-", "fork", "hold")
    assert [script.read_line() for _ in range(2)] == ["holding", "holding"]
    script.interrupt(group=False)
    ended = script.end()
    assert ended.code == -signal.SIGINT
    assert "\nKeyboardInterrupt\n" in ended.err


IN_CHILD = """
import threading
from flowy_local import LocalWorkflow

def child():
    def run():
        print("child runs", flush=True)
        threading.Event().wait()
    return run

workflow = LocalWorkflow(lambda child: lambda: child() + 1)
workflow.conf_workflow("child", LocalWorkflow(child))
workflow.run()
"""


def test_ctrl_c_ends_a_run_whose_child_does_not_end(start: Start) -> None:
    script = start(IN_CHILD)
    assert script.read_line() == "child runs"
    script.interrupt(group=True)
    ended = script.end()
    assert ended.code == -signal.SIGINT
    assert ended.err.endswith("\nKeyboardInterrupt\n")


ON_ANOTHER_THREAD = """
import signal, sys, threading
from flowy_local import LocalWorkflow

def act():
    # The system may give a signal to any thread; what the main thread waits for is not interrupted.
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    threading.Event().wait()

def needed(act):
    return lambda: [act(), act()]

def not_needed(act):
    return lambda: [act(), act()] and None

if __name__ == "__main__":
    workflow = LocalWorkflow(globals()[sys.argv[1]])
    workflow.conf_activity("act", act)
    workflow.run(_wait=True)
"""


@pytest.mark.parametrize("waits", ["needed", "not_needed"])
def test_ctrl_c_that_does_not_interrupt_the_main_threads_wait_is_seen(
    waits: str, start: Start
) -> None:
    ended = start(ON_ANOTHER_THREAD, waits).end()
    assert ended.code == -signal.SIGINT
    assert ended.err.endswith("\nKeyboardInterrupt\n")


# A signal may come between any two steps of the engine on the main thread; here it does, often. It
# comes again if Python drops it, as it does with any exception in the callback of a weak reference.
OFTEN = """
import random, signal, sys, threading, time
from flowy_local import LocalWorkflow

def ring(_signal, _frame):
    raise KeyboardInterrupt

def ring_in(seconds):
    signal.setitimer(signal.ITIMER_REAL, seconds)

def identity(n):
    # Another thread gets its turn, so that all of them are started.
    time.sleep(0)
    return n

def factory(identity):
    def run():
        while True:
            values = [identity(n) for n in range(50)]
            assert [value + 0 for value in values] == list(range(50))
            # Python itself is not made to be interrupted while it imports things or starts threads.
            if not ringing and threading.active_count() == 1 + 3:
                ringing.append(True)
                ring_in(draw.random() / 100)
    return run

if __name__ == "__main__":
    _, executor, times = sys.argv
    signal.signal(signal.SIGALRM, ring)
    sys.unraisablehook = lambda dropped: ring_in(0.001)
    workflow = LocalWorkflow(factory, executor=executor, activity_workers=3)
    workflow.conf_activity("identity", identity)
    draw = random.Random(1)
    for n in range(int(times)):
        ringing = []
        try:
            workflow.run()
        except KeyboardInterrupt:
            pass
        for thread in threading.enumerate()[1:]:
            thread.join(20)
            assert not thread.is_alive(), thread
    ring_in(0)
    print("done")
"""


@pytest.mark.parametrize(("executor", "times"), [("threads", "100"), ("processes", "30")])
def test_ctrl_c_at_any_moment_ends_the_run(executor: str, times: str, start: Start) -> None:
    # Measuring coverage is not made to be interrupted either.
    ended = start(OFTEN, executor, times, measured=False).end()
    assert (ended.code, ended.out, ended.err) == (0, "done\n", "")


class InterruptedLock:
    """A lock; Ctrl-C comes just after the main thread took it for the `which`th time."""

    def __init__(self, lock: Any, which: int) -> None:
        self._lock = lock
        self._left = which

    def acquire(self, *args: Any, **kwargs: Any) -> bool:
        taken: bool = self._lock.acquire(*args, **kwargs)
        if threading.current_thread() is threading.main_thread():
            self._left -= 1
            if self._left == 0:
                raise KeyboardInterrupt
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)


class Threading:
    """The module `threading` with such locks."""

    def __init__(self, which: int) -> None:
        self._which = which

    def Lock(self) -> InterruptedLock:  # noqa: N802  # it stands for threading.Lock
        return InterruptedLock(threading.Lock(), self._which)

    def RLock(self) -> InterruptedLock:  # noqa: N802  # it stands for threading.RLock
        return InterruptedLock(threading.RLock(), self._which)

    def __getattr__(self, name: str) -> Any:
        return getattr(threading, name)


@pytest.fixture(params=range(2, 8))
def interrupted(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Any], None]:
    """Give what has a module's locks interrupted."""

    def interrupt(module: Any) -> None:
        monkeypatch.setattr(module, "threading", Threading(request.param))

    return interrupt


@pytest.mark.parametrize("module", [scheduler, execution])
def test_ctrl_c_just_after_a_lock_was_taken_ends_the_run(
    module: Any, interrupted: Callable[[Any], None]
) -> None:
    def factory(square: Any) -> Any:
        def run() -> Any:
            while True:
                assert square(3) + 0 == 9

        return run

    interrupted(module)
    workflow = LocalWorkflow(factory)
    # With a limit, no task is one of those that the caller's thread runs itself.
    workflow.conf_activity("square", square, timeout=600)
    with pytest.raises(KeyboardInterrupt):
        workflow.run()


@pytest.mark.parametrize("module", [scheduler, execution])
def test_workflow_code_may_go_on_after_ctrl_c_just_after_a_lock_was_taken(
    module: Any, interrupted: Callable[[Any], None]
) -> None:
    interrupts: list[BaseException] = []

    def factory(square: Any) -> Any:
        def run() -> Any:
            while not interrupts:
                try:
                    flowy.wait(square(3))
                except KeyboardInterrupt as exc:
                    interrupts.append(exc)
            return square(4) + 0

        return run

    interrupted(module)
    workflow = LocalWorkflow(factory)
    workflow.conf_activity("square", square, timeout=600)
    assert workflow.run() == 16


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_ctrl_c_while_the_run_is_ended_ends_it(
    executor: str, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupts: list[KeyboardInterrupt] = [KeyboardInterrupt()]

    def close(pool: ThreadPool) -> None:
        if interrupts:
            raise interrupts.pop()
        original(pool)

    original = ThreadPool.close
    monkeypatch.setattr(ThreadPool, "close", close)
    workflow = LocalWorkflow(lambda square: lambda: square(3) + 0, executor=executor)
    # With a limit, so that there is a thread for time as well.
    workflow.conf_activity("square", square, timeout=600)
    with pytest.raises(KeyboardInterrupt):
        workflow.run(_wait=waits)
    assert engine_threads() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, flowy.NonDeterminismError])
def test_what_children_that_are_over_left_to_be_waited_for_ends_with_the_run(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def stop(_waiter: Any) -> None:
        wait(begun)
        raise error("call", "recorded", "replayed")

    def grandchild(later: Any) -> Any:
        def run() -> Any:
            # So many that it is not suspended but parked.
            results = [later(n) for n in range(execution.PARK_FROM)]
            begun.set()
            return sum(results)

        return run

    inner = LocalWorkflow(grandchild)
    inner.conf_activity("later", square, retry=(3600,))
    middle = LocalWorkflow(lambda grandchild: lambda: len([grandchild()]))
    middle.conf_workflow("grandchild", inner)
    workflow = LocalWorkflow(lambda child: lambda: flowy.wait(child()))
    workflow.conf_workflow("child", middle)
    monkeypatch.setattr(scheduler, "wait_on_main", stop)
    with pytest.raises(error):
        workflow.run(_wait=True)
    assert engine_threads() == []


def test_workflow_code_may_catch_ctrl_c_and_go_on() -> None:
    waiting = threading.Event()
    pressed = threading.Event()

    def press() -> int:
        wait(waiting)
        signal.raise_signal(signal.SIGINT)
        pressed.set()
        return 5

    def factory(press: Any) -> Any:
        def run() -> Any:
            result = press()
            try:
                waiting.set()
                flowy.wait(result)
                wait(pressed)
                return "not interrupted"
            except KeyboardInterrupt:
                return result + 1

        return run

    # With a limit, it is none of those that the caller's thread runs itself.
    workflow = LocalWorkflow(factory)
    workflow.conf_activity("press", press, timeout=600)
    assert workflow.run() == 6


def test_an_interrupt_while_all_is_dropped_leaves_no_parked_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called, release = threading.Event(), threading.Event()
    open_calls = Execution.open_calls
    left = [1]

    def interrupted(self: Execution) -> Any:
        if left and called.is_set():
            left.pop()
            raise KeyboardInterrupt
        return open_calls(self)

    def hold() -> None:
        called.set()
        wait(release)

    def child(square: Any, hold: Any) -> Any:
        # Long enough to be parked and not suspended.
        return lambda: [square(n) for n in range(execution.PARK_FROM)] and hold() + 0

    def parent(child: Any) -> Any:
        def run() -> None:
            child()
            wait(called)
            raise KeyboardInterrupt

        return run

    monkeypatch.setattr(Execution, "open_calls", interrupted)
    workflow = LocalWorkflow(parent)
    workflow.conf_workflow("child", configured(child, square, hold))
    with pytest.raises(KeyboardInterrupt):
        workflow.run()
    for thread in threading.enumerate():
        if thread.name.startswith("flowy-workflow"):
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert not left
    release.set()
    let_end()
