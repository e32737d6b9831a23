"""What a workflow does with several results: `first`, `finish_order`, `parallel_reduce`, `restart`.

A finish order is a sequence of places over a set of members. A place is settled when it is asked
for: by the member that closed first of those that are closed and hold no place yet. If there is
none, the place stands open until one of the members that had joined when it was asked for closes; a
closing member goes to the place that was asked for first. Both ways lead to the same members at the
same places, however much of the history was known when the code asked, because all places rank the
members alike, by their order, and a member that joined later cannot get into an older place.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from flowy.result import ResultProxy, is_result_proxy
from flowy.task import Node, Order, Settled, Stopper, node_of

if TYPE_CHECKING:
    from flowy.events import CallId

_MISSING: Any = object()


def first(*results: Any) -> Any:
    """Return the result that finishes first.

    Takes results, or one iterable of them. Plain values count as finished before all results. While
    none has finished, the answer is a result that stands for whichever comes first: it can be
    passed to tasks, and forcing it waits.

    Raises
    ------
    ValueError
        there is nothing to choose from.
    """
    order = _FinishOrder(_members(results, "first"))
    return order.take(1)[0]


def finish_order(*results: Any) -> Iterator[Any]:
    """Iterate over results in the order in which they finish.

    Takes results, or one iterable of them. Plain values come before all results. A step of the
    iteration does not wait: what has not finished yet is given as a result that stands for
    whichever comes next.
    """
    members = _members(results, "finish_order", empty=True)
    order = _FinishOrder(members)
    return (order.take(1)[0] for _ in members)


def parallel_reduce(
    function: Callable[[Any, Any], Any], iterable: Iterable[Any], initializer: Any = _MISSING
) -> Any:
    """Reduce results with a task of two arguments, starting as soon as any two values are there.

    Parameters
    ----------
    function
        a dependency, or a plain function. It must be associative and commutative, because values
        are combined in the order in which they become known.
    iterable
        results and plain values; n values take n - 1 calls.
    initializer
        one more value, as for `functools.reduce`.

    Returns
    -------
        a result; if there is one value only, that value as a result.

    Raises
    ------
    ValueError
        there is no value at all.
    """
    members = list(iterable)
    if initializer is not _MISSING:
        members.insert(0, initializer)
    if not members:
        raise ValueError("parallel_reduce() of no values: give it an initializer")
    order = _FinishOrder(members)
    for _ in range(len(members) - 1):
        order.join(function(*order.take(2)))
    (last,) = order.take(1)
    return last if is_result_proxy(last) else ResultProxy(Settled(last))


class Restart:
    """What `restart` returns: the arguments that a workflow wants to be started anew with."""

    __slots__ = ("args", "kwargs")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        parts = [repr(value) for value in self.args]
        parts += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"restart({', '.join(parts)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Restart):
            return NotImplemented
        return (self.args, self.kwargs) == (other.args, other.kwargs)

    __hash__ = None  # type: ignore[assignment]


def restart(*args: Any, **kwargs: Any) -> Restart:
    """Return what a workflow returns to start anew with these arguments and an empty history.

    The arguments may hold results: the restart waits for them. It does nothing unless returned.
    """
    return Restart(args, kwargs)


class _Place(Node):
    """A place in a finish order; closes like the member that gets it."""

    #: the task or value that got the place, once it is closed
    __slots__ = ("_member",)

    _member: Node

    def settle(self, member: Node) -> None:
        # Places may stand in finish orders themselves; what counts is the call behind them all.
        self._member = member._member if type(member) is _Place else member
        self.close_like(member)

    @property
    def call(self) -> CallId | None:
        return None if self.order is None else self._member.call

    def describe(self) -> str:
        return "whichever finishes next" if self.order is None else self._member.describe()


class _Membership:
    """Tells a finish order that one of its members closed."""

    __slots__ = ("_first", "_index", "_order")

    def __init__(self, order: _FinishOrder, index: int, first: int) -> None:
        self._order = order
        #: how many members joined before
        self._index = index
        #: the number of the first open place that was asked for afterwards
        self._first = first

    def source_closed(self, source: Node, closed: list[Node]) -> None:
        """Give the member the place asked for first of those open to it."""
        order = self._order
        place = order.take_open(self._first)
        if place is None:
            order.closed.push(source, self._index)
        else:
            place.settle(source)
            closed.append(place)


class _Closed:
    """The closed results that hold no place, by their order.

    Nearly all come in order. With a heap alone, replay of a reduction of 100,000 values took 1.4
    times as long.
    """

    __slots__ = ("_in_order", "_late")

    def __init__(self) -> None:
        #: order, when it joined, node
        self._in_order: deque[tuple[Order, int, Node]] = deque()
        #: a heap of those that came after some of a higher order
        self._late: list[tuple[Order, int, Node]] = []

    def push(self, node: Node, index: int) -> None:
        assert node.order is not None
        entry = (node.order, index, node)
        if self._in_order and entry < self._in_order[-1]:
            heapq.heappush(self._late, entry)
        else:
            self._in_order.append(entry)

    def pop(self) -> Node | None:
        if self._late and not (self._in_order and self._in_order[0] < self._late[0]):
            return heapq.heappop(self._late)[2]
        return self._in_order.popleft()[2] if self._in_order else None


class _FinishOrder:
    """The places over a set of members, which may grow."""

    def __init__(self, members: Iterable[Any]) -> None:
        #: the plain values that hold no place; they come before all results
        self._plain: deque[Any] = deque()
        #: the results that join when the next place is asked for
        self._joining: list[Node] = []
        #: how many results joined so far
        self._joined = 0
        self.closed = _Closed()
        #: the places that were open when asked for; where one was that is settled, the number of
        #: another one, nearer to the next that is open
        self._places: list[_Place | int] = []
        self._run: Stopper | None = None
        #: the run's lock, as soon as there is a run
        self._lock: AbstractContextManager[Any] = nullcontext()
        for member in members:
            self.join(member)

    def join(self, member: Any) -> None:
        """Add a result or a plain value."""
        if type(member) is not ResultProxy:
            self._plain.append(member)
            return
        node = node_of(member)
        if node.run is not None:
            self._run = node.run
            self._lock = node.run.lock
        self._joining.append(node)

    def take(self, count: int) -> list[Any]:
        """Ask for the next `count` places; return the plain values and results that stand there.

        There must be as many members that hold no place.
        """
        taken: list[Any] = []
        while self._plain and len(taken) < count:
            taken.append(self._plain.popleft())
        if len(taken) < count:
            # All of it under the lock once, because the lock takes an engine longer than the rest.
            with self._lock:
                for node in self._joining:
                    self._admit(node)
                self._joining.clear()
                while len(taken) < count:
                    taken.append(ResultProxy(self._next()))
        return taken

    def _admit(self, node: Node) -> None:
        index = self._joined
        self._joined = index + 1
        if node.order is None:
            node.tell(_Membership(self, index, len(self._places)))
        else:
            self.closed.push(node, index)

    def _next(self) -> Node:
        member = self.closed.pop()
        run = self._run
        if run is None:
            # Without a run all members are settled.
            assert member is not None
            return member
        place = _Place(run, run.created)
        run.created += 1
        if member is not None:
            place.settle(member)
        else:
            self._places.append(place)
        return place

    def take_open(self, position: int) -> _Place | None:
        """Return the first open place from number `position` on, which is not open any more."""
        places = self._places
        end = len(places)
        found = position
        while found < end and type(nearer := places[found]) is int:
            found = nearer
        # Shorten the way for the next search.
        while position < found and type(nearer := places[position]) is int:
            places[position], position = found, nearer
        if found == end:
            return None
        place = places[found]
        assert type(place) is _Place
        places[found] = found + 1
        return place


def _members(results: tuple[Any, ...], name: str, empty: bool = False) -> list[Any]:
    """Return the members that a call with `results` means: them, or those of one iterable."""
    single = results[0] if len(results) == 1 else None
    # A result is one member, whatever its value is. isinstance would force it.
    if (
        not is_result_proxy(single)
        and isinstance(single, Iterable)
        and not isinstance(single, (str, bytes))
    ):
        members = list(single)
    else:
        members = list(results)
    if not members and not empty:
        raise ValueError(f"{name}() of no results: there is none to wait for")
    return members
