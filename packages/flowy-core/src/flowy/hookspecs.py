"""The hooks that plugins of Flowy implement.

A plugin is a module, or any object, that an installed distribution names in its entry points of the
group `flowy`. It implements one or more of these hooks, each marked with `flowy.hookimpl`:

    import flowy

    @flowy.hookimpl
    def flowy_engine():
        return flowy.Engine("mine", "runs tasks my way", "my_package:MyWorkflow")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from flowy.engine_api import Engine, Observer, RunInfo

hookspec = pluggy.HookspecMarker("flowy")
#: marks a function as the implementation of the hook of its name
hookimpl = pluggy.HookimplMarker("flowy")


@hookspec
def flowy_engine() -> Engine:  # type: ignore[empty-body]  # it is a specification only
    """Return the engine that the plugin brings.

    It is called whenever engines are looked up: return a description, import nothing heavy.
    """


@hookspec
def flowy_observe(run: RunInfo) -> Observer | None:
    """Return an observer of the run that is about to begin, or None.

    Parameters
    ----------
    run
        which run it is.
    """


@hookspec
def flowy_commands(subcommands: Any) -> None:
    """Add subcommands to the `flowy` command.

    Parameters
    ----------
    subcommands
        what `argparse.ArgumentParser.add_subparsers` returns. Give each parser that you add the
        default `run`, a function that takes the parsed arguments and returns the exit status:
        `parser.set_defaults(run=...)`.
    """
