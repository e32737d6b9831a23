"""The clocks of a run: the machine's and the one for tests."""

from __future__ import annotations

import queue
import threading

import pytest
from tests.local.tasks import PATIENCE, in_thread

from flowy_local.timers import ManualTimers, Timers


class HeldClock(Timers):
    """The clock, whose time a test sets."""

    time = 0.0

    def now(self) -> float:
        return self.time


def test_the_clock_does_things_in_order_of_time() -> None:
    clock = HeldClock()
    done: queue.Queue[int] = queue.Queue()
    for n in (3, 1, 2):
        clock.call_later(n / 1000, done.put, n)
    clock.time = 1
    assert [done.get(timeout=PATIENCE) for _ in range(3)] == [1, 2, 3]
    clock.close()


def test_the_clock_does_not_do_what_was_cancelled() -> None:
    clock = Timers()
    done: queue.Queue[str] = queue.Queue()
    clock.call_later(0.01, done.put, "cancelled").cancel()
    clock.call_later(0.02, done.put, "kept")
    assert done.get(timeout=PATIENCE) == "kept"
    clock.close()
    assert done.empty()


def test_the_clock_forgets_what_is_due_later_when_it_closes() -> None:
    clock = Timers()
    done: queue.Queue[str] = queue.Queue()
    clock.call_later(3600, done.put, "late")
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "flowy-timer"]
    clock.close()
    assert not thread.is_alive()
    clock.call_later(0, done.put, "after the end")
    assert done.empty()
    clock.close()


def test_the_clock_closes_though_somebody_else_would_be_notified_first() -> None:
    waiting = threading.Semaphore(0)

    class Changed(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            # The lock is held until it waits.
            waiting.release()
            return super().wait(timeout)

    def wait_first() -> None:
        # Ctrl-C while a thread is notified leaves an entry like that of this one.
        with clock._lock:
            clock._changed.wait()

    clock = Timers()
    clock._changed = Changed(clock._lock)
    other = in_thread(wait_first)
    assert waiting.acquire(timeout=PATIENCE)
    clock.call_later(3600, wait_first)
    assert waiting.acquire(timeout=PATIENCE)
    assert in_thread(clock.close).result(PATIENCE) is None
    assert other.result(PATIENCE) is None


def test_the_clock_takes_delays_longer_than_a_thread_can_wait() -> None:
    clock = Timers()
    done: queue.Queue[str] = queue.Queue()
    clock.call_later(threading.TIMEOUT_MAX * 2, done.put, "late")
    clock.call_later(0, done.put, "now")
    assert done.get(timeout=PATIENCE) == "now"
    clock.close()


def test_an_unused_clock_has_no_thread() -> None:
    before = threading.active_count()
    clock = Timers()
    assert clock.now() <= clock.now()
    assert threading.active_count() == before
    clock.close()


def test_thousands_of_cancelled_timers_are_let_go() -> None:
    clock = ManualTimers()
    done: list[int] = []
    for n in range(10_000):
        timer = clock.call_later(10_000 - n, done.append, n)
        if n % 1_000:
            timer.cancel()
    assert len(clock._agenda._entries) < 3_000
    clock.advance(10_000)
    assert done == list(range(9_000, -1, -1_000))


def test_time_passes_by_hand_and_stops_at_each_timer() -> None:
    clock = ManualTimers()
    done: list[tuple[str, float]] = []

    def note(what: str) -> None:
        done.append((what, clock.now()))
        if what == "first":
            clock.call_later(1, note, "from within")

    clock.call_later(5, note, "last")
    clock.call_later(2, note, "first")
    clock.call_later(3, note, "cancelled").cancel()
    clock.call_later(9, note, "too late")
    clock.advance(1)
    assert done == []
    clock.advance(7)
    assert done == [("first", 2), ("from within", 3), ("last", 5)]
    assert clock.now() == 8
    clock.close()
    clock.advance(100)
    assert len(done) == 3


def test_a_test_can_wait_for_timers_that_are_set() -> None:
    clock = ManualTimers()
    waited = in_thread(clock.wait_for, 2)
    clock.call_later(1, print)
    clock.call_later(1, print)
    assert waited.result(PATIENCE) is None


def test_a_cancelled_timer_is_not_one_that_is_set() -> None:
    clock = ManualTimers()
    clock.call_later(1, print).cancel()
    clock.call_later(1, print)
    with pytest.raises(TimeoutError) as caught:
        clock.wait_for(2, timeout=0)
    assert str(caught.value) == "1 timers are set, expected 2"
