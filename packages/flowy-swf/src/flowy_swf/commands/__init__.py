"""`flowy swf`: a command for each thing to do. Importing this loads neither boto3 nor botocore."""

from __future__ import annotations

from typing import Any

from flowy_swf.commands import asking, histories, listing, showing, starting, workers
from flowy_swf.emulator import command as emulator


def add(subcommands: Any) -> None:
    """Add `flowy swf` to the commands of `flowy`."""
    swf = subcommands.add_parser(
        "swf", help="Amazon SWF", description="What has to do with Amazon SWF."
    )
    commands = swf.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (workers, starting, listing, showing, histories, asking):
        module.add(commands)
    parser = commands.add_parser(
        "emulator",
        help="serve an emulator of Amazon SWF on this machine",
        description="Serve an emulator of Amazon SWF on this machine, for tests and for trying "
        "things out, until Ctrl-C. Its URL is printed first.",
    )
    emulator.add_arguments(parser)
    parser.set_defaults(run=emulator.run)
