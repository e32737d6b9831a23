"""Ways in and out: `_trace=`, `Trace.save`, `flowy trace`."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flowy
from flowy.cli import main
from flowy_trace import ENDINGS, DotNotFoundError, Trace, tracer

from . import runs
from .simulation import simulate

HOW = (
    "install Graphviz: apt-get install graphviz, brew install graphviz, winget install graphviz, "
    "or see https://graphviz.org/download/"
)


def quick() -> flowy.LocalWorkflow:
    workflow = flowy.LocalWorkflow(runs.Example)
    workflow.conf_activity("square", lambda n: n * n)
    workflow.conf_activity("sum", lambda a, b: a + b)
    return workflow


def broken() -> flowy.LocalWorkflow:
    workflow = flowy.LocalWorkflow(runs.Example)
    workflow.conf_activity("square", lambda n: n / 0)
    workflow.conf_activity("sum", lambda a, b: a + b)
    return workflow


@pytest.fixture
def trace() -> Trace:
    return simulate(runs.example(), 2, 10)


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(
    ("ending", "begin"),
    [
        (".json", b'{\n "format": "flowy-trace"'),
        (".perfetto.json", b'{"displayTimeUnit": "ms"'),
        (".html", b"<!DOCTYPE html>"),
        (".dot", b"digraph flowy {"),
        (".gv", b"digraph flowy {"),
        (".mmd", b"flowchart TB"),
        (".txt", b"      at        took\n"),
        (".svg", b"<?xml "),
        (".png", b"\x89PNG"),
        (".pdf", b"%PDF"),
    ],
)
def test_the_ending_of_a_file_says_what_is_written(
    dot: str, trace: Trace, tmp_path: Path, ending: str, begin: bytes
) -> None:
    path = tmp_path / f"Run{ending.upper()}"
    trace.save(path)
    assert path.read_bytes().startswith(begin)
    assert ending in ENDINGS


def test_another_ending_is_refused(trace: Trace) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        trace.save("run.jpg")
    assert str(caught.value) == (
        "'run.jpg' does not say what to write: a trace or a picture of one goes to a file that "
        "ends in .perfetto.json, .json, .html, .dot, .gv, .mmd, .txt, .svg, .png or .pdf"
    )


@pytest.mark.usefixtures("no_dot")
def test_without_dot_a_picture_is_an_error_and_its_source_is_written(
    trace: Trace, tmp_path: Path
) -> None:
    with pytest.raises(DotNotFoundError) as caught:
        trace.save(tmp_path / "run.svg")
    assert str(caught.value) == (
        f"a .svg file needs the program 'dot', which is not there; {HOW}; the source of the graph "
        f"was written to {str(tmp_path / 'run.dot')!r}"
    )
    assert (tmp_path / "run.dot").read_text().startswith("digraph flowy {")
    assert not (tmp_path / "run.svg").exists()


@pytest.mark.usefixtures("no_dot")
def test_without_dot_all_else_is_written(trace: Trace, tmp_path: Path) -> None:
    for ending in ENDINGS[:-3]:
        trace.save(tmp_path / f"run{ending}")
    assert len(list(tmp_path.iterdir())) == len(ENDINGS) - 3


def test_a_run_writes_its_trace_to_a_path(tmp_path: Path) -> None:
    assert quick().run(2, 10, _trace=tmp_path / "run.json") == 104
    trace = Trace.load(tmp_path / "run.json")
    assert (trace.workflow, trace.engine) == ("Example", "local")
    assert trace.ended is not None
    assert trace.executions[0].result == "104"


def test_a_run_writes_its_trace_to_several_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert quick().run(2, 10, _trace=["run.html", Path("run.txt")]) == 104
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.html", "run.txt"]


def test_a_run_that_fails_writes_its_trace_too(tmp_path: Path) -> None:
    with pytest.raises(flowy.TaskError):
        broken().run(2, 10, _trace=tmp_path / "run.txt")
    text = (tmp_path / "run.txt").read_text(encoding="utf-8")
    assert re.search(r"square-\d\(\d+\).*  FAILED: ZeroDivisionError: division by zero\n", text)


@pytest.mark.parametrize("wanted", [None, False])
def test_no_trace_is_written_if_none_is_wanted(wanted: Any, tmp_path: Path) -> None:
    assert quick().run(2, 10, _trace=wanted) == 104


@pytest.mark.parametrize(("terminal", "opened"), [(True, 1), (False, 0)])
def test_a_page_is_opened_where_there_is_a_terminal(
    terminal: bool,
    opened: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import tempfile
    import webbrowser

    pages: list[str] = []
    monkeypatch.setattr(webbrowser, "open", pages.append)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert quick().run(2, 10, _trace=True) == 104
    [page] = tmp_path.iterdir()
    assert capsys.readouterr().err == f"the trace of this run: {page}\n"
    assert pages == [page.as_uri()] * opened


def test_what_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    called: list[int] = []
    workflow = flowy.LocalWorkflow(lambda note: lambda: note())
    workflow.conf_activity("note", lambda: called.append(1))
    with pytest.raises(ValueError, match=r"'run\.jpg' does not say what to write"):
        workflow.run(_trace="run.jpg")
    with pytest.raises(FileNotFoundError) as caught:
        workflow.run(_trace=str(tmp_path / "there" / "run.txt"))
    assert str(caught.value) == (
        f"{str(tmp_path / 'there' / 'run.txt')!r} cannot be written: there is no folder "
        f"{str(tmp_path / 'there')!r}"
    )
    with pytest.raises(TypeError) as wrong:
        workflow.run(_trace=[3])
    assert str(wrong.value) == "a trace goes to a path, several, or True for a page, not 3"
    assert called == []


@pytest.mark.usefixtures("no_dot")
def test_a_picture_that_needs_dot_is_refused_before_the_run() -> None:
    with pytest.raises(DotNotFoundError) as caught:
        tracer("run.svg")
    assert str(caught.value) == (
        f"'run.svg' cannot be drawn: the program 'dot' is not there; {HOW}; or ask for .html or "
        ".dot, which do not need it"
    )


def test_a_trace_that_cannot_be_written_in_the_end_takes_neither_the_result_nor_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    workflow = flowy.LocalWorkflow(lambda remove: lambda: remove())
    workflow.conf_activity("remove", lambda: folder.rmdir())
    with caplog.at_level(logging.ERROR, logger="flowy"):
        workflow.run(_trace=[folder / "run.txt", tmp_path / "run.txt"])
    assert "failed in run_ended() and is told nothing more; the run goes on" in caplog.text
    assert "FileNotFoundError" in caplog.text
    assert (tmp_path / "run.txt").exists()


def test_without_flowy_trace_a_run_says_what_to_install() -> None:
    program = (
        "import sys, flowy; sys.modules['flowy_trace'] = None\n"
        "w = flowy.LocalWorkflow(lambda: lambda: 1)\n"
        "try:\n    w.run(_trace='run.html')\n"
        "except ImportError as exc:\n    print(exc)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "_trace= needs flowy-trace: python -m pip install flowy-trace\n"


def test_graphviz_is_imported_when_it_is_used(tmp_path: Path) -> None:
    program = (
        "import sys, flowy_trace, flowy_trace.plugin, flowy_trace.command\n"
        "assert not {'graphviz', 'boto3', 'webbrowser'} & set(sys.modules)\n"
        f"flowy_trace.Trace('w').save({str(tmp_path / 'run.html')!r})\n"
        "print('graphviz' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


# --- the commands ----------------------------------------------------------------------------


FLOW = """\
import flowy

@flowy.activity()
def square(n):
    print("it ran")
    return n * n

def flow(square):
    return square
"""


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return what names a workflow for `flowy run`, in the folder that holds it."""
    (tmp_path / "traced_flow.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield "traced_flow.py:flow"
    sys.modules.pop("traced_flow", None)


def test_the_traces_of_a_run_are_written(flow: str, tmp_path: Path) -> None:
    assert main(["run", flow, "3", "--trace", "a.json", "--trace", "b.txt"]) == 0
    trace = Trace.load(tmp_path / "a.json")
    assert [(call.key, call.result) for _, call in trace.calls()] == [("square-0", "9")]
    assert "square-0(3) = 9" in (tmp_path / "b.txt").read_text("utf-8")


@pytest.mark.usefixtures("no_dot")
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("run.bad", "'run.bad' does not say what to write: a trace or a picture of one goes to "),
        ("none/run.html", "'none/run.html' cannot be written: there is no folder 'none'\n"),
        ("run.svg", "'run.svg' cannot be drawn: the program 'dot' is not there; "),
    ],
)
def test_a_trace_that_cannot_be_written_is_refused_in_a_line_before_the_run(
    path: str, message: str, flow: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run", flow, "3", "--trace", "run.html", "--trace", path])
    assert caught.value.code == 2
    shown = capfd.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(f"flowy run: error: {message}")


def test_a_trace_of_a_run_needs_flowy_trace(flow: str) -> None:
    program = (
        "import sys\n"
        "sys.modules['flowy_trace'] = None\n"
        "from flowy.cli import main\n"
        f"main(['run', {flow!r}, '3', '--trace', 'run.html'])\n"
    )
    environ = {**os.environ, "FLOWY_DISABLE_PLUGINS": "trace"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=False
    )
    assert (done.returncode, done.stderr) == (
        2,
        "flowy run: error: --trace needs flowy-trace: python -m pip install flowy-trace\n",
    )


def test_the_command_draws_a_trace(trace: Trace, tmp_path: Path) -> None:
    trace.save(tmp_path / "run.json")
    outputs = [str(tmp_path / name) for name in ("run.dot", "run.txt")]
    assert main(["trace", str(tmp_path / "run.json"), "-o", outputs[0], "-o", outputs[1]]) == 0
    trace.save(tmp_path / "again.dot")
    assert Path(outputs[0]).read_text() == (tmp_path / "again.dot").read_text()


def test_the_command_prints_a_tree(
    trace: Trace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace.save(tmp_path / "run.json")
    trace.save(tmp_path / "run.txt")
    assert main(["trace", str(tmp_path / "run.json")]) == 0
    assert capsys.readouterr().out == (tmp_path / "run.txt").read_text(encoding="utf-8")


def test_the_command_draws_all_calls_of_a_big_run_if_asked(tmp_path: Path) -> None:
    simulate(runs.many(), 300).save(tmp_path / "run.json")
    output = tmp_path / "run.dot"
    assert main(["trace", str(tmp_path / "run.json"), "-o", str(output)]) == 0
    assert len(output.read_text().splitlines()) < 20
    assert main(["trace", "--full", str(tmp_path / "run.json"), "-o", str(output)]) == 0
    assert len(output.read_text().splitlines()) > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["none.json"],
            "there is no file 'none.json'; for an execution on Amazon SWF give the domain and the "
            "workflow id\n",
        ),
        (["none.json", "-o", "x.jpg"], "'x.jpg' does not say what to write: "),
    ],
)
def test_the_command_says_what_is_wrong(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", *arguments]) == 1
    assert capsys.readouterr().err.startswith(f"flowy trace: error: {message}")
