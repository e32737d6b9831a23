"""The modules that the command line names, and what is configured for Amazon SWF in them."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from flowy import arguments
from flowy.arguments import TargetError, load_module
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.commands.call import Call
from flowy_swf.commands.errors import BrokenModuleError
from flowy_swf.worker import Worker
from flowy_swf.workflow_worker import SWFWorkflowWorker

#: the workers, by the option that asks for one
WORKERS: dict[str, type[Worker[Any]]] = {
    "workflows": SWFWorkflowWorker,
    "activities": SWFActivityWorker,
}


def find_workers(call: Call, names: Sequence[str], kinds: Sequence[str]) -> list[Worker[Any]]:
    """Return workers for what the modules hold, those that have something to serve.

    Parameters
    ----------
    call
        the command, which fails if there is nothing.
    names
        of modules or packages, or files.
    kinds
        `workflows`, `activities` or both.
    """
    workers = [WORKERS[kind]() for kind in kinds]
    for name in names:
        module = _load(call, name)
        for worker in workers:
            try:
                worker.scan(module)
            except Exception as exc:
                raise BrokenModuleError(f"{name}: {exc}") from exc
    found = [worker for worker in workers if worker.types]
    if not found:
        call.fail(
            f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} no {' and no '.join(kinds)}"
            " for Amazon SWF: decorate them with a flowy.SWFWorkflowConfig or a "
            "flowy.SWFActivityConfig, and name the modules that define them"
        )
    return found


def _load(call: Call, name: str) -> ModuleType:
    try:
        return load_module(name)
    except TargetError as exc:
        call.fail(str(exc))
    except Exception as exc:
        raise _broken(name, exc) from exc


def _broken(name: str, exc: Exception) -> BrokenModuleError:
    shown = traceback.TracebackException.from_exception(exc)
    shown.stack = traceback.StackSummary.from_list(
        [frame for frame in shown.stack if not _is_not_the_users(frame.filename)]
    )
    text = "".join(shown.format()).rstrip()
    return BrokenModuleError(f"{name} cannot be imported: {type(exc).__name__}: {exc}\n{text}")


def _is_not_the_users(filename: str) -> bool:
    ours = (__file__, arguments.__file__, importlib.__file__)
    return filename in ours or filename.startswith("<frozen importlib")
