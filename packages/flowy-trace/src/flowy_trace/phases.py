"""What a call did with its time: it waited for arguments or a retry, was queued, ran.

A history does not say when the code made a call, only when its arguments were there. So a call is
said to wait for them from the moment when all calls whose results it takes had been made
themselves, which is the earliest at which it can have been made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from flowy_trace.model import Attempt
from flowy_trace.tree import Entry, Tree

Kind: TypeAlias = Literal["arguments", "delay", "queued", "running"]


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a call's time."""

    kind: Kind
    start: float
    end: float
    #: the number of the attempt
    attempt: int = 0


def called(tree: Tree) -> dict[Entry, float]:
    """Return when each call can have been made at the earliest."""
    times: dict[Entry, float] = {}
    # Sources were scheduled before what takes their results, so they come first in an execution.
    for entry in tree.entries:
        scheduled = entry.scheduled
        own = tree.trace.started if scheduled is None else scheduled
        made = [times[source] for source in entry.sources if source in times]
        times[entry] = min(own, max(made)) if made else own
    return times


def phases(entry: Entry, called_at: float, now: float) -> list[Phase]:
    """Return what the call did, in order of time; what goes on still ends `now`.

    A child workflow runs from when its code was first run until it ends.
    """
    found: list[Phase] = []
    first = entry.scheduled
    if entry.sources and first is not None and first > called_at:
        found.append(Phase("arguments", called_at, first))
    for attempt in entry.call.attempts:
        found += _of_attempt(attempt, now)
    return found


def running(attempt: Attempt, now: float) -> float:
    """Return for how many seconds an attempt ran."""
    if attempt.started is None:
        return 0.0
    return max(0.0, (now if attempt.ended is None else attempt.ended) - attempt.started)


def _of_attempt(attempt: Attempt, now: float) -> list[Phase]:
    found: list[Phase] = []
    end = now if attempt.ended is None else attempt.ended
    if attempt.delayed is not None:
        until = end if attempt.scheduled is None else attempt.scheduled
        found.append(Phase("delay", attempt.delayed, until, attempt.number))
    if attempt.scheduled is not None:
        until = end if attempt.started is None else attempt.started
        if until > attempt.scheduled or attempt.started is None:
            found.append(Phase("queued", attempt.scheduled, until, attempt.number))
    if attempt.started is not None:
        found.append(Phase("running", attempt.started, end, attempt.number))
    return found
