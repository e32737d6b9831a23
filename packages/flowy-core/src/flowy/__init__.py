"""Flowy: workflows as plain, single-threaded Python.

Tasks are given to a workflow by name, from outside. Calling one returns a stand-in for its result
at once, so that what does not depend on each other runs in parallel.
"""

from typing import TYPE_CHECKING, Any

from flowy._version import __version__ as __version__
from flowy.activity import heartbeat as heartbeat
from flowy.config import activity as activity
from flowy.config import scan as scan
from flowy.errors import DependencyError as DependencyError
from flowy.errors import NonDeterminismError as NonDeterminismError
from flowy.errors import SuspendTask as SuspendTask
from flowy.errors import TaskCancelled as TaskCancelled
from flowy.errors import TaskError as TaskError
from flowy.errors import TaskTimedout as TaskTimedout
from flowy.execution import Execution as Execution
from flowy.operations import finish_order as finish_order
from flowy.operations import first as first
from flowy.operations import parallel_reduce as parallel_reduce
from flowy.operations import restart as restart
from flowy.result import ResultProxy as ResultProxy
from flowy.result import is_result_proxy as is_result_proxy
from flowy.result import wait as wait
from flowy.retry import Retry as Retry

if TYPE_CHECKING:
    from flowy_local import LocalWorkflow as LocalWorkflow

#: public names of engines: where they are, and in which distribution
_ENGINES = {"LocalWorkflow": ("flowy_local", "flowy-local")}


def __getattr__(name: str) -> Any:
    if name in _ENGINES:
        from importlib import import_module

        module, distribution = _ENGINES[name]
        try:
            return getattr(import_module(module), name)
        except ModuleNotFoundError as exc:
            if exc.name != module:
                raise
            raise ImportError(
                f"flowy.{name} needs {distribution}: python -m pip install {distribution}",
                name=module,
            ) from None
    raise AttributeError(f"module 'flowy' has no attribute {name!r}")
