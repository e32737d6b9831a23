"""The graph in the language of Graphviz, and what the program `dot` makes of it."""

from __future__ import annotations

from collections.abc import Iterator

from flowy_trace.graph import Graph, Node, outline
from flowy_trace.words import count

#: how to get the program
HOW_TO_INSTALL = (
    "install Graphviz: apt-get install graphviz, brew install graphviz, "
    "winget install graphviz, or see https://graphviz.org/download/"
)


class DotNotFoundError(RuntimeError):
    """A picture needs the program `dot` of Graphviz, which is not there."""


def dot(graph: Graph) -> str:
    """Return the source of the graph."""
    return "\n".join(_lines(graph)) + "\n"


def render(source: str, format: str) -> bytes:
    """Return what `dot` draws, in a format of Graphviz such as `svg`.

    Raises
    ------
    DotNotFoundError
        there is no program `dot`.
    """
    import graphviz

    try:
        drawn: bytes = graphviz.pipe("dot", format, source.encode("utf-8"), quiet=True)
    except graphviz.ExecutableNotFound:
        raise DotNotFoundError(
            f"a .{format} file needs the program 'dot', which is not there; {HOW_TO_INSTALL}"
        ) from None
    return drawn


def check_program() -> None:
    """Raise DotNotFoundError unless the program `dot` is there."""
    import shutil

    if shutil.which("dot") is None:
        raise DotNotFoundError(f"the program 'dot' is not there; {HOW_TO_INSTALL}")


#: fill, border and text by outcome
COLOURS = {
    "completed": ("#eef4fb", "#4a6f94", "#1c2733"),
    "failed": ("#fbdcd9", "#c0271b", "#7d150d"),
    "timed out": ("#fbdcd9", "#c0271b", "#7d150d"),
    "cancelled": ("#ececec", "#7b7b7b", "#444444"),
    "restarted": ("#eef4fb", "#4a6f94", "#1c2733"),
    "open": ("#ffffff", "#7b7b7b", "#444444"),
}

_SHAPES = {"workflow": "box", "timer": "diamond", "lambda": "hexagon"}

_FONT = 'fontname="Helvetica,Arial,sans-serif"'


def _lines(graph: Graph) -> Iterator[str]:
    yield "digraph flowy {"
    yield f"  graph [rankdir=TB newrank=true nodesep=0.3 ranksep=0.45 {_FONT} fontsize=10];"
    yield f'  node [{_FONT} fontsize=11 style=filled penwidth=1.2 margin="0.12,0.06"];'
    yield f'  edge [{_FONT} fontsize=9 color="#6b7a89" fontcolor="#3c4a58" arrowsize=0.7];'
    if graph.going_on:
        yield '  label="still going on";'
    yield from _inside(graph.root)
    for edge in graph.edges:
        label = f" [label={_quote(edge.label)}]" if edge.label else ""
        yield f"  {_quote(edge.source.id)} -> {_quote(edge.target.id)}{label};"
    for node in graph.nodes:
        if node.retries:
            label = _quote(count(node.retries, "retry", "retries"))
            ends = f"{_quote(node.id)} -> {_quote(node.id)}"
            yield f'  {ends} [label={label} color="#e07b00" fontcolor="#a85c00"];'
    for above, below in graph.order:
        # The weight keeps a node that has no other reason from sinking to what needs its result.
        yield f"  {_quote(above.id)} -> {_quote(below.id)} [style=invis weight=100];"
    yield "}"


def _inside(root: Node) -> Iterator[str]:
    """Yield the nodes, those of a workflow inside its cluster."""
    for depth, part in outline(root):
        indent = "  " * depth
        if part is None:
            yield f"{indent}}}"
        elif isinstance(part, Node):
            yield f"{indent}{_node(part)}"
        else:
            yield f"{indent}subgraph cluster_{part.number} {{"
            yield f'{indent}  style="rounded,filled"; color="#b8c4d0"; fillcolor="#00000008";'
            yield f"{indent}  label={_quote(part.label)}; labeljust=l;"


def _node(node: Node) -> str:
    fill, border, text = COLOURS[node.outcome]
    label = _quote("\n".join([node.title, *node.lines]))
    style = ' style="filled,dotted" penwidth=1.8' if node.outcome == "open" else ""
    shape = _SHAPES.get(node.kind, "ellipse")
    colours = f'fillcolor="{fill}" color="{border}" fontcolor="{text}"'
    return f"{_quote(node.id)} [label={label} shape={shape} {colours}{style}];"


def _quote(text: str) -> str:
    """Return the text as a string of the language, in which nothing of it has a meaning."""
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n") + '"'
