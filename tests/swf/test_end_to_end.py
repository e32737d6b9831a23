"""Whole workflows over HTTP, with deciders and activity workers in threads."""

from __future__ import annotations

import itertools
import logging
from typing import Any

import pytest
from tests.swf.fleet import (
    DOMAIN,
    Fleet,
    Listener,
    activity_config,
    fleet,
    outcome,
    workers,
    workflow_config,
)

import flowy
from flowy.errors import TaskCancelled, TaskError
from flowy.retry import Retry
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.emulator import Quotas
from flowy_swf.registration import register_types
from flowy_swf.starter import SWFWorkflowStarter
from flowy_swf.workflow_worker import SWFWorkflowWorker


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowy_swf.calls.FIRST_DELAY", 0.0)


def square(n: int) -> int:
    return n * n


def add(a: int, b: int) -> int:
    return a + b


ACTIVITIES: dict[str, Any] = {"square": square, "add": add}


class SumOfSquares:
    def __init__(self, square: Any, add: Any) -> None:
        self.square = square
        self.add = add

    def __call__(self, a: int, b: int) -> Any:
        return self.add(self.square(a), self.square(b))


def serve(running: Fleet, factory: Any, config: Any = None, **activities: Any) -> None:
    """Have workers for a workflow and its activities work."""
    for worker in workers(factory, config or workflow_config(), activities):
        running.serve(worker)


def test_the_first_example_runs() -> None:
    with fleet() as running:
        serve(running, SumOfSquares, **ACTIVITIES)
        assert running.run("workflow", 2, 10) == 104


def test_several_threads_decide_and_work_for_many_executions() -> None:
    with fleet() as running:
        for worker in workers(SumOfSquares, workflow_config(), ACTIVITIES):
            running.serve(worker, threads=3)
        ids = [running.start("workflow", number, 1) for number in range(10)]
        assert [outcome(running.end(each)) for each in ids] == [n * n + 1 for n in range(10)]


def test_a_workflow_restarts_with_the_settings_it_was_started_with() -> None:
    def factory() -> Any:
        return lambda left: flowy.restart(left - 1) if left else "done"

    with fleet() as running:
        serve(running, factory)
        start = SWFWorkflowStarter(
            DOMAIN,
            "workflow",
            1,
            running.client,
            task_duration=7,
            workflow_duration=8,
            wid="id",
            tags=["tag"],
            child_policy="ABANDON",
            priority=9,
            lambda_role="role",
        )
        start(2)
        assert outcome(running.end("id")) == "done"
        runs = running.client.list_closed_workflow_executions(
            domain=DOMAIN,
            startTimeFilter={"oldestDate": 0},
            executionFilter={"workflowId": "id"},
        )["executionInfos"]
        started = [
            running.emulator.history("id", run["execution"]["runId"])[0][
                "workflowExecutionStartedEventAttributes"
            ]
            for run in runs
        ]
    assert len(started) == 3
    inputs = [each.pop("input") for each in started]
    assert sorted(inputs) == ["[[0], {}]", "[[1], {}]", "[[2], {}]"]
    for each in started:
        each.pop("continuedExecutionRunId", None)
    assert started[0] == started[1] == started[2]
    assert started[0]["taskStartToCloseTimeout"] == "7"


def test_a_child_workflow_runs_and_its_failure_is_told() -> None:
    def parent(child: Any) -> Any:
        def workflow() -> Any:
            good = child(4)
            try:
                flowy.wait(child(-1))
            except TaskError as error:
                return [good, error.error_type, error.message]
            raise AssertionError

        return workflow

    def child() -> Any:
        def workflow(n: int) -> int:
            if n < 0:
                raise ValueError("negative")
            return n

        return workflow

    with fleet() as running:
        decider = SWFWorkflowWorker()
        config = workflow_config()
        config.conf_workflow("child", 1)
        decider.register(config, parent, name="parent")
        decider.register(workflow_config(), child, name="child")
        running.serve(decider)
        assert running.run("parent") == [4, "ValueError", "negative"]


def test_a_lambda_function_runs() -> None:
    def factory(double: Any, unknown: Any) -> Any:
        def workflow() -> Any:
            result = double(4)
            try:
                flowy.wait(unknown())
            except TaskError:
                return result
            raise AssertionError

        return workflow

    with fleet(lambdas={"double": lambda event: 2 * event[0][0]}) as running:
        config = workflow_config(default_lambda_role="role")
        config.conf_lambda("double", "double", 60)
        config.conf_lambda("unknown", "unknown")
        serve(running, factory, config)
        assert running.run("workflow") == 8


def test_time_outs_are_tried_again_and_then_told() -> None:
    def factory(lost: Any) -> Any:
        def workflow() -> Any:
            try:
                flowy.wait(lost())
            except flowy.TaskTimedout as error:
                return [error.call, error.message]
            raise AssertionError

        return workflow

    with fleet() as running:
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        config = workflow_config()
        # Nobody polls this list.
        config.conf_activity("lost", 1, task_list="other", schedule_to_start=9, retry=(0, 5))
        worker.register(activity_config(), square, 1, "lost")
        decider.register(config, factory, name="workflow")
        running.serve(decider)
        running.serve(worker)
        assert running.run("workflow") == ["lost-0-1", "passed its SCHEDULE_TO_START limit"]


def test_more_calls_than_a_response_takes_are_made() -> None:
    def factory(square: Any) -> Any:
        return lambda: [square(n) for n in range(230)]

    with fleet() as running:
        serve(running, factory, workflow_config(rate_limit=1_000), square=square)
        workflow_id = running.start("workflow")
        assert outcome(running.end(workflow_id)) == [n * n for n in range(230)]
        types = running.types(workflow_id)
    assert types.count("ActivityTaskScheduled") == 230
    assert "ScheduleActivityTaskFailed" not in types


def test_the_rate_limit_bounds_what_is_open_at_once() -> None:
    def factory(square: Any) -> Any:
        return lambda: [square(n) for n in range(20)]

    with fleet() as running:
        serve(running, factory, workflow_config(rate_limit=3), square=square)
        workflow_id = running.start("workflow")
        assert outcome(running.end(workflow_id)) == [n * n for n in range(20)]
        open_now = most = 0
        for each in running.types(workflow_id):
            open_now += (each == "ActivityTaskScheduled") - (each == "ActivityTaskCompleted")
            most = max(most, open_now)
    assert most == 3


def test_what_the_service_refuses_for_now_is_done_later() -> None:
    with fleet(quotas=Quotas(open_activities=1)) as running:
        serve(running, SumOfSquares, **ACTIVITIES)
        running.emulator.inject.fail_decision("StartTimer", "TIMER_CREATION_RATE_EXCEEDED")
        workflow_id = running.start("workflow", 2, 10)
        assert outcome(running.end(workflow_id)) == 104
        types = running.types(workflow_id)
    assert "ScheduleActivityTaskFailed" in types
    assert "StartTimerFailed" in types


def test_what_the_service_refuses_for_good_fails_with_the_remedy() -> None:
    def factory(missing: Any) -> Any:
        return lambda: missing()

    with fleet() as running:
        config = workflow_config()
        config.conf_activity("missing", 7)
        serve(running, factory, config)
        with pytest.raises(TaskError) as caught:
            running.run("workflow")
    assert caught.value.message == (
        "missing-0-0 failed: ACTIVITY_TYPE_DOES_NOT_EXIST: no type of this name and version is "
        "registered: start a worker that has it"
    )


def test_a_cancelled_workflow_stops_its_tasks_and_closes_as_cancelled() -> None:
    running: Fleet
    began, asked = [], []

    def patient() -> None:
        began.append(True)
        while True:
            running.emulator.wait_for(
                lambda: any("CancelRequested" in each for each in running.types(child_of()))
            )
            try:
                flowy.heartbeat()
            except TaskCancelled as error:
                asked.append(error.message)
                raise

    def child_of() -> str:
        initiated = "startChildWorkflowExecutionInitiatedEventAttributes"
        for event in running.emulator.history("id"):
            if initiated in event:
                return str(event[initiated]["workflowId"])
        raise AssertionError

    def parent(child: Any) -> Any:
        return lambda: child()

    def child(patient: Any) -> Any:
        return lambda: patient()

    with fleet() as running:
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        config, child_config = workflow_config(), workflow_config()
        config.conf_workflow("child", 1)
        child_config.conf_activity("patient", 1)
        decider.register(config, parent, name="parent")
        decider.register(child_config, child, name="child")
        worker.register(activity_config(), patient)
        running.serve(decider)
        running.serve(worker)
        SWFWorkflowStarter(DOMAIN, "parent", 1, running.client, wid="id")()
        running.emulator.wait_for(lambda: bool(began))
        running.client.request_cancel_workflow_execution(domain=DOMAIN, workflowId="id")
        with pytest.raises(TaskCancelled):
            outcome(running.end("id"))
        assert running.types(child_of())[-1] == "WorkflowExecutionCanceled"
    assert asked == ["it was asked to stop"]


def test_code_that_differs_from_the_history_answers_nothing_and_the_right_code_carries_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def right(square: Any, add: Any) -> Any:
        return lambda: add(square(1), square(2))

    def wrong(square: Any, add: Any) -> Any:
        return lambda: add(square(1), square(3))

    with fleet(long_poll=0.1) as running, Listener("no decision for") as listener:
        (before, activities), (changed, _), (after, _) = (
            workers(code, workflow_config(), ACTIVITIES) for code in (right, wrong, right)
        )
        register_types(running.client, DOMAIN, activities.types)
        running.serve(before)
        workflow_id = running.start("workflow")
        running.emulator.wait_for(
            lambda: running.types(workflow_id).count("ActivityTaskScheduled") == 2
        )
        running.retire(before)
        running.serve(changed)
        running.serve(activities)
        listener.wait()
        running.retire(changed)
        running.serve(after)
        running.emulator.advance(60)
        assert outcome(running.end(workflow_id)) == 5
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    message = record.getMessage()
    assert message.startswith(f"no decision for workflow id '{workflow_id}', run id ")
    assert (
        "it is not answered, and left alone by this worker for 5 s: replay of square-1 differs "
        "from the history\n  recorded: input '[[2], {}]'\n  now:      input '[[3], {}]'\n"
    ) in message
    assert record.workflowId == workflow_id  # type: ignore[attr-defined]


def test_a_decision_of_a_type_that_is_not_known_is_left_for_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with fleet(long_poll=0.1) as running, Listener("does not know") as listener:
        decider, worker = workers(SumOfSquares, workflow_config(), ACTIVITIES)
        other = SWFWorkflowWorker()
        other.register(workflow_config(), lambda: lambda: 4, name="other")
        register_types(running.client, DOMAIN, decider.types)
        running.serve(other)
        workflow_id = running.start("workflow", 1, 1)
        listener.wait()
        assert running.run("other") == 4
        running.retire(other)
        running.serve(decider)
        running.serve(worker)
        running.emulator.advance(60)
        assert outcome(running.end(workflow_id)) == 2
    (message,) = caplog.messages
    assert message == (
        f"workflow id '{workflow_id}' is of type 'workflow' version '1', which this worker does "
        "not know (it knows 'other' version '1'); such decisions are left for other workers of the "
        "task list"
    )


def test_an_activity_of_a_type_that_is_not_known_fails_with_what_is_known() -> None:
    with fleet() as running:
        decider, _ = workers(SumOfSquares, workflow_config(), ACTIVITIES)
        worker, known = SWFActivityWorker(), SWFActivityWorker()
        for name, function in ACTIVITIES.items():
            known.register(activity_config(), function, 1, name)
        worker.register(activity_config(), square, 2)
        running.serve(known, "another list")
        running.serve(decider)
        running.serve(worker)
        with pytest.raises(TaskError) as caught:
            running.run("workflow", 2, 10)
    assert (
        "this worker does not know the activity 'square' version '1'; it knows 'square' version '2'"
        in (caught.value.message)
    )


def test_what_a_workflow_logs_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    log = flowy.WorkflowLogger("the.workflow")

    def factory(square: Any, add: Any) -> Any:
        def workflow() -> Any:
            log.warning("begins")
            flowy.wait(square(1))
            log.warning("half way")
            flowy.wait(add(1, 2))
            log.warning("ends")

        return workflow

    with fleet() as running:
        serve(running, factory, **ACTIVITIES)
        running.run("workflow")
    said = [each.message for each in caplog.records if each.name == "the.workflow"]
    assert said == ["begins", "half way", "ends"]


def test_a_large_payload_crosses_compressed() -> None:
    def factory(square: Any, add: Any) -> Any:
        return lambda: add("x" * 50_000, square(1))

    with fleet() as running:
        serve(running, factory, square=lambda n: "y" * 50_000, add=lambda a, b: len(a + b))
        assert running.run("workflow") == 100_000


def test_a_history_of_many_pages_is_read() -> None:
    def factory(square: Any) -> Any:
        def workflow() -> int:
            return sum(square(number) + 0 for number in range(60))

        return workflow

    with fleet() as running:
        serve(running, factory, square=square)
        assert running.run("workflow") == sum(n * n for n in range(60))


def test_an_activity_that_ends_its_process_fails_and_the_worker_goes_on() -> None:
    def stubborn(n: int) -> int:
        if n:
            raise SystemExit("bye")
        return 7

    def factory(stubborn: Any) -> Any:
        def workflow() -> Any:
            try:
                flowy.wait(stubborn(1))
            except TaskError as error:
                return [error.error_type, error.message, stubborn(0)]
            raise AssertionError

        return workflow

    with fleet() as running:
        serve(running, factory, stubborn=stubborn)
        assert running.run("workflow") == ["SystemExit", "bye", 7]


def test_errors_are_tried_again_by_a_policy() -> None:
    starts = itertools.count()

    def flaky() -> str:
        if next(starts) < 2:
            raise ValueError("not yet")
        return "done"

    with fleet() as running:
        config = workflow_config()
        config.conf_activity("flaky", 1, retry=Retry(attempts=3, delay=60))
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        decider.register(config, lambda flaky: lambda: flaky(), name="workflow")
        worker.register(activity_config(), flaky)
        running.serve(decider)
        running.serve(worker)
        assert running.run("workflow") == "done"
