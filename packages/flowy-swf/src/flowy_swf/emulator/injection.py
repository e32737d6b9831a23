"""Faults put in for tests: calls that fail, wait or are cut, tasks given out twice.

Every one applies to the next so many calls (or decisions, or tasks) and then is used up.
"""

from __future__ import annotations

import threading
from collections import deque
from itertools import repeat
from typing import Literal, TypeVar

from flowy_swf.emulator import faults
from flowy_swf.emulator.model import enumeration, operation_inputs

_T = TypeVar("_T")
Moment = Literal["before", "after"]


class Injection:
    """What is to go wrong. Every method may be called at any time, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._errors: dict[str, deque[faults.Fault]] = {}
        self._delays: dict[str, deque[float]] = {}
        self._cuts: dict[str, deque[Moment]] = {}
        self._causes: dict[str, deque[str]] = {}
        self._repeats: dict[str, deque[bool]] = {}

    def _add(self, table: dict[str, deque[_T]], key: str, value: _T, times: int) -> None:
        with self._lock:
            table.setdefault(key, deque()).extend(repeat(value, times))

    def _take(self, table: dict[str, deque[_T]], key: str) -> _T | None:
        if not table:
            return None
        with self._lock:
            return table[key].popleft() if table.get(key) else None

    def fail(
        self, operation: str, error: str, message: str = "injected by a test", *, times: int = 1
    ) -> None:
        """Answer the next calls of an operation with an error, and do nothing else.

        ``error`` is a code such as ThrottlingException, InternalFailure or UnknownResourceFault.
        """
        self._add(self._errors, _known(operation), faults.Fault(error, message), times)

    def delay(self, operation: str, seconds: float, *, times: int = 1) -> None:
        """Let the next calls of an operation wait, by the machine's clock, before they begin."""
        self._add(self._delays, _known(operation), seconds, times)

    def cut(self, operation: str, moment: Moment, *, times: int = 1) -> None:
        """Cut the connection of the next calls before or after they have their effect.

        A call in process raises ConnectionResetError instead.
        """
        if moment not in ("before", "after"):
            raise ValueError(f"a connection is cut 'before' or 'after' the effect, not {moment!r}")
        self._add(self._cuts, _known(operation), moment, times)

    def fail_decision(self, decision_type: str, cause: str, *, times: int = 1) -> None:
        """Let the next decisions of a type fail with a cause, such as a rate that is exceeded."""
        known = enumeration(f"{decision_type}FailedCause")
        if cause not in known:
            raise ValueError(
                f"{decision_type!r} decisions never fail with {cause!r}; "
                f"the causes are {', '.join(known) or 'none, as there is no such decision'}"
            )
        self._add(self._causes, decision_type, cause, times)

    def deliver_twice(self, kind: Literal["activity", "decision"], *, times: int = 1) -> None:
        """Give the next tasks of a kind to a second poller too, with the same token."""
        if kind not in ("activity", "decision"):
            raise ValueError(f"tasks are of kind 'activity' or 'decision', not {kind!r}")
        self._add(self._repeats, kind, True, times)

    def next_error(self, operation: str) -> faults.Fault | None:
        """Use up an error for a call."""
        return self._take(self._errors, operation)

    def next_delay(self, operation: str) -> float | None:
        """Use up a delay for a call."""
        return self._take(self._delays, operation)

    def next_cut(self, operation: str) -> Moment | None:
        """Use up a cut for a call."""
        return self._take(self._cuts, operation)

    def next_cause(self, decision_type: str) -> str | None:
        """Use up a cause for a decision."""
        return self._take(self._causes, decision_type)

    def next_repeat(self, kind: str) -> bool:
        """Use up a second delivery of a task."""
        return self._take(self._repeats, kind) is not None


def _known(operation: str) -> str:
    if operation not in operation_inputs():
        raise ValueError(f"unknown operation {operation!r}: Amazon SWF has none of that name")
    return operation
