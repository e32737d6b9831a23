"""Lambda functions: Python callables that run beside the service, each in a thread of its own."""

from __future__ import annotations

import inspect
import json
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from flowy_swf.emulator.model import Json

Function = Callable[..., Any]

#: How long a stop waits for functions that still run. A thread cannot be ended from outside, so a
#: function that never returns is left behind, as a daemon.
_PATIENCE = 5.0
_RESULT = 32_768


class Context:
    """What a function may ask about its run; the second argument of functions that take two."""

    def __init__(self, name: str, request_id: str) -> None:
        self.function_name = name
        self.aws_request_id = request_id


class Lambdas:
    """The functions by name, and the threads that run them."""

    def __init__(self) -> None:
        self._functions: dict[str, Function] = {}
        self._threads: set[threading.Thread] = set()

    def register(self, name: str, function: Function) -> None:
        """Let workflows call a function; a name registered before is replaced."""
        self._functions[name] = function

    def run(self, attributes: Json, request_id: str, done: Callable[[str, Json], None]) -> None:
        """Run the function that a LambdaFunctionScheduled event names, and return at once.

        ``done`` is called from the function's thread with the outcome, Completed or Failed, and
        the members of its event.
        """

        def work() -> None:
            try:
                done(*self._call(attributes, request_id))
            finally:
                self._threads.discard(thread)

        thread = threading.Thread(target=work, name=f"lambda-{attributes['name']}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def join(self) -> None:
        """Wait for functions that still run, but not for ever."""
        end = time.monotonic() + _PATIENCE
        for thread in list(self._threads):
            thread.join(max(end - time.monotonic(), 0))

    def _call(self, attributes: Json, request_id: str) -> tuple[str, Json]:
        name = attributes["name"]
        function = self._functions.get(name)
        if function is None:
            missing = f"no function {name!r} is registered with the emulator"
            return "Failed", {"reason": "ResourceNotFoundException", "details": missing}
        try:
            event = json.loads(attributes.get("input") or "null")
            arguments = (event, Context(name, request_id))
            result = json.dumps(function(*arguments[: _arity(function)]))
            if len(result) > _RESULT:
                raise ValueError(f"the result has {len(result)} characters, and {_RESULT} may pass")
            return "Completed", {"result": result}
        except (Exception, SystemExit) as error:
            details = {
                "errorMessage": str(error),
                "errorType": type(error).__name__,
                "stackTrace": traceback.format_exc().splitlines()[-20:],
            }
            return "Failed", {
                "reason": type(error).__name__[:256],
                "details": json.dumps(details)[:_RESULT],
            }


def _arity(function: Function) -> int:
    """Functions take an event and a context, as on AWS, or the event alone."""
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return 1
    return 2
