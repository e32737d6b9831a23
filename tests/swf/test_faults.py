"""Every call of a whole run goes wrong once, in each way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.swf.fleet import (
    DOMAIN,
    Fleet,
    Meddler,
    activity_config,
    fleet,
    outcome,
    workers,
    workflow_config,
)

import flowy
from flowy.errors import TaskCancelled
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.registration import register_types
from flowy_swf.worker import Worker
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


#: each operation of a run and how often the run makes it at least
OPERATIONS = {
    "poll_for_decision_task": 2,
    "respond_decision_task_completed": 2,
    "poll_for_activity_task": 3,
    "respond_activity_task_completed": 3,
}
#: what passes the limit of a task whose poll was answered and whose answer was lost
LIMITS = {"poll_for_decision_task": 60, "poll_for_activity_task": 600}
FAULTS = ("throttled", "failed", "delayed", "cut before", "cut after")


class OneFault:
    """Meddles with one call of an operation.

    Parameters
    ----------
    running
        the fleet; set later if it is not there yet.
    operation
        what boto3 calls it.
    fault
        one of FAULTS.
    meets
        tells by the number of a call and what it is made with whether it is the one.
    """

    def __init__(
        self, running: Fleet, operation: str, fault: str, meets: Callable[[int, Any], bool]
    ) -> None:
        self.happened: list[str] = []
        self._running = running
        self._operation = operation
        self._wire_name = "".join(map(str.capitalize, operation.split("_")))
        self._fault = fault
        self._meets = meets

    def __call__(self, called: str, count: int, call: Any) -> Any:
        if called != self._operation or self.happened or not self._meets(count, call.keywords):
            return call()
        inject, fault = self._running.emulator.inject, self._fault
        if fault == "throttled":
            inject.fail(self._wire_name, "ThrottlingException", "Rate exceeded")
        elif fault == "failed":
            inject.fail(self._wire_name, "InternalFailure")
        elif fault == "delayed":
            inject.delay(self._wire_name, 0.01)
        else:
            inject.cut(self._wire_name, fault.removeprefix("cut "))  # type: ignore[arg-type]
        self.happened.append(fault)
        try:
            return call()
        except Exception:
            lost = called in LIMITS and "nextPageToken" not in call.keywords
            if fault == "cut after" and lost:
                # Only time can give the task to somebody else.
                self._running.emulator.advance(LIMITS[called])
            raise


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("operation", "number"),
    [(name, number) for name, times in OPERATIONS.items() for number in range(times)],
)
def test_a_run_survives_a_fault_at_any_call(operation: str, number: int, fault: str) -> None:
    counted = Counted()
    with fleet() as running:
        activities: dict[str, Any] = {"square": counted.square, "add": counted.add}
        decider, worker = workers(SumOfSquares, workflow_config(), activities)
        register_types(running.client, DOMAIN, decider.types)
        register_types(running.client, DOMAIN, worker.types)
        workflow_id = running.start("workflow", 2, 10)
        one = OneFault(running, operation, fault, lambda count, _: count == number)
        client = Meddler(running.client, one)
        running.serve(decider, client=client)
        running.serve(worker, client=client)
        assert outcome(running.end(workflow_id)) == 104
    assert one.happened == [fault]
    # An activity that a lost poll took was not begun, so nothing happens twice.
    assert sorted(counted.effects) == [("add", 4, 100), ("square", 2), ("square", 10)]


#: what the run above does not call
MORE_OPERATIONS = (
    "describe_activity_type",
    "register_activity_type",
    "describe_workflow_type",
    "register_workflow_type",
    "record_activity_task_heartbeat",
    "respond_activity_task_failed",
)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", MORE_OPERATIONS)
def test_a_run_that_registers_fails_once_and_sends_heartbeats_survives_a_fault_at_any_call(
    operation: str, fault: str
) -> None:
    attempts: list[int] = []

    def flaky() -> int:
        attempts.append(len(attempts))
        flowy.heartbeat("half way")
        if len(attempts) == 1:
            raise ValueError("not yet")
        return len(attempts)

    with fleet() as running:
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        config = workflow_config()
        config.conf_activity("flaky", 1, retry=flowy.Retry(attempts=2))
        worker.register(activity_config(), flaky)
        decider.register(config, lambda flaky: lambda: flaky(), name="workflow")
        one = OneFault(running, operation, fault, lambda *_: True)
        client = Meddler(running.client, one)
        running.serve(decider, client=client, registers=True)
        running.serve(worker, client=client, registers=True)
        running.emulator.wait_for(lambda: len(running.emulator.pollers()) == 2)
        assert running.run("workflow") == 2
    assert one.happened == [fault]
    assert attempts == [0, 1]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "operation", ["record_activity_task_heartbeat", "respond_activity_task_canceled"]
)
def test_a_cancelled_run_survives_a_fault_at_any_call(operation: str, fault: str) -> None:
    begun, asked = threading.Event(), threading.Event()
    attempts: list[None] = []

    def patient() -> None:
        attempts.append(None)
        begun.set()
        assert asked.wait(30)
        while True:
            flowy.heartbeat()

    with fleet() as running:
        decider, worker = workers(lambda patient: patient, workflow_config(), {"patient": patient})
        one = OneFault(running, operation, fault, lambda *_: True)
        running.serve(decider)
        running.serve(worker, client=Meddler(running.client, one))
        workflow_id = running.start("workflow")
        assert begun.wait(30)
        running.client.request_cancel_workflow_execution(domain=DOMAIN, workflowId=workflow_id)
        running.emulator.wait_for(
            lambda: "ActivityTaskCancelRequested" in running.types(workflow_id)
        )
        asked.set()
        with pytest.raises(TaskCancelled):
            outcome(running.end(workflow_id))
        assert running.types(workflow_id).count("ActivityTaskCanceled") == 1
    assert one.happened == [fault]
    assert len(attempts) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_survives_a_fault_at_a_page_of_its_history(fault: str) -> None:
    effects: list[int] = []

    def note(n: int) -> int:
        effects.append(n)
        return n

    def factory(note: Any) -> Any:
        return lambda: sum(note(n) for n in range(40)) + 0

    with fleet() as running:
        decider, worker = workers(factory, workflow_config(), {"note": note})
        one = OneFault(
            running, "poll_for_decision_task", fault, lambda _, given: "nextPageToken" in given
        )
        running.serve(decider, client=Meddler(running.client, one))
        running.serve(worker)
        assert running.run("workflow") == sum(range(40))
    assert one.happened == [fault]
    assert sorted(effects) == list(range(40))


class Killed(BaseException):
    """Ends a worker, as a crash of its process does."""


class Mortal:
    """Kills a worker at one call, before or after its effect, and has another one take over.

    Parameters
    ----------
    operation, number
        the call: what boto3 calls it, and how many of it came before.
    moment
        `before` its effect or `after` it.
    """

    def __init__(self, operation: str, number: int, moment: str) -> None:
        self.deaths: list[str] = []
        self._when = operation, number
        self._moment = moment

    def meddle(self, called: str, count: int, call: Any) -> Any:
        """Make a call, or die."""
        dies = (called, count) == self._when
        if dies and self._moment == "before":
            raise Killed
        answer = call()
        if dies:
            raise Killed
        return answer

    def serve(self, running: Fleet, make: Callable[[], Worker[Any]], limit: float) -> None:
        """Have a worker serve until it dies, and another one after `limit` seconds."""
        mortal = make()
        run = mortal.run

        def run_and_die(*args: Any, **kwargs: Any) -> None:
            try:
                run(*args, **kwargs)
            except Killed:
                self.deaths.append("died")
                running.emulator.advance(limit)
                running.serve(make())

        mortal.run = run_and_die  # type: ignore[method-assign]
        running.serve(mortal, client=Meddler(running.client, self.meddle))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("operation", ["poll_for_decision_task", "respond_decision_task_completed"])
def test_a_run_survives_the_death_of_a_decider_at_any_call(
    operation: str, number: int, moment: str
) -> None:
    counted, mortal = Counted(), Mortal(operation, number, moment)
    activities: dict[str, Any] = {"square": counted.square, "add": counted.add}
    with fleet() as running:
        running.serve(workers(SumOfSquares, workflow_config(), activities)[1])
        mortal.serve(
            running, lambda: workers(SumOfSquares, workflow_config(), activities)[0], limit=60
        )
        assert running.run("workflow", 2, 10) == 104
    assert mortal.deaths == ["died"]
    assert sorted(counted.effects) == [("add", 4, 100), ("square", 2), ("square", 10)]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("operation", ["poll_for_activity_task", "respond_activity_task_completed"])
def test_a_run_survives_the_death_of_an_activity_worker_at_any_call(
    operation: str, number: int, moment: str
) -> None:
    counted, mortal = Counted(), Mortal(operation, number, moment)
    activities: dict[str, Any] = {"square": counted.square, "add": counted.add}
    with fleet() as running:
        running.serve(workers(SumOfSquares, workflow_config(), activities)[0])
        mortal.serve(
            running, lambda: workers(SumOfSquares, workflow_config(), activities)[1], limit=600
        )
        workflow_id = running.start("workflow", 2, 10)
        assert outcome(running.end(workflow_id)) == 104
        assert running.types(workflow_id).count("ActivityTaskCompleted") == 3
    assert mortal.deaths == ["died"]
    # What was done and not told is done again: the service promises no more than that.
    again = (operation, moment) == ("respond_activity_task_completed", "before")
    assert len(counted.effects) == 3 + again
    assert set(counted.effects) == {("add", 4, 100), ("square", 2), ("square", 10)}


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
