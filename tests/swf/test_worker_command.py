"""`flowy swf worker` as users run it: a process, an emulator over HTTP, and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flowy.cli import main
from flowy_swf.commands.workers import serve
from flowy_swf.emulator import Emulator
from flowy_swf.handle import SWFWorkflowHandle
from flowy_swf.polling import Stop
from flowy_swf.starter import SWFWorkflowStarter

TOYS = """
import os
import sys
import time
import flowy

activity = flowy.SWFActivityConfig(
    default_task_list="toys",
    default_heartbeat="NONE",
    default_schedule_to_close=60,
    default_schedule_to_start=60,
    default_start_to_close=60,
)
workflow = flowy.SWFWorkflowConfig(
    default_task_list="toys",
    default_workflow_duration=60,
    default_decision_duration=30,
    default_child_policy="TERMINATE",
)
workflow.conf_activity("square", version=1)
workflow.conf_activity("hang", version=1)


@activity(version=1)
def square(n):
    return n ** 2


@activity(version=1)
def hang():
    time.sleep(100)


@workflow(version=1)
class Squares:
    def __init__(self, square, hang):
        self.square = square
        self.hang = hang

    def __call__(self, n):
        return self.square(n) if n else self.hang()
"""

SERVING = "flowy swf worker: serving task list 'toys' of domain 'shop': {}; Ctrl-C stops it\n"
EVERYTHING = SERVING.format("1 workflow and 2 activities")
STOPPING = (
    "no more polls; tasks and polls that are under way end first, a second signal stops at once\n"
)


@pytest.fixture
def serving() -> Iterator[Emulator]:
    """Return an emulator that serves."""
    emulator = Emulator(long_poll=0.1)
    with emulator.serve():
        yield emulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "toys.py").write_text(TOYS)
    return tmp_path


@contextmanager
def worker(
    emulator: Emulator, folder: Path, *options: str, program: str = "-m flowy"
) -> Iterator[subprocess.Popen[str]]:
    """Start the command, and end it at the latest at the end of the block."""
    given = f"toys --task-list toys --domain shop --endpoint-url {emulator.url}".split()
    process = subprocess.Popen(
        [sys.executable, *program.split(), "swf", "worker", *given, *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests are a job in the background, Ctrl-C is ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env={**os.environ, "AWS_ACCESS_KEY_ID": ""},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def begun(process: subprocess.Popen[str], line: str = EVERYTHING) -> None:
    """Wait until the worker serves."""
    assert process.stderr is not None
    assert process.stderr.readline() == line


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def starter(emulator: Emulator) -> Callable[..., SWFWorkflowHandle]:
    return SWFWorkflowStarter("shop", "Squares", 1, emulator.client())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "options", [[], ["--threads", "2"], ["--processes", "2"]], ids=["one", "threads", "processes"]
)
def test_a_worker_decides_and_works_until_a_signal(
    serving: Emulator, folder: Path, options: list[str], number: signal.Signals
) -> None:
    with worker(serving, folder, "--create-domain", *options) as process:
        begun(process)
        handles = [starter(serving)(n) for n in (1, 2, 3)]
        assert [handle.result(timeout=60) for handle in handles] == [1, 4, 9]
        process.send_signal(number)
        status, out, err = ended(process)
    assert (status, out) == (0, "")
    (line,) = err.splitlines(keepends=True)
    assert line.endswith(f" WARNING flowy.swf: {number.name}: {STOPPING}")


def test_a_worker_can_do_one_thing_only(serving: Emulator, folder: Path) -> None:
    with (
        worker(serving, folder, "--create-domain", "--workflows") as decider,
        worker(serving, folder, "--create-domain", "--activities", "--json") as activities,
    ):
        begun(decider, SERVING.format("1 workflow"))
        begun(activities, SERVING.format("2 activities"))
        assert starter(serving)(3).result(timeout=60) == 9
        for process in (decider, activities):
            process.terminate()
        assert ended(decider)[:2] == (0, "")
        status, out, _ = ended(activities)
    assert status == 0
    assert json.loads(out) == {
        "domain": "shop",
        "workflows": [],
        "activities": [{"name": "square", "version": "1"}, {"name": "hang", "version": "1"}],
    }


def hanging(emulator: Emulator) -> None:
    """Start an execution, and wait until its activity runs."""
    starter(emulator)(0)
    emulator.wait_for(
        lambda: any(
            task.kind == "activity" and task.started_event_id for task in emulator.open_tasks()
        )
    )


@pytest.mark.parametrize("options", [[], ["--processes", "2"]], ids=["one", "processes"])
def test_a_second_signal_ends_a_worker_at_once(
    serving: Emulator, folder: Path, options: list[str]
) -> None:
    with worker(serving, folder, "--create-domain", *options) as process:
        begun(process)
        hanging(serving)
        process.terminate()
        assert process.stderr is not None
        assert process.stderr.readline().endswith(f" flowy.swf: SIGTERM: {STOPPING}")
        serving.wait_for(lambda: not serving.pollers())
        process.terminate()
        assert ended(process) == (130, "", "flowy: interrupted\n")


@pytest.mark.parametrize("options", [[], ["--processes", "2"]], ids=["one", "processes"])
def test_what_is_under_way_has_its_grace(
    serving: Emulator, folder: Path, options: list[str]
) -> None:
    with worker(serving, folder, "--create-domain", "--grace", "0.2", *options) as process:
        begun(process)
        hanging(serving)
        process.terminate()
        status, out, err = ended(process)
    assert (status, out) == (0, "")
    assert "have not ended within 0.2 s" in err


def test_types_can_be_taken_for_granted(serving: Emulator, folder: Path) -> None:
    with worker(serving, folder, "--create-domain") as process:
        begun(process)
        serving.clear_calls()
        with worker(serving, folder, "--no-register") as other:
            begun(other)
            serving.wait_for(lambda: "PollForDecisionTask" in serving.calls())
            other.terminate()
            assert ended(other)[0] == 0
    assert not any("Type" in operation for operation in serving.calls())


def test_a_domain_that_is_not_there_is_told_before_work_begins(
    serving: Emulator, folder: Path
) -> None:
    with worker(serving, folder) as process:
        assert ended(process) == (
            1,
            "",
            "flowy swf worker: error: there is no domain 'shop': check the name, region and "
            "credentials, or create it with `flowy swf register --create-domain`\n",
        )


def test_the_whole_of_it_by_commands_alone(serving: Emulator, folder: Path) -> None:
    pytest.importorskip("flowy_trace")

    def flowy(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "flowy", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "FLOWY_SWF_DOMAIN": "shop",
                "AWS_ENDPOINT_URL_SWF": serving.url,
                "AWS_ACCESS_KEY_ID": "",
            },
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    flowy("swf", "register", "toys", "--create-domain")
    with worker(serving, folder) as process:
        begun(process)
        assert flowy("swf", "start", "Squares", "1", "--kw", "n=7", "--wait") == "49\n"
        (info,) = json.loads(flowy("swf", "list", "--closed", "--json"))["executionInfos"]
        workflow_id = info["execution"]["workflowId"]
        assert flowy("swf", "result", workflow_id) == "49\n"
        (folder / "history.json").write_text(flowy("swf", "history", workflow_id, "--json"))
        assert "Squares(n=7) = 49\n" in flowy("trace", "history.json")
        process.terminate()
        assert ended(process)[0] == 0


# --- running workers side by side ---------------------------------------------------------------


class Fake:
    """A worker that runs until it is stopped, or fails."""

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error
        self.stopped = threading.Event()
        self.options: dict[str, Any] = {}

    def run(self, **options: Any) -> None:
        self.options = options
        if self._error is not None:
            raise self._error
        assert self.stopped.wait(60)

    def stop(self) -> None:
        self.stopped.set()


def test_a_worker_that_fails_stops_the_others() -> None:
    error = RuntimeError("broken")
    workers: Any = [Fake(), Fake(error)]
    with pytest.raises(RuntimeError) as caught:
        serve(Stop(), workers, domain="shop")
    assert caught.value is error
    assert [each.stopped.is_set() for each in workers] == [True, True]
    assert workers[0].options == {"domain": "shop"}


def test_a_stop_that_was_asked_for_before_is_heard() -> None:
    stop = Stop()
    stop.stop_polling()
    workers: Any = [Fake(), Fake()]
    serve(stop, workers)
    assert all(each.stopped.is_set() for each in workers)


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        (
            "--task-list",
            "a:b",
            "task list must not hold ':', '/', '|' or control characters, begin "
            "or end with a space, or be 'arn': 'a:b'",
        ),
        ("--processes", "0", "argument --processes: '0' is no whole number above 0"),
        ("--threads", "x", "argument --threads: 'x' is no whole number above 0"),
        ("--grace", "-1", "argument --grace: '-1' is no number of seconds, 0 or more"),
    ],
)
def test_options_that_make_no_sense_are_a_wrong_call(
    capsys: pytest.CaptureFixture[str], option: str, value: str, error: str
) -> None:
    given = [
        "swf",
        "worker",
        "toys",
        "--domain",
        "shop",
        "--task-list",
        "toys",
        f"{option}={value}",
    ]
    with pytest.raises(SystemExit) as exited:
        main(given)
    assert exited.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"flowy swf worker: error: {error}"
