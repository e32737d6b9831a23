"""The pool of threads, and the places in it."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from tests.local.tasks import PATIENCE, in_thread, wait

from flowy_local.scheduler import TRIES, Scheduler
from flowy_local.threads import ThreadPool, Worker
from flowy_local.timers import ManualTimers, Timers


class Calling(Worker):
    """Calls what is in the queue; an item that returns True ends the thread."""

    def work(self, item: Callable[[], Any]) -> bool:
        return item() is not True

    def busy(self) -> bool:
        return False


def pool_of(size: int) -> ThreadPool:
    return ThreadPool("test", deque(), size, Calling)


def test_work_waits_while_the_only_place_is_lent() -> None:
    pool = pool_of(1)
    done: queue.Queue[str] = queue.Queue()
    place = pool.lend()
    assert place is not None
    assert pool.lend() is None
    pool.queue.append(lambda: done.put("done"))
    pool.wake()
    assert pool.join() == []  # there is no thread that could do it
    assert done.empty()
    pool.give_back(place)
    assert done.get(timeout=PATIENCE) == "done"
    pool.close()
    pool.join()


def test_a_place_that_is_given_back_can_be_lent_again() -> None:
    pool = pool_of(2)
    for _ in range(3):
        places = [pool.lend(), pool.lend()]
        assert None not in places
        assert pool.lend() is None
        for place in places:
            pool.give_back(place)


def test_a_thread_that_leaves_lets_another_do_what_it_made_ready() -> None:
    pool = pool_of(1)
    done: queue.Queue[str] = queue.Queue()

    def leave() -> bool:
        pool.grow()
        pool.queue.append(lambda: done.put("done"))
        return True

    pool.queue.append(leave)
    pool.wake()
    assert done.get(timeout=PATIENCE) == "done"
    pool.close()
    pool.join()


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), KeyboardInterrupt()])
def test_a_thread_that_is_not_started_leaves_the_pool_as_it_was(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_start(_thread: Any) -> None:
        raise error

    pool = pool_of(1)
    done: queue.Queue[str] = queue.Queue()
    pool.queue.append(lambda: done.put("done"))
    with monkeypatch.context() as patch:
        patch.setattr("threading.Thread.start", cannot_start)
        with pytest.raises(type(error)) as caught:
            pool.wake()
    assert caught.value is error
    pool.wake()
    assert done.get(timeout=PATIENCE) == "done"
    pool.close()
    pool.join()


def test_whoever_posts_wakes_those_for_whom_something_became_ready() -> None:
    scheduler = Scheduler(Timers(), 1, False)
    woken: list[str] = []
    scheduler.wake_activities = lambda: woken.append("activities")
    ready: Any = scheduler.ready
    # What another thread posted while somebody had the lock is dealt with by the next one to post.
    scheduler._posts.append((lambda job, _data: ready.append(job), "a job", None))
    scheduler.post(lambda _subject, _data: None, None, None)
    assert (woken, list(ready)) == (["activities"], ["a job"])


def test_whoever_has_a_child_suspended_wakes_those_for_whom_something_became_ready() -> None:
    scheduler = Scheduler(Timers(), 1, False)
    woken: list[str] = []
    scheduler.wake_activities = lambda: woken.append("activities")
    ready: Any = scheduler.ready
    # Its only thread is there, with a child that may be suspended.
    scheduler.workflow_threads.size = 0
    child = Mock(evict=lambda: woken.append("the child"))
    scheduler.evictable[child] = None
    scheduler._posts.append((lambda job, _data: ready.append(job), "a job", None))
    scheduler.wake_workflows()
    assert (woken, list(ready)) == (["the child", "activities"], ["a job"])


@pytest.mark.parametrize("tries", [0, TRIES])
def test_a_thread_gets_the_lock_whether_it_queues_for_it_or_not(
    tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowy_local.scheduler.TRIES", tries)
    run = Scheduler(ManualTimers(), workflow_workers=1, waits=False)
    held: list[str] = []

    def enter() -> None:
        began.set()
        with run:
            held.append("other")

    began = threading.Event()
    with run, run:
        future = in_thread(enter)
        wait(began)
        held.append("first")
    future.result(PATIENCE)
    assert held == ["first", "other"]
