"""The guide to the command has every option of `flowy run` and `flowy trace`."""

from __future__ import annotations

from typing import Any

import pytest
from tests.docs.manual import DOCS

from flowy.cli import CommandParser
from flowy.plugins import plugins

GUIDE = (DOCS / "command.md").read_text("utf-8")


def _options() -> list[Any]:
    commands = CommandParser().add_subparsers()
    plugins().add_commands(commands)
    return [
        pytest.param(name, option, id=f"flowy {name} {option}")
        for name in ("run", "trace")
        for action in commands.choices[name]._actions
        for option in action.option_strings
        if option not in ("-h", "--help")
    ]


@pytest.mark.parametrize(("name", "option"), _options())
def test_an_option_is_in_the_section_of_its_command(name: str, option: str) -> None:
    section = GUIDE.split(f"\n## `flowy {name}`\n")[1].split("\n## ")[0]
    assert f"`{option}`" in section or f"`{option} " in section
