"""Page tokens: opaque to callers, good for a day of the service's time."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from flowy_swf.emulator import faults
from flowy_swf.emulator.model import Json

#: What a page of events holds at most, whatever is asked for. The service's documentation says
#: 1,000; recordings say 100.
EVENTS = 100
_ITEMS = 1000
_LIFETIME = 24 * 3600 * 1000


def write_token(issued: int, place: Any) -> str:
    """Make a token that remembers a place, given out at that time."""
    text = json.dumps([issued, place], ensure_ascii=False)
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def read_token(token: str, now: int) -> Any:
    """Give the place a token remembers."""
    try:
        text = base64.b64decode(token, validate=True).decode("utf-8", "surrogatepass")
        issued, place = json.loads(text)
        age = now - issued
    except (ValueError, TypeError):
        raise faults.invalid("Invalid token") from None
    if age > _LIFETIME:
        raise faults.invalid("Specified token has exceeded its maximum lifetime")
    return place


def page_of(
    member: str,
    found: list[tuple[Sequence[Any], Json]],
    request: Json,
    now: int,
    *,
    descending: bool,
) -> Json:
    """Give a page of things sorted by their keys, ascending, each key once.

    ``descending`` is the order when the request does not ask for the reverse of it. The token
    remembers a key, not a number, so nothing is skipped or repeated when things come and go
    between two pages.
    """
    if descending != request.get("reverseOrder", False):
        found.reverse()
    size = request.get("maximumPageSize") or _ITEMS
    begin = 0
    if "nextPageToken" in request:
        after, backwards = _read_key(request["nextPageToken"], now)
        begin = sum((list(key) >= after) if backwards else (list(key) <= after) for key, _ in found)
    page = found[begin : begin + size]
    response: Json = {member: [info for _, info in page]}
    if begin + size < len(found):
        backwards = descending != request.get("reverseOrder", False)
        response["nextPageToken"] = write_token(now, [list(page[-1][0]), backwards])
    return response


def _read_key(token: str, now: int) -> tuple[list[Any], bool]:
    place = read_token(token, now)
    if not (isinstance(place, list) and len(place) == 2 and isinstance(place[0], list)):
        raise faults.invalid("Invalid token")
    return place[0], place[1]


def page_of_events(
    events: list[Json], begin: int, end: int, *, reverse: bool, size: int
) -> tuple[list[Json], tuple[int, int] | None]:
    """Give a page of the events between two places, and between which the rest is, if any."""
    size = min(size or EVENTS, EVENTS)
    if reverse:
        first = max(begin, end - size)
        return events[first:end][::-1], (begin, first) if first > begin else None
    last = min(end, begin + size)
    return events[begin:last], (last, end) if last < end else None
