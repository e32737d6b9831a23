"""Histories as the service tells them, and decisions over them without a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowy_swf.config import SWFWorkflowConfig, TypeName
from flowy_swf.decider import Answer, Workflow, decide
from flowy_swf.history import History

Json = dict[str, Any]
Told = tuple[str, Json]
EXECUTION = {"workflowId": "w", "runId": "r"}
STARTED: Json = {
    "input": "[[], {}]",
    "taskStartToCloseTimeout": "60",
    "executionStartToCloseTimeout": "3600",
    "childPolicy": "TERMINATE",
    "taskList": {"name": "list"},
    "workflowType": {"name": "workflow", "version": "1"},
    "parentInitiatedEventId": 0,
}


def told(kind: str, **attributes: Any) -> Told:
    """Return an event without its number."""
    return kind, attributes


def decided(number: int) -> list[Told]:
    """Return the events of a decision; `number` is the id that the first of them gets."""
    return [
        told("DecisionTaskScheduled"),
        told("DecisionTaskStarted", scheduledEventId=number),
        told("DecisionTaskCompleted", scheduledEventId=number, startedEventId=number + 1),
    ]


def events(*happened: Told, **started: Any) -> list[Json]:
    """Return the events as the service tells them; the first is WorkflowExecutionStarted."""
    all_events = [("WorkflowExecutionStarted", {**STARTED, **started}), *happened]
    return [
        {
            "eventId": number,
            "eventType": kind,
            f"{kind[0].lower()}{kind[1:]}EventAttributes": attributes,
        }
        for number, (kind, attributes) in enumerate(all_events, 1)
    ]


def decide_over(
    factory: Callable[..., Any],
    config: SWFWorkflowConfig,
    *happened: Told,
    **started: Any,
) -> Answer:
    """Decide after these events and the beginning of the decision."""
    workflow = Workflow(TypeName("workflow", "1"), config, config.workflow(factory))
    history = History(config.payloads, workflow.code.dependencies)
    history.add_all(
        events(
            *happened,
            told("DecisionTaskScheduled"),
            told("DecisionTaskStarted", scheduledEventId=len(happened) + 2),
            **started,
        )
    )
    return decide(workflow, history, EXECUTION)


def attributes(decision: Json) -> Json:
    """Return the attributes of a decision."""
    kind = decision["decisionType"]
    found: Json = decision[f"{kind[0].lower()}{kind[1:]}DecisionAttributes"]
    return found


def kinds(answer: Answer) -> list[str]:
    """Return the types of the decisions."""
    return [decision["decisionType"] for decision in answer.decisions]
