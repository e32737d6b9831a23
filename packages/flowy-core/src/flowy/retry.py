"""When a task that went wrong is tried again.

A policy is a pure function of the attempt and of what went wrong, so that replay arrives at the
same delays: the jitter is drawn from the call's identity and not from a random source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

#: what may go wrong with an attempt
Mishap: TypeAlias = Literal["timeout", "error"]
_MISHAPS: tuple[Mishap, ...] = ("timeout", "error")


class RetryPolicy(Protocol):
    """What the machine asks of a policy."""

    def first_delay(self) -> float:
        """Return the seconds to wait before the first attempt."""
        ...

    def next_delay(self, attempt: int, mishap: Mishap, error_type: str, seed: str) -> float | None:
        """Return the seconds to wait before the next attempt, or None to give up.

        Parameters
        ----------
        attempt
            the number of the attempt that went wrong, from 0.
        mishap
            whether it timed out or raised an error.
        error_type
            the type name of the error; empty for a time-out.
        seed
            what the jitter is drawn from: the call's identity.
        """
        ...


def _check_delay(what: str, delay: float) -> None:
    if isinstance(delay, bool) or not isinstance(delay, (int, float)):
        raise TypeError(f"{what} must be a number of seconds, not {delay!r}")
    if not 0 <= delay < float("inf"):
        raise ValueError(f"{what} must be a finite number of seconds from 0, not {delay!r}")


@dataclass(frozen=True, slots=True)
class Retry:
    """Try a task again after time-outs and errors, with growing delays.

    The delay before attempt number k, k >= 1, is `delay * backoff ** (k - 1)` seconds, at most
    `max_delay`; with jitter it is then multiplied by a factor between `1 - jitter` and
    `1 + jitter`, which depends on the call and the attempt alone.
    """

    #: how many attempts in all, at least 1
    attempts: int = 3
    #: seconds before the second attempt
    delay: float = 0
    #: what each further delay is multiplied by, at least 1
    backoff: float = 1
    #: the longest delay in seconds, before jitter
    max_delay: float = 3600
    #: how far a delay may stray, as a share of itself, 0 to 1
    jitter: float = 0
    #: which mishaps are tried again
    on: Sequence[Mishap] = _MISHAPS
    #: type names of errors that are never tried again, such as `("ValueError",)`
    give_up_on: Sequence[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int):
            raise TypeError(f"attempts must be an int, not {self.attempts!r}")
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {self.attempts!r}")
        _check_delay("delay", self.delay)
        _check_delay("max_delay", self.max_delay)
        if not self.backoff >= 1:
            raise ValueError(f"backoff must be at least 1, not {self.backoff!r}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter must be between 0 and 1, not {self.jitter!r}")
        for name in ("on", "give_up_on"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ValueError(f"{name} must be a sequence of names: use ({value!r},)")
            object.__setattr__(self, name, tuple(value))
        for mishap in self.on:
            if mishap not in _MISHAPS:
                raise ValueError(f"on takes 'timeout' and 'error', not {mishap!r}")

    def first_delay(self) -> float:
        """Return 0: the first attempt does not wait."""
        return 0

    def next_delay(self, attempt: int, mishap: Mishap, error_type: str, seed: str) -> float | None:
        """Return the seconds to wait before the next attempt, or None to give up."""
        if attempt + 1 >= self.attempts or mishap not in self.on or error_type in self.give_up_on:
            return None
        try:
            delay = min(self.max_delay, self.delay * self.backoff**attempt)
        except OverflowError:
            delay = self.max_delay if self.delay else 0
        if self.jitter:
            import random

            # Not for secrets: a repeatable draw is what replay needs.
            draw = random.Random(f"{seed}-{attempt + 1}").random()
            delay *= 1 + self.jitter * (2 * draw - 1)
        return delay


@dataclass(frozen=True, slots=True)
class RetryDelays:
    """Try a task again after time-outs: `(0, 3, 10)` are the seconds before each attempt."""

    delays: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.delays:
            raise ValueError("retry needs at least one delay: (0,) is a single attempt")
        for delay in self.delays:
            _check_delay("each delay of retry", delay)

    def first_delay(self) -> float:
        """Return the seconds before the first attempt."""
        return self.delays[0]

    def next_delay(self, attempt: int, mishap: Mishap, error_type: str, seed: str) -> float | None:
        """Return the seconds to wait before the next attempt, or None to give up."""
        if mishap != "timeout" or attempt + 1 >= len(self.delays):
            return None
        return self.delays[attempt + 1]


#: one attempt, whatever happens
NO_RETRY = RetryDelays((0,))


def retry_policy(retry: RetryPolicy | Iterable[float]) -> RetryPolicy:
    """Return the policy for what a user wrote as `retry=`: a policy or a sequence of delays."""
    if not isinstance(retry, Iterable) and hasattr(retry, "next_delay"):
        return retry
    if isinstance(retry, str) or not isinstance(retry, Iterable):
        raise TypeError(
            f"retry must be a sequence of delays in seconds such as (0, 3, 10), or a flowy.Retry, "
            f"not {retry!r}"
        )
    return RetryDelays(tuple(retry))
