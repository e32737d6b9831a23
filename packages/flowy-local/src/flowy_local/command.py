"""`flowy run`: run a workflow of a module or a file. Importing this does not import the engine."""

from __future__ import annotations

import argparse
import copy
import functools
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any, TextIO

from flowy.arguments import (
    TargetError,
    add_workflow_arguments,
    positive,
    workflow_arguments,
)
from flowy.cli import CommandParser
from flowy.errors import DependencyError
from flowy_local.report import report
from flowy_local.targets import find

if TYPE_CHECKING:
    from flowy_local.progress import Progress
    from flowy_local.workflow import LocalWorkflow

_DESCRIPTION = """\
Run a workflow and print its result.

WORKFLOW is MODULE:NAME or FILE.py:NAME. What has that name is a configured workflow, such as a
flowy.LocalWorkflow, or a workflow's factory, whose activities are the functions of the module that
are marked with @flowy.activity(). ARG and VALUE are JSON, or else strings."""

_EPILOG = """\
examples:
  flowy run shop/orders.py:ship 17 '{"express": true}'
  flowy run shop.orders:ship 17 --kw express=true --json | jq .parcels

The result goes to stdout, all else to stderr, what the workflow and its activities print as well.
The exit status is 0, 1 if the workflow failed, 2 if there is no such workflow, 130 after Ctrl-C."""


def add(subcommands: Any) -> None:
    """Add the command to those of `flowy`."""
    parser = subcommands.add_parser(
        "run",
        help="run a workflow and print its result",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        intermixed=True,
    )
    parser.set_defaults(run=functools.partial(_run, parser))
    parser.add_argument("workflow", metavar="WORKFLOW", help="MODULE:NAME or FILE.py:NAME")
    add_workflow_arguments(parser)
    parser.add_argument(
        "--executor", choices=("threads", "processes"), help="what runs the activities"
    )
    parser.add_argument(
        "--activity-workers", metavar="N", type=positive, help="how many activities run at once"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the result as JSON: tuples as arrays, and what JSON has no form for as Flowy "
        "writes it down; by default it is printed as Python writes it",
    )
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="show on stderr how far the run is; by default if stdout and stderr are a terminal",
    )
    parser.add_argument(
        "--trace",
        metavar="FILE",
        action="append",
        help="put a trace of the run into FILE; may be repeated (needs flowy-trace)",
    )


def _run(parser: CommandParser, namespace: argparse.Namespace) -> int:
    # Asked before stdout becomes something else.
    terminal = _is_terminal(sys.stdout) and _is_terminal(sys.stderr)
    with _kept_stdout() as stdout:
        try:
            workflow = _find_workflow(parser, namespace.workflow)
        except Exception as exc:
            report(f"{namespace.workflow} cannot be imported", exc)
            return 1
        workflow, options, progress = _configure(parser, namespace, workflow, terminal)
        args, kwargs = workflow_arguments(namespace)
        status = 0
        try:
            with progress or nullcontext():
                result = workflow.run(*args, **kwargs, **options)
            text = _json(result) if namespace.json else repr(result)
        except (Exception, SystemExit) as exc:
            report(f"{namespace.workflow} failed", exc)
            status = 1
        else:
            print(text, file=stdout, flush=True)
        _wait_for_the_rest()
    return status


def _find_workflow(parser: CommandParser, target: str) -> Any:
    """Return what has a `run` method: what the target names, or a configuration made for it."""
    try:
        module, thing = find(target)
    except TargetError as exc:
        parser.fail(str(exc))
    if not isinstance(thing, type) and callable(getattr(thing, "run", None)):
        return thing
    if not callable(thing):
        parser.fail(
            f"{target} is {thing!r}; expected a configured workflow, such as a "
            "flowy.LocalWorkflow, or a workflow's factory"
        )
    from flowy_local.workflow import LocalWorkflow

    workflow = LocalWorkflow(thing)
    workflow.scan(module)
    try:
        workflow.check()
    except DependencyError as exc:
        parser.fail(f"{exc}, or mark functions of {module.__name__} with @flowy.activity()")
    return workflow


def _configure(
    parser: CommandParser, namespace: argparse.Namespace, workflow: Any, terminal: bool
) -> tuple[Any, dict[str, Any], Progress | None]:
    """Return the workflow as the options want it, what else `run` takes, and who watches."""
    options: dict[str, Any] = {}
    if namespace.trace:
        options["_trace"] = namespace.trace
        _check_trace(parser, namespace.trace)
    changes = {
        name: getattr(namespace, name)
        for name in ("executor", "activity_workers")
        if getattr(namespace, name) is not None
    }
    from flowy_local.workflow import LocalWorkflow

    if not isinstance(workflow, LocalWorkflow):
        if changes or namespace.progress:
            parser.fail(
                f"--executor, --activity-workers and --progress are for a flowy.LocalWorkflow, "
                f"and {namespace.workflow} is {workflow!r}"
            )
        return workflow, options, None
    if changes:
        workflow = _changed(workflow, changes)
    if not (terminal if namespace.progress is None else namespace.progress):
        return workflow, options, None
    from flowy_local.progress import Progress

    progress = Progress(sys.stderr)
    options["_observers"] = [progress]
    return workflow, options, progress


def _check_trace(parser: CommandParser, paths: list[str]) -> None:
    """Fail if it can be told that the traces will not be written, before there is a run to lose."""
    try:
        from flowy_trace import DotNotFoundError, tracer
    except ModuleNotFoundError as exc:
        if exc.name != "flowy_trace":
            raise
        parser.fail("--trace needs flowy-trace: python -m pip install flowy-trace")
    try:
        tracer(paths)
    except (ValueError, OSError, DotNotFoundError) as exc:
        parser.fail(str(exc))


def _changed(workflow: LocalWorkflow, changes: dict[str, Any]) -> LocalWorkflow:
    workflow = copy.copy(workflow)
    for name, changed in changes.items():
        setattr(workflow, name, changed)
    return workflow


def _wait_for_the_rest() -> None:
    """Wait for activities that go on although nobody needs their results; they may print."""
    from flowy_local.exits import wait

    wait()


def _json(result: Any) -> str:
    from flowy.serialization import codec

    def tagged(part: Any) -> Any:
        return json.loads(codec("json").dump_value(part))

    try:
        return json.dumps(result, default=tagged, allow_nan=False)
    except (TypeError, ValueError):
        # It has a part that only the whole can be tagged for, such as a key that is no string.
        text: str = codec("json").dump_value(result)
        return text


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


@contextmanager
def _kept_stdout() -> Iterator[TextIO]:
    """Send all that is printed to stderr, by other processes too; yield what was stdout."""
    stdout = sys.stdout
    try:
        number, error_number = stdout.fileno(), sys.stderr.fileno()
    except (AttributeError, OSError):
        # One of them is closed, or is no file and this process is its only user.
        with redirect_stdout(sys.stderr), open(os.devnull, "w") as nowhere:
            yield stdout or nowhere
        return
    stdout.flush()
    kept = os.dup(number)
    os.dup2(error_number, number)
    try:
        with (
            redirect_stdout(sys.stderr),
            open(
                kept, "w", encoding=stdout.encoding, errors="backslashreplace", closefd=False
            ) as result,
        ):
            yield result
    finally:
        os.dup2(kept, number)
        os.close(kept)
