"""Workflows whose traces hold all that can be drawn."""

from __future__ import annotations

import time
from typing import Any

import flowy


def square(n: int) -> int:
    time.sleep(n / 4)
    return n**2


def add(a: int, b: int) -> int:
    time.sleep(0.5)
    return a + b


class Example:
    def __init__(self, square: Any, sum: Any) -> None:
        self.square = square
        self.sum = sum

    def __call__(self, a: int, b: int) -> Any:
        return self.sum(self.square(a), self.square(b))


def example() -> flowy.LocalWorkflow:
    """Two squares side by side, and their sum."""
    workflow = flowy.LocalWorkflow(Example)
    workflow.conf_activity("square", square)
    workflow.conf_activity("sum", add)
    return workflow


class Flaky:
    """Fails a few times, then answers."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def __call__(self, item: str) -> str:
        time.sleep(0.5)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the warehouse does not answer")
        return f"3 of {item}"


def charge(card: str, amount: int) -> str:
    time.sleep(1)
    if card.startswith("0"):
        raise ValueError(f"card {card!r} was refused")
    return f"charged {amount}"


def look_up_price(item: str) -> int:
    time.sleep(0.5 if item == "apple" else 1.25)
    return {"apple": 3, "pear": 4, "plum": 1}[item]


class Order:
    def __init__(self, price: Any, stock: Any, total: Any) -> None:
        self.price = price
        self.stock = stock
        self.total = total

    def __call__(self, item: str, quantity: int) -> Any:
        return self.total(self.price(item), self.stock(item), quantity)


def total(price: int, stock: str, quantity: int) -> int:
    return price * quantity


class Shop:
    def __init__(self, order: Any, charge: Any, ship: Any, survey: Any) -> None:
        self.order = order
        self.charge = charge
        self.ship = ship
        self.survey = survey

    def __call__(self, card: str, basket: dict[str, int]) -> Any:
        self.survey(card)
        amounts = [self.order(item, quantity) for item, quantity in basket.items()]
        amount = sum(amounts)
        try:
            flowy.wait(self.charge("0000", amount))
        except flowy.TaskError:
            paid = self.charge(card, amount)
        return self.ship(list(basket), paid)


def ship(items: list[str], paid: str) -> str:
    return f"{len(items)} items on their way, {paid}"


def survey(card: str) -> None:
    time.sleep(60)


def shop() -> flowy.LocalWorkflow:
    """Children, a retry, a failure that is dealt with, and a call that nobody waits for."""
    order = flowy.LocalWorkflow(Order)
    order.conf_activity("price", look_up_price)
    order.conf_activity("stock", Flaky(2), retry=flowy.Retry(attempts=4, delay=1, jitter=0))
    order.conf_activity("total", total)
    workflow = flowy.LocalWorkflow(Shop)
    workflow.conf_workflow("order", order)
    workflow.conf_activity("charge", charge)
    workflow.conf_activity("ship", ship)
    workflow.conf_activity("survey", survey)
    return workflow


def fetch(page: int) -> list[int]:
    return [page] * 3 if page < 2 else []


class Total:
    def __init__(self, fetch: Any) -> None:
        self.fetch = fetch

    def __call__(self, page: int = 0, total: int = 0) -> Any:
        numbers = self.fetch(page)
        return flowy.restart(page + 1, total + sum(numbers)) if numbers else total


def restarts() -> flowy.LocalWorkflow:
    """A chain of three runs."""
    workflow = flowy.LocalWorkflow(Total)
    workflow.conf_activity("fetch", fetch)
    return workflow


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def give_up(seconds: float) -> None:
    raise flowy.TaskCancelled("nobody needs it")


class Trouble:
    def __init__(self, nap: Any, give_up: Any, child: Any) -> None:
        self.nap = nap
        self.give_up = give_up
        self.child = child

    def __call__(self) -> Any:
        calls = [self.nap(9), self.give_up(1), self.child(0)]
        found = []
        for call in calls:
            try:
                flowy.wait(call)
            except flowy.TaskError as exc:
                found.append(type(exc).__name__)
        flowy.wait(self.child("x"))
        return found


class Child:
    def __init__(self, nap: Any) -> None:
        self.nap = nap

    def __call__(self, seconds: Any) -> Any:
        return self.nap(seconds)


def trouble() -> flowy.LocalWorkflow:
    """A time-out, a cancellation, and a child whose failure ends it all."""
    child = flowy.LocalWorkflow(Child)
    child.conf_activity("nap", nap)
    workflow = flowy.LocalWorkflow(Trouble)
    workflow.conf_activity("nap", nap, timeout=2, retry=(0, 1))
    workflow.conf_activity("give_up", give_up)
    workflow.conf_workflow("child", child, retry=flowy.Retry(attempts=2, delay=0.5, jitter=0))
    return workflow


class Tangle:
    def __init__(self, square: Any, sum: Any, child: Any) -> None:
        self.square = square
        self.sum = sum
        self.child = child

    def __call__(self) -> Any:
        first = self.square(1)
        children = [self.child(n) for n in range(3)]
        late = [self.square(first) for _ in range(3)]
        last = first
        for step in range(5):
            last = self.sum(last, late[step % 3])
        wide = [self.sum(last, child) for child in children for _ in range(3)]
        return self.sum(flowy.parallel_reduce(self.sum, wide), first)


class Deep:
    def __init__(self, nap: Any, child: Any) -> None:
        self.nap = nap
        self.child = child

    def __call__(self, n: int) -> Any:
        result = self.nap(0.5)
        for _ in range(n):
            result = self.nap(result)
        flowy.wait(result)
        return self.child(result)


def tangle() -> flowy.LocalWorkflow:
    """Results that are used late and often, beside children of several lengths."""
    child = flowy.LocalWorkflow(Child)
    child.conf_activity("nap", nap)
    deep = flowy.LocalWorkflow(Deep)
    deep.conf_activity("nap", nap)
    deep.conf_workflow("child", child)
    workflow = flowy.LocalWorkflow(Tangle)
    workflow.conf_activity("square", square)
    workflow.conf_activity("sum", lambda a, b: 1)
    workflow.conf_workflow("child", deep)
    return workflow


class Many:
    def __init__(self, square: Any, sum: Any) -> None:
        self.square = square
        self.sum = sum

    def __call__(self, n: int) -> Any:
        return flowy.parallel_reduce(self.sum, [self.square(i % 7) for i in range(n)])


def many() -> flowy.LocalWorkflow:
    """As many squares as one likes, and their sum."""
    workflow = flowy.LocalWorkflow(Many)
    workflow.conf_activity("square", square)
    workflow.conf_activity("sum", add)
    return workflow
