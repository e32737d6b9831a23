"""The graph, and the pictures that are drawn of it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import flowy
from flowy_trace import Attempt, Call, Execution, Trace
from flowy_trace.dot import dot as dot_source
from flowy_trace.dot import render
from flowy_trace.graph import Graph, graph
from flowy_trace.layout import Rectangle, layout
from flowy_trace.mermaid import mermaid
from flowy_trace.svg import svg

from . import runs
from .simulation import simulate
from .traces import TRACES, shop

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=TRACES)
def drawn(request: pytest.FixtureRequest) -> Graph:
    return graph(TRACES[request.param]())


def names_of(picture: str) -> tuple[set[str], list[str]]:
    """Return the nodes and the edges of an SVG by Graphviz."""
    groups = ET.fromstring(picture).iter(f"{SVG}g")
    found: dict[str, list[str]] = {"node": [], "edge": [], "graph": [], "cluster": []}
    for group in groups:
        title = group.find(f"{SVG}title")
        assert title is not None
        found[group.attrib["class"]].append(title.text or "")
    return set(found["node"]), found["edge"]


def test_the_svg_by_graphviz_has_every_node_and_every_edge(dot: str, drawn: Graph) -> None:
    nodes, edges = names_of(render(dot_source(drawn), "svg").decode())
    assert nodes == {node.id for node in drawn.nodes}
    loops = [node.id for node in drawn.nodes if node.retries]
    assert sorted(edges) == sorted(
        [f"{edge.source.id}->{edge.target.id}" for edge in drawn.edges]
        + [f"{each}->{each}" for each in loops]
    )


def test_the_svg_drawn_without_graphviz_has_every_node_and_every_edge(drawn: Graph) -> None:
    root = ET.fromstring(svg(drawn))
    found: dict[str, list[str]] = {"node": [], "flow": []}
    for group in root.iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        assert title is not None
        found[group.attrib["class"].split()[0]].append(title.text or "")
    assert sorted(found["node"]) == sorted(node.id for node in drawn.nodes)
    assert sorted(found["flow"]) == sorted(
        f"{edge.source.id}->{edge.target.id}"
        for edge in drawn.edges
        if edge.source is not edge.target
    )


def test_the_mermaid_source_has_every_node_and_every_edge(drawn: Graph) -> None:
    lines = mermaid(drawn).splitlines()
    names = {node: f"n{number}" for number, node in enumerate(drawn.nodes)}
    for node, name in names.items():
        assert sum(line.strip().startswith((f"{name}[", f"{name}(", f"{name}{{")) for line in lines)
        assert (f"{name} -->" in "\n".join(lines)) or not node.retries
    arrows = [re.sub(r'\|".*?"\|', "", line).strip() for line in lines if "-->" in line]
    for edge in drawn.edges:
        assert f"{names[edge.source]} --> {names[edge.target]}" in arrows
    opened = sum(line.strip().startswith("subgraph ") for line in lines)
    assert opened == sum(line.strip() == "end" for line in lines)


def test_a_call_lies_below_all_that_had_ended_before_it_was_scheduled(drawn: Graph) -> None:
    where = layout(drawn).nodes
    for node in drawn.nodes:
        for box in node.boxes:
            for inner in box.nodes:
                assert where[inner].top > where[node].bottom
            for one in box.nodes:
                for other in box.nodes:
                    if one.ended <= other.scheduled and one.scheduled < other.scheduled:
                        assert one.rank + one.height <= other.rank
                        assert where[one].bottom < where[other].top


def test_graphviz_keeps_the_ranks(dot: str) -> None:
    drawn = graph(shop())
    plain = render(dot_source(drawn), "plain").decode()
    heights = {
        match[1]: float(match[2])
        for match in re.finditer(r'^node "?(\S+?)"? \S+ (\S+) ', plain, re.MULTILINE)
    }
    for one in drawn.nodes:
        for other in drawn.nodes:
            if one.rank < other.rank:
                assert heights[one.id] > heights[other.id]


def test_nothing_lies_on_anything_else(drawn: Graph) -> None:
    where = layout(drawn)
    boxes = list(where.nodes.values())
    for number, one in enumerate(boxes):
        assert 0 <= one.left < one.right <= where.width
        assert 0 <= one.top < one.bottom <= where.height
        for other in boxes[number + 1 :]:
            assert not overlap(one, other)
    for number, frame in enumerate(where.frames):
        for later in where.frames[number + 1 :]:
            assert not overlap(frame.where, later.where) or within(later.where, frame.where)


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return (
        one.left < other.right
        and other.left < one.right
        and one.top < other.bottom
        and other.top < one.bottom
    )


def within(inner: Rectangle, outer: Rectangle) -> bool:
    return (
        outer.left <= inner.left
        and inner.right <= outer.right
        and outer.top <= inner.top
        and inner.bottom <= outer.bottom
    )


def test_a_failure_is_red_a_retry_an_orange_loop_and_what_never_ended_dotted() -> None:
    source = dot_source(graph(shop()))
    lines = {line.split(" [")[0].strip(): line for line in source.splitlines() if " [" in line}
    assert 'color="#c0271b"' in lines['"/charge-0"']
    assert (
        'label="1 retry" color="#e07b00"' in lines['"/order-0-0/stock-0" -> "/order-0-0/stock-0"']
    )
    assert 'style="filled,dotted"' in lines['"/survey-0"']
    assert "shape=box" in lines['"/order-0"']
    assert "shape=ellipse" in lines['"/ship-0"']
    assert lines['"/charge-1" -> "/ship-0"'].strip() == (
        """"/charge-1" -> "/ship-0" [label="'charged 63'"];"""
    )


def test_timers_and_lambdas_have_shapes_of_their_own() -> None:
    calls = tuple(
        Call(kind, 0, kind, attempts=(Attempt(0, None, 1, 1, 2, "", "completed"),))
        for kind in ("timer", "lambda")
    )
    drawn = graph(Trace("w", executions=(Execution("", "w", calls=calls),)))
    source = dot_source(drawn)
    assert "shape=diamond" in source
    assert "shape=hexagon" in source
    assert 'n1{{"timer-0' in mermaid(drawn)
    assert 'n2[["lambda-0' in mermaid(drawn)
    assert '<path class="shape"' in svg(drawn)


def test_a_big_run_has_a_node_for_each_task() -> None:
    trace = simulate(runs.many(), 300, workers=16)
    drawn = graph(trace)
    assert [node.title for node in drawn.nodes] == ["Many", "square x 300", "sum x 299"]
    assert [(edge.source.title, edge.target.title, edge.label) for edge in drawn.edges] == [
        ("square x 300", "sum x 299", "x 300"),
        ("sum x 299", "sum x 299", "x 298"),
    ]
    assert drawn.nodes[1].lines == ["4 min 59 s, 998 ms each"]
    assert len(graph(trace, full=True).nodes) == 600


@pytest.mark.parametrize(("squares", "nodes"), [(60, 120), (200, 3)])
def test_a_mermaid_file_has_a_node_for_each_task_where_mermaid_would_refuse_more(
    squares: int, nodes: int, tmp_path: Path
) -> None:
    trace = simulate(runs.many(), squares, workers=8)
    for full, expected in ((False, nodes), (True, 2 * squares)):
        trace.save(tmp_path / "run.mmd", full=full)
        source = (tmp_path / "run.mmd").read_text("utf-8")
        assert len(re.findall(r"^  n\d+[\[(]", source, re.MULTILINE)) == expected


def test_a_node_of_many_calls_says_how_many_failed_and_were_retried() -> None:
    order = flowy.LocalWorkflow(runs.Order)
    order.conf_activity("price", runs.look_up_price)
    order.conf_activity("stock", runs.Flaky(4), retry=flowy.Retry(attempts=2, jitter=0))
    order.conf_activity("total", runs.total)
    workflow = flowy.LocalWorkflow(runs.Shop)
    workflow.conf_workflow("order", order)
    for name in ("charge", "ship", "survey"):
        workflow.conf_activity(name, getattr(runs, name))
    trace = simulate(workflow, "4711", {"apple": 1, "pear": 2, "plum": 3}, workers=8)
    nodes = {node.title: node for node in graph(trace, by_task=True).nodes}
    assert nodes["order x 3"].boxes[0].label == "3 runs"
    assert (nodes["stock x 3"].retries, nodes["stock x 3"].outcome) == (3, "failed")
    assert nodes["stock x 3"].lines == ["2.25 s, 750 ms each", "1 failed"]


def test_a_trace_shows_itself_in_jupyter(tmp_path: Path) -> None:
    trace = simulate(runs.example(), 2, 10)
    assert trace._repr_svg_().startswith("<svg ")
    assert trace._repr_html_().startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;')
