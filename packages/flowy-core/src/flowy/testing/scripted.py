"""Running a workflow against scripted tasks, on a virtual clock.

It is an engine in one thread. While the workflow code waits, the engine takes the next thing due
from its agenda and moves the clock there, so that hours of delays take no time. Nothing depends on
the machine: what ends at the same second ends in the order in which it began.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from flowy.config import WorkflowConfig
from flowy.engine_api import child_path, restarted_path
from flowy.errors import SuspendTask, TaskError
from flowy.events import (
    CallId,
    CloseWorkflow,
    Command,
    CompleteWorkflow,
    Event,
    FailWorkflow,
    RestartWorkflow,
    ScheduleActivity,
    ScheduleWorkflow,
    StartTimer,
    TaskClosed,
    TaskScheduled,
    TaskTimedOut,
    TimerFired,
    TimerStarted,
)
from flowy.execution import Execution
from flowy.operations import Restart
from flowy.run import Dependency
from flowy.serialization import JSON, Codec
from flowy.task import Node
from flowy.testing.histories import History
from flowy.testing.replaying import replay_execution
from flowy.testing.scripts import (
    Attempt,
    ConfiguredScript,
    Ending,
    Options,
    Script,
    ScriptError,
    as_script,
    completed,
    failed,
)


@dataclass(slots=True)
class Call:
    """An attempt that was made in a scripted run. Times are in seconds from the run's start."""

    #: its identity, such as `square-0-0`
    id: CallId
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    started: float
    #: None if it did not end before the run did
    ended: float | None = None
    #: how it ended
    event: TaskClosed | None = None
    #: of the execution that made the call: empty for the root
    path: str = ""

    @property
    def name(self) -> str:
        """The dependency's name."""
        return self.id.name


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scripted run."""

    #: what the workflow failed with, or None
    error: BaseException | None = None
    #: what the last execution returned, if the run followed no further restart
    restart: Restart | None = None
    #: seconds of the virtual clock from the run's start to its end
    elapsed: float = 0
    #: all attempts that were made, in the order in which they began, those of children included
    calls: list[Call] = field(default_factory=list)
    #: the history of each execution; the root's first one is first
    histories: list[History] = field(default_factory=list)
    #: the failures of tasks that the workflow never looked at
    unseen_failures: list[TaskError] = field(default_factory=list)
    _value: Any = None

    @property
    def value(self) -> Any:
        """What the workflow returned; raises its error if it failed."""
        if self.error is not None:
            raise self.error
        if self.restart is not None:
            raise ScriptError(
                f"the workflow has no value, because it ended with {self.restart!r}, which the "
                "run did not follow"
            )
        return self._value

    def calls_of(self, name: str) -> list[Call]:
        """Return the attempts at calls of a dependency."""
        return [call for call in self.calls if call.name == name]


def run(
    workflow: WorkflowConfig | Callable[..., Any],
    tasks: Mapping[str, Any],
    /,
    *args: Any,
    _suspend: bool = False,
    _replay: bool = True,
    _restarts: int = 100,
    **kwargs: Any,
) -> Outcome:
    """Run a workflow with these arguments against scripted tasks, on a virtual clock.

    Parameters
    ----------
    workflow
        its factory, or its configuration for an engine, whose retry policies and time limits then
        hold.
    tasks
        for each dependency its script, or `task(script, retry=..., timeout=...)`.
    _suspend
        whether the code is stopped at every wait and run again, as some engines do, in place of
        being held where it is.
    _replay
        whether the code is run once more over the history of each execution, to see that it is
        deterministic.
    _restarts
        how many restarts are followed; the next one ends the run.

    Raises
    ------
    NonDeterminismError
        the code did not repeat what it had done.
    ScriptError
        a script does not say what to do, or the workflow waits for something that never ends.
    ValueError
        a dependency has no script, or a script no dependency.
    """
    stage = _stage(workflow, tasks)
    payload, sources = stage.codec.prepare_input(args, kwargs)
    if sources:
        payload = stage.codec.fill(payload)
    return stage.play(payload, Options(_suspend, _replay, _restarts), 0, "")


def runs_workflow(
    workflow: WorkflowConfig | Callable[..., Any], tasks: Mapping[str, Any]
) -> Script:
    """Return the script of a child workflow that is run with scripted tasks of its own.

    The child is played to its end as soon as it starts, so its calls and its history are whole
    even if it times out or the run ends before it does.
    """
    stage = _stage(workflow, tasks)

    def play(attempt: Attempt) -> Ending:
        path = child_path(attempt.path, attempt.call)
        child = stage.play(attempt.input, attempt.options, attempt.time, path)
        if child.error is not None:
            return Ending(child.elapsed, failed(child.error), child)
        return Ending(child.elapsed, completed(child.value), child)

    return Script(play, "workflow")


def _stage(workflow: WorkflowConfig | Callable[..., Any], tasks: Mapping[str, Any]) -> _Stage:
    """Return the workflow with a script for each of its dependencies."""
    configured = {
        name: each
        if isinstance(each, ConfiguredScript)
        else ConfiguredScript(as_script(each), None, None)
        for name, each in tasks.items()
    }
    if isinstance(workflow, WorkflowConfig):
        config = workflow
        for name in config.dependencies:
            if name not in configured:
                raise ValueError(f"dependency {name!r} of {config.name} has no script: give it one")
        for name in configured:
            if name not in config.dependencies:
                raise ValueError(
                    f"{config.name} has no dependency {name!r} to follow a script: remove the "
                    "script, or configure the dependency"
                )
    else:
        config = WorkflowConfig(workflow)
        for name, each in configured.items():
            config.add(Dependency(name, each.script.kind))
    config.check()
    return _Stage(config, configured)


class _Stage:
    """A workflow and its scripts, ready to be played."""

    def __init__(self, config: WorkflowConfig, scripts: Mapping[str, ConfiguredScript]) -> None:
        self.config = config
        self.codec: Codec = getattr(config, "codec", JSON)
        self.scripts = {name: each.script for name, each in scripts.items()}
        self.timeouts: dict[str, float | None] = {}
        self.dependencies: dict[str, Dependency] = {}
        for name, dependency in config.dependencies.items():
            retry, timeout = scripts[name].retry, scripts[name].timeout
            if retry is not None:
                dependency = dataclasses.replace(dependency, retry=retry)
            if timeout is None:
                # What engines keep there is their own, but all of them call it this.
                timeout = getattr(dependency.target, "timeout", None)
            self.dependencies[name] = dependency
            self.timeouts[name] = timeout

    def play(self, payload: Any, options: Options, start: float, path: str) -> Outcome:
        """Play the workflow to its end, through its restarts."""
        calls: list[Call] = []
        histories: list[History] = []
        unseen: list[TaskError] = []
        restarts = 0
        now = start
        while True:
            own = restarted_path(path, restarts)
            playing = _Playing(self, payload, options, now, own)
            end = playing.play()
            now = playing.now
            history = History(self.config.name, payload, tuple(playing.events), end, own, restarts)
            if options.replay:
                replay_execution(self.config.factory, self.dependencies, self.codec, history)
            calls += playing.calls
            histories += [history, *playing.histories]
            unseen += playing.execution.unseen_failures()
            if not isinstance(end, RestartWorkflow) or restarts >= options.restarts:
                break
            payload = end.input
            restarts += 1
        calls.sort(key=lambda call: call.started)
        error, value, restart = None, None, None
        if isinstance(end, FailWorkflow):
            error = end.error
        elif isinstance(end, CompleteWorkflow):
            value = self.codec.load_value(end.result)
        else:
            args, kwargs = self.codec.load_input(end.input)
            restart = Restart(tuple(args), kwargs)
        return Outcome(error, restart, now - start, calls, histories, unseen, value)


class _Playing:
    """One execution that is being played."""

    def __init__(
        self, stage: _Stage, payload: Any, options: Options, now: float, path: str
    ) -> None:
        self._stage = stage
        self._options = options
        self._path = path
        self.now = now
        self.calls: list[Call] = []
        #: of the children
        self.histories: list[History] = []
        self.events: list[Event] = []
        #: what is due: when, which in order of being noted, what happens, and to which call
        self._agenda: list[tuple[float, int, Event, Call | None]] = []
        self._noted = 0
        self._broken: Exception | None = None
        self.execution = Execution(
            stage.config.factory,
            stage.dependencies,
            payload,
            codec=stage.codec,
            park=None if options.suspend else self._park,
        )

    def play(self) -> CloseWorkflow:
        """Play the execution to its end, and return that."""
        execution = self.execution
        self._run_code()
        while execution.closed is None:
            self._step()
            if execution.runnable:
                self._run_code()
        return execution.closed

    def _run_code(self) -> None:
        commands = self.execution.run()
        if self._broken is not None:
            raise self._broken
        self._carry_out(commands)

    def _park(self, execution: Execution, node: Node) -> None:
        """Hold the code at a wait; meanwhile, be the engine."""
        try:
            self._carry_out(execution.apply())
            while node.order is None:
                self._step()
        except Exception as exc:
            # It is no business of the workflow code, which might catch it.
            self._broken = exc
            raise SuspendTask from None

    def _step(self) -> None:
        """Let happen what is due next."""
        if not self._agenda:
            raise ScriptError(self._stuck())
        self.now, _, event, call = heapq.heappop(self._agenda)
        if call is not None:
            call.ended = self.now
            call.event = cast("TaskClosed", event)
        self.events.append(event)
        self._carry_out(self.execution.apply(event))

    def _carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, ScheduleActivity | ScheduleWorkflow):
                self._start(command.call, command.input)
            elif isinstance(command, StartTimer):
                self.events.append(TimerStarted(command.call, command.delay))
                self._note(command.delay, TimerFired(command.call), None)

    def _start(self, id: CallId, input: Any) -> None:
        """Begin an attempt, and note how it will end."""
        dependency = self._stage.dependencies[id.name]
        codec = dependency.codec
        self.events.append(TaskScheduled(id, input, dependency.kind))
        args, kwargs = codec.load_input(input)
        call = Call(id, tuple(args), kwargs, self.now, path=self._path)
        self.calls.append(call)
        attempt = Attempt(id, input, call.args, kwargs, self.now, self._path, self._options)
        ending = self._stage.scripts[id.name].play(attempt)
        if ending.child is not None:
            self.calls += ending.child.calls
            self.histories += ending.child.histories
        timeout = self._stage.timeouts[id.name]
        if timeout is not None and (ending.after is None or ending.after > timeout):
            self._note(timeout, TaskTimedOut(id), call)
        elif ending.after is not None:
            self._note(ending.after, ending.event(id, codec), call)

    def _note(self, delay: float, event: Event, call: Call | None) -> None:
        self._noted += 1
        heapq.heappush(self._agenda, (self.now + delay, self._noted, event, call))

    def _stuck(self) -> str:
        open_calls = [str(call.id) for call in self.calls if call.event is None]
        return (
            f"{self._stage.config.name} waits for what never ends; open: {', '.join(open_calls)}; "
            "give it a time limit with task(script, timeout=seconds), or let it end"
        )
