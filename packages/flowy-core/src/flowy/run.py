"""One run of the workflow code: its calls become tasks, its results become nodes.

An execution runs the code once when it can park it, and anew after each suspension otherwise. A run
that was suspended keeps its graph, so that what is ready goes on without the code; a run that was
replaced by the next one is dead and schedules nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from flowy.errors import NonDeterminismError, SuspendTask, TaskError
from flowy.events import CallId
from flowy.result import ResultProxy
from flowy.retry import NO_RETRY, RetryPolicy
from flowy.serialization import JSON, Codec, Source
from flowy.task import UNKNOWN_VALUE, Node, first_failed, last_closed

#: the input of a call of which only the first delay is in the history
UNKNOWN_INPUT: Any = object()


@dataclass(frozen=True, slots=True)
class Dependency:
    """What a workflow may call under a name."""

    name: str
    #: what runs it: `activity` or `workflow`
    kind: str = "activity"
    codec: Codec = JSON
    retry: RetryPolicy = NO_RETRY
    #: what else the engine has to know, in its own form
    target: Any = None
    #: seconds before the first attempt
    first_delay: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first_delay", self.retry.first_delay())


class Host(Protocol):
    """What a run asks of the execution it belongs to."""

    lock: AbstractContextManager[Any]

    def recorded(self, name: str) -> dict[int, Task]:
        """Return the calls of a dependency that are in the history, by number."""
        ...

    def schedule(self, task: Task) -> None:
        """Have the task run, after its first delay; its input is complete."""
        ...

    def attempt(self, task: Task) -> None:
        """Have the current attempt of the task run at once."""
        ...

    def repeated(self, task: Task) -> None:
        """Take note that the code made a call that is in the history."""
        ...

    def park(self, run: Run, node: Node) -> None:
        """Hold the code until `node` is closed, or raise SuspendTask."""
        ...

    def look_at(self, error: Exception) -> None:
        """Take note that the code saw this failure."""
        ...

    def fail(self, error: BaseException) -> None:
        """Close the execution with an error."""
        ...


class Waiting(Node):
    """A node that needs the values of others first."""

    __slots__ = ("input", "missing")

    run: Run

    def __init__(self, run: Run | None, created: int, input: Any) -> None:
        super().__init__(run, created)
        #: what the codec prepared of the values; the payload once all of them are there
        self.input = input
        self.missing = 0

    def link(self, sources: Sequence[Node]) -> None:
        """Wait for `sources`; become ready, or close, at once if that is settled already."""
        missing = failed = 0
        for source in sources:
            if source.order is None:
                missing += 1
                source.tell(self)
            elif source.error is not None:
                failed += 1
        if failed:
            # Those that were told close later, when this is closed.
            first = first_failed(sources)
            self._fail(first, first.error)
        elif missing:
            self.missing = missing
        else:
            self._ready()

    def source_closed(self, source: Node, closed: list[Node]) -> None:
        """Become ready with the last source, or fail with the first one that failed."""
        if self.order is not None:
            return
        if source.error is not None:
            self._fail(source, source.error)
        else:
            self.missing -= 1
            if self.missing:
                return
            self._ready()
        if self.order is not None:
            closed.append(self)

    def _ready(self) -> None:
        """Go on with the values of all sources."""

    def _fail(self, source: Node, error: Exception | None) -> None:
        self.close_after(source, error)


class Task(Waiting):
    """A call of a dependency."""

    __slots__ = ("_call", "attempt", "carried", "dependency", "number", "scheduled", "sources")

    def __init__(
        self, run: Run | None, created: int, dependency: Dependency, number: int, input: Any
    ) -> None:
        # All that the base classes do, without calling them: that saves 0.2 of the 1.6 microseconds
        # that a call takes here.
        self.run = run  # type: ignore[assignment]
        self.created = created
        self.order = self.error = self.payload = self.codec = self.dependents = None
        self._value = UNKNOWN_VALUE
        self.input = input
        self.missing = 0
        self.dependency = dependency
        self.number = number
        self.attempt = 0
        self._call: CallId | None = None
        #: whether an attempt is with the engine, as opposed to waiting for arguments or a timer
        self.scheduled = False
        #: what the carrier keeps with the current attempt
        self.carried: Any = None
        #: the nodes whose values went into the input, while the call is open
        self.sources: Sequence[Node] = ()

    @property
    def call(self) -> CallId:
        """The identity of the current attempt."""
        # Made once, because observers are told it many times. An item is quicker than its name.
        call = self._call
        if call is None or call[2] != self.attempt:
            self._call = call = CallId(self.dependency.name, self.number, self.attempt)
        return call

    def describe(self) -> str:
        """Return the name and number of the call."""
        return f"{self.dependency.name}-{self.number}"

    def error_of(self, exc: BaseException) -> TaskError:
        """Return the failure of this call because of `exc`, raised in this process."""
        error = TaskError(
            str(exc),
            name=self.dependency.name,
            call=str(self.call),
            error_type=type(exc).__name__,
        )
        error.__cause__ = exc
        return error

    def _ready(self) -> None:
        try:
            self.input = self.dependency.codec.fill(self.input)
        except Exception as exc:
            # A value came in that the codec of this call cannot write.
            self.close_after(last_closed(self.sources), self.error_of(exc))
        else:
            run = self.run
            if not run.replaced:
                run.host.schedule(self)


class Closing(Waiting):
    """The end of the workflow: its return value, or the arguments of its restart."""

    __slots__ = ("_close", "_codec")

    def __init__(
        self, run: Run, created: int, input: Any, codec: Codec, close: Callable[[Any], None]
    ) -> None:
        super().__init__(run, created, input)
        self._codec = codec
        self._close = close

    def _ready(self) -> None:
        try:
            payload = self._codec.fill(self.input)
        except Exception as exc:
            self.run.host.fail(exc)
        else:
            self._close(payload)

    def _fail(self, source: Node, error: Exception | None) -> None:
        super()._fail(source, error)
        assert error is not None
        self.run.host.look_at(error)
        self.run.host.fail(error)


class BoundDependency:
    """What the workflow gets for a dependency: calling it makes a task and returns its result."""

    __slots__ = ("_codec", "_count", "_dependency", "_recorded", "_run")

    def __init__(self, run: Run, dependency: Dependency) -> None:
        self._run = run
        self._dependency = dependency
        self._codec = dependency.codec
        self._recorded = run.host.recorded(dependency.name)
        self._count = 0

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the task; return its result, which is pending as a rule."""
        run = self._run
        if run.stopped:
            run.refuse()
        prepared, sources = self._codec.prepare_input(args, kwargs)
        with run.lock:
            number = self._count
            self._count = number + 1
            created = run.created
            run.created = created + 1
            task = self._recorded.get(number)
            if task is not None:
                self._replay(task, prepared, sources)
            else:
                task = Task(run, created, self._dependency, number, prepared)
                if sources:
                    task.sources = nodes = nodes_of(sources, run)
                    task.link(nodes)
                else:
                    run.host.schedule(task)
        return ResultProxy(task)

    def __repr__(self) -> str:
        return f"<{self._dependency.kind} {self._dependency.name}>"

    @property
    def count(self) -> int:
        """How many calls the run has made."""
        return self._count

    def _replay(self, task: Task, prepared: Any, sources: Sequence[Source]) -> None:
        """Tie a call in the history to this run; check that it is the same call."""
        run = self._run
        if task.dependency.kind != self._dependency.kind:
            run.differ(
                task.describe(),
                f"a call of the {task.dependency.kind} {task.dependency.name}",
                f"a call of the {self._dependency.kind} {self._dependency.name}",
            )
        run.host.repeated(task)
        task.dependency = self._dependency
        task.run = run
        task.dependents = None
        nodes = nodes_of(sources, run)
        if task.order is None:
            # Only a further attempt asks for them. So a replay leaves one object a call to the
            # garbage collector instead of two: of 100,000 calls each took 1.5 times as long as of
            # 10,000, because of full collections, and takes 1.2 times.
            task.sources = nodes
        for node in nodes:
            if node.order is None or node.error is not None:
                state = "is pending" if node.order is None else "has failed"
                run.differ(
                    task.describe(),
                    f"scheduled with {task.input!r}",
                    f"needs {node.describe()}, which {state}",
                )
        payload = self._codec.fill(prepared) if sources else prepared
        if task.input is UNKNOWN_INPUT:
            # Only its first delay is in the history.
            task.input = payload
            if task.scheduled:
                run.host.attempt(task)
        elif not self._codec.same_input(task.input, payload):
            run.differ(task.describe(), f"input {task.input!r}", f"input {payload!r}")


class Run:
    """One run of the workflow code.

    States: *running* until `stopped`; then *suspended* (to be replayed), *ended* (the code returned
    or raised), or *faulty* (the code did not repeat its history). Only the code's own thread moves
    a run on.
    """

    __slots__ = (
        "bound",
        "created",
        "ended",
        "fault",
        "host",
        "lock",
        "replaced",
        "replaying",
        "seen",
        "stopped",
    )

    def __init__(
        self, host: Host, dependencies: Mapping[str, Dependency], seen: int | None = None
    ) -> None:
        self.host = host
        self.lock = host.lock
        #: how many closing events an earlier run of the code has seen
        self.seen = seen or 0
        #: whether the code still does what an earlier run of it has done
        self.replaying = seen is not None
        #: how many nodes the run has made
        self.created = 0
        #: whether the code may schedule nothing any more
        self.stopped = False
        #: whether the code returned or raised
        self.ended = False
        #: how the code differs from its history
        self.fault: NonDeterminismError | None = None
        #: whether a later run took over
        self.replaced = False
        self.bound = {
            name: BoundDependency(self, dependency) for name, dependency in dependencies.items()
        }

    def stop_until(self, node: Node) -> None:
        """Stop the code until `node` is closed."""
        if self.stopped:
            self.refuse()
        try:
            self.host.park(self, node)
        except SuspendTask:
            self.stopped = True
            raise

    def look_at(self, error: Exception) -> None:
        """Take note that the code saw this failure."""
        # What code does while it is suspended, it would not have done if it was parked.
        if not self.stopped:
            self.host.look_at(error)

    def reach(self, number: int) -> None:
        """Take note that the code uses what the closing event of this number brought about."""
        if number > self.seen:
            self.replaying = False

    def end(self) -> None:
        """Take note that the code returned or raised."""
        self.stopped = self.ended = True

    def replace(self) -> None:
        """Take note that a later run takes over."""
        self.replaced = True
        self.let_go()

    def let_go(self) -> None:
        """Let go of what was bound, and holds this run: no garbage collector is needed then."""
        self.bound = {}

    def refuse(self) -> None:
        """Raise what a call, or the use of a pending result, has to raise in a stopped run."""
        if self.fault is not None:
            raise self.fault
        if self.ended:
            raise RuntimeError(
                "the workflow has ended: no task can be called and no pending result used any more"
            )
        raise SuspendTask

    def differ(self, call: str, recorded: str, replayed: str) -> None:
        """Stop the run because it differs from its history; raise NonDeterminismError."""
        self.stopped = True
        self.fault = NonDeterminismError(call, recorded, replayed, code_location())
        raise self.fault


#: the run whose code this thread, or context, runs
current_run: ContextVar[Run | None] = ContextVar("flowy_run", default=None)


def is_replaying() -> bool:
    """Return whether the workflow code that calls this repeats what an earlier run of it has done.

    So code can do once what replay would do again, such as printing. What the workflow commands
    must not depend on it. It is False outside workflow code.
    """
    run = current_run.get()
    return run is not None and run.replaying


def calls_of(sources: Sequence[Node]) -> tuple[CallId, ...]:
    """Return the calls that these nodes are results of."""
    if len(sources) == 1:
        # As most calls of a chain have it.
        call = sources[0].call
        return () if call is None else (call,)
    # By a list, which is made in half the time that a generator takes.
    return tuple([known for node in sources if (known := node.call) is not None])


def nodes_of(sources: Sequence[Source], run: Run) -> Sequence[Node]:
    """Return the sources as what they are: nodes, for every result of a workflow has one.

    Raises
    ------
    ValueError
        one of them is pending and belongs to another workflow.
    """
    nodes: Sequence[Node] = sources  # type: ignore[assignment]
    for node in nodes:
        if node.order is None and node.run is not run:
            raise ValueError(
                f"the pending result of {node.describe()} belongs to another workflow: "
                "wait for it there and pass its value"
            )
    return nodes


_HERE = os.path.dirname(os.path.abspath(__file__))


def code_location() -> str:
    """Return `file:line` of the innermost caller outside Flowy, or the empty string."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back  # type: ignore[assignment]
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
