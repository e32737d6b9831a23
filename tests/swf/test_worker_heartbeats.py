"""Heartbeats: a worker sends them by itself, and they tell the activity when to stop."""

from __future__ import annotations

import logging
import pickle
import queue
import threading
from contextlib import AbstractContextManager
from typing import Any

import botocore.exceptions
import pytest
from tests.swf.fleet import (
    DOMAIN,
    Fleet,
    Listener,
    Meddler,
    activity_config,
    fleet,
    outcome,
    workflow_config,
)

import flowy
from flowy.errors import TaskCancelled, TaskError
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.heartbeats import Heartbeats, TaskHeartbeats, interval_of
from flowy_swf.workflow_worker import SWFWorkflowWorker

log = logging.getLogger("flowy.swf")
UNKNOWN = botocore.exceptions.ClientError(
    {"Error": {"Code": "UnknownResourceFault", "Message": "m"}}, "RecordActivityTaskHeartbeat"
)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowy_swf.calls.FIRST_DELAY", 0.0)


@pytest.mark.parametrize(
    ("time_out", "seconds"),
    [("15", 5.0), ("3600", 10.0), ("NONE", 10.0), (None, 10.0), ("0", 0.1)],
)
def test_heartbeats_come_three_times_in_a_time_out_and_every_ten_seconds_at_least(
    time_out: str | None, seconds: float
) -> None:
    assert interval_of(time_out) == seconds


class Service:
    """Takes heartbeats, and answers each with the next of its answers, or nothing special."""

    def __init__(self, *answers: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self._answers = list(answers)

    def __call__(self, **details: Any) -> Any:
        self.sent.append(details)
        answer = self._answers.pop(0) if self._answers else {"cancelRequested": False}
        if isinstance(answer, Exception):
            raise answer
        return answer


class Task:
    """The heartbeats of a task, every ten seconds of a clock that a test moves."""

    def __init__(self, *answers: Any) -> None:
        self.now = 100.0
        self.service = Service(*answers)
        self.heartbeats = TaskHeartbeats(self.service, 10.0, log, lambda: self.now)


def test_the_first_heartbeat_of_an_activity_is_sent_at_once_and_others_when_they_are_due() -> None:
    task = Task()
    task.heartbeats("one")
    assert task.service.sent == [{"details": "one"}]
    task.now += 9.9
    task.heartbeats("two")
    task.heartbeats.send_if_due()
    assert task.service.sent == [{"details": "one"}]
    task.now += 0.1
    task.heartbeats.send_if_due()
    task.heartbeats.send_if_due()
    assert task.service.sent == [{"details": "one"}, {"details": "two"}]
    assert task.heartbeats.due == 120.0


def test_an_activity_that_says_nothing_is_reported_alive_without_details() -> None:
    task = Task()
    task.heartbeats.send_if_due()
    assert task.service.sent == []
    task.now = task.heartbeats.due
    task.heartbeats.send_if_due()
    assert task.service.sent == [{}]


def test_the_last_details_stay_until_there_are_others_and_are_cut_to_what_the_service_takes() -> (
    None
):
    task = Task()
    task.heartbeats(3)
    task.heartbeats(7 * "long" + 3_000 * "x")
    task.heartbeats()
    task.now = task.heartbeats.due
    task.heartbeats()
    assert task.service.sent == [
        {"details": "3"},
        {"details": 7 * "long" + 2_017 * "x" + "..."},
    ]


def test_details_that_have_no_form_on_the_wire_stop_no_heartbeat() -> None:
    task = Task()
    task.heartbeats("half a pair: \ud800")
    assert task.service.sent == [{"details": "half a pair: ?"}]


def test_a_request_to_cancel_reaches_every_later_heartbeat_of_the_activity_and_they_go_on() -> None:
    task = Task({"cancelRequested": True})
    for _ in range(2):
        with pytest.raises(TaskCancelled, match=r"^it was asked to stop$"):
            task.heartbeats()
    # It may have to clean up, and must not time out meanwhile.
    task.now = task.heartbeats.due
    task.heartbeats.send_if_due()
    assert len(task.service.sent) == 2
    assert not task.heartbeats.closed


def test_a_closed_task_reaches_the_next_heartbeat_of_the_activity_and_no_more_are_sent() -> None:
    task = Task(UNKNOWN)
    task.now = task.heartbeats.due
    task.heartbeats.send_if_due()
    assert task.heartbeats.closed
    with pytest.raises(
        TaskCancelled,
        match=r"^its time is over, or its workflow is closed: nobody takes its outcome$",
    ):
        task.heartbeats()
    task.now += 1_000
    task.heartbeats.send_if_due()
    assert len(task.service.sent) == 1


def test_a_heartbeat_that_failed_is_nobodys_failure_and_is_sent_again_sooner(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("flowy_swf.calls.FIRST_DELAY", 2.0)
    monkeypatch.setattr("random.random", lambda: 1.0)
    task = Task(*[ConnectionResetError("cut")] * 5)
    task.heartbeats("one")
    dues = [task.heartbeats.due - task.now]
    for _ in range(4):
        task.now = task.heartbeats.due
        task.heartbeats.send_if_due()
        dues.append(task.heartbeats.due - task.now)
    assert dues == [2.0, 4.0, 8.0, 10.0, 10.0]
    assert caplog.messages[0] == (
        "a heartbeat failed (ConnectionResetError: cut); the next one is in 2.0 s"
    )


def test_a_heartbeat_that_hangs_leaves_the_other_tasks_alive() -> None:
    released, sent = threading.Event(), threading.Event()
    hanging: queue.Queue[None] = queue.Queue()

    def hang(**_: Any) -> dict[str, Any]:
        hanging.put(None)
        assert released.wait(30)
        return {}

    def send(**_: Any) -> dict[str, Any]:
        sent.set()
        return {}

    heartbeats = Heartbeats()
    with heartbeats.running(2), heartbeats.kept_up(TaskHeartbeats(hang, 0.01, log)):
        hanging.get(timeout=30)
        with heartbeats.kept_up(TaskHeartbeats(send, 0.01, log)):
            assert sent.wait(30)
        # One of it hangs, and not one after the other.
        assert hanging.empty()
        released.set()


def test_no_thread_that_sends_is_left() -> None:
    def names() -> set[str]:
        return {thread.name for thread in threading.enumerate()}

    heartbeats = Heartbeats()
    before = set(threading.enumerate())
    with heartbeats.running(9):
        senders = set(threading.enumerate()) - before
        # Not one for each task.
        assert len(senders) == 4
    for thread in senders:
        thread.join(30)
        assert not thread.is_alive()


def test_in_another_process_heartbeats_begin_anew() -> None:
    heartbeats = Heartbeats()
    with heartbeats.kept_up(TaskHeartbeats(Service(), 1.0, log)):
        copy = pickle.loads(pickle.dumps(heartbeats))
    assert isinstance(copy, Heartbeats)
    assert not copy._tasks


# --- whole activities -----------------------------------------------------------------------------


def virtual() -> AbstractContextManager[Fleet]:
    """Return a fleet in which nothing times out on a slow machine."""
    return fleet(clock="virtual")


class Beats:
    """A fleet for one activity, and a queue with the details of each heartbeat that was taken.

    Parameters
    ----------
    running
        the fleet.
    activity
        the activity, whose heartbeats are a second apart at most.
    passes
        how many seconds of the service's clock pass after each heartbeat.
    conf
        what its dependency is configured with.
    """

    def __init__(self, running: Fleet, activity: Any, passes: float = 0, **conf: Any) -> None:
        self.running = running
        self.passes = passes
        self.taken: queue.Queue[Any] = queue.Queue()
        self.failures: queue.Queue[str] = queue.Queue()
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        config = workflow_config()
        config.conf_activity("activity", 1, retry=(0,), **conf)
        worker.register(activity_config(default_heartbeat=1), activity, name="activity")
        decider.register(config, lambda activity: lambda: activity(), name="workflow")
        running.serve(decider)
        running.serve(worker, client=Meddler(running.client, self._meddle))

    def _meddle(self, operation: str, _: int, call: Any) -> Any:
        if operation != "record_activity_task_heartbeat":
            return call()
        try:
            answer = call()
        except Exception as exc:
            self.failures.put(str(exc))
            raise
        self.taken.put(call.keywords.get("details"))
        self.running.emulator.advance(self.passes)
        return answer


def test_an_activity_that_says_nothing_outlives_its_heartbeat_time_out() -> None:
    def activity() -> str:
        for _ in range(4):
            beats.taken.get(timeout=30)
        return "alive"

    beats: Beats
    with virtual() as running:
        beats = Beats(running, activity, passes=0.9)
        workflow_id = running.start("workflow")
        assert outcome(running.end(workflow_id)) == "alive"
        assert "ActivityTaskTimedOut" not in running.types(workflow_id)


def test_the_worker_goes_on_to_report_what_the_activity_said_last() -> None:
    def activity() -> list[Any]:
        flowy.heartbeat("half way")
        flowy.heartbeat("nearly there")
        return [beats.taken.get(timeout=30) for _ in range(3)]

    beats: Beats
    with virtual() as running:
        beats = Beats(running, activity)
        assert running.run("workflow") == ["half way", "nearly there", "nearly there"]


def test_a_request_to_cancel_reaches_an_activity_through_the_workers_heartbeats() -> None:
    begun, asked = threading.Event(), threading.Event()

    def activity() -> None:
        flowy.heartbeat()
        begun.set()
        assert asked.wait(30)
        while not beats.taken.empty():
            beats.taken.get()
        # The second of these was sent after the request.
        beats.taken.get(timeout=30)
        beats.taken.get(timeout=30)
        flowy.heartbeat()

    beats: Beats
    with virtual() as running:
        beats = Beats(running, activity)
        workflow_id = running.start("workflow")
        assert begun.wait(30)
        running.client.request_cancel_workflow_execution(domain=DOMAIN, workflowId=workflow_id)
        running.emulator.wait_for(
            lambda: "ActivityTaskCancelRequested" in running.types(workflow_id)
        )
        asked.set()
        with pytest.raises(TaskCancelled):
            outcome(running.end(workflow_id))
        assert "ActivityTaskCanceled" in running.types(workflow_id)


def test_a_task_that_is_closed_reaches_the_activity_and_its_outcome_is_dropped_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    messages: queue.Queue[str] = queue.Queue()

    def activity() -> None:
        running.emulator.advance(60)
        beats.failures.get(timeout=30)
        try:
            while True:
                flowy.heartbeat()
        except TaskCancelled as exc:
            messages.put(exc.message)
            raise

    beats: Beats
    running: Fleet
    with virtual() as running, Listener("was not taken") as listener:
        beats = Beats(running, activity, start_to_close=60)
        with pytest.raises(TaskError):
            running.run("workflow")
        assert messages.get(timeout=30) == (
            "its time is over, or its workflow is closed: nobody takes its outcome"
        )
        listener.wait()
    # The worker may still poll while the emulator ends.
    (message,) = [each for each in caplog.messages if not each.startswith("polling failed")]
    assert message.startswith("the outcome of activity 'activity-0-0' of workflow id ")


def test_heartbeats_that_fail_do_not_fail_the_task() -> None:
    def activity() -> str:
        flowy.heartbeat("one")
        beats.taken.get(timeout=30)
        return "done"

    beats: Beats
    with virtual() as running:
        running.emulator.inject.fail("RecordActivityTaskHeartbeat", "ThrottlingException", times=2)
        running.emulator.inject.fail("RecordActivityTaskHeartbeat", "InternalFailure", times=2)
        running.emulator.inject.cut("RecordActivityTaskHeartbeat", "before", times=2)
        beats = Beats(running, activity)
        assert running.run("workflow") == "done"
        assert beats.failures.qsize() >= 6


def test_heartbeats_go_on_until_the_outcome_is_taken() -> None:
    """A time-out while an outcome is reported again and again would lose it."""
    refusals = 0

    def meddle(operation: str, _: int, call: Any) -> Any:
        nonlocal refusals
        if operation == "respond_activity_task_completed" and refusals < 5:
            refusals += 1
            beats.get(timeout=30)
            raise ConnectionResetError
        answer = call()
        if operation == "record_activity_task_heartbeat":
            running.emulator.advance(0.9)
            beats.put(None)
        return answer

    beats: queue.Queue[None] = queue.Queue()
    with virtual() as running:
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        config = workflow_config()
        config.conf_activity("activity", 1, retry=(0,))
        worker.register(activity_config(default_heartbeat=1), lambda: 4, name="activity")
        decider.register(config, lambda activity: lambda: activity(), name="workflow")
        running.serve(decider)
        running.serve(worker, client=Meddler(running.client, meddle))
        assert running.run("workflow") == 4
    assert refusals == 5


def test_an_outcome_is_given_up_when_the_task_is_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reported, closed = threading.Event(), threading.Event()

    def meddle(operation: str, _: int, call: Any) -> Any:
        if operation == "respond_activity_task_completed":
            reported.set()
            assert closed.wait(30)
            raise ConnectionResetError("cut")
        try:
            return call()
        except botocore.exceptions.ClientError:
            closed.set()
            raise

    with virtual() as running:
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        config = workflow_config()
        config.conf_activity("activity", 1, retry=(0,))
        worker.register(activity_config(default_heartbeat=1), lambda: 4, name="activity")
        decider.register(config, lambda activity: lambda: activity(), name="workflow")
        running.serve(decider)
        running.serve(worker, client=Meddler(running.client, meddle))
        workflow_id = running.start("workflow")
        assert reported.wait(30)
        running.client.terminate_workflow_execution(domain=DOMAIN, workflowId=workflow_id)
        assert closed.wait(30)
        running.emulator.wait_for(
            lambda: any(p.kind == "activity" for p in running.emulator.pollers())
        )
    assert "ERROR" in [record.levelname for record in caplog.records]
    assert any(each.endswith("was not taken and is dropped: cut") for each in caplog.messages)
