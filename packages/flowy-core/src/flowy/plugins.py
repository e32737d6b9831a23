"""Finding plugins, and one typed method for each hook.

Plugins are looked up once a process, when first needed. See `flowy.hookspecs` for what they are.
"""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

import flowy.hookspecs as hookspecs
from flowy.engine_api import Engine, Observer, RunInfo
from flowy.errors import PluginError, PluginWarning

#: the entry-point group of plugins
GROUP = "flowy"

#: names plugins, or the distributions that bring them, that are not to be loaded; with commas
DISABLE = "FLOWY_DISABLE_PLUGINS"

#: the project's own engines, and what brings them
_DISTRIBUTIONS = {"local": "flowy-local", "swf": "flowy-swf"}


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
    """An entry point and where it comes from."""

    name: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"plugin {self.name!r} of {self.distribution} {self.version}"

    def goes_by(self, names: Iterable[str]) -> bool:
        return self.name in names or self.distribution in names


class Plugins:
    """The plugins of an environment.

    Parameters
    ----------
    found
        the entry points that name them, each with its distribution.
    disabled
        the names of those that are not to be loaded, or of their distributions.

    Raises
    ------
    PluginError
        a plugin has a hook of a name that is none.
    """

    def __init__(self, found: Iterable[EntryPoint], disabled: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager("flowy")
        self._manager.add_hookspecs(hookspecs)
        #: by the names that they have with pluggy
        self._plugins: dict[str, _Plugin] = {}
        #: what is wrong with those that were skipped
        self._skipped: dict[_Plugin, str] = {}
        off = set(disabled)
        for plugin, entry_point in sorted(
            ((_describe(each), each) for each in found),
            key=lambda pair: (pair[0].name, pair[0].distribution),
        ):
            if plugin.goes_by(off):
                self._skipped[plugin] = f"{plugin} is turned off by {DISABLE}"
            else:
                self._load(plugin, entry_point)
        self._engines = [
            InstalledEngine(engine, plugin.distribution, plugin.version)
            for plugin, engine in self._call("flowy_engine", Engine)
        ]

    def engines(self) -> list[InstalledEngine]:
        """Return the engines, by name; raise PluginError if two have the same."""
        for each in self._engines:
            self.engine(each.name)
        return sorted(self._engines, key=lambda each: each.name)

    def engine(self, name: str) -> Engine:
        """Return an engine by name; raise LookupError or PluginError if it cannot be had."""
        found = [each for each in self._engines if each.name == name]
        if found:
            return _only(found, f"bring an engine {name!r}").engine
        self.check_skipped(name)
        raise LookupError(_no_engine(name, sorted({each.name for each in self._engines})))

    def observers(self, run: RunInfo) -> list[Observer]:
        """Return the observers that plugins want for a run."""
        wanted = self._call("flowy_observe", (Observer, type(None)), run=run)
        return [observer for _, observer in wanted if observer is not None]

    def add_commands(self, subcommands: Any) -> None:
        """Have plugins add to the `flowy` command."""
        for _ in self._call("flowy_commands", type(None), subcommands=subcommands):
            pass

    def find_name(self, name: str) -> str | None:
        """Return where a public name is that an engine offers, or None if none does."""
        found = [each for each in self._engines if name in each.engine.names]
        return _only(found, f"offer flowy.{name}").engine.names[name] if found else None

    def names(self) -> list[str]:
        """Return the public names that the engines offer."""
        return sorted({name for each in self._engines for name in each.engine.names})

    def check_skipped(self, name: str) -> None:
        """Raise PluginError if a plugin of this name, or of this distribution, was skipped."""
        for plugin, why in self._skipped.items():
            if plugin.goes_by((name,)):
                raise PluginError(why)

    def _load(self, plugin: _Plugin, entry_point: EntryPoint) -> None:
        # Two distributions may use the same name for their plugins.
        key = f"{plugin.distribution}:{plugin.name}"
        self._plugins[key] = plugin
        try:
            loaded = entry_point.load()
        except Exception as exc:
            self._skip(plugin, "importing it", exc)
            return
        try:
            self._manager.register(loaded, name=key)
        except Exception as exc:
            self._skip(plugin, "registering it", exc)
            return
        for hook in self._manager.get_hookcallers(loaded) or ():
            if not hook.has_spec():
                raise PluginError(_no_hook(plugin, hook.name))

    def _call(
        self, hook: str, expected: type | tuple[type, ...], **arguments: Any
    ) -> Iterator[tuple[_Plugin, Any]]:
        """Call each plugin's implementation; yield what it returns, but skip those that fail."""
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            plugin = self._plugins[implementation.plugin_name]
            try:
                # It may leave out arguments that it does not need.
                answer = implementation.function(
                    *(arguments[name] for name in implementation.argnames)
                )
                if not isinstance(answer, expected):
                    raise TypeError(f"it returned {answer!r}, expected {_named(expected)}")
            except Exception as exc:
                self._skip(plugin, f"{hook}()", exc)
            else:
                yield plugin, answer

    def _skip(self, plugin: _Plugin, doing: str, exc: Exception) -> None:
        message = f"{plugin} is broken: {doing} raised {type(exc).__name__}: {exc}"
        self._skipped[plugin] = message
        warnings.warn(
            f"{message}; it is skipped (mend or remove {plugin.distribution}, or set "
            f"{DISABLE}={plugin.name})",
            PluginWarning,
            stacklevel=2,
        )


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
        its plugin is broken or turned off, or two distributions bring an engine of this name.
    """
    return plugins().engine(name)


def engines() -> list[InstalledEngine]:
    """Return the engines that are installed, by name.

    Raises
    ------
    PluginError
        two distributions bring an engine of the same name.
    """
    return plugins().engines()


def _describe(entry_point: EntryPoint) -> _Plugin:
    distribution = entry_point.dist
    assert distribution is not None
    return _Plugin(entry_point.name, distribution.name, distribution.version)


def _only(found: Sequence[InstalledEngine], what: str) -> InstalledEngine:
    """Return the one; raise PluginError if there are more that do `what`."""
    if len(found) > 1:
        one, other = (each.distribution for each in found[:2])
        raise PluginError(
            f"{one} and {other} both {what}: uninstall one of them, or set {DISABLE}={other}"
        )
    return found[0]


def _named(expected: type | tuple[type, ...]) -> str:
    kinds = expected if isinstance(expected, tuple) else (expected,)
    return " or ".join(
        "None" if kind is type(None) else f"a flowy.{kind.__name__}" for kind in kinds
    )


def _no_hook(plugin: _Plugin, name: str) -> str:
    known = [name for name in dir(hookspecs) if name.startswith("flowy_")]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
    return (
        f"{plugin} has a hook {name!r}, which is none; did you mean {near!r}? Its author has to "
        f"mend it; until then {DISABLE}={plugin.name} turns it off"
    )


def _no_engine(name: str, installed: Sequence[str]) -> str:
    message = f"there is no engine {name!r} (installed: {', '.join(installed) or 'none'})"
    if name in _DISTRIBUTIONS:
        return f"{message}: python -m pip install {_DISTRIBUTIONS[name]}"
    near = difflib.get_close_matches(name, installed, n=1)
    return f"{message}; did you mean {near[0]!r}?" if near else message
