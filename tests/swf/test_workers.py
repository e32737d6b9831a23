"""Workers live: no error ends them, and they stop when they are told to."""

from __future__ import annotations

import gc
import logging
import os
import queue
import random
import signal
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from tests.swf.fleet import (
    DOMAIN,
    LIST,
    Fleet,
    Listener,
    activity_config,
    fleet,
    workers,
    workflow_config,
)

import flowy
from flowy.errors import NonDeterminismError, TaskCancelled
from flowy_swf import polling
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.calls import insist
from flowy_swf.commands.workers import serve as serve_all
from flowy_swf.decider import Answer
from flowy_swf.emulator import Emulator
from flowy_swf.payloads import PayloadStoreError
from flowy_swf.polling import Stop, poll_forever, stopped_by_signals
from flowy_swf.registration import SWFRegistrationError, register_types
from flowy_swf.slots import serve
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


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"processes": 0}, ValueError, "processes must be at least 1, not 0"),
        ({"processes": "2"}, TypeError, "processes must be an int, not '2'"),
        ({"threads": True}, TypeError, "threads must be an int, not True"),
        ({"threads": -1}, ValueError, "threads must be at least 1, not -1"),
        ({"identity": 4}, TypeError, "identity must be a str or None, not 4"),
        ({"identity": ""}, ValueError, "identity must have 1 to 256 characters, not 0: ''"),
        ({"grace": "1"}, TypeError, "grace must be a number of seconds or None, not '1'"),
        ({"grace": -1}, ValueError, "grace must be a number of seconds, 0 or more, not -1"),
        (
            {"grace": float("nan")},
            ValueError,
            "grace must be a number of seconds, 0 or more, not nan",
        ),
    ],
)
def test_what_a_worker_is_run_with_is_checked(
    options: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        SWFActivityWorker().run(DOMAIN, LIST, object(), False, False, **options)
    assert str(caught.value) == message


def test_a_function_that_makes_a_client_serves_as_one() -> None:
    with fleet() as running:
        worker = Breaks()
        worker.register(activity_config(), len)
        worker.run(DOMAIN, LIST, lambda: running.client, setup_log=False)
        found = running.client.list_activity_types(domain=DOMAIN, registrationStatus="REGISTERED")
    assert len(found["typeInfos"]) == 1


def test_a_worker_can_run_again_whatever_ended_it() -> None:
    with fleet(long_poll=0.1) as running:
        decider, worker = workers(lambda four: four, workflow_config(), {"four": lambda: 4})
        running.serve(decider)
        for how in ("stop_polling", "stop_everything"):
            getattr(worker._stop, how)()
            worker.run(DOMAIN, LIST, running.client, setup_log=False)
        running.serve(worker)
        assert running.run("workflow") == 4


class Slots:
    """Slots of a test, which `serve` runs in a thread until they have ended."""

    def __init__(self, slot: Any, threads: int, grace: float | None = None) -> None:
        self.stop = Stop()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(slot, threads, grace))
        self._thread.start()

    def _run(self, slot: Any, threads: int, grace: float | None) -> None:
        try:
            serve(lambda: slot(self.stop), threads, self.stop, grace)
        except BaseException as exc:
            self.error = exc

    def end(self) -> BaseException | None:
        """Wait for the end; return the error that it ended with."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.error


def test_slots_run_side_by_side_until_all_have_ended() -> None:
    together = threading.Barrier(3)
    slots = Slots(lambda stop: together.wait(30), 3)
    assert slots.end() is None


def test_what_ends_a_slot_stops_the_others_and_is_raised() -> None:
    class GoneError(BaseException):
        pass

    others = threading.Barrier(2)

    def slot(stop: Stop) -> None:
        if others.wait(30) == 0:
            raise GoneError
        assert stop.wait_to_poll(30)

    assert isinstance(Slots(slot, 2).end(), GoneError)


def test_what_ended_a_slot_is_raised_though_another_one_does_not_end_in_time() -> None:
    others = threading.Barrier(2)

    def slot(stop: Stop) -> None:
        if others.wait(30) == 0:
            raise LookupError("gone")
        assert stop.wait(30)

    assert repr(Slots(slot, 2, grace=0).end()) == "LookupError('gone')"


def test_slots_have_no_limit_without_a_grace_and_end_at_once_after_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, ended = threading.Barrier(3), threading.Barrier(3)

    def slot(stop: Stop) -> None:
        begun.wait(30)
        # What a call that is made again and again waits with.
        assert stop.wait(30)
        ended.wait(30)

    slots = Slots(slot, 2, grace=0)
    begun.wait(30)
    slots.stop.stop_polling()
    assert slots.end() is None
    assert slots.stop.ends_everything
    ended.wait(30)
    assert caplog.messages == [
        "2 tasks or polls have not ended within 0 s and are left to the service, which has their "
        "tasks time out"
    ]


def test_a_poll_that_is_held_is_waited_for_and_its_task_is_handled() -> None:
    polled, handed = threading.Event(), threading.Event()
    handled: list[str] = []

    def poll() -> str:
        polled.set()
        assert handed.wait(30)
        return "task"

    slots = Slots(lambda stop: poll_forever(poll, handled.append, stop), 1)
    assert polled.wait(30)
    slots.stop.stop_polling()
    handed.set()
    assert slots.end() is None
    assert handled == ["task"]


def test_whoever_listens_for_a_stop_is_told_of_each_and_of_an_earlier_one() -> None:
    stop = Stop()
    told: list[str] = []
    with stop.telling(lambda: told.append("first")):
        stop.stop_polling()
        with stop.telling(lambda: told.append("second")):
            stop.stop_everything()
        stop.stop_polling()
    stop.stop_polling()
    assert told == ["first", "second", "first", "second", "first"]


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


@pytest.mark.parametrize("waits_for", ["slots", "workers"])
def test_a_signal_that_does_not_end_the_wait_is_heard(
    monkeypatch: pytest.MonkeyPatch, waits_for: str
) -> None:
    waiting, stop = threading.Event(), Stop()

    class Queue(queue.SimpleQueue[Any]):
        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            waiting.set()
            return super().get(block, timeout)

    def work() -> None:
        assert waiting.wait(30)
        # Another thread than that which waits is interrupted. Nor is one that is about to wait.
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        assert stop.wait_to_poll(30)

    monkeypatch.setattr(queue, "SimpleQueue", Queue)
    with stopped_by_signals(stop):
        if waits_for == "slots":
            serve(work, 1, stop, None)
        else:
            serve_all(stop, [mock.Mock(run=work)])


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


def test_a_decision_without_a_limit_is_never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []

    def limited(call: Any, wait: Any, longest: float, **options: Any) -> Any:
        limits.append(longest)
        return insist(call, wait, longest, **options)

    monkeypatch.setattr("flowy_swf.workflow_worker.insist", limited)
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
    assert limits == [float("inf")]


def test_an_activitys_outcome_that_comes_too_late_is_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def factory(slow: Any) -> Any:
        return lambda: slow()

    def slow() -> str:
        running.emulator.advance(10)
        return "late"

    running: Fleet
    with fleet() as running, Listener("was not taken") as listener:
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        config = workflow_config()
        config.conf_activity("slow", 1, start_to_close=5, retry=(0,))
        worker.register(activity_config(), slow)
        decider.register(config, factory, name="workflow")
        running.serve(decider)
        running.serve(worker)
        workflow_id = running.start("workflow")
        event = running.end(workflow_id)
        listener.wait()
    assert event["workflowExecutionFailedEventAttributes"]["reason"] == (
        "TaskTimedout: slow-0-0 timed out: passed its START_TO_CLOSE limit"
    )
    (record,) = caplog.records
    assert record.activityId == "slow-0-0"  # type: ignore[attr-defined]
    assert record.getMessage().startswith(
        f"the outcome of activity 'slow-0-0' of workflow id '{workflow_id}', run id "
        f"'{record.runId}' was not taken and is dropped: "  # type: ignore[attr-defined]
    )


# --- activity workers -----------------------------------------------------------------------------


class CancelledError(BaseException):
    """Is no Exception, as that of asyncio."""


@pytest.mark.parametrize("error", [CancelledError, KeyboardInterrupt, GeneratorExit, SystemExit])
def test_whatever_an_activity_raises_fails_it_and_no_more(error: type[BaseException]) -> None:
    def bad(n: int) -> int:
        if n:
            raise error("bad")
        return 7

    def factory(bad: Any) -> Any:
        def workflow() -> Any:
            try:
                flowy.wait(bad(1))
            except flowy.TaskError as exc:
                return [exc.error_type, exc.message, bad(0)]
            raise AssertionError

        return workflow

    with fleet() as running:
        for each in workers(factory, workflow_config(), {"bad": bad}):
            running.serve(each)
        assert running.run("workflow") == [error.__name__, "bad", 7]


def test_a_workflow_that_raises_a_ctrl_c_ends_no_decider(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def factory() -> Any:
        raise KeyboardInterrupt

    with virtual() as running:
        one = OneTask(running, factory)
        running.start("workflow")
        one.handle(one.poll())
    assert caplog.messages[0].startswith("no decision for workflow id ")


class Stored:
    """A store of payloads that is in trouble so many times."""

    def __init__(self, troubles: int) -> None:
        self.troubles = troubles
        self.kept: dict[str, str] = {}

    def _trouble(self) -> None:
        self.troubles -= 1
        if self.troubles >= 0:
            raise PayloadStoreError("the bucket does not answer")

    def put(self, text: str) -> str:
        self._trouble()
        self.kept[str(len(text))] = text
        return str(len(text))

    def get(self, reference: str) -> str:
        self._trouble()
        return self.kept[reference]


def test_trouble_with_a_store_of_payloads_fails_no_activity() -> None:
    # Too long even when it is compressed.
    text = random.Random(1).randbytes(60_000).hex()
    store = Stored(3)
    store.kept[str(len(text) + 8)] = f'[["{text}"], {{}}]'
    responses: list[Any] = []
    worker = SWFActivityWorker()
    worker.register(activity_config(payloads=store), lambda text: text[1:], name="cut")
    client = mock.Mock(respond_activity_task_completed=lambda **given: responses.append(given))
    worker._handle(client, DOMAIN, LIST, "me", activity_task(f'{{" s3": "{len(text) + 8}"}}'))
    (response,) = responses
    assert response["result"].startswith('{" s3": ')
    assert store.kept[str(len(text) + 1)] == f'"{text[1:]}"'


def test_an_activity_whose_payload_cannot_be_had_is_left_to_time_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = SWFActivityWorker()
    worker.register(activity_config(payloads=Stored(99)), len, name="cut")
    # At the end of everything nothing is tried again.
    worker._stop.stop_everything()
    worker._handle(
        mock.Mock(spec=["record_activity_task_heartbeat"]),
        DOMAIN,
        LIST,
        "me",
        activity_task('{" s3": "1"}'),
    )
    assert caplog.messages[-1] == (
        "activity 'cut-0-0' of workflow id 'w', run id 'r' is left to time out, as its payload "
        "could not be had or kept: the bucket does not answer"
    )


@pytest.mark.parametrize("code", ["SerializationException", "ValidationException"])
def test_an_outcome_that_the_service_never_takes_fails_the_activity(code: str) -> None:
    refusal = ClientError({"Error": {"Code": code, "Message": "no"}}, "Respond")
    worker = SWFActivityWorker()
    worker.register(activity_config(), lambda text: text[1:], name="cut")
    client = mock.Mock()
    client.respond_activity_task_completed.side_effect = refusal
    worker._handle(client, DOMAIN, LIST, "me", activity_task('[["abc"], {}]'))
    (told,) = client.respond_activity_task_failed.call_args_list
    assert told.kwargs["reason"] == f"UnfitOutcome: Amazon SWF does not take the outcome: {refusal}"


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnknownResourceFault"])
def test_an_outcome_that_cannot_be_told_is_no_failure(
    code: str, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = ClientError({"Error": {"Code": code, "Message": "no"}}, "Respond")
    worker = SWFActivityWorker()
    worker.register(activity_config(), lambda text: text[1:], name="cut")
    client = mock.Mock()
    client.respond_activity_task_completed.side_effect = refusal
    worker._handle(client, DOMAIN, LIST, "me", activity_task('[["abc"], {}]'))
    assert not client.respond_activity_task_failed.called
    assert caplog.messages == [
        "the outcome of activity 'cut-0-0' of workflow id 'w', run id 'r' was not taken and is "
        f"dropped: {refusal}"
    ]


def test_a_failure_that_the_service_never_takes_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = ClientError({"Error": {"Code": "ValidationException", "Message": "no"}}, "Respond")
    client = mock.Mock()
    client.respond_activity_task_failed.side_effect = refusal
    SWFActivityWorker()._handle(client, DOMAIN, LIST, "me", activity_task("[[], {}]"))
    assert client.respond_activity_task_failed.call_count == 1
    assert caplog.messages[-1].endswith(f"was not taken and is dropped: {refusal}")


@pytest.mark.parametrize(
    ("message", "details"),
    [("enough", "enough"), (17, "17"), ("half a pair: \ud800", "half a pair: ?")],
)
def test_an_activity_that_was_cancelled_says_so_whatever_it_says(
    message: Any, details: str
) -> None:
    def cut(_: str) -> None:
        raise TaskCancelled(message)

    worker = SWFActivityWorker()
    worker.register(activity_config(), cut)
    client = mock.Mock()
    worker._handle(client, DOMAIN, LIST, "me", activity_task('[["abc"], {}]'))
    (told,) = client.respond_activity_task_canceled.call_args_list
    assert told.kwargs == {"taskToken": "token", "details": details}


def activity_task(input: str) -> dict[str, Any]:
    return {
        "taskToken": "token",
        "activityId": "cut-0-0",
        "startedEventId": 6,
        "workflowExecution": {"workflowId": "w", "runId": "r"},
        "activityType": {"name": "cut", "version": "1"},
        "input": input,
    }


def test_the_log_tells_by_execution_and_task_what_a_worker_does_and_is_quiet(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "flowy.swf")
    with fleet() as running:
        for each in workers(lambda cut: cut, workflow_config(), {"cut": lambda: 4}):
            running.serve(each)
        workflow_id = running.start("workflow")
        running.end(workflow_id)
    assert {each.levelname for each in caplog.records} == {"DEBUG"}
    ids = [
        {name: getattr(each, name, None) for name in ("workflowId", "runId", "activityId")}
        for each in caplog.records
    ]
    run_id = ids[0]["runId"]
    assert {each["activityId"] for each in ids} == {None, "cut-0-0"}
    assert all((each["workflowId"], each["runId"]) == (workflow_id, run_id) for each in ids)
    where = f"workflow id '{workflow_id}', run id '{run_id}'"
    assert sorted(caplog.messages) == [
        f"activity 'cut-0-0' of {where} begins",
        f"activity 'cut-0-0' of {where} has ended: respond_activity_task_completed",
        *[f"decided {where} with 1 decisions"] * 2,
    ]


def test_an_activity_worker_keeps_nothing_of_the_tasks_that_it_has_done() -> None:
    worker = SWFActivityWorker()
    worker.register(activity_config(), lambda n: {"n": n}, name="cut")
    client = Endless(worker, lambda number: activity_task(f"[[{number}], {{}}]"))
    worker.run(DOMAIN, LIST, client, False, False)
    assert client.grown < 100


def test_a_decider_keeps_nothing_of_the_decisions_that_it_has_made() -> None:
    with virtual() as running:
        one = OneTask(running)
        running.start("workflow")
        task = one.poll()
    client = Endless(one.worker, lambda _: task)
    one.worker.run(DOMAIN, LIST, client, False, False)
    assert client.grown < 100


class Endless:
    """A service that has a thousand tasks, and counts the objects that are alive meanwhile."""

    def __init__(self, worker: Any, task: Any) -> None:
        self.grown = 0
        self._worker = worker
        self._task = task
        self._polls = 0

    def _poll(self, **_: Any) -> Any:
        self._polls += 1
        # What is made once has been made by the first of these.
        if self._polls in (200, 1_200):
            gc.collect()
            self.grown = len(gc.get_objects()) - self.grown
        if self._polls == 1_200:
            self._worker.stop()
        return self._task(self._polls)

    def _respond(self, **_: Any) -> None:
        """Take whatever it is."""

    poll_for_activity_task = poll_for_decision_task = _poll
    respond_activity_task_completed = respond_decision_task_completed = _respond
    record_activity_task_heartbeat = _respond


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
