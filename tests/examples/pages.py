"""The pages of the manual as a reader follows them: what to save, what to type, what is printed.

- A block of Python or of a shell after "`name`:" is saved under that name.
- A block of console has commands, each after a `$`, and what they print. After "in a terminal of
  its own:" it has one command, which goes on running. What a file sets that is sourced is set in
  all terminals from then on.
- Any other block of Python is a script, and the block of text after it is what that prints.

In what is printed, `...` stands for anything. Times, shares of time and the ids of runs are not
compared.
"""

from __future__ import annotations

import doctest
import re
import select
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_BLOCK = re.compile(
    r"^(?:[^\n]*`(?P<file>[\w./-]+\.(?:py|sh))`:\n\n|[^\n]*(?P<own>in a terminal of its own):\n\n)?"
    r"```(?P<language>python|console|sh)\n(?P<text>.*?)^```\n"
    r"(?:\n```text\n(?P<output>.*?)^```\n)?",
    re.M | re.S,
)
_COMMAND = re.compile(r"^\$ (?P<command>(?:.*\\\n)*.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.M)
_PATIENCE = 60.0  # seconds for a command


@dataclass(frozen=True)
class Step:
    """What a block asks of the reader."""

    what: Literal["save", "type", "leave running", "run"]
    #: the file, the command or the script
    text: str
    #: what is printed; None if the page does not say
    output: str | None
    #: of the page
    line: int
    #: where to save it
    file: str = ""


def steps_of(page: Path) -> Iterator[Step]:
    """Yield the steps of a page in order."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("text")) + 1
        if block["file"]:
            yield Step("save", block["text"], None, line, block["file"])
        elif block["language"] == "python":
            yield Step("run", block["text"], block["output"], line)
        elif block["language"] == "console":
            what: Literal["type", "leave running"] = "leave running" if block["own"] else "type"
            for typed in _COMMAND.finditer(block["text"]):
                within = block["text"].count("\n", 0, typed.start())
                yield Step(what, typed["command"], typed["output"], line + within)


def alike(shown: str, printed: str) -> bool:
    """Return whether a command printed what the page shows."""
    return doctest.OutputChecker().check_output(
        _without_what_varies(shown), _without_what_varies(printed), doctest.ELLIPSIS
    )


def _without_what_varies(text: str) -> str:
    text = re.sub(r"^ +\d+\.\d{3} +", "TIME ", text, flags=re.M)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "DATE", text)
    text = re.sub(r"\d+ h \d+ min", "TIME", text)
    text = re.sub(r"^run id( +)\S+", r"run id\1ID", text, flags=re.M)
    text = re.sub(r"(?:< )?\b\d+(?:\.\d+)? ?(?:µs|ms|s|%)(?!\w)", "TIME", text)
    text = re.sub(r"\d+\.\d at a time", "N at a time", text)
    text = re.sub(r"  queued TIME", "", text)
    return re.sub(r" +", " ", text)


class Shell:
    """A reader's terminals.

    Parameters
    ----------
    folder
        where the reader is.
    environment
        the variables.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._running: list[subprocess.Popen[bytes]] = []

    def type(self, command: str) -> str:
        """Return what a command prints."""
        if command.startswith(". "):
            command = f"{command} && env -0 > .environment"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE,
        )
        environment = self._folder / ".environment"
        if environment.exists():
            pairs = environment.read_text(encoding="utf-8").rstrip("\0").split("\0")
            self._environment = dict(pair.split("=", 1) for pair in pairs)
            environment.unlink()
        return done.stdout.decode()

    def leave_running(self, command: str, shown: str) -> str:
        """Return what a command prints first, as soon as that is as many lines as are shown."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._running.append(process)
        assert process.stdout is not None
        printed = b""
        end = time.monotonic() + _PATIENCE
        while printed.count(b"\n") < shown.count("\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(0, end - time.monotonic()))
            # One line at a time, so that select() knows of all that is left to be read.
            line = process.stdout.raw.readline() if ready else b""  # type: ignore[attr-defined]
            if not line:
                break
            printed += line
        return printed.decode()

    def close(self) -> None:
        """End what is running, as Ctrl-C does."""
        for process in reversed(self._running):
            process.terminate()
        for process in self._running:
            process.communicate(timeout=_PATIENCE)
