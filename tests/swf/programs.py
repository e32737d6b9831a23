"""Workers that are programs of their own, beside an emulator in this process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.swf import worker_program
from tests.swf.fleet import DOMAIN, Fleet, fleet

from flowy_swf.registration import register_types

ROOT = Path(__file__).parents[2]


class Program:
    """A worker program that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def stopping(self) -> None:
        """Wait until it has taken note of the first signal."""
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        assert line.endswith(
            "no more polls; tasks and polls that are under way end first, a second signal stops at "
            "once\n"
        )

    def kill(self) -> None:
        """Kill all its processes, and wait for them."""
        # The session is the program's own, and lasts while any of its processes does.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def end(self) -> tuple[int, str, list[str]]:
        """Wait for the end of all its processes; return exit status, output and log messages."""
        # Each of them has both pipes open.
        output, log = self.process.communicate(timeout=60)
        messages = [line.split("flowy.swf: ", 1)[-1] for line in log.splitlines()]
        return self.process.returncode, output, messages


class Programs:
    """A fleet whose workers are programs, and the folder in which they leave notes."""

    def __init__(self, running: Fleet, folder: Path) -> None:
        self.running = running
        self.folder = folder
        self.started: list[Program] = []

    def start(self, **options: Any) -> Program:
        """Start a worker program with the options of `run`."""
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.swf.worker_program",
                json.dumps({"url": self.running.emulator.url, **options}),
            ],
            cwd=ROOT,
            env={**os.environ, "FLOWY_TEST_FOLDER": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        program = Program(process)
        self.started.append(program)
        return program

    def serve(self, identity: str, **options: Any) -> Program:
        """Start a worker program of four slots, and wait until it polls."""
        program = self.start(processes=2, threads=2, identity=identity, **options)
        self.running.emulator.wait_for(
            lambda: any(
                (each.identity or "").startswith(identity)
                for each in self.running.emulator.pollers()
            )
        )
        return program

    def polled(self, number: int) -> None:
        """Wait until so many polls for activities are held."""
        self.running.emulator.wait_for(
            lambda: (
                sum(each.kind == "activity" for each in self.running.emulator.pollers()) == number
            )
        )

    def begun(self, number: int) -> None:
        """Wait until so many activities have been begun and not ended."""
        self.running.emulator.wait_for(
            lambda: (
                sum(
                    each.kind == "activity" and each.started_event_id > 0
                    for each in self.running.emulator.open_tasks()
                )
                == number
            )
        )

    def pipe(self, number: int) -> Callable[[], None]:
        """Make the pipe that an activity waits for; return what lets it go on."""
        path = self.folder / f"pipe-{number}"
        os.mkfifo(path)
        return lambda: os.close(os.open(path, os.O_WRONLY))

    @property
    def notes(self) -> list[str]:
        return (self.folder / "notes").read_text().split("\n")[:-1]


@contextmanager
def programs(folder: Path, **options: Any) -> Iterator[Programs]:
    """Return a fleet for programs; no process of them is left afterwards."""
    # On a slow machine nothing may time out but what a test has time out.
    with fleet(**{"clock": "virtual", "long_poll": 0.5, **options}) as running:
        for worker in (worker_program.worker(), worker_program.decider()):
            register_types(running.client, DOMAIN, worker.types)
        found = Programs(running, folder)
        try:
            yield found
        finally:
            for program in found.started:
                program.kill()
