"""Pages of lists and of histories. A page token is good for a day of the service's time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowy_swf.emulator import faults, tokens
from flowy_swf.emulator.model import Json

#: What a page of events holds at most, whatever is asked for. The service's documentation says
#: 1,000; the service itself gave 100.
EVENTS = 100
_ITEMS = 1000
_LIFETIME = 24 * 3600 * 1000


def write_token(purpose: str, issued: int, place: Any) -> str:
    """Make a token that remembers a place, given out at that time."""
    return tokens.write(purpose, [issued, place])


def read_token(purpose: str, token: str, now: int) -> Any:
    """Give the place a token remembers."""
    issued, place = tokens.read(purpose, token)
    if now - issued > _LIFETIME:
        raise faults.invalid("Specified token has exceeded its maximum lifetime")
    return place


def page_of(
    member: str,
    found: Sequence[tuple[Sequence[Any], object]],
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
    backwards = descending != request.get("reverseOrder", False)
    if "nextPageToken" in request:
        after, backwards = read_token(member, request["nextPageToken"], now)
        if backwards:
            found = [each for each in found if list(each[0]) < after]
        else:
            found = [each for each in found if list(each[0]) > after]
    if backwards:
        found = found[::-1]
    size = request.get("maximumPageSize") or _ITEMS
    page = found[:size]
    response: Json = {member: [thing for _, thing in page]}
    if len(found) > size:
        place = [list(page[-1][0]), backwards]
        response["nextPageToken"] = write_token(member, now, place)
    return response


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
