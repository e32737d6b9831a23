"""Finding what the command line names: `MODULE:ATTRIBUTE` or `FILE.py:ATTRIBUTE`."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any


class TargetError(Exception):
    """What the command line names is not there."""


def find(target: str) -> tuple[ModuleType, Any]:
    """Import the module, or the file as a module; return it and the attribute.

    The folder of a file, or the current one for a module, is put in front of `sys.path` and stays
    there: worker processes have to find the module by its name too.

    Raises
    ------
    TargetError
        there is no such file, module or attribute.
    Exception
        what importing the module raised.
    """
    where, _, attribute = target.rpartition(":")
    if not (where and attribute):
        raise TargetError(f"{target!r} names no workflow; expected MODULE:NAME or FILE.py:NAME")
    module = _import_file(where) if where.endswith(".py") else _import_module(where)
    thing: Any = module
    for name in attribute.split("."):
        if not hasattr(thing, name):
            raise TargetError(f"{where} has no {attribute!r}{_hint(attribute, vars(module))}")
        thing = getattr(thing, name)
    return module, thing


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


def _hint(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
