"""What both kinds of worker are: a registry of types, and pollers."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import ModuleType
from typing import Any, Generic, TypeVar

from flowy.config import scan
from flowy_swf import checks
from flowy_swf.client import as_client, is_ready
from flowy_swf.config import Registration, SWFActivityConfig, SWFWorkflowConfig, TypeName
from flowy_swf.polling import Stop, default_identity, poll_forever, polled, stopped_by_signals
from flowy_swf.processes import supervise
from flowy_swf.registration import register_types
from flowy_swf.slots import serve

ConfigT = TypeVar("ConfigT", SWFActivityConfig, SWFWorkflowConfig)
logger = logging.getLogger("flowy.swf")


class Worker(Generic[ConfigT]):
    """A registry of types and the loop that serves them. Subclasses say which and how."""

    #: the class of configurations that it takes
    config_class: type[ConfigT]

    def __init__(self) -> None:
        self._configs: dict[TypeName, ConfigT] = {}
        self._stop = Stop()

    @property
    def types(self) -> Mapping[TypeName, ConfigT]:
        """The configurations of the types that it serves."""
        return self._configs

    def register(
        self,
        config: ConfigT,
        func: Callable[..., Any],
        version: int | str = 1,
        name: str | None = None,
    ) -> None:
        """Have the worker serve a type. The service is told when the worker runs.

        Parameters
        ----------
        config
            the type's configuration.
        func
            the activity's function, or the workflow's factory.
        version, name
            the type; its name is by default that of `func`.

        Raises
        ------
        ValueError
            it serves this type already.
        """
        if not isinstance(config, self.config_class):
            raise TypeError(f"config must be a {self.config_class.__name__}, not {config!r}")
        if not callable(func):
            raise TypeError(f"what serves a type must be callable, not {func!r}")
        self._register(config, func, config.type_of(func, version, name))

    def scan(self, package: ModuleType | str | None = None) -> None:
        """Register what is decorated in a package and all that is under it, importing it.

        Parameters
        ----------
        package
            a module, its name, or None for the module that calls this.
        """
        if package is None:
            package = sys.modules[sys._getframe(1).f_globals["__name__"]]
        for thing, registration in scan(package):
            if isinstance(registration, Registration) and isinstance(
                registration.config, self.config_class
            ):
                self._register(registration.config, thing, registration.type)

    def _register(self, config: ConfigT, func: Callable[..., Any], type_name: TypeName) -> None:
        if type_name in self._configs:
            raise ValueError(
                f"{config.kind} {type_name} is registered already: give one another name or version"
            )
        self._add(config, func, type_name)
        self._configs[type_name] = config

    def run_forever(
        self,
        domain: str,
        task_list: str,
        swf_client: Any = None,
        setup_log: bool = True,
        register_remote: bool = True,
        identity: str | None = None,
    ) -> None:
        """Serve a task list with one slot until stopped: `run` with one process and one thread.

        Parameters
        ----------
        domain, task_list, swf_client, setup_log, register_remote, identity
            as in `run`.

        Raises
        ------
        SWFRegistrationError
            the types are registered differently.
        """
        self.run(domain, task_list, swf_client, setup_log, register_remote, identity)

    def run(
        self,
        domain: str,
        task_list: str,
        swf_client: Any = None,
        setup_log: bool = True,
        register_remote: bool = True,
        identity: str | None = None,
        processes: int = 1,
        threads: int = 1,
        grace: float | None = None,
    ) -> None:
        """Serve a task list until stopped, by `stop` or a signal.

        Tasks are handled on threads of their own, never on the calling one. A worker has one run at
        a time.

        On the main thread, SIGTERM and SIGINT have no more polls sent, and polls and tasks that are
        under way end first. A second one ends everything at once with KeyboardInterrupt.

        The service holds polls for 60 seconds, and a poll that is broken off may take a task with
        it. So a stop takes up to a minute, and a task more, and what ends workers from outside
        should wait longer than that before it kills them.

        Parameters
        ----------
        domain, task_list
            where to poll.
        swf_client
            a boto3 client, a function that makes one, or None for `flowy.SWFClient()`. With
            several processes each makes its own, so a ready client is refused.
        setup_log
            whether to print warnings of Flowy, unless logging is set up already.
        register_remote
            whether to register the types with the service first.
        identity
            what tells this worker from others in histories, at most 256 characters; by default the
            host and process. With several processes their ids are added.
        processes
            how many processes serve. One is this process. More are started by it, and replaced when
            they crash. On Linux they are forks of it, unless it has other threads; else they are
            new ones, which have to be able to import what is registered.
        threads
            how many tasks each process handles at once. A thread polls while it has none.
        grace
            how many seconds polls and tasks get to end after a stop, or None for no limit. What has
            not ended then is left, and the service has its tasks time out.

        Raises
        ------
        SWFRegistrationError
            the types are registered differently.
        TypeError
            an argument has a wrong type, or the worker cannot be sent to other processes.
        ValueError
            an argument is out of range, or a ready client was given for several processes.
        """
        checks.name("domain", domain)
        checks.name("task list", task_list)
        _check_count("processes", processes)
        _check_count("threads", threads)
        _check_grace(grace)
        _check_identity(identity)
        if processes > 1 and swf_client is not None and is_ready(swf_client):
            raise ValueError(
                "processes cannot share a client: give a function that makes one as swf_client, "
                "such as flowy.SWFClient, or functools.partial(flowy.SWFClient, region_name=...)"
            )
        if setup_log:
            set_up_log()
        client = None
        if processes == 1 or register_remote:
            client = as_client(swf_client)
        if register_remote:
            register_types(client, domain, self._configs, self._stop.wait_to_poll)
        try:
            with stopped_by_signals(self._stop):
                if processes == 1:
                    who = default_identity() if identity is None else identity
                    self._serve(client, domain, task_list, who, threads, grace)
                else:
                    if client is not None:
                        # No connection of it may be open when processes are forked.
                        client.close()
                    work = partial(
                        self._work,
                        swf_client=swf_client,
                        domain=domain,
                        task_list=task_list,
                        identity=identity,
                        threads=threads,
                        grace=grace,
                        setup_log=setup_log,
                    )
                    supervise(work, processes, self._stop, grace)
        finally:
            # Another one, as what was left behind is still told to end.
            self._stop = Stop()

    def break_loop(self) -> bool:
        """Return whether to end the loop before the next poll; override it."""
        return False

    def stop(self) -> None:
        """End the run: send no more polls, and handle what polls that are under way bring.

        It may be called from any thread and from signal handlers, and returns at once. Before a run
        it has that one end as soon as it begins.
        """
        self._stop.stop_polling()

    def _work(
        self,
        stop: Stop,
        *,
        swf_client: Any,
        domain: str,
        task_list: str,
        identity: str | None,
        threads: int,
        grace: float | None,
        setup_log: bool,
    ) -> None:
        """Serve in a process of its own until `stop` is asked for."""
        if setup_log:
            set_up_log()
        self._stop = stop
        # The end tells the processes apart, so a long identity loses its beginning's last part.
        number = f":{os.getpid()}"
        identity = (
            default_identity() if identity is None else identity[: 256 - len(number)] + number
        )
        self._serve(as_client(swf_client), domain, task_list, identity, threads, grace)

    def _serve(
        self,
        client: Any,
        domain: str,
        task_list: str,
        identity: str,
        threads: int,
        grace: float | None,
    ) -> None:
        def poll() -> dict[str, Any] | None:
            return polled(self._poll(client, domain, task_list, identity))

        def handle(task: dict[str, Any]) -> None:
            self._handle(client, domain, task_list, identity, task)

        def slot() -> None:
            poll_forever(poll, handle, self._stop, self.break_loop)

        with self._serving(threads):
            serve(slot, threads, self._stop, grace)

    def _serving(self, threads: int) -> AbstractContextManager[None]:
        """Return what has to be entered while so many slots of this process work."""
        return nullcontext()

    def _add(self, config: ConfigT, func: Callable[..., Any], type_name: TypeName) -> None:
        """Keep what is registered; raise if it cannot be served."""
        raise NotImplementedError

    def _poll(self, client: Any, domain: str, task_list: str, identity: str) -> dict[str, Any]:
        """Make one poll; return the service's answer."""
        raise NotImplementedError

    def _handle(
        self, client: Any, domain: str, task_list: str, identity: str, task: dict[str, Any]
    ) -> None:
        """Deal with a task."""
        raise NotImplementedError


def set_up_log() -> None:
    """Print warnings of Flowy, unless logging is set up already."""
    flowy_logger = logging.getLogger("flowy")
    if not flowy_logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handler.setLevel(logging.WARNING)
        flowy_logger.addHandler(handler)


def _check_count(what: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be an int, not {value!r}")
    if value < 1:
        raise ValueError(f"{what} must be at least 1, not {value!r}")


def _check_grace(value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"grace must be a number of seconds or None, not {value!r}")
    if not 0 <= value <= threading.TIMEOUT_MAX:
        raise ValueError(f"grace must be a number of seconds, 0 or more, not {value!r}")


def _check_identity(value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise TypeError(f"identity must be a str or None, not {value!r}")
    if not 1 <= len(value) <= 256:
        raise ValueError(f"identity must have 1 to 256 characters, not {len(value)}: {value!r}")
