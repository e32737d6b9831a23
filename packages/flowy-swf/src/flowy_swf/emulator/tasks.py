"""Writing events and moving tasks: scheduled, started, closed, timed out.

Events ask for decision tasks, decision tasks are written as events, and time-outs write events too:
that circle is closed here and nowhere else. One table says which time-outs a kind of task has.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flowy_swf.emulator.execution import CLOSE_STATUS, WAKING, Execution, Task, present
from flowy_swf.emulator.state import ExecutionClosedError, HistoryFullError, State

#: How the events of each kind of task begin.
_PREFIX = {"activity": "ActivityTask", "decision": "DecisionTask", "lambda": "LambdaFunction"}

#: The time-outs of a task that waits to be started, and of one that is: their types, and the
#: members of the scheduling event that set them.
_WAITING_TIMEOUTS: dict[str, tuple[tuple[str, str], ...]] = {
    "activity": (
        ("SCHEDULE_TO_START", "scheduleToStartTimeout"),
        ("SCHEDULE_TO_CLOSE", "scheduleToCloseTimeout"),
    ),
    "decision": (("SCHEDULE_TO_START", "scheduleToStartTimeout"),),
    "lambda": (),
}
_STARTED_TIMEOUTS: dict[str, tuple[tuple[str, str], ...]] = {
    "activity": (("START_TO_CLOSE", "startToCloseTimeout"), ("HEARTBEAT", "heartbeatTimeout")),
    "decision": (("START_TO_CLOSE", "startToCloseTimeout"),),
    "lambda": (("START_TO_CLOSE", "startToCloseTimeout"),),
}


def seconds(duration: str) -> int | None:
    """Read a duration; None is no limit."""
    return None if duration == "NONE" else int(duration)


def record(state: State, execution: Execution, event_type: str, **attributes: Any) -> int:
    """Write an event, leaving out members that are None; wake the decider if it must see it.

    Raises HistoryFullError instead of writing an event too many, unless it is a closing one.
    """
    if not execution.is_open:
        raise ExecutionClosedError
    if len(execution.events) >= state.quotas.events and event_type not in CLOSE_STATUS:
        raise HistoryFullError(execution)
    event_id = execution.append(state.now, event_type, present(**attributes))
    if event_type in WAKING:
        wake(state, execution)
    return event_id


def wake(state: State, execution: Execution) -> None:
    """See to it that a decision task waits for a decider, now or after the one being decided."""
    if execution.deciding:
        # The events of one batch of decisions come first, then one decision task for all.
        execution.wanted = True
        return
    if execution.waiting is None:
        record(
            state,
            execution,
            "DecisionTaskScheduled",
            taskList=execution.task_list,
            taskPriority=execution.started.get("taskPriority"),
            startToCloseTimeout=execution.started["taskStartToCloseTimeout"],
            scheduleToStartTimeout=execution.override_timeout or "NONE",
        )
    offer_decision(state, execution)


def offer_decision(state: State, execution: Execution) -> None:
    """Queue the decision task that waits, unless another one is still being decided."""
    task = execution.waiting
    if task is not None and execution.current is None and not task.queued:
        enqueue(state, task)


def enqueue(state: State, task: Task) -> None:
    """Put a scheduled task in its list."""
    for timeout_type, member in _WAITING_TIMEOUTS[task.kind]:
        _arm(state, task, timeout_type, task.attributes[member])
    state.list_of(task).push(task)


def start(state: State, task: Task, identity: str | None, caller: object) -> None:
    """Give a task to a caller. A task given out before is given again, and stays as it was."""
    if not task.started_id:
        record(
            state,
            task.execution,
            f"{_PREFIX[task.kind]}Started",
            scheduledEventId=task.scheduled_id,
            identity=identity,
        )
        _disarm(state, task, "SCHEDULE_TO_START")
        for timeout_type, member in _STARTED_TIMEOUTS[task.kind]:
            _arm(state, task, timeout_type, task.attributes[member])
    work_on(state, task, caller)


def work_on(state: State, task: Task, caller: object) -> None:
    """Note that a caller works on a task, so that time must not skip."""
    task.caller = caller
    state.busy.add(task)


def heartbeat(state: State, task: Task, details: str | None, caller: object) -> None:
    """Note that an activity is alive."""
    if details is not None:
        task.details = details
    _disarm(state, task, "HEARTBEAT")
    _arm(state, task, "HEARTBEAT", task.attributes["heartbeatTimeout"])
    work_on(state, task, caller)


def finish(state: State, task: Task, outcome: str, **attributes: Any) -> int:
    """Close a task with an event such as ActivityTask + Completed, and give the event's id."""
    event_id = record(
        state,
        task.execution,
        f"{_PREFIX[task.kind]}{outcome}",
        scheduledEventId=task.scheduled_id,
        startedEventId=task.started_id,
        **attributes,
    )
    release(state, task)
    return event_id


def release(state: State, task: Task) -> None:
    """Let go of a task that is closed."""
    for alarm in task.alarms.values():
        state.timeline.cancel(alarm)
    state.busy.discard(task)
    state.dequeue(task)


def _time_out(state: State, task: Task, timeout_type: str) -> None:
    finish(state, task, "TimedOut", timeoutType=timeout_type, details=task.details)


def _arm(state: State, task: Task, timeout_type: str, duration: str) -> None:
    limit = seconds(duration)
    if limit is not None:
        expire = partial(_time_out, state, task, timeout_type)
        task.alarms[timeout_type] = state.timeline.set(limit, expire)


def _disarm(state: State, task: Task, timeout_type: str) -> None:
    alarm = task.alarms.pop(timeout_type, None)
    if alarm is not None:
        state.timeline.cancel(alarm)
