"""What a run leaves to the end of the program, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.tasks import Script

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


def test_the_program_ends_though_a_thread_is_stuck(tmp_path: Path) -> None:
    ended = Script(tmp_path, STUCK).end()
    message = "act-0-0 timed out: passed its START_TO_CLOSE limit\n"
    assert (ended.code, ended.out, ended.err) == (0, message, "")


ABANDONED = """
import sys
import flowy
from flowy_local import LocalWorkflow

def slow(begun, go_on):
    print("slow begins", flush=True)
    os.close(begun)
    os.read(go_on, 1)
    print("slow ends", flush=True)

def fast(begun):
    os.read(begun, 1)
    return "fast"

if __name__ == "__main__":
    workflow = LocalWorkflow(
        lambda slow, fast: lambda: flowy.first(slow(1), fast()),
        executor=sys.argv[1],
        activity_workers=2,
    )
    workflow.conf_activity("slow", slow)
    workflow.conf_activity("fast", fast)
    print(workflow.run(), flush=True)
    print("main ends", flush=True)
"""


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_the_program_ends_with_the_task_that_nobody_needs(executor: str, tmp_path: Path) -> None:
    script = Script(tmp_path, ABANDONED, executor)
    lines = [script.read_line() for _ in range(3)]
    assert sorted(lines) == ["fast", "main ends", "slow begins"]
    # The program is about to end, and waits for the task: now the task may end.
    ended = script.end("go on")
    assert (ended.code, ended.out, ended.err) == (0, "slow ends\n", "")
