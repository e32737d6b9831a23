"""Where to draw the graph, without Graphviz.

Rows follow the ranks. From left to right the nodes of each workflow are laid out by themselves, and
what is inside a node before it: a node is as wide as what is inside, and takes as many rows. Row by
row each node goes as near to the middle of its sources as the others leave room for. An edge that
passes rows is led through them, as if it were a narrow node in each.
"""

from __future__ import annotations

import unicodedata
from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from flowy_trace.graph import Box, Edge, Graph, Node

LINE, CHARACTER = 14.0, 6.4  # pixels, of text
PADDING, GAP, ROW_GAP = 12.0, 18.0, 34.0
LOOP = 62.0  # what a loop for retries takes beside a node
DUMMY = 8.0  # the width of an edge that passes a row
#: above how many places edges take in passed rows they are drawn straight
MOST_DUMMIES = 4000


@dataclass(slots=True)
class Rectangle:
    """Where something is."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        """The middle between left and right."""
        return (self.left + self.right) / 2


@dataclass(slots=True)
class Frame:
    """What is drawn around the nodes of a workflow."""

    where: Rectangle
    label: str


@dataclass(slots=True)
class Layout:
    """Where everything is, in pixels."""

    width: float
    height: float
    nodes: dict[Node, Rectangle]
    frames: list[Frame]
    #: the points of each edge, from source to target: from row to row
    edges: list[tuple[Edge, list[tuple[float, float]]]]


@dataclass(slots=True, eq=False)
class _Item:
    """What takes a place in rows: a node with all that is inside, or an edge that passes."""

    first: int
    last: int
    width: float
    #: the middle, from the middle of the box that it is in
    x: float = 0.0
    sources: list[_Item] = field(default_factory=list)


def layout(graph: Graph) -> Layout:
    """Return where to draw the graph."""
    inner: dict[Node, list[Edge]] = {}
    for edge in graph.edges:
        if edge.target.parent is not None:
            inner.setdefault(edge.target.parent, []).append(edge)
    items: dict[Node, _Item] = {}
    passing: dict[Edge, list[_Item]] = {}
    dummies = sum(
        max(0, edge.target.rank - edge.source.rank - edge.source.height) for edge in graph.edges
    )
    for node in reversed(graph.nodes):
        width = _node_width(node)
        for box in node.boxes:
            edges = inner.get(node, []) if dummies <= MOST_DUMMIES else []
            width = max(width, _lay_box(box, edges, items, passing))
        if node.boxes:
            width += 2 * PADDING  # for the frame around all
        items[node] = _Item(node.rank, node.rank + node.height - 1, width)
    xs = _absolute(graph, items)
    tops, bottoms = _rows(graph)
    nodes: dict[Node, Rectangle] = {}
    for node in graph.nodes:
        half = _text_width(node) / 2
        top = tops[node.rank]
        nodes[node] = Rectangle(xs[node] - half, top, xs[node] + half, top + _node_height(node))
    frames, outer = _frames(graph, nodes)
    edges_at = [
        (edge, _points(edge, nodes, outer, xs, passing.get(edge, []), tops, bottoms))
        for edge in graph.edges
    ]
    return _shifted(nodes, frames, edges_at, outer[graph.root])


# --- sizes ---------------------------------------------------------------------------------------


def _text_width(node: Node) -> float:
    lines = [node.title, *node.lines]
    return max(48.0, max(map(_length, lines)) * CHARACTER + 20)


def _length(text: str) -> float:
    return sum(1.9 if unicodedata.east_asian_width(char) in "WF" else 1.0 for char in text)


def _node_width(node: Node) -> float:
    # A loop stands out on the right, and the node stays in the middle.
    return _text_width(node) + (2 * LOOP if node.retries else 0)


def _node_height(node: Node) -> float:
    return (1 + len(node.lines)) * LINE + 12


def _rows(graph: Graph) -> tuple[list[float], list[float]]:
    """Return where the nodes of each row begin, and where the highest of them ends."""
    count = graph.root.height
    heights = [0.0] * count
    opening = [0] * count
    closing = [0] * count
    for node in graph.nodes:
        heights[node.rank] = max(heights[node.rank], _node_height(node))
        if node.boxes:
            labelled = any(box.label for box in node.boxes)
            opening[node.rank] = max(opening[node.rank], 1)
            last = node.rank + node.height - 1
            closing[last] += 1 + labelled
            for box in node.boxes if labelled else ():
                ranks = [inner.rank for inner in box.nodes]
                if ranks:
                    opening[min(ranks)] = max(opening[min(ranks)], 3)
                    ends = max(inner.rank + inner.height - 1 for inner in box.nodes)
                    closing[ends] = max(closing[ends], 2)
    tops, bottoms = [], []
    y = 0.0
    for row in range(count):
        y += opening[row] * PADDING
        tops.append(y)
        y += heights[row]
        bottoms.append(y)
        y += ROW_GAP + min(closing[row], 6) * PADDING
    return tops, bottoms


# --- from left to right --------------------------------------------------------------------------


def _lay_box(
    box: Box,
    edges: Iterable[Edge],
    items: dict[Node, _Item],
    passing: dict[Edge, list[_Item]],
) -> float:
    """Give the items of a box their places; return how wide the box is."""
    own = {node: items[node] for node in box.nodes}
    everything = list(own.values())
    for edge in edges:
        if edge.source not in own or edge.target not in own or edge.source is edge.target:
            continue
        before = own[edge.source]
        chain: list[_Item] = []
        for row in range(before.last + 1, edge.target.rank):
            dummy = _Item(row, row, DUMMY, sources=[chain[-1] if chain else before])
            chain.append(dummy)
        if edge.target.rank > edge.source.rank:
            passing[edge] = chain
            everything += chain
            own[edge.target].sources.append(chain[-1] if chain else before)
    rows: dict[int, list[_Item]] = {}
    for item in everything:
        rows.setdefault(item.first, []).append(item)
    reaching: list[_Item] = []
    for row in sorted(rows):
        reaching = [item for item in reaching if item.last >= row]
        _lay_row(rows[row], reaching)
        reaching += rows[row]
    if not everything:
        return 0.0
    left = min(item.x - item.width / 2 for item in everything)
    right = max(item.x + item.width / 2 for item in everything)
    for item in everything:
        item.x -= (left + right) / 2
    return right - left + 2 * PADDING


def _lay_row(row: list[_Item], reaching: list[_Item]) -> None:
    """Give the items that begin in a row their places beside those that reach into it."""
    wanted = {item: _wanted(item) for item in row}
    known = [x for x in wanted.values() if x is not None]
    middle = sum(known) / len(known) if known else 0.0
    aims = {item: middle if x is None else x for item, x in wanted.items()}
    ordered = sorted(row, key=lambda item: aims[item])
    places = _spread([aims[item] for item in ordered], [item.width for item in ordered])
    taken = [_span(item) for item in reaching]
    for item, place in zip(ordered, places, strict=True):
        item.x = place
        if reaching:
            item.x = _nearest(item, place, taken)
            insort(taken, _span(item))


def _span(item: _Item) -> tuple[float, float]:
    return item.x - item.width / 2, item.x + item.width / 2


def _wanted(item: _Item) -> float | None:
    if not item.sources:
        return None
    return sum(source.x for source in item.sources) / len(item.sources)


def _spread(wanted: list[float], widths: list[float]) -> list[float]:
    """Return places in this order without overlap, as near as can be to those wanted.

    Neighbours that would overlap are joined into a block, which stands where it suits its members
    best on average.
    """
    offsets = [0.0]
    for before, after in pairwise(widths):
        offsets.append(offsets[-1] + (before + after) / 2 + GAP)
    blocks: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        total, size = place - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / size:
            other_total, other_size = blocks.pop()
            total, size = total + other_total, size + other_size
        blocks.append((total, size))
    means = [total / size for total, size in blocks for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _nearest(item: _Item, place: float, taken: list[tuple[float, float]]) -> float:
    """Return the free place that is nearest to the one wanted."""
    half = item.width / 2 + GAP - 0.01
    # The places where the item's middle cannot be, joined where they overlap.
    barred: list[list[float]] = []
    for left, right in sorted(taken):
        if barred and left - half < barred[-1][1]:
            barred[-1][1] = max(barred[-1][1], right + half)
        else:
            barred.append([left - half, right + half])
    for left, right in barred:
        if left < place < right:
            return left if place - left < right - place else right
    return place


def _absolute(graph: Graph, items: dict[Node, _Item]) -> dict[Node, float]:
    xs = {graph.root: 0.0}
    for node in graph.nodes:
        for box in node.boxes:
            for inner in box.nodes:
                xs[inner] = xs[node] + items[inner].x
    return xs


# --- frames and edges ----------------------------------------------------------------------------


def _frames(
    graph: Graph, nodes: dict[Node, Rectangle]
) -> tuple[list[Frame], dict[Node, Rectangle]]:
    """Return the frames, each before those inside, and the outer bounds of every node."""
    outer: dict[Node, Rectangle] = {}
    frames: list[Frame] = []
    for node in reversed(graph.nodes):
        bounds = nodes[node]
        if node.retries:
            bounds = Rectangle(bounds.left - LOOP, bounds.top, bounds.right + LOOP, bounds.bottom)
        inside = [bounds]
        for box in node.boxes:
            if not box.nodes:
                continue
            around = _around([outer[inner] for inner in box.nodes], PADDING)
            if box.label:
                around.top -= LINE
                around.right = max(around.right, around.left + len(box.label) * CHARACTER + 14)
                frames.append(Frame(around, box.label))
            inside.append(around)
        if len(inside) > 1 and node.parent is not None:
            labelled = any(box.label for box in node.boxes)
            bounds = _around(inside, PADDING if labelled else PADDING / 2)
            frames.append(Frame(bounds, ""))
        elif len(inside) > 1:
            bounds = _around(inside, 0)
        outer[node] = bounds
    frames.reverse()
    return frames, outer


def _around(rectangles: list[Rectangle], padding: float) -> Rectangle:
    return Rectangle(
        min(each.left for each in rectangles) - padding,
        min(each.top for each in rectangles) - padding,
        max(each.right for each in rectangles) + padding,
        max(each.bottom for each in rectangles) + padding,
    )


def _points(
    edge: Edge,
    nodes: dict[Node, Rectangle],
    outer: dict[Node, Rectangle],
    xs: dict[Node, float],
    chain: list[_Item],
    tops: list[float],
    bottoms: list[float],
) -> list[tuple[float, float]]:
    start = outer[edge.source] if edge.source.boxes else nodes[edge.source]
    end = nodes[edge.target]
    base = 0.0 if edge.source.parent is None else xs[edge.source.parent]
    points = [(xs[edge.source], start.bottom)]
    for dummy in chain:
        points.append((base + dummy.x, tops[dummy.first]))
        points.append((base + dummy.x, bottoms[dummy.first]))
    points.append((end.middle, end.top))
    return points


def _shifted(
    nodes: dict[Node, Rectangle],
    frames: list[Frame],
    edges: list[tuple[Edge, list[tuple[float, float]]]],
    bounds: Rectangle,
) -> Layout:
    """Return the layout with its left top corner at 0, 0."""
    dx, dy = PADDING - bounds.left, PADDING - bounds.top
    for rectangle in [*nodes.values(), *(frame.where for frame in frames)]:
        rectangle.left += dx
        rectangle.right += dx
        rectangle.top += dy
        rectangle.bottom += dy
    moved = [(edge, [(x + dx, y + dy) for x, y in points]) for edge, points in edges]
    return Layout(bounds.right + dx + PADDING, bounds.bottom + dy + PADDING, nodes, frames, moved)
