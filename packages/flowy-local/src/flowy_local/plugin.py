"""What Flowy finds of the local engine: a description and a command, which import nothing of it."""

from __future__ import annotations

from typing import Any

import flowy


@flowy.hookimpl
def flowy_engine() -> flowy.Engine:
    """Return the local engine."""
    return flowy.Engine(
        name="local",
        summary="threads or processes of this machine, or any concurrent.futures executor",
        configure="flowy_local.workflow:LocalWorkflow",
        names={"LocalWorkflow": "flowy_local.workflow:LocalWorkflow"},
    )


@flowy.hookimpl
def flowy_commands(subcommands: Any) -> None:
    """Add `flowy run`."""
    from flowy_local import command

    command.add(subcommands)
