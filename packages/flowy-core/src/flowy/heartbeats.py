"""Heartbeats: what an activity can say to the engine that runs it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeAlias

#: takes the details of a heartbeat; raises TaskCancelled when the task should stop
Beat: TypeAlias = Callable[[Any], None]

_beat: ContextVar[Beat | None] = ContextVar("flowy_heartbeat", default=None)


def heartbeat(details: Any = None) -> None:
    """Tell the engine that the activity is alive; call it inside an activity, now and then.

    Outside an engine, as when an activity is tested as the plain function it is, it does nothing.

    Parameters
    ----------
    details
        how far the activity is, for people: a short text or number.

    Raises
    ------
    TaskCancelled
        the task should stop: nobody needs its result any more. Clean up and let it through.
    """
    beat = _beat.get()
    if beat is not None:
        beat(details)


def call_with_heartbeats(beat: Beat, function: Callable[..., Any], *args: Any) -> Any:
    """Call the function; meanwhile its heartbeats go to `beat`. For engines."""
    token = _beat.set(beat)
    try:
        return function(*args)
    finally:
        _beat.reset(token)


def send_heartbeats_to(beat: Beat) -> None:
    """Have the heartbeats of this thread, or context, go to `beat` from now on. For engines."""
    _beat.set(beat)
