"""The pictures of all examples, letter by letter.

With FLOWY_WRITE_GOLDEN=1 the files are written anew; look at what changed before you keep it.
"""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import flowy
from flowy_trace import Recorder, Trace
from flowy_trace.dot import dot
from flowy_trace.graph import graph
from flowy_trace.mermaid import mermaid
from flowy_trace.perfetto import perfetto
from flowy_trace.text import text

from . import runs
from .simulation import Simulation, simulate

GOLDEN = Path(__file__).parent / "golden"
#: needs a package of its own, and its results say which processes did it
WITHOUT = {"dask_executor"}
EXAMPLES = sorted(
    {path.stem for path in (Path(__file__).parents[2] / "docs" / "examples").glob("*.py")} - WITHOUT
)
FORMATS: dict[str, Callable[[Trace], str]] = {
    "dot": lambda trace: dot(graph(trace)),
    "mmd": lambda trace: mermaid(graph(trace)),
    "perfetto.json": perfetto,
    "txt": text,
}
RUNS: dict[str, Callable[[], Trace]] = {
    "run_shop": lambda: simulate(
        runs.shop(), "4711", {"apple": 10, "pear": 2, "plum": 25}, workers=4
    ),
    "run_shop_going_on": lambda: simulate(
        runs.shop(), "4711", {"apple": 10, "pear": 2, "plum": 25}, workers=4, until=2.3
    ),
    "run_trouble": lambda: simulate(runs.trouble(), workers=3),
    "run_many": lambda: simulate(runs.many(), 300, workers=16),
}


def traces_of_example(
    name: str, examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Trace]:
    """Run an example as a script, on the simulated engine; return the traces of its runs."""
    traces: list[Trace] = []

    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = Recorder(engine="simulated", run="run-1")
        try:
            return Simulation([recorder]).run(self, *args, **kwargs)
        finally:
            traces.append(recorder.trace())

    def folder(*args: Any, **kwargs: Any) -> str:
        Path("folder").mkdir()
        return "folder"

    monkeypatch.setattr(flowy.LocalWorkflow, "run", run)
    monkeypatch.setattr(tempfile, "mkdtemp", folder)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    for number in (1, 2, 3):
        (tmp_path / "texts" / f"{number}.txt").write_text("to be or not to be\n" * number)
    monkeypatch.setattr(sys, "argv", [name, "texts"])
    with suppress(SystemExit):
        runpy.run_path(str(examples / f"{name}.py"), run_name="__main__")
    return traces


def check(name: str, ending: str, pictures: list[str]) -> None:
    """Compare with the golden file."""
    file = GOLDEN / f"{name}.{ending}"
    found = "-- the next run --\n".join(pictures)
    if os.environ.get("FLOWY_WRITE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(found, encoding="utf-8", newline="\n")
    assert found == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_pictures_of_an_example_are_the_golden_ones(
    name: str, examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = traces_of_example(name, examples, tmp_path, monkeypatch)
    assert traces
    for ending, draw in FORMATS.items():
        check(name, ending, [draw(trace) for trace in traces])


@pytest.mark.parametrize("name", RUNS)
def test_the_pictures_of_a_run_are_the_golden_ones(name: str) -> None:
    trace = RUNS[name]()
    for ending, draw in FORMATS.items():
        if (name, ending) != ("run_many", "perfetto.json"):
            check(name, ending, [draw(trace)])


def test_there_is_no_golden_file_that_nothing_is_compared_with() -> None:
    names = {path.name.partition(".")[0] for path in GOLDEN.iterdir()}
    assert names == {*EXAMPLES, *RUNS}
