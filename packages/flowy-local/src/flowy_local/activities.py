"""Running one activity: from the payload of its input to the payload of its result."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple

from flowy import events
from flowy.errors import TaskCancelled, TaskError
from flowy.events import CallId, TaskFailed
from flowy.serialization import Codec


@dataclass(frozen=True, slots=True)
class Activity:
    """What the local engine has to know of an activity."""

    function: Callable[..., Any]
    codec: Codec
    #: seconds that an attempt may take, or None
    timeout: float | None = None
    #: seconds that may pass between two heartbeats of an attempt, or None
    heartbeat: float | None = None
    #: whether an attempt has any limit
    limited: bool = field(init=False)

    def __post_init__(self) -> None:
        limited = self.timeout is not None or self.heartbeat is not None
        object.__setattr__(self, "limited", limited)


class Failure(NamedTuple):
    """How an attempt failed, in a form that crosses processes."""

    error_type: str
    message: str
    traceback: str
    #: the exception itself, where it is at hand
    exception: BaseException | None
    #: whether the activity stopped because it was asked to
    cancelled: bool = False

    def error(self, name: str, call: str) -> TaskError:
        """Return the failure as what the workflow gets to see."""
        kind = TaskCancelled if self.cancelled else TaskError
        error = kind(
            self.message,
            name=name,
            call=call,
            error_type=self.error_type,
            traceback=self.traceback,
        )
        error.__cause__ = self.exception
        return error

    def event(self, call: CallId) -> TaskFailed | events.TaskCancelled:
        """Return the failure as what happened to an attempt."""
        if self.cancelled:
            return events.TaskCancelled(call, self.message)
        return TaskFailed(call, self.error_type, self.message, self.traceback, self.exception)

    def packed(self) -> Failure:
        """Return the failure fit to be pickled: with the exception's pickle, if it has one."""
        try:
            pickled = pickle.dumps(self.exception)
            pickle.loads(pickled)
        except Exception:
            # Many exceptions do not survive it, such as those that take other arguments than they
            # hand on; the failure still has their name, message and traceback.
            return self._replace(exception=None)
        return self._replace(exception=_Pickled(pickled))

    def unpacked(self) -> Failure:
        """Return the failure with its exception, unless its class exists in the worker only."""
        if not isinstance(self.exception, _Pickled):
            return self
        try:
            return self._replace(exception=pickle.loads(self.exception.args[0]))
        except Exception:
            return self._replace(exception=None)


class _Pickled(Exception):
    """Stands for an exception on its way between processes."""


def run_activity(
    function: Callable[..., Any],
    codec: Codec,
    payload: Any,
    interrupt: type[BaseException] | tuple[()] = (),
) -> Any:
    """Call the function with the arguments in `payload`; return its result's payload, or a Failure.

    Whatever the function raises becomes a Failure, SystemExit and KeyboardInterrupt too: it must
    not take the worker along. Only an `interrupt` is raised.
    """
    try:
        args, kwargs = codec.load_input(payload)
        return codec.dump_value(function(*args, **kwargs))
    except interrupt:
        raise
    except BaseException as exc:
        return failure_of(exc)


def failure_of(exc: BaseException) -> Failure:
    """Return the failure that `exc` is; the traceback starts in the caller's callee."""
    inner: TracebackType | None = exc.__traceback__
    if inner is not None:
        # The engine's own frame is of no interest to whoever wrote the activity.
        inner = inner.tb_next or inner
    lines = traceback.format_exception(type(exc), exc, inner)
    return Failure(
        type(exc).__name__, message_of(exc), "".join(lines), exc, isinstance(exc, TaskCancelled)
    )


def message_of(exc: BaseException) -> str:
    """Return the exception's text, even if its class has a broken `__str__`."""
    if isinstance(exc, TaskError):
        return exc.summary()
    try:
        return str(exc)
    except Exception as broken:
        return f"(no message: its __str__ raised {type(broken).__name__})"
