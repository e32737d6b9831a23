"""The local engine of Flowy: workflows on the threads or processes of one machine."""

from typing import TYPE_CHECKING, Any

from flowy import __version__ as __version__

if TYPE_CHECKING:
    from flowy_local.workflow import LocalWorkflow as LocalWorkflow


def __getattr__(name: str) -> Any:
    # Later, so that to look up plugins does not import the engine.
    if name == "LocalWorkflow":
        from flowy_local.workflow import LocalWorkflow

        return LocalWorkflow
    raise AttributeError(f"module 'flowy_local' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "LocalWorkflow"})
