"""Flowy: workflows as plain, single-threaded Python.

Tasks are given to a workflow by name, from outside. Calling one returns a stand-in for its result
at once, so that what does not depend on each other runs in parallel.
"""

from typing import TYPE_CHECKING, Any

from flowy._version import __version__ as __version__
from flowy.errors import DependencyError as DependencyError
from flowy.errors import NonDeterminismError as NonDeterminismError
from flowy.errors import PluginError as PluginError
from flowy.errors import PluginWarning as PluginWarning
from flowy.errors import SuspendTask as SuspendTask
from flowy.errors import TaskCancelled as TaskCancelled
from flowy.errors import TaskError as TaskError
from flowy.errors import TaskTimedout as TaskTimedout
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
    from flowy import testing as testing
    from flowy.config import activity as activity
    from flowy.config import scan as scan
    from flowy.engine_api import Engine as Engine
    from flowy.engine_api import ExecutionInfo as ExecutionInfo
    from flowy.engine_api import Observer as Observer
    from flowy.engine_api import RunInfo as RunInfo
    from flowy.execution import Execution as Execution
    from flowy.hookspecs import hookimpl as hookimpl
    from flowy.plugins import Plugins
    from flowy.plugins import engine as engine
    from flowy.plugins import engines as engines
    from flowy.replay import WorkflowLogger as WorkflowLogger
    from flowy.run import is_replaying as is_replaying
    from flowy_local import LocalWorkflow as LocalWorkflow
    from flowy_swf.activity_worker import SWFActivityWorker as SWFActivityWorker
    from flowy_swf.client import SWFClient as SWFClient
    from flowy_swf.config import SWFActivityConfig as SWFActivityConfig
    from flowy_swf.config import SWFWorkflowConfig as SWFWorkflowConfig
    from flowy_swf.handle import SWFWorkflowHandle as SWFWorkflowHandle
    from flowy_swf.registration import SWFRegistrationError as SWFRegistrationError
    from flowy_swf.s3 import S3Payloads as S3Payloads
    from flowy_swf.starter import SWFWorkflowStarter as SWFWorkflowStarter
    from flowy_swf.workflow_worker import SWFWorkflowWorker as SWFWorkflowWorker

#: names that workflow code seldom needs, and where they are: imported when used, because they take
#: most of the time, or need pluggy
_LATER = {
    "Execution": "flowy.execution",
    "activity": "flowy.config",
    "is_replaying": "flowy.run",
    "scan": "flowy.config",
    "Engine": "flowy.engine_api",
    "ExecutionInfo": "flowy.engine_api",
    "Observer": "flowy.engine_api",
    "RunInfo": "flowy.engine_api",
    "WorkflowLogger": "flowy.replay",
    "hookimpl": "flowy.hookspecs",
    "engine": "flowy.plugins",
    "engines": "flowy.plugins",
}

#: the modules of these names that need pluggy
_WITH_PLUGGY = {"flowy.hookspecs", "flowy.plugins"}

#: names that the project's own engines offer, and the distributions that bring them
_DISTRIBUTIONS = {
    "LocalWorkflow": "flowy-local",
    "S3Payloads": "flowy-swf",
    "SWFActivityConfig": "flowy-swf",
    "SWFActivityWorker": "flowy-swf",
    "SWFClient": "flowy-swf",
    "SWFRegistrationError": "flowy-swf",
    "SWFWorkflowConfig": "flowy-swf",
    "SWFWorkflowHandle": "flowy-swf",
    "SWFWorkflowStarter": "flowy-swf",
    "SWFWorkflowWorker": "flowy-swf",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return _import(_LATER[name], name)
    if name == "testing":
        # Importing it from here must not look up plugins either.
        from importlib import import_module

        return import_module("flowy.testing")
    plugins = None if name.startswith("_") else _plugins()
    if plugins is not None:
        from flowy.engine_api import load

        reference = plugins.find_name(name)
        if reference is not None:
            return load(reference)
    if name not in _DISTRIBUTIONS:
        raise AttributeError(f"module 'flowy' has no attribute {name!r}")
    distribution = _DISTRIBUTIONS[name]
    if plugins is not None:
        plugins.check_skipped(distribution)
    raise ImportError(
        f"flowy.{name} needs {distribution}: python -m pip install {distribution}", name="flowy"
    )


def __dir__() -> list[str]:
    plugins = _plugins()
    # Without pluggy, those that need it cannot be had.
    later = [name for name in _LATER if plugins or _LATER[name] not in _WITH_PLUGGY]
    offered = plugins.names() if plugins else []
    return sorted({*globals(), "testing", *later, *offered} - {"Any", "TYPE_CHECKING"})


def _import(module: str, name: str) -> Any:
    from importlib import import_module

    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as exc:
        raise ImportError(
            f"flowy.{name} needs pluggy, which comes with every engine: "
            "python -m pip install flowy-local, or 'flowy-core[plugins]' for pluggy alone",
            name="flowy",
        ) from exc


def _plugins() -> "Plugins | None":
    """Return the plugins, or None where there is no pluggy to find them with."""
    try:
        from flowy.plugins import plugins
    except ModuleNotFoundError:
        return None
    return plugins()
