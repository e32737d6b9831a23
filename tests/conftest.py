"""Distributions made up by tests, for whatever looks up plugins."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

import pytest

from flowy.plugins import Plugins, plugins

#: installs a plugin: its distribution, the source of its module, the name and the target of its
#: entry point, its version
Install = Callable[..., None]
#: looks up the plugins among what was installed, and nothing else
Look = Callable[..., Plugins]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder that is as good as `site-packages`."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def install(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    modules = set()

    def install(
        distribution: str,
        source: str | None,
        name: str | None = None,
        target: str | None = None,
        version: str = "1.2",
    ) -> None:
        module = distribution.replace("-", "_")
        information = site / f"{module}-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (information / "entry_points.txt").write_text(
            f"[flowy]\n{name or module} = {target or module}\n"
        )
        if source is not None:
            (site / f"{module}.py").write_text(textwrap.dedent(source))
            modules.add(module)

    monkeypatch.syspath_prepend(site)
    plugins.cache_clear()
    yield install
    plugins.cache_clear()
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def look(site: Path) -> Look:
    def look(*disabled: str) -> Plugins:
        found: list[EntryPoint] = []
        for distribution in distributions(path=[str(site)]):
            found.extend(distribution.entry_points.select(group="flowy"))
        return Plugins(found, disabled)

    return look
