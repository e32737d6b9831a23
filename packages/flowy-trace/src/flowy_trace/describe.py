"""Texts for people of what the engine carries: payloads, errors, names.

All texts are printable: what a terminal or a page would act on, such as escapes and marks that
turn the direction of writing, is written as Python writes it in a string, and so are halves of
surrogate pairs, which no file could hold.
"""

from __future__ import annotations

import base64
import json
import reprlib
import traceback
from collections.abc import Callable
from typing import Any

from flowy.errors import TaskError
from flowy_trace.model import Error

#: how many characters of an argument list or a result a trace keeps
LIMIT = 95

#: how many characters of a message or a traceback it keeps
LONG_LIMIT = 4000


class Text(str):
    """A text in its final form, where there might be a payload."""

    __slots__ = ()


class ObjectText(Text):
    """The same for a value that was carried as an object, and not as JSON text."""

    __slots__ = ()


#: from what length on an object's own `repr` is cut
_OBJECTS = reprlib.Repr()
_OBJECTS.maxstring = _OBJECTS.maxother = _OBJECTS.maxlong = LIMIT // 2
_OBJECTS.maxlist = _OBJECTS.maxtuple = _OBJECTS.maxset = _OBJECTS.maxfrozenset = 10


def printable(text: str, keep: str = "") -> str:
    """Return the text with each character that cannot be printed as an escape.

    Parameters
    ----------
    text
        what to write.
    keep
        characters that stay as they are, such as line ends.
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char in keep
        else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in text
    )


def shorten(text: str, limit: int = LIMIT) -> str:
    """Return the text, or its beginning and how long it was."""
    if len(text) <= limit:
        return text
    # In ASCII, for one other character would double what the text takes.
    return f"{text[:limit]}... ({len(text):,} characters)"


def shorten_bytes(text: str, limit: int, from_end: bool = False) -> str:
    """Return the text, or as much of its beginning, or end, as takes so many bytes in UTF-8."""
    if len(text) <= limit // 4:
        return text
    encoded = text.encode("utf-8")
    if len(encoded) <= limit:
        return text
    if from_end:
        return "…" + encoded[-limit:].decode("utf-8", "ignore")
    return encoded[:limit].decode("utf-8", "ignore") + "…"


def tail(text: str, limit: int = LONG_LIMIT) -> str:
    """Return the text, or its end, which is where a traceback says what went wrong."""
    if len(text) <= limit:
        return text
    return f"({len(text) - limit:,} characters)…\n{text[-limit:]}"


def arguments(payload: Any) -> str:
    """Return the arguments of a call as they stand between the parentheses of one."""
    if isinstance(payload, str):
        if len(payload) <= LIMIT:
            value = _parse(payload)
            if (
                isinstance(value, list)
                and len(value) == 2
                and isinstance(value[0], list)
                and isinstance(value[1], dict)
            ):
                return _call(value[0], value[1])
        cut = payload.removeprefix("[[")
        return printable(shorten(cut))
    if isinstance(payload, tuple) and len(payload) == 2 and isinstance(payload[1], dict):
        texts = [of_object(each) for each in payload[0]]
        texts += [f"{name}={of_object(each)}" for name, each in payload[1].items()]
        return shorten(", ".join(texts))
    return "" if payload is None else of_object(payload)


def result(payload: Any) -> str:
    """Return the value of a payload of JSON text as Python would write it."""
    if not isinstance(payload, str):
        return of_object(payload)
    if len(payload) > LIMIT:
        return printable(shorten(payload))
    value = _parse(payload)
    return printable(payload) if value is _UNREADABLE else _show(value)


def of_object(value: Any) -> str:
    """Return a short `repr`, also of an object that has a broken one."""
    try:
        text = _OBJECTS.repr(value)
    except Exception as exc:
        text = f"<{type(value).__name__}, whose __repr__ raised {type(exc).__name__}>"
    return printable(shorten(text))


def error(error_type: str, message: str, trace_text: str = "") -> Error:
    """Return an error with its texts shortened."""
    return Error(
        printable(shorten(error_type)),
        printable(shorten(message, LONG_LIMIT), keep="\n\t"),
        printable(tail(trace_text), keep="\n\t"),
    )


def exception(exc: BaseException) -> Error:
    """Return the error that an exception is, also of one whose class has a broken `__str__`."""
    if isinstance(exc, TaskError) and exc.error_type and not exc.call:
        # It stands for an error of another process, or of long ago.
        return error(exc.error_type, exc.message, exc.traceback)
    try:
        message = exc.summary() if isinstance(exc, TaskError) else str(exc)
    except Exception as broken:
        message = f"(no message: its __str__ raised {type(broken).__name__})"
    lines = traceback.format_exception(type(exc), exc, exc.__traceback__)
    return error(type(exc).__name__, message, "".join(lines))


_UNREADABLE = object()


def _parse(payload: str) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _call(args: list[Any], kwargs: dict[str, Any]) -> str:
    texts = [_show(arg) for arg in args]
    texts += [f"{printable(name)}={_show(value)}" for name, value in kwargs.items()]
    return ", ".join(texts)


def _show(value: Any) -> str:
    if isinstance(value, list):
        return f"[{_items(value)}]"
    if isinstance(value, dict):
        if len(value) == 1:
            (key, tagged) = next(iter(value.items()))
            if key in _TAGS:
                try:
                    return _TAGS[key](tagged)
                except (TypeError, ValueError, LookupError, AttributeError):
                    pass  # It only looks like a tag, so it is shown as what it is.
        pairs = (f"{key!r}: {_show(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    return printable(repr(value))


def _items(values: list[Any]) -> str:
    return ", ".join(_show(each) for each in values)


def _tuple(values: list[Any]) -> str:
    return f"({_items(values)},)" if len(values) == 1 else f"({_items(values)})"


def _set(values: list[Any]) -> str:
    return f"{{{_items(values)}}}" if values else "set()"


def _frozenset(values: list[Any]) -> str:
    return f"frozenset({_set(values) if values else ''})"


def _pairs(pairs: list[Any]) -> str:
    return f"{{{', '.join(f'{_show(key)}: {_show(value)}' for key, value in pairs)}}}"


def _fields(value: list[Any]) -> str:
    name, fields = value
    shown = ", ".join(f"{printable(key)}={_show(each)}" for key, each in fields.items())
    return f"{_class(name)}({shown})"


def _member(value: list[Any]) -> str:
    name, member = value
    if isinstance(member, str):
        return f"{_class(name)}.{printable(member)}"
    return f"{_class(name)}({_show(member)})"


def _class(name: str) -> str:
    return printable(name.rpartition(":")[2])


def _complex(parts: list[Any]) -> str:
    real, imaginary = parts
    return f"complex({_show(real)}, {_show(imaginary)})"


def _made(name: str) -> Callable[[Any], str]:
    def show(value: Any) -> str:
        if name in _LAST_OF and isinstance(value, list):
            value = value[_LAST_OF[name]]
        return f"{name}({_items(value) if isinstance(value, list) else _show(value)})"

    return show


#: which item of a tag's list is what to show
_LAST_OF = {"datetime": 0, "time": 0, "Path": -1}

#: what stands behind each tag, see `flowy._json_reader`
_TAGS: dict[str, Callable[[Any], str]] = {
    " u": _made("UUID"),
    " b": lambda value: printable(repr(base64.b64decode(value))),
    " f": lambda value: printable(str(value)),
    " i": lambda value: printable(str(value)),
    " c": _complex,
    " dec": _made("Decimal"),
    " dt": _made("datetime"),
    " date": _made("date"),
    " time": _made("time"),
    " td": _made("timedelta"),
    " path": _made("Path"),
    " t": _tuple,
    " s": _set,
    " fs": _frozenset,
    " d": _pairs,
    " e": _member,
    " dc": _fields,
    " nt": _fields,
}
