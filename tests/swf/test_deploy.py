"""Workers are replaced while executions go on, and no task is lost.

The service hands a task to a poll that waits for it, even if whoever made the poll is gone, and
then gives it to nobody else until it times out. The emulator does so with `lose_polls`. Workers
that are stopped wait for the polls that they made, so nothing is handed to the dead.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.swf import worker_program
from tests.swf.fleet import DOMAIN, Fleet, fleet, outcome, workers, workflow_config
from tests.swf.programs import programs

from flowy_swf.registration import register_types
from flowy_swf.worker import Worker


def events(running: Fleet, ids: list[str]) -> Counter[str]:
    """Return how many events of each type all executions have together."""
    return Counter(each for workflow_id in ids for each in running.types(workflow_id))


def assert_nothing_was_lost(found: Counter[str], activities: int) -> None:
    assert not [name for name in found if "TimedOut" in name or "Failed" in name]
    for what in ("Scheduled", "Started", "Completed"):
        assert found[f"ActivityTask{what}"] == activities
    assert found["DecisionTaskStarted"] == found["DecisionTaskCompleted"]


def test_no_task_is_lost_when_workers_are_replaced_again_and_again() -> None:
    effects: list[int] = []

    def work(n: int) -> int:
        effects.append(n)
        return n

    def factory(work: Any) -> Any:
        return lambda n: sum(work(each) + 0 for each in range(n, n + 5))

    def generation() -> list[Worker[Any]]:
        found = workers(factory, workflow_config(), {"work": work})
        for each in found:
            running.serve(each, threads=2)
        return list(found)

    running: Fleet
    # The calls follow each other, so that at each moment something is under way.
    with fleet(clock="real", long_poll=0.1, lose_polls=True) as running:
        for each in workers(factory, workflow_config(), {"work": work}):
            register_types(running.client, DOMAIN, each.types)
        serving = generation()
        ids = [running.start("workflow", number * 10) for number in range(8)]
        for done in (8, 16, 24, 32):
            running.emulator.wait_for(lambda done=done: len(effects) >= done)  # type: ignore[misc]
            before, serving = serving, generation()
            for old in before:
                running.retire(old)
        results = [outcome(running.end(each)) for each in ids]
        found = events(running, ids)
    assert results == [5 * number * 10 + 10 for number in range(8)]
    assert sorted(effects) == sorted(number * 10 + each for number in range(8) for each in range(5))
    assert_nothing_was_lost(found, 40)


def test_no_task_is_lost_when_programs_are_replaced_again_and_again(tmp_path: Path) -> None:
    with programs(tmp_path, lose_polls=True) as found:
        running = found.running
        serving = [found.serve("first decider", decides=True), found.serve("first worker")]
        ids: list[str] = []
        for number in range(2):
            # Some go on while the next programs take over, and some begin just then.
            ids += [running.start("square", *range(8)) for _ in range(2)]
            before, serving = (
                serving,
                [
                    found.serve(f"next decider {number}", decides=True),
                    found.serve(f"next worker {number}"),
                ],
            )
            ids += [running.start("square", *range(8)) for _ in range(2)]
            for program in before:
                program.process.terminate()
            ids += [running.start("square", number)]
            for program in before:
                assert program.end()[:2] == (0, "ended in order\n")
        results = [outcome(running.end(each)) for each in ids]
        for program in serving:
            program.process.terminate()
            assert program.end()[:2] == (0, "ended in order\n")
        counted = events(running, ids)
        notes = Counter(found.notes)
    squares = [n * n for n in range(8)]
    assert results == [
        each for number in range(2) for each in (squares, squares, squares, squares, [number**2])
    ]
    assert notes == {str(n): 8 + (n < 2) for n in range(8)}
    assert_nothing_was_lost(counted, 66)


def test_a_poll_of_a_program_that_is_killed_loses_a_task_until_it_times_out(
    tmp_path: Path,
) -> None:
    with programs(tmp_path, lose_polls=True, long_poll=60) as found:
        running = found.running
        program = found.start()
        found.polled(1)
        running.serve(worker_program.decider())
        program.kill()
        workflow_id = running.start("square", 4)
        found.begun(1)
        found.start()
        running.emulator.advance(30)
        assert outcome(running.end(workflow_id)) == [16]
        counted = events(running, [workflow_id])
        notes = found.notes
    assert notes == ["4"]
    assert counted["ActivityTaskTimedOut"] == 1
    assert counted["ActivityTaskCompleted"] == 1
