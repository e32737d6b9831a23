"""Failures on their way through the service: a reason for people, and all of it as details."""

from __future__ import annotations

import json
import os
import traceback
from types import TracebackType
from typing import NamedTuple

import flowy
from flowy.errors import TaskError
from flowy_swf.payloads import LIMIT

#: how many characters a reason may have
REASON_LIMIT = 256
_CUT = "..."
#: where Flowy's own code lies
_OWN = tuple(
    f"{os.path.dirname(os.path.abspath(file))}{os.sep}" for file in (flowy.__file__, __file__)
)


class Failure(NamedTuple):
    """Why a task or a workflow failed."""

    error_type: str
    message: str
    #: the traceback's text, where there is one
    traceback: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Return the failure that an exception is."""
        try:
            message = error.summary() if isinstance(error, TaskError) else str(error)
            inner = _of_user(error.__traceback__)
            text = "".join(traceback.format_exception(type(error), error, inner))
        except Exception as broken:
            message = f"(no message: printing it raised {type(broken).__name__})"
            text = "".join(traceback.format_tb(error.__traceback__))
        return cls(shortened(type(error).__name__, REASON_LIMIT), message, text)

    @classmethod
    def read(cls, reason: str | None, details: str | None) -> Failure:
        """Return the failure that a reason and details tell of, whoever wrote them."""
        found = _read_details(details)
        return cls("", reason or "", details or "") if found is None else found

    @property
    def reason(self) -> str:
        """The failure in a line that the service takes."""
        text = f"{self.error_type}: {self.message}" if self.error_type else self.message
        return fitted(text, REASON_LIMIT)

    @property
    def details(self) -> str:
        """The failure as JSON that the service takes; of a long traceback the end is kept."""
        excess = len(self._json()) - LIMIT
        if excess <= 0:
            return self._json()
        # What is cut away may take less room in JSON than in the text, never more.
        kept = max(0, len(self.traceback) - excess - len(_CUT))
        trimmed = self._replace(traceback=_CUT + self.traceback[-kept:] if kept else "")
        while len(trimmed._json()) > LIMIT:
            half = len(trimmed.message) // 2
            trimmed = trimmed._replace(traceback="", message=trimmed.message[:half] + _CUT)
        return trimmed._json()

    def _json(self) -> str:
        members = {"type": self.error_type, "message": self.message, "traceback": self.traceback}
        # In ASCII, which is as long however the service counts, and has a form for any text.
        return json.dumps(members)


def _of_user(frames: TracebackType | None) -> TracebackType | None:
    """Return the traceback without Flowy's own frames at its begin, unless it has no others."""
    inner = frames
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(_OWN):
        inner = inner.tb_next
    return inner or frames


def _read_details(details: str | None) -> Failure | None:
    try:
        found = json.loads(details or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    if isinstance(found.get("errorMessage"), str):
        # A Lambda function's.
        return Failure(str(found.get("errorType", "")), found["errorMessage"], details or "")
    members = (found.get("type"), found.get("message"), found.get("traceback"))
    if not all(isinstance(member, str) for member in members):
        return None
    return Failure(*members)  # type: ignore[arg-type]


def fitted(text: str, limit: int) -> str:
    """Return the text as the service takes it, cut if it is longer than `limit` in UTF-8.

    Whether the service counts bytes, characters or halves of surrogate pairs it does not say. A
    half of a pair has no form on the wire, and becomes a question mark.
    """
    data = text.encode("utf-8", "replace")
    if len(data) > limit:
        data = data[: limit - len(_CUT)]
        return data.decode("utf-8", "ignore") + _CUT
    return data.decode()


def shortened(text: str, limit: int) -> str:
    """Return the text, cut to `limit` characters if it is longer."""
    return text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT
