"""What arguments of commands stand for: values, and modules or files that are imported as such."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from types import ModuleType
from typing import Any


class TargetError(Exception):
    """What the command line names is not there."""


def add_workflow_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a workflow is called with: `ARG ...` and `--kw NAME=VALUE`."""
    parser.add_argument(
        "args", metavar="ARG", nargs="*", default=[], help="an argument of the workflow"
    )
    parser.add_argument(
        "--kw",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=named_value,
        help="a keyword argument of the workflow; may be repeated",
    )


def workflow_arguments(namespace: argparse.Namespace) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments and keyword arguments that a workflow is called with."""
    return [value(text) for text in namespace.args], dict(namespace.kw)


def value(text: str) -> Any:
    """Return what a text stands for: JSON, or else a string."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def named_value(text: str) -> tuple[str, Any]:
    """Return what `NAME=VALUE` stands for."""
    name, equals, given = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value(given)


def positive(text: str) -> int:
    """Return a whole number above 0."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def duration(text: str) -> float:
    """Return a number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, 0 or more")
    return seconds


def load_module(name: str) -> ModuleType:
    """Import a module, or a file that ends in `.py` as a module.

    The folder of a file, or the current one for a module, is put in front of `sys.path` and stays
    there: worker processes have to find the module by its name too.

    Raises
    ------
    TargetError
        there is no such file or module.
    Exception
        what importing the module raised.
    """
    return _import_file(name) if name.endswith(".py") else _import_module(name)


def _import_module(name: str) -> ModuleType:
    _search(os.getcwd())
    if not all(part.isidentifier() for part in name.split(".")):
        raise TargetError(f"{name!r} is neither a module nor a file that ends in .py")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        # A module that is there may import one that is not.
        if exc.name is None or not f"{name}.".startswith(f"{exc.name}."):
            raise
    raise TargetError(f"there is no module {name!r}, neither here nor among what is installed")


def _import_file(path: str) -> ModuleType:
    if not os.path.isfile(path):
        raise TargetError(f"there is no file {path!r}")
    folder, file = os.path.split(os.path.abspath(path))
    name = file.removesuffix(".py")
    if "." in name:
        raise TargetError(f"{file!r} cannot be imported: rename it, with no dot but that of '.py'")
    _search(folder)
    module = importlib.import_module(name)
    if not os.path.samefile(getattr(module, "__file__", None) or os.devnull, path):
        raise TargetError(
            f"{path!r} cannot be imported: there is another module {name!r}; rename the file"
        )
    return module


def _search(folder: str) -> None:
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)


def _no_constant(text: str) -> Any:
    # `NaN` and the like are no JSON, though Python reads them.
    raise ValueError(text)
