"""`flowy swf register` and `flowy swf worker`: telling the service of code, and running it."""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flowy.arguments import duration, positive
from flowy_swf import checks
from flowy_swf.commands.call import Call, add_command
from flowy_swf.commands.output import show, show_json

if TYPE_CHECKING:
    from flowy_swf.polling import Stop
    from flowy_swf.worker import Worker

_KINDS = ("workflows", "activities")


def add(subcommands: Any) -> None:
    """Add the commands."""
    register = add_command(
        subcommands,
        "register",
        _register,
        "register what modules hold with Amazon SWF",
        "What is registered already is compared, and all differences are told.",
        json="print the types as JSON",
    )
    worker = add_command(
        subcommands,
        "worker",
        _work,
        "run workflows and activities of modules until SIGTERM or Ctrl-C",
        "The types are registered first. After the signal no more tasks are taken, and those that "
        "are under way end; a second signal ends the worker at once.",
        json="print the types as JSON before work begins",
    )
    for parser in (register, worker):
        parser.add_argument(
            "modules",
            metavar="MODULE",
            nargs="+",
            help="a module, a package with all in it, or FILE.py",
        )
        only = parser.add_mutually_exclusive_group()
        for kind in _KINDS:
            only.add_argument(
                f"--{kind}", dest="kinds", action="store_const", const=(kind,), help=f"only {kind}"
            )
        parser.set_defaults(kinds=_KINDS)
        parser.add_argument(
            "--create-domain", action="store_true", help="create the domain unless it is there"
        )
        parser.add_argument(
            "--retention",
            metavar="DAYS",
            type=positive,
            default=30,
            help="for how long a new domain keeps closed executions (default: %(default)s)",
        )
    worker.add_argument(
        "--task-list", metavar="NAME", required=True, help="the task list to take tasks from"
    )
    worker.add_argument(
        "--processes",
        metavar="N",
        type=positive,
        default=1,
        help="how many processes to run (default: %(default)s)",
    )
    worker.add_argument(
        "--threads",
        metavar="N",
        type=positive,
        default=1,
        help="how many decisions and how many activities each of them does at once (default: "
        "%(default)s)",
    )
    worker.add_argument(
        "--grace",
        metavar="SECONDS",
        type=duration,
        help="how long what is under way may take after a signal; by default as long as it takes",
    )
    worker.add_argument(
        "--no-register",
        dest="register",
        action="store_false",
        help="take for granted that the types are registered",
    )


def _register(call: Call) -> int:
    workers = _find(call)
    _tell_the_service(call, workers)
    _show_types(call, workers)
    return 0


def _work(call: Call) -> int:
    from flowy_swf.commands.errors import BrokenModuleError
    from flowy_swf.polling import Stop, stopped_by_signals
    from flowy_swf.processes import supervise
    from flowy_swf.worker import set_up_log

    arguments = call.arguments
    try:
        task_list = checks.name("task list", arguments.task_list)
    except ValueError as exc:
        call.fail(str(exc))
    workers = _find(call)
    set_up_log()
    if arguments.register:
        _tell_the_service(call, workers)
    # Made even if it has nothing to do: settings that allow no client are an error of this command
    # and not of each process. And no connection of it may be open when processes are forked.
    call.client.close()
    if call.json:
        _show_types(call, workers)
    stop = Stop()
    work = functools.partial(
        serve,
        workers=workers,
        domain=call.domain,
        task_list=task_list,
        swf_client=call.make_client,
        register_remote=False,
        threads=arguments.threads,
        grace=arguments.grace,
    )
    with stopped_by_signals(stop):
        call.say(
            f"serving task list {task_list!r} of domain {call.domain!r}: {_counted(workers)}; "
            "Ctrl-C stops it"
        )
        if arguments.processes == 1:
            work(stop)
        else:
            try:
                supervise(work, arguments.processes, stop, arguments.grace)
            except TypeError as exc:
                raise BrokenModuleError(str(exc)) from exc
    return 0


def serve(stop: Stop, workers: Sequence[Worker[Any]], **options: Any) -> None:
    """Run workers side by side in this process until they are to stop, or one of them fails.

    Parameters
    ----------
    stop
        is asked for by whoever wants them to end.
    workers
        what to run.
    options
        what their `run` takes.
    """
    from flowy_swf.polling import next_of

    # Each has a thread, so that this one hears signals. A queue and no lock, because whoever asks
    # for a stop may be a signal handler.
    ends: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run(worker: Worker[Any]) -> None:
        error = None
        try:
            worker.run(**options)
        except BaseException as exc:
            error = exc
        ends.put(error)

    def stop_all() -> None:
        for worker in workers:
            worker.stop()

    for worker in workers:
        threading.Thread(target=run, args=(worker,), daemon=True).start()
    errors = []
    with stop.telling(stop_all):
        for _ in workers:
            error = next_of(ends)
            if error is not None:
                errors.append(error)
                stop_all()
    if errors:
        raise errors[0]


def _find(call: Call) -> list[Worker[Any]]:
    from flowy_swf.commands.modules import find_workers

    return find_workers(call, call.arguments.modules, call.arguments.kinds)


def _tell_the_service(call: Call, workers: Sequence[Worker[Any]]) -> None:
    from flowy_swf.registration import register_domain, register_types

    if call.arguments.create_domain:
        register_domain(call.client, call.domain, call.arguments.retention)
    for worker in workers:
        register_types(call.client, call.domain, worker.types)


def _show_types(call: Call, workers: Sequence[Worker[Any]]) -> None:
    if call.json:
        found: dict[str, Any] = {kind: [] for kind in _KINDS}
        for worker in workers:
            found[_kind(worker)] = [type_name.members for type_name in worker.types]
        show_json({"domain": call.domain, **found})
        return
    for worker in workers:
        for type_name, config in worker.types.items():
            show(f"{config.kind} {type_name} is registered")


def _kind(worker: Worker[Any]) -> str:
    return "activities" if worker.config_class.kind == "activity" else "workflows"


def _counted(workers: Sequence[Worker[Any]]) -> str:
    counts: list[str] = []
    for worker in workers:
        number, kind = len(worker.types), worker.config_class.kind
        many = {"activity": "activities"}.get(kind, f"{kind}s")
        counts.append(f"{number} {kind if number == 1 else many}")
    return " and ".join(counts)
