"""Events and commands: what goes into the machine and what comes out of it.

All are frozen values. An *event* tells the machine what happened; the events of an execution in
order are its history. A *command* tells an engine what to do next. The words are those of Amazon
SWF and Temporal.

Inputs and results are *payloads*: what the codec made of the values, JSON text by default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias


class CallId(NamedTuple):
    """The identity of one attempt at one call; written `square-0-0`."""

    #: the dependency's name
    name: str
    #: which call of the dependency in program order, from 0
    number: int
    #: which attempt, from 0
    attempt: int = 0

    def __str__(self) -> str:
        return f"{self.name}-{self.number}-{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> CallId:
        """Return the identity written as `text`; raise ValueError when it is none."""
        parts = text.rsplit("-", 2)
        if len(parts) != 3 or not all(part.isdecimal() for part in parts[1:]):
            raise ValueError(
                f"{text!r} is no call identity; expected name-call-attempt, such as 'square-0-0'"
            )
        return cls(parts[0], int(parts[1]), int(parts[2]))


# --- events --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskScheduled:
    """The engine took on an attempt at a call."""

    call: CallId
    #: the arguments' payload
    input: Any
    #: what runs it: `activity`, `workflow`
    kind: str = "activity"


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A worker began with an attempt."""

    call: CallId
    #: which worker, in the engine's words
    worker: str = ""


@dataclass(frozen=True, slots=True)
class TaskCompleted:
    """An attempt ended well."""

    call: CallId
    #: the result's payload
    result: Any


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """An attempt raised an error."""

    call: CallId
    error_type: str
    message: str = ""
    #: the traceback's text, where there is one
    traceback: str = ""
    #: the exception itself, where it is at hand; no part of the event's identity
    cause: BaseException | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TaskTimedOut:
    """An attempt passed one of its limits."""

    call: CallId
    #: which limit, in SWF's words: `START_TO_CLOSE`, `HEARTBEAT` and so on
    timeout_type: str = "START_TO_CLOSE"


@dataclass(frozen=True, slots=True)
class TaskCancelled:
    """An attempt ended because it was asked to."""

    call: CallId
    details: str = ""


@dataclass(frozen=True, slots=True)
class TimerStarted:
    """The engine waits before it schedules an attempt."""

    call: CallId
    #: in seconds
    delay: float


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The wait before an attempt is over."""

    call: CallId


@dataclass(frozen=True, slots=True)
class SignalReceived:
    """Somebody outside sent a signal to the workflow."""

    name: str
    input: Any = None


@dataclass(frozen=True, slots=True)
class MarkerRecorded:
    """A value was noted in the history."""

    name: str
    details: Any = None


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody outside asked the workflow to stop."""

    reason: str = ""


TaskClosed: TypeAlias = TaskCompleted | TaskFailed | TaskTimedOut | TaskCancelled
Event: TypeAlias = (
    TaskScheduled
    | TaskStarted
    | TaskClosed
    | TimerStarted
    | TimerFired
    | SignalReceived
    | MarkerRecorded
    | CancelRequested
)


# --- commands ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScheduleActivity:
    """Run an attempt of an activity."""

    call: CallId
    input: Any
    #: the calls whose results went into the input
    sources: tuple[CallId, ...] = ()


@dataclass(frozen=True, slots=True)
class ScheduleWorkflow:
    """Start a child workflow."""

    call: CallId
    input: Any
    #: the calls whose results went into the input
    sources: tuple[CallId, ...] = ()


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Wait, then tell the machine TimerFired with the same call."""

    call: CallId
    #: in seconds
    delay: float


@dataclass(frozen=True, slots=True)
class RecordMarker:
    """Note a value in the history."""

    name: str
    details: Any = None


@dataclass(frozen=True, slots=True)
class CompleteWorkflow:
    """The workflow is done."""

    #: the result's payload
    result: Any


@dataclass(frozen=True, slots=True)
class FailWorkflow:
    """The workflow failed."""

    #: the exception out of the workflow code, or the TaskError of a failed result it returned
    error: BaseException = field(compare=False)
    #: the same in words, for comparison
    summary: str = ""


@dataclass(frozen=True, slots=True)
class RestartWorkflow:
    """The workflow is done and starts anew with an empty history."""

    input: Any


CloseWorkflow: TypeAlias = CompleteWorkflow | FailWorkflow | RestartWorkflow
Command: TypeAlias = ScheduleActivity | ScheduleWorkflow | StartTimer | RecordMarker | CloseWorkflow
