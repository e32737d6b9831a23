"""What Flowy finds of the local engine: a description, which imports nothing of it."""

from __future__ import annotations

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
