"""Several worker processes: they share the work, are replaced when they crash, and end in order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

import pytest
from tests.swf import worker_program
from tests.swf.fleet import DOMAIN, LIST, Fleet, activity_config, fleet, outcome
from tests.swf.programs import Programs
from tests.swf.programs import programs as programs_in

from flowy_swf import processes
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.client import SWFClient
from flowy_swf.emulator.client import make_client
from flowy_swf.polling import Stop, stopped_by_signals
from flowy_swf.worker import Worker


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    with programs_in(tmp_path) as found:
        found.running.serve(worker_program.decider())
        yield found


def identities(running: Fleet, workflow_id: str) -> set[str]:
    return {
        event["activityTaskStartedEventAttributes"]["identity"]
        for event in running.emulator.history(workflow_id)
        if event["eventType"] == "ActivityTaskStarted"
    }


def test_processes_share_the_work_and_are_told_apart(programs: Programs) -> None:
    releases = [programs.pipe(number) for number in range(2)]
    program = programs.start(processes=2, identity="me")
    workflow_id = programs.running.start("wait", 0, 1)
    programs.begun(2)
    for release in releases:
        release()
    pids = outcome(programs.running.end(workflow_id))
    assert len(set(pids)) == 2
    assert identities(programs.running, workflow_id) == {f"me:{pid}" for pid in pids}
    assert program.process.pid not in pids
    program.process.terminate()
    assert program.end()[:2] == (0, "ended in order\n")


def test_processes_have_as_many_slots_as_they_are_told(programs: Programs) -> None:
    program = programs.start(processes=2, threads=3)
    programs.polled(6)
    program.process.terminate()
    assert program.end()[:2] == (0, "ended in order\n")


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("kill -9", "was killed by SIGKILL"),
        ("exit 0", "ended with exit code 0"),
        ("exit 3", "ended with exit code 3"),
    ],
)
def test_a_process_that_crashes_is_replaced_and_its_task_is_tried_again(
    programs: Programs, how: str, told: str
) -> None:
    program = programs.start(processes=2)
    workflow_id = programs.running.start("crash", how)
    programs.begun(1)
    # Only another process makes them two again.
    programs.polled(2)
    programs.running.emulator.advance(30)
    assert outcome(programs.running.end(workflow_id)) == [how]
    # All that a service can promise is that it times out.
    assert programs.notes == [how, how]
    assert "ActivityTaskTimedOut" in programs.running.types(workflow_id)
    program.process.terminate()
    status, _, (message, *_) = program.end()
    assert status == 0
    assert message.startswith("worker process ")
    assert f"{told}; another one starts in 0." in message
    assert message.endswith(" s; the service has its tasks time out")


@pytest.mark.parametrize(
    ("number", "processes", "everybody"),
    [
        (signal.SIGTERM, 1, False),
        (signal.SIGINT, 1, False),
        (signal.SIGTERM, 2, False),
        (signal.SIGINT, 2, False),
        # As systemd does it.
        (signal.SIGTERM, 2, True),
        # As a terminal does it.
        (signal.SIGINT, 2, True),
    ],
)
def test_a_signal_lets_tasks_end_whether_the_supervisor_gets_it_or_all_do(
    programs: Programs, number: signal.Signals, processes: int, everybody: bool
) -> None:
    release = programs.pipe(0)
    program = programs.start(processes=processes)
    programs.polled(processes)
    workflow_id = programs.running.start("wait", 0)
    programs.begun(1)
    (os.killpg if everybody else os.kill)(program.process.pid, number)
    program.stopping()
    release()
    assert program.end() == (0, "ended in order\n", [])
    assert outcome(programs.running.end(workflow_id))
    assert programs.notes == ["0"]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_second_signal_ends_everything_at_once(programs: Programs, processes: int) -> None:
    programs.pipe(0)
    program = programs.start(processes=processes)
    programs.running.start("wait", 0)
    programs.begun(1)
    program.process.terminate()
    program.stopping()
    program.process.terminate()
    status, output, messages = program.end()
    assert (status, output) == (-signal.SIGINT, "")
    assert messages[-1] == "KeyboardInterrupt"


@pytest.mark.parametrize("processes", [1, 2])
def test_what_does_not_end_within_the_grace_is_left(programs: Programs, processes: int) -> None:
    programs.pipe(0)
    program = programs.start(processes=processes, grace=0.5)
    programs.running.start("wait", 0)
    programs.begun(1)
    program.process.terminate()
    status, output, messages = program.end()
    assert (status, output) == (0, "ended in order\n")
    assert messages[-1] == (
        "1 tasks or polls have not ended within 0.5 s and are left to the service, which has their "
        "tasks time out"
    )


def test_processes_end_in_order_when_the_supervisor_dies(programs: Programs) -> None:
    release = programs.pipe(0)
    program = programs.start(processes=2)
    programs.polled(2)
    workflow_id = programs.running.start("wait", 0)
    programs.begun(1)
    program.process.kill()
    program.process.wait(30)
    release()
    assert outcome(programs.running.end(workflow_id))
    assert program.end() == (-signal.SIGKILL, "", [])


def test_processes_that_end_by_themselves_are_not_replaced(programs: Programs) -> None:
    assert programs.start(processes=2, breaks=True).end() == (0, "ended in order\n", [])


# --- without fork ---------------------------------------------------------------------------------


@contextmanager
def in_a_thread(worker: Worker[Any], url: str) -> Iterator[None]:
    """Have a worker run with two processes in a thread of this process, which it cannot fork."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            worker.run(DOMAIN, LIST, partial(make_client, url), False, processes=2)
        except BaseException as exc:
            errors.append(exc)

    stop = worker._stop
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
        worker.stop()
        thread.join(60)
        assert not errors
    finally:
        stop.stop_everything()
        thread.join(60)
        assert not thread.is_alive()


def test_a_process_with_threads_starts_others_anew_and_stop_ends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWY_TEST_FOLDER", str(tmp_path))
    with (
        fleet(clock="real", long_poll=0.2) as running,
        in_a_thread(worker_program.worker(), running.emulator.url),
        in_a_thread(worker_program.decider(), running.emulator.url),
    ):
        running.emulator.wait_for(
            lambda: {each.kind for each in running.emulator.pollers()} == {"activity", "decision"}
        )
        assert running.run("square", 2, 3) == [4, 9]


def test_a_worker_that_cannot_be_sent_to_other_processes_is_refused_at_once() -> None:
    worker = SWFActivityWorker()
    worker.register(activity_config(), lambda: 4, name="four")
    other = threading.Event()
    thread = threading.Thread(target=other.wait)
    thread.start()
    try:
        with pytest.raises(
            TypeError,
            match=r"^the worker cannot be sent to other processes \(.*lambda.*\): register "
            r"functions and classes of modules, and give swf_client as such a function; or, on "
            r"Linux, run it before the process has other threads, where anything goes$",
        ):
            worker.run(DOMAIN, LIST, SWFClient, False, register_remote=False, processes=2)
    finally:
        other.set()
        thread.join()


def test_processes_do_not_share_a_client() -> None:
    with (
        fleet() as running,
        pytest.raises(
            ValueError,
            match=r"^processes cannot share a client: give a function that makes one as "
            r"swf_client, such as flowy\.SWFClient, or functools\.partial\(flowy\.SWFClient, "
            r"region_name=\.\.\.\)$",
        ),
    ):
        SWFActivityWorker().run(DOMAIN, LIST, running.client, False, processes=2)


# --- the supervisor -------------------------------------------------------------------------------


class Machine:
    """Starts processes that have ended with an exit code, or has no room for them."""

    pid = 4

    def __init__(self, exitcode: int | None) -> None:
        self.exitcode = exitcode

    def Process(self, **_: Any) -> Machine:  # noqa: N802 - as multiprocessing names it
        return self

    def start(self) -> None:
        if self.exitcode is None:
            raise OSError("no room")

    def join(self) -> None:
        """Return at once."""

    close = join


def place(exitcode: int | None) -> processes._Place:
    """Return a place whose process has been started and has ended."""
    found = processes._Place(Machine(exitcode), ())
    found.start_if_due()
    return found


def test_a_process_that_cannot_be_started_is_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("random.random", lambda: 1.0)
    empty = place(None)
    assert empty.sentinel is None
    assert empty.due is not None
    assert caplog.messages == [
        "a worker process could not be started (no room); it is tried again in 0.2 s"
    ]


def test_a_process_that_crashes_again_and_again_is_replaced_later_and_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("random.random", lambda: 1.0)
    crashing = place(3)
    for _ in range(3):
        crashing.end(stopped=False)
        crashing.due = 0.0
        crashing.start_if_due()
    # This one has lived long.
    crashing._began = float("-inf")
    crashing.end(stopped=False)
    assert caplog.messages == [
        f"worker process 4 ended with exit code 3; another one starts in {delay} s; the service "
        "has its tasks time out"
        for delay in (0.2, 0.4, 0.8, 0.2)
    ]


def test_a_process_that_crashes_while_it_ends_is_not_replaced(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crashing = place(-11)
    crashing.end(stopped=True)
    assert crashing.due is None
    assert caplog.messages == ["worker process 4 was killed by SIGSEGV while it was to end"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (1, "ended with exit code 1"),
        (-9, "was killed by SIGKILL"),
        (-50, "was killed by signal 50"),
    ],
)
def test_how_a_process_ended_is_told(code: int, told: str) -> None:
    assert processes._how(code) == told


def test_a_supervisor_that_was_stopped_before_starts_nothing() -> None:
    stop = Stop()
    stop.stop_polling()
    processes.supervise(os._exit, 2, stop, None)  # type: ignore[arg-type]


def test_a_signal_that_does_not_end_the_supervisors_wait_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting, stop = threading.Event(), Stop()
    wait = processes.wait  # type: ignore[attr-defined]

    def waits(*given: Any) -> Any:
        waiting.set()
        return wait(*given)

    def interrupt() -> None:
        assert waiting.wait(30)
        # Another thread than that which waits is interrupted. Nor is one that is about to wait.
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        # A signal to a thread that has ended is nobody's.
        assert stop.wait_to_poll(30)

    monkeypatch.setattr(processes, "wait", waits)
    thread = threading.Thread(target=interrupt)
    thread.start()
    with stopped_by_signals(stop):
        processes.supervise(methodcaller("wait_to_poll", 60), 1, stop, None)
    thread.join(30)
    assert stop.polls_no_more


def test_a_process_that_does_not_end_when_it_should_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FLOWY_TEST_FOLDER", str(tmp_path))
    monkeypatch.setattr(processes, "_MARGIN", 0.0)
    stop = Stop()
    os.mkfifo(tmp_path / "pipe-0")

    def stop_when_it_works() -> None:
        os.close(os.open(tmp_path / "pipe-0", os.O_WRONLY))
        stop.stop_polling()

    thread = threading.Thread(target=stop_when_it_works)
    thread.start()
    processes.supervise(worker_program.stuck, 1, stop, 0)
    thread.join(30)
    assert caplog.messages == [
        "1 worker processes have not ended within 0 s and are killed; the service has their tasks "
        "time out"
    ]
