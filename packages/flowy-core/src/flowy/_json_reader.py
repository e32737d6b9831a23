"""Read values from JSON text that may come from anywhere.

A *tag* is an object with exactly one key that starts with a space. `u` and `b` are those of Flowy
0.4.1.

    {" u": hex}                        UUID
    {" b": base64}                     bytes
    {" f": "nan"}                      a float that is "nan", "inf" or "-inf"
    {" i": "0x..."}                    an int of more digits than Python reads
    {" c": [real, imaginary]}          complex
    {" dec": text}                     Decimal
    {" dt": iso}                       datetime, naive or with a fixed offset
    {" dt": [iso, fold, null]}         datetime with a fold
    {" dt": [iso, fold, key]}          datetime with a ZoneInfo
    {" dt": [iso, fold, microseconds]} datetime with an offset of less than a second
    {" date": iso}                     date
    {" time": iso}                     time, in all forms of datetime
    {" td": [days, seconds, us]}       timedelta
    {" path": text}                    Path of this platform
    {" path": [class, text]}           PurePosixPath or PureWindowsPath
    {" t": [...]}                      tuple
    {" s": [...]}                      set
    {" fs": [...]}                     frozenset
    {" d": [[key, value], ...]}        dict with a key that is no str, or that looks like a tag
    {" e": [class, name]}              Enum member
    {" e": [class, number]}            composite of Flags
    {" dc": [class, {field: value}]}   dataclass
    {" nt": [class, {field: value}]}   named tuple

A class is written `module:qualname`. Reading imports nothing and runs no code that a payload names:
`_classes.find_class` sees to that. It does not check that fields hold what they are annotated with.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum, Flag
from json.scanner import make_scanner
from typing import Any, TypeVar

from flowy._classes import (
    MOST_FLAG_BITS,
    find_class,
    is_named_tuple,
    make_dataclass_instance,
    missing_fields,
)

_T = TypeVar("_T")


class PayloadError(ValueError):
    """A payload does not hold what it should, or names a class that this process does not have."""


def read(text: Any) -> Any:
    """Return the value that a payload holds; raise PayloadError and nothing else."""
    if type(text) is not str:
        raise PayloadError(f"a payload is JSON text, not {type(text).__name__}")
    # A tag's key starts with a space, so without one after a quote there is no tag.
    tagged = '" ' in text or r"\u0020" in text
    try:
        try:
            value, end = _scan_tagged(text, 0) if tagged else _scan_plain(text, 0)
        except (json.JSONDecodeError, StopIteration):
            end = -1
        if end == len(text):
            return value
        # Only decode() takes white space around the value, and says what is wrong with a text.
        return (_tag_decoder if tagged else _plain_decoder).decode(text)
    except PayloadError:
        raise
    except RecursionError:
        raise PayloadError("the payload is nested too deep for the interpreter") from None
    except ValueError as error:
        raise PayloadError(f"the payload is no JSON text that Python reads: {error}") from error


def _read_object(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        for key, content in value.items():
            if key.startswith(" "):
                return _read_tag(key, content)
    return value


def _read_tag(key: str, content: Any) -> Any:
    if key not in _TAGS:
        from flowy import _scalars

        _TAGS.update(_scalars.TAGS)
    if key not in _TAGS:
        raise PayloadError(
            f"the payload has an unknown tag {key[:40]!r}; it was written by a newer version, "
            "or not by Flowy"
        )
    expected, reader = _TAGS[key]
    try:
        return reader(content)
    except PayloadError:
        raise
    # Anything: a payload may hold any values, and hashing them may run a class's own code.
    except Exception as error:
        shown = repr(content[:40]) if type(content) is str else f"a {type(content).__name__}"
        raise PayloadError(
            f"the payload has a malformed tag: {key!r} holds {shown}, expected {expected}"
        ) from error


def exactly(kind: type[_T], value: Any) -> _T:
    """Return the value; raise TypeError unless it is of this very type."""
    if type(value) is not kind:
        raise TypeError(f"a {type(value).__name__} where a {kind.__name__} should be")
    return value


def matching(pattern: str, value: Any) -> str:
    """Return the value; raise TypeError or ValueError unless it is a str that matches."""
    text = exactly(str, value)
    if not re.fullmatch(pattern, text):
        raise ValueError(f"the text does not match {pattern}")
    return text


def _bytes(content: Any) -> bytes:
    return base64.b64decode(exactly(str, content), validate=True)


def _float(content: Any) -> float:
    return float(matching("nan|-?inf", content))


def _int(content: Any) -> int:
    return int(matching("-?0x[0-9a-f]+", content), 16)


def _complex(content: Any) -> complex:
    real, imaginary = exactly(list, content)
    return complex(exactly(float, real), exactly(float, imaginary))


def _tuple(content: Any) -> tuple[Any, ...]:
    return tuple(exactly(list, content))


def _set(content: Any) -> set[Any]:
    return set(exactly(list, content))


def _frozenset(content: Any) -> frozenset[Any]:
    return frozenset(exactly(list, content))


def _dict(content: Any) -> dict[Any, Any]:
    return dict(exactly(list, pair) for pair in exactly(list, content))


def _enum(content: Any) -> Any:
    name, member = exactly(list, content)
    kind = _find_class(name, Enum)
    if type(member) is int and issubclass(kind, Flag) and member.bit_length() <= MOST_FLAG_BITS:
        return kind(member)
    if exactly(str, member) not in kind.__members__:
        raise PayloadError(f"the payload has {name} {member!r}, which is no member of it here")
    return kind.__members__[member]


def _dataclass(content: Any) -> Any:
    name, values = exactly(list, content)
    kind: type = _find_class(name, object)
    # An Enum may be a dataclass as well, but has no instances besides its members.
    if not is_dataclass(kind) or issubclass(kind, Enum):
        raise PayloadError(f"the payload says that {name} is a dataclass, which it is not here")
    missing = missing_fields(kind, exactly(dict, values))
    _check_fields(name, [field.name for field in fields(kind)], missing, values)
    return make_dataclass_instance(kind, values)


def _named_tuple(content: Any) -> Any:
    name, values = exactly(list, content)
    kind: Any = _find_class(name, tuple)
    if not is_named_tuple(kind):
        raise PayloadError(f"the payload says that {name} is a named tuple, which it is not here")
    missing = [field for field in kind._fields if field not in exactly(dict, values)]
    _check_fields(name, kind._fields, missing, values)
    return tuple.__new__(kind, [values[field] for field in kind._fields])


def _find_class(name: Any, base: type) -> Any:
    try:
        kind = find_class(exactly(str, name))
    except LookupError as error:
        raise PayloadError(f"the payload cannot be read: {error.args[0]}") from None
    if not issubclass(kind, base):
        raise PayloadError(f"the payload uses class {name!r} as what it is not here")
    return kind


def _check_fields(
    name: str, known: Sequence[str], missing: Sequence[str], values: dict[Any, Any]
) -> None:
    unknown = [field for field in values if field not in known]
    if missing or unknown:
        raise PayloadError(
            f"the payload and class {name!r} do not fit: "
            f"missing fields {list(missing)}, unknown fields {unknown}; "
            "the payload was written with another version of the class"
        )


#: What each tag holds, for the error message, and what reads it.
_TAGS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    " b": ("base64 text", _bytes),
    " f": ('"nan", "inf" or "-inf"', _float),
    " i": ("a hexadecimal integer", _int),
    " c": ("two floats", _complex),
    " t": ("a list", _tuple),
    " s": ("a list of hashable values", _set),
    " fs": ("a list of hashable values", _frozenset),
    " d": ("a list of pairs with hashable keys", _dict),
    " e": ("a class and the name of a member, or the number of a Flag", _enum),
    " dc": ("a class and an object of its fields", _dataclass),
    " nt": ("a class and an object of its fields", _named_tuple),
}

_plain_decoder = json.JSONDecoder()
_tag_decoder = json.JSONDecoder(object_hook=_read_object)
# What a decoder does its work with. Without the decoder's own method around it, a task that does
# nothing takes 4 % less on threads, because most payloads are short.
_scan_plain = make_scanner(_plain_decoder)  # type: ignore[arg-type]
_scan_tagged = make_scanner(_tag_decoder)  # type: ignore[arg-type]
