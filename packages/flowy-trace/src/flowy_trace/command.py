"""`flowy trace`: draw a trace that was kept. Importing this does not import what draws."""

from __future__ import annotations

import argparse
import sys
from typing import Any

_DESCRIPTION = """\
Draw a trace, or a history of Amazon SWF.

FILE.json is a trace, as `flowy run --trace FILE.json` writes it, or what
`aws swf get-workflow-execution-history` printed. The ending of the output says what is drawn:
.html is a page to look at; .svg, .png, .pdf and .dot are graphs by Graphviz, .mmd is one by
Mermaid; .perfetto.json is for ui.perfetto.dev, .txt is a tree, and .json the trace itself."""

_EPILOG = """\
examples:
  flowy trace run.json
  flowy trace run.json -o run.html -o run.svg"""


def add(subcommands: Any) -> None:
    """Add the command to those of `flowy`."""
    parser = subcommands.add_parser(
        "trace",
        help="draw a trace that was kept",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_run)
    parser.add_argument("file", metavar="FILE.json", help="a trace, or a history of Amazon SWF")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        action="append",
        help="where to draw it; may be repeated; by default it is printed as a tree",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="draw each call of a big run, where there would be one node for all calls of a task",
    )


def _run(namespace: argparse.Namespace) -> int:
    from flowy_trace.dot import DotNotFoundError
    from flowy_trace.model import Trace
    from flowy_trace.save import ending
    from flowy_trace.text import text

    try:
        outputs = namespace.output or []
        for path in outputs:
            ending(path)
        trace = Trace.load(namespace.file)
        for path in outputs:
            trace.save(path, full=namespace.full)
        if not outputs:
            print(text(trace), end="")
    except (OSError, ValueError, DotNotFoundError) as exc:
        print(f"flowy: error: {exc}", file=sys.stderr)
        return 1
    return 0
