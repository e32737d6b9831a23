"""Histories cut, with events twice, members missing, events unknown: never a wrong decision."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.swf.histories import EXECUTION, decided, events, told

import flowy
from flowy.errors import NonDeterminismError
from flowy.execution import HistoryError
from flowy_swf.config import SWFWorkflowConfig, TypeName
from flowy_swf.decider import Answer, Workflow, decide
from flowy_swf.history import History


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


values: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(-1, 40), st.sampled_from(["", "a-0-0", "x", "[[], {}]"]), st.just({})
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_is_wrong_with_a_history_is_an_error_of_the_history(data: st.DataObject) -> None:
    happened: list[Any] = copy.deepcopy(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        what = data.draw(st.sampled_from(["drop", "swap", "change", "retype"]))
        index = data.draw(st.integers(0, len(happened) - 2))
        if what == "drop":
            del happened[index]
        elif what == "swap":
            happened[index : index + 2] = reversed(happened[index : index + 2])
        elif what == "retype":
            happened[index]["eventType"] = data.draw(
                st.sampled_from([event["eventType"] for event in WHOLE])
            )
        else:
            event = happened[index]
            keys = [key for key, value in event.items() if isinstance(value, dict) and value]
            if keys:
                attributes = event[keys[0]]
                attributes[data.draw(st.sampled_from(sorted(attributes)))] = data.draw(values)
    if data.draw(st.booleans()):
        for number, event in enumerate(happened, 1):
            event["eventId"] = number
    try:
        answer = answer_to(happened)
    except (HistoryError, NonDeterminismError):
        return
    assert isinstance(answer, Answer)
