"""Calls become commands, code stops and goes on, and the execution closes once."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from flowy import (
    Execution,
    Retry,
    TaskError,
    TaskTimedout,
    first,
    is_result_proxy,
    restart,
    wait,
)
from flowy.events import CallId, CloseWorkflow, Event, TaskFailed
from flowy.execution import HistoryError
from flowy.run import Dependency, Task
from flowy.serialization import JSON, OBJECT

from .machine import (
    MANY,
    begin,
    cancelled,
    complete,
    completed,
    fail,
    failed,
    payload,
    restart_with,
    retried,
    run_activity,
    run_to_the_end,
    run_workflow,
    scheduled,
    timed_out,
)

ENDED = "the workflow has ended: no task can be called and no pending result used any more"


def one(*, a: Any) -> Any:
    return a(1)


# --- calls ---------------------------------------------------------------------------------------


def test_a_call_gives_a_pending_result_and_is_commanded() -> None:
    def code(*, a: Any) -> Any:
        result = a(1)
        assert is_result_proxy(result)
        assert repr(result) == "<pending result of a-0>"
        return result

    assert begin(code).run() == [run_activity("a-0-0", 1)]


def test_a_dependency_says_what_it_is() -> None:
    def code(*, a: Any, child: Any) -> Any:
        return [repr(a), repr(child)]

    execution = begin(code, dependencies={"child": Dependency("child", "workflow")})
    assert execution.run() == [complete(["<activity a>", "<workflow child>"])]


def test_calls_of_each_dependency_are_counted_in_program_order() -> None:
    def code(*, a: Any, child: Any) -> Any:
        return [a(), child(), a(), child()]

    assert begin(code, dependencies={"child": Dependency("child", "workflow")}).run() == [
        run_activity("a-0-0"),
        run_workflow("child-0-0"),
        run_activity("a-1-0"),
        run_workflow("child-1-0"),
    ]


def test_the_factory_may_call_tasks_already() -> None:
    def factory(a: Any) -> Any:
        early = a(1)
        return lambda x: a(early, x)

    execution = Execution(factory, {"a": Dependency("a")}, payload(2))
    assert execution.run() == [run_activity("a-0-0", 1)]
    assert execution.apply(completed("a-0-0", 5)) == [
        run_activity("a-1-0", 5, 2, sources=["a-0-0"])
    ]


def test_a_call_waits_for_all_results_among_its_arguments() -> None:
    def code(*, a: Any, b: Any) -> Any:
        return b([a(1), {"k": (a(2),)}], 3)

    execution = begin(code)
    assert execution.run() == [run_activity("a-0-0", 1), run_activity("a-1-0", 2)]
    assert execution.apply(completed("a-1-0", 6)) == []
    assert execution.apply(completed("a-0-0", 5)) == [
        run_activity("b-0-0", [5, {"k": (6,)}], 3, sources=["a-0-0", "a-1-0"])
    ]


def test_a_call_with_finished_results_is_scheduled_at_once() -> None:
    def code(*, a: Any, b: Any) -> Any:
        result = a(1)
        wait(result)
        return b(result)

    execution = begin(code, [scheduled("a-0-0", 1), completed("a-0-0", 5)])
    assert execution.run() == [run_activity("b-0-0", 5, sources=["a-0-0"])]


def test_a_failed_argument_fails_the_call() -> None:
    def code(*, a: Any, b: Any) -> Any:
        return b(a(1), 2)

    execution = begin(code)
    execution.run()
    assert execution.apply(failed("a-0-0")) == [
        fail("TaskError: a-0-0 failed: ValueError: no luck")
    ]


def test_a_call_fails_by_the_argument_that_failed_first() -> None:
    def code(*, a: Any, b: Any) -> Any:
        results = [a(1), a(2), a(3)]
        for result in results:
            with suppress(TaskError):
                wait(result)
        return b(results)

    calls = [scheduled(f"a-{number}-0", number + 1) for number in range(3)]
    ends = [failed("a-1-0", "first"), failed("a-0-0", "second"), completed("a-2-0", 3)]
    assert begin(code, [*calls, *ends]).run() == [
        fail("TaskError: a-1-0 failed: ValueError: first")
    ]


@pytest.mark.parametrize("late", [completed("a-1-0", 6), failed("a-1-0", "second")])
def test_a_call_that_failed_already_takes_no_note_of_its_other_arguments(late: Event) -> None:
    def code(*, a: Any, b: Any, c: Any) -> Any:
        call = b(a(1), a(2))
        wait(c())
        return call

    execution = begin(code)
    execution.run()
    assert execution.apply(failed("a-0-0", "first"), late) == []
    execution.apply(completed("c-0-0"))
    assert execution.run() == [fail("TaskError: a-0-0 failed: ValueError: first")]


def test_a_value_that_the_codec_of_a_call_cannot_write_fails_the_call() -> None:
    def code(*, a: Any, b: Any) -> Any:
        return b(a(1))

    execution = begin(code, dependencies={"a": Dependency("a", codec=OBJECT)})
    execution.run()
    (task,) = execution.open_calls()
    execution.complete_task(task, object())
    message = (
        "TaskError: b-0-0 failed: TypeError: result is of type 'object', which has no form in "
        'JSON; convert it, give its class a __json__ method, or use codec="object" on the local '
        "engine"
    )
    assert execution.closed == fail(message)


def test_an_argument_that_cannot_be_written_is_the_codes_error() -> None:
    def code(*, a: Any) -> Any:
        with pytest.raises(TypeError):
            a(object())
        return a(1)

    # The call that was refused has no number.
    assert begin(code).run() == [run_activity("a-0-0", 1)]


def test_a_result_of_another_workflow_is_taken_once_it_has_finished() -> None:
    theirs: list[Any] = []

    def lender(*, a: Any) -> Any:
        theirs.append(a(1))
        return theirs[0]

    lent = begin(lender)
    lent.run()

    def borrower(*, b: Any) -> Any:
        return b(theirs)

    assert begin(borrower).run() == [
        fail(
            "ValueError: the pending result of a-0 belongs to another workflow: wait for it there "
            "and pass its value"
        )
    ]
    assert begin(lambda: theirs).run() == [
        fail(
            "ValueError: the pending result of a-0 belongs to another workflow: wait for it there "
            "and pass its value"
        )
    ]
    lent.apply(completed("a-0-0", 5))
    assert begin(borrower).run() == [run_activity("b-0-0", [5], sources=["a-0-0"])]
    assert begin(lambda: theirs).run() == [complete([5])]


# --- the end -------------------------------------------------------------------------------------


def test_a_value_that_was_returned_completes_the_workflow() -> None:
    execution = begin(lambda x: [x, None], args=(3,))
    assert execution.run() == [complete([3, None])]
    assert execution.closed == complete([3, None])
    assert not execution.runnable


def test_an_exception_out_of_the_code_fails_the_workflow() -> None:
    error = ValueError("no luck")

    def code() -> None:
        raise error

    execution = begin(code)
    (command,) = execution.run()
    assert command == fail("ValueError: no luck")
    assert getattr(command, "error", None) is error


@pytest.mark.parametrize(
    ("code", "summary"),
    [
        (lambda x: x, "TypeError: <lambda>() missing 1 required positional argument: 'x'"),
        (
            lambda: object(),
            "TypeError: result is of type 'object', which has no form in JSON; convert it, give "
            'its class a __json__ method, or use codec="object" on the local engine',
        ),
    ],
)
def test_arguments_and_values_that_do_not_fit_fail_the_workflow(
    code: Callable[..., Any], summary: str
) -> None:
    (command,) = begin(code).run()
    assert getattr(command, "summary", "").endswith(summary.removeprefix("TypeError: "))


def test_results_in_the_returned_value_are_waited_for() -> None:
    def code(*, a: Any) -> Any:
        return {"left": a(1), "right": [a(2)]}

    execution = begin(code)
    execution.run()
    assert not execution.runnable
    assert execution.apply(completed("a-1-0", 6)) == []
    assert execution.apply(completed("a-0-0", 5)) == [complete({"left": 5, "right": [6]})]


def test_of_the_failed_results_returned_the_first_fails_the_workflow() -> None:
    def code(*, a: Any) -> Any:
        results = [a(1), a(2)]
        with suppress(TaskError):
            wait(results[0])
        return results

    ends = [failed("a-1-0", "first"), failed("a-0-0", "second")]
    history = [scheduled("a-0-0", 1), scheduled("a-1-0", 2), *ends]
    assert begin(code, history).run() == [fail("TaskError: a-1-0 failed: ValueError: first")]
    execution = begin(code)
    execution.run()
    execution.apply(*ends)
    assert execution.run() == [fail("TaskError: a-1-0 failed: ValueError: first")]


def test_a_returned_failure_does_not_wait_for_the_other_results() -> None:
    def code(*, a: Any) -> Any:
        return [a(1), a(2)]

    execution = begin(code)
    execution.run()
    assert execution.apply(timed_out("a-1-0")) == [
        fail("TaskTimedout: a-1-0 timed out: passed its START_TO_CLOSE limit")
    ]


def test_a_returned_result_that_cannot_be_written_fails_the_workflow() -> None:
    def code(*, a: Any) -> Any:
        return [a(1)]

    execution = begin(code, dependencies={"a": Dependency("a", codec=OBJECT)})
    execution.run()
    (task,) = execution.open_calls()
    execution.complete_task(task, object())
    assert execution.closed == fail(
        "TypeError: result is of type 'object', which has no form in JSON; convert it, give its "
        'class a __json__ method, or use codec="object" on the local engine'
    )


def test_what_the_last_step_commanded_is_dropped() -> None:
    def code(*, a: Any, b: Any) -> Any:
        wait(a(1))
        b(2)
        return 3

    history = [scheduled("a-0-0", 1), completed("a-0-0")]
    assert begin(code, history).run() == [complete(3)]


def test_a_restart_starts_with_new_arguments() -> None:
    assert begin(lambda: restart(1, k=2)).run() == [restart_with(1, k=2)]


def test_a_restart_waits_for_results_among_its_arguments() -> None:
    def code(*, a: Any) -> Any:
        return restart([a(1)], k=a(2))

    execution = begin(code)
    assert execution.run() == [run_activity("a-0-0", 1), run_activity("a-1-0", 2)]
    assert execution.apply(completed("a-0-0", 5)) == []
    assert execution.apply(completed("a-1-0", 6)) == [restart_with([5], k=6)]


def test_a_failed_argument_of_a_restart_fails_the_workflow() -> None:
    def code(*, a: Any) -> Any:
        return restart(a(1))

    execution = begin(code)
    execution.run()
    assert execution.apply(cancelled("a-0-0")) == [fail("TaskCancelled: a-0-0 was cancelled")]


def test_a_restart_that_is_not_returned_does_nothing() -> None:
    def code() -> Any:
        restart(1)
        return 2

    assert begin(code).run() == [complete(2)]


def test_a_workflow_closes_once() -> None:
    execution = begin(lambda: 1)
    execution.run()
    execution.fail(ValueError("too late"))
    assert execution.closed == complete(1)
    assert execution.apply() == []
    with pytest.raises(RuntimeError, match="the execution is closed"):
        execution.run()


def test_an_ended_workflow_calls_nothing_and_uses_no_pending_result() -> None:
    kept: list[Any] = []

    def code(*, a: Any) -> Any:
        kept.extend([a, a(1), a(2)])
        return kept[1]

    execution = begin(code)
    execution.run()
    call, pending, other = kept
    with pytest.raises(RuntimeError) as caught:
        call(3)
    assert str(caught.value) == ENDED
    with pytest.raises(RuntimeError) as caught:
        wait(pending)
    assert str(caught.value) == ENDED
    execution.apply(completed("a-0-0", 5))
    assert pending == 5
    with pytest.raises(RuntimeError) as caught:
        wait(other)
    assert str(caught.value) == ENDED
    assert execution.closed == complete(5)


def test_a_factory_that_returns_nothing_to_call_fails_the_workflow() -> None:
    def factory() -> int:
        return 3

    (command,) = Execution(factory, {}, payload()).run()
    assert command == fail(
        f"TypeError: {factory!r} returned 3, which cannot be called: the factory of a workflow "
        "takes its dependencies and returns what is called with the input"
    )


# --- failures nobody looked at -------------------------------------------------------------------


def test_failures_that_the_code_looked_at_are_not_unseen() -> None:
    def code(*, a: Any, b: Any) -> Any:
        seen, passed_on, _, late = a(1), a(2), a(3), b(4)
        with suppress(TaskError):
            wait(seen)
        derived = a(passed_on)
        with suppress(TaskError):
            wait(derived)
        wait(late)

    execution = begin(code, dependencies=retried("b", Retry(attempts=2)))
    execution.run()
    execution.apply(failed("a-2-0"), failed("b-0-0"), failed("a-1-0"), failed("a-0-0"))
    execution.run()
    execution.apply(completed("b-0-1"))
    execution.run()
    assert execution.closed == complete(None)
    assert [error.call for error in execution.unseen_failures()] == ["a-2-0"]


def test_a_failure_is_not_taken_for_another_one_that_is_gone() -> None:
    def code(*, a: Any, b: Any, c: Any) -> Any:
        for number in range(MANY_FAILURES):
            a(number)
        # Each run of the code makes errors of its own here, and the code looks at them.
        for _ in range(MANY_FAILURES):
            with suppress(TaskError):
                wait(c(b()))
        wait(c())

    execution = begin(code, dependencies={"b": Dependency("b", codec=OBJECT)})
    execution.run()
    for _ in range(MANY_FAILURES):
        if execution.runnable:
            execution.run()
        for task in execution.open_calls():
            if task.dependency.name == "b":
                execution.complete_task(task, object())
    execution.run()
    execution.run()
    for number in range(MANY_FAILURES):
        execution.apply(failed(f"a-{number}-0"))
    assert len(execution.unseen_failures()) == MANY_FAILURES


MANY_FAILURES = 50


def test_a_failure_that_code_looks_at_while_it_is_suspended_is_unseen() -> None:
    def code(*, a: Any, b: Any) -> Any:
        bad, first_wait, second_wait = a(1), b(1), b(2)
        wait(first_wait)
        try:
            wait(second_wait)
        except BaseException:
            wait(bad)

    execution = begin(code)
    execution.run()
    for event in (failed("a-0-0"), completed("b-0-0"), completed("b-1-0")):
        execution.apply(event)
        if execution.runnable:
            execution.run()
    assert execution.closed == complete(None)
    assert [error.call for error in execution.unseen_failures()] == ["a-0-0"]


def test_the_failure_that_a_workflow_ends_with_is_seen_and_no_other() -> None:
    def code(*, a: Any) -> Any:
        return [a(1), first(a(2), a(3))]

    execution = begin(code)
    execution.run()
    execution.apply(completed("a-1-0"), failed("a-2-0"), failed("a-0-0"))
    assert [error.call for error in execution.unseen_failures()] == ["a-2-0"]


# --- carriers ------------------------------------------------------------------------------------


class Carrier:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.tasks: dict[CallId, Task] = {}

    def schedule(self, task: Task) -> None:
        self.told.append((str(task.call), task.input))
        self.tasks[task.call] = task

    def start_timer(self, task: Task, delay: float) -> None:
        self.told.append((str(task.call), delay))

    def close(self, command: CloseWorkflow) -> None:
        self.told.append(command)


def test_a_carrier_is_told_at_once_and_nothing_is_commanded() -> None:
    carrier = Carrier()

    def code(*, a: Any) -> Any:
        result = a(1)
        assert carrier.told == [("a-0-0", "[[1], {}]")]
        return result

    execution = begin(code, carrier=carrier, dependencies=retried("a", Retry(delay=3)))
    assert execution.run() == []
    (task,) = execution.open_calls()
    execution.time_out_task(task, "HEARTBEAT")
    assert carrier.told[1:] == [("a-0-1", 3)]
    execution.attempt(task)
    execution.complete_task(task, JSON.dump_value(5))
    assert carrier.told[2:] == [("a-0-1", "[[1], {}]"), complete(5)]
    assert execution.open_calls() == []


def test_a_carrier_tells_failures_that_are_not_retried() -> None:
    carrier = Carrier()
    execution = begin(one, carrier=carrier)
    execution.run()
    task = carrier.tasks[CallId("a", 0)]
    execution.close_task_with(task, task.error_of(ValueError("no luck")))
    assert carrier.told[1:] == [fail("TaskError: a-0-0 failed: ValueError: no luck")]


def test_an_error_of_a_task_is_the_cause_of_its_failure() -> None:
    execution = begin(one)
    execution.run()
    (task,) = execution.open_calls()
    cause = ValueError("no luck")
    error = task.error_of(cause)
    assert error.__cause__ is cause
    assert str(error) == "a-0-0 failed: ValueError: no luck"


@pytest.mark.parametrize("end", [completed("a-0-0", 5), failed("a-0-0")])
def test_a_forgetful_execution_knows_no_call_that_is_over(end: Event) -> None:
    def code(*, a: Any) -> Any:
        return [a(1), a(2)][1]

    execution = begin(code, forgets=True)
    execution.run()
    left, right = execution.open_calls()
    execution.apply(end)
    assert (left.input, left.carried) == (None, None)
    assert execution.open_calls() == [right]
    with pytest.raises(HistoryError):
        execution.apply(end)
    assert execution.apply(completed("a-1-0", 6)) == [complete(6)]
    assert len(execution.unseen_failures()) == isinstance(end, TaskFailed)


def test_a_discarded_execution_is_freed_at_once_and_results_stay() -> None:
    results: list[Any] = []

    def code(*, a: Any) -> Any:
        results.append(a(1))
        wait(results[0])
        return a(2)

    execution = begin(code)
    execution.run()
    execution.apply(completed("a-0-0", 5))
    execution.run()
    assert execution.apply(completed("a-1-0", 6)) == [complete(6)]
    never_run = begin(code)
    gone = [weakref.ref(execution), weakref.ref(never_run)]
    gc.disable()
    try:
        execution.discard()
        never_run.discard()
        assert results[1] + 1 == 6
        results.clear()
        del execution, never_run
        assert [each() for each in gone] == [None, None]
    finally:
        gc.enable()


# --- size ----------------------------------------------------------------------------------------


def test_a_chain_of_very_many_calls_does_not_recurse() -> None:
    def code(*, a: Any) -> Any:
        result = 0
        for _ in range(MANY):
            result = a(result, 1)
        return result

    assert run_to_the_end(code) == MANY


def test_very_many_calls_side_by_side() -> None:
    def code(*, a: Any) -> Any:
        return a(*[a(1) for _ in range(MANY)])

    assert run_to_the_end(code) == MANY


def test_very_many_calls_of_one_result() -> None:
    def code(*, a: Any) -> Any:
        one = a(1)
        return a(*[a(one) for _ in range(MANY)])

    assert run_to_the_end(code) == MANY


# --- what a time-out is ---------------------------------------------------------------------------


def test_a_time_out_on_the_last_attempt_is_told_from_other_failures() -> None:
    def code(*, a: Any) -> Any:
        try:
            wait(a(1))
        except TaskTimedout as error:
            return error.call
        return None

    history: list[Event] = [scheduled("a-0-0", 1), timed_out("a-0-0"), scheduled("a-0-1", 1)]
    execution = begin(
        code, [*history, timed_out("a-0-1")], dependencies=retried("a", Retry(attempts=2))
    )
    assert execution.run() == [complete("a-0-1")]


def test_the_input_may_be_read_by_any_codec() -> None:
    execution = Execution(lambda: partial(max), {}, ((1, 2), {}), codec=OBJECT)
    (command,) = execution.run()
    assert getattr(command, "result", None) == 2
