"""The one place where requests are checked, by rules read from botocore's service model.

A checker takes a JSON value and gives a clean copy of it: only members the model knows, none of
them null. Values of the wrong kind stop the request with a SerializationException; broken
constraints are collected and reported together, as the service does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from flowy_swf.emulator import faults
from flowy_swf.emulator.model import Json, enumeration, member_of, operation_inputs, shapes

_Checker = Callable[[Any, str, list[str]], Any]

_YEAR = 31_536_000
#: As long as the model lets them be, so that to read one as a number takes no time.
_DURATION = re.compile(r"[0-9]{1,8}\Z")
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}\Z")
_NAME = re.compile(r"(?!arn\Z)[^:/|\x00-\x1f\x7f-\x9f]*\Z")
_LABEL = re.compile(r"[\w\s.:/=+\-@]*\Z")
_JSON_KINDS = {dict: "START_OBJECT", list: "START_ARRAY", bool: "TRUE_VALUE", str: "VALUE_STRING"}


def _is_duration(text: str) -> bool:
    return _DURATION.match(text) is not None


def _is_priority(text: str) -> bool:
    return _INTEGER.match(text) is not None and -(2**31) <= int(text) < 2**31


#: What the documentation says of a text and the model does not. Ids are not listed: the service
#: accepts a colon in them, whatever its documentation says.
_TEXT_RULES: dict[str, tuple[Callable[[str], object], str]] = {
    "DurationInSeconds": (_is_duration, "Member must be a whole number of seconds"),
    "DurationInSecondsOptional": (
        lambda text: text == "NONE" or _is_duration(text),
        "Member must be a whole number of seconds or NONE",
    ),
    "DurationInDays": (
        lambda text: text == "NONE" or (_is_duration(text) and int(text) <= 90),
        "Member must be a whole number of days up to 90, or NONE",
    ),
    "TaskPriority": (_is_priority, "Member must be an integer of 32 bits"),
    "ResourceTagKey": (_LABEL.match, "Member must hold letters, digits, spaces and _.:/=+-@ only"),
    "ResourceTagValue": (
        _LABEL.match,
        "Member must hold letters, digits, spaces and _.:/=+-@ only",
    ),
    **dict.fromkeys(
        ("DomainName", "Name", "Version"),
        (_NAME.match, "Member must not hold : / | or control characters, nor be arn"),
    ),
}


def _problem(value: object, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _mismatch(value: object, wanted: str) -> faults.Fault:
    found = _JSON_KINDS.get(type(value), "NUMBER_VALUE")
    return faults.serialization(f"{found} can not be converted to {wanted}")


def _below(path: str, member: str) -> str:
    return f"{path}.{member}" if path else member


def _structure(shape: Json) -> _Checker:
    members = {member: checker(each["shape"]) for member, each in shape["members"].items()}
    required = shape.get("required", ())

    def check(value: Any, path: str, problems: list[str]) -> Json:
        if not isinstance(value, dict):
            raise _mismatch(value, "a structure")
        for member in required:
            if value.get(member) is None:
                problem = _problem(None, _below(path, member), "Member must not be null")
                problems.append(problem)
        return {
            member: members[member](item, _below(path, member), problems)
            for member, item in value.items()
            if item is not None and member in members
        }

    return check


def _list(shape: Json) -> _Checker:
    member = shape["member"]["shape"]
    of_member = checker(member)
    longest = shape.get("max")

    def check(value: Any, path: str, problems: list[str]) -> list[Any]:
        if not isinstance(value, list):
            raise _mismatch(value, "a list")
        if longest is not None and len(value) > longest:
            constraint = f"Member must have length less than or equal to {longest}"
            problems.append(_problem(value, path, constraint))
        clean = []
        for number, item in enumerate(value, 1):
            where = f"{path}.{number}.member"
            if item is not None:
                clean.append(of_member(item, where, problems))
            elif member == "Tag":
                clean.append(None)  # the service takes it, and gives it back in the event
            else:
                problems.append(_problem(None, where, "Member must not be null"))
        return clean

    return check


def _string(shape: Json, name: str) -> _Checker:
    shortest, longest = shape.get("min", 0), shape.get("max")
    values = enumeration(name)
    rule, constraint = _TEXT_RULES.get(name, (None, ""))

    def check(value: Any, path: str, problems: list[str]) -> str:
        if not isinstance(value, str):
            raise _mismatch(value, "a String")
        if values and value not in values:
            enum = f"Member must satisfy enum value set: [{', '.join(values)}]"
            problems.append(_problem(value, path, enum))
        elif len(value) < shortest:
            least = f"Member must have length greater than or equal to {shortest}"
            problems.append(_problem(value, path, least))
        elif longest is not None and len(value) > longest:
            most = f"Member must have length less than or equal to {longest}"
            problems.append(_problem(value, path, most))
        elif rule is not None and not rule(value):
            problems.append(_problem(value, path, constraint))
        return value

    return check


def _number(shape: Json) -> _Checker:
    least, most = shape.get("min"), shape.get("max")

    def check(value: Any, path: str, problems: list[str]) -> int:
        if type(value) is not int:
            raise _mismatch(value, "an Integer")
        if least is not None and value < least:
            constraint = f"Member must have value greater than or equal to {least}"
            problems.append(_problem(value, path, constraint))
        elif most is not None and value > most:
            constraint = f"Member must have value less than or equal to {most}"
            problems.append(_problem(value, path, constraint))
        return value

    return check


def _boolean(value: Any, path: str, problems: list[str]) -> bool:
    if not isinstance(value, bool):
        raise _mismatch(value, "a Boolean")
    return value


def _timestamp(value: Any, path: str, problems: list[str]) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _mismatch(value, "a Timestamp")
    return value


@cache
def checker(name: str) -> _Checker:
    """Compile the checker of a shape of the model."""
    shape = shapes()[name]
    if shape["type"] == "structure":
        return _structure(shape)
    if shape["type"] == "list":
        return _list(shape)
    if shape["type"] == "string":
        return _string(shape, name)
    if shape["type"] == "boolean":
        return _boolean
    if shape["type"] == "timestamp":
        return _timestamp
    return _number(shape)


@lru_cache(maxsize=1)
def _input_checkers() -> dict[str, _Checker]:
    return {operation: checker(shape) for operation, shape in operation_inputs().items()}


def check_request(operation: str, request: Any) -> Json:
    """Give a clean copy of a request, or raise the fault that the service would answer with."""
    check = _input_checkers().get(operation)
    if check is None:
        raise faults.Fault("UnknownOperationException")
    problems: list[str] = []
    clean: Json = check(request, "", problems)
    for member in ("executionStartToCloseTimeout", "defaultExecutionStartToCloseTimeout"):
        _check_execution_timeout(clean.get(member), member, problems)
    for number, decision in enumerate(clean.get("decisions", ()), 1):
        _check_decision(decision, f"decisions.{number}.member", problems)
    if problems:
        raise faults.validation(*problems)
    return clean


def _check_execution_timeout(value: str | None, path: str, problems: list[str]) -> None:
    """Complain of a time-out without end: an execution runs a year at most."""
    if value is not None and (not _is_duration(value) or int(value) > _YEAR):
        constraint = f"Member must be a whole number of seconds up to {_YEAR}"
        problems.append(_problem(value, path, constraint))


def _check_decision(decision: Json, path: str, problems: list[str]) -> None:
    """Complain of a decision without its own attributes: an empty structure is a wrong one."""
    kind = decision.get("decisionType")
    if kind in enumeration("DecisionType"):
        member = member_of(str(kind), "Decision")
        if member not in decision:
            shape = shapes()["Decision"]["members"][member]["shape"]
            decision[member] = checker(shape)({}, f"{path}.{member}", problems)
