"""Workers live: no error ends them, and they stop when they are told to."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.swf.fleet import DOMAIN, LIST, Fleet, Listener, activity_config, fleet, workflow_config

from flowy.errors import NonDeterminismError
from flowy_swf import polling
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.decider import Answer
from flowy_swf.emulator import Emulator
from flowy_swf.polling import Stop, poll_forever, stopped_by_signals
from flowy_swf.registration import SWFRegistrationError, register_types
from flowy_swf.worker import set_up_log
from flowy_swf.workflow_worker import SWFWorkflowWorker, Trouble


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowy_swf.calls.FIRST_DELAY", 0.0)


def test_no_error_ends_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    answers: Iterator[Any] = iter([OSError("no network"), "task", None, "bad task", "last"])
    handled: list[str] = []
    stop = Stop()

    def poll() -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def handle(task: str) -> None:
        handled.append(task)
        if task == "bad task":
            raise ValueError("bad")
        if task == "last":
            stop.stop_polling()

    poll_forever(poll, handle, stop)
    assert handled == ["task", "bad task", "last"]
    assert caplog.messages == [
        "polling failed (OSError: no network); the next poll is in 0.0 s",
        "handling a task failed; the worker goes on",
    ]


def test_the_loop_ends_when_it_is_to_break() -> None:
    answers = iter([False, False, True])
    polls: list[int] = []
    poll_forever(lambda: polls.append(1), polls.append, Stop(), lambda: next(answers))
    assert len(polls) == 2


class Breaks(SWFActivityWorker):
    def break_loop(self) -> bool:
        return True


def test_a_worker_may_override_when_to_break() -> None:
    with fleet() as running:
        worker = Breaks()
        worker.register(activity_config(), len)
        worker.run_forever(DOMAIN, LIST, running.client, setup_log=False)
        # It registered its types before.
        found = running.client.list_activity_types(domain=DOMAIN, registrationStatus="REGISTERED")
    assert [each["activityType"]["name"] for each in found["typeInfos"]] == ["len"]


def test_a_worker_whose_types_are_registered_differently_does_not_begin() -> None:
    with fleet() as running:
        worker = SWFActivityWorker()
        worker.register(activity_config(), len)
        register_types(running.client, DOMAIN, worker.types)
        other = SWFActivityWorker()
        other.register(activity_config(default_heartbeat=1), len)
        with pytest.raises(SWFRegistrationError):
            other.run_forever(DOMAIN, LIST, running.client, setup_log=False)


def test_a_worker_that_was_stopped_before_it_began_ends_at_once() -> None:
    with fleet() as running:
        worker = SWFActivityWorker()
        worker.stop()
        worker.run(DOMAIN, LIST, running.client, setup_log=False, threads=3)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_polling_and_a_second_one_everything(
    number: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    stop = Stop()
    before = signal.getsignal(number)
    with stopped_by_signals(stop):
        signal.raise_signal(number)
        assert stop.polls_no_more
        assert not stop.ends_everything
        assert stop.wait_to_poll(0)
        assert not stop.wait(0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert stop.ends_everything
    assert stop.wait(0)
    assert signal.getsignal(number) is before
    assert caplog.messages == [
        f"{number.name}: no more polls; tasks and polls that are under way end first, a second "
        "signal stops at once"
    ]


def test_signals_are_left_alone_on_other_threads() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[Any] = []

    def work() -> None:
        with stopped_by_signals(Stop()):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_worker_is_told_from_others_by_host_and_process() -> None:
    assert polling.default_identity().endswith(f":{os.getpid()}")


def test_a_log_that_is_set_up_already_is_left_alone() -> None:
    logger = logging.getLogger("flowy")
    before = list(logger.handlers)
    set_up_log()
    assert logger.handlers == before


def test_without_a_log_warnings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("flowy")
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "handlers", [])
    set_up_log()
    set_up_log()
    (handler,) = logger.handlers
    assert handler.level == logging.WARNING


# --- deciders -------------------------------------------------------------------------------------


def test_an_execution_in_trouble_is_left_alone_for_longer_and_longer() -> None:
    now = [0.0]
    trouble = Trouble(lambda: now[0])
    assert not trouble.waits("r")
    assert [trouble.note("r") for _ in range(8)] == [5, 10, 20, 40, 80, 160, 300, 300]
    assert trouble.waits("r")
    now[0] = 300
    assert not trouble.waits("r")
    assert trouble.note("r") == 300
    trouble.clear("r")
    trouble.clear("r")
    assert trouble.note("r") == 5


def test_only_so_many_executions_in_trouble_are_remembered() -> None:
    trouble = Trouble(lambda: 0)
    trouble.most = 2
    for run_id in ("a", "b", "c"):
        trouble.note(run_id)
    assert [trouble.waits(run_id) for run_id in ("a", "b", "c")] == [False, True, True]


class OneTask:
    """A decider that handles the decision tasks that a test polls for."""

    def __init__(self, running: Fleet, factory: Any = lambda: lambda: 4) -> None:
        self.running = running
        self.worker = SWFWorkflowWorker()
        self.worker.register(workflow_config(), factory, name="workflow")
        register_types(running.client, DOMAIN, self.worker.types)

    def poll(self) -> Any:
        return self.running.client.poll_for_decision_task(domain=DOMAIN, taskList={"name": LIST})

    def handle(self, task: Any) -> None:
        self.worker._handle(self.running.client, DOMAIN, LIST, "identity", task)


def virtual() -> Any:
    return fleet(clock="virtual", long_poll=0)


def test_a_decision_that_comes_too_late_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    with virtual() as running:
        one = OneTask(running)
        workflow_id = running.start("workflow")
        task = one.poll()
        running.emulator.advance(60)
        one.handle(task)
        assert running.types(workflow_id)[-1] == "DecisionTaskScheduled"
    run_id = task["workflowExecution"]["runId"]
    (message,) = caplog.messages
    assert message.startswith(
        f"the decision for workflow id '{workflow_id}', run id '{run_id}' came too late and is "
        "dropped: "
    )


def test_a_decision_that_the_service_does_not_take_is_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with virtual() as running:
        one = OneTask(running)
        running.start("workflow")
        task = one.poll()
        running.emulator.inject.fail("RespondDecisionTaskCompleted", "ValidationException")
        one.handle(task)
        assert one.worker._trouble.waits(task["workflowExecution"]["runId"])
    assert "was not taken and is dropped" in caplog.text


def test_an_execution_in_trouble_is_not_decided(caplog: pytest.LogCaptureFixture) -> None:
    def factory() -> Any:
        raise NonDeterminismError("a-0", "this", "that")

    with virtual() as running:
        one = OneTask(running, factory)
        running.start("workflow")
        task = one.poll()
        one.handle(task)
        one.handle(task)
    assert len(caplog.messages) == 1


def test_a_history_that_cannot_be_read_is_left_to_another_decider(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with virtual() as running:
        one = OneTask(running)
        running.start("workflow")
        task = one.poll()
        task["nextPageToken"] = "none of the service's"
        one.handle(task)
        assert not one.worker._trouble.waits(task["workflowExecution"]["runId"])
    assert "could not be read, so another decider gets it" in caplog.text


def test_a_history_that_is_cut_is_not_decided(caplog: pytest.LogCaptureFixture) -> None:
    with virtual() as running:
        one = OneTask(running)
        running.start("workflow")
        task = one.poll()
        del task["events"][-1]
        one.handle(task)
    assert (
        "the history is not whole: it ends with event 2, and the decision began with event 3"
        in (caplog.text)
    )


def test_a_long_history_is_warned_about_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowy_swf.workflow_worker.LONG_HISTORY", 5)

    def factory(a: Any) -> Any:
        def workflow() -> None:
            for number in range(3):
                str(a(number))

        return workflow

    with fleet() as running:
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        config = workflow_config()
        config.conf_activity("a", 1)
        worker.register(activity_config(), lambda number: number, name="a")
        decider.register(config, factory, name="workflow")
        running.serve(decider)
        running.serve(worker)
        running.run("workflow")
    (message,) = caplog.messages
    assert message.endswith(
        "has 9 events, and Amazon SWF terminates it at 25,000: let it return flowy.restart(...) "
        "before that"
    )


@pytest.mark.parametrize("stopped", [False, True])
def test_an_answer_is_held_back_unless_everything_is_to_end(
    monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    held: list[float] = []

    def wait(seconds: float) -> bool:
        held.append(seconds)
        return stopped

    with virtual() as running:
        one = OneTask(running)
        workflow_id = running.start("workflow")
        monkeypatch.setattr("flowy_swf.workflow_worker.decide", lambda *_: Answer([], 2.5))
        monkeypatch.setattr(one.worker._stop, "wait", wait)
        one.handle(one.poll())
        completed = "DecisionTaskCompleted" in running.types(workflow_id)
    assert held == [2.5]
    assert completed is not stopped


def test_a_decision_without_a_limit_is_answered() -> None:
    with virtual() as running:
        one = OneTask(running)
        running.client.start_workflow_execution(
            domain=DOMAIN,
            workflowId="w",
            workflowType={"name": "workflow", "version": "1"},
            taskStartToCloseTimeout="NONE",
        )
        one.handle(one.poll())
        assert running.types("w")[-1] == "WorkflowExecutionCompleted"


def test_an_activitys_outcome_that_comes_too_late_is_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def factory(slow: Any) -> Any:
        return lambda: slow()

    def slow() -> str:
        running.emulator.advance(10)
        return "late"

    running: Fleet
    with fleet() as running, Listener("was not taken"):
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        config = workflow_config()
        config.conf_activity("slow", 1, start_to_close=5, retry=(0,))
        worker.register(activity_config(), slow)
        decider.register(config, factory, name="workflow")
        running.serve(decider)
        running.serve(worker)
        workflow_id = running.start("workflow")
        event = running.end(workflow_id)
    assert event["workflowExecutionFailedEventAttributes"]["reason"] == (
        "TaskTimedout: slow-0-0 timed out: passed its START_TO_CLOSE limit"
    )
    assert any("outcome was not taken and is dropped" in each for each in caplog.messages)


def test_an_emulator_of_our_own_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker makes its own client from the machine's settings."""
    emulator = Emulator(clock="skipping")
    with emulator.serve() as url:
        for name, value in {
            "AWS_ENDPOINT_URL_SWF": url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }.items():
            monkeypatch.setenv(name, value)
        client = emulator.client()
        Fleet(emulator, client)
        worker = Breaks()
        worker.register(activity_config(), len)
        worker.run_forever(DOMAIN, LIST, setup_log=False)
        found = client.list_activity_types(domain=DOMAIN, registrationStatus="REGISTERED")
        client.close()
    assert len(found["typeInfos"]) == 1
