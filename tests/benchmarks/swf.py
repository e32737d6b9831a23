"""Measure the SWF engine over the emulator. Not a test.

    python -m tests.benchmarks.swf

Prints what a decision costs as the history grows; workflows of one activity a second, and
activities of one workflow a second, with a decider and an activity worker that are processes of one
slot each; and what memory these take, idle and after 10,000 tasks.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.swf.histories import EXECUTION, decided, events, told
from tests.swf.programs import Program, programs

from flowy_swf.config import SWFWorkflowConfig, TypeName
from flowy_swf.decider import Workflow, decide
from flowy_swf.history import History

EVENTS_OF_A_STEP = 6
WORKFLOWS = 300
TASKS = 10_000


class Chain:
    """A workflow of so many steps, one after the other."""

    def __init__(self, step: Any) -> None:
        self.step = step

    def __call__(self, count: int) -> Any:
        value: Any = 0
        for _ in range(count):
            value = self.step(value)
        return value


def history_of(length: int) -> tuple[list[dict[str, Any]], int]:
    """Return a history of about so many events up to a decision, and how many steps it has."""
    steps = length // EVENTS_OF_A_STEP
    happened = []
    for step in range(steps):
        first = EVENTS_OF_A_STEP * step + 2
        happened += [
            *decided(first),
            told("ActivityTaskScheduled", activityId=f"step-{step}-0", input=f"[[{step}], {{}}]"),
            told("ActivityTaskStarted", scheduledEventId=first + 3),
            told("ActivityTaskCompleted", scheduledEventId=first + 3, result=str(step + 1)),
        ]
    last = EVENTS_OF_A_STEP * steps + 2
    happened += [told("DecisionTaskScheduled"), told("DecisionTaskStarted", scheduledEventId=last)]
    return events(*happened, input=f"[[{steps + 1}], {{}}]"), steps


def decision_time(length: int, rounds: int) -> float:
    """Return the seconds of a decision, from the events as boto3 gives them to the decisions."""
    config = SWFWorkflowConfig()
    config.conf_activity("step", 1)
    workflow = Workflow(TypeName("workflow", "1"), config, config.workflow(Chain))
    happened, steps = history_of(length)
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        history = History(None, workflow.code.dependencies)
        history.add_all(happened)
        answer = decide(workflow, history, EXECUTION)
        times.append(time.perf_counter() - begin)
        made = answer.decisions[0]["scheduleActivityTaskDecisionAttributes"]
        assert made["activityId"] == f"step-{steps}-0"
    return statistics.median(times)


def memory(program: Program) -> float:
    """Return the megabytes that a process has in memory."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def measured(call: Callable[[], None]) -> float:
    """Return the seconds that a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def main() -> None:
    """Print the figures."""
    for length, rounds in ((100, 50), (1_000, 20), (10_000, 5)):
        seconds = decision_time(length, rounds)
        print(
            f"a decision over {length:,} events: {seconds * 1e3:.1f} ms, "
            f"{seconds / length * 1e6:.1f} microseconds an event"
        )
    with (
        tempfile.TemporaryDirectory() as folder,
        programs(Path(folder), clock="real", long_poll=60) as found,
    ):
        running = found.running
        workers = {
            "decider": found.start(decides=True, identity="decider", register_remote=False),
            "activity worker": found.start(identity="worker", register_remote=False),
        }
        running.emulator.wait_for(lambda: len(running.emulator.pollers()) == 2)
        assert running.run("square", 1) == [1]
        idle = {name: memory(each) for name, each in workers.items()}

        def many() -> None:
            for each in [running.start("square", number) for number in range(WORKFLOWS)]:
                running.end(each)

        print(f"workflows of one activity: {WORKFLOWS / measured(many):.0f} a second")
        done = WORKFLOWS + 1
        seconds = 0.0
        while done < TASKS:
            seconds += measured(lambda: running.run("square", *range(100)))
            done += 100
        print(f"activities of workflows of 100: {(TASKS - WORKFLOWS) / seconds:.0f} a second")
        for name, each in workers.items():
            print(f"{name}: {idle[name]:.1f} MB idle, {memory(each):.1f} MB after {done:,} tasks")


if __name__ == "__main__":
    main()
