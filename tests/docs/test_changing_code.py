"""What docs/changing-code.md says of changes under running workflows is so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import flowy
from flowy import testing


def before(pay: Any, pack: Any, ship: Any) -> Callable[[], Any]:
    def run() -> Any:
        receipt = pay("Ann")
        boxes = [pack("tea"), pack("cake")]
        flowy.wait(receipt)
        return ship(boxes)

    return run


@pytest.fixture
def running() -> testing.History:
    """Return the history of a workflow that has called everything and waits for the shipping."""
    tasks = {"pay": "paid", "pack": str.upper, "ship": testing.returns("shipped", after=1)}
    history = testing.run(before, tasks).histories[0]
    return replace(history, events=history.events[:-1], end=None)


def the_calls_at_the_end(pay: Any, pack: Any, ship: Any, thank: Any) -> Callable[[], Any]:
    def run() -> Any:
        receipt = pay("Ann")
        boxes = [pack("tea"), pack("cake")]
        flowy.wait(receipt)
        flowy.wait(ship(boxes))
        return thank()

    return run


def other_computations(pay: Any, pack: Any, ship: Any) -> Callable[[], Any]:
    def run() -> Any:
        paid = pay("ann".title())
        parcels = list(map(pack, ("tea", "cake")))
        flowy.wait(paid)
        return ship(parcels)

    return run


def one_more_at_the_end(pay: Any, pack: Any, ship: Any) -> Callable[[], Any]:
    def run() -> Any:
        receipt = pay("Ann")
        boxes = [pack("tea"), pack("cake")]
        pack("a gift")
        flowy.wait(receipt)
        return ship(boxes)

    return run


def one_more_at_the_start(pay: Any, pack: Any, ship: Any) -> Callable[[], Any]:
    def run() -> Any:
        pack("a gift")
        receipt = pay("Ann")
        boxes = [pack("tea"), pack("cake")]
        flowy.wait(receipt)
        return ship(boxes)

    return run


def one_less(pay: Any, pack: Any, ship: Any) -> Callable[[], Any]:
    def run() -> Any:
        pay("Ann")
        return ship([pack("tea")])

    return run


def other_arguments(pay: Any, pack: Any, ship: Any) -> Callable[[], Any]:
    def run() -> Any:
        receipt = pay("Bob")
        boxes = [pack("tea"), pack("cake")]
        flowy.wait(receipt)
        return ship(boxes)

    return run


def another_order_of_the_same(pay: Any, pack: Any, ship: Any) -> Callable[[], Any]:
    def run() -> Any:
        receipt = pay("Ann")
        cake, tea = pack("cake"), pack("tea")
        flowy.wait(receipt)
        return ship([tea, cake])

    return run


def another_order_of_different_ones(pay: Any, pack: Any, ship: Any) -> Callable[[], Any]:
    def run() -> Any:
        boxes = [pack("tea"), pack("cake")]
        flowy.wait(pay("Ann"))
        return ship(boxes)

    return run


def another_order_around_a_wait(pay: Any, pack: Any, ship: Any) -> Callable[[], Any]:
    def run() -> Any:
        boxes = [pack("tea"), pack("cake")]
        flowy.wait(ship(boxes))
        return pay("Ann")

    return run


#: the change, and whether what runs goes on
CHANGES = [
    (the_calls_at_the_end, True),
    (other_computations, True),
    (one_more_at_the_end, True),
    (one_more_at_the_start, False),
    (one_less, False),
    (other_arguments, False),
    (another_order_of_the_same, False),
    (another_order_of_different_ones, True),
    (another_order_around_a_wait, False),
]


@pytest.mark.parametrize(
    ("changed", "goes_on"), CHANGES, ids=lambda each: getattr(each, "__name__", str(each))
)
def test_what_runs_goes_on_after_a_change_or_stops(
    changed: Callable[..., Any], goes_on: bool, running: testing.History
) -> None:
    testing.replay(before, running)
    if goes_on:
        testing.replay(changed, running)
    else:
        with pytest.raises(flowy.NonDeterminismError):
            testing.replay(changed, running)


def fetcher(fetch: Any) -> Callable[[], Any]:
    return lambda: fetch("tea")


def configured(attempts: int) -> flowy.LocalWorkflow:
    workflow = flowy.LocalWorkflow(fetcher)
    workflow.conf_activity("fetch", str, retry=flowy.Retry(attempts=attempts))
    return workflow


@pytest.mark.parametrize(("attempts", "goes_on"), [(5, True), (2, True), (1, False)])
def test_fewer_attempts_than_there_were_stop_what_runs(attempts: int, goes_on: bool) -> None:
    fetch = testing.by_attempt(OSError("busy"), testing.returns("tea", after=1))
    history = testing.run(configured(3), {"fetch": fetch}).histories[0]
    running = replace(history, events=history.events[:-1], end=None)
    testing.replay(configured(3), running)
    if goes_on:
        testing.replay(configured(attempts), running)
    else:
        with pytest.raises(flowy.NonDeterminismError):
            testing.replay(configured(attempts), running)


def test_another_name_of_a_dependency_stops_what_runs(running: testing.History) -> None:
    changed = flowy.LocalWorkflow(lambda bill, pack, ship: before(bill, pack, ship))
    for name in ("bill", "pack", "ship"):
        changed.conf_activity(name, str)
    with pytest.raises(flowy.NonDeterminismError):
        testing.replay(changed, running)


def test_an_activity_made_a_workflow_stops_what_runs() -> None:
    history = testing.run(configured(1), {"fetch": "tea"}).histories[0]
    changed = flowy.LocalWorkflow(fetcher)
    changed.conf_workflow("fetch", flowy.LocalWorkflow(lambda: str))
    with pytest.raises(flowy.NonDeterminismError):
        testing.replay(changed, history)
