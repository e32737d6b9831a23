"""Running workflows against scripted tasks, on a virtual clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

import flowy
from flowy import testing
from flowy.config import WorkflowConfig
from flowy.events import (
    CallId,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskTimedOut,
)
from flowy.run import Dependency
from flowy_local import LocalWorkflow

Task = Callable[..., Any]

BOTH = pytest.mark.parametrize("suspend", [False, True], ids=["parked", "suspended"])


class SquareSum:
    def __init__(self, square: Task, add: Task) -> None:
        self.square = square
        self.add = add

    def __call__(self, a: int, b: int) -> Any:
        return self.add(self.square(a), self.square(b))


def single(task: Task) -> Any:
    return lambda *args, **kwargs: task(*args, **kwargs)


def error_of(task: Task) -> Any:
    def run(*args: Any) -> Any:
        try:
            flowy.wait(task(*args))
        except flowy.TaskError as error:
            return [type(error).__name__, error.call, error.error_type, error.message]

    return run


def slow_square(n: int) -> Any:
    return testing.returns(n * n, after=n)


def missing() -> int:
    raise KeyError("a")


def add(a: int, b: int) -> int:
    return a + b


def times(outcome: testing.Outcome) -> list[tuple[str, float, float | None]]:
    return [(str(call.id), call.started, call.ended) for call in outcome.calls]


# --- the clock -----------------------------------------------------------------------------------


@BOTH
def test_tasks_take_the_time_that_their_scripts_say_side_by_side(suspend: bool) -> None:
    tasks = {"square": slow_square, "add": testing.runs(add, after=0.5)}
    outcome = testing.run(SquareSum, tasks, 2, b=10, _suspend=suspend)
    assert outcome.value == 104
    assert outcome.error is None
    assert outcome.elapsed == 10.5
    assert times(outcome) == [
        ("square-0-0", 0, 2),
        ("square-1-0", 0, 10),
        ("add-0-0", 10, 10.5),
    ]


@BOTH
def test_durations_decide_what_finishes_first(suspend: bool) -> None:
    def race(get: Task) -> Any:
        return lambda: [result + 0 for result in flowy.finish_order(get(3), get(1), get(2))]

    get = testing.runs(slow_square)
    assert testing.run(race, {"get": get}, _suspend=suspend).value == [1, 4, 9]


def test_what_ends_at_the_same_second_ends_in_the_order_in_which_it_began() -> None:
    def race(get: Task) -> Any:
        return lambda: list(flowy.finish_order(*map(get, "cab")))

    get = testing.runs(lambda letter: testing.returns(letter, after=1))
    assert testing.run(race, {"get": get}).value == ["c", "a", "b"]


@BOTH
def test_an_hour_of_retries_takes_no_time(suspend: bool) -> None:
    attempts = testing.by_attempt(*[testing.times_out(after=50)] * 60, "at last")
    get = testing.task(attempts, retry=[0] + [10] * 60)
    outcome = testing.run(single, {"task": get}, _suspend=suspend)
    assert outcome.value == "at last"
    assert outcome.elapsed == 3600
    assert len(outcome.calls_of("task")) == 61


def test_a_first_delay_passes_before_the_first_attempt() -> None:
    outcome = testing.run(single, {"task": testing.task(5, retry=(30, 1))})
    assert times(outcome) == [("task-0-0", 30, 30)]


# --- scripts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "value"),
    [
        (5, 5),
        ([1, 2], [1, 2]),
        (testing.returns((1, 2)), (1, 2)),
        (add, 7),
        (testing.runs(add), 7),
        (lambda a, b: testing.runs(lambda a, b: testing.returns(a * b)), 12),
        (testing.by_call("once"), "once"),
        (testing.by_call(add), 7),
    ],
)
def test_a_task_gives_what_its_script_says(script: Any, value: Any) -> None:
    outcome = testing.run(single, {"task": script}, 3, b=4)
    assert outcome.value == value
    [call] = outcome.calls
    assert (call.name, call.args, dict(call.kwargs)) == ("task", (3,), {"b": 4})
    assert isinstance(call.event, TaskCompleted)


@pytest.mark.parametrize(
    ("script", "event", "facts"),
    [
        (testing.fails(KeyError("a")), TaskFailed, ["TaskError", "task-0-0", "KeyError", "'a'"]),
        (KeyError("a"), TaskFailed, ["TaskError", "task-0-0", "KeyError", "'a'"]),
        (KeyError, TaskFailed, ["TaskError", "task-0-0", "KeyError", ""]),
        (missing, TaskFailed, ["TaskError", "task-0-0", "KeyError", "'a'"]),
        (
            lambda: testing.fails(KeyError("a")),
            TaskFailed,
            ["TaskError", "task-0-0", "KeyError", "'a'"],
        ),
        (
            flowy.TaskError("no", call="far-1-0", error_type="OSError"),
            TaskFailed,
            ["TaskError", "task-0-0", "TaskError", "far-1-0 failed: OSError: no"],
        ),
        (
            testing.times_out(limit="HEARTBEAT"),
            TaskTimedOut,
            ["TaskTimedout", "task-0-0", "", "passed its HEARTBEAT limit"],
        ),
        (
            testing.gets_cancelled("not needed"),
            TaskCancelled,
            ["TaskCancelled", "task-0-0", "", "not needed"],
        ),
    ],
)
def test_a_task_fails_as_its_script_says(script: Any, event: Any, facts: list[str]) -> None:
    outcome = testing.run(error_of, {"task": script})
    assert outcome.value == facts
    assert isinstance(outcome.calls[0].event, event)


def test_the_exception_of_a_script_is_the_cause_of_the_error() -> None:
    cause = KeyError("a")
    outcome = testing.run(single, {"task": cause})
    assert isinstance(outcome.error, flowy.TaskError)
    assert outcome.error.__cause__ is cause
    with pytest.raises(flowy.TaskError, match=r"^task-0-0 failed: KeyError: 'a'$"):
        _ = outcome.value


def test_a_value_that_an_engine_could_not_carry_fails_the_task() -> None:
    outcome = testing.run(error_of, {"task": testing.returns({"when": object()})})
    assert outcome.value[:3] == ["TaskError", "task-0-0", "TypeError"]
    assert "result['when']" in outcome.value[3]


def test_values_cross_the_run_as_they_cross_an_engine() -> None:
    mine: list[int] = []
    outcome = testing.run(single, {"task": lambda given: given}, mine)
    assert outcome.value == mine
    assert outcome.value is not mine


def test_the_time_of_a_returned_script_is_added() -> None:
    script = testing.runs(lambda: testing.returns(1, after=2), after=3)
    assert testing.run(single, {"task": script}).elapsed == 5
    outcome = testing.run(
        single, {"task": testing.task(testing.runs(testing.never_ends, after=3), timeout=60)}
    )
    assert outcome.elapsed == 60


def test_scripts_in_turn_follow_calls_and_attempts() -> None:
    def twice(task: Task) -> Any:
        return lambda: [task(), task()]

    script = testing.by_call(testing.by_attempt(OSError("busy"), "first"), "second")
    outcome = testing.run(twice, {"task": testing.task(script, retry=flowy.Retry(delay=60))})
    assert outcome.value == ["first", "second"]
    assert times(outcome) == [("task-0-0", 0, 0), ("task-1-0", 0, 0), ("task-0-1", 60, 60)]


@BOTH
def test_more_calls_than_scripts_end_the_run(suspend: bool) -> None:
    def greedy(task: Task) -> Any:
        def run() -> Any:
            try:
                return [task() + 0, task() + 0, task() + 0]
            except Exception:
                return "caught"

        return run

    with pytest.raises(testing.ScriptError) as caught:
        testing.run(greedy, {"task": testing.by_call(1, 2)}, _suspend=suspend)
    assert str(caught.value) == (
        "there is no script for task-2-0: by_call() of 'task' has 2 and this is call 2, counted "
        "from 0; add one, or look why there are more than expected"
    )


def test_more_attempts_than_scripts_end_the_run() -> None:
    script = testing.task(testing.by_attempt(OSError()), retry=flowy.Retry())
    with pytest.raises(testing.ScriptError, match=r"^there is no script for task-0-1: by_attempt"):
        testing.run(single, {"task": script})


@BOTH
def test_a_workflow_that_waits_for_ever_ends_the_run(suspend: bool) -> None:
    tasks = {"square": testing.never_ends(), "add": add}
    with pytest.raises(testing.ScriptError) as caught:
        testing.run(SquareSum, tasks, 1, 2, _suspend=suspend)
    assert str(caught.value) == (
        "SquareSum waits for what never ends; open: square-0-0, square-1-0; give it a time limit "
        "with task(script, timeout=seconds), or let it end"
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: testing.returns(1, after=-1),
            ValueError,
            "after must be a finite number of seconds from 0, not -1; never_ends() is for a task "
            "that does not end",
        ),
        (
            lambda: testing.fails(KeyError, after=float("inf")),
            ValueError,
            "after must be a finite number of seconds from 0, not inf; never_ends() is for a task "
            "that does not end",
        ),
        (
            lambda: testing.times_out(after=True),
            TypeError,
            "after must be a number of seconds, not True",
        ),
        (
            lambda: testing.task(1, timeout="1"),  # type: ignore[arg-type]  # what is refused
            TypeError,
            "timeout must be a number of seconds, not '1'",
        ),
    ],
)
def test_a_time_that_is_none_is_refused(make: Task, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message


# --- the configuration ---------------------------------------------------------------------------


def test_a_configured_time_limit_ends_what_takes_longer() -> None:
    script = testing.task(testing.returns(1, after=10), timeout=4)
    outcome = testing.run(error_of, {"task": script})
    assert outcome.value == ["TaskTimedout", "task-0-0", "", "passed its START_TO_CLOSE limit"]
    assert outcome.elapsed == 4
    assert testing.run(single, {"task": testing.task(testing.returns(1, after=4), timeout=4)}).value


def configured() -> LocalWorkflow:
    workflow = LocalWorkflow(single)
    workflow.conf_activity("task", add, retry=flowy.Retry(attempts=2, delay=7), timeout=5)
    return workflow


def test_the_retries_and_limits_of_a_configuration_hold() -> None:
    outcome = testing.run(configured(), {"task": testing.by_attempt(testing.never_ends(), 3)})
    assert outcome.value == 3
    assert times(outcome) == [("task-0-0", 0, 5), ("task-0-1", 12, 12)]


def test_a_script_may_have_retries_and_limits_of_its_own() -> None:
    script = testing.task(testing.by_attempt(testing.never_ends(), 3), retry=(0, 1), timeout=2)
    outcome = testing.run(configured(), {"task": script})
    assert times(outcome) == [("task-0-0", 0, 2), ("task-0-1", 3, 3)]


def test_a_dependency_without_a_script_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^dependency 'task' of single has no script: give it one$"
    ):
        testing.run(configured(), {})


def test_a_script_without_a_dependency_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^single has no dependency 'other' to follow a script:"):
        testing.run(configured(), {"task": 1, "other": 2})
    with pytest.raises(flowy.DependencyError, match=r"^single takes no 'other'"):
        testing.run(single, {"task": 1, "other": 2})


def test_a_parameter_of_a_factory_without_a_script_is_refused() -> None:
    with pytest.raises(flowy.DependencyError, match=r"^single needs 'task', not configured"):
        testing.run(single, {})


# --- children, restarts, endings -----------------------------------------------------------------


@BOTH
def test_a_child_is_run_with_scripts_of_its_own(suspend: bool) -> None:
    def parent(child: Task, square: Task) -> Any:
        return lambda n: child(square(n), n)

    child = testing.runs_workflow(SquareSum, {"square": slow_square, "add": add})
    tasks = {"child": child, "square": testing.runs(slow_square, after=1)}
    outcome = testing.run(parent, tasks, 2, _suspend=suspend)
    assert outcome.value == 20
    assert [(call.path, *row) for call, row in zip(outcome.calls, times(outcome), strict=True)] == [
        ("", "square-0-0", 0, 3),
        ("", "child-0-0", 3, 7),
        ("child-0-0", "square-0-0", 3, 7),
        ("child-0-0", "square-1-0", 3, 5),
        ("child-0-0", "add-0-0", 7, 7),
    ]
    assert [history.path for history in outcome.histories] == ["", "child-0-0"]


def test_a_child_of_a_child_has_the_path_of_both() -> None:
    inner = testing.runs_workflow(single, {"task": 5})
    middle = testing.runs_workflow(single, {"task": inner})
    outcome = testing.run(single, {"task": middle})
    assert outcome.value == 5
    paths = [history.path for history in outcome.histories]
    assert paths == ["", "task-0-0", "task-0-0/task-0-0"]


def test_a_child_that_fails_fails_the_call() -> None:
    child = testing.runs_workflow(single, {"task": testing.fails(OSError("no"), after=3)})
    outcome = testing.run(error_of, {"task": child})
    assert outcome.value == [
        "TaskError",
        "task-0-0",
        "TaskError",
        "task-0-0 failed: OSError: no",
    ]
    assert outcome.elapsed == 3


def test_a_child_of_a_configuration_is_a_workflow_in_the_history() -> None:
    config = WorkflowConfig(single)
    config.add(Dependency("task", "workflow"))
    [history] = testing.run(config, {"task": 5}).histories
    assert history.events[0] == TaskScheduled(CallId("task", 0), "[[], {}]", "workflow")


def countdown(task: Task) -> Any:
    return lambda n: task(n) if n == 0 else flowy.restart(task(n) - 1)


@BOTH
def test_restarts_are_followed(suspend: bool) -> None:
    outcome = testing.run(countdown, {"task": slow_identity}, 3, _suspend=suspend)
    assert outcome.value == 0
    assert outcome.elapsed == 6
    assert [(history.path, history.restarts) for history in outcome.histories] == [
        ("", 0),
        ("~1", 1),
        ("~2", 2),
        ("~3", 3),
    ]
    assert [call.path for call in outcome.calls] == ["", "~1", "~2", "~3"]


def slow_identity(n: int) -> Any:
    return testing.returns(n, after=n)


def test_a_run_may_end_at_a_restart() -> None:
    outcome = testing.run(countdown, {"task": slow_identity}, 3, _restarts=1)
    assert outcome.restart == flowy.restart(1)
    assert outcome.elapsed == 5
    with pytest.raises(testing.ScriptError) as caught:
        _ = outcome.value
    assert str(caught.value) == (
        "the workflow has no value, because it ended with restart(1), which the run did not follow"
    )


def test_an_exception_of_the_workflow_is_the_error_of_the_outcome() -> None:
    def broken(task: Task) -> Any:
        def run() -> Any:
            raise LookupError(task() + 1)

        return run

    outcome = testing.run(broken, {"task": 5})
    assert isinstance(outcome.error, LookupError)
    assert outcome.error.args == (6,)


def test_failures_that_nobody_looked_at_are_told() -> None:
    def careless(task: Task, other: Task) -> Any:
        def run() -> Any:
            task()
            return other()

        return run

    outcome = testing.run(careless, {"task": OSError("no"), "other": testing.returns(1, after=5)})
    assert [error.call for error in outcome.unseen_failures] == ["task-0-0"]


def test_what_nobody_waits_for_is_open_when_the_run_ends() -> None:
    def impatient(task: Task) -> Any:
        return lambda: flowy.first(task(1), task(100)) + 0

    outcome = testing.run(impatient, {"task": slow_identity})
    assert times(outcome) == [("task-0-0", 0, 1), ("task-1-0", 0, None)]
    assert outcome.calls[1].event is None


def test_the_arguments_may_hold_results_of_another_kind_of_run() -> None:
    plain = flowy.parallel_reduce(add, [1, 2])
    assert testing.run(single, {"task": add}, plain, 4).value == 7


# --- determinism ---------------------------------------------------------------------------------


@BOTH
def test_code_that_does_something_else_each_time_is_found(suspend: bool) -> None:
    runs = itertools.count(1)

    def forgetful(task: Task) -> Any:
        number = next(runs)
        return lambda: task(number) + 0

    with pytest.raises(flowy.NonDeterminismError) as caught:
        testing.run(forgetful, {"task": 5}, _suspend=suspend)
    assert caught.value.call == "task-0"
    assert (caught.value.recorded, caught.value.replayed) == (
        "input '[[1], {}]'",
        "input '[[2], {}]'",
    )


def test_code_that_returns_something_else_each_time_is_found() -> None:
    runs = itertools.count(1)

    def moody(task: Task) -> Any:
        number = next(runs)
        return lambda: [task(), number]

    with pytest.raises(flowy.NonDeterminismError) as caught:
        testing.run(moody, {"task": 5})
    assert (caught.value.call, caught.value.recorded, caught.value.replayed) == (
        "the end",
        "the workflow completed with '[5, 1]'",
        "the workflow completed with '[5, 2]'",
    )
    assert testing.run(moody, {"task": 5}, _replay=False).value == [5, 3]
