"""What Flowy finds of flowy-trace: a command, which imports nothing of it until it is run."""

from __future__ import annotations

from typing import Any

import flowy


@flowy.hookimpl
def flowy_commands(subcommands: Any) -> None:
    """Add `flowy trace`."""
    from flowy_trace import command

    command.add(subcommands)
