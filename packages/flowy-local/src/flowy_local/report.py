"""Saying on stderr why `flowy run` failed, without the frames that are Flowy's own."""

from __future__ import annotations

import importlib
import os
import sys
import traceback

import flowy
from flowy.errors import TaskError


def report(what: str, exc: BaseException) -> None:
    """Print what went wrong on stderr, and where: in the task if it was one, else in user code."""
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
    files = (module.__file__ or "" for module in (flowy, importlib))
    folders = [os.path.join(os.path.dirname(file), "") for file in (__file__, *files)]
    return filename.startswith(("<frozen importlib", *folders))
