"""Traces from histories of Amazon SWF, without the workflow's code."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from flowy_swf.payloads import pack
from flowy_trace import Trace
from flowy_trace.swf import from_history
from flowy_trace.tree import tree


class History:
    """Writes a history as SWF does."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, kind: str, time: Any, /, **attributes: Any) -> int:
        number = len(self.events) + 1
        name = f"{kind[0].lower()}{kind[1:]}EventAttributes"
        self.events.append(
            {"eventId": number, "eventType": kind, "eventTimestamp": time, name: attributes}
        )
        return number

    def start(self) -> None:
        self.add(
            "WorkflowExecutionStarted",
            100.0,
            input='[[2], {"b": 10}]',
            workflowType={"name": "Example", "version": "1"},
        )

    def activity(self, name: str, time: float, **others: Any) -> int:
        return self.add("ActivityTaskScheduled", time, activityId=name, input="[[2], {}]", **others)


def example() -> History:
    history = History()
    history.start()
    history.add("DecisionTaskScheduled", 100.0)
    first = history.activity("square-0-0", 101.0)
    second = history.activity("square-1-0", 101.0)
    began = history.add("ActivityTaskStarted", 102.0, scheduledEventId=first, identity="worker-7")
    history.add(
        "ActivityTaskCompleted", 103.0, scheduledEventId=first, startedEventId=began, result="4"
    )
    history.add("ActivityTaskTimedOut", 104.0, scheduledEventId=second, timeoutType="HEARTBEAT")
    timer = history.add("TimerStarted", 105.0, timerId="square-1-1:t", startToFireTimeout="3")
    history.add("TimerFired", 108.0, timerId="square-1-1:t", startedEventId=timer)
    again = history.activity("square-1-1", 108.0)
    history.add("ActivityTaskStarted", 109.0, scheduledEventId=again)
    history.add("ActivityTaskCompleted", 110.0, scheduledEventId=again, result="100")
    last = history.activity(
        "sum-0-0", 110.0, control=json.dumps({"after": ["square-0-0", "square-1-1"]})
    )
    history.add("ActivityTaskStarted", 110.0, scheduledEventId=last)
    history.add("ActivityTaskCompleted", 111.0, scheduledEventId=last, result="104")
    history.add("WorkflowExecutionCompleted", 112.0, result="104")
    return history


def test_a_history_gives_the_trace_of_its_execution() -> None:
    trace = from_history({"events": example().events})
    assert (trace.workflow, trace.engine, trace.started, trace.ended) == (
        "Example",
        "swf",
        100,
        112,
    )
    [execution] = trace.executions
    assert (execution.arguments, execution.result, execution.outcome) == (
        "2, b=10",
        "104",
        "completed",
    )
    square, other, last = execution.calls
    assert [
        (each.scheduled, each.started, each.ended, each.worker) for each in square.attempts
    ] == [(101, 102, 103, "worker-7")]
    assert [(each.number, each.outcome, each.delayed) for each in other.attempts] == [
        (0, "timed out", None),
        (1, "completed", 105),
    ]
    assert last.sources == ("square-0", "square-1")
    assert [entry.label for entry in tree(trace).entries] == [
        "Example",
        "square-0",
        "square-1",
        "sum-0",
    ]


@pytest.mark.parametrize("wrap", [lambda events: events, lambda events: {"events": events}])
def test_a_dump_is_read_from_a_file_with_its_events_in_any_order(wrap: Any, tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_text(json.dumps(wrap(example().events[::-1])))
    assert Trace.load(path) == from_history(example().events)


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T05:04:05+02:00",
        "2026-01-02T03:04:05",
        dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc),
        1767323045,
    ],
)
def test_times_may_be_written_in_several_ways(time: Any) -> None:
    history = History()
    history.start()
    history.events[0]["eventTimestamp"] = time
    assert from_history(history.events).started == 1767323045


CLOSED: list[tuple[str, dict[str, Any], str, str | None]] = [
    (
        "WorkflowExecutionFailed",
        {"reason": "ValueError: no", "details": "tb"},
        "failed",
        "ValueError: no",
    ),
    ("WorkflowExecutionFailed", {"reason": "it broke"}, "failed", "TaskError: it broke"),
    (
        "WorkflowExecutionTimedOut",
        {"timeoutType": "START_TO_CLOSE"},
        "timed out",
        "TimedOut: START_TO_CLOSE",
    ),
    ("WorkflowExecutionCanceled", {"details": "stop"}, "cancelled", "Cancelled: stop"),
    ("WorkflowExecutionTerminated", {"reason": "enough"}, "failed", "Terminated: enough"),
    ("WorkflowExecutionContinuedAsNew", {"input": "[[], {}]"}, "restarted", None),
]


@pytest.mark.parametrize(("kind", "attributes", "outcome", "error"), CLOSED)
def test_an_execution_ends_in_many_ways(
    kind: str, attributes: dict[str, Any], outcome: str, error: str | None
) -> None:
    history = History()
    history.start()
    history.add(kind, 101.0, **attributes)
    [execution] = from_history(history.events).executions
    assert (execution.outcome, execution.ended) == (outcome, 101)
    assert (None if execution.error is None else str(execution.error)) == error


def test_an_execution_without_an_end_goes_on() -> None:
    events = example().events[:-1]
    trace = from_history(events)
    assert trace.ended is None
    assert trace.executions[0].outcome == "open"


ENDS: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "activity",
        "ActivityTaskFailed",
        {"reason": "KeyError: 'a'", "details": "tb"},
        "KeyError: 'a'",
    ),
    ("activity", "ActivityTaskCanceled", {"details": "gone"}, "Cancelled: gone"),
    (
        "activity",
        "ActivityTaskFailed",
        {
            "reason": "KeyError: cut...",
            "details": '{"type": "KeyError", "message": "all", "traceback": "tb"}',
        },
        "KeyError: all",
    ),
    (
        "activity",
        "ActivityTaskFailed",
        {"reason": "odd", "details": '{"type": 3, "message": "all", "traceback": "tb"}'},
        "TaskError: odd",
    ),
    ("activity", "ActivityTaskFailed", {"reason": "odd", "details": "[]"}, "TaskError: odd"),
    ("lambda", "LambdaFunctionFailed", {"reason": "no"}, "TaskError: no"),
    (
        "lambda",
        "LambdaFunctionFailed",
        {"reason": "Unhandled", "details": '{"errorType": "KeyError", "errorMessage": "why"}'},
        "KeyError: why",
    ),
    (
        "workflow",
        "StartChildWorkflowExecutionFailed",
        {"workflowId": "run-9:a-0-0", "cause": "WORKFLOW_TYPE_DEPRECATED"},
        "WORKFLOW_TYPE_DEPRECATED",
    ),
    (
        "lambda",
        "LambdaFunctionTimedOut",
        {"timeoutType": "START_TO_CLOSE"},
        "TimedOut: START_TO_CLOSE",
    ),
    ("lambda", "StartLambdaFunctionFailed", {"cause": "ASSUME_ROLE_FAILED"}, "ASSUME_ROLE_FAILED"),
    ("workflow", "ChildWorkflowExecutionFailed", {"reason": "no"}, "TaskError: no"),
    ("workflow", "ChildWorkflowExecutionTimedOut", {"timeoutType": "X"}, "TimedOut: X"),
    ("workflow", "ChildWorkflowExecutionCanceled", {}, "Cancelled"),
    ("workflow", "ChildWorkflowExecutionTerminated", {}, "Terminated"),
]


@pytest.mark.parametrize(("kind", "end", "attributes", "error"), ENDS)
def test_calls_of_every_kind_end_in_many_ways(
    kind: str, end: str, attributes: dict[str, Any], error: str
) -> None:
    history = History()
    history.start()
    if kind == "activity":
        number = history.activity("a-0-0", 101.0)
    elif kind == "lambda":
        number = history.add(
            "LambdaFunctionScheduled", 101.0, id="a-0-0", name="x", input="[[], {}]"
        )
    else:
        number = history.add(
            "StartChildWorkflowExecutionInitiated",
            101.0,
            workflowId="run-9:a-0-0",
            input="[[], {}]",
        )
    key = "initiatedEventId" if kind == "workflow" else "scheduledEventId"
    history.add(end, 102.0, **{key: number}, **attributes)
    [call] = from_history(history.events).executions[0].calls
    assert (call.kind, call.key, str(call.error)) == (kind, "a-0", error)


@pytest.mark.parametrize(
    ("kind", "event", "identity"),
    [
        ("activity", "ScheduleActivityTaskFailed", {"activityId": "a-0-1"}),
        ("lambda", "ScheduleLambdaFunctionFailed", {"id": "a-0-1"}),
        ("workflow", "StartChildWorkflowExecutionFailed", {"workflowId": "run-9:a-0-1"}),
    ],
)
def test_an_attempt_that_was_refused_has_failed(
    kind: str, event: str, identity: dict[str, str]
) -> None:
    history = History()
    history.start()
    first = history.activity("a-0-0", 101.0)
    history.add("ActivityTaskTimedOut", 102.0, scheduledEventId=first, timeoutType="HEARTBEAT")
    history.add(event, 103.0, cause="OPERATION_NOT_PERMITTED", **identity)
    [call] = from_history(history.events).executions[0].calls
    assert (call.kind, call.arguments) == (kind, "2")
    assert [(each.outcome, str(each.error)) for each in call.attempts] == [
        ("timed out", "TimedOut: HEARTBEAT"),
        ("failed", "OPERATION_NOT_PERMITTED"),
    ]


@pytest.mark.parametrize(
    "cause", ["OPEN_ACTIVITIES_LIMIT_EXCEEDED", "ACTIVITY_CREATION_RATE_EXCEEDED"]
)
def test_an_attempt_that_was_refused_for_now_waits(cause: str) -> None:
    history = History()
    history.start()
    history.add("ScheduleActivityTaskFailed", 101.0, activityId="a-0-0", cause=cause)
    timer = history.add("TimerStarted", 101.0, timerId="a-0-0:t", startToFireTimeout="2")
    history.add("TimerFired", 103.0, timerId="a-0-0:t", startedEventId=timer)
    history.activity("a-0-0", 103.0)
    [call] = from_history(history.events).executions[0].calls
    [attempt] = call.attempts
    assert (attempt.delayed, attempt.scheduled, attempt.outcome) == (101, 103, "open")


@pytest.mark.parametrize(
    ("identity", "key"),
    [
        ("square-2-1", "square-2"),
        ("square", "square-0"),
        ("</script>\u202e-2-1", "_script_2_1-0"),
        ("1st-2-1", "1st_2_1-0"),
        ("", "call-0"),
    ],
)
def test_what_has_no_name_and_numbers_of_flowy_gets_a_number(identity: str, key: str) -> None:
    history = History()
    history.start()
    history.activity(identity, 101.0)
    [call] = from_history(history.events).executions[0].calls
    assert call.key == key


def test_a_timer_with_which_flowy_asks_for_a_decision_is_no_call() -> None:
    history = History()
    history.start()
    timer = history.add("TimerStarted", 101.0, timerId="again-3", startToFireTimeout="0")
    history.add("TimerFired", 101.0, timerId="again-3", startedEventId=timer)
    assert from_history(history.events).executions[0].calls == ()


def test_a_compressed_payload_is_read() -> None:
    packed = pack(json.dumps(["x" * 40_000]))
    assert len(packed) < 1000
    history = History()
    history.start()
    number = history.activity("a-0-0", 101.0)
    history.add("ActivityTaskCompleted", 102.0, scheduledEventId=number, result=packed)
    number = history.activity("b-0-0", 101.0)
    damaged = packed.replace("e", "!", 1)
    history.add("ActivityTaskCompleted", 102.0, scheduledEventId=number, result=damaged)
    read, unread = from_history(history.events).executions[0].calls
    assert read.result == f'["{"x" * 93}... (40,004 characters)'
    assert str(unread.result).startswith('{" z": ')


@pytest.mark.parametrize(
    ("end", "outcome"), [("TimerFired", "completed"), ("TimerCanceled", "cancelled")]
)
def test_a_timer_of_its_own_is_a_call(end: str, outcome: str) -> None:
    history = History()
    history.start()
    number = history.add("TimerStarted", 101.0, timerId="nap", startToFireTimeout="5")
    history.add(end, 106.0, timerId="nap", startedEventId=number)
    [call] = from_history(history.events).executions[0].calls
    assert (call.kind, call.key, call.arguments, call.outcome) == ("timer", "nap-0", "5", outcome)


@pytest.mark.parametrize(
    "control", [None, "", "{}", "[]", "no JSON", '{"after": 3}', '{"after": ["x"]}']
)
def test_a_control_of_others_names_no_sources(control: str | None) -> None:
    history = History()
    history.start()
    history.activity("not flowy's", 101.0, control=control)
    history.activity("not flowy's", 101.0, control=control)
    calls = from_history(history.events).executions[0].calls
    assert [(call.key, call.sources) for call in calls] == [
        ("not_flowy_s-0", ()),
        ("not_flowy_s-1", ()),
    ]


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({"events": 3}, "this is no history of Amazon SWF (TypeError: "),
        ([], "this is no history of Amazon SWF (IndexError: "),
        ([{"eventId": 1}], "this is no history of Amazon SWF (KeyError: 'eventType')"),
        (
            [{"eventId": 9, "eventType": "TimerFired"}],
            "the history begins with 'TimerFired', expected 'WorkflowExecutionStarted': dump all "
            "pages, in any order",
        ),
    ],
)
def test_what_is_no_history_is_refused(history: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        from_history(history)
    assert str(caught.value).startswith(message)
