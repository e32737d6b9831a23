"""A worker as users run it: a program of its own, with as many processes as it is told."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

from tests.swf.fleet import DOMAIN, LIST, activity_config, workflow_config

from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.emulator.client import make_client
from flowy_swf.polling import Stop
from flowy_swf.workflow_worker import SWFWorkflowWorker

#: where activities leave notes and wait for the test
FOLDER = Path(os.environ.get("FLOWY_TEST_FOLDER", "."))


def note(text: Any) -> None:
    """Leave a note; notes of several processes do not mix."""
    file = os.open(FOLDER / "notes", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{text}\n".encode())
    os.close(file)


def square(n: int) -> int:
    note(n)
    return n * n


def wait(n: int) -> int:
    """Return when the test opens the pipe of this number."""
    note(n)
    (FOLDER / f"pipe-{n}").read_text()
    return os.getpid()


def crash(how: str) -> str:
    """End the process the first time."""
    note(how)
    if (FOLDER / "notes").read_text().count(how) == 1:
        if how == "kill -9":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(int(how.removeprefix("exit ")))
    return how


def stuck(stop: Stop) -> None:
    """Work as a process that does not end, once the test has opened the pipe."""
    (FOLDER / "pipe-0").read_text()
    threading.Event().wait()


ACTIVITIES: dict[str, Any] = {"square": square, "wait": wait, "crash": crash}


class Each:
    """A workflow that calls an activity with each argument."""

    def __init__(self, activity: Any) -> None:
        self.activity = activity

    def __call__(self, *args: Any) -> Any:
        return [self.activity(each) for each in args]


class Worker(SWFActivityWorker):
    """A worker whose processes may end by themselves."""

    breaks = False

    def break_loop(self) -> bool:
        return self.breaks


def worker() -> Worker:
    """Return a worker for all activities here."""
    found = Worker()
    for name, function in ACTIVITIES.items():
        found.register(activity_config(default_heartbeat=30), function, 1, name)
    return found


def decider() -> SWFWorkflowWorker:
    """Return a decider of a workflow for each activity."""
    found = SWFWorkflowWorker()
    for name in ACTIVITIES:
        config = workflow_config()
        config.conf_activity("activity", 1, name)
        found.register(config, Each, name=name)
    return found


def main() -> None:
    options = json.loads(sys.argv[1])
    found: SWFWorkflowWorker | Worker = decider() if options.pop("decides", False) else worker()
    if isinstance(found, Worker):
        found.breaks = options.pop("breaks", False)
    found.run(DOMAIN, LIST, partial(make_client, options.pop("url")), **options)
    print("ended in order", flush=True)


if __name__ == "__main__":
    main()
