"""A line of the table, and what measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass
class Row:
    """One line of the table."""

    what: str
    #: what was measured, in the unit
    measured: float
    #: what it is held against, in the unit; None for a plain figure
    yardstick: float | None
    #: the ratio of the two, or the figure itself
    value: float
    unit: str
    #: the highest value that is good enough, or None
    bar: float | None = None

    @property
    def missed(self) -> bool:
        return self.bar is not None and self.value > self.bar


#: the row's name, and what measures it
Measurement: TypeAlias = tuple[str, Callable[[], Row]]
