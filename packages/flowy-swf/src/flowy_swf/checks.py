"""What users write in configurations, checked and put in the form of Amazon SWF."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

#: what a time-out may be: seconds, or "NONE" for no limit
Duration = int | str
#: one year, which is as long as anything may take
LONGEST = 31_536_000
CHILD_POLICIES = ("TERMINATE", "REQUEST_CANCEL", "ABANDON")
_FORBIDDEN = re.compile(r"[:/|\x00-\x1f\x7f-\x9f]")


def duration(what: str, value: Duration | None, *, unlimited: bool = True) -> str | None:
    """Return a time-out in the service's form, or None if there is none.

    Raises
    ------
    TypeError, ValueError
        it is no whole number of seconds and not `"NONE"`, or `unlimited` is False and it is.
    """
    expected = f"a whole number of seconds from 0 to {LONGEST}" + " or 'NONE'" * unlimited
    if value is None:
        return None
    if isinstance(value, str):
        if value == "NONE" and unlimited:
            return value
        if not value.isdecimal():
            raise ValueError(f"{what} must be {expected}, not {value!r}")
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be {expected}, not {value!r}")
    if not 0 <= value <= LONGEST:
        raise ValueError(f"{what} must be {expected}, not {value!r}")
    return str(value)


def name(what: str, value: Any, longest: int = 256) -> str:
    """Return the name of a type, a task list or a domain; raise if it is none."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {value!r}")
    if not 1 <= len(value) <= longest:
        raise ValueError(f"{what} must have 1 to {longest} characters, not {len(value)}: {value!r}")
    if _FORBIDDEN.search(value) or value.strip() != value or value == "arn":
        raise ValueError(
            f"{what} must not hold ':', '/', '|' or control characters, begin or end with a space, "
            f"or be 'arn': {value!r}"
        )
    return value


def version(value: Any) -> str:
    """Return a version, an int or a str, in the service's form."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(f"version must be an int or a str, not {value!r}")
    return name("version", str(value), 64)


def task_list(value: str | None) -> dict[str, str] | None:
    """Return a task list in the service's form, or None if there is none."""
    return None if value is None else {"name": name("task list", value)}


def child_policy(value: str | None) -> str | None:
    """Return a child policy, or None if there is none."""
    if value is not None and value not in CHILD_POLICIES:
        raise ValueError(f"child policy must be one of {', '.join(CHILD_POLICIES)}, not {value!r}")
    return value


def priority(value: int | None) -> str | None:
    """Return a task priority in the service's form, or None if there is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"priority must be an int, not {value!r}")
    if not -(2**31) <= value < 2**31:
        raise ValueError(f"priority must be between {-(2**31)} and {2**31 - 1}, not {value!r}")
    return str(value)


def present(**members: Any) -> dict[str, Any]:
    """Return the members that are not None."""
    return {member: value for member, value in members.items() if value is not None}


def tags(values: Iterable[str] | None) -> list[str] | None:
    """Return tags in the service's form, or None if there are none."""
    if isinstance(values, str):
        raise TypeError(f"tags must be a sequence of str: use ({values!r},)")
    found = list(values or ())
    if len(found) > 5:
        raise ValueError(f"an execution has at most 5 tags, not {len(found)}: {found!r}")
    for tag in found:
        if not isinstance(tag, str) or not 1 <= len(tag) <= 256:
            raise ValueError(f"a tag must be a str of 1 to 256 characters, not {tag!r}")
    return found or None
