"""What Flowy finds of flowy-swf: its engine and commands. Importing this does not load boto3."""

from __future__ import annotations

from typing import Any

import flowy


@flowy.hookimpl
def flowy_engine() -> flowy.Engine:
    """Return the engine for Amazon SWF."""
    return flowy.Engine(
        name="swf",
        summary="Amazon SWF, with deciders and activity workers on any number of machines",
        configure="flowy_swf.config:configure",
        names={
            "SWFActivityConfig": "flowy_swf.config:SWFActivityConfig",
            "SWFActivityWorker": "flowy_swf.activity_worker:SWFActivityWorker",
            "SWFClient": "flowy_swf.client:SWFClient",
            "SWFRegistrationError": "flowy_swf.registration:SWFRegistrationError",
            "SWFWorkflowConfig": "flowy_swf.config:SWFWorkflowConfig",
            "SWFWorkflowStarter": "flowy_swf.starter:SWFWorkflowStarter",
            "SWFWorkflowWorker": "flowy_swf.workflow_worker:SWFWorkflowWorker",
        },
    )


@flowy.hookimpl
def flowy_commands(subcommands: Any) -> None:
    """Add `flowy swf`, with a subcommand for each thing to do."""
    # Later, so that to look up engines and observers does not import the emulator.
    from flowy_swf.emulator import command

    swf = subcommands.add_parser(
        "swf", help="Amazon SWF", description="What has to do with Amazon SWF."
    )
    commands = swf.add_subparsers(title="commands", metavar="COMMAND", required=True)
    emulator = commands.add_parser(
        "emulator",
        help="serve an emulator of Amazon SWF on this machine",
        description="Serve an emulator of Amazon SWF on this machine, for tests and for trying "
        "things out, until Ctrl-C. Its URL is printed first.",
    )
    command.add_arguments(emulator)
    emulator.set_defaults(run=command.run)
