"""Whole workflows over HTTP, with deciders and activity workers in threads."""

from __future__ import annotations

from typing import Any

from tests.swf.fleet import fleet, workers, workflow_config


def square(n: int) -> int:
    return n * n


def add(a: int, b: int) -> int:
    return a + b


class SumOfSquares:
    def __init__(self, square: Any, add: Any) -> None:
        self.square = square
        self.add = add

    def __call__(self, a: int, b: int) -> Any:
        return self.add(self.square(a), self.square(b))


def test_the_first_example_runs() -> None:
    with fleet() as running:
        for worker in workers(SumOfSquares, workflow_config(), {"square": square, "add": add}):
            running.serve(worker)
        assert running.run("workflow", 2, 10) == 104
