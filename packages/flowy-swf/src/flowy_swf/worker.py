"""What both kinds of worker are: a registry of types, and pollers."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Generic, TypeVar

from flowy.config import scan
from flowy_swf import checks
from flowy_swf.client import as_client
from flowy_swf.config import Registration, SWFActivityConfig, SWFWorkflowConfig, TypeName
from flowy_swf.polling import Stop, default_identity, poll_forever, polled, stopped_by_signals
from flowy_swf.registration import register_types

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
        """Serve a task list on this thread until stopped.

        Parameters
        ----------
        domain, task_list
            where to poll.
        swf_client
            a boto3 client; by default `SWFClient()`.
        setup_log
            whether to print warnings of Flowy, unless logging is set up already.
        register_remote
            whether to register the types with the service first.
        identity
            what tells this worker from others in histories; by default the host and process.

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
        threads: int = 1,
    ) -> None:
        """Serve a task list with several threads until stopped; see `run_forever`.

        Parameters
        ----------
        threads
            how many tasks are handled at once.
        """
        checks.name("domain", domain)
        checks.name("task list", task_list)
        if setup_log:
            set_up_log()
        client = as_client(swf_client)
        if register_remote:
            register_types(client, domain, self._configs, self._stop.wait_to_poll)
        identity = identity or default_identity()
        with stopped_by_signals(self._stop):
            others = [
                threading.Thread(
                    target=self._serve,
                    args=(client, domain, task_list, identity),
                    name=f"flowy-swf-{number}",
                    # Only so that a second signal need not wait for polls that are held.
                    daemon=True,
                )
                for number in range(1, threads)
            ]
            try:
                for thread in others:
                    thread.start()
                self._serve(client, domain, task_list, identity)
            finally:
                self._stop.stop_polling()
                if not self._stop.ends_everything:
                    for thread in others:
                        thread.join()
                    self._stop.clear()

    def break_loop(self) -> bool:
        """Return whether to end the loop before the next poll; override it."""
        return False

    def stop(self) -> None:
        """End the loop: send no more polls, and handle what polls that are under way bring."""
        self._stop.stop_polling()

    def _serve(self, client: Any, domain: str, task_list: str, identity: str) -> None:
        def poll() -> dict[str, Any] | None:
            return polled(self._poll(client, domain, task_list, identity))

        def handle(task: dict[str, Any]) -> None:
            self._handle(client, domain, task_list, identity, task)

        poll_forever(poll, handle, self._stop, self.break_loop)

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
