"""Moments and durations, for people."""

from __future__ import annotations

import datetime as dt
from typing import Any

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def seconds(moment: Any) -> float:
    """Return a moment as the service tells it, a datetime or a number, in seconds since 1970."""
    return round(moment.timestamp() if isinstance(moment, dt.datetime) else float(moment), 3)


def stamp(moment: float) -> str:
    """Return a moment in seconds since 1970 as a date and time."""
    return f"{dt.datetime.fromtimestamp(moment, dt.timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def span(duration: float) -> str:
    """Return a duration in seconds in one unit or two, such as `2 h 5 min`."""
    for index, (size, name) in enumerate(_UNITS):
        if duration >= size:
            whole, rest = divmod(int(duration), size)
            smaller, small_name = _UNITS[index + 1] if index + 1 < len(_UNITS) else (1, "s")
            part = rest // smaller
            return f"{whole} {name} {part} {small_name}" if part else f"{whole} {name}"
    return f"{duration:.0f} s" if duration >= 10 else f"{max(0.0, duration):.3g} s"
