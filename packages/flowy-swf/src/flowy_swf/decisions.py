"""Commands of the machine as decisions of the service, within the service's limits.

A *batch* is what one response can carry. What does not fit is decided in the next decision task:
the machine commands again whatever the history does not hold. So that there is a next one, the
batch ends with a timer of no time. What would exceed the tasks that may be open waits without one,
since a task that closes brings the next decision.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Iterable
from typing import Any

from flowy.events import (
    CallId,
    CompleteWorkflow,
    FailWorkflow,
    RestartWorkflow,
    ScheduleActivity,
    ScheduleWorkflow,
)
from flowy_swf.checks import LONGEST, present
from flowy_swf.failures import Failure
from flowy_swf.history import AGAIN, DELAY, Json
from flowy_swf.payloads import LIMIT, PayloadStore, pack

Decision = dict[str, Any]
#: how many decisions a response may have
MOST = 100
#: how many bytes of a response decisions may take; the service takes 1 MB with all there is
LARGEST = 1_000_000
#: how many tasks of a kind an execution may have open
OPEN = 1_000
_ID_LIMIT = 256
_LONGEST_BACKOFF = 300


def decision(kind: str, **attributes: Any) -> Decision:
    """Return a decision with its attributes where they belong; those that are None are left out."""
    member = f"{kind[0].lower()}{kind[1:]}DecisionAttributes"
    return {"decisionType": kind, member: present(**attributes)}


def schedule(
    command: ScheduleActivity | ScheduleWorkflow,
    kind: str,
    attributes: Json,
    execution: Json,
    store: PayloadStore | None,
) -> Decision:
    """Return the decision that schedules an attempt.

    Parameters
    ----------
    command
        what to schedule.
    kind
        of the dependency: `activity`, `workflow` or `lambda`.
    attributes
        what the dependency's configuration adds.
    execution
        the workflow and run ids of the execution that decides.
    store
        where payloads go that the service does not take.
    """
    given = {
        **attributes,
        "input": pack(command.input, store),
        "control": control(command.sources),
    }
    call = command.call
    if kind == "workflow":
        workflow_id = child_id(execution["workflowId"], execution["runId"], call)
        return decision("StartChildWorkflowExecution", workflowId=workflow_id, **given)
    if kind == "lambda":
        return decision("ScheduleLambdaFunction", id=str(call), **given)
    return decision("ScheduleActivityTask", activityId=str(call), **given)


def child_id(workflow_id: str, run_id: str, call: CallId) -> str:
    """Return the workflow id of a child: the same for the same call of the same run, always."""
    digest = hashlib.sha256(f"{workflow_id}\n{run_id}".encode()).hexdigest()[:16]
    ending = f"-{digest}:{call}"
    return f"{workflow_id[: _ID_LIMIT - len(ending)]}{ending}"


def control(sources: Iterable[CallId]) -> str | None:
    """Return what a decision tells traces: the calls whose results went into the input."""
    after = [str(call) for call in sources]
    if not after:
        return None
    text = json.dumps({"after": after})
    while len(text) > LIMIT:
        kept = after[: len(after) // 2]
        text = json.dumps({"after": kept, "omitted": True})
        after = kept
    return text


def delay_timer(call: CallId, delay: float) -> Decision:
    """Return the decision that delays an attempt; the service waits for whole seconds."""
    return decision(
        "StartTimer",
        timerId=f"{call}{DELAY}",
        startToFireTimeout=str(min(LONGEST, math.ceil(delay))),
    )


def again_timer(decision_id: int, delay: float) -> Decision:
    """Return the decision that brings about another decision; one decision starts at most one.

    A delay of 0 is as good as any: the service's reference says of `startToFireTimeout` that it is
    "an integer greater than or equal to 0", for the decision and for the event.
    """
    return decision(
        "StartTimer", timerId=f"{AGAIN}{decision_id}", startToFireTimeout=str(math.ceil(delay))
    )


def backoff(times: int) -> float:
    """Return the seconds to wait after having been refused so many times."""
    # Not repeatable and need not be: the timer is in the history.
    return min(_LONGEST_BACKOFF, 2.0 ** min(times, 10)) * (0.5 + random.random())


def close(
    command: CompleteWorkflow | FailWorkflow | RestartWorkflow,
    started: Json,
    store: PayloadStore | None,
) -> Decision:
    """Return the decision that closes the execution.

    Parameters
    ----------
    command
        how it closes.
    started
        the attributes of its first event: an execution that continues as new keeps them.
    store
        where payloads go that the service does not take.
    """
    if isinstance(command, CompleteWorkflow):
        return decision("CompleteWorkflowExecution", result=pack(command.result, store))
    if isinstance(command, RestartWorkflow):
        kept = {
            member: started.get(member)
            for member in (
                "executionStartToCloseTimeout",
                "taskStartToCloseTimeout",
                "taskList",
                "taskPriority",
                "childPolicy",
                "tagList",
                "lambdaRole",
            )
        }
        return decision(
            "ContinueAsNewWorkflowExecution",
            input=pack(command.input, store),
            workflowTypeVersion=started["workflowType"]["version"],
            **kept,
        )
    return fail(Failure.of(command.error))


def fail(failure: Failure) -> Decision:
    """Return the decision that fails the execution."""
    return decision("FailWorkflowExecution", reason=failure.reason, details=failure.details)


class Slots:
    """How many more tasks may be open.

    Parameters
    ----------
    limit
        how many may be, of all kinds together.
    taken
        how many are.
    by_kind
        how many of each kind are, timers among them.
    """

    def __init__(self, limit: int, taken: int, by_kind: dict[str, int]) -> None:
        self._free = limit - taken
        # The last timer is for another decision.
        self._by_kind = {kind: OPEN - taken - (kind == "timer") for kind, taken in by_kind.items()}

    def take(self, kind: str) -> bool:
        """Take a slot for a task of a kind; return whether there was one."""
        if self._free < 1 or self._by_kind[kind] < 1:
            return False
        self._free -= 1
        self._by_kind[kind] -= 1
        return True


class Batch:
    """The decisions of one response.

    Parameters
    ----------
    decision_id
        the id of the event with which the decision began.
    """

    def __init__(self, decision_id: int) -> None:
        self.decisions: list[Decision] = []
        self._id = decision_id
        self._size = 0

    def add(self, decision: Decision) -> bool:
        """Add a decision if it fits; return whether it did. After one that did not, add no more."""
        size = len(json.dumps(decision)) + 2
        # The last place is for the timer.
        if len(self.decisions) >= MOST - 1 or self._size + size > LARGEST:
            self.decide_again(0)
            return False
        self._size += size
        self.decisions.append(decision)
        return True

    def decide_again(self, delay: float) -> None:
        """See to it that there is another decision after this one, `delay` seconds later."""
        self.decisions.append(again_timer(self._id, delay))
