"""A hundred thousand calls in one workflow, in every pattern, without recursion."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.tasks import InlineExecutor, add, calling, configured, identity

import flowy
from flowy_local import LocalWorkflow

N = 100_000


class Chain:
    """Each call takes the result of the one before; nobody waits in between."""

    def __init__(self, add: Any) -> None:
        self.add = add

    def __call__(self, n: int) -> Any:
        total = self.add(0, 0)
        for _ in range(n - 1):
            total = self.add(total, 1)
        return total


class Fan:
    """All calls are made at once, and all results returned."""

    def __init__(self, identity: Any) -> None:
        self.identity = identity

    def __call__(self, n: int) -> Any:
        return [self.identity(i) for i in range(n)]


class Reduce:
    """All values are reduced in pairs."""

    def __init__(self, add: Any) -> None:
        self.add = add

    def __call__(self, n: int) -> Any:
        return flowy.parallel_reduce(self.add, range(n))


class Wait:
    """Each result is waited for before the next call."""

    def __init__(self, add: Any) -> None:
        self.add = add

    def __call__(self, n: int) -> Any:
        total = 0
        for _ in range(n):
            total = self.add(total, 1) + 0
        return total


def test_a_chain_of_a_hundred_thousand_calls() -> None:
    assert configured(Chain, add).run(N) == N - 1


def test_a_fan_of_a_hundred_thousand_calls() -> None:
    assert configured(Fan, identity).run(N) == list(range(N))


def test_a_reduction_of_a_hundred_thousand_values() -> None:
    assert configured(Reduce, add).run(N) == N * (N - 1) // 2


def test_a_hundred_thousand_waits() -> None:
    assert configured(Wait, add).run(N) == N


def test_a_reduction_of_results_in_the_order_they_finish() -> None:
    def factory(identity: Any, add: Any) -> Any:
        def run(n: int) -> Any:
            results = [identity(i) for i in range(n)]
            return flowy.parallel_reduce(add, flowy.finish_order(results))

        return run

    n = 20_000
    assert configured(factory, identity, add).run(n) == n * (n - 1) // 2


def test_a_failure_at_the_start_of_a_long_chain_reaches_its_end() -> None:
    def factory(add: Any) -> Any:
        def run(n: int) -> Any:
            total = add("text", 1)
            for _ in range(n):
                total = add(total, 1)
            return total

        return run

    with pytest.raises(flowy.TaskError, match=r"^add-0-0 failed: TypeError: "):
        configured(factory, add).run(20_000)


@pytest.mark.parametrize("pattern", [Chain, Reduce, Wait])
def test_the_patterns_in_a_child(pattern: Any) -> None:
    workflow = LocalWorkflow(calling("child"))
    workflow.conf_workflow("child", configured(pattern, add))
    n = 5_000
    assert workflow.run(n) == {Chain: n - 1, Reduce: n * (n - 1) // 2, Wait: n}[pattern]


@pytest.mark.parametrize("options", [{"codec": "object"}, {"executor": InlineExecutor}])
def test_the_patterns_with_other_options(options: dict[str, Any]) -> None:
    n = 5_000
    assert configured(Chain, add, **options).run(n) == n - 1
    assert configured(Fan, identity, **options).run(n) == list(range(n))
    assert configured(Reduce, add, **options).run(n) == n * (n - 1) // 2
    assert configured(Wait, add, **options).run(n) == n
