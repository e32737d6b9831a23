"""What goes wrong in activities, arguments and workflow code, and who gets to know."""

from __future__ import annotations

import contextlib
import logging
import pickle
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from tests.local.tasks import (
    ENGINES,
    THREADS_AND_PROCESSES,
    BrokenTextError,
    Unloadable,
    a_lock,
    calling,
    configured,
    exit_with,
    fail,
    identity,
    interrupt,
    raise_task_error,
    raise_unknown_here,
    raise_unloadable,
    raise_unpicklable,
    raise_without_text,
    square,
    unloadable,
    unserializable,
)

import flowy
from flowy import TaskError
from flowy_local import LocalWorkflow

Options = dict[str, Any]
PROCESSES = {"executor": "processes"}
PICKLED = {"executor": "processes", "codec": "object"}
NO_JSON = (
    "is of type 'object', which has no form in JSON; "
    'convert it, give its class a __json__ method, or use codec="object" on the local engine'
)


def failure_of(function: Callable[..., Any], *args: Any, **options: Any) -> TaskError:
    """Return the error of a task that is the only one of its workflow."""
    workflow = configured(calling(function.__name__), function, **options)
    with pytest.raises(TaskError) as caught:
        workflow.run(*args)
    assert type(caught.value) is TaskError
    return caught.value


# --- errors of activities ----------------------------------------------------------------------


@pytest.mark.parametrize("options", ENGINES)
def test_an_activity_that_raises_fails_the_workflow_that_needs_it(options: Options) -> None:
    error = failure_of(fail, "no luck", **options)
    assert error.summary() == "fail-0-0 failed: ValueError: no luck"
    assert str(error) == error.summary()
    assert (error.name, error.call) == ("fail", "fail-0-0")
    assert (error.error_type, error.message) == ("ValueError", "no luck")
    assert type(error.__cause__) is ValueError
    assert error.__cause__.args == ("no luck",)


def test_between_threads_the_cause_is_the_very_exception() -> None:
    raised = KeyError("this one")

    def activity() -> None:
        raise raised

    assert failure_of(activity).__cause__ is raised


@pytest.mark.parametrize("options", ENGINES)
def test_the_remote_traceback_starts_in_the_activity(options: Options) -> None:
    lines = failure_of(fail, "no luck", **options).traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith(", in fail")
    assert lines[2] == "    raise ValueError(message)"
    assert lines[-1] == "ValueError: no luck"


def test_a_failure_prints_its_cause_with_the_line_that_raised_it() -> None:
    printed = "".join(traceback.format_exception(failure_of(fail, "no luck")))
    before, after = printed.split(
        "The above exception was the direct cause of the following exception:"
    )
    assert "    raise ValueError(message)\nValueError: no luck" in before
    assert after.endswith("flowy.errors.TaskError: fail-0-0 failed: ValueError: no luck\n")


@pytest.mark.parametrize("options", THREADS_AND_PROCESSES)
def test_a_failure_survives_pickling_with_the_remote_traceback(options: Options) -> None:
    error = failure_of(fail, "no luck", **options)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is TaskError
    assert again.summary() == error.summary()
    assert again.traceback == error.traceback
    assert str(again) == (
        "fail-0-0 failed: ValueError: no luck\n\nwhere the task ran:\n" + error.traceback.rstrip()
    )


@pytest.mark.parametrize("options", ENGINES)
def test_workflow_code_may_catch_a_failure(options: Options) -> None:
    def factory(fail: Any, square: Any) -> Any:
        def run() -> Any:
            try:
                flowy.wait(fail("no luck"))
            except TaskError as exc:
                return [exc.message, square(2)]
            return "no failure"

        return run

    assert configured(factory, fail, square, **options).run() == ["no luck", 4]


@pytest.mark.parametrize("options", ENGINES)
def test_an_activity_that_exits_fails_only_its_task(options: Options) -> None:
    error = failure_of(exit_with, 3, **options)
    assert str(error) == "exit_with-0-0 failed: SystemExit: 3"
    assert type(error.__cause__) is SystemExit


def test_ctrl_c_in_a_process_fails_only_its_task() -> None:
    error = failure_of(interrupt, **PROCESSES)
    assert str(error) == "interrupt-0-0 failed: KeyboardInterrupt: not from a keyboard"


def test_workflow_code_that_catches_ctrl_c_finds_the_task_failed() -> None:
    def factory(interrupt: Any) -> Any:
        def run() -> Any:
            result = interrupt()
            # The caller's thread may run the task itself, as if the key were pressed meanwhile.
            with contextlib.suppress(KeyboardInterrupt, TaskError):
                flowy.wait(result)
            flowy.wait(result)

        return run

    for _ in range(20):
        with pytest.raises(TaskError) as caught:
            configured(factory, interrupt).run()
        assert str(caught.value) == ("interrupt-0-0 failed: KeyboardInterrupt: not from a keyboard")


@pytest.mark.parametrize(
    ("activity", "error_type", "message"),
    [
        (raise_unloadable, "TwoArgumentsError", "lost at sea"),
        (raise_unpicklable, "HoldsLockError", "locked"),
        (raise_unknown_here, "WorkerError", "from afar"),
    ],
)
@pytest.mark.parametrize("options", [PROCESSES, PICKLED])
def test_an_exception_that_does_not_cross_processes_leaves_its_text(
    activity: Callable[[], Any], error_type: str, message: str, options: Options
) -> None:
    error = failure_of(activity, **options)
    summary = f"{activity.__name__}-0-0 failed: {error_type}: {message}"
    assert error.__cause__ is None
    assert error.summary() == summary
    assert str(error).startswith(
        f"{summary}\n\nwhere the task ran:\nTraceback (most recent call last):\n"
    )
    assert f"in {activity.__name__}\n" in str(error)
    assert str(error).endswith(f"{error_type}: {message}")


@pytest.mark.parametrize("options", ENGINES)
def test_an_exception_without_text_fails_its_task(options: Options) -> None:
    error = failure_of(raise_without_text, **options)
    assert str(error) == (
        "raise_without_text-0-0 failed: BrokenTextError: "
        "(no message: its __str__ raised RuntimeError)"
    )
    assert type(error.__cause__) is BrokenTextError


@pytest.mark.parametrize("options", ENGINES)
def test_an_activity_that_raises_a_task_error_fails_like_any_other(options: Options) -> None:
    error = failure_of(raise_task_error, **options)
    assert str(error) == (
        "raise_task_error-0-0 failed: TaskError: deep-0-0 failed: KeyError: inner"
    )


def test_an_activity_called_with_other_arguments_fails() -> None:
    error = failure_of(square, 1, 2, 3)
    assert str(error) == (
        "square-0-0 failed: TypeError: square() takes 1 positional argument but 3 were given"
    )


# --- failed arguments --------------------------------------------------------------------------


def test_a_failed_argument_fails_the_call_and_it_never_runs() -> None:
    ran: list[Any] = []

    def record(*values: Any) -> None:
        ran.append(values)

    def factory(fail: Any, record: Any) -> Any:
        def run() -> Any:
            return record(1, [fail("no luck")])

        return run

    with pytest.raises(TaskError, match=r"^fail-0-0 failed: ValueError: no luck$"):
        configured(factory, fail, record).run()
    assert ran == []


@pytest.mark.parametrize("first", ["left", "right"])
def test_of_two_failures_the_one_that_finished_first_counts(first: str) -> None:
    order = threading.Event()

    def left() -> None:
        if first != "left":
            assert order.wait(60)
        raise ValueError("left")

    def right() -> None:
        if first != "right":
            assert order.wait(60)
        raise ValueError("right")

    def factory(left: Any, right: Any) -> Any:
        def run() -> Any:
            both = [left(), right()]
            try:
                flowy.wait(flowy.first(both))
            except TaskError:
                order.set()
            return both

        return run

    with pytest.raises(TaskError, match=f"^{first}-0-0 failed: ValueError: {first}$"):
        configured(factory, left, right).run()


# --- errors of workflow code -------------------------------------------------------------------


def raising(exc: BaseException) -> Callable[..., Any]:
    """Return a workflow that raises."""

    def factory() -> Any:
        def run() -> Any:
            raise exc

        return run

    return factory


class MineError(Exception):
    pass


def test_an_exception_out_of_the_root_comes_out_of_run() -> None:
    error = MineError("mine")
    with pytest.raises(MineError) as caught:
        LocalWorkflow(raising(error)).run()
    assert caught.value is error


def test_an_exception_out_of_the_factory_comes_out_of_run() -> None:
    def factory() -> Any:
        raise MineError("early")

    with pytest.raises(MineError, match=r"^early$"):
        LocalWorkflow(factory).run()


def test_the_end_of_the_program_comes_out_of_run() -> None:
    with pytest.raises(SystemExit, match=r"^4$"):
        LocalWorkflow(raising(SystemExit(4))).run()


@pytest.mark.parametrize("error", [MineError("mine"), SystemExit(4), KeyboardInterrupt("now")])
def test_an_exception_out_of_a_child_is_the_cause_of_its_failure(error: BaseException) -> None:
    parent = LocalWorkflow(calling("child"))
    parent.conf_workflow("child", LocalWorkflow(raising(error)))
    with pytest.raises(TaskError) as caught:
        parent.run()
    assert str(caught.value) == f"child-0-0 failed: {type(error).__name__}: {error}"
    assert caught.value.__cause__ is error
    assert ", in run\n    raise exc\n" in caught.value.traceback


def test_the_failure_of_a_grandchild_comes_with_the_whole_chain() -> None:
    child = configured(calling("fail"), fail)
    parent = LocalWorkflow(calling("child"))
    parent.conf_workflow("child", child)
    with pytest.raises(TaskError) as caught:
        parent.run("deep")
    assert str(caught.value) == ("child-0-0 failed: TaskError: fail-0-0 failed: ValueError: deep")
    inner = caught.value.__cause__
    assert isinstance(inner, TaskError)
    assert str(inner) == "fail-0-0 failed: ValueError: deep"
    assert type(inner.__cause__) is ValueError


def test_a_call_after_the_end_is_refused() -> None:
    kept: list[Any] = []

    def factory(square: Any) -> Any:
        kept.append(square)
        return lambda: None

    configured(factory, square).run()
    with pytest.raises(RuntimeError) as caught:
        kept[0](2)
    assert str(caught.value) == (
        "the workflow has ended: no task can be called and no pending result used any more"
    )


# --- values that cannot pass -------------------------------------------------------------------


def test_a_generator_as_argument_is_refused_where_it_is_passed() -> None:
    def factory(identity: Any) -> Any:
        return lambda: identity([0, 1], (n for n in range(3)))

    with pytest.raises(ValueError, match="iterator") as caught:
        configured(factory, identity).run()
    assert str(caught.value) == (
        "args[1] is an iterator, of type 'generator'; "
        "an iterator can be read once only; pass a list"
    )


@pytest.mark.parametrize("options", [{}, {"codec": "object"}])
def test_a_structure_that_contains_itself_is_refused_where_it_is_passed(options: Options) -> None:
    def factory(identity: Any) -> Any:
        def run() -> Any:
            loop: list[Any] = []
            loop.append({"again": loop})
            return identity(1, thing=loop)

        return run

    with pytest.raises(ValueError, match="itself") as caught:
        configured(factory, identity, **options).run()
    assert str(caught.value) == (
        "kwargs['thing'][0]['again'] is a container that it is in itself; "
        "a structure that contains itself cannot be passed; pass it without the loop"
    )


def test_the_arguments_of_run_are_checked_before_anything_runs() -> None:
    workflow = configured(calling("identity"), identity)
    with pytest.raises(TypeError) as caught:
        workflow.run(1, {"when": object()})
    assert str(caught.value) == (f"args[1]['when'] {NO_JSON}")


def test_an_argument_that_json_has_no_form_for_is_refused_where_it_is_passed() -> None:
    def factory(identity: Any) -> Any:
        return lambda: identity(1, {"when": object()})

    with pytest.raises(TypeError) as caught:
        configured(factory, identity).run()
    assert str(caught.value) == (f"args[1]['when'] {NO_JSON}")


@pytest.mark.parametrize("options", THREADS_AND_PROCESSES)
def test_a_result_that_json_has_no_form_for_fails_the_task(options: Options) -> None:
    error = failure_of(unserializable, **options)
    assert error.summary() == (f"unserializable-0-0 failed: TypeError: result['when'][0] {NO_JSON}")


def test_a_return_value_that_json_has_no_form_for_fails_the_root() -> None:
    with pytest.raises(TypeError) as caught:
        LocalWorkflow(lambda: lambda: [object()]).run()
    assert str(caught.value) == (f"result[0] {NO_JSON}")


def test_a_return_value_that_json_has_no_form_for_fails_the_child() -> None:
    parent = LocalWorkflow(calling("child"))
    parent.conf_workflow("child", LocalWorkflow(lambda: lambda: [object()]))
    with pytest.raises(TaskError) as caught:
        parent.run()
    assert str(caught.value) == (f"child-0-0 failed: TypeError: result[0] {NO_JSON}")


def test_an_object_that_cannot_be_pickled_fails_the_task_that_gets_it() -> None:
    error = failure_of(identity, threading.Lock(), **PICKLED)
    assert str(error) == ("identity-0-0 failed: TypeError: cannot pickle '_thread.lock' object")


def test_a_result_that_cannot_be_pickled_fails_its_task() -> None:
    error = failure_of(a_lock, **PICKLED)
    assert error.summary() == ("a_lock-0-0 failed: TypeError: cannot pickle '_thread.lock' object")


@pytest.mark.parametrize("what", ["argument", "result"])
def test_an_object_that_cannot_be_loaded_elsewhere_fails_the_task_alone(what: str) -> None:
    def factory(identity: Any, unloadable: Any, square: Any) -> Any:
        def run() -> Any:
            try:
                flowy.wait(identity(Unloadable()) if what == "argument" else unloadable())
            except TaskError as exc:
                return exc.error_type, exc.message, square(2)
            return "no failure"

        return run

    workflow = configured(factory, identity, unloadable, square, activity_workers=1, **PICKLED)
    assert workflow.run() == ("LookupError", "made in another process, not in this one", 4)


# --- failures that nobody saw ------------------------------------------------------------------


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the engine warned of."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "flowy.local" and record.levelno == logging.WARNING
    ]


def test_a_failure_that_nobody_looked_at_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def factory(fail: Any, square: Any) -> Any:
        def run() -> Any:
            failed = fail("unseen")
            # It fails with the same failure, which is not logged again; that is no look either.
            square(failed)
            seen = fail("seen")
            with contextlib.suppress(TaskError):
                flowy.wait(seen)
            return "done"

        return run

    workflow = configured(factory, fail, square, activity_workers=1)
    assert workflow.run(_wait=True) == "done"
    assert warnings(caplog) == [
        "factory ended and never looked at this failure: fail-0-0 failed: ValueError: unseen"
    ]


def test_the_unseen_failures_of_a_child_are_logged_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def child(fail: Any, square: Any) -> Any:
        def run() -> Any:
            fail("unseen")
            flowy.wait(square(1))
            return "done"

        return run

    parent = LocalWorkflow(calling("child"))
    parent.conf_workflow("child", configured(child, fail, square, activity_workers=1))
    parent.activity_workers = 1
    assert parent.run() == "done"
    assert warnings(caplog) == [
        "child ended and never looked at this failure: fail-0-0 failed: ValueError: unseen"
    ]


def test_a_failure_that_ends_the_workflow_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failure_of(fail, "no luck")
    assert warnings(caplog) == []
