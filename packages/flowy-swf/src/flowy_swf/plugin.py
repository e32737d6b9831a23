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
            "S3Payloads": "flowy_swf.s3:S3Payloads",
            "SWFActivityConfig": "flowy_swf.config:SWFActivityConfig",
            "SWFActivityWorker": "flowy_swf.activity_worker:SWFActivityWorker",
            "SWFClient": "flowy_swf.client:SWFClient",
            "SWFRegistrationError": "flowy_swf.registration:SWFRegistrationError",
            "SWFWorkflowConfig": "flowy_swf.config:SWFWorkflowConfig",
            "SWFWorkflowHandle": "flowy_swf.handle:SWFWorkflowHandle",
            "SWFWorkflowStarter": "flowy_swf.starter:SWFWorkflowStarter",
            "SWFWorkflowWorker": "flowy_swf.workflow_worker:SWFWorkflowWorker",
        },
    )


@flowy.hookimpl
def flowy_commands(subcommands: Any) -> None:
    """Add `flowy swf`, with a subcommand for each thing to do."""
    # Later, so that to look up engines and observers does not import them.
    from flowy_swf import commands

    commands.add(subcommands)
