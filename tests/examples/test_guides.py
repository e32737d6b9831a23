"""The pages of the manual: what they ask the reader to type prints what they say it does."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.examples.pages import Shell, Step, alike, steps_of

DOCS = Path(__file__).parents[2] / "docs"
#: pages whose blocks of Python are scripts of their own
SCRIPTS = (
    "changing-code.md",
    "executors.md",
    "explanation/finish-order.md",
    "explanation/replay.md",
    "limits-and-cancellation.md",
    "local.md",
    "serialization.md",
    "swf.md",
    "testing.md",
    "tuning.md",
    "workflows.md",
)
#: pages that are followed from the top to the end, in one folder
SESSIONS = ("tutorial.md",)
#: the port of a page, which somebody else may have here
PORT = "8421"


def scripts() -> Iterator[Any]:
    for page in SCRIPTS:
        for step in steps_of(DOCS / page):
            yield pytest.param(step, id=f"{page}:{step.line}")


@pytest.mark.parametrize("step", list(scripts()))
def test_a_script_prints_what_the_page_says(
    step: Step, run_script: Callable[..., Any], tmp_path: Path
) -> None:
    assert step.what == "run"
    assert step.output is not None, "no block of text after it says what the script prints"
    script = tmp_path / "guide.py"
    script.write_text(step.text, encoding="utf-8")
    done = run_script(script)
    assert (done.stderr + done.stdout, done.returncode) == (step.output, 0)


@pytest.fixture
def shell(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    programs = tmp_path_factory.mktemp("programs")
    for name, arguments in (("python", ""), ("flowy", "-m flowy")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        program.chmod(0o755)
    # Coverage in other processes would look for the packages in the current folder.
    env = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    env |= {
        "PATH": f"{programs}{os.pathsep}{env['PATH']}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # a file that changes twice a second is not seen to
    }
    shell = Shell(tmp_path, env)
    yield shell
    shell.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", SESSIONS)
def test_a_page_that_is_followed_comes_out_as_it_says(
    page: str, shell: Shell, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    for step in steps_of(DOCS / page):
        text = step.text.replace(PORT, port)
        where = f"{page}:{step.line}"
        if step.what == "save":
            (tmp_path / step.file).write_text(text, encoding="utf-8")
            continue
        assert step.what != "run", f"{where}: no line before it says where to save it"
        assert step.output is not None
        shown = step.output.replace(PORT, port)
        printed = shell.type(text) if step.what == "type" else shell.leave_running(text, shown)
        assert alike(shown, printed), f"{where}: {text}\nshown:\n{shown}\nprinted:\n{printed}"
