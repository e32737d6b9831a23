"""The errors: their messages, what they carry, and that they survive pickling."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import Any

import pytest

from flowy.errors import (
    DependencyError,
    NonDeterminismError,
    SuspendTask,
    TaskCancelled,
    TaskError,
    TaskTimedout,
)

REMOTE = 'Traceback (most recent call last):\n  File "tasks.py", line 3, in act\nValueError: no\n'


@pytest.mark.parametrize(
    ("error", "summary"),
    [
        (
            TaskError("no", name="act", call="act-0-2", error_type="ValueError"),
            "act-0-2 failed: ValueError: no",
        ),
        (TaskError("", call="act-0-0", error_type="KeyError"), "act-0-0 failed: KeyError"),
        (TaskError("no", call="act-0-0"), "act-0-0 failed: no"),
        (TaskError(call="act-0-0"), "act-0-0 failed"),
        (TaskError("raised by hand"), "raised by hand"),
        (TaskError("no", error_type="ValueError"), "ValueError: no"),
        (TaskError(), ""),
        (
            TaskTimedout("passed its HEARTBEAT limit", call="act-1-0"),
            "act-1-0 timed out: passed its HEARTBEAT limit",
        ),
        (TaskCancelled("enough", call="act-1-0"), "act-1-0 was cancelled: enough"),
        (TaskCancelled(call="act-1-0"), "act-1-0 was cancelled"),
        # Type checkers refuse it, and users raise it.
        (TaskCancelled(17), "17"),  # type: ignore[arg-type]
    ],
)
def test_a_task_error_says_what_happened_to_which_call(error: TaskError, summary: str) -> None:
    assert error.summary() == summary
    assert str(error) == summary


def remote() -> TaskError:
    return TaskError("no", name="act", call="act-0-0", error_type="ValueError", traceback=REMOTE)


def test_without_a_cause_the_remote_traceback_is_printed() -> None:
    assert str(remote()) == (
        f"act-0-0 failed: ValueError: no\n\nwhere the task ran:\n{REMOTE.rstrip()}"
    )
    assert remote().summary() == "act-0-0 failed: ValueError: no"


def test_with_a_cause_python_prints_the_cause() -> None:
    error = remote()
    error.__cause__ = ValueError("no")
    assert str(error) == "act-0-0 failed: ValueError: no"
    printed = "".join(traceback.format_exception(error))
    assert printed == (
        "ValueError: no\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        "flowy.errors.TaskError: act-0-0 failed: ValueError: no\n"
    )


class CustomError(TaskError):
    """A subclass that takes other arguments."""

    def __init__(self, where: str) -> None:
        super().__init__(f"at {where}", name="act", call="act-0-0", error_type="CustomError")
        self.where = where


@pytest.mark.parametrize(
    "error",
    [
        remote(),
        TaskTimedout("passed its limit", name="act", call="act-0-0"),
        TaskCancelled("enough"),
        CustomError("sea"),
    ],
)
@pytest.mark.parametrize("way", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_a_task_error_survives_pickling_and_copying(error: TaskError, way: Any) -> None:
    again = way(error)
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert again.args == error.args
    assert str(again) == str(error)


def test_time_outs_and_cancellations_are_task_errors() -> None:
    assert issubclass(TaskTimedout, TaskError)
    assert issubclass(TaskCancelled, TaskError)


def test_except_exception_does_not_catch_a_suspension() -> None:
    assert issubclass(SuspendTask, BaseException)
    assert not issubclass(SuspendTask, Exception)


ADVICE = (
    "the code changed while this workflow was running, or it depends on something that "
    "differs from run to run (time, randomness, the environment, the order of a set); "
    "deploy the code that this workflow started with, or move what differs into a task"
)


@pytest.mark.parametrize(("location", "line"), [("", ""), ("flow.py:7", "  at:       flow.py:7\n")])
def test_a_difference_shows_both_sides_and_says_what_to_do(location: str, line: str) -> None:
    error = NonDeterminismError("act-0", "input '[[1], {}]'", "input '[[2], {}]'", location)
    assert str(error) == (
        "replay of act-0 differs from the history\n"
        "  recorded: input '[[1], {}]'\n"
        f"  now:      input '[[2], {{}}]'\n{line}{ADVICE}"
    )
    again = pickle.loads(pickle.dumps(error))
    assert vars(again) == vars(error)
    assert str(again) == str(error)


@pytest.mark.parametrize(
    ("missing", "unknown", "message"),
    [
        (
            ["a"],
            [],
            "Flow needs 'a', not configured: "
            "add conf_activity(name, ...) or conf_workflow(name, ...) for each",
        ),
        (
            [],
            ["b", "c"],
            "Flow takes no 'b', 'c': "
            "remove it from the configuration or add a parameter of that name",
        ),
        (
            ["a"],
            ["b"],
            "Flow needs 'a', not configured: "
            "add conf_activity(name, ...) or conf_workflow(name, ...) for each; "
            "Flow takes no 'b': "
            "remove it from the configuration or add a parameter of that name",
        ),
    ],
)
def test_dependencies_that_do_not_fit_are_all_named(
    missing: list[str], unknown: list[str], message: str
) -> None:
    error = DependencyError("Flow", missing, unknown)
    assert str(error) == message
    assert str(pickle.loads(pickle.dumps(error))) == message


def test_dependencies_that_do_not_fit_are_an_error_of_both_kinds() -> None:
    assert issubclass(DependencyError, ValueError)
    assert issubclass(DependencyError, TypeError)
