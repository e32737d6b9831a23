"""Calls of the service that are made again until they succeed or cannot any more."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

Log: TypeAlias = "logging.Logger | logging.LoggerAdapter[logging.Logger]"
logger = logging.getLogger("flowy.swf")

T = TypeVar("T")
#: seconds before the first repetition, on average
FIRST_DELAY = 0.2
#: seconds before any repetition, at most
LONGEST_DELAY = 60.0

#: Errors that the same call meets again, however often it is made.
_FINAL = frozenset(
    {
        "UnknownResourceFault",
        "ValidationException",
        "SerializationException",
        "OperationNotPermittedFault",
        "AccessDeniedException",
        "UnknownOperationException",
        "TypeAlreadyExistsFault",
        "TypeDeprecatedFault",
        "DomainAlreadyExistsFault",
        "DomainDeprecatedFault",
        "WorkflowExecutionAlreadyStartedFault",
        "DefaultUndefinedFault",
    }
)


def code_of(exc: BaseException) -> str:
    """Return the code of an error that the service answered with; empty for any other error."""
    response = getattr(exc, "response", None)
    if not isinstance(response, dict):
        return ""
    code: Any = response.get("Error", {}).get("Code", "")
    return str(code)


def is_final(exc: BaseException) -> bool:
    """Return whether the same call would meet the same error again."""
    from botocore.exceptions import ParamValidationError

    return code_of(exc) in _FINAL or isinstance(exc, ParamValidationError)


def pause(seconds: float) -> bool:
    """Wait; return False, because there is always time for more. For `insist`."""
    time.sleep(seconds)
    return False


class Backoff:
    """Growing delays with jitter."""

    def __init__(self) -> None:
        self._times = 0

    def next(self) -> float:
        """Return the seconds to wait now."""
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(self._times, 16))
        self._times += 1
        return delay * (0.5 + random.random() / 2)

    def reset(self) -> None:
        """Begin with the first delay again."""
        self._times = 0


def insist(
    call: Callable[[], T],
    wait: Callable[[float], bool],
    longest: float = float("inf"),
    *,
    final: Callable[[Exception], bool] = is_final,
    log: Log = logger,
) -> T:
    """Make a call until it succeeds; return what it returns.

    Parameters
    ----------
    call
        what to do.
    wait
        waits for so many seconds, and returns True if there is no time for more.
    longest
        for how many seconds a repetition makes sense.
    final
        tells whether another call would meet the same error.
    log
        where to say that a call is made again.

    Raises
    ------
    Exception
        what the last call raised: it is final, or time is over.
    """
    end = time.monotonic() + longest
    backoff = Backoff()
    while True:
        try:
            return call()
        except Exception as exc:
            delay = backoff.next()
            if final(exc) or time.monotonic() + delay > end:
                raise
            log.warning(
                "a call failed (%s: %s); it is made again in %.1f s", type(exc).__name__, exc, delay
            )
            if wait(delay):
                raise
