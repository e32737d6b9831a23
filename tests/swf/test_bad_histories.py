"""Histories cut, with events twice, members missing, events unknown: never a wrong decision."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.swf.histories import EXECUTION, decided, events, told

import flowy
from flowy.errors import NonDeterminismError
from flowy.execution import HistoryError
from flowy_swf.config import SWFWorkflowConfig, TypeName
from flowy_swf.decider import Answer, Workflow, decide
from flowy_swf.decisions import MOST
from flowy_swf.history import History
from flowy_swf.workflow_worker import SWFWorkflowWorker


def factory(a: Any, w: Any, f: Any) -> Any:
    def workflow() -> Any:
        one, two = a(1), w(2)
        try:
            three = a(one, f(3))
            flowy.wait(three)
        except flowy.TaskError:
            three = a(4)
        return a(one, two, three)

    return workflow


CONFIG = SWFWorkflowConfig()
CONFIG.conf_activity("a", 1, retry=(0, 5))
CONFIG.conf_workflow("w", 1)
CONFIG.conf_lambda("f", "function")
WORKFLOW = Workflow(TypeName("workflow", "1"), CONFIG, CONFIG.workflow(factory))

WHOLE = events(
    *decided(2),
    told("ActivityTaskScheduled", activityId="a-0-0", input="[[1], {}]"),
    told("StartChildWorkflowExecutionInitiated", workflowId="p-:w-0-0", input="[[2], {}]"),
    told("LambdaFunctionScheduled", id="f-0-0", input="[[3], {}]"),
    told("ChildWorkflowExecutionStarted", initiatedEventId=6),
    told("ActivityTaskStarted", scheduledEventId=5),
    told("ActivityTaskTimedOut", scheduledEventId=5, startedEventId=9, timeoutType="HEARTBEAT"),
    told("LambdaFunctionStarted", scheduledEventId=7),
    told("LambdaFunctionCompleted", scheduledEventId=7, startedEventId=11, result="9"),
    *decided(13),
    told("TimerStarted", timerId="a-0-1:t", startToFireTimeout="5"),
    told("TimerFired", timerId="a-0-1:t", startedEventId=16),
    *decided(18),
    told("ActivityTaskScheduled", activityId="a-0-1", input="[[1], {}]"),
    told("ActivityTaskStarted", scheduledEventId=21),
    told("ActivityTaskCompleted", scheduledEventId=21, startedEventId=22, result="1"),
    *decided(24),
    told("ActivityTaskScheduled", activityId="a-1-0", input="[[1, 9], {}]"),
    told("ActivityTaskFailed", scheduledEventId=27, startedEventId=0, reason="Error!"),
    told("ChildWorkflowExecutionCompleted", initiatedEventId=6, startedEventId=8, result="4"),
    told("DecisionTaskScheduled"),
    told("DecisionTaskStarted", scheduledEventId=30),
)


def answer_to(happened: list[Any]) -> Answer:
    history = History(None, WORKFLOW.code.dependencies)
    history.add_all(happened)
    history.check_decision(31)
    return decide(WORKFLOW, history, EXECUTION)


EXPECTED = answer_to(WHOLE)


def test_the_whole_history_goes_on_with_one_call() -> None:
    (decision,) = EXPECTED.decisions
    assert decision["scheduleActivityTaskDecisionAttributes"]["activityId"] == "a-2-0"


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_a_history_that_is_cut_anywhere_decides_nothing(length: int) -> None:
    with pytest.raises(HistoryError):
        answer_to(WHOLE[:length])


@pytest.mark.parametrize("index", range(len(WHOLE) - 1))
def test_a_history_that_lacks_an_event_decides_nothing(index: int) -> None:
    with pytest.raises(HistoryError):
        answer_to(WHOLE[:index] + WHOLE[index + 1 :])


@pytest.mark.parametrize("index", range(len(WHOLE)))
def test_a_history_with_an_event_twice_decides_nothing(index: int) -> None:
    with pytest.raises(HistoryError):
        answer_to([*WHOLE[: index + 1], *WHOLE[index:]])


def renumbered(happened: list[Any]) -> list[Any]:
    """Return the events with ids in order; what refers to others does so still."""
    old = {event["eventId"]: number for number, event in enumerate(happened, 1)}
    result = copy.deepcopy(happened)
    for event in result:
        event["eventId"] = old[event["eventId"]]
        for attributes in event.values():
            if isinstance(attributes, dict):
                for name, value in attributes.items():
                    if name.endswith("EventId"):
                        attributes[name] = old.get(value, value)
    return result


@pytest.mark.parametrize("index", range(1, len(WHOLE)))
def test_an_unknown_event_anywhere_changes_nothing(index: int) -> None:
    unknown = {"eventId": -1, "eventType": "SomethingNew", "somethingNewEventAttributes": {}}
    happened = renumbered([*WHOLE[:index], unknown, *WHOLE[index:]])
    assert answer_to(happened).decisions == EXPECTED.decisions


def members(happened: list[Any]) -> list[tuple[int, str, str]]:
    return [
        (index, key, name)
        for index, event in enumerate(happened)
        for key, attributes in event.items()
        if isinstance(attributes, dict)
        for name in attributes
    ]


@pytest.mark.parametrize(("index", "key", "name"), members(WHOLE))
def test_a_member_that_is_missing_is_an_error_or_optional(index: int, key: str, name: str) -> None:
    happened = copy.deepcopy(WHOLE)
    del happened[index][key][name]
    try:
        answer = answer_to(happened)
    except (HistoryError, NonDeterminismError):
        return
    (decision,) = answer.decisions
    assert decision["scheduleActivityTaskDecisionAttributes"]["activityId"] == "a-2-0"


# --- whatever else can be wrong -------------------------------------------------------------------

#: Asked to stop while an activity, a child and a delay are open and another child was refused.
CANCELLED = events(
    *decided(2),
    told("ActivityTaskScheduled", activityId="a-0-0", input="[[1], {}]"),
    told("StartChildWorkflowExecutionInitiated", workflowId="p-:w-0-0", input="[[2], {}]"),
    told("ScheduleLambdaFunctionFailed", id="f-0-0", cause="OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED"),
    *decided(8),
    told("TimerStarted", timerId="f-0-0:t", startToFireTimeout="2"),
    told("WorkflowExecutionSignaled", signalName="s", input="1"),
    told("WorkflowExecutionCancelRequested", externalInitiatedEventId=0),
    *decided(14),
    told("RequestCancelExternalWorkflowExecutionInitiated", workflowId="p-:w-0-0"),
    told("ActivityTaskCancelRequested", activityId="a-0-0"),
    told(
        "RequestCancelExternalWorkflowExecutionFailed",
        workflowId="p-:w-0-0",
        cause="REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
    ),
    told("DecisionTaskScheduled"),
    told("DecisionTaskStarted", scheduledEventId=20),
)
#: About to fail because a child was refused; failing was refused before.
REFUSED = events(
    *decided(2),
    told("ActivityTaskScheduled", activityId="a-0-0", input="[[1], {}]"),
    told("StartChildWorkflowExecutionInitiated", workflowId="p-:w-0-0", input="[[2], {}]"),
    told("LambdaFunctionScheduled", id="f-0-0", input="[[3], {}]"),
    told(
        "StartChildWorkflowExecutionFailed",
        workflowId="p-:w-0-0",
        initiatedEventId=6,
        cause="WORKFLOW_TYPE_DOES_NOT_EXIST",
    ),
    told("ActivityTaskCompleted", scheduledEventId=5, startedEventId=0, result="1"),
    told("StartLambdaFunctionFailed", scheduledEventId=7, cause="ASSUME_ROLE_FAILED"),
    *decided(11),
    told("FailWorkflowExecutionFailed", cause="OPERATION_NOT_PERMITTED"),
    *decided(15),
    told("TimerStarted", timerId="again-16", startToFireTimeout="2"),
    told("TimerFired", timerId="again-16", startedEventId=18),
    told("DecisionTaskScheduled"),
    told("DecisionTaskStarted", scheduledEventId=20),
)
HISTORIES = {"whole": WHOLE, "cancelled": CANCELLED, "refused": REFUSED}
_RESPONSE = (
    ServiceModel(create_loader().load_service_model("swf", "service-2"))
    .operation_model("RespondDecisionTaskCompleted")
    .input_shape
)
_CLOSINGS = {f"{how}WorkflowExecution" for how in ("Complete", "Fail", "Cancel", "ContinueAsNew")}
#: for each decision that starts something, what it names the thing by
_STARTS = {
    "ScheduleActivityTask": "activityId",
    "StartChildWorkflowExecution": "workflowId",
    "ScheduleLambdaFunction": "id",
    "StartTimer": "timerId",
}


def check(answer: list[Any], history: History | None = None) -> None:
    """See that the service takes the decisions, and that they start nothing that is open."""
    assert _RESPONSE is not None
    report = ParamValidator().validate({"taskToken": "t", "decisions": answer}, _RESPONSE)
    assert not report.has_errors(), report.generate_report()
    assert len(answer) <= MOST
    kinds = [decision["decisionType"] for decision in answer]
    assert len(answer) == 1 or not _CLOSINGS & set(kinds)
    started = [
        next(value for value in decision.values() if isinstance(value, dict))[_STARTS[kind]]
        for decision, kind in zip(answer, kinds, strict=True)
        if kind in _STARTS
    ]
    assert len(set(started)) == len(started)
    if history is not None:
        calls = {*history.activities.values(), *history.lambdas.values()}
        calls |= {child.call for child in history.children.values()}
        open_ids = {*map(str, calls), *history.timers}
        assert not {each.rpartition(":")[2] if ":w-" in each else each for each in started} & (
            open_ids
        )


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("whole", ["ScheduleActivityTask"]),
        ("cancelled", ["StartTimer"]),
        ("refused", ["FailWorkflowExecution"]),
    ],
)
def test_these_histories_are_right(name: str, kinds: list[str]) -> None:
    history, answer = decided_over(HISTORIES[name])
    assert [decision["decisionType"] for decision in answer.decisions] == kinds
    check(answer.decisions, history)


def decided_over(happened: list[Any]) -> tuple[History, Answer]:
    history = History(None, WORKFLOW.code.dependencies)
    history.add_all(happened)
    return history, decide(WORKFLOW, history, EXECUTION)


JUNK: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 5, 6, 40, 2**70, 1.5, "", "x", "a-0-0", "a-1-0", "w-0-0", "f-0-0"),
    *("a-0-0:t", "again-3", "p-:w-0-0", "a-0-0-0", "NONE", "[[], {}]", "[[1], {}]", "null", "{"),
    *('{" z": "x"}', '{" s3": "x"}', "OPERATION_NOT_PERMITTED", "TIMER_CREATION_RATE_EXCEEDED"),
    *({}, [], {"name": "x"}, ["x"], "\ud800", "\0"),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return all places in a value, as what holds it and the key or index."""
    if isinstance(value, dict):
        keys: Any = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    else:
        return []
    return [place for key in keys for place in [(value, key), *places(value[key])]]


def mangled(value: Any, draw: random.Random, times: int) -> Any:
    """Return a copy in which so many things are wrong."""
    value = copy.deepcopy(value)
    for _ in range(times):
        found = places(value)
        if not found:
            break
        holder, key = draw.choice(found)
        what = draw.choice(["drop", "junk", "junk", "copy"])
        if what == "drop":
            del holder[key]
        elif what == "junk":
            holder[key] = copy.deepcopy(draw.choice(JUNK))
        else:
            other, place = draw.choice(found)
            holder[key] = copy.deepcopy(other[place])
    return value


def shuffled(happened: list[Any], draw: random.Random) -> list[Any]:
    """Return the events with some missing, twice, elsewhere, unknown, or of another type."""
    happened = copy.deepcopy(happened)
    types = [event["eventType"] for event in happened]
    for _ in range(draw.randint(1, 4)):
        index = draw.randrange(len(happened))
        what = draw.choice(["drop", "twice", "swap", "cut", "retype", "unknown"])
        if what == "drop" and len(happened) > 1:
            del happened[index]
        elif what == "twice":
            happened.insert(draw.randrange(len(happened)), copy.deepcopy(happened[index]))
        elif what == "swap":
            happened[index : index + 2] = reversed(happened[index : index + 2])
        elif what == "cut" and index:
            del happened[index:]
        elif what == "retype":
            was, event = happened[index]["eventType"], happened[index]
            event["eventType"] = now = draw.choice(types)
            attributes = event.pop(f"{was[0].lower()}{was[1:]}EventAttributes", {})
            event[f"{now[0].lower()}{now[1:]}EventAttributes"] = attributes
        else:
            happened.insert(index, {"eventId": 0, "eventType": "SomethingNew"})
    return happened


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(HISTORIES)), st.booleans(), st.integers(0, 3), st.randoms())
def test_a_bad_history_is_an_error_of_the_history_or_gets_a_sound_decision(
    name: str, in_order: bool, wrong: int, draw: random.Random
) -> None:
    happened = shuffled(HISTORIES[name], draw) if draw.random() < 0.7 else HISTORIES[name]
    if in_order:
        # So that it is not refused for the order of its ids alone.
        happened = renumbered(happened)
    happened = mangled(happened, draw, wrong)
    try:
        history, answer = decided_over(happened)
    except (HistoryError, NonDeterminismError):
        return
    check(answer.decisions, history)


# --- and the worker lives -------------------------------------------------------------------------


class Service:
    """Gives out decision tasks, as a client; remembers what is answered."""

    def __init__(self, tasks: list[Any]) -> None:
        self.tasks = tasks
        self.answers: list[tuple[Any, Any]] = []

    def poll_for_decision_task(self, **request: Any) -> Any:
        return {"events": []} if "nextPageToken" in request else self.tasks.pop(0)

    def respond_decision_task_completed(self, taskToken: Any, decisions: Any) -> None:  # noqa: N803
        self.answers.append((taskToken, decisions))


@pytest.mark.parametrize("seed", range(10))
def test_no_task_ends_a_worker_however_bad_it_is(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowy_swf.calls.FIRST_DELAY", 0.0)
    draw = random.Random(seed)
    task = {
        "taskToken": "bad",
        "startedEventId": 31,
        "previousStartedEventId": 25,
        "workflowExecution": {"workflowId": "w", "runId": "bad"},
        "workflowType": WORKFLOW.type.members,
        "nextPageToken": "",
        "events": WHOLE,
    }
    bad = [mangled(task, draw, draw.randint(1, 4)) for _ in range(40)]
    good = {**task, "taskToken": "good", "workflowExecution": EXECUTION}
    service = Service([*bad, None, [], "x", good])

    class Worker(SWFWorkflowWorker):
        def break_loop(self) -> bool:
            return not service.tasks

    worker = Worker()
    worker.register(CONFIG, factory, 1, "workflow")
    worker.run_forever("domain", "list", service, setup_log=False, register_remote=False)
    assert service.answers[-1] == ("good", EXPECTED.decisions)
    for _, decisions in service.answers:
        check(decisions)
