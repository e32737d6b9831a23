"""Refuse a value, and say where it is.

A walk over a structure keeps no record of its way. When it meets a value that it refuses, it
raises `RefusalError`, and each container on the way out adds the step from itself to the value. So
a path costs nothing until it is needed. It is Python: `list(args[0])[2].field` is the value.
"""

from __future__ import annotations

from typing import Any, TypeAlias

#: what stands before and after the path of a container in the path of what it holds
Step: TypeAlias = tuple[str, str]

# A structure that is too deep for the interpreter would have a path that is too long to read.
_LONGEST_PATH = 8


class RefusalError(Exception):
    """A value cannot be taken.

    Parameters
    ----------
    error_type
        the type of the error for the caller.
    problem
        what is wrong with the value: the message without its subject.
    """

    def __init__(self, error_type: type[Exception], problem: str) -> None:
        super().__init__(problem)
        self.error_type = error_type
        self.problem = problem
        #: the way from the value out to the root
        self.steps: list[Step] = []

    def error(self, root: str) -> Exception:
        """Return the error for the caller, about a value in `root`, such as `args`."""
        path = root
        for before, after in self.steps[: -_LONGEST_PATH - 1 : -1]:
            path = f"{before}{path}{after}"
        if len(self.steps) > _LONGEST_PATH:
            path += "..."
        return self.error_type(f"{path} {self.problem}")


def outwards(error: RefusalError | RecursionError, step: Step) -> RefusalError:
    """Return the refusal to raise from a container that `error` came out of."""
    refusal = as_refusal(error)
    refusal.steps.append(step)
    return refusal


def as_refusal(error: RefusalError | RecursionError) -> RefusalError:
    """Return a refusal for an error that came out of a walk."""
    if isinstance(error, RefusalError):
        return error
    return RefusalError(ValueError, "is nested too deep for the interpreter; flatten it")


def item_step(index: int) -> Step:
    """Return the step to an item of a sequence."""
    return "", f"[{index}]"


def key_step(key: Any) -> Step:
    """Return the step to a value of a dict."""
    try:
        return "", f"[{key!r}]"
    except Exception:  # a key may be of any class, and an integer may have too many digits
        return "", f"[<key of type {type_name(key)}>]"


def member_step(index: int) -> Step:
    """Return the step to a member of a set or a key of a dict."""
    return "list(", f")[{index}]"


def field_step(name: str) -> Step:
    """Return the step to a field of a dataclass or of a named tuple."""
    return "", f".{name}"


def type_name(value: Any) -> str:
    """Return the full name of a value's type, quoted."""
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return repr(module + kind.__qualname__)


def refuse_iterator(value: Any) -> RefusalError:
    """Return the refusal of an iterator."""
    return RefusalError(
        ValueError,
        f"is an iterator, of type {type_name(value)}; "
        "an iterator can be read once only; pass a list",
    )


def refuse_loop() -> RefusalError:
    """Return the refusal of a structure that contains itself."""
    return RefusalError(
        ValueError,
        "is a container that it is in itself; "
        "a structure that contains itself cannot be passed; pass it without the loop",
    )


def refuse_restart() -> RefusalError:
    """Return the refusal of what `flowy.restart` returns, where a value is expected."""
    return RefusalError(
        TypeError,
        "is what flowy.restart() returns, which is no value; "
        "a restart happens if the workflow returns it itself: return flowy.restart(...)",
    )
