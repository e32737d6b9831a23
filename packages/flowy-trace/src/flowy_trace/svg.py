"""The graph as an SVG picture, drawn without Graphviz: for the page and for Jupyter.

Colours are CSS variables of the page; without one, those written here hold.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from html import escape

from flowy_trace.graph import Edge, Graph, Node
from flowy_trace.layout import LINE, LOOP, Frame, Layout, Rectangle, layout
from flowy_trace.tree import Entry
from flowy_trace.words import count

STYLE = """
.flowy-graph text { font: 11px system-ui, -apple-system, "Segoe UI", sans-serif;
  text-anchor: middle; fill: var(--ink, #1c2733); }
.flowy-graph .lines { font-size: 10px; fill: var(--soft, #566573); }
.flowy-graph .frame { fill: var(--frame, #00000008); stroke: var(--line, #c5cfd9); rx: 8px; }
.flowy-graph .frame-label { text-anchor: start; font-size: 10px; fill: var(--soft, #566573); }
.flowy-graph .shape { fill: var(--node, #eef4fb); stroke: var(--node-line, #4a6f94);
  stroke-width: 1.2; }
.flowy-graph .failed .shape, .flowy-graph .timed-out .shape { fill: var(--bad-fill, #fbdcd9);
  stroke: var(--bad, #c0271b); }
.flowy-graph .cancelled .shape { fill: var(--frame, #ececec); stroke: var(--soft, #7b7b7b); }
.flowy-graph .open .shape { fill: var(--paper, #fff); stroke: var(--soft, #7b7b7b);
  stroke-dasharray: 1.5 3.5; stroke-linecap: round; stroke-width: 1.8; }
.flowy-graph .critical .shape { stroke: var(--critical, #8a3ffc); stroke-width: 2.6; }
.flowy-graph .edge { fill: none; stroke: var(--edge, #8695a4); }
.flowy-graph .edge.critical { stroke: var(--critical, #8a3ffc); stroke-width: 2; }
.flowy-graph .arrow { fill: var(--edge, #8695a4); }
.flowy-graph .edge-label { font-size: 9.5px; fill: var(--soft, #566573); paint-order: stroke;
  stroke: var(--paper, #fff); stroke-width: 3px; stroke-linejoin: round; }
.flowy-graph .loop { fill: none; stroke: var(--retry, #e07b00); stroke-width: 1.4; }
.flowy-graph .loop-label { font-size: 9.5px; fill: var(--retry-ink, #a85c00); text-anchor: start; }
""".strip()


def svg(graph: Graph, critical: Container[Entry] = (), style: bool = True) -> str:
    """Return the picture.

    Parameters
    ----------
    graph
        what to draw.
    critical
        the calls that are on the critical path, to be marked.
    style
        whether the picture brings its style sheet; a page with many needs it once.
    """
    return "\n".join(_lines(graph, layout(graph), critical, style)) + "\n"


def _lines(graph: Graph, where: Layout, critical: Container[Entry], style: bool) -> Iterator[str]:
    width, height = f"{where.width:.0f}", f"{where.height:.0f}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flowy-graph" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="graph of {escape(graph.root.title)}">'
    )
    if style:
        yield f"<style>{STYLE}</style>"
    marked = {node for node in graph.nodes if any(entry in critical for entry in node.entries)}
    for frame in where.frames:
        yield from _frame(frame)
    for edge, points in where.edges:
        yield from _edge(edge, points, edge.source in marked and edge.target in marked)
    for node in graph.nodes:
        yield from _node(node, where.nodes[node], node in marked)
    yield "</svg>"


def _frame(frame: Frame) -> Iterator[str]:
    where = frame.where
    yield f'<rect class="frame" {_box(where)} rx="8"/>'
    if frame.label:
        x, y = where.left + 7, where.top + 13
        yield f'<text class="frame-label" x="{x:.1f}" y="{y:.1f}">{escape(frame.label)}</text>'


def _edge(edge: Edge, points: list[tuple[float, float]], critical: bool) -> Iterator[str]:
    if edge.source is edge.target:
        return  # Calls of one task that passed results to each other: the count says enough.
    (x, y), *rest = points
    path = [f"M{x:.1f},{y:.1f}"]
    for next_x, next_y in rest:
        middle = (y + next_y) / 2
        path.append(f"C{x:.1f},{middle:.1f} {next_x:.1f},{middle:.1f} {next_x:.1f},{next_y:.1f}")
        x, y = next_x, next_y
    name = escape(f"{edge.source.id}->{edge.target.id}")
    classes = "edge critical" if critical else "edge"
    yield f'<g class="flow"><title>{name}</title><path class="{classes}" d="{"".join(path)}"/>'
    yield f'<path class="arrow" d="M{x:.1f},{y:.1f}l-3.5,-7h7z"/>'
    if edge.label:
        (x0, y0), (x1, y1) = points[:2]
        yield (
            f'<text class="edge-label" x="{(x0 + x1) / 2:.1f}" y="{(y0 + y1) / 2 + 3:.1f}">'
            f"{escape(edge.label)}</text>"
        )
    yield "</g>"


def _node(node: Node, where: Rectangle, critical: bool) -> Iterator[str]:
    classes = ["node", node.kind, node.outcome.replace(" ", "-")]
    if critical:
        classes.append("critical")
    number = node.entries[0].index
    many = f' data-many="{len(node.entries)}"' if len(node.entries) > 1 else ""
    yield (
        f'<g class="{escape(" ".join(classes))}" data-call="{number}"{many}>'
        f"<title>{escape(node.id)}</title>"
    )
    if node.kind == "workflow":
        yield f'<rect class="shape" {_box(where)} rx="3"/>'
    elif node.kind == "timer":
        x, y = where.middle, (where.top + where.bottom) / 2
        yield (
            f'<path class="shape" d="M{where.left:.1f},{y:.1f}L{x:.1f},{where.top:.1f}'
            f'L{where.right:.1f},{y:.1f}L{x:.1f},{where.bottom:.1f}Z"/>'
        )
    else:
        rx, ry = (where.right - where.left) / 2, (where.bottom - where.top) / 2
        yield (
            f'<ellipse class="shape" cx="{where.middle:.1f}" cy="{where.top + ry:.1f}" '
            f'rx="{rx:.1f}" ry="{ry:.1f}"/>'
        )
    y = where.top + LINE + 2
    yield f'<text x="{where.middle:.1f}" y="{y:.1f}">{escape(node.title)}</text>'
    for line in node.lines:
        y += LINE
        yield f'<text class="lines" x="{where.middle:.1f}" y="{y:.1f}">{escape(line)}</text>'
    if node.retries:
        yield from _loop(where, count(node.retries, "retry", "retries"))
    yield "</g>"


def _loop(where: Rectangle, label: str) -> Iterator[str]:
    x, y = where.right - 4, (where.top + where.bottom) / 2
    yield f'<path class="loop" d="M{x:.1f},{y - 7:.1f}c18,-12 18,26 0,14"/>'
    x = where.right + 14
    assert LOOP > 14
    yield f'<text class="loop-label" x="{x:.1f}" y="{y + 3:.1f}">{escape(label)}</text>'


def _box(where: Rectangle) -> str:
    return (
        f'x="{where.left:.1f}" y="{where.top:.1f}" width="{where.right - where.left:.1f}" '
        f'height="{where.bottom - where.top:.1f}"'
    )
