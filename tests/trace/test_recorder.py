from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest

import flowy
from flowy.engine_api import ExecutionInfo
from flowy.events import (
    CallId,
    CompleteWorkflow,
    FailWorkflow,
    MarkerRecorded,
    ScheduleActivity,
    StartTimer,
    TaskCompleted,
    TaskScheduled,
    TaskStarted,
    TimerFired,
    TimerStarted,
)
from flowy_trace import Attempt, Call, Error, Execution, Recorder, Trace
from flowy_trace.text import text
from flowy_trace.tree import tree

from . import runs
from .simulation import BEGIN, simulate

ROOT = ExecutionInfo("", "Root")


def record(*told: tuple[Any, float], info: ExecutionInfo = ROOT) -> Trace:
    """Return the trace of what a recorder is told."""
    recorder = Recorder(engine="test", run="1")
    recorder.execution_started(info, "[[1], {}]", 10)
    for what, time in told:
        if isinstance(what, (ScheduleActivity, StartTimer, CompleteWorkflow, FailWorkflow)):
            recorder.command(info, what, time)
        else:
            recorder.event(info, what, time)
    return recorder.trace()


def test_a_call_is_taken_down_with_all_its_times() -> None:
    call = CallId("square", 3)
    trace = record(
        (TaskScheduled(CallId("a", 0), "[[], {}]"), 10),
        (ScheduleActivity(call, "[[2], {}]", (CallId("a", 0), CallId("a", 0), CallId("b", 0))), 11),
        (TaskScheduled(call, "[[2], {}]"), 11),
        (TaskStarted(call, "worker-1"), 12),
        (MarkerRecorded("note"), 12),
        (TaskCompleted(call, "4"), 13),
        (CompleteWorkflow("4"), 14),
    )
    assert trace == Trace(
        "Root",
        "test",
        "1",
        10,
        None,
        (
            Execution(
                "",
                "Root",
                "1",
                "4",
                10,
                14,
                "completed",
                calls=(
                    Call("a", 0, "activity", attempts=(Attempt(0, None, 10),)),
                    Call(
                        "square",
                        3,
                        "activity",
                        "2",
                        "4",
                        ("a-0",),
                        (Attempt(0, None, 11, 12, 13, "worker-1", "completed"),),
                    ),
                ),
            ),
        ),
    )


def test_the_wait_before_an_attempt_belongs_to_it() -> None:
    call = CallId("square", 0)
    trace = record(
        (StartTimer(call, 5), 11),
        (TimerStarted(call, 5), 11),
        (TimerFired(call), 16),
        (TaskScheduled(call, "[[2], {}]"), 16),
    )
    assert trace.executions[0].calls[0].attempts == (Attempt(0, 11, 16),)


def test_an_event_of_an_earlier_attempt_changes_that_attempt_and_not_the_last() -> None:
    first, second = CallId("square", 0, 0), CallId("square", 0, 1)
    trace = record(
        (TaskScheduled(first, "[[2], {}]"), 11),
        (TaskScheduled(second, "[[2], {}]"), 12),
        (TaskStarted(first, "late"), 13),
        (TaskStarted(second, "in time"), 14),
    )
    attempts = trace.executions[0].calls[0].attempts
    assert [(each.number, each.worker) for each in attempts] == [(0, "late"), (1, "in time")]


def test_an_engine_may_make_a_new_object_for_an_execution_each_time() -> None:
    recorder = Recorder()
    recorder.execution_started(ExecutionInfo.root("Root"), "[[], {}]", 1)
    recorder.execution_started(ExecutionInfo.root("Root", 1), "[[], {}]", 2)
    recorder.event(ExecutionInfo.root("Root"), TaskScheduled(CallId("a", 0), "[[], {}]"), 3)
    recorder.event(ExecutionInfo.root("Root", 1), TaskScheduled(CallId("b", 0), "[[], {}]"), 3)
    names = [[call.name for call in each.calls] for each in recorder.trace().executions]
    assert names == [["a"], ["b"]]


def test_a_trace_without_any_execution_has_nothing_in_it() -> None:
    trace = Recorder("Root").trace()
    assert trace == Trace("Root")
    assert trace.latest == 0
    assert [entry.label for entry in tree(trace).entries] == ["Root"]


def test_an_exception_with_a_broken_str_is_taken_down() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    error = record((FailWorkflow(BrokenError()), 11)).executions[0].error
    assert error is not None
    assert str(error) == "BrokenError: (no message: its __str__ raised RuntimeError)"


def test_values_that_pass_as_objects_are_shown_by_their_repr() -> None:
    workflow = flowy.LocalWorkflow(runs.Example, codec="object")
    workflow.conf_activity("square", lambda n: {n})
    workflow.conf_activity("sum", lambda a, b: "a text")
    trace = simulate(workflow, 2, 3)
    calls = trace.executions[0].calls
    assert [(call.arguments, call.result) for call in calls] == [
        ("2", "{2}"),
        ("3", "{3}"),
        ("{2}, {3}", "'a text'"),
    ]
    assert trace.executions[0].result == "'a text'"


def test_a_run_of_the_local_engine_is_taken_down() -> None:
    recorder = Recorder(engine="local")
    workflow = flowy.LocalWorkflow(runs.Example)
    workflow.conf_activity("square", lambda n: n * n)
    workflow.conf_activity("sum", lambda a, b: a + b)
    assert workflow.run(2, 10, _observers=[recorder]) == 104
    trace = recorder.trace()
    execution = trace.executions[0]
    assert (execution.workflow, execution.arguments, execution.result) == (
        "Example",
        "2, 10",
        "104",
    )
    assert {(call.key, call.arguments, call.result, call.sources) for call in execution.calls} == {
        ("square-0", "2", "4", ()),
        ("square-1", "10", "100", ()),
        ("sum-0", "4, 100", "104", ("square-0", "square-1")),
    }
    assert trace.ended is not None
    for _, call in trace.calls():
        attempt = call.attempts[0]
        assert attempt.scheduled is not None
        assert attempt.started is not None
        assert attempt.ended is not None
        assert trace.started <= attempt.scheduled <= attempt.started <= attempt.ended <= trace.ended
        assert attempt.worker


def test_every_run_of_a_chain_of_restarts_is_there() -> None:
    trace = simulate(runs.restarts())
    assert [(each.id, each.outcome, each.arguments) for each in trace.executions] == [
        ("", "restarted", ""),
        ("~1", "restarted", "1, 0"),
        ("~2", "completed", "2, 3"),
    ]
    root = tree(trace).root
    assert [run.label for run in root.runs] == ["run 1", "run 2", "run 3"]
    assert root.call.result == "3"


def test_children_after_a_restart_are_not_taken_for_those_before() -> None:
    child = flowy.LocalWorkflow(runs.Child)
    child.conf_activity("nap", runs.nap)

    class Parent:
        def __init__(self, child: Any) -> None:
            self.child = child

        def __call__(self, n: int) -> Any:
            flowy.wait(self.child(n))
            return flowy.restart(n - 1) if n else "done"

    parent = flowy.LocalWorkflow(Parent)
    parent.conf_workflow("child", child)
    recorder = Recorder(engine="local")
    parent.run(1, _observers=[recorder])
    for trace in (simulate(parent, 1), recorder.trace()):
        assert [(each.id, each.parent, each.call) for each in trace.executions] == [
            ("", None, None),
            ("child-0-0", "", "child-0-0"),
            ("~1", None, None),
            ("~1/child-0-0", "~1", "child-0-0"),
        ]
    entries = tree(trace).entries
    assert [(entry.id, entry.call.arguments) for entry in entries] == [
        ("/", "1"),
        ("/child-0", "1"),
        ("/child-0-0/nap-0", "1"),
        ("/~1/child-0", "0"),
        ("/~1/child-0-0/nap-0", "0"),
    ]


def test_failures_timeouts_and_cancellations_are_told_apart() -> None:
    entries = tree(simulate(runs.trouble(), workers=3)).entries
    assert [(each.id, each.call.outcome, each.retries) for each in entries] == [
        ("/", "failed", 0),
        ("/nap-0", "timed out", 1),
        ("/give_up-0", "cancelled", 0),
        ("/child-0", "completed", 0),
        ("/child-0-0/nap-0", "completed", 0),
        ("/child-1", "failed", 1),
        ("/child-1-0/nap-0", "failed", 0),
        ("/child-1-1/nap-0", "failed", 0),
    ]
    assert [run.label for run in entries[5].runs] == ["attempt 1", "attempt 2"]
    assert entries[1].call.error == Error("TimedOut", "START_TO_CLOSE")
    assert entries[2].call.error == Error("Cancelled", "nobody needs it")
    assert entries[-1].call.error is not None
    assert "Traceback (most recent call last)" in entries[-1].call.error.traceback


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (flowy.TaskCancelled("enough"), "cancelled"),
        (flowy.TaskCancelled("enough", call="nap-0-0"), "failed"),
        (flowy.TaskTimedout("START_TO_CLOSE"), "timed out"),
        (flowy.TaskTimedout("START_TO_CLOSE", call="nap-0-0"), "failed"),
        (ValueError("no"), "failed"),
    ],
)
def test_an_execution_ends_as_its_error_says_unless_that_is_of_a_task(
    error: Exception, outcome: str
) -> None:
    trace = record((FailWorkflow(error), 11))
    assert trace.executions[0].outcome == outcome
    assert tree(trace).root.call.outcome == outcome


def test_a_run_that_goes_on_can_be_looked_at() -> None:
    trace = simulate(runs.example(), 2, 10, until=1)
    assert trace.ended is None
    assert trace.latest == BEGIN + 0.75
    assert [(call.key, call.outcome) for _, call in trace.calls()] == [
        ("square-0", "completed"),
        ("square-1", "open"),
    ]


def test_a_run_that_goes_on_is_drawn_as_it_is_now() -> None:
    call = CallId("nap", 0)
    recorder = Recorder()
    recorder.execution_started(ROOT, "[[], {}]", 10)
    recorder.event(ROOT, TaskScheduled(call, "[[], {}]"), 11)
    recorder.event(ROOT, TaskStarted(call), 12)
    assert recorder.trace().latest == 12
    assert recorder.trace(now=72).latest == 72
    assert recorder.trace(now=9).latest == 12
    assert text(recorder.trace(now=72)).splitlines()[:5] == [
        "      at        took",
        "   0.000   1 min 2 s  Root()  HAS NOT ENDED",
        "   1.000   1 min 1 s  └─ nap-0()  HAS NOT ENDED",
        "",
        "Root was still running after 1 min 2 s, when this trace was taken.",
    ]
    recorder.run_ended(80)
    trace = recorder.trace(now=90)
    assert (trace.latest, trace.taken) == (80, None)


@pytest.mark.parametrize("value", ["x", "x" * 100_000])
def test_a_call_takes_less_than_a_kilobyte(value: str) -> None:
    number = 1000

    def chain(same: Any) -> Any:
        def run(value: str) -> int:
            for _ in range(number):
                value = same(value)
            return len(value)

        return run

    workflow = flowy.LocalWorkflow(chain)
    workflow.conf_activity("same", lambda value: value)
    recorder = Recorder()
    tracemalloc.start()
    try:
        workflow.run(value, _observers=[recorder])
        gc.collect()
        with_calls = tracemalloc.get_traced_memory()[0]
        recorder.__init__()  # type: ignore[misc]
        gc.collect()
        without = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 300 < (with_calls - without) / number < 1000
