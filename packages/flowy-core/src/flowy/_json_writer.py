"""Write values as JSON text, with holes where results are.

The text is what `json.dumps` writes with its default separators, in ASCII. What JSON has no form
for is a *tag*, an object with one key that starts with a space; `_json_reader` lists them. The
rules:

1. Only exact types have a form. A value of a subclass would come back as what it is not.
2. A long list or dict that holds nothing but scalars goes to `json` whole, which is twice as fast
   as item by item. A short one does not, because the call takes longer than its items.
3. All is text when the writer returns, so a later change of a list changes nothing.
4. Sets are sorted by their members' texts, because texts are compared and the order of a set
   differs from process to process.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import is_dataclass
from enum import Enum, Flag
from json.encoder import encode_basestring_ascii as _string
from types import NoneType
from typing import Any, TypeAlias

from flowy._classes import (
    MOST_FLAG_BITS,
    can_be_made,
    field_values,
    is_named_tuple,
    missing_fields,
    name_of_class,
)
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


class Members:
    """The members of a set, one at least with holes, to be sorted when these are filled."""

    __slots__ = ("members",)

    #: none made the text, as of a source that has a value and no payload
    codec = None

    def __init__(self, members: list[str | Template]) -> None:
        self.members = members


#: A text with holes: strings, sources, and sets whose order is not known yet.
Template: TypeAlias = "list[str | Source | Members]"


def _integer(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:
        # Python limits the digits of a decimal, because converting it takes quadratic time.
        return f'{{" i": "{value:#x}"}}'


def _float(value: float) -> str:
    text = float.__repr__(value)
    # NaN and the infinities, which JSON does not have, differ from themselves by NaN.
    return text if value - value == 0 else f'{{" f": "{text}"}}'


def _complex(value: complex) -> str:
    return f'{{" c": [{_float(value.real)}, {_float(value.imag)}]}}'


def _bytes(value: bytes) -> str:
    return f'{{" b": "{base64.b64encode(value).decode()}"}}'


#: The types whose values hold no other values; those of `_scalars` are added when one turns up.
_LEAVES: dict[type, Callable[[Any], str]] = {
    int: _integer,
    str: _string,
    float: _float,
    bool: {True: "true", False: "false"}.__getitem__,
    NoneType: {None: "null"}.__getitem__,
    complex: _complex,
    bytes: _bytes,
}

_BUILTIN_LEAVES = len(_LEAVES)

#: Return the function that writes a value which holds no other, by type, or None.
leaf_writer = _LEAVES.get

_are_scalars = frozenset([int, str, float, bool, NoneType]).issuperset
_are_strings = frozenset([str]).issuperset
_encode = json.JSONEncoder(check_circular=False, allow_nan=False).encode
_LONG = 6


def _encode_whole(container: Any, items: Iterable[Any]) -> str | None:
    """Return the text of a container if its items are scalars and need no tag."""
    if _are_scalars(map(type, items)):
        try:
            return _encode(container)
        except ValueError:  # NaN, an infinity, or an integer of too many digits
            return None
    return None


class Writer:
    """Write one payload.

    Parameters
    ----------
    outer
        for the writer of a set's member, the writer of the set: it lends its sources and knows
        which containers are open.
    """

    __slots__ = ("_append", "_done", "_open", "_out", "_sources")

    def __init__(self, outer: Writer | None = None) -> None:
        #: the text since the last hole
        self._out: list[str] = []
        self._append = self._out.append
        #: everything up to the last hole
        self._done: Template = []
        #: by id, because a source need not be hashable
        self._sources: dict[int, Source] = {} if outer is None else outer._sources
        #: the ids of the containers that are being written
        self._open: set[int] = set() if outer is None else outer._open

    def text(self, text: str) -> None:
        """Write text as it is."""
        self._append(text)

    def value(self, value: Any) -> None:
        """Write a value.

        Raises RefusalError for one that has no form, and RecursionError for one that is too deep.
        """
        leaf = leaf_writer(type(value))
        if leaf is not None:
            self._append(leaf(value))
        else:
            _WRITERS.get(type(value), Writer._instance)(self, value)

    def items(self, values: Sequence[Any]) -> None:
        """Write values with commas between them."""
        append = self._append
        index = -1
        try:
            for index, value in enumerate(values):
                if index:
                    append(", ")
                leaf = leaf_writer(type(value))
                if leaf is not None:
                    append(leaf(value))
                else:
                    _WRITERS.get(type(value), Writer._instance)(self, value)
        except (RefusalError, RecursionError) as error:
            raise outwards(error, item_step(index)) from None

    def mapping(self, value: dict[Any, Any]) -> None:
        """Write a dict: as an object, unless that would be no object or a tag."""
        keys: Iterable[Any] = value
        if not _are_strings(map(type, value)):
            # A result had to be finished to be hashed.
            keys = [plain(key) for key in value]
        is_object = keys is value or _are_strings(map(type, keys))
        if is_object and len(value) == 1:
            is_object = not next(iter(keys)).startswith(" ")
        if is_object and keys is value and len(value) >= _LONG:
            text = _encode_whole(value, value.values())
            if text is not None:
                self._append(text)
                return
        self._enter(value)
        if is_object:
            self._object(keys, value.values(), key_step)
        else:
            self._append('{" d": [')
            self._pairs(keys, value.values())
            self._append("]}")
        self._leave(value)

    def finish(self) -> tuple[str | Template, Sequence[Source]]:
        """Return the text or the template, and the sources of its holes."""
        return self._prepared(), tuple(self._sources.values())

    def _prepared(self) -> str | Template:
        text = "".join(self._out)
        return [*self._done, text] if self._done else text

    def _hole(self, piece: Source | Members) -> None:
        self._done += ("".join(self._out), piece)
        self._out.clear()

    def _enter(self, value: Any) -> None:
        if id(value) in self._open:
            raise refuse_loop()
        self._open.add(id(value))

    def _leave(self, value: Any) -> None:
        # A refusal ends the writing for good, so it may leave containers open.
        self._open.remove(id(value))

    def _object(
        self, keys: Iterable[str], values: Iterable[Any], step: Callable[[str], Step]
    ) -> None:
        append = self._append
        start = "{"
        key = ""
        try:
            for key, value in zip(keys, values, strict=True):
                append(f"{start}{_string(key)}: ")
                start = ", "
                leaf = leaf_writer(type(value))
                if leaf is not None:
                    append(leaf(value))
                else:
                    _WRITERS.get(type(value), Writer._instance)(self, value)
        except (RefusalError, RecursionError) as error:
            raise outwards(error, step(key)) from None
        append("}" if start == ", " else "{}")

    def _pairs(self, keys: Iterable[Any], values: Iterable[Any]) -> None:
        index = 0
        key: Any = None
        key_is_written = False
        try:
            for index, (key, value) in enumerate(zip(keys, values, strict=True)):
                self._append(", [" if index else "[")
                self.value(key)
                key_is_written = True
                self._append(", ")
                self.value(value)
                key_is_written = False
                self._append("]")
        except (RefusalError, RecursionError) as error:
            step = key_step(key) if key_is_written else member_step(index)
            raise outwards(error, step) from None

    def _list(self, value: list[Any] | tuple[Any, ...]) -> None:
        if len(value) >= _LONG:
            text = _encode_whole(value, value)
            if text is not None:
                self._append(text)
                return
        self._enter(value)
        self._append("[")
        self.items(value)
        self._append("]")
        self._leave(value)

    def _tuple(self, value: tuple[Any, ...]) -> None:
        self._append('{" t": ')
        self._list(value)
        self._append("}")

    def _set(self, value: set[Any]) -> None:
        self._append('{" s": [')
        self._members(value)
        self._append("]}")

    def _frozenset(self, value: frozenset[Any]) -> None:
        self._append('{" fs": [')
        self._members(value)
        self._append("]}")

    def _members(self, value: set[Any] | frozenset[Any]) -> None:
        members: list[str | Template] = []
        try:
            for member in value:
                writer = Writer(self)
                # A result had to be finished to be hashed.
                writer.value(plain(member))
                members.append(writer._prepared())
        except (RefusalError, RecursionError) as error:
            raise outwards(error, member_step(len(members))) from None
        texts = [member for member in members if isinstance(member, str)]
        if len(texts) == len(members):
            self._append(", ".join(sorted(texts)))
        else:
            self._hole(Members(members))

    def _result(self, proxy: Any) -> None:
        source = source_of(proxy)
        self._sources[id(source)] = source
        self._hole(source)

    def _instance(self, value: Any) -> None:
        kind = type(value)
        if len(_LEAVES) == _BUILTIN_LEAVES:
            from flowy import _scalars

            _LEAVES.update(_scalars.WRITERS)
            self.value(value)
        elif hasattr(kind, "__json__"):
            self._enter(value)
            try:
                self.value(kind.__json__(value))
            except (RefusalError, RecursionError) as error:
                raise outwards(error, ("", ".__json__()")) from None
            self._leave(value)
        elif isinstance(value, Enum):
            self._enum(value)
        elif hasattr(kind, "__next__"):
            raise refuse_iterator(value)
        elif is_dataclass(kind):
            self._dataclass(value)
        elif is_named_tuple(kind) and len(kind._fields) == len(value):
            self._append(f'{{" nt": [{_class(value)}, ')
            self._object(kind._fields, value, field_step)
            self._append("]}")
        elif kind is Restart:
            raise refuse_restart()
        else:
            raise _refuse(value, "which has no form in JSON", "convert it")

    def _enum(self, value: Enum) -> None:
        name, number = value._name_, value._value_
        if type(value).__members__.get(name) is value:
            self._append(f'{{" e": [{_class(value)}, {_string(name)}]}}')
        elif isinstance(value, Flag) and number.bit_length() <= MOST_FLAG_BITS:
            self._append(f'{{" e": [{_class(value)}, {_integer(number)}]}}')
        else:
            raise _refuse(value, "an Enum that it is no member of", "use a member")

    def _dataclass(self, value: Any) -> None:
        kind = type(value)
        name = _class(value)
        if not can_be_made(kind):
            problem = "a dataclass with a base class that has data of its own"
            raise _refuse(value, problem, "convert it")
        fields = field_values(value)
        missing = missing_fields(kind, fields)
        if missing:
            raise _refuse(value, f"whose field {missing[0]!r} has no value", "set it")
        self._enter(value)
        self._append(f'{{" dc": [{name}, ')
        self._object(fields, fields.values(), field_step)
        self._append("]}")
        self._leave(value)


_WRITERS: dict[type, Callable[[Writer, Any], None]] = {
    ResultProxy: Writer._result,
    list: Writer._list,
    dict: Writer.mapping,
    tuple: Writer._tuple,
    set: Writer._set,
    frozenset: Writer._frozenset,
}


def _class(value: Any) -> str:
    try:
        return _string(name_of_class(type(value)))
    except LookupError as error:
        raise _refuse(value, str(error), "move it to the top of an imported module") from None


def _refuse(value: Any, problem: str, remedy: str) -> RefusalError:
    return RefusalError(
        TypeError,
        f"is of type {type_name(value)}, {problem}; {remedy}, "
        'give its class a __json__ method, or use codec="object" on the local engine',
    )
