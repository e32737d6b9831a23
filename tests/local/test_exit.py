"""What a run leaves to the end of the program, and what it does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.local.tasks import Start

STUCK = """
import threading
from flowy import TaskTimedout
from flowy_local import LocalWorkflow

def stuck():
    threading.Event().wait()

workflow = LocalWorkflow(lambda act: act)
workflow.conf_activity("act", stuck, timeout=0.05)
try:
    workflow.run()
except TaskTimedout as exc:
    print(exc)
"""


def test_the_program_ends_though_a_thread_is_stuck(start: Start) -> None:
    ended = start(STUCK).end()
    message = "act-0-0 timed out: passed its START_TO_CLOSE limit\n"
    assert (ended.code, ended.out, ended.err) == (0, message, "")


ABANDONED = """
import sys
import flowy
from flowy_local import LocalWorkflow

_, executor, begun, go_on = sys.argv

def slow():
    open(begun, "w").close()
    open(go_on).read()
    print("slow ends", flush=True)

def fast():
    open(begun).read()
    return "fast"

if __name__ == "__main__":
    workflow = LocalWorkflow(
        lambda slow, fast: lambda: flowy.first(slow(), fast()), executor=executor
    )
    workflow.conf_activity("slow", slow)
    workflow.conf_activity("fast", fast)
    print(workflow.run(), flush=True)
    print("main ends", flush=True)
"""


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_the_program_ends_with_the_task_that_nobody_needs(
    executor: str, start: Start, tmp_path: Path
) -> None:
    begun, go_on = tmp_path / "begun", tmp_path / "go_on"
    os.mkfifo(begun)
    os.mkfifo(go_on)
    script = start(ABANDONED, executor, str(begun), str(go_on))
    assert [script.read_line() for _ in range(2)] == ["fast", "main ends"]
    # The program can only wait now; the task ends when the other end of its pipe is closed.
    go_on.open("w").close()
    ended = script.end()
    assert (ended.code, ended.out, ended.err) == (0, "slow ends\n", "")
