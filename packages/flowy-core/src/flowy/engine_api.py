"""What an engine and an observer are.

An engine takes a workflow's commands, carries them out, and brings back events. An observer is told
of them. Both come from plugins; see `flowy.hookspecs`.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowy.events import (
    CallId,
    Command,
    Event,
    ScheduleActivity,
    ScheduleWorkflow,
    TaskCompleted,
    TaskScheduled,
    TaskStarted,
)

logger = logging.getLogger("flowy")


@dataclass(frozen=True, slots=True)
class Engine:
    """What a plugin says of its engine. It imports nothing until it is used."""

    #: the name to ask for it by: `flowy.engine(name)`
    name: str
    #: a line about it, for people
    summary: str
    #: takes a workflow's factory and the engine's options, and returns the workflow's
    #: configuration: a callable, or where it is, as `"module:attribute"`
    configure: str | Callable[..., Any]
    #: the names that it offers as attributes of `flowy`, and where each is: `"module:attribute"`
    names: Mapping[str, str] = field(default_factory=dict)

    def workflow(self, factory: Callable[..., Any], **options: Any) -> Any:
        """Return the configuration of a workflow for this engine.

        Parameters
        ----------
        factory
            the workflow: takes its dependencies by keyword and returns a callable.
        options
            what the engine takes.

        Raises
        ------
        TypeError
            the engine has no such option; the message names the nearest one it has.
        """
        configure = load(self.configure) if isinstance(self.configure, str) else self.configure
        self._check_options(configure, options)
        return configure(factory, **options)

    def _check_options(self, configure: Callable[..., Any], options: Mapping[str, Any]) -> None:
        parameters = list(inspect.signature(configure).parameters.values())
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return
        known = [
            parameter.name
            for parameter in parameters[1:]
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        ]
        for option in options:
            if option not in known:
                near = difflib.get_close_matches(option, known, n=1)
                has = ", ".join(known) or "none"
                hint = f"did you mean {near[0]!r}?" if near else f"it has {has}"
                raise TypeError(f"engine {self.name!r} has no option {option!r}; {hint}")


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run of a workflow, as an observer is told of it."""

    #: what tells this run from others
    id: str
    #: the workflow's name
    workflow: str
    #: the engine's name
    engine: str


@dataclass(frozen=True, slots=True)
class ExecutionInfo:
    """An execution in a run: the root, a child, or one that a restart started.

    Engines make them with `root` and `child`, which know what paths look like.
    """

    #: what tells it from every other of its run: the calls that lead to it, such as
    #: `sub-0-0/t-1-0`, and empty for the root. What a restart started has the number of restarts
    #: behind its own part: `~1`, `sub-0-0~2`, `~1/sub-0-0`
    path: str
    #: the workflow's name
    workflow: str
    #: how many executions of a chain of restarts came before
    restarts: int = 0
    #: the path of the parent, or None for the root
    parent: str | None = None
    #: the parent's call, or None for the root
    call: CallId | None = None

    @classmethod
    def root(cls, workflow: str, restarts: int = 0) -> ExecutionInfo:
        """Return the root of a run, or what the root's restarts have started."""
        return cls(restarted_path("", restarts), workflow, restarts)

    def child(self, call: CallId, workflow: str, restarts: int = 0) -> ExecutionInfo:
        """Return the child that is behind a call of this execution, or what it has restarted as."""
        path = restarted_path(child_path(self.path, call), restarts)
        return ExecutionInfo(path, workflow, restarts, self.path, call)


def child_path(parent: str, call: CallId) -> str:
    """Return the path of the child that is behind a call, before it restarts."""
    return f"{parent}/{call}" if parent else str(call)


def restarted_path(path: str, restarts: int) -> str:
    """Return the path of what the execution at a path has restarted as."""
    return f"{path}~{restarts}" if restarts else path


class Observer:
    """Is told what happens in a run; does nothing by itself.

    Its methods are called one at a time, in the order in which things happen, on whatever thread
    they happen; while one of them runs the engine waits, so they should be quick. Times are in
    seconds since 1970 (UTC), by the engine's clock, which does not go back in a run. An observer
    that raises an error is logged and told nothing more; the run goes on.

    What happens to every task is told by its parts: to make values of them for nobody would be
    most of what an observer costs. By itself an observer makes them, for `command` and `event`.
    """

    def execution_started(self, execution: ExecutionInfo, input: Any, time: float) -> None:
        """Take note that an execution begins, with the payload of its input."""

    def command(self, execution: ExecutionInfo, command: Command, time: float) -> None:
        """Take note of what an execution wants done, its closing included."""

    def event(self, execution: ExecutionInfo, event: Event, time: float) -> None:
        """Take note of what happened to an execution."""

    def task_scheduled(
        self,
        execution: ExecutionInfo,
        call: CallId,
        input: Any,
        kind: str,
        sources: tuple[CallId, ...],
        time: float,
    ) -> None:
        """Take note that an attempt was commanded, and taken on; or that as a command and an event.

        Parameters
        ----------
        execution
            whose call it is.
        call
            the attempt.
        input
            the payload of its arguments.
        kind
            what runs it: `activity`, `workflow` and so on.
        sources
            the calls whose results went into the input.
        time
            when.
        """
        if _listens(self, "command"):
            command = ScheduleWorkflow if kind == "workflow" else ScheduleActivity
            self.command(execution, command(call, input, sources), time)
        self.event(execution, TaskScheduled(call, input, kind), time)

    def task_started(
        self, execution: ExecutionInfo, call: CallId, worker: str, time: float
    ) -> None:
        """Take note that a worker began with an attempt; or that as an event."""
        self.event(execution, TaskStarted(call, worker), time)

    def task_completed(
        self, execution: ExecutionInfo, call: CallId, result: Any, time: float
    ) -> None:
        """Take note that an attempt ended well, with its result's payload; or that as an event."""
        self.event(execution, TaskCompleted(call, result), time)

    def run_ended(self, time: float) -> None:
        """Take note that the run is over; nothing more will be told."""


class Observers(Observer):
    """Tells several observers, and drops those that fail.

    An observer whose method is that of `Observer`, which does nothing, is not bothered with it.

    Parameters
    ----------
    observers
        who is told.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = list(observers)
        self._find_listeners()

    def __bool__(self) -> bool:
        return bool(self._observers)

    def execution_started(self, execution: ExecutionInfo, input: Any, time: float) -> None:
        """Pass it on."""
        for observer in self._observers:
            try:
                observer.execution_started(execution, input, time)
            except Exception:
                self._drop(observer, "execution_started")

    def command(self, execution: ExecutionInfo, command: Command, time: float) -> None:
        """Pass it on."""
        for observer in self._commands:
            try:
                observer.command(execution, command, time)
            except Exception:
                self._drop(observer, "command")

    def event(self, execution: ExecutionInfo, event: Event, time: float) -> None:
        """Pass it on."""
        for observer in self._events:
            try:
                observer.event(execution, event, time)
            except Exception:
                self._drop(observer, "event")

    def task_scheduled(
        self,
        execution: ExecutionInfo,
        call: CallId,
        input: Any,
        kind: str,
        sources: tuple[CallId, ...],
        time: float,
    ) -> None:
        """Pass it on."""
        for observer in self._scheduled:
            try:
                observer.task_scheduled(execution, call, input, kind, sources, time)
            except Exception:
                self._drop(observer, "task_scheduled")

    def task_started(
        self, execution: ExecutionInfo, call: CallId, worker: str, time: float
    ) -> None:
        """Pass it on."""
        for observer in self._started:
            try:
                observer.task_started(execution, call, worker, time)
            except Exception:
                self._drop(observer, "task_started")

    def task_completed(
        self, execution: ExecutionInfo, call: CallId, result: Any, time: float
    ) -> None:
        """Pass it on."""
        for observer in self._completed:
            try:
                observer.task_completed(execution, call, result, time)
            except Exception:
                self._drop(observer, "task_completed")

    def run_ended(self, time: float) -> None:
        """Pass it on, and nothing after it: what nobody needs any more may go on for a while."""
        for observer in self._observers:
            try:
                observer.run_ended(time)
            except Exception:
                self._drop(observer, "run_ended")
        self._observers = []
        self._find_listeners()

    def _find_listeners(self) -> None:
        # New lists every time, because the old ones may be being gone through.
        self._commands = self._listening("command")
        self._events = self._listening("event")
        self._scheduled = self._listening("task_scheduled", "command", "event")
        self._started = self._listening("task_started", "event")
        self._completed = self._listening("task_completed", "event")

    def _listening(self, *methods: str) -> list[Observer]:
        return [
            observer
            for observer in self._observers
            if any(_listens(observer, method) for method in methods)
        ]

    def _drop(self, observer: Observer, what: str) -> None:
        self._observers = [each for each in self._observers if each is not observer]
        self._find_listeners()
        logger.exception(
            "observer %r failed in %s() and is told nothing more; the run goes on", observer, what
        )


def _listens(observer: Observer, what: str) -> bool:
    """Return whether an observer has a method of its own for what it may be told.

    One that lacks the method, as only one of another class can, is taken for failing when told.
    """
    method = getattr(observer, what, None)
    return getattr(method, "__func__", None) is not getattr(Observer, what)


def load(reference: str) -> Any:
    """Import what `"module:attribute"` refers to.

    Raises
    ------
    ValueError
        the reference has another form.
    ImportError
        there is no such module, or it has no such attribute.
    """
    module_name, colon, attribute = reference.partition(":")
    if not (module_name and colon and attribute):
        raise ValueError(f"{reference!r} is no reference; expected 'module:attribute'")
    thing: Any = importlib.import_module(module_name)
    for name in attribute.split("."):
        try:
            thing = getattr(thing, name)
        except AttributeError:
            raise ImportError(
                f"{module_name!r} has no attribute {attribute!r}", name=module_name
            ) from None
    return thing
