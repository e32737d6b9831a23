"""What Flowy finds of the engine: a description, which imports nothing of it."""

import flowy


@flowy.hookimpl
def flowy_engine() -> flowy.Engine:
    return flowy.Engine(
        name="serial",
        summary="one task at a time, in the thread that runs the workflow",
        configure="flowy_serial.engine:SerialWorkflow",
        names={"SerialWorkflow": "flowy_serial.engine:SerialWorkflow"},
    )
