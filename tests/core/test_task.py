"""Nodes close once, for good, and carry it on in the order of their making."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from flowy import ResultProxy, TaskError
from flowy.events import CallId
from flowy.run import Dependency, Task
from flowy.serialization import JSON
from flowy.task import (
    Node,
    Settled,
    close_dependents,
    first_failed,
    last_closed,
    node_of,
)


class Code:
    """A run of workflow code, as far as nodes need it."""

    created = 0
    lock: AbstractContextManager[Any] = nullcontext()
    replaying = False

    def __init__(self) -> None:
        self.stopped_on: list[Node] = []
        self.seen: list[Exception] = []
        self.reached: list[int] = []

    def stop_until(self, node: Node) -> None:
        self.stopped_on.append(node)
        end(node, payload="5")

    def look_at(self, error: Exception) -> None:
        self.seen.append(error)

    def reach(self, number: int) -> None:
        self.reached.append(number)


def end(node: Node, number: int = 1, payload: Any = None, error: Exception | None = None) -> Node:
    """Close a node by an event of its own."""
    node.payload = payload
    node.codec = JSON
    node.error = error
    node.order = (number, 0, 0)
    return node


class Follower(Node):
    """Closes when the first of its sources does."""

    def source_closed(self, source: Node, closed: list[Node]) -> None:
        if not self.finished:
            self.close_like(source)
            closed.append(self)


def test_a_pending_node_stops_the_code_until_it_has_a_value() -> None:
    code = Code()
    node = Node(code, 0)
    assert not node.finished
    assert node.value() == 5
    assert code.stopped_on == [node]
    assert node.finished
    assert node.value() == 5
    assert code.stopped_on == [node]


def test_a_failed_node_raises_its_error_and_the_code_has_seen_it() -> None:
    code = Code()
    error = TaskError("no luck")
    node = end(Node(code, 0), error=error)
    for times in (1, 2):
        with pytest.raises(TaskError) as caught:
            node.value()
        assert caught.value is error
        assert code.seen == [error] * times


def test_a_failed_node_of_no_code_raises_its_error() -> None:
    error = TaskError("no luck")
    node = end(Node(None, 0), error=error)
    with pytest.raises(TaskError) as caught:
        node.value()
    assert caught.value is error


def test_a_value_is_decoded_once() -> None:
    node = end(Node(None, 0), payload="[1]")
    assert node.value() == [1]
    assert node.value() is node.value()


def test_a_node_is_described_in_words() -> None:
    assert Node(None, 0).describe() == "a value"
    assert Node(None, 0).call is None
    assert Task(None, 0, Dependency("a"), 3, "").describe() == "a-3"


def test_a_task_is_known_by_its_current_attempt() -> None:
    task = Task(None, 0, Dependency("a"), 3, "")
    assert task.call == CallId("a", 3, 0)
    task.attempt = 2
    assert task.call == CallId("a", 3, 2)


def test_a_settled_node_had_its_value_from_the_start() -> None:
    node = Settled(5)
    assert node.finished
    assert node.value() == 5
    assert node.order == (0, 0, 0)


def test_the_node_behind_a_result() -> None:
    node = Settled(5)
    assert node_of(ResultProxy(node)) is node


def test_a_node_that_closes_tells_all_who_wait_for_it() -> None:
    source = Node(None, 0)
    followers = [Follower(None, created) for created in range(1, 4)]
    for follower in followers:
        source.tell(follower)
    close_dependents(end(source, payload="5"))
    assert [follower.value() for follower in followers] == [5, 5, 5]
    assert [follower.order for follower in followers] == [(1, 1, 1), (1, 1, 2), (1, 1, 3)]
    assert source.dependents is None


def test_nodes_close_step_by_step_in_the_order_of_their_making() -> None:
    closed: list[str] = []

    class Named(Follower):
        def __init__(self, name: str, created: int, *sources: Node) -> None:
            super().__init__(None, created)
            self.name = name
            for source in sources:
                source.tell(self)

        def source_closed(self, source: Node, closed_now: list[Node]) -> None:
            super().source_closed(source, closed_now)
            closed.append(self.name)

    root = Node(None, 0)
    late, early = Named("late", 9, root), Named("early", 1, root)
    after_late = Named("after late", 2, late)
    Named("after early", 8, early)
    Named("last", 3, after_late)
    close_dependents(end(root))
    assert closed == ["late", "early", "after early", "after late", "last"]


def test_a_node_that_closes_like_another_has_its_outcome_one_step_later() -> None:
    source = end(Node(None, 0), number=4, error=TaskError("no luck"))
    node = Node(None, 7)
    node.close_like(source)
    assert node.error is source.error
    assert node.order == (4, 1, 7)


def test_the_first_to_fail_and_the_last_to_close_go_by_the_finish_order() -> None:
    error = TaskError("no luck")
    third = end(Node(None, 0), 3, error=error)
    first = end(Node(None, 0), 1)
    second = end(Node(None, 0), 2, error=error)
    pending = Node(None, 0)
    assert first_failed([third, pending, first, second]) is second
    assert last_closed([third, first, second]) is third


def test_an_error_is_raised_without_the_traceback_of_the_last_time() -> None:
    error = TaskError("no luck")
    node = end(Node(None, 0), error=error)
    depths = []
    for _ in range(3):
        with pytest.raises(TaskError) as caught:
            node.value()
        depths.append(len(caught.traceback))
    assert len(set(depths)) == 1
