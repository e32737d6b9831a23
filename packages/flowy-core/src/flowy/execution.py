"""The machine: events go in, commands come out.

Theory of operation:

1. An execution is one workflow with one input. What it did and what happened to it is its history,
   a list of events. The machine is a function of the history and of the workflow code. It has no
   clock, does no I/O and starts no thread.
2. A call is known by its dependency and its number. It goes through attempts; each is *scheduled*
   (with the engine), *delayed* (behind a timer) or over. Only events move a call on, by the table
   `_TRANSITIONS`. An event for an attempt that is over is a late or repeated delivery and changes
   nothing.
3. `apply` takes events in and changes the graph only: what became ready is commanded, and no
   workflow code runs.
4. `run` runs the workflow code from its start to its end, to a fault, or to a pending result that
   nobody parks it on. Whatever it calls is looked up in the history first, and nothing is commanded
   of a call in the history that the code has not made again. A run that stopped on a pending result
   can be followed by another one when the result is there: `runnable` says so.
5. What closes the execution is commanded once, as the last command, and alone: what else was
   commanded in the same step is dropped. A closed execution takes no events in.
6. Everything that is decided depends on the history alone, never on how much of it was known when
   the code ran. See `flowy.task` for the finish order, which is where that is hard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import islice
from typing import Any, Protocol

from flowy import events
from flowy.errors import NonDeterminismError, SuspendTask, TaskCancelled, TaskError, TaskTimedout
from flowy.events import (
    CallId,
    CancelRequested,
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
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskTimedOut,
    TimerFired,
    TimerStarted,
)
from flowy.operations import Restart
from flowy.retry import Mishap
from flowy.run import (
    UNKNOWN_INPUT,
    Closing,
    Dependency,
    Run,
    Task,
    calls_of,
    current_run,
    nodes_of,
)
from flowy.serialization import JSON, Codec
from flowy.task import Node, close_dependents


class Carrier(Protocol):
    """Who carries the machine's wishes out at once, while the code still runs.

    An engine that keeps its workflows in its own process is one. Without a carrier, wishes are
    gathered and returned as commands.
    """

    def schedule(self, task: Task) -> None:
        """Run the current attempt of `task`."""
        ...

    def start_timer(self, task: Task, delay: float) -> None:
        """Apply TimerFired for the current attempt of `task` after `delay` seconds."""
        ...

    def close(self, command: CloseWorkflow) -> None:
        """Finish the execution."""
        ...


class Execution:
    """One workflow with one input.

    Parameters
    ----------
    factory
        the workflow: takes its dependencies by keyword and returns a callable.
    dependencies
        what it may call, by name.
    input
        the payload of its arguments.
    history
        the events so far, in order.
    codec
        reads the input and writes the result.
    carrier
        carries commands out at once. By default `apply` and `run` return them.
    park
        `park(execution, node)` holds the running code until `node` is closed, or raises
        SuspendTask. By default the code is suspended.
    lock
        is held whenever the graph changes because of a call. An engine that applies events from
        other threads holds it meanwhile. By default there is none.
    seed
        what the jitter of retries is drawn from, besides the call: the execution's own identity.
    replayed
        how many events of the history were there when the code was last run, by an object that is
        gone; None if it never was. See `flowy.is_replaying`.
    forgets
        whether calls that are over are forgotten, for code that is parked and never run again. A
        carrier that says so must not tell of the end of an attempt twice.
    """

    def __init__(
        self,
        factory: Callable[..., Any],
        dependencies: Mapping[str, Dependency],
        input: Any,
        history: Iterable[Event] = (),
        *,
        codec: Codec = JSON,
        carrier: Carrier | None = None,
        park: Callable[[Execution, Node], None] | None = None,
        lock: AbstractContextManager[Any] | None = None,
        seed: str = "",
        replayed: int | None = None,
        forgets: bool = False,
    ) -> None:
        self.factory = factory
        self.dependencies = dependencies
        self.input = input
        self.codec = codec
        self.seed = seed
        self.lock: AbstractContextManager[Any] = nullcontext() if lock is None else lock
        #: the command that closed the execution, once it is closed
        self.closed: CloseWorkflow | None = None
        #: the pending node that the code stopped on
        self.blocked_on: Node | None = None
        #: whether somebody asked the workflow to stop
        self.cancel_requested: CancelRequested | None = None
        #: the signals received, in order
        self.signals: list[SignalReceived] = []
        #: the markers recorded, in order
        self.markers: list[MarkerRecorded] = []
        self._park = park
        self._forgets = forgets
        self._commands = _Commands()
        self._carrier: Carrier = self._commands if carrier is None else carrier
        self._calls: dict[str, dict[int, Task]] = {name: {} for name in dependencies}
        self._closings = 0
        #: the failures of tasks that the code has not looked at
        self._failures: dict[int, TaskError] = {}
        self._unrepeated = 0
        self._run: Run | None = None
        #: how many closing events there were when the code last stopped; None if it never did
        self._seen: int | None = None
        happened = iter(history)
        if replayed is not None:
            self._apply_all(islice(happened, replayed))
            self._seen = self._closings
        self._apply_all(happened)

    # --- what an engine asks -------------------------------------------------------------------

    @property
    def runnable(self) -> bool:
        """Whether running the code would get it further."""
        if self.closed is not None:
            return False
        run = self._run
        if run is None:
            return True
        return (
            run.stopped
            and not run.ended
            and (self.blocked_on is None or self.blocked_on.order is not None)
        )

    @property
    def created(self) -> int:
        """How many nodes the last run of the code made: what running it again would take."""
        return 0 if self._run is None else self._run.created

    def apply(self, *happened: Event) -> list[Command]:
        """Take events in, in order; return what became ready by all of them together."""
        self._apply_all(happened)
        return self._commands.take()

    def run(self) -> list[Command]:
        """Run the workflow code; return what it commands.

        An exception that is no `Exception`, such as KeyboardInterrupt, closes nothing and comes out
        of here.

        Raises
        ------
        NonDeterminismError
            the code does not repeat the history. Nothing is commanded then, and this object is of
            no more use; the history is.
        """
        if self.closed is not None:
            raise RuntimeError("the execution is closed")
        if self._run is not None:
            if not self._run.stopped:
                raise RuntimeError("the workflow code is running or parked")
            self._run.replace()
        self.blocked_on = None
        self._unrepeated = sum(map(len, self._calls.values()))
        self._run = run = Run(self, self.dependencies, self._seen)
        token = current_run.set(run)
        try:
            close = self._run_code(run)
            self._check_repeated(run)
            if not run.stopped:
                with self.lock:
                    run.end()
                    close()
        except BaseException:
            self._commands.clear()
            raise
        finally:
            run.stopped = True
            current_run.reset(token)
        return self._commands.take()

    def open_calls(self) -> list[Task]:
        """Return the calls that are not over, in no order that means anything."""
        return [
            task for calls in self._calls.values() for task in calls.values() if task.order is None
        ]

    def unseen_failures(self) -> list[TaskError]:
        """Return the failures of tasks that the workflow code never looked at."""
        return list(self._failures.values())

    def discard(self) -> None:
        """Let go of all that refers back to this object; it is of no more use then.

        So it is freed when its engine drops it. A run with thousands of executions would spend a
        third of its time in the garbage collector otherwise. Results that somebody still has stay
        as they are.
        """
        if self._run is not None:
            self._run.let_go()
        self._run = self._park = None
        self._calls = {}
        self._carrier = self._commands

    # --- what a carrier tells ------------------------------------------------------------------

    def complete_task(self, task: Task, payload: Any) -> None:
        """Close an open call with its result."""
        task.payload = payload
        task.codec = task.dependency.codec
        self._close_task(task)

    def fail_task(self, task: Task, mishap: Mishap, error: TaskError) -> None:
        """Try an open call again, or close it with the error."""
        dependency = task.dependency
        delay = dependency.retry.next_delay(
            task.attempt, mishap, error.error_type, f"{self.seed}{task.describe()}"
        )
        if delay is None:
            self.close_task_with(task, error)
            return
        task.attempt += 1
        task.scheduled = False
        if delay:
            self._carrier.start_timer(task, delay)
        else:
            self.attempt(task)

    def time_out_task(self, task: Task, timeout_type: str) -> None:
        """Try an open call again, or close it with the time-out."""
        error = TaskTimedout(
            f"passed its {timeout_type} limit", name=task.dependency.name, call=str(task.call)
        )
        self.fail_task(task, "timeout", error)

    def close_task_with(self, task: Task, error: TaskError) -> None:
        """Close an open call with an error that is not tried again."""
        task.error = error
        self._failures[id(error)] = error
        self._close_task(task)

    def _close_task(self, task: Task) -> None:
        self._closings = number = self._closings + 1
        task.scheduled = False
        task.carried = None
        task.sources = ()
        # Set last: another thread takes a node with an order for closed.
        task.order = (number, 0, 0)
        if self._forgets:
            del self._calls[task.dependency.name][task.number]
            task.input = None
        if task.dependents is not None:
            close_dependents(task)

    # --- what a run asks -----------------------------------------------------------------------

    def recorded(self, name: str) -> dict[int, Task]:
        """Return the calls of a dependency that are in the history, by number."""
        return self._calls[name]

    def schedule(self, task: Task) -> None:
        """Have the task run, after its first delay; its input is complete."""
        dependency = task.dependency
        self._calls[dependency.name][task.number] = task
        if dependency.first_delay:
            self._carrier.start_timer(task, dependency.first_delay)
        else:
            task.scheduled = True
            self._carrier.schedule(task)

    def attempt(self, task: Task) -> None:
        """Have the current attempt of the task run at once."""
        task.scheduled = True
        self._carrier.schedule(task)

    def repeated(self, task: Task) -> None:
        """Take note that the code made a call that is in the history."""
        self._unrepeated -= 1

    def park(self, run: Run, node: Node) -> None:
        """Hold the code until `node` is closed, or raise SuspendTask."""
        self.blocked_on = node
        # Before anybody can know that the code stops here: what closes from now on it has not seen.
        self._seen = self._closings
        if self._park is None:
            raise SuspendTask
        self._park(self, node)
        self.blocked_on = None

    def look_at(self, error: Exception) -> None:
        """Take note that the code saw this failure."""
        self._failures.pop(id(error), None)

    def fail(self, error: BaseException) -> None:
        """Close the execution with an error."""
        # A TaskError's own text depends on whether its cause is at hand.
        text = error.summary() if isinstance(error, TaskError) else str(error)
        self._close(FailWorkflow(error, f"{type(error).__name__}: {text}"))

    # --- inside --------------------------------------------------------------------------------

    def _run_code(self, run: Run) -> Callable[[], None]:
        """Run the code; return how the execution closes, which counts unless the run stopped."""
        try:
            args, kwargs = self.codec.load_input(self.input)
            workflow = self.factory(**run.bound)
            if not callable(workflow):
                raise TypeError(
                    f"{self.factory!r} returned {workflow!r}, which cannot be called: the factory "
                    "of a workflow takes its dependencies and returns what is called with the input"
                )
            value = workflow(*args, **kwargs)
            # Not isinstance, which would force a result.
            if type(value) is Restart:
                prepared, sources = self.codec.prepare_input(value.args, value.kwargs)
                close: Callable[[Any], None] = self._restart
            else:
                prepared, sources = self.codec.prepare_value(value)
                close = self._complete
            nodes = nodes_of(sources, run)
        except (Exception, SuspendTask) as exc:
            if run.stopped:
                # Without the exception, which holds on to all that the code had.
                return _do_nothing
            # A SuspendTask that the workflow raised by itself is an error like any other.
            return partial(self.fail, exc)
        if not nodes:
            return lambda: close(prepared)
        closing = Closing(run, run.created, prepared, self.codec, close)
        return lambda: closing.link(nodes)

    def _check_repeated(self, run: Run) -> None:
        """Raise NonDeterminismError if the run did not make each call in the history."""
        if run.fault is not None:
            raise run.fault
        if not self._unrepeated:
            return
        recorded = (task for calls in self._calls.values() for task in calls.values())
        task = next(task for task in recorded if task.run is not run)
        name = task.dependency.name
        bound = run.bound.get(name)
        if bound is None:
            now = f"there is no dependency {name!r}"
        else:
            times = "once" if bound.count == 1 else f"{bound.count} times"
            now = f"the code called {name} {times} until it {self._how_far(run)}"
        raise NonDeterminismError(task.describe(), _in_words(task.input), now)

    def _how_far(self, run: Run) -> str:
        if self.blocked_on is not None:
            return f"stopped on the result of {self.blocked_on.describe()}"
        return "ended"

    def _complete(self, payload: Any) -> None:
        self._close(CompleteWorkflow(payload))

    def _restart(self, payload: Any) -> None:
        self._close(RestartWorkflow(payload))

    def _close(self, command: CloseWorkflow) -> None:
        if self.closed is None:
            self.closed = command
            self._carrier.close(command)

    def _apply_all(self, happened: Iterable[Event]) -> None:
        for event in happened:
            if self.closed is not None:
                return
            _TRANSITIONS[type(event)](self, event)

    def _find(self, call: CallId) -> Task | None:
        return self._calls.get(call.name, {}).get(call.number)

    def _open_attempt(self, call: CallId) -> Task | None:
        """Return the task if this attempt of it is with the engine, None if that is over."""
        task = self._find(call)
        if task is None or task.attempt < call.attempt:
            raise HistoryError(
                f"the history is not whole: something happened to {call}, "
                "which nothing in it scheduled"
            )
        if task.order is not None or task.attempt != call.attempt or not task.scheduled:
            return None
        return task

    def _record(self, call: CallId, kind: str | None, input: Any) -> Task:
        """Make the task of a call in the history that no code has made yet."""
        bound = self._run.bound.get(call.name) if self._run is not None else None
        if bound is not None and call.number < bound.count:
            raise NonDeterminismError(
                f"{call.name}-{call.number}",
                _in_words(input),
                "the code made the call with results that have not finished, or failed",
            )
        task = Task(None, 0, self._called(call.name, kind), call.number, input)
        task.attempt = call.attempt
        self._calls.setdefault(call.name, {})[call.number] = task
        self._unrepeated += 1
        return task

    def _called(self, name: str, kind: str | None) -> Dependency:
        """Return the dependency that a call in the history was made to."""
        dependency = self.dependencies.get(name)
        if dependency is None or (kind is not None and dependency.kind != kind):
            # There is no such dependency any more, so the code is going to differ from the history.
            dependency = Dependency(name, kind or "activity", retry=_AsRecorded())
        return dependency

    def _apply_task_scheduled(self, event: TaskScheduled) -> None:
        call = event.call
        task = self._find(call)
        if task is None:
            task = self._record(call, event.kind, event.input)
        elif task.order is not None or call.attempt < task.attempt:
            if call.attempt > task.attempt:
                raise NonDeterminismError(
                    str(call),
                    "this attempt was scheduled",
                    f"the retry policy ends with {task.call}",
                )
            return
        elif task.input is UNKNOWN_INPUT:
            task.input = event.input
            task.dependency = self._called(call.name, event.kind)
        elif not task.dependency.codec.same_input(event.input, task.input):
            raise NonDeterminismError(str(call), f"input {event.input!r}", f"input {task.input!r}")
        task.attempt = call.attempt
        task.scheduled = True
        self._commands.drop(call)

    def _apply_task_started(self, event: TaskStarted) -> None:
        self._open_attempt(event.call)

    def _apply_task_completed(self, event: TaskCompleted) -> None:
        task = self._open_attempt(event.call)
        if task is not None:
            self.complete_task(task, event.result)

    def _apply_task_failed(self, event: TaskFailed) -> None:
        task = self._open_attempt(event.call)
        if task is not None:
            error = TaskError(
                event.message,
                name=event.call.name,
                call=str(event.call),
                error_type=event.error_type,
                traceback=event.traceback,
            )
            error.__cause__ = event.cause
            self.fail_task(task, "error", error)

    def _apply_task_timed_out(self, event: TaskTimedOut) -> None:
        task = self._open_attempt(event.call)
        if task is not None:
            self.time_out_task(task, event.timeout_type)

    def _apply_task_cancelled(self, event: events.TaskCancelled) -> None:
        task = self._open_attempt(event.call)
        if task is not None:
            error = TaskCancelled(event.details, name=event.call.name, call=str(event.call))
            self.close_task_with(task, error)

    def _apply_timer_started(self, event: TimerStarted) -> None:
        task = self._find(event.call)
        if task is None:
            self._record(event.call, None, UNKNOWN_INPUT)
        elif task.attempt == event.call.attempt and task.order is None:
            # A policy that was changed since may have scheduled it without delay.
            task.scheduled = False
        self._commands.drop(event.call)

    def _apply_timer_fired(self, event: TimerFired) -> None:
        call = event.call
        task = self._find(call)
        if task is None:
            raise HistoryError(
                f"the history is not whole: a timer for {call} fired that nothing in it started"
            )
        if task.order is not None or task.attempt != call.attempt or task.scheduled:
            return
        if task.input is UNKNOWN_INPUT:
            # The code has yet to say what the input is.
            task.scheduled = True
        else:
            self.attempt(task)

    def _apply_signal_received(self, event: SignalReceived) -> None:
        self.signals.append(event)

    def _apply_marker_recorded(self, event: MarkerRecorded) -> None:
        self.markers.append(event)

    def _apply_cancel_requested(self, event: CancelRequested) -> None:
        self.cancel_requested = event


_TRANSITIONS: dict[type, Callable[[Execution, Any], None]] = {
    TaskScheduled: Execution._apply_task_scheduled,
    TaskStarted: Execution._apply_task_started,
    TaskCompleted: Execution._apply_task_completed,
    TaskFailed: Execution._apply_task_failed,
    TaskTimedOut: Execution._apply_task_timed_out,
    events.TaskCancelled: Execution._apply_task_cancelled,
    TimerStarted: Execution._apply_timer_started,
    TimerFired: Execution._apply_timer_fired,
    SignalReceived: Execution._apply_signal_received,
    MarkerRecorded: Execution._apply_marker_recorded,
    CancelRequested: Execution._apply_cancel_requested,
}


class HistoryError(ValueError):
    """A history cannot be one: it lacks events, or they are in the wrong order."""


class _AsRecorded:
    """The policy of a dependency that is gone: whatever its calls did is in the history."""

    def first_delay(self) -> float:
        return 0

    def next_delay(self, attempt: int, mishap: Mishap, error_type: str, seed: str) -> float | None:
        return 0


def _do_nothing() -> None:
    """Stand for the end of code that was suspended."""


class _Commands:
    """The carrier of an engine that has none: it gathers commands.

    What the history turns out to hold already is dropped again, so that a history can be taken in
    before anything is commanded.
    """

    def __init__(self) -> None:
        #: the attempts to schedule, and the delays before them if there are any
        self._by_call: dict[CallId, tuple[Task, float]] = {}
        self._close: CloseWorkflow | None = None

    def schedule(self, task: Task) -> None:
        self._by_call[task.call] = task, 0

    def start_timer(self, task: Task, delay: float) -> None:
        self._by_call[task.call] = task, delay

    def close(self, command: CloseWorkflow) -> None:
        self._close = command

    def drop(self, call: CallId) -> None:
        self._by_call.pop(call, None)

    def take(self) -> list[Command]:
        commands: list[Command] = []
        held: dict[CallId, tuple[Task, float]] = {}
        if self._close is not None:
            commands.append(self._close)
        else:
            for call, (task, delay) in self._by_call.items():
                if task.run is None:
                    # The code has yet to make the call that the history has: it may differ.
                    held[call] = task, delay
                else:
                    commands.append(_command(call, task, delay))
        self.clear()
        self._by_call = held
        return commands

    def clear(self) -> None:
        self._by_call.clear()
        self._close = None


def _in_words(input: Any) -> str:
    if input is UNKNOWN_INPUT:
        return "a timer before the first attempt"
    return f"a call with input {input!r}"


def _command(call: CallId, task: Task, delay: float) -> Command:
    if delay:
        return StartTimer(call, delay)
    command = ScheduleWorkflow if task.dependency.kind == "workflow" else ScheduleActivity
    return command(call, task.input, calls_of(task.sources))
