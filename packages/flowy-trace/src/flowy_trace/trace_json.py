"""The trace as JSON text and back.

The text says what it is and of which version. A field that has its default is left out. A reader
takes no notice of fields that it does not know; a change that it must not overlook takes a new
version.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from flowy_trace.model import OUTCOMES, Attempt, Call, Error, Execution, Trace

FORMAT = "flowy-trace"
VERSION = 1

_T = TypeVar("_T")


def to_json(trace: Trace) -> str:
    """Return the trace as JSON text, in ASCII."""
    return json.dumps({"format": FORMAT, "version": VERSION, **_dump(trace)}, indent=1) + "\n"


def from_json(text: str) -> Trace:
    """Return the trace that the text holds.

    Raises
    ------
    ValueError
        it holds none, or one of a version that is not known here.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"this is no trace: it is no JSON text ({exc})") from None
    return from_value(value)


def from_value(value: Any) -> Trace:
    """Return the trace that a value read from JSON text is; raise ValueError if it is none."""
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ValueError(f'this is no trace: a trace is a JSON object with "format": "{FORMAT}"')
    version = value.get("version")
    if version != VERSION:
        raise ValueError(
            f"this trace is of version {version!r}, and only version {VERSION} is known here: "
            "read it with the version of flowy-trace that wrote it, or a newer one"
        )
    try:
        return _trace(value)
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"this trace is damaged: {type(exc).__name__}: {exc}") from None


def _dump(thing: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(thing):
        value = getattr(thing, field.name)
        if field.default is not MISSING and value == field.default:
            continue
        if isinstance(value, tuple):
            value = [each if isinstance(each, str) else _dump(each) for each in value]
        elif isinstance(value, Error):
            value = _dump(value)
        found[field.name] = value
    return found


def _trace(value: dict[str, Any]) -> Trace:
    return _make(Trace, value, executions=_all(_execution, value, "executions"))


def _execution(value: dict[str, Any]) -> Execution:
    return _make(Execution, value, calls=_all(_call, value, "calls"), error=_error(value))


def _call(value: dict[str, Any]) -> Call:
    attempts = _all(_attempt, value, "attempts") or (Attempt(),)
    return _make(Call, value, sources=tuple(value.get("sources", ())), attempts=attempts)


def _attempt(value: dict[str, Any]) -> Attempt:
    return _make(Attempt, value, error=_error(value))


def _error(value: dict[str, Any]) -> Error | None:
    error = value.get("error")
    return None if error is None else _make(Error, error)


def _all(make: Callable[[Any], _T], value: dict[str, Any], name: str) -> tuple[_T, ...]:
    items: Iterable[Any] = value.get(name, ())
    return tuple(make(item) for item in items)


#: what a field of a type may hold, by the annotation's text
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "float": (float, int),
    "float | None": (float, int, type(None)),
}


def _make(cls: Callable[..., _T], value: dict[str, Any], **made: Any) -> _T:
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    for name, field in known.items():
        if name in made or name not in value:
            continue
        item = value[name]
        allowed = _TYPES.get(str(field.type))
        if allowed is not None and (not isinstance(item, allowed) or isinstance(item, bool)):
            raise TypeError(f"{name!r} is {item!r}, expected {field.type}")
        if str(field.type) == "Outcome" and item not in OUTCOMES:
            raise TypeError(f"{name!r} is {item!r}, expected one of {', '.join(OUTCOMES)}")
        made[name] = item
    return cls(**made)
