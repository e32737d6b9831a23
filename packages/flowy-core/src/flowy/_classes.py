"""Dataclasses, Enums and named tuples: name their classes, find them again, make their instances.

A class is named `module:qualname`. It is found among the modules that are imported already, and
through nothing but modules and classes: finding one imports nothing and runs no code.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Collection, Mapping
from types import ModuleType
from typing import Any

#: Python 3.10 takes quadratic time to make a composite of Flags, and a payload may ask for any.
MOST_FLAG_BITS = 4096


def find_class(name: str) -> type:
    """Return the class that `name` names; raise LookupError, saying what is missing."""
    module_name, _, qualname = name.partition(":")
    module = sys.modules.get(module_name)
    if not isinstance(module, ModuleType):
        raise LookupError(
            f"class {name!r} is needed, but module {module_name!r} is not imported; "
            "import it in the worker"
        )
    found: Any = module
    for part in qualname.split("."):
        found = vars(found).get(part)
        # Not isinstance(found, type), which asks `found` itself for its class.
        if not issubclass(type(found), type):
            raise LookupError(
                f"class {name!r} is needed, but module {module_name!r} has no class {qualname!r}; "
                "it was renamed or moved, or the worker runs another version of the code"
            )
    kind: type = found
    return kind


def name_of_class(kind: type) -> str:
    """Return the name by which `find_class` finds `kind`; raise LookupError if it would not."""
    name = f"{kind.__module__}:{kind.__qualname__}"
    if "<locals>" in name:
        raise LookupError("a class made inside a function, which no worker can find")
    try:
        found = find_class(name)
    except LookupError:
        found = None
    if found is not kind:
        raise LookupError(f"a class that cannot be found as {name!r}")
    return name


def is_named_tuple(kind: type) -> bool:
    """Tell whether `kind` is the class of a named tuple."""
    return issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple)


def field_values(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass instance that are set."""
    names = [field.name for field in dataclasses.fields(value)]
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def missing_fields(kind: type, names: Collection[str]) -> list[str]:
    """Return the fields of a dataclass that every instance has and that are not among `names`.

    A field with `init=False` may be left unset.
    """
    fields = dataclasses.fields(kind)
    return [field.name for field in fields if field.init and field.name not in names]


def can_be_made(kind: type) -> bool:
    """Tell whether `make_dataclass_instance` can make instances of this dataclass.

    It cannot if they hold data besides attributes, such as those of a subclass of `dict`.
    """
    try:
        make_dataclass_instance(kind, {})
    except TypeError:
        return False
    return True


def make_dataclass_instance(kind: type, attributes: Mapping[str, Any]) -> Any:
    """Return an instance with these attributes, as unpickling makes it.

    It runs neither `__init__` nor `__post_init__`, and no `__setattr__` of the class.
    """
    instance: Any = object.__new__(kind)
    for name, value in attributes.items():
        object.__setattr__(instance, name, value)
    return instance
