"""Every call of a whole run goes wrong once, in each way."""

from __future__ import annotations

from typing import Any

import pytest
from tests.swf.fleet import DOMAIN, Fleet, Meddler, fleet, outcome, workers, workflow_config

from flowy_swf.registration import register_types
from flowy_swf.workflow_worker import SWFWorkflowWorker


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowy_swf.calls.FIRST_DELAY", 0.0)


class SumOfSquares:
    def __init__(self, square: Any, add: Any) -> None:
        self.square = square
        self.add = add

    def __call__(self, a: int, b: int) -> Any:
        return self.add(self.square(a), self.square(b))


class Counted:
    """Activities that note their effects."""

    def __init__(self) -> None:
        self.effects: list[Any] = []

    def square(self, n: int) -> int:
        self.effects.append(("square", n))
        return n * n

    def add(self, a: int, b: int) -> int:
        self.effects.append(("add", a, b))
        return a + b


#: each operation of a run, what boto3 calls it, and how often a run makes it at least
OPERATIONS = {
    "poll_for_decision_task": ("PollForDecisionTask", 2),
    "respond_decision_task_completed": ("RespondDecisionTaskCompleted", 2),
    "poll_for_activity_task": ("PollForActivityTask", 3),
    "respond_activity_task_completed": ("RespondActivityTaskCompleted", 3),
}
#: what passes the limit of a task whose poll was answered and whose answer was lost
LIMITS = {"poll_for_decision_task": 60, "poll_for_activity_task": 600}
FAULTS = ("throttled", "failed", "delayed", "cut before", "cut after")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("operation", "number"),
    [(name, number) for name, (_, times) in OPERATIONS.items() for number in range(times)],
)
def test_a_run_survives_a_fault_at_any_call(operation: str, number: int, fault: str) -> None:
    counted = Counted()
    happened: list[str] = []
    wire_name = OPERATIONS[operation][0]

    def meddle(called: str, count: int, call: Any) -> Any:
        if (called, count) != (operation, number):
            return call()
        inject = running.emulator.inject
        if fault == "throttled":
            inject.fail(wire_name, "ThrottlingException", "Rate exceeded")
        elif fault == "failed":
            inject.fail(wire_name, "InternalFailure")
        elif fault == "delayed":
            inject.delay(wire_name, 0.01)
        else:
            inject.cut(wire_name, fault.removeprefix("cut "))  # type: ignore[arg-type]
        happened.append(fault)
        try:
            return call()
        except Exception:
            if fault == "cut after" and operation in LIMITS:
                # Only time can give the task to somebody else.
                running.emulator.advance(LIMITS[operation])
            raise

    with fleet() as running:
        activities: dict[str, Any] = {"square": counted.square, "add": counted.add}
        decider, worker = workers(SumOfSquares, workflow_config(), activities)
        register_types(running.client, DOMAIN, decider.types)
        register_types(running.client, DOMAIN, worker.types)
        workflow_id = running.start("workflow", 2, 10)
        client = Meddler(running.client, meddle)
        running.serve(decider, client=client)
        running.serve(worker, client=client)
        assert outcome(running.end(workflow_id)) == 104
    assert happened == [fault]
    # An activity that a lost poll took was not begun, so nothing happens twice.
    assert sorted(counted.effects) == [("add", 4, 100), ("square", 2), ("square", 10)]


class Killed(BaseException):
    """Ends a decider, as a crash of its process does."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("operation", ["poll_for_decision_task", "respond_decision_task_completed"])
def test_a_run_survives_the_death_of_a_decider_at_any_call(
    operation: str, number: int, moment: str
) -> None:
    counted = Counted()
    deaths = []

    def meddle(called: str, count: int, call: Any) -> Any:
        dies = (called, count) == (operation, number)
        if dies and moment == "before":
            raise Killed
        answer = call()
        if dies:
            raise Killed
        return answer

    class Phoenix(SWFWorkflowWorker):
        def run(self, *args: Any, **kwargs: Any) -> None:
            try:
                super().run(*args, **kwargs)
            except Killed:
                deaths.append(operation)
                running.emulator.advance(60)
                again = SWFWorkflowWorker()
                again._workflows = self._workflows
                running.serve(again)

    running: Fleet
    with fleet() as running:
        activities: dict[str, Any] = {"square": counted.square, "add": counted.add}
        decider, worker = workers(SumOfSquares, workflow_config(), activities)
        phoenix = Phoenix()
        phoenix._workflows = decider._workflows
        register_types(running.client, DOMAIN, decider.types)
        running.serve(phoenix, client=Meddler(running.client, meddle))
        running.serve(worker)
        assert running.run("workflow", 2, 10) == 104
    assert deaths == [operation]
    assert sorted(counted.effects) == [("add", 4, 100), ("square", 2), ("square", 10)]


def test_a_task_that_was_given_out_twice_is_done_twice_and_counts_once() -> None:
    counted = Counted()
    with fleet() as running:
        activities: dict[str, Any] = {"square": counted.square, "add": counted.add}
        for each in workers(SumOfSquares, workflow_config(), activities):
            running.serve(each, threads=2)
        running.emulator.inject.deliver_twice("activity")
        running.emulator.inject.deliver_twice("decision")
        assert running.run("workflow", 2, 10) == 104
    assert set(counted.effects) == {("add", 4, 100), ("square", 2), ("square", 10)}
