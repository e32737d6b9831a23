"""Finding what the command line names: `MODULE:ATTRIBUTE` or `FILE.py:ATTRIBUTE`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from flowy.arguments import TargetError, load_module


def find(target: str) -> tuple[ModuleType, Any]:
    """Import the module, or the file as a module; return it and the attribute.

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
    module = load_module(where)
    thing: Any = module
    for name in attribute.split("."):
        if not hasattr(thing, name):
            raise TargetError(f"{where} has no {attribute!r}{_hint(attribute, vars(module))}")
        thing = getattr(thing, name)
    return module, thing


def _hint(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
