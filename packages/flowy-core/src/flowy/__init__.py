"""Flowy: workflows as plain, single-threaded Python.

Tasks are given to a workflow by name, from outside. Calling one returns a stand-in for its result
at once, so that what does not depend on each other runs in parallel.
"""

from typing import TYPE_CHECKING, Any

from flowy._version import __version__ as __version__
from flowy.config import activity as activity
from flowy.config import scan as scan
from flowy.errors import DependencyError as DependencyError
from flowy.errors import NonDeterminismError as NonDeterminismError
from flowy.errors import SuspendTask as SuspendTask
from flowy.errors import TaskCancelled as TaskCancelled
from flowy.errors import TaskError as TaskError
from flowy.errors import TaskTimedout as TaskTimedout
from flowy.execution import Execution as Execution
from flowy.heartbeats import heartbeat as heartbeat
from flowy.operations import finish_order as finish_order
from flowy.operations import first as first
from flowy.operations import parallel_reduce as parallel_reduce
from flowy.operations import restart as restart
from flowy.result import ResultProxy as ResultProxy
from flowy.result import is_result_proxy as is_result_proxy
from flowy.result import wait as wait
from flowy.retry import Retry as Retry

if TYPE_CHECKING:
    from flowy.engine_api import Engine as Engine
    from flowy.engine_api import ExecutionInfo as ExecutionInfo
    from flowy.engine_api import Observer as Observer
    from flowy.engine_api import RunInfo as RunInfo
    from flowy.hookspecs import hookimpl as hookimpl
    from flowy.plugins import PluginError as PluginError
    from flowy.plugins import PluginWarning as PluginWarning
    from flowy.plugins import engine as engine
    from flowy.plugins import engines as engines
    from flowy_local import LocalWorkflow as LocalWorkflow

#: names that are seldom needed, or need pluggy: loaded when used
_LATER = {
    "Engine": "flowy.engine_api",
    "ExecutionInfo": "flowy.engine_api",
    "Observer": "flowy.engine_api",
    "RunInfo": "flowy.engine_api",
    "hookimpl": "flowy.hookspecs",
    "PluginError": "flowy.plugins",
    "PluginWarning": "flowy.plugins",
    "engine": "flowy.plugins",
    "engines": "flowy.plugins",
}

#: names that the project's own engines offer, and the distributions that bring them
_DISTRIBUTIONS = {"LocalWorkflow": "flowy-local"}


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module 'flowy' has no attribute {name!r}")
    from importlib import import_module

    try:
        if name in _LATER:
            return getattr(import_module(_LATER[name]), name)
        find = import_module("flowy.plugins").plugins().find_name(name)
    except ModuleNotFoundError as exc:
        if exc.name != "pluggy":
            raise
        if name not in _LATER and name not in _DISTRIBUTIONS:
            raise AttributeError(f"module 'flowy' has no attribute {name!r}") from None
        wanted = _DISTRIBUTIONS.get(name, "'flowy-core[plugins]'")
        if name in ("engine", "engines"):
            wanted = "flowy-local"
        raise ImportError(
            f"flowy.{name} needs {wanted}: python -m pip install {wanted}", name="flowy"
        ) from None
    if find is not None:
        return find()
    if name in _DISTRIBUTIONS:
        wanted = _DISTRIBUTIONS[name]
        raise ImportError(
            f"flowy.{name} needs {wanted}: python -m pip install {wanted}", name="flowy"
        )
    raise AttributeError(f"module 'flowy' has no attribute {name!r}")


def __dir__() -> list[str]:
    from importlib import import_module

    try:
        offered = import_module("flowy.plugins").plugins().names()
    except ModuleNotFoundError:
        offered = []
    hidden = {"Any", "TYPE_CHECKING"}
    return sorted({*globals(), *_LATER, *offered} - hidden)
