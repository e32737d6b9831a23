"""The scalars of the standard library that JSON has no form for: write and read them.

Few payloads hold them, and the modules that they come from take a while to import. So this module
is imported when the first value, or the first tag, of their kind turns up.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import uuid
from collections.abc import Callable
from decimal import Decimal
from json.encoder import encode_basestring_ascii as _string
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flowy._json_reader import PayloadError, exactly, matching

_M = TypeVar("_M", dt.datetime, dt.time)


def _write_uuid(value: uuid.UUID) -> str:
    return f'{{" u": "{value.hex}"}}'


def _write_decimal(value: Decimal) -> str:
    return f'{{" dec": "{value}"}}'


def _write_path(value: pathlib.PurePath) -> str:
    text = _string(value.as_posix())
    if isinstance(value, pathlib.Path):
        return f'{{" path": {text}}}'
    return f'{{" path": ["{type(value).__name__}", {text}]}}'


def _write_date(value: dt.date) -> str:
    return f'{{" date": "{value.isoformat()}"}}'


def _write_timedelta(value: dt.timedelta) -> str:
    return f'{{" td": [{value.days}, {value.seconds}, {value.microseconds}]}}'


def _write_datetime(value: dt.datetime) -> str:
    return f'{{" dt": {_write_moment(value)}}}'


def _write_time(value: dt.time) -> str:
    return f'{{" time": {_write_moment(value)}}}'


_SECOND = dt.timedelta(seconds=1)
_MICROSECOND = dt.timedelta(microseconds=1)


def _write_moment(value: dt.datetime | dt.time) -> str:
    zone = value.tzinfo.key if type(value.tzinfo) is ZoneInfo else None
    if zone is not None:
        return f'["{value.replace(tzinfo=None).isoformat()}", {value.fold}, {_string(zone)}]'
    offset = value.utcoffset()
    if offset and abs(offset) < _SECOND:
        # Python writes such an offset, and reads it as none.
        number = offset // _MICROSECOND
        return f'["{value.replace(tzinfo=None).isoformat()}", {value.fold}, {number}]'
    if value.fold:
        return f'["{value.isoformat()}", 1, null]'
    return f'"{value.isoformat()}"'


#: What writes the values of each type.
WRITERS: dict[type, Callable[[Any], str]] = {
    uuid.UUID: _write_uuid,
    Decimal: _write_decimal,
    pathlib.PosixPath: _write_path,
    pathlib.WindowsPath: _write_path,
    pathlib.PurePosixPath: _write_path,
    pathlib.PureWindowsPath: _write_path,
    dt.date: _write_date,
    dt.datetime: _write_datetime,
    dt.time: _write_time,
    dt.timedelta: _write_timedelta,
}


def _read_uuid(content: Any) -> uuid.UUID:
    return uuid.UUID(hex=matching("[0-9a-fA-F]{32}", content))


def _read_decimal(content: Any) -> Decimal:
    return Decimal(exactly(str, content))


def _read_datetime(content: Any) -> dt.datetime:
    return _read_moment(dt.datetime, content)


def _read_time(content: Any) -> dt.time:
    return _read_moment(dt.time, content)


def _read_moment(kind: type[_M], content: Any) -> _M:
    if type(content) is str:
        return kind.fromisoformat(content)
    text, fold, zone = exactly(list, content)
    moment = kind.fromisoformat(text).replace(fold=exactly(int, fold))
    if zone is None:
        return moment
    if type(zone) is int:
        return moment.replace(tzinfo=dt.timezone(dt.timedelta(microseconds=zone)))
    return moment.replace(tzinfo=_zone(exactly(str, zone)))


def _zone(key: str) -> ZoneInfo:
    try:
        return ZoneInfo(key)
    except Exception as error:  # besides ZoneInfoNotFoundError, what opening a file can raise
        raise PayloadError(
            f"the payload needs the time zone {key[:40]!r}, which is not known here; "
            "if it is a real one, install tzdata in the worker"
        ) from error


def _read_date(content: Any) -> dt.date:
    return dt.date.fromisoformat(content)


def _read_timedelta(content: Any) -> dt.timedelta:
    days, seconds, microseconds = exactly(list, content)
    return dt.timedelta(exactly(int, days), exactly(int, seconds), exactly(int, microseconds))


def _read_path(content: Any) -> pathlib.PurePath:
    if type(content) is str:
        return pathlib.Path(content)
    name, text = exactly(list, content)
    return _PURE_PATHS[name](exactly(str, text))


_PURE_PATHS = {
    "PurePosixPath": pathlib.PurePosixPath,
    "PureWindowsPath": pathlib.PureWindowsPath,
}


#: What each tag holds, for the error message, and what reads it.
TAGS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    " u": ("32 hexadecimal digits", _read_uuid),
    " dec": ("a decimal number", _read_decimal),
    " dt": ("an ISO date and time, or it, the fold and the zone", _read_datetime),
    " date": ("an ISO date", _read_date),
    " time": ("an ISO time, or it, the fold and the zone", _read_time),
    " td": ("days, seconds and microseconds", _read_timedelta),
    " path": ("a path, or a class of pure paths and a path", _read_path),
}
