"""A run whose names, arguments, results and errors are out to break every format."""

from __future__ import annotations

from typing import Any

import flowy

#: what ends scripts, strings, comments, labels, directives and lines, and what hides or turns text
NASTY = (
    "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>-->"
    '"\'`\\\\N\\n{{data}} ${1} %s &lt;&amp;#quot; ]]> --> |x| ["a"] end; subgraph '
    "\u202eright\u2066left\u200f \x1b[31m \x00 \x07 \r\n\t \ud800 \u2028 é 日本 🎉"
)


#: a name can hold no half of a surrogate pair and no null character
NAME = NASTY.replace("\ud800", "").replace("\x00", "")


class Hostile:
    def __init__(self, echo: Any, fail: Any) -> None:
        self.echo = echo
        self.fail = fail

    def __call__(self, text: str, key: str) -> Any:
        first = self.echo(text, again={key: key})
        flowy.wait(self.echo(first))
        flowy.wait(self.echo("x" * 1_000_000 + key))
        return self.fail(key)


def hostile(name: str = NAME, text: str = NASTY) -> flowy.LocalWorkflow:
    """Return the workflow: its own name and those of its errors, and what is in its results."""
    error = type(name, (Exception,), {})

    def echo(value: Any, again: Any = None) -> Any:
        return [text, value]

    def fail(value: str) -> None:
        raise error(value)

    workflow = flowy.LocalWorkflow(type(name, (Hostile,), {}))
    workflow.conf_activity("echo", echo)
    workflow.conf_activity("fail", fail)
    return workflow
