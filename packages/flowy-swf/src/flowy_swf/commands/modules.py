"""The modules that the command line names, and what is configured for Amazon SWF in them."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType
from typing import Any

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
            "flowy.SWFActivityConfig"
        )
    return found


def _load(call: Call, name: str) -> ModuleType:
    if name.endswith(".py"):
        return _load_file(call, name)
    if not all(part.isidentifier() for part in name.split(".")):
        call.fail(f"{name!r} is neither a module nor a file that ends in .py")
    try:
        return _import(os.getcwd(), name)
    except ModuleNotFoundError as exc:
        # A module that is there may import one that is not.
        if exc.name is not None and f"{name}.".startswith(f"{exc.name}."):
            call.fail(f"there is no module {name!r}, neither here nor among what is installed")
        raise _broken(name, exc) from exc
    except Exception as exc:
        raise _broken(name, exc) from exc


def _load_file(call: Call, path: str) -> ModuleType:
    if not os.path.isfile(path):
        call.fail(f"there is no file {path!r}")
    folder, file = os.path.split(os.path.abspath(path))
    name = file.removesuffix(".py")
    if "." in name:
        call.fail(f"{file!r} cannot be imported: rename it, with no dot but that of '.py'")
    try:
        module = _import(folder, name)
    except Exception as exc:
        raise _broken(path, exc) from exc
    if not os.path.samefile(getattr(module, "__file__", None) or os.devnull, path):
        call.fail(f"{path!r} cannot be imported: there is another module {name!r}; rename the file")
    return module


def _import(folder: str, name: str) -> ModuleType:
    # It stays there, for worker processes that have to import it anew.
    if folder not in sys.path[:1]:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def _broken(name: str, exc: Exception) -> BrokenModuleError:
    shown = traceback.TracebackException.from_exception(exc)
    shown.stack = traceback.StackSummary.from_list(
        [frame for frame in shown.stack if not _is_not_the_users(frame.filename)]
    )
    text = "".join(shown.format()).rstrip()
    return BrokenModuleError(f"{name} cannot be imported: {type(exc).__name__}: {exc}\n{text}")


def _is_not_the_users(filename: str) -> bool:
    return filename in (__file__, importlib.__file__) or filename.startswith("<frozen importlib")
