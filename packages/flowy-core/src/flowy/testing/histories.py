"""Histories of executions: recording them, saving them as JSON, loading them."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from typing import Any, TypeAlias, get_args

from flowy.engine_api import ExecutionInfo, Observer
from flowy.errors import TaskError
from flowy.events import (
    CallId,
    CloseWorkflow,
    Command,
    CompleteWorkflow,
    Event,
    FailWorkflow,
    RestartWorkflow,
)

#: the form of the files; a change that older code cannot read gives it another number
FORMAT = 1

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (*get_args(Event), *get_args(CloseWorkflow))
}
#: what is no part of a saved history: exceptions, which are told by type and message instead
_LEFT_OUT = {"cause", "error"}

_Path: TypeAlias = "str | os.PathLike[str]"


@dataclass(frozen=True, slots=True)
class History:
    """What happened in one execution of a workflow."""

    #: the workflow's name
    workflow: str
    #: the payload of its arguments
    input: Any
    #: what happened, in order
    events: tuple[Event, ...] = ()
    #: how it ended, or None if it is still running
    end: CloseWorkflow | None = None
    #: which execution of its run it is, as `flowy.ExecutionInfo` says it
    path: str = ""
    #: how many executions of a chain of restarts came before
    restarts: int = 0


class LoadedError(Exception):
    """Stands for the error that an execution failed with, in a history that was loaded."""


class Recorder(Observer):
    """Records the history of each execution in a run.

    It is an observer: `workflow.run(..., _observers=[recorder])`.
    """

    def __init__(self) -> None:
        self._recordings: list[_Recording] = []
        # One recorder may serve several runs, one after another.
        self._latest: dict[str, _Recording] = {}

    @property
    def histories(self) -> list[History]:
        """The histories so far, in the order in which the executions began; the root's is first."""
        return [recording.history() for recording in self._recordings]

    def execution_started(self, execution: ExecutionInfo, input: Any, time: float) -> None:
        """Begin a history."""
        self._latest[execution.path] = recording = _Recording(execution, input)
        self._recordings.append(recording)

    def command(self, execution: ExecutionInfo, command: Command, time: float) -> None:
        """Note how the execution ends."""
        if isinstance(command, CompleteWorkflow | FailWorkflow | RestartWorkflow):
            self._latest[execution.path].end = command

    def event(self, execution: ExecutionInfo, event: Event, time: float) -> None:
        """Note what happened."""
        self._latest[execution.path].events.append(event)


@dataclass
class _Recording:
    """A history that is still growing."""

    execution: ExecutionInfo
    input: Any
    events: list[Event] = field(default_factory=list)
    end: CloseWorkflow | None = None

    def history(self) -> History:
        about = self.execution
        events = tuple(self.events)
        return History(about.workflow, self.input, events, self.end, about.path, about.restarts)


def save_history(history: History, path: _Path) -> None:
    """Write a history to a file, as JSON that `load_history` reads.

    Exceptions are saved by type, message and traceback.

    Raises
    ------
    TypeError
        it holds values that are not JSON text, because it is of a run with `codec="object"`.
    """
    if not isinstance(history.input, str):
        raise TypeError(
            f"the history of {history.workflow} cannot be saved, because its values are no JSON "
            'text: record it from a run with codec="json"'
        )
    saved = {
        "flowy-history": FORMAT,
        "workflow": history.workflow,
        "path": history.path,
        "restarts": history.restarts,
        "input": history.input,
        "events": [_dump(event) for event in history.events],
        "end": None if history.end is None else _dump(history.end),
    }
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump(saved, file, indent=1)
        file.write("\n")


def load_history(path: _Path) -> History:
    """Read a history that `save_history` wrote.

    Raises
    ------
    ValueError
        the file holds something else, or a history in a form that this version does not know.
    """
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        saved = json.loads(text)
        form = saved["flowy-history"]
    except (ValueError, TypeError, KeyError):
        raise ValueError(
            f"{os.fspath(path)!r} holds no history: expected what save_history() writes"
        ) from None
    if form != FORMAT:
        raise ValueError(
            f"{os.fspath(path)!r} is a history of form {form!r}, and this version of Flowy knows "
            f"form {FORMAT}: load it with the version that saved it, or a newer one"
        )
    return History(
        saved["workflow"],
        saved["input"],
        tuple(map(_load, saved["events"])),
        None if saved["end"] is None else _load(saved["end"]),
        saved["path"],
        saved["restarts"],
    )


def summary_of(error: BaseException) -> str:
    """Return an error in words that are the same whether or not the history was saved meanwhile.

    The text of a TaskError is not: it depends on whether the cause is at hand.
    """
    if isinstance(error, LoadedError):
        return str(error)
    text = error.summary() if isinstance(error, TaskError) else str(error)
    return f"{type(error).__name__}: {text}"


def _dump(value: Event | CloseWorkflow) -> dict[str, Any]:
    """Return an event, or how an execution ended, as JSON."""
    saved: dict[str, Any] = {"is": type(value).__name__}
    for each in dataclasses.fields(value):
        if each.name not in _LEFT_OUT:
            item = getattr(value, each.name)
            saved[each.name] = str(item) if isinstance(item, CallId) else item
    if isinstance(value, FailWorkflow):
        saved["summary"] = summary_of(value.error)
    return saved


def _load(saved: dict[str, Any]) -> Any:
    """Return what `_dump` made this of."""
    facts = dict(saved)
    kind = _KINDS[facts.pop("is")]
    if "call" in facts:
        facts["call"] = CallId.parse(facts["call"])
    if kind is FailWorkflow:
        facts["error"] = LoadedError(facts["summary"])
    return kind(**facts)
