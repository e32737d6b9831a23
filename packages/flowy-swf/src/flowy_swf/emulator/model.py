"""The shapes of Amazon SWF, as botocore's own service model describes them.

Nothing here is written by hand: operations, members, limits and enumerations come from the model
that every boto3 client uses. botocore is imported when the model is first asked for.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

Json = dict[str, Any]

TARGET_PREFIX = "SimpleWorkflowService"
_API_VERSION = "2012-01-25"


@lru_cache(maxsize=1)
def description() -> Json:
    """Load the service model; the answer is shared and must not be changed."""
    import botocore.loaders

    loaded: Json = botocore.loaders.Loader().load_service_model("swf", "service-2", _API_VERSION)
    return loaded


def shapes() -> dict[str, Json]:
    """Give every shape by its name."""
    found: dict[str, Json] = description()["shapes"]
    return found


def operation_inputs() -> dict[str, str]:
    """Give the name of the input shape of each operation."""
    return {name: each["input"]["shape"] for name, each in description()["operations"].items()}


def enumeration(shape: str) -> tuple[str, ...]:
    """Give the values an enumerated shape may have; none for any other shape."""
    return tuple(shapes().get(shape, {}).get("enum", ()))


def member_of(kind: str, suffix: str) -> str:
    """Name the member that holds the attributes of a decision or of an event.

    ``member_of("StartTimer", "Decision")`` is ``startTimerDecisionAttributes``.
    """
    return f"{kind[0].lower()}{kind[1:]}{suffix}Attributes"
