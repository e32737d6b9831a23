"""The graph as a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator

from flowy_trace.dot import COLOURS
from flowy_trace.graph import Graph, Node, outline
from flowy_trace.words import count

_SHAPES = {"workflow": ('["', '"]'), "timer": ('{{"', '"}}'), "lambda": ('[["', '"]]')}
_ELLIPSE = ('(["', '"])')


#: how many links and how many characters Mermaid draws, unless its viewer was told otherwise
_LINKS, _CHARACTERS = 500, 50_000


def mermaid(graph: Graph) -> str:
    """Return the source of the graph."""
    return "\n".join(_lines(graph)) + "\n"


def is_drawn(source: str) -> bool:
    """Return whether Mermaid draws a source, and does not refuse it for its size."""
    # No text has any of these: both are escaped.
    links = source.count("-->") + source.count("~~~")
    return links <= _LINKS and len(source) <= _CHARACTERS


def _lines(graph: Graph) -> Iterator[str]:
    names = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    yield "flowchart TB"
    yield from _inside(graph.root, names)
    links = 0
    for edge in graph.edges:
        label = f'|"{_escape(edge.label)}"|' if edge.label else ""
        yield f"  {names[edge.source]} -->{label} {names[edge.target]}"
        links += 1
    loops = []
    for node in graph.nodes:
        if node.retries:
            name = names[node]
            yield f'  {name} -->|"{count(node.retries, "retry", "retries")}"| {name}'
            loops.append(str(links))
            links += 1
    for above, below in graph.order:
        yield f"  {names[above]} ~~~ {names[below]}"
    if loops:
        yield f"  linkStyle {','.join(loops)} stroke:#e07b00,color:#a85c00"
    used = {node.outcome for node in graph.nodes}
    for outcome, (fill, border, text) in COLOURS.items():
        if outcome in used:
            dotted = ",stroke-dasharray:2 4" if outcome == "open" else ""
            name = _class_of(outcome)
            yield f"  classDef {name} fill:{fill},stroke:{border},color:{text}{dotted}"
            members = ",".join(names[node] for node in graph.nodes if node.outcome == outcome)
            yield f"  class {members} {name}"


def _class_of(outcome: str) -> str:
    return outcome.replace(" ", "_")


def _inside(root: Node, names: dict[Node, str]) -> Iterator[str]:
    for depth, part in outline(root):
        indent = "  " * depth
        if part is None:
            yield f"{indent}end"
        elif isinstance(part, Node):
            yield f"{indent}{_node(part, names)}"
        else:
            # Mermaid shows the name of a subgraph that has no title.
            yield f'{indent}subgraph s{part.number}["{_escape(part.label) or " "}"]'
            yield f"{indent}  style s{part.number} fill:#80808012,stroke:#b8c4d0"


def _node(node: Node, names: dict[Node, str]) -> str:
    opening, closing = _SHAPES.get(node.kind, _ELLIPSE)
    # Beside `<br>` Mermaid would act on what escapes stand for.
    text = r"\n".join(_escape(line) for line in [node.title, *node.lines])
    return f"{names[node]}{opening}{text}{closing}"


#: what has a meaning in a quoted label: of Mermaid, icons and formulas among it, of Markdown, or of
#: HTML
_MEANING = set('#"&<>`\\;*_~[]{}|%:$')


def _escape(text: str) -> str:
    """Return the text as part of a label, in which nothing of it has a meaning."""
    return "".join(f"#{ord(char)};" if char in _MEANING else char for char in text)
