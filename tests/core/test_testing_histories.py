"""Recording histories, saving and loading them, and replaying today's code over them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import flowy
from flowy import testing
from flowy.events import (
    CallId,
    CancelRequested,
    CompleteWorkflow,
    FailWorkflow,
    MarkerRecorded,
    RestartWorkflow,
    SignalReceived,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskTimedOut,
    TimerFired,
    TimerStarted,
)
from flowy.testing.histories import LoadedError
from flowy_local import LocalWorkflow

Task = Callable[..., Any]

GOLDEN = Path(__file__).parent / "histories"

ORDER = CallId("order", 0, 0)
AGAIN = CallId("order", 0, 1)

#: one event of every kind
EVENTS = (
    TaskScheduled(ORDER, '[["nut"], {"count": 3}]'),
    TaskStarted(ORDER, "worker 1"),
    TaskTimedOut(ORDER, "HEARTBEAT"),
    TimerStarted(AGAIN, 2.5),
    SignalReceived("hurry", "[1]"),
    MarkerRecorded("note", '"here"'),
    CancelRequested("no more money"),
    TimerFired(AGAIN),
    TaskScheduled(AGAIN, '[["nut"], {"count": 3}]'),
    TaskFailed(AGAIN, "ValueError", "too few", "Traceback ...", ValueError("too few")),
    TaskScheduled(CallId("child", 0, 0), "[[], {}]", "workflow"),
    TaskCompleted(CallId("child", 0, 0), "5"),
    TaskCancelled(CallId("order", 1, 0), "not needed"),
)

ENDS = [
    None,
    CompleteWorkflow("[5, null]"),
    FailWorkflow(ValueError("too few"), "ValueError: too few"),
    RestartWorkflow("[[1], {}]"),
]


def add(a: int, b: int) -> int:
    return a + b


class Sum:
    def __init__(self, add: Task) -> None:
        self.add = add

    def __call__(self, *numbers: int) -> Any:
        total: Any = 0
        for number in numbers:
            total = self.add(total, number)
        return total


def recorded(workflow: LocalWorkflow, *args: Any) -> list[testing.History]:
    recorder = testing.Recorder()
    with suppress(flowy.TaskError):
        workflow.run(*args, _observers=[recorder])
    return recorder.histories


def summing(**options: Any) -> LocalWorkflow:
    workflow = LocalWorkflow(Sum, **options)
    workflow.conf_activity("add", add)
    return workflow


# --- recording -----------------------------------------------------------------------------------


def test_a_recorder_records_what_the_local_engine_did() -> None:
    [history] = recorded(summing(), 1, 2)
    assert (history.workflow, history.input, history.path, history.restarts) == (
        "Sum",
        "[[1, 2], {}]",
        "",
        0,
    )
    assert history.end == CompleteWorkflow("3")
    assert [event for event in history.events if not isinstance(event, TaskStarted)] == [
        TaskScheduled(CallId("add", 0), "[[0, 1], {}]"),
        TaskCompleted(CallId("add", 0), "1"),
        TaskScheduled(CallId("add", 1), "[[1, 2], {}]"),
        TaskCompleted(CallId("add", 1), "3"),
    ]
    testing.replay(summing(), history)


def test_a_recorder_keeps_one_history_for_each_execution() -> None:
    def counting(child: Task) -> Any:
        return lambda n: n if n == 2 else flowy.restart(child(n, 1))

    workflow = LocalWorkflow(counting)
    workflow.conf_workflow("child", summing())
    histories = recorded(workflow, 0)
    assert [(each.workflow, each.path, each.restarts) for each in histories] == [
        ("counting", "", 0),
        ("Sum", "child-0-0", 0),
        ("counting", "~1", 1),
        ("Sum", "~1/child-0-0", 0),
        ("counting", "~2", 2),
    ]
    for history in histories:
        testing.replay(counting if history.workflow == "counting" else Sum, history)


def test_a_history_that_is_still_growing_can_be_taken() -> None:
    recorder = testing.Recorder()
    seen: list[testing.History] = []

    def look(a: int, b: int) -> int:
        seen.extend(recorder.histories)
        return a + b

    workflow = LocalWorkflow(Sum)
    workflow.conf_activity("add", look)
    workflow.run(1, _observers=[recorder])
    [history] = seen
    assert history.end is None
    testing.replay(workflow, history)


# --- saving and loading --------------------------------------------------------------------------


@pytest.mark.parametrize("end", ENDS, ids=["running", "completed", "failed", "restarted"])
def test_a_history_comes_back_as_it_was_saved(end: Any, tmp_path: Path) -> None:
    history = testing.History("Order", "[[], {}]", EVENTS, end, "shop-0-0/order-2-1", 4)
    testing.save_history(history, tmp_path / "history.json")
    assert testing.load_history(tmp_path / "history.json") == history


def test_the_form_of_saved_histories_stays(tmp_path: Path) -> None:
    history = testing.History("Order", "[[], {}]", EVENTS, CompleteWorkflow("5"), "shop-0-0", 1)
    path = tmp_path / "history.json"
    testing.save_history(history, str(path))
    golden = GOLDEN / "every-event.json"
    assert path.read_text("utf-8") == golden.read_text("utf-8")
    assert testing.load_history(golden) == history


def test_a_loaded_failure_tells_its_error_in_words(tmp_path: Path) -> None:
    error = flowy.TaskError("no", call="get-0-0", error_type="OSError", traceback="Traceback ...")
    end = FailWorkflow(error, f"TaskError: {error}")
    testing.save_history(testing.History("Order", "[[], {}]", (), end), tmp_path / "history.json")
    loaded = testing.load_history(tmp_path / "history.json").end
    assert isinstance(loaded, FailWorkflow)
    assert isinstance(loaded.error, LoadedError)
    assert str(loaded.error) == "TaskError: get-0-0 failed: OSError: no"


def test_a_history_of_objects_cannot_be_saved(tmp_path: Path) -> None:
    workflow = summing(codec="object")
    [history] = recorded(workflow, 1, 2)
    testing.replay(workflow, history)
    with pytest.raises(TypeError) as caught:
        testing.save_history(history, tmp_path / "history.json")
    assert str(caught.value) == (
        "the history of Sum cannot be saved, because its values are no JSON text: record it from a "
        'run with codec="json"'
    )
    assert not (tmp_path / "history.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "{not json"])
def test_a_file_that_holds_no_history_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="holds no history") as caught:
        testing.load_history(path)
    assert str(caught.value) == (
        f"{str(path)!r} holds no history: expected what save_history() writes"
    )


def test_a_history_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"flowy-history": 2}))
    with pytest.raises(ValueError, match="form 2") as caught:
        testing.load_history(path)
    assert str(caught.value) == (
        f"{str(path)!r} is a history of form 2, and this version of Flowy knows form 1: load it "
        "with the version that saved it, or a newer one"
    )


# --- replaying -----------------------------------------------------------------------------------


def test_today_s_code_replays_a_history_of_the_past() -> None:
    history = testing.load_history(GOLDEN / "sum.json")
    testing.replay(Sum, history)
    testing.replay(summing(), history)


def squares_first(add: Task) -> Any:
    return lambda *numbers: add(numbers[0] ** 2 + 1, 0)


def calls_one_less(add: Task) -> Any:
    return lambda *numbers: Sum(add)(*numbers[:-1])


def calls_one_more(add: Task) -> Any:
    return lambda *numbers: add(Sum(add)(*numbers), 1)


def returns_something_else(add: Task) -> Any:
    def run(*numbers: int) -> Any:
        flowy.wait(Sum(add)(*numbers))
        return "something else"

    return run


def raises(add: Task) -> Any:
    def run(*numbers: int) -> Any:
        flowy.wait(Sum(add)(*numbers))
        raise LookupError("no such sum")

    return run


def restarts(add: Task) -> Any:
    return lambda *numbers: flowy.restart(Sum(add)(*numbers))


def waits_for_more(add: Task) -> Any:
    return lambda *numbers: add(Sum(add)(*numbers), 1) + 1


@pytest.mark.parametrize(
    ("factory", "call", "recorded", "replayed"),
    [
        (squares_first, "add-0", "input '[[0, 1], {}]'", "input '[[2, 0], {}]'"),
        (
            calls_one_less,
            "add-2",
            "a call with input '[[3, 3], {}]'",
            "the code called add 2 times until it ended",
        ),
        (
            calls_one_more,
            "the end",
            "the workflow completed with '6'",
            "the code ended and what it returned is not finished",
        ),
        (
            waits_for_more,
            "the end",
            "the workflow completed with '6'",
            "the code stopped on the result of add-3",
        ),
        (
            returns_something_else,
            "the end",
            "the workflow completed with '6'",
            "the workflow completed with '\"something else\"'",
        ),
        (
            raises,
            "the end",
            "the workflow completed with '6'",
            "the workflow failed with LookupError: no such sum",
        ),
        (
            restarts,
            "the end",
            "the workflow completed with '6'",
            "the workflow restarted with '[[6], {}]'",
        ),
    ],
)
def test_code_that_does_something_else_is_told_from_its_history(
    factory: Any, call: str, recorded: str, replayed: str
) -> None:
    history = testing.load_history(GOLDEN / "sum.json")
    with pytest.raises(flowy.NonDeterminismError) as caught:
        testing.replay(factory, history)
    error = caught.value
    assert (error.call, error.recorded, error.replayed) == (call, recorded, replayed)


def test_a_history_without_an_end_allows_for_more_calls() -> None:
    whole = testing.load_history(GOLDEN / "sum.json")
    running = testing.History(whole.workflow, whole.input, whole.events)
    testing.replay(calls_one_more, running)


def test_code_says_nothing_again_in_a_replay() -> None:
    said: list[bool] = []

    def factory(add: Task) -> Any:
        def run() -> Any:
            said.append(not flowy.is_replaying())
            total = add(1, 2) + 0
            said.append(not flowy.is_replaying())
            return total

        return run

    workflow = LocalWorkflow(factory)
    workflow.conf_activity("add", add)
    [history] = recorded(workflow)
    testing.replay(workflow, history)
    assert said == [True, True, False, False]


def test_a_dependency_that_is_gone_is_told() -> None:
    def lonely(other: Task) -> Any:
        return lambda *numbers: other()

    workflow = LocalWorkflow(lonely)
    workflow.conf_activity("other", add)
    history = testing.load_history(GOLDEN / "sum.json")
    with pytest.raises(flowy.NonDeterminismError) as caught:
        testing.replay(workflow, history)
    assert caught.value.replayed == "there is no dependency 'add'"


def test_a_factory_that_does_not_take_a_recorded_dependency_is_refused() -> None:
    def lonely() -> Any:
        return lambda: None

    history = testing.load_history(GOLDEN / "sum.json")
    with pytest.raises(flowy.DependencyError, match=r"^lonely takes no 'add'"):
        testing.replay(lonely, history)


def test_a_new_dependency_of_a_factory_that_was_not_called_is_fine() -> None:
    def sums(add: Task, log: Task, *, optional: Any = None, **more: Task) -> Any:
        return Sum(add)

    testing.replay(sums, testing.load_history(GOLDEN / "sum.json"))


# --- retries and failures in histories -----------------------------------------------------------


def retrying(add: Task, get: Task) -> Any:
    def run() -> Any:
        first = get()
        try:
            return add(first, get())
        except flowy.TaskError:
            return None

    return run


RETRYING = {
    "add": add,
    "get": testing.task(
        testing.by_call(testing.by_attempt(OSError("busy"), OSError("busy"), 1), 2),
        retry=flowy.Retry(attempts=3, delay=10, backoff=3, jitter=0.5),
    ),
}


def test_a_factory_alone_tries_again_what_was_tried_again() -> None:
    [history] = testing.run(retrying, RETRYING).histories
    assert sum(isinstance(event, TimerStarted) for event in history.events) == 2
    testing.replay(retrying, history)


def test_a_factory_alone_delays_a_first_attempt_that_was_delayed() -> None:
    tasks = {"add": add, "get": testing.task(5, retry=(30, 0))}
    [history] = testing.run(retrying, tasks).histories
    testing.replay(retrying, history)


def test_the_retries_of_a_configuration_must_lead_to_the_recorded_attempts() -> None:
    [history] = testing.run(retrying, RETRYING).histories
    workflow = LocalWorkflow(retrying)
    workflow.conf_activity("add", add)
    workflow.conf_activity("get", add, retry=flowy.Retry(attempts=2))
    with pytest.raises(flowy.NonDeterminismError) as caught:
        testing.replay(workflow, history)
    assert (caught.value.recorded, caught.value.replayed) == (
        "this attempt was scheduled",
        "the retry policy ends with get-0-1",
    )


def failing(get: Task) -> Any:
    return lambda: get() + 1


def raising(get: Task) -> Any:
    def run() -> Any:
        raise LookupError(f"no {get()} at {object()!r}")

    return run


@pytest.mark.parametrize(
    ("factory", "get"), [(failing, OSError("no")), (raising, "nut")], ids=["by a task", "by itself"]
)
def test_a_failed_workflow_replays_from_memory_and_from_a_file(
    factory: Any, get: Any, tmp_path: Path
) -> None:
    [history] = testing.run(factory, {"get": get}).histories
    testing.replay(factory, history)
    testing.save_history(history, tmp_path / "history.json")
    testing.replay(factory, testing.load_history(tmp_path / "history.json"))


def test_a_failure_with_a_traceback_replays_from_memory_and_from_a_file(tmp_path: Path) -> None:
    workflow = LocalWorkflow(failing)
    workflow.conf_activity("get", Sum)
    [history] = recorded(workflow)
    testing.replay(workflow, history)
    testing.save_history(history, tmp_path / "history.json")
    testing.replay(workflow, testing.load_history(tmp_path / "history.json"))


def test_a_workflow_that_fails_with_another_error_is_told(tmp_path: Path) -> None:
    def elsewhere(get: Task) -> Any:
        def run() -> Any:
            flowy.wait(get())
            raise KeyError("nut")

        return run

    [history] = testing.run(raising, {"get": "nut"}).histories
    testing.save_history(history, tmp_path / "history.json")
    with pytest.raises(flowy.NonDeterminismError) as caught:
        testing.replay(elsewhere, testing.load_history(tmp_path / "history.json"))
    assert caught.value.recorded.startswith("the workflow failed with LookupError: no nut at ")
    assert caught.value.replayed == "the workflow failed with KeyError: 'nut'"


def test_a_restart_replays(tmp_path: Path) -> None:
    def again(get: Task) -> Any:
        return lambda *args: flowy.restart(get(), more=1)

    history = testing.run(again, {"get": "nut"}, _restarts=0).histories[0]
    assert history.end == RestartWorkflow('[["nut"], {"more": 1}]')
    testing.replay(again, history)
