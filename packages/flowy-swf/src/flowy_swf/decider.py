"""One decision: from the history of an execution to the decisions that go on with it.

The history decides everything. Nothing is kept from one decision to the next, so a decision that is
lost on its way is made again, by whichever decider gets it, and is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from flowy.config import WorkflowConfig
from flowy.errors import NonDeterminismError
from flowy.events import (
    CloseWorkflow,
    Command,
    RestartWorkflow,
    ScheduleActivity,
    ScheduleWorkflow,
    StartTimer,
)
from flowy.execution import Execution
from flowy_swf import decisions
from flowy_swf.causes import PASSING, meaning
from flowy_swf.config import SWFWorkflowConfig, TypeName
from flowy_swf.decisions import Batch, Decision, Slots
from flowy_swf.failures import Failure
from flowy_swf.history import AGAIN, History
from flowy_swf.task_log import TaskLog

#: From this many events on, the service's limit of 25,000 is in sight.
LONG_HISTORY = 10_000
#: how many seconds an answer is held back at most
_LONGEST_HOLD = 30.0


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that a decider knows."""

    type: TypeName
    config: SWFWorkflowConfig
    #: the factory and what it may call
    code: WorkflowConfig


class Answer(NamedTuple):
    """What a decider answers to a decision task."""

    decisions: list[Decision]
    #: how many seconds to wait before answering, so that what is refused again and again does not
    #: spin
    hold: float = 0


def decide(workflow: Workflow, history: History, execution: Mapping[str, str]) -> Answer:
    """Return the decisions for an execution.

    Parameters
    ----------
    workflow
        the workflow's code.
    history
        what happened so far.
    execution
        the workflow and run ids, `workflowId` and `runId`.

    Raises
    ------
    NonDeterminismError
        the code does not repeat the history.
    HistoryError
        the history cannot be one.
    PayloadStoreError
        a store of payloads did not take one.
    """
    if history.cancel_requested:
        return _held(_cancel(history), history)
    core = Execution(
        workflow.code.factory,
        workflow.code.dependencies,
        history.input,
        history.events,
        codec=workflow.config.codec,
        seed=execution["runId"],
        replayed=history.replayed,
    )
    commands = _run(core)
    if core.closed is not None:
        log = TaskLog({"workflowExecution": execution})
        answer = _close(history, core.closed, workflow, log)
        if answer.decisions:
            for error in core.unseen_failures():
                log.warning(
                    "%s, of type %s, ended and never looked at this failure: %s",
                    log,
                    workflow.type,
                    error.summary(),
                )
        return answer
    batch = Batch(history.decision_started)
    slots = Slots(
        workflow.config.rate_limit,
        history.open_calls,
        {
            "activity": len(history.activities),
            "workflow": len(history.children),
            "lambda": len(history.lambdas),
            "timer": len(history.timers),
        },
    )
    for call, times in history.throttled.items():
        if not slots.take("timer"):
            break
        if not batch.add(decisions.delay_timer(call, decisions.backoff(times))):
            break
    else:
        _add_commands(batch, slots, commands, workflow, history, execution)
    return _held(batch.decisions, history)


def _run(core: Execution) -> list[Command]:
    try:
        return core.run()
    except (NonDeterminismError, KeyboardInterrupt):
        raise
    except BaseException as exc:
        # SystemExit and the like end this workflow, not the decider that it happens to run on.
        core.fail(exc)
        return core.apply()


def _add_commands(
    batch: Batch,
    slots: Slots,
    commands: list[Command],
    workflow: Workflow,
    history: History,
    execution: Mapping[str, str],
) -> None:
    dependencies = workflow.code.dependencies
    store = workflow.config.payloads
    # Whatever the order of events made the machine think: what a timer waits for is on its way.
    waiting = history.throttled.keys() | set(history.timers.values())
    for command in commands:
        assert isinstance(command, (ScheduleActivity, ScheduleWorkflow, StartTimer))
        call = command.call
        if call in waiting:
            continue
        dependency = dependencies[call.name]
        # Before the decision is made, which may write an input into a store.
        if not slots.take("timer" if isinstance(command, StartTimer) else dependency.kind):
            return
        if isinstance(command, StartTimer):
            made = decisions.delay_timer(call, command.delay)
        else:
            attributes = dependency.target.attributes
            made = decisions.schedule(command, dependency.kind, attributes, execution, store)
        if not batch.add(made):
            return


def _close(history: History, command: CloseWorkflow, workflow: Workflow, log: TaskLog) -> Answer:
    cause = history.closing_cause
    if cause and isinstance(command, RestartWorkflow) and _is_final(cause):
        return Answer([decisions.fail(Failure(cause, f"cannot restart: {meaning(cause)}"))])
    if cause:
        log.error(
            "closing %s, of type %s, was refused (%s: %s); it is tried again later",
            log,
            workflow.type,
            cause,
            meaning(cause),
        )
        delay = decisions.backoff(history.closing_refused)
        return _held([decisions.again_timer(history.decision_started, delay)], history)
    if history.closing_refused and _decides_again(history):
        return Answer([])
    return Answer([decisions.close(command, history.started, workflow.config.payloads)])


def _is_final(cause: str) -> bool:
    # What the credentials do not permit, they do not permit for a failure either.
    return cause not in PASSING and cause != "OPERATION_NOT_PERMITTED"


def _decides_again(history: History) -> bool:
    return any(timer_id.startswith(AGAIN) for timer_id in history.timers)


def _cancel(history: History) -> list[Decision]:
    """Ask what is open to stop, and close the execution when nothing is."""
    if not (history.activities or history.children or history.lambdas):
        if history.closing_cause:
            delay = decisions.backoff(history.closing_refused)
            return [decisions.again_timer(history.decision_started, delay)]
        if history.closing_refused and _decides_again(history):
            return []
        return [decisions.decision("CancelWorkflowExecution")]
    batch = Batch(history.decision_started)
    for scheduled_id, call in history.activities.items():
        if scheduled_id not in history.cancelling:
            request = decisions.decision("RequestCancelActivityTask", activityId=str(call))
            if not batch.add(request):
                return batch.decisions
    if history.cancelling_throttled:
        batch.decide_again(decisions.backoff(history.cancelling_refused))
        return batch.decisions
    for initiated_id, child in history.children.items():
        if initiated_id not in history.cancelling:
            # Without a run id: it may have continued as new.
            request = decisions.decision(
                "RequestCancelExternalWorkflowExecution", workflowId=child.workflow_id
            )
            if not batch.add(request):
                return batch.decisions
    return batch.decisions


def _held(made: list[Decision], history: History) -> Answer:
    """Return an answer that is held back if it starts timers and timers were refused."""
    starts = any(decision["decisionType"] == "StartTimer" for decision in made)
    if not starts or not history.timers_refused:
        return Answer(made)
    limit = history.started.get("taskStartToCloseTimeout", "NONE")
    longest = _LONGEST_HOLD if limit == "NONE" else min(_LONGEST_HOLD, int(limit) / 3)
    return Answer(made, min(longest, 2.0 ** min(history.timers_refused - 1, 10)))
