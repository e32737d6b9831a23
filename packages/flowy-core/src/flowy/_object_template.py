"""Find the results inside Python objects, and put their values in their places.

A container that leads to a result is taken apart when it is met and built again, as its own type,
when the values are there. Everything else is passed on as it is, unseen: results inside an object
that is no container which `Codec` lists stay where they are.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from enum import Enum
from functools import partial
from types import NoneType
from typing import Any, NamedTuple

from flowy._classes import can_be_made, field_values, is_named_tuple, make_dataclass_instance
from flowy._codec import Source, plain, source_of
from flowy._refusal import (
    RefusalError,
    Step,
    field_step,
    item_step,
    key_step,
    member_step,
    outwards,
    refuse_iterator,
    refuse_loop,
    refuse_restart,
    type_name,
)
from flowy.operations import Restart
from flowy.result import ResultProxy

_LEAVES = frozenset([int, str, float, bool, NoneType, complex, bytes])

#: Tell whether all types are of values that hold no other values.
are_leaves = _LEAVES.issuperset


class Hole:
    """The place of a source's value."""

    __slots__ = ("source",)

    def __init__(self, source: Source) -> None:
        self.source = source


class Parts:
    """A container in parts, some of which are holes or have holes."""

    __slots__ = ("build", "parts")

    def __init__(self, build: Callable[[list[Any]], Any], parts: list[Any]) -> None:
        self.build = build
        self.parts = parts


class Template:
    """An input or a value with holes.

    Parameters
    ----------
    root
        the whole, a `Hole` or one of `parts`.
    parts
        all containers in parts, each after those inside it.
    """

    __slots__ = ("parts", "root")

    def __init__(self, root: Any, parts: list[Parts]) -> None:
        self.root = root
        self.parts = parts

    def fill(self, codec: object) -> Any:
        """Return the whole with the values of the sources, which all have finished well."""
        built: dict[Parts, Any] = {}

        def value_of(part: Any) -> Any:
            if type(part) is Parts:
                return built[part]
            if type(part) is Hole:
                source = part.source
                return source.payload if source.codec is codec else source.value()
            return part

        for parts in self.parts:
            built[parts] = parts.build([value_of(part) for part in parts.parts])
        return value_of(self.root)


class Walk:
    """A walk over values to find the results in them."""

    def __init__(self) -> None:
        #: by id, because a source need not be hashable
        self.sources: dict[int, Source] = {}
        #: the containers in parts, each after those inside it
        self.parts: list[Parts] = []
        #: the ids of the containers that the walk is in
        self._open: set[int] = set()

    def part(self, value: Any) -> Any:
        """Return `value` itself if it leads to no result, else a `Hole` or `Parts` for it.

        Raises RefusalError for an iterator and for a structure that contains itself, and
        RecursionError for one that is too deep.
        """
        kind = type(value)
        if kind in _LEAVES:
            return value
        if kind is ResultProxy:
            source = source_of(value)
            self.sources[id(source)] = source
            return Hole(source)
        taken = _TAKEN_APART.get(kind, _take_instance_apart)(value)
        if are_leaves(map(type, taken.items)):
            return value
        if id(value) in self._open:
            raise refuse_loop()
        self._open.add(id(value))
        parts = self._parts(taken)
        self._open.remove(id(value))
        if all(map(operator.is_, parts, taken.items)):
            return value
        if taken.build is None:
            raise RefusalError(
                TypeError,
                f"is of type {type_name(value)} and holds results, and their values cannot be put "
                "into such an object; pass a list, dict, set, tuple or dataclass, or the values",
            )
        whole = Parts(taken.build, parts)
        self.parts.append(whole)
        return whole

    def _parts(self, taken: _Taken) -> list[Any]:
        parts: list[Any] = []
        try:
            for index, item in enumerate(taken.items):
                # A result had to be finished to be hashed.
                parts.append(self.part(plain(item) if index < taken.hashed else item))
        except (RefusalError, RecursionError) as error:
            raise outwards(error, taken.step(len(parts))) from None
        return parts


class _Taken(NamedTuple):
    """A container that is taken apart."""

    #: what is in it
    items: Sequence[Any]
    #: what makes a container of other items; None if nothing does
    build: Callable[[list[Any]], Any] | None
    #: gives the step to an item, by its number
    step: Callable[[int], Step]
    #: how many items, the first ones, are keys of a dict or members of a set
    hashed: int = 0


def _take_sequence_apart(value: list[Any] | tuple[Any, ...]) -> _Taken:
    return _Taken(value, type(value), item_step)


def _take_set_apart(value: set[Any] | frozenset[Any]) -> _Taken:
    members = list(value)
    return _Taken(members, type(value), member_step, len(members))


def _take_dict_apart(value: dict[Any, Any]) -> _Taken:
    keys = list(value)

    def step(index: int) -> Step:
        return member_step(index) if index < len(keys) else key_step(keys[index - len(keys)])

    return _Taken([*keys, *value.values()], _build_dict, step, len(keys))


def _build_dict(items: list[Any]) -> dict[Any, Any]:
    half = len(items) // 2
    return dict(zip(items[:half], items[half:], strict=True))


_TAKEN_APART: dict[type, Callable[[Any], _Taken]] = {
    list: _take_sequence_apart,
    tuple: _take_sequence_apart,
    set: _take_set_apart,
    frozenset: _take_set_apart,
    dict: _take_dict_apart,
}


def _take_instance_apart(value: Any) -> _Taken:
    kind = type(value)
    if isinstance(value, Enum):
        return _NOTHING
    if hasattr(kind, "__next__"):
        raise refuse_iterator(value)
    if is_dataclass(kind):
        return _take_dataclass_apart(value)
    if is_named_tuple(kind):
        build = partial(tuple.__new__, kind)
        return _Taken(value, build, lambda index: field_step(kind._fields[index]))
    # An instance of a subclass is seen through so that a result in it does not go unnoticed.
    for base, take_apart in _TAKEN_APART.items():
        if issubclass(kind, base):
            return take_apart(value)._replace(build=None)
    if kind is Restart:
        raise refuse_restart()
    return _NOTHING


_NOTHING = _Taken((), None, item_step)


def _take_dataclass_apart(value: Any) -> _Taken:
    kind = type(value)
    fields = field_values(value)
    names = list(fields)
    attributes = dict(getattr(value, "__dict__", ()))

    def build(values: list[Any]) -> Any:
        return make_dataclass_instance(kind, attributes | dict(zip(names, values, strict=True)))

    return _Taken(
        list(fields.values()),
        build if can_be_made(kind) else None,
        lambda index: field_step(names[index]),
    )
