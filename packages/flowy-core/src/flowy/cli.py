"""The `flowy` command: what is installed, and the subcommands that plugins add.

Results go to stdout, all else to stderr. The exit status is 0; 1 when something went wrong; 2 when
the command line is wrong; 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any, NoReturn

from flowy.errors import PluginError

if TYPE_CHECKING:
    from flowy.plugins import Plugins

#: the project's own packages
_FAMILY = frozenset({"flowy-core", "flowy-local", "flowy-swf", "flowy-trace"})

#: subcommands that they add, and which of them does
_COMMANDS = {"run": "flowy-local", "swf": "flowy-swf", "trace": "flowy-trace"}


class CommandParser(argparse.ArgumentParser):
    """The parser of the command, and of each of its subcommands.

    Parameters
    ----------
    intermixed
        whether options may stand between the positional arguments. Such a parser can have no
        subcommands, and no positional argument that takes the rest of the line.
    others
        what `argparse.ArgumentParser` takes. Abbreviated options are not allowed by default: an
        option that comes with a plugin must not change what is typed today.
    """

    def __init__(self, *, intermixed: bool = False, **others: Any) -> None:
        others.setdefault("allow_abbrev", False)
        super().__init__(**others)
        self._intermixed = intermixed

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, but for what `intermixed` says."""
        if not self._intermixed:
            return super().parse_known_args(args, namespace)
        # argparse calls this very method for the parts.
        self._intermixed = False
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixed = True

    def fail(self, message: str) -> NoReturn:
        """Exit with status 2: what the command line asks for cannot be had."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status, or raise SystemExit with it.

    Parameters
    ----------
    arguments
        without the program's name; by default those of this process.
    """
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
        # When the interpreter exits it is too late to find out that nobody reads it.
        print(end="", flush=True)
    except BrokenPipeError:
        # What is still to be written would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("flowy: interrupted", file=sys.stderr)
        return 130
    except PluginError as exc:
        print(f"flowy: error: {exc}", file=sys.stderr)
        return 1
    return status


def _run(arguments: Sequence[str]) -> int:
    parser = CommandParser(
        prog="flowy",
        description="Run workflows that are plain Python, and see what there is to run them.",
        epilog="flowy COMMAND --help says more about a command.",
    )
    parser.add_argument(
        "--version",
        action=_PrintVersions,
        nargs=0,
        help="print the versions of Flowy's packages and of its plugins, and exit",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    engines = commands.add_parser(
        "engines",
        help="list the engines that are installed",
        description="List the engines that are installed: the name of each, the distribution that "
        "brings it, and what it runs workflows on.",
    )
    engines.set_defaults(run=_print_engines)
    # Where plugins are in disorder, the versions can still be had.
    if list(arguments[:1]) != ["--version"]:
        _add_commands_of_plugins(commands)
    namespace, unknown = parser.parse_known_args(arguments)
    if "absent" in namespace:
        _fail_absent(parser, namespace.absent)
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if "run" not in namespace:
        parser.print_help(sys.stderr)
        return 2
    status: int = namespace.run(namespace)
    return status


def _plugins() -> Plugins | None:
    """Return the plugins, or None without pluggy, which whatever plugins there are would need."""
    try:
        from flowy.plugins import plugins
    except ModuleNotFoundError:
        return None
    return plugins()


def _add_commands_of_plugins(commands: Any) -> None:
    plugins = _plugins()
    if plugins is not None:
        plugins.add_commands(commands)
    for name, distribution in _COMMANDS.items():
        if name not in commands.choices:
            absent = commands.add_parser(name, help=f"needs {distribution}")
            absent.set_defaults(absent=name)


def _fail_absent(parser: CommandParser, name: str) -> NoReturn:
    distribution = _COMMANDS[name]
    plugins = _plugins()
    if plugins is not None:
        plugins.check_skipped(distribution)
    parser.fail(f"'flowy {name}' needs {distribution}: python -m pip install {distribution}")


def _print_engines(_namespace: argparse.Namespace) -> int:
    plugins = _plugins()
    found = [] if plugins is None else plugins.engines()
    if not found:
        print("flowy: no engine was found: python -m pip install flowy-local", file=sys.stderr)
        return 1
    rows = [(each.name, f"{each.distribution} {each.version}", each.summary) for each in found]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, origin, summary in rows:
        print(f"{name:{widths[0]}}  {origin:{widths[1]}}  {summary}")
    return 0


class _PrintVersions(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        # No plugin is loaded for it, so that it can be had where they are broken.
        versions = {
            distribution.name: distribution.version
            for distribution in distributions()
            if distribution.name in _FAMILY or distribution.entry_points.select(group="flowy")
        }
        for name in sorted(versions):
            print(name, versions[name])
        parser.exit()
