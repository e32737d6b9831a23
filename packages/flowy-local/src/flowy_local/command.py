"""`flowy run`: run a workflow of a module or a file. Importing this does not import the engine."""

from __future__ import annotations

import argparse
import copy
import functools
import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any, TextIO

from flowy.cli import CommandParser
from flowy.errors import DependencyError, TaskError
from flowy_local.targets import TargetError, find

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
    parser.add_argument("args", metavar="ARG", nargs="*", help="an argument of the workflow")
    parser.add_argument(
        "--kw",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_named_value,
        help="a keyword argument of the workflow; may be repeated",
    )
    parser.add_argument(
        "--executor", choices=("threads", "processes"), help="what runs the activities"
    )
    parser.add_argument(
        "--activity-workers", metavar="N", type=_positive, help="how many activities run at once"
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
            _report(f"{namespace.workflow} cannot be imported", exc)
            return 1
        workflow, options, progress = _configure(parser, namespace, workflow, terminal)
        args = [_value(text) for text in namespace.args]
        kwargs = dict(namespace.kw)
        try:
            with progress or nullcontext():
                result = workflow.run(*args, **kwargs, **options)
            text = _json(result) if namespace.json else repr(result)
        except (Exception, SystemExit) as exc:
            _report(f"{namespace.workflow} failed", exc)
            return 1
        print(text, file=stdout, flush=True)
        _wait_for_the_rest()
    return 0


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


def _changed(workflow: LocalWorkflow, changes: dict[str, Any]) -> LocalWorkflow:
    workflow = copy.copy(workflow)
    for name, value in changes.items():
        setattr(workflow, name, value)
    return workflow


def _wait_for_the_rest() -> None:
    """Wait for activities that go on although nobody needs their results; they may print."""
    from flowy_local.exits import wait

    sys.stderr.flush()
    wait()


def _named_value(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, _value(value)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text


def _no_constant(text: str) -> Any:
    # `NaN` and the like are no JSON, though Python reads them.
    raise ValueError(text)


def _json(value: Any) -> str:
    from flowy.serialization import codec

    def tagged(part: Any) -> Any:
        return json.loads(codec("json").dump_value(part))

    try:
        return json.dumps(value, default=tagged, allow_nan=False)
    except (TypeError, ValueError):
        # It has a part that only the whole can be tagged for, such as a key that is no string.
        text: str = codec("json").dump_value(value)
        return text


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


@contextmanager
def _kept_stdout() -> Iterator[TextIO | None]:
    """Send all that is printed to stderr, by other processes too; yield what was stdout."""
    stdout = sys.stdout
    try:
        number, error_number = stdout.fileno(), sys.stderr.fileno()
    except (AttributeError, OSError):
        # One of them is closed, or is no file and this process is its only user.
        with redirect_stdout(sys.stderr):
            yield stdout
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


def _report(what: str, exc: BaseException) -> None:
    """Print what went wrong: for a task, where it did in the task; else where in the user's code."""
    if isinstance(exc, TaskError):
        print(f"flowy run: error: {what}: {exc.summary()}", file=sys.stderr)
        if exc.traceback:
            print(f"\nwhere the task ran:\n{exc.traceback.rstrip()}", file=sys.stderr)
        return
    *_, last = traceback.format_exception_only(type(exc), exc)
    print(f"flowy run: error: {what}: {last.rstrip()}", file=sys.stderr)
    shown = traceback.TracebackException.from_exception(exc)
    _leave_out_our_frames(shown)
    if shown.stack or isinstance(exc, SyntaxError):
        print("".join(shown.format()).rstrip(), file=sys.stderr)


def _leave_out_our_frames(shown: traceback.TracebackException) -> None:
    for each in (shown.__cause__, shown.__context__):
        if each is not None:
            _leave_out_our_frames(each)
    shown.stack = traceback.StackSummary.from_list(
        [frame for frame in shown.stack if not _is_ours(frame.filename)]
    )


def _is_ours(filename: str) -> bool:
    import importlib

    import flowy

    folders = (os.path.dirname(module.__file__ or "") for module in (flowy, importlib))
    here = os.path.dirname(__file__)
    return filename.startswith(("<frozen importlib", here, *folders))
