"""`flowy trace`: draw a trace that was kept, or one of an execution that Amazon SWF knows.

Importing this does not import what draws.
"""

from __future__ import annotations

import argparse
import functools
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowy.cli import CommandParser
    from flowy_trace.model import Trace

_DESCRIPTION = """\
Draw the trace of a run, from a file or from Amazon SWF.

FILE.json is a trace, as `flowy run --trace FILE.json` writes it, or what
`aws swf get-workflow-execution-history` printed. DOMAIN and WORKFLOW_ID name an execution that
Amazon SWF knows, the open one or else the last, unless RUN_ID says which. It is drawn with all its
restarts and its children, and may be running still; this needs flowy-swf.

The ending of the output says what is drawn: .html is a page to look at; .svg, .png, .pdf and .dot
are graphs by Graphviz, .mmd is one by Mermaid; .perfetto.json is for ui.perfetto.dev, .txt is a
tree, and .json the trace itself."""

_EPILOG = """\
examples:
  flowy trace run.json
  flowy trace run.json -o run.html -o run.svg
  flowy trace shop order-4711 -o order.html --region eu-central-1"""


def add(subcommands: Any) -> None:
    """Add the command to those of `flowy`."""
    parser = subcommands.add_parser(
        "trace",
        help="draw the trace of a run",
        usage="%(prog)s [OPTION ...] FILE.json\n       %(prog)s [OPTION ...] "
        "DOMAIN WORKFLOW_ID [RUN_ID]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        intermixed=True,
    )
    parser.set_defaults(run=functools.partial(_run, parser))
    parser.add_argument(
        "source",
        metavar="FILE.json, or DOMAIN WORKFLOW_ID [RUN_ID]",
        nargs="+",
        help="a trace or a history of Amazon SWF, or an execution that it knows",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        action="append",
        default=[],
        help="where to draw it; may be repeated; by default it is printed as a tree",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="draw each call of a big run, where there would be one node for all calls of a task",
    )
    service = parser.add_argument_group("Amazon SWF")
    service.add_argument("--region", help="the region to ask, such as eu-central-1")
    service.add_argument("--profile", help="the profile with the credentials")
    service.add_argument(
        "--endpoint-url", metavar="URL", help="where to ask, such as at the emulator"
    )


def _run(parser: CommandParser, namespace: argparse.Namespace) -> int:
    from flowy_trace.dot import DotNotFoundError
    from flowy_trace.save import check
    from flowy_trace.text import text

    options = {
        name: value
        for name, value in (
            ("region_name", namespace.region),
            ("profile_name", namespace.profile),
            ("endpoint_url", namespace.endpoint_url),
        )
        if value is not None
    }
    if len(namespace.source) > 3:
        parser.error(f"unrecognized arguments: {' '.join(namespace.source[3:])}")
    if len(namespace.source) == 1 and options:
        parser.error("--region, --profile and --endpoint-url are for DOMAIN WORKFLOW_ID [RUN_ID]")
    try:
        # Before what may take a while.
        for path in namespace.output:
            check(path)
        trace = _read(namespace.source, options)
        for path in namespace.output:
            trace.save(path, full=namespace.full)
        if not namespace.output:
            print(text(trace), end="")
    except (OSError, ValueError, LookupError, ImportError, DotNotFoundError, _ServiceError) as exc:
        print(f"{parser.prog}: error: {exc}", file=sys.stderr)
        return 1
    return 0


def _read(source: list[str], options: dict[str, str]) -> Trace:
    from flowy_trace.model import Trace

    if len(source) == 1:
        try:
            return Trace.load(source[0])
        except FileNotFoundError:
            raise FileNotFoundError(
                f"there is no file {source[0]!r}; for an execution on Amazon SWF give the domain "
                "and the workflow id"
            ) from None
    from flowy_trace.swf_service import explain, make_client

    domain, workflow_id, *run_ids = source
    run_id = run_ids[0] if run_ids else None
    try:
        return Trace.from_swf(domain, workflow_id, run_id, make_client(**options))
    except (ImportError, LookupError):
        raise
    except Exception as exc:
        text = explain(exc)
        if text is None:
            raise
        raise _ServiceError(" ".join(text.split())) from exc


class _ServiceError(Exception):
    """The service cannot be asked, or does not answer."""
