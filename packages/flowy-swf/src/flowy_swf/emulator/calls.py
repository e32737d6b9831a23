"""What was called: how often and how many bytes, by operation."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class CallCount:
    """The calls of one operation; bytes are those of bodies over HTTP, and 0 in process."""

    calls: int = 0
    request_bytes: int = 0
    response_bytes: int = 0


class Calls:
    """Count calls from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, CallCount] = {}

    def add(self, operation: str, received: int, sent: int) -> None:
        """Count a call that was answered, cut or refused."""
        with self._lock:
            old = self._counts.get(operation, CallCount())
            self._counts[operation] = CallCount(
                old.calls + 1, old.request_bytes + received, old.response_bytes + sent
            )

    def by_operation(self) -> dict[str, CallCount]:
        """Give the counts so far."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self._counts.clear()
