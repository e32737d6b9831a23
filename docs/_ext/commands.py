"""The reference of the `flowy` command, made from its parser."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import Any
from unittest import mock

from flowy import cli


class _Caught(Exception):
    """The parser, on its way out of the command."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__(parser)
        self.parser = parser


def whole_parser() -> argparse.ArgumentParser:
    """Return the parser of the command with everything that the installed plugins add to it."""

    def catch(self: cli.CommandParser, *_: Any) -> Any:
        raise _Caught(self)

    with mock.patch.object(cli.CommandParser, "parse_known_args", catch):
        try:
            cli.main([])
        except _Caught as caught:
            return caught.parser
    raise AssertionError("the flowy command did not parse its arguments")


def commands(
    parser: argparse.ArgumentParser, about: str = ""
) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Yield a parser and those of its subcommands, with the line about each, outer ones first."""
    yield parser, about
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            lines = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, below in action.choices.items():
                yield from commands(below, lines.get(name, ""))


def command_reference() -> str:
    """Return the reference of the command and its subcommands, as Markdown."""
    return "\n\n".join(_section(parser, about) for parser, about in commands(whole_parser()))


def _section(parser: argparse.ArgumentParser, about: str) -> str:
    with mock.patch.dict("os.environ", {"COLUMNS": "90", "NO_COLOR": "1"}):
        usage = parser.format_usage().rstrip()
    parts = [f"## `{parser.prog}`", _text(parser.description or about), f"```text\n{usage}\n```"]
    rows = [
        _row(parser, action)
        for action in parser._actions
        if action.help != argparse.SUPPRESS and not isinstance(action, argparse._HelpAction)
    ]
    if rows:
        parts.append("\n".join(["| argument | meaning |", "|---|---|", *rows]))
    for paragraph in (parser.epilog or "").split("\n\n"):
        # What is indented is to be typed.
        typed = "\n  " in paragraph
        parts.append(f"```text\n{paragraph}\n```" if typed else _text(paragraph))
    return "\n\n".join(part for part in parts if part)


def _row(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if isinstance(action, argparse._SubParsersAction):
        names = ", ".join(f"`{name}`" for name in action.choices)
        return f"| `{action.metavar}` | one of {names} |"
    formatter = parser._get_formatter()
    if not action.option_strings:
        shown = f"`{formatter._format_args(action, action.dest)}`"
    elif action.nargs == 0:
        shown = ", ".join(f"`{option}`" for option in action.option_strings)
    else:
        value = formatter._format_args(action, action.dest.upper())
        shown = ", ".join(f"`{option} {value}`" for option in action.option_strings)
    text = formatter._expand_help(action) if action.help else ""
    return f"| {_cell(shown)} | {_cell(text)} |"


def _cell(text: str) -> str:
    return " ".join(_text(text).replace("|", "\\|").split())


def _text(text: str) -> str:
    return re.sub(r"(?<!`)<", r"\\<", text)
