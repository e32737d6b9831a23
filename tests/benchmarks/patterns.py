"""The workflows that are measured, and the same work on a raw executor."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import flowy


def same(value: Any) -> Any:
    return value


def add(left: int, right: int) -> int:
    return left + right


def total(values: list[int]) -> int:
    return sum(values)


def chain(task: Any) -> Callable[[int], Any]:
    def run(count: int) -> Any:
        value = 0
        for _ in range(count):
            value = task(value)
        return value

    return run


def wait_chain(task: Any) -> Callable[[int], Any]:
    def run(count: int) -> Any:
        value = 0
        for _ in range(count):
            value = task(value)
            flowy.wait(value)
        return value

    return run


def fan(task: Any) -> Callable[[int], Any]:
    def run(count: int) -> Any:
        return sum([task(number) for number in range(count)])

    return run


def reduce(task: Any) -> Callable[[int], Any]:
    def run(count: int) -> Any:
        return flowy.parallel_reduce(task, range(count))

    return run


def nested(task: Any, total: Any) -> Callable[[int], Any]:
    """Calls that take lists of 100 results; a hundredth of the calls."""

    def run(count: int) -> Any:
        results = [task(number) for number in range(count)]
        return [total(results[start : start + 100]) for start in range(0, count, 100)]

    return run


def child(task: Any) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        return task(value)

    return run


def children(child: Any) -> Callable[[int], Any]:
    def run(count: int) -> Any:
        return sum([child(number) for number in range(count)])

    return run


def raw_chain(executor: Executor, count: int) -> Any:
    value = 0
    for _ in range(count):
        value = executor.submit(same, value).result()
    return value


def raw_fan(executor: Executor, count: int) -> Any:
    return sum(future.result() for future in [executor.submit(same, n) for n in range(count)])


def configure(name: str, **options: Any) -> flowy.LocalWorkflow:
    """Return the workflow of a pattern, configured."""
    if name == "children":
        inner = flowy.LocalWorkflow(child)
        inner.conf_activity("task", same)
        workflow = flowy.LocalWorkflow(children, **options)
        workflow.conf_workflow("child", inner)
        return workflow
    factories: dict[str, Callable[..., Any]] = {
        "chain": chain,
        "wait chain": wait_chain,
        "fan": fan,
        "reduce": reduce,
        "nested arguments": nested,
    }
    workflow = flowy.LocalWorkflow(factories[name], **options)
    workflow.conf_activity("task", add if name == "reduce" else same)
    if name == "nested arguments":
        workflow.conf_activity("total", total)
    return workflow


def expected(name: str, count: int) -> Any:
    """Return what a pattern has to answer."""
    if name in ("chain", "wait chain"):
        return 0
    if name == "nested arguments":
        return [sum(range(start, start + 100)) for start in range(0, count, 100)]
    return sum(range(count))
