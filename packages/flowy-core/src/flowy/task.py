"""A node of the task graph: what stands behind a result.

A node is *open* until it has an `order`, then it is *closed*: it has a value or an error, for good.
`order` is its place in the finish order, a triple that depends on the history alone and not on when
the workflow code got to see it:

- the number of the event that closed it, counted over the closing events of the history;
- how many steps it is away from that event: 0 for the task that the event is about, and one more
  than its source for a node that closed because another one did;
- when the workflow code made the node, to tell apart those of the same event and step.

Nodes that close because of one event are closed step by step, each step in the order in which the
nodes were made. So the order in which they are seen to close is the order of their triples.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from flowy.result import source_of

if TYPE_CHECKING:
    from flowy.events import CallId
    from flowy.serialization import Codec

#: event number, steps from the event, when the node was made
Order: TypeAlias = tuple[int, int, int]

#: the value of a node whose payload was not decoded
UNKNOWN_VALUE: Any = object()


class Dependent(Protocol):
    """Who is told when a node closes."""

    def source_closed(self, source: Node, closed: list[Node]) -> None:
        """Take note that `source` closed; append to `closed` each node that closes by it."""
        ...


class Stopper(Protocol):
    """The run of workflow code that a node belongs to, as far as a node needs it."""

    #: how many nodes the run has made
    created: int
    #: is held whenever the graph changes
    lock: AbstractContextManager[Any]
    #: whether the code still does what an earlier run of it has done
    replaying: bool

    def stop_until(self, node: Node) -> None:
        """Stop the workflow code until `node` is closed."""
        ...

    def look_at(self, error: Exception) -> None:
        """Take note that the workflow code saw this failure."""
        ...

    def reach(self, number: int) -> None:
        """Take note that the workflow code uses what this closing event brought about."""
        ...


class Node:
    """A place where a value or an error will be.

    Parameters
    ----------
    run
        the run of the workflow code that made the node.
    created
        how many nodes that run had made before.
    """

    __slots__ = ("_value", "codec", "created", "dependents", "error", "order", "payload", "run")

    def __init__(self, run: Stopper | None, created: int) -> None:
        self.run = run
        self.created = created
        #: its place in the finish order; None while it is open
        self.order: Order | None = None
        #: what forcing it raises, if it failed
        self.error: Exception | None = None
        #: the value's payload, if it did not fail
        self.payload: Any = None
        #: what made the payload
        self.codec: Codec | None = None
        #: who waits for it; one without a list, because most have no more, and the garbage
        #: collector goes through every list
        self.dependents: Dependent | list[Dependent] | None = None
        self._value: Any = UNKNOWN_VALUE

    @property
    def finished(self) -> bool:
        """Whether the node has a value or an error."""
        return self.order is not None

    def value(self) -> Any:
        """Return the value or raise the error; stop the workflow code while there is neither."""
        if self.order is None:
            assert self.run is not None
            self.run.stop_until(self)
        if self.error is not None:
            if self.run is not None:
                self.run.reach(self.order[0])  # type: ignore[index]
                self.run.look_at(self.error)
            raise self.error.with_traceback(None)
        if self._value is UNKNOWN_VALUE:
            assert self.codec is not None
            if self.run is not None and self.run.replaying:
                self.run.reach(self.order[0])  # type: ignore[index]
            self._value = self.codec.load_value(self.payload)
        return self._value

    def describe(self) -> str:
        """Return what the node is, in words for a `repr`."""
        return "a value"

    @property
    def call(self) -> CallId | None:
        """The call whose result this is, if it is one of a call and known."""
        return None

    def tell(self, dependent: Dependent) -> None:
        """Have `dependent` told when the node, which is open, closes."""
        dependents = self.dependents
        if dependents is None:
            self.dependents = dependent
        elif type(dependents) is list:
            dependents.append(dependent)
        else:
            self.dependents = [dependents, dependent]  # type: ignore[list-item]

    def close_like(self, source: Node) -> None:
        """Close with the outcome of `source`, one step after it."""
        self.payload = source.payload
        self.codec = source.codec
        self._value = source._value
        self.close_after(source, source.error)

    def close_after(self, source: Node, error: Exception | None) -> None:
        """Close one step after `source`, which is closed."""
        assert source.order is not None
        self.error = error
        # Set last: another thread takes a node with an order for closed.
        self.order = (source.order[0], source.order[1] + 1, self.created)


class Settled(Node):
    """A node that had its value from the start."""

    __slots__ = ()

    def __init__(self, value: Any) -> None:
        super().__init__(None, 0)
        self._value = value
        self.order = (0, 0, 0)


def close_dependents(node: Node) -> None:
    """Carry the closing of `node` to all that close or become ready by it."""
    level: list[Node] = [node]
    while level:
        closed: list[Node] = []
        for source in level:
            dependents = source.dependents
            if dependents is not None:
                source.dependents = None
                if type(dependents) is list:
                    for dependent in dependents:
                        dependent.source_closed(source, closed)
                else:
                    dependents.source_closed(source, closed)  # type: ignore[union-attr]
        if len(closed) > 1:
            closed.sort(key=_created)
        level = closed


def _created(node: Node) -> int:
    return node.created


def first_failed(nodes: Sequence[Node]) -> Node:
    """Return the node that failed first of `nodes`, of which one at least did."""
    return min((node for node in nodes if node.error is not None), key=_order)


def last_closed(nodes: Sequence[Node]) -> Node:
    """Return the node that closed last of `nodes`, which are all closed and at least one."""
    return max(nodes, key=_order)


def _order(node: Node) -> Order:
    assert node.order is not None
    return node.order


def node_of(proxy: Any) -> Node:
    """Return the node behind a result."""
    source = source_of(proxy)
    assert isinstance(source, Node)
    return source
