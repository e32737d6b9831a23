"""Whatever is in names, arguments, results and errors, it changes nothing but its own text."""

from __future__ import annotations

import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from flowy_trace import Trace
from flowy_trace.dot import dot as dot_source
from flowy_trace.dot import render
from flowy_trace.graph import graph
from flowy_trace.html import html
from flowy_trace.mermaid import mermaid
from flowy_trace.perfetto import perfetto
from flowy_trace.svg import svg
from flowy_trace.text import text

from .hostile import NASTY, hostile
from .simulation import simulate

ENDINGS = (".json", ".perfetto.json", ".html", ".dot", ".mmd", ".txt")


@pytest.fixture(scope="module")
def trace() -> Trace:
    return simulate(hostile(), NASTY, NASTY)


@pytest.fixture(scope="module")
def tame() -> Trace:
    """Return the trace of the same calls with nothing wrong in them."""
    return simulate(hostile("a", "a"), "a", "a")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_holds_only_what_can_be_printed(trace: Trace, ending: str, tmp_path: Path) -> None:
    trace.save(tmp_path / f"run{ending}")
    content = (tmp_path / f"run{ending}").read_text(encoding="utf-8")
    unprintable = {
        char for char in content if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    assert unprintable <= {"\n"}


def test_the_trace_comes_back(trace: Trace, tmp_path: Path) -> None:
    trace.save(tmp_path / "run.json")
    assert Trace.load(tmp_path / "run.json") == trace


def test_the_text_has_the_lines_it_would_have(trace: Trace, tame: Trace) -> None:
    assert len(text(trace).splitlines()) == len(text(tame).splitlines())


def test_the_mermaid_source_has_the_lines_it_would_have(trace: Trace, tame: Trace) -> None:
    def shape(of: Trace) -> str:
        return re.sub(r'"[^"\n]*"', '""', mermaid(graph(of)))

    assert shape(trace) == shape(tame)
    for label in re.findall(r'"([^"\n]*)"', mermaid(graph(trace))):
        assert not set(label.replace(r"\n", "")) & set('<>"`|[]{}\\&%:$')


def test_the_dot_source_has_the_lines_it_would_have(trace: Trace, tame: Trace) -> None:
    def shape(of: Trace) -> str:
        return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', dot_source(graph(of)))

    assert shape(trace) == shape(tame)


def test_graphviz_shows_the_very_text(dot: str, trace: Trace) -> None:
    drawn = graph(trace)
    root = ET.fromstring(render(dot_source(drawn), "svg"))
    shown = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    for node in drawn.nodes:
        for line in [node.title, *node.lines]:
            assert line in {str(each).replace("\xa0", " ") for each in shown}


def test_the_svg_shows_the_very_text(trace: Trace) -> None:
    drawn = graph(trace)
    root = ET.fromstring(svg(drawn))
    shown = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {line for node in drawn.nodes for line in [node.title, *node.lines]} <= shown
    assert not [each for each in root.iter() if "script" in each.tag or "img" in each.tag]


def test_the_perfetto_json_has_the_events_it_would_have(trace: Trace, tame: Trace) -> None:
    def shape(of: Trace) -> list[tuple[str, int]]:
        return [(each["ph"], each["pid"]) for each in json.loads(perfetto(of))["traceEvents"]]

    assert shape(trace) == shape(tame)


def test_the_page_has_the_elements_it_would_have(trace: Trace, tame: Trace) -> None:
    def shape(of: Trace) -> list[str]:
        page = html(of)
        data = re.search(
            r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL
        )
        assert data is not None
        json.loads(data[1])
        return re.findall(r"<[!/]?[a-z]+", page.replace(data[1], ""), re.IGNORECASE)

    assert shape(trace) == shape(tame)
    assert len(html(trace)) < 200_000
