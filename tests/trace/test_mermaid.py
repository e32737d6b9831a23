"""What Mermaid itself makes of the sources, where FLOWY_MERMAID says where its `mermaid.min.js` is.

npm install --prefix FOLDER mermaid@11
FLOWY_MERMAID=FOLDER/node_modules/mermaid/dist/mermaid.min.js hatch run test tests/trace
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from flowy_trace import Attempt, Call, Execution, Trace
from flowy_trace.describe import printable
from flowy_trace.graph import graph
from flowy_trace.mermaid import mermaid

from .hostile import NASTY
from .traces import TRACES

PAGE = """\
<!DOCTYPE html><meta charset="utf-8"><body>
<script src="{script}"></script>
<script>mermaid.initialize({{startOnLoad: false, securityLevel: "loose"}});</script>
"""

DRAW = """\
const [source, done] = arguments;
const text = element => element.innerText;
const all = (svg, selector) => [...svg.querySelectorAll(selector)];
window.alert = () => document.body.append(document.createElement("blink"));
mermaid.render("drawn", source).then(({svg}) => {
  document.body.insertAdjacentHTML("beforeend", svg);
  const drawn = document.body.lastElementChild;
  setTimeout(() => done({
    nodes: all(drawn, ".node .nodeLabel").map(text),
    edges: all(drawn, ".edgeLabel .edgeLabel").map(text),
    groups: all(drawn, ".cluster-label .nodeLabel").map(text),
    strange: all(document, "img, blink, svg script, svg a, svg i, svg math").length,
  }));
}, error => done(String(error)));
"""

#: what means something to Mermaid, to Markdown, or to HTML
PIECES = [
    *("1. x", "- x", "* x", "# x", "> x", "[x](y)", "**x**", "__x__", "`x`", "~~x~~", "---"),
    *("fa:fa-car x", "$$x^2$$", ":smile:", "#35;", "#quot;", "%% x", "end", "a\\nb", "x|y", ";"),
    *("<b>x</b>", "&lt;", "<br>", "http://x.example", "('x', \"y\", {1: [2]})", "日本 é 🎉"),
]


@pytest.fixture
def draw(chromium: Any, tmp_path: Path) -> Any:
    """Return what has Mermaid draw a trace."""
    script = os.environ.get("FLOWY_MERMAID")
    if script is None:
        pytest.skip("FLOWY_MERMAID does not say where Mermaid is")
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(script=Path(script).absolute().as_uri()), encoding="utf-8")

    def draw(trace: Trace) -> Any:
        chromium.get(page.as_uri())
        return chromium.execute_async_script(DRAW, mermaid(graph(trace)))

    return draw


def texts(trace: Trace) -> dict[str, Any]:
    """Return what is to be shown."""
    drawn = graph(trace)
    edges = [edge.label for edge in drawn.edges if edge.label]
    edges += [
        f"{node.retries} {'retry' if node.retries == 1 else 'retries'}"
        for node in drawn.nodes
        if node.retries
    ]
    return {
        "nodes": sorted("\n".join([node.title, *node.lines]) for node in drawn.nodes),
        "edges": sorted(edges),
    }


@pytest.mark.parametrize("name", TRACES)
def test_mermaid_shows_every_node_and_every_edge(name: str, draw: Any) -> None:
    trace = TRACES[name]()
    shown = draw(trace)
    expected = texts(trace)
    assert sorted(map(str.strip, shown["nodes"])) == expected["nodes"]
    assert sorted(filter(None, shown["edges"])) == expected["edges"]
    assert shown["strange"] == 0


@pytest.mark.parametrize("piece", [*PIECES, printable(NASTY)])
def test_mermaid_shows_the_very_text(piece: str, draw: Any) -> None:
    done = (Attempt(0, None, 1, 1, 2, "", "completed"),)
    calls = (
        Call("child", 0, "workflow", piece, piece, (), done),
        Call("a", 0, "activity", "", "", ("child-0",), done),
    )
    trace = Trace(piece, executions=(Execution("", piece, piece, piece, calls=calls),))
    shown = draw(trace)
    expected = texts(trace)
    assert sorted(shown["nodes"]) == expected["nodes"]
    assert [label for label in shown["edges"] if label] == expected["edges"]
    assert shown["strange"] == 0
