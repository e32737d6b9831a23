"""Executions of an emulator as somebody outside sees and makes them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from flowy_swf.emulator import Emulator, Fault

DOMAIN = "shop"
TYPE = {"name": "Order", "version": "1"}
ACTIVITY = {"name": "pay", "version": "2"}
#: the first moment of these tests
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.timezone.utc)
Json = dict[str, Any]


class Client:
    """As good as a boto3 client of an emulator, without HTTP.

    Parameters
    ----------
    emulator
        what it calls.
    before
        is called before each call with the operation, as boto3 names it, and how many calls of it
        came before.
    """

    def __init__(self, emulator: Emulator, before: Callable[[str, int], None] | None = None):
        self._emulator = emulator
        self._before = before
        self.counts: Counter[str] = Counter()

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            count = self.counts[operation]
            self.counts[operation] += 1
            if self._before is not None:
                self._before(operation, count)
            name = "".join(part.title() for part in operation.split("_"))
            try:
                return _times(self._emulator.call(name, _seconds(request)))
            except Fault as fault:
                answer: Any = {"Error": {"Code": fault.name, "Message": fault.message or ""}}
                raise ClientError(answer, name) from None

        return call


def _seconds(value: Any) -> Any:
    """Write times as they are on the wire."""
    if isinstance(value, dict):
        return {key: _seconds(each) for key, each in value.items()}
    return value.timestamp() if isinstance(value, dt.datetime) else value


def _times(value: Any) -> Any:
    """Write times as boto3 does."""
    if isinstance(value, list):
        return [_times(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: dt.datetime.fromtimestamp(each, dt.timezone.utc)
        if key.endswith(("Timestamp", "Date"))
        else _times(each)
        for key, each in value.items()
    }


def start(emulator: Emulator, workflow_id: str = "order-17", **members: Any) -> str:
    """Start an execution; return its run id."""
    request = {"domain": DOMAIN, "workflowId": workflow_id, "workflowType": TYPE, **members}
    run_id: str = emulator.call("StartWorkflowExecution", request)["runId"]
    return run_id


def decide(emulator: Emulator, *decisions: Json, task_list: str = "orders") -> None:
    """Take the next decision task and answer it."""
    task = take_decision(emulator, task_list)
    request = {"taskToken": task["taskToken"], "decisions": list(decisions)}
    emulator.call("RespondDecisionTaskCompleted", request)


def take_decision(emulator: Emulator, task_list: str = "orders") -> Json:
    """Take the next decision task."""
    request = {"domain": DOMAIN, "taskList": {"name": task_list}, "identity": "decider-1"}
    return emulator.call("PollForDecisionTask", request)


def take_activity(emulator: Emulator, task_list: str = "payments") -> Json:
    """Take the next activity task."""
    request = {"domain": DOMAIN, "taskList": {"name": task_list}, "identity": "worker-1"}
    return emulator.call("PollForActivityTask", request)


def decision(kind: str, **attributes: Any) -> Json:
    """Return a decision."""
    member = f"{kind[0].lower()}{kind[1:]}DecisionAttributes"
    return {"decisionType": kind, member: attributes}


def pay(activity_id: str = "pay-0-0", **attributes: Any) -> Json:
    """Return the decision that schedules an activity."""
    return decision(
        "ScheduleActivityTask", activityId=activity_id, activityType=ACTIVITY, **attributes
    )


COMPLETE = decision("CompleteWorkflowExecution", result='{"paid": 3}')
RESTART = decision("ContinueAsNewWorkflowExecution", input="[[1], {}]")
