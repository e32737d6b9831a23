"""The errors of Flowy, split by who has to act on them.

`TaskError` and its subclasses tell a workflow that a task went wrong. `NonDeterminismError` and
`DependencyError` tell its author that the code or the configuration did. `PluginError` and
`PluginWarning` are about what is installed. `SuspendTask` is no error: it is how a workflow stops
on a result that is not there yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class SuspendTask(BaseException):
    """Stop the workflow code on a pending result, to be replayed when the result is there.

    It is a `BaseException` so that `except Exception` in workflow code does not catch it. Code that
    does catch it changes nothing: from then on the run can schedule no task and its return value is
    ignored.
    """


class TaskError(Exception):
    """A task failed; forcing its result raises this.

    Where the original exception is at hand, it is the `__cause__`.

    Parameters
    ----------
    message
        what went wrong: the original exception's own text.
    name
        the dependency's name, such as `square`.
    call
        the identity of the failed attempt, such as `square-0-2`.
    error_type
        the type name of the original exception, such as `ValueError`.
    traceback
        the text of the traceback where the task ran, or the empty string.
    """

    def __init__(
        self,
        message: str = "",
        *,
        name: str = "",
        call: str = "",
        error_type: str = "",
        traceback: str = "",
    ) -> None:
        super().__init__(message)
        #: what went wrong, in the words of the original exception
        self.message = str(message)
        #: the dependency's name
        self.name = name
        #: the identity of the attempt that failed last
        self.call = call
        #: the type name of the original exception
        self.error_type = error_type
        #: the traceback's text from where the task ran
        self.traceback = traceback

    def summary(self) -> str:
        """Return the error in one paragraph, without the traceback."""
        what = ": ".join(part for part in (self.error_type, self.message) if part)
        if self.call:
            return f"{self.call} {self._verb}: {what}" if what else f"{self.call} {self._verb}"
        return what

    def __str__(self) -> str:
        # The cause, where there is one, is printed by Python with its own traceback.
        if self.traceback and self.__cause__ is None:
            return f"{self.summary()}\n\nwhere the task ran:\n{self.traceback.rstrip()}"
        return self.summary()

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {
            "name": self.name,
            "call": self.call,
            "error_type": self.error_type,
            "traceback": self.traceback,
        }
        return _restore, (type(self), self.message, facts), self.__dict__

    _verb = "failed"


class TaskTimedout(TaskError):
    """A task took too long in its last attempt; the message says which of its limits it passed."""

    _verb = "timed out"


class TaskCancelled(TaskError):
    """A task was cancelled.

    `flowy.heartbeat` raises it inside an activity that should stop, and forcing the result of a
    cancelled task raises it in the workflow.
    """

    _verb = "was cancelled"


def _restore(kind: type[TaskError], message: str, facts: dict[str, str]) -> TaskError:
    error = kind.__new__(kind, message)
    TaskError.__init__(error, message, **facts)
    return error


class NonDeterminismError(Exception):
    """The workflow code did not repeat what its history says it did.

    It fails the decision, not the workflow: with the right code in place the workflow goes on.

    Parameters
    ----------
    call
        the identity of the call, such as `square-0`.
    recorded
        what the history says of it.
    replayed
        what the code did this time.
    location
        `file:line` of the workflow code that made the call or stopped, or the empty string.
    """

    def __init__(self, call: str, recorded: str, replayed: str, location: str = "") -> None:
        super().__init__(call, recorded, replayed, location)
        #: the identity of the call that differs
        self.call = call
        #: what the history says
        self.recorded = recorded
        #: what the code did instead
        self.replayed = replayed
        #: the source line
        self.location = location

    def __str__(self) -> str:
        where = f"\n  at:       {self.location}" if self.location else ""
        return (
            f"replay of {self.call} differs from the history\n"
            f"  recorded: {self.recorded}\n"
            f"  now:      {self.replayed}{where}\n"
            "the code changed while this workflow was running, or it depends on something that "
            "differs from run to run (time, randomness, the environment, the order of a set); "
            "deploy the code that this workflow started with, or move what differs into a task"
        )


class DependencyError(ValueError, TypeError):
    """A workflow's factory and its configured dependencies do not fit.

    It is a `ValueError` of the configuration, and the `TypeError` that calling the factory would
    have been.
    """

    def __init__(
        self, factory: str, missing: Sequence[str] = (), unknown: Sequence[str] = ()
    ) -> None:
        super().__init__(factory, tuple(missing), tuple(unknown))
        #: the workflow
        self.factory = factory
        #: the dependencies that it takes and that are not configured
        self.missing = tuple(missing)
        #: the dependencies that are configured and that it does not take
        self.unknown = tuple(unknown)

    def __str__(self) -> str:
        parts = []
        if self.missing:
            parts.append(
                f"{self.factory} needs {_names(self.missing)}, not configured: "
                "add conf_activity(name, ...) or conf_workflow(name, ...) for each"
            )
        if self.unknown:
            parts.append(
                f"{self.factory} takes no {_names(self.unknown)}: "
                "remove it from the configuration or add a parameter of that name"
            )
        return "; ".join(parts)


class PluginError(Exception):
    """A plugin is broken or turned off, or plugins contradict each other."""


class PluginWarning(UserWarning):
    """A plugin is broken and was skipped."""


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
