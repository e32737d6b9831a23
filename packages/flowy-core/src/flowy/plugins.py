"""Finding plugins, and one typed method for each hook.

Plugins are looked up once a process, when first needed. See `flowy.hookspecs` for what they are.
"""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from flowy import hookspecs
from flowy.engine_api import Engine, Observer, RunInfo, load

#: the entry-point group of plugins
GROUP = "flowy"

#: names plugins, separated by commas, that are not to be loaded
DISABLE = "FLOWY_DISABLE_PLUGINS"


class PluginError(Exception):
    """A plugin is broken, or plugins contradict each other."""


class PluginWarning(UserWarning):
    """A plugin is broken and was skipped."""


@dataclass(frozen=True, slots=True)
class InstalledEngine:
    """An engine and where it comes from."""

    engine: Engine
    #: the distribution that brings it
    distribution: str
    #: of the distribution
    version: str

    @property
    def name(self) -> str:
        """The engine's name."""
        return self.engine.name

    @property
    def summary(self) -> str:
        """A line about the engine."""
        return self.engine.summary


@dataclass(frozen=True, slots=True)
class _Plugin:
    name: str
    distribution: str
    version: str


class Plugins:
    """The plugins of this environment.

    Parameters
    ----------
    found
        the entry points that name them.
    disabled
        the names of those that are not to be loaded.
    """

    def __init__(self, found: Iterable[EntryPoint], disabled: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager("flowy")
        self._manager.add_hookspecs(hookspecs)
        self._plugins: dict[Any, _Plugin] = {}
        #: what is wrong with those that were skipped, by plugin name
        self._broken: dict[str, str] = {}
        skip = set(disabled)
        for entry_point in sorted(found, key=lambda each: each.name):
            if entry_point.name not in skip:
                self._load(entry_point)
        self._engines = self._installed_engines()

    def engines(self) -> list[InstalledEngine]:
        """Return the engines, by name."""
        return [self._engines[name] for name in sorted(self._engines)]

    def engine(self, name: str) -> Engine:
        """Return an engine by name; raise LookupError or PluginError if it cannot be had."""
        found = self._engines.get(name)
        if found is not None:
            return found.engine
        if name in self._broken:
            raise PluginError(self._broken[name])
        raise LookupError(_no_engine(name, sorted(self._engines)))

    def observers(self, run: RunInfo) -> list[Observer]:
        """Return the observers that plugins want for a run."""
        observers: list[Observer] = []
        for implementation in self._manager.hook.flowy_observe.get_hookimpls():
            try:
                observer: Any = implementation.function(*[run for _ in implementation.argnames])
            except Exception as exc:
                self._skip(self._plugins[implementation.plugin], "flowy_observe()", exc)
            else:
                if observer is not None:
                    observers.append(observer)
        return observers

    def add_commands(self, subcommands: Any) -> None:
        """Have plugins add to the `flowy` command."""
        self._manager.hook.flowy_commands(subcommands=subcommands)

    def find_name(self, name: str) -> Callable[[], Any] | None:
        """Return what loads a public name that an engine offers, or None if none does."""
        for installed in self._engines.values():
            reference = installed.engine.names.get(name)
            if reference is not None:
                return lambda: load(reference)
        return None

    def names(self) -> list[str]:
        """Return the public names that the engines offer."""
        return sorted({name for each in self._engines.values() for name in each.engine.names})

    def _load(self, entry_point: EntryPoint) -> None:
        distribution = entry_point.dist
        info = _Plugin(
            entry_point.name,
            "an unknown distribution" if distribution is None else distribution.name,
            "?" if distribution is None else distribution.version,
        )
        try:
            plugin = entry_point.load()
        except Exception as exc:
            self._skip(info, "importing it", exc)
            return
        self._check_names(plugin, info)
        try:
            self._manager.register(plugin, name=entry_point.name)
        except Exception as exc:
            self._skip(info, "registering it", exc)
            return
        self._plugins[plugin] = info

    def _check_names(self, plugin: Any, info: _Plugin) -> None:
        """Raise PluginError if the plugin has a hook of a name that is none."""
        known = [name for name in dir(hookspecs) if name.startswith("flowy_")]
        for name in dir(plugin):
            marked = self._manager.parse_hookimpl_opts(plugin, name) is not None
            if marked and name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
                raise PluginError(
                    f"plugin {info.name!r} of {info.distribution} has a hook {name!r}, which is "
                    f"none; did you mean {near!r}? Its author has to mend it; until then "
                    f"{DISABLE}={info.name} turns it off"
                )

    def _skip(self, info: _Plugin, doing: str, exc: Exception) -> None:
        message = (
            f"plugin {info.name!r} of {info.distribution} {info.version} is broken: {doing} raised "
            f"{type(exc).__name__}: {exc}"
        )
        self._broken[info.name] = message
        warnings.warn(
            f"{message}; it is skipped (mend or remove {info.distribution}, or set "
            f"{DISABLE}={info.name})",
            PluginWarning,
            stacklevel=2,
        )

    def _installed_engines(self) -> dict[str, InstalledEngine]:
        engines: dict[str, InstalledEngine] = {}
        for implementation in self._manager.hook.flowy_engine.get_hookimpls():
            info = self._plugins[implementation.plugin]
            try:
                engine = implementation.function()
                if not isinstance(engine, Engine):
                    raise TypeError(f"expected a flowy.Engine, not {engine!r}")
            except Exception as exc:
                self._skip(info, "flowy_engine()", exc)
                continue
            other = engines.get(engine.name)
            if other is not None:
                raise PluginError(
                    f"{other.distribution} and {info.distribution} both bring an engine "
                    f"{engine.name!r}: uninstall one of them, or turn its plugin off with {DISABLE}"
                )
            engines[engine.name] = InstalledEngine(engine, info.distribution, info.version)
        return engines


@cache
def plugins() -> Plugins:
    """Return the plugins of this environment."""
    disabled = [name.strip() for name in os.environ.get(DISABLE, "").split(",")]
    return Plugins(entry_points(group=GROUP), disabled)


def engine(name: str) -> Engine:
    """Return the engine of this name.

    Raises
    ------
    LookupError
        none of this name is installed.
    PluginError
        its plugin is broken.
    """
    return plugins().engine(name)


def engines() -> list[InstalledEngine]:
    """Return the engines that are installed, by name."""
    return plugins().engines()


def _no_engine(name: str, installed: Sequence[str]) -> str:
    there = f"installed: {', '.join(installed)}" if installed else "none is installed"
    return f"there is no engine {name!r} ({there}); python -m pip install flowy-{name} may help"
