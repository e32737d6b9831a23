"""What `flowy` offers beyond its own names, and what it says of what is not there."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import flowy
from flowy.plugins import Plugins

if TYPE_CHECKING:
    from tests.conftest import Install, Look

#: in front of a script: no pluggy, and no plugin, can be imported
ALONE = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pluggy", "flowy_local", "flowy_swf", "flowy_trace"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
import flowy
"""

NAMES = """
    import flowy

    @flowy.hookimpl
    def flowy_engine():
        return flowy.Engine("acme", "", dict, {"AcmeWorkflow": "acme_engine:AcmeWorkflow"})

    class AcmeWorkflow:
        pass
"""


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def only(look: Look, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make what is installed in the test's folder all there is."""

    def only(*disabled: str) -> None:
        found: Plugins = look(*disabled)
        monkeypatch.setattr("flowy.plugins.plugins", lambda: found)

    return only


def test_importing_flowy_imports_nothing_that_can_wait() -> None:
    heavy = ("pluggy", "boto3", "botocore", "graphviz", "rich", "flowy_local", "asyncio")
    assert run(f"import flowy, sys; print(set({heavy}) & set(sys.modules))") == "set()\n"


def test_looking_up_plugins_imports_nothing_heavy() -> None:
    heavy = ("boto3", "botocore", "graphviz", "rich", "flowy_local.workflow", "flowy_swf.emulator")
    script = f"import flowy, sys; flowy.engines(); print(set({heavy}) & set(sys.modules))"
    assert run(script) == "set()\n"


@pytest.mark.parametrize("name", sorted(flowy._LATER))
def test_a_name_that_can_wait_is_what_its_module_has(name: str) -> None:
    module = importlib.import_module(flowy._LATER[name])
    assert getattr(flowy, name) is getattr(module, name)


def test_every_name_resolves_in_a_fresh_interpreter_and_says_what_it_is() -> None:
    script = """
    import flowy, inspect
    for name in dir(flowy):
        thing = getattr(flowy, name)
        if not (name.startswith("_") or inspect.ismodule(thing) or inspect.getdoc(thing)):
            print(name)
    """
    assert run(textwrap.dedent(script)) == ""


def test_the_names_of_engines_are_names_of_flowy(install: Install, only: Any) -> None:
    install("acme-engine", NAMES)
    only()
    acme = importlib.import_module("acme_engine")
    assert flowy.AcmeWorkflow is acme.AcmeWorkflow
    assert "AcmeWorkflow" in dir(flowy)
    assert "LocalWorkflow" not in dir(flowy)


def test_dir_lists_what_is_installed_and_what_is_there_anyway() -> None:
    names = dir(flowy)
    assert names == sorted(set(names))
    assert {"LocalWorkflow", "Retry", "engine", "hookimpl", "Observer"} <= set(names)
    assert not {"Any", "TYPE_CHECKING"} & set(names)


def test_local_workflow_is_that_of_flowy_local() -> None:
    import flowy_local

    assert flowy.LocalWorkflow is flowy_local.LocalWorkflow


@pytest.mark.parametrize("name", ["LocalWorkflw", "_private", "__wrapped__"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(flowy, name)
    assert str(caught.value) == f"module 'flowy' has no attribute {name!r}"
    with pytest.raises(ImportError, match=f"cannot import name '{name}' from 'flowy'"):
        exec(f"from flowy import {name}")


NEEDS_LOCAL = "flowy.LocalWorkflow needs flowy-local: python -m pip install flowy-local"


def test_a_known_name_whose_distribution_is_missing_says_what_to_install(only: Any) -> None:
    only()
    with pytest.raises(ImportError) as caught:
        flowy.LocalWorkflow  # noqa: B018
    assert str(caught.value) == NEEDS_LOCAL
    with pytest.raises(ImportError) as caught:
        exec("from flowy import LocalWorkflow")
    assert str(caught.value) == NEEDS_LOCAL


def test_a_known_name_whose_plugin_is_broken_says_so(install: Install, only: Any) -> None:
    install("flowy-local", None, "local", "no_such_module")
    with pytest.warns(flowy.PluginWarning):
        only()
    with pytest.raises(flowy.PluginError) as caught:
        flowy.LocalWorkflow  # noqa: B018
    assert str(caught.value) == (
        "plugin 'local' of flowy-local 1.2 is broken: importing it raised ModuleNotFoundError: "
        "No module named 'no_such_module'"
    )


def test_a_known_name_whose_plugin_is_turned_off_says_so(install: Install, only: Any) -> None:
    install("flowy-local", None, "local", "no_such_module")
    only("local")
    with pytest.raises(flowy.PluginError) as caught:
        flowy.LocalWorkflow  # noqa: B018
    assert str(caught.value) == (
        "plugin 'local' of flowy-local 1.2 is turned off by FLOWY_DISABLE_PLUGINS"
    )


def test_without_pluggy_a_workflow_runs_as_plain_python() -> None:
    script = f"""{ALONE}
class Sum:
    def __init__(self, square):
        self.square = square

    def __call__(self, *numbers):
        results = [self.square(n) for n in numbers]
        first = flowy.first(results)
        flowy.wait(first)
        return flowy.parallel_reduce(lambda a, b: a + b, results), first

print(Sum(lambda n: n * n)(2, 10))
"""
    assert run(script) == "(104, 4)\n"


NEEDS_PLUGGY = (
    "flowy.{} needs pluggy, which comes with every engine: python -m pip install flowy-local, or "
    "'flowy-core[plugins]' for pluggy alone"
)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ("flowy.LocalWorkflow", NEEDS_LOCAL),
        ("from flowy import LocalWorkflow", NEEDS_LOCAL),
        ("flowy.engine('local')", NEEDS_PLUGGY.format("engine")),
        ("flowy.engines()", NEEDS_PLUGGY.format("engines")),
        ("flowy.hookimpl", NEEDS_PLUGGY.format("hookimpl")),
    ],
)
def test_without_pluggy_an_engine_says_what_to_install(use: str, message: str) -> None:
    script = f"""{ALONE}
try:
    {use}
except ImportError as exc:
    print(exc)
"""
    assert run(script) == f"{message}\n"


def test_without_pluggy_all_that_dir_lists_is_there() -> None:
    script = f"""{ALONE}
import inspect
names = [name for name, _ in inspect.getmembers(flowy)]
print("Observer" in names, "engine" in names, "LocalWorkflow" in names)
try:
    flowy.no_such_name
except AttributeError as exc:
    print(exc)
"""
    assert run(script) == "True False False\nmodule 'flowy' has no attribute 'no_such_name'\n"


def test_the_package_says_where_its_names_are_for_type_checkers() -> None:
    source = Path(inspect.getsourcefile(flowy) or "").read_text(encoding="utf-8")
    for name in [*flowy._LATER, *flowy._DISTRIBUTIONS]:
        assert f"import {name} as {name}\n" in source, name
