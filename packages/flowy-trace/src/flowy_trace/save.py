"""Writing traces and pictures: the file's ending says what."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from flowy_trace.dot import DotNotFoundError, check_program, dot, render
from flowy_trace.graph import graph
from flowy_trace.html import html
from flowy_trace.mermaid import is_drawn, mermaid
from flowy_trace.model import Trace
from flowy_trace.perfetto import perfetto
from flowy_trace.text import text
from flowy_trace.trace_json import to_json

_GRAPHVIZ = (".svg", ".png", ".pdf")

_WRITERS: dict[str, Callable[[Trace, bool], str]] = {
    ".perfetto.json": lambda trace, full: perfetto(trace),
    ".json": lambda trace, full: to_json(trace),
    ".html": lambda trace, full: html(trace, full=full),
    ".dot": lambda trace, full: dot(graph(trace, full)),
    ".gv": lambda trace, full: dot(graph(trace, full)),
    ".mmd": lambda trace, full: _mermaid(trace, full),
    ".txt": lambda trace, full: text(trace),
}

#: the endings of files that can be written, each with those that it must not be taken for before it
ENDINGS = (*_WRITERS, *_GRAPHVIZ)


def _mermaid(trace: Trace, full: bool) -> str:
    source = mermaid(graph(trace, full))
    return source if full or is_drawn(source) else mermaid(graph(trace, by_task=True))


def ending(path: str | os.PathLike[str]) -> str:
    """Return which of `ENDINGS` a path has; raise ValueError if it has none of them."""
    name = os.fspath(path).lower()
    for known in ENDINGS:
        if name.endswith(known):
            return known
    raise ValueError(
        f"{os.fspath(path)!r} does not say what to write: a trace or a picture of one goes to a "
        f"file that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
    )


def check(path: str | os.PathLike[str]) -> None:
    """Raise what `save` would raise if it can be told before there is a trace.

    Raises
    ------
    ValueError
        nothing is known to be written in files of this ending.
    FileNotFoundError
        the folder is not there.
    DotNotFoundError
        the picture needs the program `dot`, which is not there.
    """
    known = ending(path)
    folder = Path(path).parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{os.fspath(path)!r} cannot be written: there is no folder {os.fspath(folder)!r}"
        )
    if known in _GRAPHVIZ:
        try:
            check_program()
        except DotNotFoundError as exc:
            raise DotNotFoundError(
                f"{os.fspath(path)!r} cannot be drawn: {exc}; "
                "or ask for .html or .dot, which do not need it"
            ) from None


def save(trace: Trace, path: str | os.PathLike[str], *, full: bool = False) -> None:
    """Write a trace or a picture of it; see `Trace.save`."""
    known = ending(path)
    target = Path(path)
    write = _WRITERS.get(known)
    if write is not None:
        # The same bytes on every platform, and no half-surrogates: every text is printable.
        target.write_bytes(write(trace, full).encode("utf-8"))
        return
    source = dot(graph(trace, full))
    try:
        target.write_bytes(render(source, known[1:]))
    except DotNotFoundError as exc:
        beside = target.with_suffix(".dot")
        beside.write_bytes(source.encode("utf-8"))
        raise DotNotFoundError(
            f"{exc}; the source of the graph was written to {str(beside)!r}"
        ) from None
