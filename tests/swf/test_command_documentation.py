"""The examples of `flowy swf` in the manual of the command, over an emulator, one after another."""

from __future__ import annotations

import re
import shlex
import sys
import threading
from pathlib import Path

import pytest
from tests.swf.outside import Client

from flowy.cli import main
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.commands import add as add_commands
from flowy_swf.emulator import Emulator
from flowy_swf.workflow_worker import SWFWorkflowWorker

DOCS = Path(__file__).parents[2] / "docs"
SECTION = (DOCS / "command.md").read_text("utf-8").split("## `flowy swf`\n")[1].split("\n## ")[0]
EXAMPLE = re.compile(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)


def toys() -> str:
    """Return the part of the guide's first script that is a module of workflows."""
    script = (DOCS / "swf.md").read_text("utf-8").split("```python\n")[1].split("```\n")[0]
    return script.split("emulator = Emulator()")[0]


def work(emulator: Emulator) -> None:
    """Have workers do what there is to do."""
    threads = []
    for worker in (SWFWorkflowWorker(), SWFActivityWorker()):
        worker.scan("toys")
        worker.break_loop = lambda: not emulator.open_tasks()  # type: ignore[method-assign]
        arguments = ("example", "toys", Client(emulator), False, False)
        threads.append(threading.Thread(target=worker.run_forever, args=arguments))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_examples_do_what_they_say(
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    pytest.importorskip("flowy_trace")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("FLOWY_SWF_DOMAIN", "example")
    monkeypatch.setattr("flowy_swf.client.SWFClient", lambda **_: Client(emulator))
    for module in ("listing", "showing"):
        monkeypatch.setattr(f"flowy_swf.commands.{module}.now", emulator.now)
    monkeypatch.setattr("flowy_swf.commands.workers.serve", lambda *_, **__: work(emulator))
    (tmp_path / "toys.py").write_text(toys(), "utf-8")
    try:
        for commands, output in EXAMPLE.findall(SECTION):
            for line in commands.splitlines():
                line, _, file = line.partition(" > ")
                if line.startswith("flowy swf show"):
                    emulator.advance(60)
                assert main(shlex.split(line)[1:]) == 0
                if file:
                    (tmp_path / file).write_text(capsys.readouterr().out, "utf-8")
            assert capsys.readouterr().out == output
    finally:
        sys.modules.pop("toys", None)
    assert (tmp_path / "toys-1.html").exists()


def test_every_command_is_in_the_table_and_has_a_section() -> None:
    import argparse

    from flowy.cli import CommandParser

    commands = CommandParser().add_subparsers()
    add_commands(commands)
    (listed,) = (
        action
        for action in commands.choices["swf"]._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    for name, parser in listed.choices.items():
        assert f"| `flowy swf {name}" in SECTION
        if name == "emulator":
            continue
        assert re.search(rf"^### .*`flowy swf {name}`", SECTION, re.M)
        for action in parser._actions:
            for option in action.option_strings:
                assert option in ("-h", "--help") or f"`{option}" in SECTION, (name, option)
