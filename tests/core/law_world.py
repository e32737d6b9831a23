"""The world around a workflow: what becomes of its calls, and when.

`record` runs a program parked in a random world and keeps the history. `follow` runs it again, in
another way, over that very history, and compares what it is told to do at each event with what the
recorded run was told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from random import Random
from typing import Any, Literal, NamedTuple, TypeAlias
from zlib import crc32

from hypothesis import strategies as st

from flowy import Execution, SuspendTask
from flowy.events import (
    CallId,
    CloseWorkflow,
    Command,
    CompleteWorkflow,
    Event,
    FailWorkflow,
    MarkerRecorded,
    RestartWorkflow,
    ScheduleActivity,
    ScheduleWorkflow,
    SignalReceived,
    StartTimer,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskTimedOut,
    TimerFired,
    TimerStarted,
)
from flowy.run import Task
from flowy.task import Node

from .law_programs import Opaque, Program

Outcome: TypeAlias = Literal["completed", "failed", "gave up", "timed out", "cancelled"]
Noise: TypeAlias = Literal["", "started", "signal", "marker", "late"]

#: the commands that were given and that the history does not hold yet
Outstanding: TypeAlias = dict[CallId, Command]
Factory: TypeAlias = Callable[..., Any]


class Turn(NamedTuple):
    """What happens next: noise, or else one of the things that may happen."""

    pick: int = 0
    outcome: Outcome = "completed"
    noise: Noise = ""


@dataclass(frozen=True)
class World:
    """How the calls of a program end, and in which order."""

    #: whether commands are taken on at once, and not in between what else happens, in any order
    prompt: bool = False
    turns: tuple[Turn, ...] = ()
    #: after these turns, others are drawn at random; 0 stands for all in order, and all well
    seed: int = 0
    #: how often a random turn is a good one
    luck: float = 1

    def all_turns(self) -> Iterator[Turn]:
        yield from self.turns
        if not self.seed:
            yield from repeat(Turn())
        random = Random(self.seed)
        while True:
            yield Turn(
                random.randrange(12),
                "completed" if random.random() < self.luck else random.choice(_OUTCOMES),
                random.choice(_NOISES),
            )


_OUTCOMES: tuple[Outcome, ...] = (
    *("completed", "completed", "completed", "completed", "completed"),
    *("failed", "failed", "gave up", "timed out", "timed out", "cancelled"),
)
_NOISES: tuple[Noise, ...] = (*("", "", "", "", ""), "started", "signal", "marker", "late")

worlds = st.builds(
    World,
    prompt=st.booleans(),
    turns=st.lists(
        st.builds(
            Turn,
            pick=st.integers(0, 11),
            outcome=st.sampled_from(_OUTCOMES),
            noise=st.sampled_from(_NOISES),
        ),
        max_size=12,
    ).map(tuple),
    seed=st.integers(0, 0xFFFF),
    luck=st.sampled_from((1, 0.9, 0.8, 0)),
)


@dataclass
class Recording:
    """What happened in a run."""

    history: list[Event] = field(default_factory=list)
    #: for each length of the history, what was commanded and not taken on when it was that long and
    #: the code had gone as far as it could
    outstanding: list[Outstanding] = field(default_factory=list)
    #: for each length of the history, all that was commanded until then
    commanded: list[dict[tuple[type, CallId], Command]] = field(default_factory=list)
    close: CloseWorkflow | None = None
    #: the failures nobody looked at, in words
    unseen: list[str] = field(default_factory=list)


def record(program: Program, world: World) -> Recording:
    """Run a program parked, in a world; return what happened."""
    return _Recorder(program, world).recording


class _Recorder:
    """The engine of the recorded run."""

    def __init__(self, program: Program, world: World) -> None:
        self.recording = Recording()
        self.program = program
        self.world = world
        self.turns = world.all_turns()
        self.outstanding: Outstanding = {}
        self.commanded: dict[tuple[type, CallId], Command] = {}
        #: the attempts and timers that are with the engine
        self.open: dict[CallId, Command] = {}
        self.problem: AssertionError | None = None
        execution = Execution(
            program.factory(),
            program.dependencies,
            program.input,
            codec=program.codec,
            park=self.park,
        )
        self.absorb(execution.run())
        if self.problem is not None:
            raise self.problem
        while execution.closed is None:
            self.turn(execution)
        self.recording.close = execution.closed
        self.recording.unseen = summaries(execution)

    def park(self, execution: Execution, node: Node) -> None:
        try:
            self.absorb(execution.apply())
            while node.order is None:
                self.turn(execution)
        except AssertionError as problem:
            # The code may swallow it.
            self.problem = problem
            raise SuspendTask from None

    def turn(self, execution: Execution) -> None:
        """Have one thing happen; the code has gone as far as it could."""
        recording = self.recording
        recording.outstanding.append(dict(self.outstanding))
        recording.commanded.append(dict(self.commanded))
        assert len(recording.outstanding) == len(recording.history) + 1
        turn = next(self.turns)
        event = self.noise(turn)
        if event is None:
            event = self.event(turn)
        recording.history.append(event)
        self.absorb(execution.apply(event))

    def absorb(self, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, CallCommand):
                key = type(command), command.call
                assert key not in self.commanded, f"commanded twice: {command}"
                self.commanded[key] = command
                self.outstanding[command.call] = command
            else:
                assert isinstance(command, CloseCommand)
                assert commands == [command]

    def noise(self, turn: Turn) -> Event | None:
        """Return an event that changes nothing, if there is one of this kind now."""
        attempts = [*self.open]
        past = self.recording.history
        if turn.noise == "signal":
            return SignalReceived("news", turn.pick)
        if turn.noise == "marker":
            return MarkerRecorded("note", turn.pick)
        if turn.noise == "started" and attempts:
            return TaskStarted(attempts[turn.pick % len(attempts)], "worker-1")
        if turn.noise == "late":
            over = [event for event in past if isinstance(event, Over)]
            if over:
                return over[turn.pick % len(over)]
        return None

    def event(self, turn: Turn) -> Event:
        """Return one of the events that may happen now."""
        waiting = [*self.outstanding]
        if self.world.prompt and waiting:
            return self.take_on(waiting[0])
        choices = [*waiting, *self.open]
        assert choices, "the workflow waits, and there is nothing to wait for"
        pick = turn.pick % len(choices)
        if pick < len(waiting):
            return self.take_on(waiting[pick])
        call = choices[pick]
        command = self.open.pop(call)
        if isinstance(command, StartTimer):
            return TimerFired(call)
        return self.outcome(command, turn.outcome)

    def take_on(self, call: CallId) -> Event:
        command = self.open[call] = self.outstanding.pop(call)
        if isinstance(command, StartTimer):
            return TimerStarted(call, command.delay)
        assert isinstance(command, ScheduleCommand)
        kind = "activity" if isinstance(command, ScheduleActivity) else "workflow"
        return TaskScheduled(call, command.input, kind)

    def outcome(self, command: Command, outcome: Outcome) -> Event:
        assert isinstance(command, ScheduleCommand)
        call = command.call
        if outcome == "failed":
            return TaskFailed(call, "KeyError", f"{call} went wrong")
        if outcome == "gave up":
            return TaskFailed(call, "ValueError", f"{call} cannot be")
        if outcome == "timed out":
            return TaskTimedOut(call)
        if outcome == "cancelled":
            return TaskCancelled(call, f"{call} was not needed")
        codec = self.program.dependencies[call.name].codec
        number = crc32(repr((call, command.input)).encode()) % 5
        value: Any = number
        if call.name == "pair":
            value = [number, number + 1]
        elif codec is not self.program.codec:
            value = Opaque(number)
        return TaskCompleted(call, codec.dump_value(value))


ScheduleCommand = (ScheduleActivity, ScheduleWorkflow)
CallCommand = (ScheduleActivity, ScheduleWorkflow, StartTimer)
CloseCommand = (CompleteWorkflow, FailWorkflow, RestartWorkflow)
#: the events that a late delivery repeats
Over = (TaskCompleted, TaskFailed, TaskTimedOut, TaskCancelled, TimerFired)


def summaries(execution: Execution) -> list[str]:
    """Return the failures that nobody looked at, in words and in order."""
    return sorted(error.summary() for error in execution.unseen_failures())


# --- the same history, followed in other ways ----------------------------------------------------


class Step(NamedTuple):
    """What to do where the code stopped, or ended on pending results."""

    #: how many events to apply at once
    events: int = 1
    #: hold the code where it is, if it can be held
    park: bool = False
    #: go on with a new Execution over the history so far
    fresh: bool = False
    #: run the code though it would not get further
    eager: bool = False


SUSPEND = Step()
PARK = Step(park=True)
EAGER = Step(eager=True)


@dataclass(frozen=True)
class Mixture:
    """A way through a history."""

    steps: tuple[Step, ...] = ()
    #: after these steps, others are drawn at random; 0 stands for suspension at each event
    seed: int = 0

    def all_steps(self) -> Iterator[Step]:
        yield from self.steps
        if not self.seed:
            yield from repeat(SUSPEND)
        random = Random(self.seed)
        while True:
            yield Step(random.choice(_EVENTS), *(random.random() < 0.4 for _ in range(3)))


_EVENTS = (1, 1, 2, 3, 5)

mixtures = st.builds(
    Mixture,
    steps=st.lists(
        st.builds(
            Step,
            events=st.sampled_from(_EVENTS),
            park=st.booleans(),
            fresh=st.booleans(),
            eager=st.booleans(),
        ),
        max_size=12,
    ).map(tuple),
    seed=st.integers(0, 0xFFFF),
)


def follow(
    program: Program, recording: Recording, steps: Iterator[Step], factory: Factory | None = None
) -> None:
    """Run a program over a recorded history, as `steps` says; check it against the recording."""
    _Follower(program, recording, steps, factory or program.factory()).run()


class _Follower:
    """An engine that has a recorded history to go by."""

    def __init__(
        self, program: Program, recording: Recording, steps: Iterator[Step], factory: Factory
    ) -> None:
        self.program = program
        self.recording = recording
        self.steps = steps
        self.factory = factory
        self.position = 0
        self.outstanding: Outstanding = {}
        self.problem: AssertionError | None = None
        self.execution = self.begin()

    def begin(self) -> Execution:
        return Execution(
            self.factory,
            self.program.dependencies,
            self.program.input,
            self.recording.history[: self.position],
            codec=self.program.codec,
            park=self.park,
        )

    def run(self) -> None:
        self.run_code()
        while self.execution.closed is None:
            self.check()
            step = next(self.steps)
            self.advance(step, step.fresh)
            if step.fresh:
                self.execution = self.begin()
                self.outstanding = {}
            if self.execution.closed is None and (self.execution.runnable or step.eager):
                self.run_code()
        recording = self.recording
        assert self.position == len(recording.history), "closed earlier than the recorded run"
        assert self.execution.closed == recording.close
        assert summaries(self.execution) == recording.unseen

    def run_code(self) -> None:
        self.absorb(self.execution.run())
        if self.problem is not None:
            raise self.problem

    def park(self, execution: Execution, node: Node) -> None:
        try:
            self.absorb(execution.apply())
            while node.order is None:
                self.check()
                step = next(self.steps)
                if not step.park:
                    raise SuspendTask
                self.advance(step, False)
        except AssertionError as problem:
            # The code may swallow it.
            self.problem = problem
            raise SuspendTask from None

    def check(self) -> None:
        """Check what was commanded when the code has gone as far as it could."""
        assert self.outstanding == self.recording.outstanding[self.position]
        assert self.position < len(self.recording.history), "not closed, but the recorded run is"

    def advance(self, step: Step, silently: bool) -> None:
        """Take on what the history says was, and apply the next events."""
        start = self.position
        self.position = min(start + step.events, len(self.recording.history))
        events = self.recording.history[start : self.position]
        if silently:
            return
        for event in events:
            if isinstance(event, (TaskScheduled, TimerStarted)):
                self.outstanding.pop(event.call, None)
        self.absorb(self.execution.apply(*events))

    def absorb(self, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, CallCommand):
                assert command.call not in self.outstanding, f"commanded twice: {command}"
                self.outstanding[command.call] = command
            else:
                assert commands == [command]


def follow_every_prefix(program: Program, recording: Recording) -> None:
    """Begin anew at every length of the history; check what is commanded there."""
    factory = program.factory()
    history = recording.history
    for length in range(len(history) + 1):
        execution = Execution(
            factory, program.dependencies, program.input, history[:length], codec=program.codec
        )
        commands = execution.run()
        if length < len(history):
            assert by_call(commands) == recording.outstanding[length]
            assert execution.closed is None
        else:
            assert commands == [recording.close]
            assert summaries(execution) == recording.unseen


def by_call(commands: Sequence[Command]) -> Outstanding:
    """Return commands by their calls; there is one for each call at a time."""
    found: Outstanding = {
        command.call: command for command in commands if isinstance(command, CallCommand)
    }
    assert len(found) == len(commands)
    return found


# --- engines that write no history ---------------------------------------------------------------


class Carrier:
    """Carries out at once what it is told, and calls the machine back without events."""

    def __init__(
        self, program: Program, recording: Recording, parked: bool, forgets: bool = False
    ) -> None:
        self.recording = recording
        self.commanded: dict[tuple[type, CallId], Command] = {}
        self.tasks: dict[CallId, Task] = {}
        self.timers: set[CallId] = set()
        self.closed: list[CloseWorkflow] = []
        self.position = 0
        self.problem: AssertionError | None = None
        self.execution = Execution(
            program.factory(),
            program.dependencies,
            program.input,
            codec=program.codec,
            carrier=self,
            park=self.park if parked else None,
            forgets=forgets,
        )

    def schedule(self, task: Task) -> None:
        kind = ScheduleWorkflow if task.dependency.kind == "workflow" else ScheduleActivity
        command = kind(task.call, task.input)
        assert (kind, task.call) not in self.commanded
        self.commanded[kind, task.call] = command
        self.tasks[task.call] = task

    def start_timer(self, task: Task, delay: float) -> None:
        assert (StartTimer, task.call) not in self.commanded
        self.commanded[StartTimer, task.call] = StartTimer(task.call, delay)
        self.timers.add(task.call)

    def close(self, command: CloseWorkflow) -> None:
        self.closed.append(command)

    def park(self, execution: Execution, node: Node) -> None:
        try:
            while node.order is None:
                self.tell_next()
        except AssertionError as problem:
            self.problem = problem
            raise SuspendTask from None

    def run(self) -> None:
        execution = self.execution
        while execution.closed is None:
            if execution.runnable:
                assert execution.run() == []
                if self.problem is not None:
                    raise self.problem
            else:
                self.tell_next()
        assert self.closed == [execution.closed] == [self.recording.close]
        assert self.position == len(self.recording.history)
        assert summaries(execution) == self.recording.unseen
        # What the last step commanded was carried out here, and is dropped elsewhere.
        for earlier in self.recording.commanded[-1:]:
            assert self.commanded.items() >= without_sources(earlier).items()

    def tell_next(self) -> None:
        """Tell the machine the next event of the history."""
        position = self.position
        assert self.commanded == without_sources(self.recording.commanded[position])
        event = self.recording.history[position]
        self.position = position + 1
        # Late deliveries are dropped here: this engine knows what is over.
        if isinstance(event, TimerFired):
            if event.call in self.timers:
                self.timers.remove(event.call)
                self.execution.apply(event)
        elif isinstance(event, Over):
            task = self.tasks.pop(event.call, None)
            if task is not None:
                self.tell(task, event)

    def tell(self, task: Task, event: Event) -> None:
        """Tell the machine how an attempt ended."""
        execution = self.execution
        if isinstance(event, TaskCompleted):
            execution.complete_task(task, event.result)
        elif isinstance(event, TaskTimedOut):
            execution.time_out_task(task, event.timeout_type)
        else:
            execution.apply(event)


def without_sources(
    commanded: dict[tuple[type, CallId], Command],
) -> dict[tuple[type, CallId], Command]:
    """Return commands without the calls that the inputs came from."""
    return {
        key: type(command)(command.call, command.input)
        if isinstance(command, ScheduleCommand)
        else command
        for key, command in commanded.items()
    }
