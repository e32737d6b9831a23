"""The service's events become events of the machine, by a table that covers them all."""

from __future__ import annotations

import functools
import logging
from typing import Any

import botocore.loaders
import pytest

from flowy import events
from flowy.events import CallId, Event
from flowy.execution import HistoryError
from flowy.run import UNKNOWN_INPUT, Dependency
from flowy_swf.causes import MEANINGS, PASSING, UNHANDLED
from flowy_swf.history import TABLE, History

Json = dict[str, Any]
A = CallId("a", 0)
TYPE = {"name": "x", "version": "1"}
INPUT = "[[1], {}]"
STARTED: tuple[str, Json] = ("WorkflowExecutionStarted", {"input": INPUT})
SCHEDULED: tuple[str, Json] = ("ActivityTaskScheduled", {"activityId": "a-0-0", "input": INPUT})
INITIATED: tuple[str, Json] = (
    "StartChildWorkflowExecutionInitiated",
    {"workflowId": "parent-:a-0-0", "input": INPUT},
)
LAMBDA: tuple[str, Json] = ("LambdaFunctionScheduled", {"id": "a-0-0", "input": INPUT})


def read(*told: tuple[str, Json], dependencies: dict[str, Dependency] | None = None) -> History:
    """Return the history of events that follow WorkflowExecutionStarted, numbered from 2."""
    history = History(dependencies=dependencies or {})
    for number, (kind, attributes) in enumerate((STARTED, *told), 1):
        member = f"{kind[0].lower()}{kind[1:]}EventAttributes"
        history.add({"eventId": number, "eventType": kind, member: attributes})
    return history


@functools.cache
def shapes() -> Json:
    model: Json = botocore.loaders.create_loader().load_service_model("swf", "service-2")
    return model["shapes"]  # type: ignore[no-any-return]


def test_the_table_covers_every_type_of_event() -> None:
    assert sorted(TABLE) == sorted(shapes()["EventType"]["enum"])


def test_every_cause_of_a_refusal_has_a_meaning_or_passes() -> None:
    causes = {
        cause
        for name, shape in shapes().items()
        if name.endswith("FailedCause")
        for cause in shape["enum"]
    }
    assert causes - PASSING - {UNHANDLED} == set(MEANINGS)


#: for each kind of event that refuses to start something, what it names the thing by
REFUSALS = {
    "ScheduleActivityTaskFailed": ("activity", "activityId", "a-0-0"),
    "StartChildWorkflowExecutionFailed": ("workflow", "workflowId", "parent-:a-0-0"),
    "ScheduleLambdaFunctionFailed": ("lambda", "id", "a-0-0"),
    "StartTimerFailed": ("activity", "timerId", "a-0-0:t"),
}


@pytest.mark.parametrize(
    ("refused", "cause"),
    [(kind, cause) for kind in REFUSALS for cause in shapes()[f"{kind}Cause"]["enum"]],
)
def test_each_cause_of_a_refusal_fails_the_call_or_has_it_tried_again(
    refused: str, cause: str
) -> None:
    kind, member, value = REFUSALS[refused]
    history = read((refused, {member: value, "cause": cause}))
    is_quota = "LIMIT" in cause or "RATE" in cause
    if is_quota:
        assert history.events == []
        assert (history.throttled == {A: 1}) != (history.timers_refused == 1)
    else:
        assert history.events == [
            events.TaskScheduled(A, UNKNOWN_INPUT, kind),
            events.TaskFailed(A, cause, MEANINGS[cause]),
        ]


#: what is open when an event comes
BEGUN: list[tuple[str, Json]] = [
    SCHEDULED,
    ("StartChildWorkflowExecutionInitiated", {"workflowId": "parent-:b-0-0"}),
    ("LambdaFunctionScheduled", {"id": "c-0-0"}),
    ("TimerStarted", {"timerId": "d-0-0:t", "startToFireTimeout": "3"}),
]
#: what an event has to say to be about one of them, or about something new
SAYS: Json = {
    "activityId": "a-9-0",
    "workflowId": "parent-:b-0-0",
    "id": "c-9-0",
    "timerId": "d-0-0:t",
    "startToFireTimeout": "3",
    "initiatedEventId": 3,
}


def least(shape: str, **says: Any) -> Any:
    """Return the least that a shape of the service's model must hold."""
    model = shapes()[shape]
    if model["type"] != "structure":
        return {"string": "x", "long": 1, "list": []}[model["type"]]
    return {
        member: says[member] if member in says else least(model["members"][member]["shape"])
        for member in model.get("required", ())
    }


@pytest.mark.parametrize("kind", sorted(set(TABLE) - {"WorkflowExecutionStarted"}))
def test_whatever_the_service_may_leave_out_of_an_event_may_be_missing(kind: str) -> None:
    refers_to = 4 if "Lambda" in kind else 2
    attributes = least(f"{kind}EventAttributes", **SAYS, scheduledEventId=refers_to)
    if kind == "StartLambdaFunctionFailed":
        # Not required by the model, but nobody knows without it which function it is about.
        attributes["scheduledEventId"] = refers_to
    assert read(*BEGUN, (kind, attributes)).last_id == 6


def test_whatever_the_service_may_leave_out_of_the_first_event_may_be_missing() -> None:
    history = History()
    member = "workflowExecutionStartedEventAttributes"
    first = least("WorkflowExecutionStartedEventAttributes")
    history.add({"eventId": 1, "eventType": "WorkflowExecutionStarted", member: first})
    assert history.input == "[[], {}]"


SCHEDULED_EVENT = events.TaskScheduled(A, INPUT)
INITIATED_EVENT = events.TaskScheduled(A, INPUT, "workflow")
LAMBDA_EVENT = events.TaskScheduled(A, INPUT, "lambda")
OVER = {"scheduledEventId": 2, "startedEventId": 0}
CHILD_OVER = {"initiatedEventId": 2, "startedEventId": 0}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([SCHEDULED], [SCHEDULED_EVENT]),
        (
            [("ActivityTaskScheduled", {"activityId": "a-0-0"})],
            [events.TaskScheduled(A, "[[], {}]")],
        ),
        (
            [SCHEDULED, ("ActivityTaskStarted", {"scheduledEventId": 2, "identity": "w"})],
            [SCHEDULED_EVENT, events.TaskStarted(A, "w")],
        ),
        (
            [SCHEDULED, ("ActivityTaskCompleted", {**OVER, "result": "4"})],
            [SCHEDULED_EVENT, events.TaskCompleted(A, "4")],
        ),
        (
            [SCHEDULED, ("ActivityTaskCompleted", OVER)],
            [SCHEDULED_EVENT, events.TaskCompleted(A, "null")],
        ),
        (
            [SCHEDULED, ("ActivityTaskFailed", {**OVER, "reason": "Error!"})],
            [SCHEDULED_EVENT, events.TaskFailed(A, "", "Error!")],
        ),
        (
            [SCHEDULED, ("ActivityTaskFailed", {**OVER, "details": "a traceback"})],
            [SCHEDULED_EVENT, events.TaskFailed(A, "", "", "a traceback")],
        ),
        (
            [
                SCHEDULED,
                (
                    "ActivityTaskFailed",
                    {
                        **OVER,
                        "reason": "ValueError: n...",
                        "details": '{"type": "ValueError", "message": "no", "traceback": "t"}',
                    },
                ),
            ],
            [SCHEDULED_EVENT, events.TaskFailed(A, "ValueError", "no", "t")],
        ),
        (
            [SCHEDULED, ("ActivityTaskTimedOut", {**OVER, "timeoutType": "HEARTBEAT"})],
            [SCHEDULED_EVENT, events.TaskTimedOut(A, "HEARTBEAT")],
        ),
        (
            [SCHEDULED, ("ActivityTaskCanceled", {**OVER, "details": "asked to"})],
            [SCHEDULED_EVENT, events.TaskCancelled(A, "asked to")],
        ),
        (
            [("ScheduleActivityTaskFailed", {"activityId": "a-0-0", "cause": UNHANDLED})],
            [
                events.TaskScheduled(A, UNKNOWN_INPUT),
                events.TaskFailed(A, UNHANDLED, "the service refused the decision"),
            ],
        ),
        ([INITIATED], [INITIATED_EVENT]),
        (
            [
                INITIATED,
                (
                    "ChildWorkflowExecutionStarted",
                    {"initiatedEventId": 2, "workflowExecution": {"runId": "r"}},
                ),
            ],
            [INITIATED_EVENT, events.TaskStarted(A, "r")],
        ),
        (
            [INITIATED, ("ChildWorkflowExecutionCompleted", {**CHILD_OVER, "result": "4"})],
            [INITIATED_EVENT, events.TaskCompleted(A, "4")],
        ),
        (
            [INITIATED, ("ChildWorkflowExecutionFailed", {**CHILD_OVER, "reason": "Error!"})],
            [INITIATED_EVENT, events.TaskFailed(A, "", "Error!")],
        ),
        (
            [INITIATED, ("ChildWorkflowExecutionTimedOut", CHILD_OVER)],
            [INITIATED_EVENT, events.TaskTimedOut(A, "START_TO_CLOSE")],
        ),
        (
            [INITIATED, ("ChildWorkflowExecutionCanceled", CHILD_OVER)],
            [INITIATED_EVENT, events.TaskCancelled(A)],
        ),
        (
            [INITIATED, ("ChildWorkflowExecutionTerminated", CHILD_OVER)],
            [
                INITIATED_EVENT,
                events.TaskFailed(A, "Terminated", "the workflow was terminated"),
            ],
        ),
        (
            [
                INITIATED,
                (
                    "StartChildWorkflowExecutionFailed",
                    {
                        "workflowId": "parent-:a-0-0",
                        "initiatedEventId": 2,
                        "cause": "WORKFLOW_ALREADY_RUNNING",
                    },
                ),
            ],
            [
                INITIATED_EVENT,
                events.TaskScheduled(A, INPUT, "workflow"),
                events.TaskFailed(
                    A, "WORKFLOW_ALREADY_RUNNING", MEANINGS["WORKFLOW_ALREADY_RUNNING"]
                ),
            ],
        ),
        (
            [LAMBDA, ("LambdaFunctionStarted", {"scheduledEventId": 2})],
            [LAMBDA_EVENT, events.TaskStarted(A)],
        ),
        (
            [LAMBDA, ("LambdaFunctionCompleted", {**OVER, "result": "4"})],
            [LAMBDA_EVENT, events.TaskCompleted(A, "4")],
        ),
        (
            [
                LAMBDA,
                (
                    "LambdaFunctionFailed",
                    {
                        **OVER,
                        "reason": "UnhandledError",
                        "details": '{"errorMessage": "no", "errorType": "ValueError"}',
                    },
                ),
            ],
            [
                LAMBDA_EVENT,
                events.TaskFailed(
                    A, "ValueError", "no", '{"errorMessage": "no", "errorType": "ValueError"}'
                ),
            ],
        ),
        (
            [LAMBDA, ("LambdaFunctionTimedOut", OVER)],
            [LAMBDA_EVENT, events.TaskTimedOut(A, "START_TO_CLOSE")],
        ),
        (
            [
                LAMBDA,
                (
                    "StartLambdaFunctionFailed",
                    {"scheduledEventId": 2, "cause": "ASSUME_ROLE_FAILED", "message": "no role"},
                ),
            ],
            [
                LAMBDA_EVENT,
                events.TaskFailed(
                    A, "ASSUME_ROLE_FAILED", f"{MEANINGS['ASSUME_ROLE_FAILED']}: no role"
                ),
            ],
        ),
        (
            [("ScheduleLambdaFunctionFailed", {"id": "a-0-0", "cause": "ID_ALREADY_IN_USE"})],
            [
                events.TaskScheduled(A, UNKNOWN_INPUT, "lambda"),
                events.TaskFailed(A, "ID_ALREADY_IN_USE", MEANINGS["ID_ALREADY_IN_USE"]),
            ],
        ),
        (
            [("TimerStarted", {"timerId": "a-0-0:t", "startToFireTimeout": "3"})],
            [events.TimerStarted(A, 3)],
        ),
        (
            [
                ("TimerStarted", {"timerId": "a-0-0:t", "startToFireTimeout": "3"}),
                ("TimerFired", {"timerId": "a-0-0:t"}),
            ],
            [events.TimerStarted(A, 3), events.TimerFired(A)],
        ),
        (
            [
                ("TimerStarted", {"timerId": "somebody's", "startToFireTimeout": "3"}),
                ("TimerStarted", {"timerId": "other:t", "startToFireTimeout": "3"}),
                ("TimerFired", {"timerId": "somebody's"}),
            ],
            [],
        ),
        (
            [("WorkflowExecutionSignaled", {"signalName": "s", "input": "1"})],
            [events.SignalReceived("s", "1")],
        ),
        (
            [("WorkflowExecutionSignaled", {"signalName": "s"})],
            [events.SignalReceived("s", None)],
        ),
        (
            [("WorkflowExecutionSignaled", {"signalName": "s", "input": '{" z": "damaged"}'})],
            [events.SignalReceived("s", '{" z": "damaged"}')],
        ),
        (
            [("MarkerRecorded", {"markerName": "m", "details": "d"})],
            [events.MarkerRecorded("m", "d")],
        ),
        ([("WorkflowExecutionCancelRequested", {})], [events.CancelRequested()]),
    ],
)
def test_an_event_becomes(told: list[tuple[str, Json]], expected: list[Event]) -> None:
    assert read(*told).events == expected


@pytest.mark.parametrize(
    "passed_over",
    [kind for kind, handler in TABLE.items() if handler is History._nothing],
)
def test_what_the_machine_need_not_know_is_passed_over(passed_over: str) -> None:
    assert read((passed_over, {})).events == []


@pytest.mark.parametrize(
    ("scheduled", "refused"),
    [
        (SCHEDULED, ("ScheduleActivityTaskFailed", {"activityId": "a-0-1"})),
        (LAMBDA, ("ScheduleLambdaFunctionFailed", {"id": "a-0-1"})),
        (INITIATED, ("StartChildWorkflowExecutionFailed", {"workflowId": "parent-:a-0-1"})),
    ],
)
def test_a_refused_retry_failed_with_the_input_of_the_attempt_before(
    scheduled: tuple[str, Json], refused: tuple[str, Json]
) -> None:
    kind, attributes = refused
    cause = "OPERATION_NOT_PERMITTED"
    history = read(scheduled, (kind, {**attributes, "cause": cause}))
    again = A._replace(attempt=1)
    kind = history.events[0].kind  # type: ignore[union-attr]
    assert history.events[1:] == [
        events.TaskScheduled(again, INPUT, kind),
        events.TaskFailed(again, cause, MEANINGS[cause]),
    ]


@pytest.mark.parametrize("cause", ["ACTIVITY_ID_ALREADY_IN_USE", "ACTIVITY_CREATION_RATE_EXCEEDED"])
@pytest.mark.parametrize(
    "open_already",
    [SCHEDULED, ("TimerStarted", {"timerId": "a-0-0:t", "startToFireTimeout": "3"})],
)
def test_a_refusal_of_what_is_open_already_changes_nothing(
    open_already: tuple[str, Json], cause: str
) -> None:
    refused = {"activityId": "a-0-0", "cause": cause}
    history = read(open_already, ("ScheduleActivityTaskFailed", refused))
    assert history.events == read(open_already).events
    assert history.throttled == {}


@pytest.mark.parametrize(
    "refused",
    [
        ("ScheduleActivityTaskFailed", "activityId", "a-0-0", "ACTIVITY_CREATION_RATE_EXCEEDED"),
        ("ScheduleLambdaFunctionFailed", "id", "a-0-0", "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED"),
        (
            "StartChildWorkflowExecutionFailed",
            "workflowId",
            "p-:a-0-0",
            "CHILD_CREATION_RATE_EXCEEDED",
        ),
    ],
)
def test_a_refusal_that_passes_leaves_the_call_until_a_timer_waits_for_it(
    refused: tuple[str, str, str, str],
) -> None:
    kind, member, value, cause = refused
    once = (kind, {member: value, "cause": cause})
    timer = ("TimerStarted", {"timerId": "a-0-0:t", "startToFireTimeout": "3"})
    fired = ("TimerFired", {"timerId": "a-0-0:t"})
    assert read(once).throttled == {A: 1}
    assert read(once).events == []
    assert read(once, timer).throttled == {}
    assert read(once, timer).timers == {"a-0-0:t": A}
    assert read(once, timer, fired, once).throttled == {A: 2}


def test_a_child_that_could_not_be_started_for_now_is_not_open() -> None:
    refused = {
        "workflowId": "parent-:a-0-0",
        "initiatedEventId": 2,
        "cause": "CHILD_CREATION_RATE_EXCEEDED",
    }
    history = read(INITIATED, ("StartChildWorkflowExecutionFailed", refused))
    assert history.children == {}
    assert history.throttled == {A: 1}


def test_a_refused_delay_fails_its_attempt_as_what_it_is_one_of() -> None:
    cause = "OPERATION_NOT_PERMITTED"
    refused = ("StartTimerFailed", {"timerId": "a-0-0:t", "cause": cause})
    kinds = {"a": Dependency("a", "workflow")}
    assert read(refused, dependencies=kinds).events == [
        events.TaskScheduled(A, UNKNOWN_INPUT, "workflow"),
        events.TaskFailed(A, cause, MEANINGS[cause]),
    ]


@pytest.mark.parametrize(
    ("timer_id", "cause"),
    [
        ("a-0-0:t", "TIMER_CREATION_RATE_EXCEEDED"),
        ("again-3", "OPERATION_NOT_PERMITTED"),
    ],
)
def test_a_timer_that_is_refused_for_now_is_counted_until_one_starts(
    timer_id: str, cause: str
) -> None:
    refused = ("StartTimerFailed", {"timerId": timer_id, "cause": cause})
    started = ("TimerStarted", {"timerId": "again-9", "startToFireTimeout": "0"})
    assert read(refused, refused).timers_refused == 2
    assert read(refused, refused, started).timers_refused == 0
    assert read(refused).events == []


def test_what_is_open_is_known() -> None:
    def told(kind: str, **attributes: Any) -> tuple[str, Json]:
        return kind, attributes

    history = read(
        told("ActivityTaskScheduled", activityId="a-0-0"),
        told("ActivityTaskScheduled", activityId="a-1-0"),
        told("StartChildWorkflowExecutionInitiated", workflowId="p-:b-0-0"),
        told("LambdaFunctionScheduled", id="c-0-0"),
        told("TimerStarted", timerId="d-0-0:t", startToFireTimeout="1"),
        told("TimerStarted", timerId="again-3", startToFireTimeout="0"),
        told("ActivityTaskCompleted", scheduledEventId=2, startedEventId=0),
    )
    assert history.activities == {3: CallId("a", 1)}
    assert {key: child.call for key, child in history.children.items()} == {4: CallId("b", 0)}
    assert history.lambdas == {5: CallId("c", 0)}
    assert history.timers == {"d-0-0:t": CallId("d", 0), "again-3": None}
    assert history.open_calls == 4
    history.add(
        {
            "eventId": 9,
            "eventType": "TimerCanceled",
            "timerCanceledEventAttributes": {"timerId": "d-0-0:t"},
        }
    )
    assert history.open_calls == 3


def test_what_was_there_at_the_last_completed_decision_was_run_over() -> None:
    decided = [
        ("DecisionTaskScheduled", {}),
        ("DecisionTaskStarted", {"scheduledEventId": 2}),
        ("DecisionTaskCompleted", {"scheduledEventId": 2, "startedEventId": 3}),
        SCHEDULED,
    ]
    lost = [
        ("ActivityTaskCompleted", {"scheduledEventId": 5, "startedEventId": 0}),
        ("DecisionTaskScheduled", {}),
        ("DecisionTaskStarted", {"scheduledEventId": 7}),
        ("DecisionTaskTimedOut", {"scheduledEventId": 7, "startedEventId": 8}),
    ]
    assert read().replayed is None
    assert read(*decided).replayed == 0
    assert read(*decided, *lost).replayed == 0
    assert read(*decided, *lost).decision_started == 8


def test_tasks_that_were_asked_to_stop_are_known() -> None:
    other = ("ActivityTaskScheduled", {"activityId": "a-1-0"})
    asked = ("ActivityTaskCancelRequested", {"activityId": "a-1-0"})
    forbidden = (
        "RequestCancelActivityTaskFailed",
        {"activityId": "a-0-0", "cause": "OPERATION_NOT_PERMITTED"},
    )
    over = ("ActivityTaskCanceled", {"scheduledEventId": 3, "startedEventId": 0})
    assert read(SCHEDULED, other, asked).cancelling == {3}
    assert read(SCHEDULED, other, asked, forbidden).cancelling == {2, 3}
    assert read(SCHEDULED, other, asked, over).cancelling == set()


def test_children_that_were_asked_to_stop_are_known() -> None:
    asked = (
        "RequestCancelExternalWorkflowExecutionInitiated",
        {"workflowId": "parent-:a-0-0"},
    )

    def refused(cause: str) -> tuple[str, Json]:
        return (
            "RequestCancelExternalWorkflowExecutionFailed",
            {"workflowId": "parent-:a-0-0", "cause": cause},
        )

    other = ("StartChildWorkflowExecutionInitiated", {"workflowId": "parent-:a-1-0"})
    assert read(INITIATED, other, asked).cancelling == {2}
    throttled = read(INITIATED, other, asked, refused("UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"))
    assert (throttled.cancelling, throttled.cancelling_throttled) == (set(), True)
    forbidden = read(INITIATED, asked, refused("OPERATION_NOT_PERMITTED"))
    assert (forbidden.cancelling, forbidden.cancelling_throttled) == ({2}, False)


def test_how_often_closing_was_refused_is_known() -> None:
    refused = ("ContinueAsNewWorkflowExecutionFailed", {"cause": "OPERATION_NOT_PERMITTED"})
    unhandled = ("CompleteWorkflowExecutionFailed", {"cause": UNHANDLED})
    timer = ("TimerStarted", {"timerId": "again-3", "startToFireTimeout": "2"})
    history = read(unhandled, refused)
    assert (history.closing_refused, history.closing_cause) == (1, "OPERATION_NOT_PERMITTED")
    assert read(unhandled).closing_refused == 0
    assert read(refused, timer).closing_cause == ""


def test_a_type_of_event_that_is_not_known_is_logged_and_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert read(("SomethingNew", {"scheduledEventId": 7})).events == []
    assert caplog.messages == [
        "event 2 is of type SomethingNew, which this version of Flowy does not know; it is passed "
        "over"
    ]


def test_what_is_odd_is_logged_where_the_caller_says(caplog: pytest.LogCaptureFixture) -> None:
    history = History(log=logging.getLogger("flowy.swf.other"))
    history.add({"eventId": 1, "eventType": "WorkflowExecutionStarted"})
    history.add({"eventId": 2, "eventType": "SomethingNew"})
    assert [record.name for record in caplog.records] == ["flowy.swf.other"]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([{}], "an event without id or type: {}"),
        ([None], "an event without id or type: None"),
        (
            [{"eventId": 2, "eventType": "DecisionTaskScheduled"}],
            "the history is not whole: event 2 (DecisionTaskScheduled) follows event 0; events are "
            "missing or come twice",
        ),
        (
            [{"eventId": 1, "eventType": "DecisionTaskScheduled"}],
            "event 1 is DecisionTaskScheduled, but a history begins with WorkflowExecutionStarted "
            "and has no other",
        ),
        (
            [
                {"eventId": 1, "eventType": "WorkflowExecutionStarted"},
                {"eventId": 1, "eventType": "WorkflowExecutionStarted"},
            ],
            "the history is not whole: event 1 (WorkflowExecutionStarted) follows event 1; events "
            "are missing or come twice",
        ),
    ],
)
def test_what_cannot_be_a_history_is_refused(events: list[Any], message: str) -> None:
    with pytest.raises(HistoryError) as caught:
        History().add_all(events)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            [("ActivityTaskCompleted", {"scheduledEventId": 7})],
            "event 2 (ActivityTaskCompleted): it refers to event 7, which scheduled nothing: "
            "events are missing",
        ),
        (
            [SCHEDULED, ("ActivityTaskCompleted", OVER), ("ActivityTaskTimedOut", OVER)],
            "event 4 (ActivityTaskTimedOut): the task of event 2 was over before",
        ),
        (
            [("ActivityTaskCompleted", {})],
            "event 2 (ActivityTaskCompleted) cannot be read: KeyError: 'scheduledEventId'; its "
            "attributes are {}",
        ),
        (
            [("ActivityTaskScheduled", {"activityId": "simple-1"})],
            "event 2 (ActivityTaskScheduled): this is no execution of Flowy: 'simple-1' is no call "
            "identity; expected name-call-attempt, such as 'square-0-0'",
        ),
        (
            [("TimerFired", {"timerId": "a-0-0:t"})],
            "event 2 (TimerFired): no open timer has the id 'a-0-0:t': events are missing",
        ),
    ],
)
def test_events_that_contradict_each_other_are_refused(
    told: list[tuple[str, Json]], message: str
) -> None:
    with pytest.raises(HistoryError) as caught:
        read(*told)
    assert str(caught.value) == message


def test_a_history_that_ends_before_its_decision_is_refused() -> None:
    history = read(("DecisionTaskScheduled", {}), ("DecisionTaskStarted", {"scheduledEventId": 2}))
    history.check_decision(3)
    with pytest.raises(HistoryError) as caught:
        history.check_decision(7)
    assert str(caught.value) == (
        "the history is not whole: it ends with event 3, and the decision began with event 7"
    )


def test_an_execution_without_input_has_no_arguments() -> None:
    history = History()
    history.add({"eventId": 1, "eventType": "WorkflowExecutionStarted"})
    assert history.input == "[[], {}]"
