"""The public names of `flowy`: which they are, and that each is described."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

import flowy

PUBLIC = [
    "DependencyError",
    "Engine",
    "Execution",
    "ExecutionInfo",
    "NonDeterminismError",
    "Observer",
    "PluginError",
    "PluginWarning",
    "ResultProxy",
    "Retry",
    "RunInfo",
    "SuspendTask",
    "TaskCancelled",
    "TaskError",
    "TaskTimedout",
    "WorkflowLogger",
    "activity",
    "engine",
    "engines",
    "finish_order",
    "first",
    "heartbeat",
    "hookimpl",
    "is_replaying",
    "is_result_proxy",
    "parallel_reduce",
    "restart",
    "scan",
    "wait",
]


def test_the_public_names_are_these() -> None:
    names = [name for name in dir(flowy) if not name.startswith("_")]
    # Modules appear as they are imported, and what engines offer is theirs to hold.
    own = [name for name in names if name not in flowy._DISTRIBUTIONS]
    assert [name for name in own if not inspect.ismodule(getattr(flowy, name))] == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_a_docstring(name: str) -> None:
    thing = getattr(flowy, name)
    if name == "hookimpl":
        # A pluggy.HookimplMarker, which describes itself there.
        assert type(thing).__doc__
        return
    # Not the signature that a dataclass puts there.
    assert thing.__doc__
    assert not thing.__doc__.startswith(f"{name}(")


def test_every_public_name_resolves_in_a_fresh_interpreter() -> None:
    script = f"import flowy\nfor name in {PUBLIC!r}: getattr(flowy, name)\nprint(flowy.__version__)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout) == ("", f"{flowy.__version__}\n")


def test_no_module_of_the_core_hides_behind_a_public_name() -> None:
    # A submodule, once imported, would take the place of a function of its name.
    for name in PUBLIC:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"flowy.{name}")
