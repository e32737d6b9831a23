"""Heartbeats: from an activity to the engine that runs it."""

from __future__ import annotations

import contextvars
import threading
from typing import Any

import pytest

import flowy
from flowy.heartbeats import call_with_heartbeats, send_heartbeats_to


def in_own_context(function: Any) -> Any:
    return contextvars.copy_context().run(function)


def test_outside_an_engine_a_heartbeat_does_nothing() -> None:
    def beat() -> None:
        assert flowy.heartbeat() is None  # type: ignore[func-returns-value]
        assert flowy.heartbeat("half way") is None  # type: ignore[func-returns-value]

    in_own_context(beat)


def test_heartbeats_go_to_the_engine_with_their_details() -> None:
    details: list[Any] = []

    def activity() -> None:
        send_heartbeats_to(details.append)
        flowy.heartbeat()
        flowy.heartbeat("half way")
        flowy.heartbeat(details={"done": 7})

    in_own_context(activity)
    assert details == [None, "half way", {"done": 7}]


def test_an_activity_that_should_stop_is_told() -> None:
    def refuse(_details: Any) -> None:
        raise flowy.TaskCancelled("enough")

    def activity() -> None:
        send_heartbeats_to(refuse)
        flowy.heartbeat()

    with pytest.raises(flowy.TaskCancelled, match=r"^enough$"):
        in_own_context(activity)


def test_heartbeats_of_a_call_end_with_it() -> None:
    outer: list[Any] = []
    inner: list[Any] = []

    def activity(result: int, *, fails: bool = False) -> int:
        flowy.heartbeat("inner")
        if fails:
            raise LookupError
        return result

    def run() -> None:
        send_heartbeats_to(outer.append)
        assert call_with_heartbeats(inner.append, activity, 5) == 5
        flowy.heartbeat("outer")
        with pytest.raises(LookupError):
            call_with_heartbeats(inner.append, lambda: activity(1, fails=True))
        flowy.heartbeat("outer again")

    in_own_context(run)
    assert inner == ["inner", "inner"]
    assert outer == ["outer", "outer again"]


def test_other_threads_do_not_send_the_heartbeats_of_an_activity() -> None:
    details: list[Any] = []

    def activity() -> None:
        send_heartbeats_to(details.append)
        thread = threading.Thread(target=flowy.heartbeat, args=("from elsewhere",))
        thread.start()
        thread.join()

    in_own_context(activity)
    assert details == []
