"""Traces of all kinds of runs, by name."""

from __future__ import annotations

from collections.abc import Callable

from flowy_trace import Trace

from . import runs
from .hostile import hostile
from .simulation import simulate


def shop() -> Trace:
    return simulate(runs.shop(), "4711", {"apple": 10, "pear": 2, "plum": 25}, workers=4)


TRACES: dict[str, Callable[[], Trace]] = {
    "example": lambda: simulate(runs.example(), 2, 10),
    "shop": shop,
    "going on": lambda: simulate(runs.shop(), "4711", {"apple": 10, "pear": 2}, until=2),
    "trouble": lambda: simulate(runs.trouble(), workers=3),
    "restarts": lambda: simulate(runs.restarts()),
    "tangle": lambda: simulate(runs.tangle(), workers=4),
    "many": lambda: simulate(runs.many(), 60, workers=8),
    "big": lambda: simulate(runs.many(), 300, workers=8),
    "hostile": lambda: simulate(hostile(), "a", "b"),
    "nothing": lambda: Trace("nothing"),
}
