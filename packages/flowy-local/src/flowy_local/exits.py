"""Letting tasks that nobody needs any more end with their work when the interpreter exits.

Worker threads are daemons: a task that is stuck, or that was interrupted, must not keep the
interpreter from exiting. Those that merely have not finished are waited for.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterable
from weakref import WeakSet

_threads: WeakSet[threading.Thread] = WeakSet()


def wait_at_exit(threads: Iterable[threading.Thread]) -> None:
    """Have these threads waited for when the interpreter exits."""
    _threads.update(threads)


@atexit.register
def wait() -> None:
    """Wait for them now."""
    for thread in list(_threads):
        thread.join()
