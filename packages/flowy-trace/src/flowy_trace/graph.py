"""The graph of a run: what is drawn as a node, what as an edge, and what lies above what.

A node is a call, and lies inside the node of the workflow that made it. In a big run a node stands
for all calls of one task of one workflow. Ranks follow time: a node lies below every other of its
workflow that had ended when it was scheduled.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from flowy_trace import words
from flowy_trace.model import Outcome, Trace
from flowy_trace.tree import Entry, Tree, tree

#: above how many calls one node stands for all calls of a task
GROUP_ABOVE = 500

#: how many characters of a value fit on an edge, and of a workflow's arguments and result in a node
EDGE_TEXT, NODE_TEXT = 18, 28

#: outcomes by how much they matter
_WORST: tuple[Outcome, ...] = (
    "failed",
    "timed out",
    "cancelled",
    "open",
    "restarted",
    "completed",
)


@dataclass(slots=True, eq=False)
class Node:
    """A call, or all calls of one task that one workflow made."""

    #: the identity of its first call
    id: str
    #: what it stands for, at least one
    entries: list[Entry]
    #: the workflow's node, or None for the root
    parent: Node | None
    #: the executions behind it
    boxes: list[Box] = field(default_factory=list)
    rank: int = 0
    #: how many ranks it takes, with all that is inside
    height: int = 1
    title: str = ""
    #: what is written below the title
    lines: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """What ran it."""
        return self.entries[0].call.kind

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of its calls."""
        found = {entry.call.outcome for entry in self.entries}
        return next(outcome for outcome in _WORST if outcome in found)

    @property
    def retries(self) -> int:
        """How many attempts there were after the first ones."""
        return sum(entry.retries for entry in self.entries)

    @property
    def scheduled(self) -> float:
        """When the first of its calls was scheduled."""
        times = [entry.scheduled for entry in self.entries if entry.scheduled is not None]
        return min(times, default=float("inf"))

    @property
    def ended(self) -> float:
        """When the first of its calls ended."""
        times = [entry.ended for entry in self.entries if entry.ended is not None]
        return min(times, default=float("inf"))


@dataclass(slots=True, eq=False)
class Box:
    """An execution behind a node, or all executions of a node of many calls."""

    #: what tells it from others behind the same node, or empty
    label: str
    nodes: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Group:
    """What is drawn around nodes: a workflow with all that it called, or one of its executions."""

    #: which group of the graph it is, from 0
    number: int
    #: what to write at it; empty for a workflow, whose own node says it
    label: str


def outline(root: Node) -> Iterator[tuple[int, Node | Group | None]]:
    """Yield what a picture holds, from the outside in, and how deep it lies, from 1.

    A `Group` begins what lies deeper than itself, and None at its depth ends it. The root has no
    group: the picture is its own.
    """
    number = 0
    depth = 1
    stack: list[Node | Box | None] = [root]
    while stack:
        top = stack.pop()
        if top is None:
            depth -= 1
            yield depth, None
            continue
        if isinstance(top, Node):
            label = ""
            parts: list[Node | Box] = [box for box in top.boxes if box.nodes]
            grouped = bool(parts) and top is not root
        else:
            label = top.label
            parts = list(top.nodes)
            grouped = bool(label)
        if grouped:
            yield depth, Group(number, label)
            number += 1
            depth += 1
            stack.append(None)
        if isinstance(top, Node):
            yield depth, top
        stack.extend(reversed(parts))


@dataclass(frozen=True, slots=True)
class Edge:
    """Results that flowed from one node to another."""

    source: Node
    target: Node
    #: the result, shortened, or how many there were
    label: str


@dataclass(slots=True, eq=False)
class Graph:
    """What there is to draw."""

    #: stands for the run; every other node is inside
    root: Node
    #: all nodes, each before what is inside
    nodes: list[Node]
    edges: list[Edge]
    #: pairs of nodes: the second lies one rank below the first, and no edge says so
    order: list[tuple[Node, Node]]
    #: whether a node may stand for many calls
    grouped: bool
    #: whether the run was going on still
    going_on: bool


def graph(trace: Trace | Tree, full: bool = False, by_task: bool = False) -> Graph:
    """Return the graph of a trace, or of its tree.

    Parameters
    ----------
    trace
        a `Trace`, or the `Tree` that was made of one.
    full
        whether to have a node for each call whatever their number.
    by_task
        whether to have one for each task whatever the number of calls.
    """
    source = trace if isinstance(trace, Tree) else tree(trace)
    grouped = by_task or (not full and len(source.entries) - 1 > GROUP_ABOVE)
    root, nodes, of_entry = _nodes(source, grouped)
    edges = _edges(source, of_entry)
    order = _rank(nodes, edges)
    for node in nodes:
        _write(node, source.now)
    return Graph(root, nodes, edges, order, grouped, source.trace.ended is None)


def _nodes(source: Tree, grouped: bool) -> tuple[Node, list[Node], dict[Entry, Node]]:
    root = Node(source.root.id, [source.root], None)
    nodes: list[Node] = []
    of_entry: dict[Entry, Node] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        for entry in node.entries:
            of_entry[entry] = node
        if grouped:
            node.boxes = _grouped(node)
        else:
            for run in node.entries[0].runs:
                inside = [Node(entry.id, [entry], node) for entry in run.entries]
                node.boxes.append(Box(run.label, inside))
        stack.extend(inner for box in reversed(node.boxes) for inner in reversed(box.nodes))
    return root, nodes, of_entry


def _grouped(node: Node) -> list[Box]:
    """Return one box with a node for each task that the workflows behind the node called."""
    by_task: dict[tuple[str, str], Node] = {}
    for entry in node.entries:
        for child in entry.entries():
            key = (child.call.name, child.call.kind)
            found = by_task.get(key)
            if found is None:
                by_task[key] = Node(child.id, [child], node)
            else:
                found.entries.append(child)
    if not by_task:
        return []
    runs = sum(len(entry.runs) for entry in node.entries)
    return [Box("" if runs < 2 else words.count(runs, "run"), list(by_task.values()))]


def _edges(source: Tree, of_entry: dict[Entry, Node]) -> list[Edge]:
    counts: Counter[tuple[Node, Node]] = Counter()
    for entry in source.entries:
        for other in entry.sources:
            counts[of_entry[other], of_entry[entry]] += 1
    edges = []
    for (start, end), number in counts.items():
        if len(start.entries) > 1 or len(end.entries) > 1:
            label = f"x {number:,}"
        else:
            label = words.clip(start.entries[0].call.result or "", EDGE_TEXT)
        edges.append(Edge(start, end, label))
    return edges


# --- ranks ---------------------------------------------------------------------------------------


def _rank(nodes: list[Node], edges: list[Edge]) -> list[tuple[Node, Node]]:
    """Give each node its rank; return what lies below what for no edge's reason."""
    sources: dict[Node, list[Node]] = {}
    for edge in edges:
        sources.setdefault(edge.target, []).append(edge.source)
    deepest: dict[Node, Node] = {}
    above: list[tuple[Node, Node]] = []
    # What is inside comes after, so backwards each node finds the heights of its inner ones.
    for node in reversed(nodes):
        last = node
        for box in node.boxes:
            last = _rank_box(node, box, last, sources, deepest, above)
        deepest[node] = last
    for node in nodes:
        for box in node.boxes:
            for inner in box.nodes:
                inner.rank += node.rank
    known = {(edge.source, edge.target) for edge in edges}
    return [pair for pair in above if pair not in known]


def _rank_box(
    node: Node,
    box: Box,
    last: Node,
    sources: dict[Node, list[Node]],
    deepest: dict[Node, Node],
    above: list[tuple[Node, Node]],
) -> Node:
    """Rank the nodes of a box below `last`, relative to `node`; return the deepest of all."""
    floor = node.height
    bottom, lowest = floor, last
    #: the deepest of those that had ended, and the rank below it
    reached, reached_node = floor, last
    waiting: list[tuple[float, int, Node]] = []
    for number, inner in enumerate(sorted(box.nodes, key=lambda each: each.scheduled)):
        while waiting and waiting[0][0] <= inner.scheduled:
            # One that took no time did not come before what was scheduled at the same moment.
            if waiting[0][2].scheduled >= inner.scheduled:
                break
            ended = heapq.heappop(waiting)[2]
            if ended.rank + ended.height > reached:
                reached, reached_node = ended.rank + ended.height, deepest[ended]
        inner.rank, anchor = reached, reached_node
        for source in sources.get(inner, ()):
            if (
                source is not inner
                and source.rank + source.height > inner.rank
                and (source.scheduled <= inner.scheduled and source.ended <= inner.scheduled)
            ):
                inner.rank, anchor = source.rank + source.height, deepest[source]
        above.append((anchor, inner))
        heapq.heappush(waiting, (inner.ended, number, inner))
        if inner.rank + inner.height > bottom:
            bottom, lowest = inner.rank + inner.height, deepest[inner]
    node.height = bottom
    return lowest


# --- texts ---------------------------------------------------------------------------------------


def _write(node: Node, now: float) -> None:
    entry = node.entries[0]
    if len(node.entries) > 1:
        node.title = f"{entry.call.name} x {len(node.entries):,}"
        node.lines = _lines_of_many(node, now)
        return
    node.title = entry.label
    if node.kind == "workflow":
        text = f"({words.clip(entry.call.arguments, NODE_TEXT)})"
        node.lines.append(text)
        if entry.call.result is not None:
            node.lines.append(f"→ {words.clip(entry.call.result, NODE_TEXT)}")
    node.lines.append(_time(entry, now))


def _time(entry: Entry, now: float) -> str:
    took = words.seconds(duration(entry, now))
    outcome = entry.call.outcome
    return took if outcome == "completed" else f"{outcome}, {took}"


def _lines_of_many(node: Node, now: float) -> list[str]:
    times = [duration(entry, now) for entry in node.entries]
    outcomes = Counter(entry.call.outcome for entry in node.entries)
    lines = [f"{words.seconds(sum(times))}, {words.seconds(sum(times) / len(times))} each"]
    wrong = [f"{outcomes[each]:,} {each}" for each in _WORST[:-1] if outcomes[each]]
    if wrong:
        lines.append(", ".join(wrong))
    return lines


def duration(entry: Entry, now: float) -> float:
    """Return how long a call's last attempt ran, or without a start how long it was there."""
    last = entry.call.attempts[-1]
    start = last.started if last.started is not None else last.scheduled
    if start is None:
        start = last.delayed if last.delayed is not None else now
    return max(0.0, (now if last.ended is None else last.ended) - start)
