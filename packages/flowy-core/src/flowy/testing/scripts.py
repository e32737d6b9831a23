"""Scripts: what the tasks of a scripted run do, as data.

A script says of a task's attempts how each ends and after how many seconds of the virtual clock.
Wherever a script is expected, three shorter forms will do: a function stands for
`runs(function)`, an exception for `fails(exception)`, and any other value for `returns(value)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowy import events
from flowy.errors import TaskError
from flowy.events import CallId, TaskClosed, TaskCompleted, TaskFailed, TaskTimedOut
from flowy.retry import RetryPolicy, retry_policy
from flowy.serialization import Codec

if TYPE_CHECKING:
    from flowy.testing.scripted import Outcome


class ScriptError(Exception):
    """A scripted run cannot go on, because its scripts do not say how."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a scripted run is done; children inherit it."""

    suspend: bool
    replay: bool
    restarts: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a call, as a script is asked about it."""

    call: CallId
    input: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    #: when it starts
    time: float
    #: of the execution that made the call
    path: str
    options: Options


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ends."""

    #: in seconds, or None for never
    after: float | None
    #: makes what the machine is told
    event: Callable[[CallId, Codec], TaskClosed]
    #: of a child workflow
    child: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """What a task does. Made by the functions of this module."""

    play: Callable[[Attempt], Ending]
    #: what runs it: `activity` or `workflow`
    kind: str = "activity"


@dataclass(frozen=True, slots=True)
class ConfiguredScript:
    """A script, and how the engine is to deal with its task. Made by `task`."""

    script: Script
    retry: RetryPolicy | None
    timeout: float | None


def returns(value: Any, after: float = 0) -> Script:
    """Return a value after so many seconds. The value crosses the engine as it would elsewhere."""
    _check_seconds("after", after)
    return Script(lambda attempt: Ending(after, completed(value)))


def fails(error: BaseException | type[BaseException], after: float = 0) -> Script:
    """Raise an error, given as an exception or its class, after so many seconds."""
    _check_seconds("after", after)
    exception = error() if isinstance(error, type) else error
    return Script(lambda attempt: Ending(after, failed(exception)))


def times_out(after: float = 0, limit: str = "START_TO_CLOSE") -> Script:
    """Pass a limit after so many seconds, whether or not one is configured."""
    _check_seconds("after", after)
    return Script(lambda attempt: Ending(after, lambda call, codec: TaskTimedOut(call, limit)))


def gets_cancelled(details: str = "", after: float = 0) -> Script:
    """End as cancelled after so many seconds."""
    _check_seconds("after", after)
    return Script(
        lambda attempt: Ending(after, lambda call, codec: events.TaskCancelled(call, details))
    )


def never_ends() -> Script:
    """Do not end, except by a configured time-out."""
    return Script(lambda attempt: Ending(None, completed(None)))


def runs(function: Callable[..., Any], after: float = 0) -> Script:
    """Call a function with the task's arguments; return or raise what it does.

    The function may also return a script, such as `returns(value, after=seconds)`; its time is
    added to `after`.
    """
    _check_seconds("after", after)

    def play(attempt: Attempt) -> Ending:
        try:
            value = function(*attempt.args, **attempt.kwargs)
        except Exception as exc:
            return Ending(after, failed(exc))
        if not isinstance(value, Script):
            return Ending(after, completed(value))
        ending = value.play(attempt)
        seconds = None if ending.after is None else after + ending.after
        return Ending(seconds, ending.event, ending.child)

    return Script(play)


def by_call(*scripts: Any) -> Script:
    """Follow the first script for the first call, the second one for the second, and so on.

    Calls are counted from the start of an execution, so a restart begins with the first script
    again. A call for which there is no script ends the run with a ScriptError.
    """
    return _in_turn("call", scripts, lambda call: call.number)


def by_attempt(*scripts: Any) -> Script:
    """Follow the first script for the first attempt at a call, and so on.

    An attempt for which there is no script ends the run with a ScriptError.
    """
    return _in_turn("attempt", scripts, lambda call: call.attempt)


def task(
    script: Any, retry: RetryPolicy | Iterable[float] | None = None, timeout: float | None = None
) -> ConfiguredScript:
    """Configure a script as `conf_activity` configures a function.

    Parameters
    ----------
    script
        what the task does.
    retry
        as for `conf_activity`. None leaves it as the workflow's configuration has it: one attempt
        where there is no configuration.
    timeout
        seconds that an attempt may take. None leaves it as the workflow's configuration has it.
    """
    _check_seconds("timeout", 0 if timeout is None else timeout)
    policy = None if retry is None else retry_policy(retry)
    return ConfiguredScript(as_script(script), policy, timeout)


def as_script(thing: Any) -> Script:
    """Return the script that `thing` is, or is the short form of."""
    if isinstance(thing, Script):
        return thing
    if isinstance(thing, BaseException) or (
        isinstance(thing, type) and issubclass(thing, BaseException)
    ):
        return fails(thing)
    return runs(thing) if callable(thing) else returns(thing)


def failed(error: BaseException) -> Callable[[CallId, Codec], TaskClosed]:
    """Return what makes the event of an attempt that raised the error."""
    message = error.summary() if isinstance(error, TaskError) else str(error)
    return lambda call, codec: TaskFailed(call, type(error).__name__, message, cause=error)


def completed(value: Any) -> Callable[[CallId, Codec], TaskClosed]:
    """Return what makes the event of an attempt that returned the value."""

    def event(call: CallId, codec: Codec) -> TaskClosed:
        try:
            return TaskCompleted(call, codec.dump_value(value))
        except (TypeError, ValueError) as exc:
            # As on an engine: a task whose result cannot be carried fails.
            return failed(exc)(call, codec)

    return event


def _in_turn(what: str, scripts: Iterable[Any], number: Callable[[CallId], int]) -> Script:
    turns = [as_script(each) for each in scripts]

    def play(attempt: Attempt) -> Ending:
        position = number(attempt.call)
        if position >= len(turns):
            raise ScriptError(
                f"there is no script for {attempt.call}: by_{what}() of {attempt.call.name!r} has "
                f"{len(turns)} and this is {what} {position}, counted from 0; add one, or look why "
                "there are more than expected"
            )
        return turns[position].play(attempt)

    return Script(play)


def _check_seconds(what: str, seconds: float) -> None:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{what} must be a number of seconds, not {seconds!r}")
    if not 0 <= seconds < float("inf"):
        raise ValueError(
            f"{what} must be a finite number of seconds from 0, not {seconds!r}; "
            "never_ends() is for a task that does not end"
        )
