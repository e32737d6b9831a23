"""Finding what the command line names: `MODULE:ATTRIBUTE` or `FILE.py:ATTRIBUTE`."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
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
    parts = name.split(".")
    # One after the other, because a module that is not there is another thing than one that
    # imports what is not there.
    for end in range(1, len(parts) + 1):
        if not all(parts) or not _is_there(".".join(parts[:end])):
            file = f"; is it a file? {name}.py:NAME" if os.path.exists(f"{name}.py") else ""
            raise TargetError(
                f"there is no module {name!r}, neither installed nor in {os.getcwd()!r}{file}"
            )
        importlib.import_module(".".join(parts[:end]))
    return sys.modules[name]


def _is_there(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None


def _import_file(path: str) -> ModuleType:
    if not os.path.isfile(path):
        raise TargetError(f"there is no file {path!r}")
    folder, file = os.path.split(os.path.abspath(path))
    name = file.removesuffix(".py")
    if "." in name:
        raise TargetError(f"{file!r} cannot be imported: rename it, with no dot but that of '.py'")
    _search(folder)
    module = importlib.import_module(name)
    if not os.path.samefile(module.__file__ or os.devnull, path):
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
