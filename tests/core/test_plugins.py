from __future__ import annotations

import inspect
import re
import sys
from argparse import ArgumentParser
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import flowy
import flowy.hookspecs
from flowy.engine_api import RunInfo
from flowy.events import CallId, TimerFired
from flowy.plugins import plugins

if TYPE_CHECKING:
    from tests.conftest import Install, Look

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
HOOKS = [name for name in vars(flowy.hookspecs) if name.startswith("flowy_")]

RUN = RunInfo("1", "ExampleWorkflow", "local")

#: an engine named after the distribution that it is put in
ENGINE = """
    import flowy

    @flowy.hookimpl
    def flowy_engine():
        return flowy.Engine({name!r}, {summary!r}, dict, {names!r})
"""


def engine(name: str, summary: str = "", **names: str) -> str:
    return ENGINE.format(name=name, summary=summary, names=names)


def observe(body: str, arguments: str = "run") -> str:
    return f"""
    import flowy

    @flowy.hookimpl
    def flowy_observe({arguments}):
        {body}
    """


def test_engines_are_listed_by_name_with_their_origin(install: Install, look: Look) -> None:
    install("b-one", engine("zeta", "the last"))
    install("c-two", engine("alpha", "the first"), version="3.0")
    assert [
        (each.name, each.summary, each.distribution, each.version) for each in look().engines()
    ] == [("alpha", "the first", "c-two", "3.0"), ("zeta", "the last", "b-one", "1.2")]


def test_an_engine_is_found_by_name(install: Install, look: Look) -> None:
    install("b-one", engine("zeta", "the last"))
    assert look().engine("zeta") == flowy.Engine("zeta", "the last", dict)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("alhpa", "there is no engine 'alhpa' (installed: alpha, zeta); did you mean 'alpha'?"),
        ("swift", "there is no engine 'swift' (installed: alpha, zeta)"),
        (
            "local",
            "there is no engine 'local' (installed: alpha, zeta): "
            "python -m pip install flowy-local",
        ),
    ],
)
def test_an_engine_that_is_not_there(install: Install, look: Look, name: str, message: str) -> None:
    install("b-one", engine("zeta"))
    install("c-two", engine("alpha"))
    with pytest.raises(LookupError) as caught:
        look().engine(name)
    assert str(caught.value) == message


def test_no_engine_at_all(look: Look) -> None:
    with pytest.raises(LookupError) as caught:
        look().engine("mine")
    assert str(caught.value) == "there is no engine 'mine' (installed: none)"


BROKEN = [
    (
        "raise RuntimeError('out of order')",
        "importing it raised RuntimeError: out of order",
    ),
    (
        "import no_such_module",
        "importing it raised ModuleNotFoundError: No module named 'no_such_module'",
    ),
    (
        """
        import flowy

        @flowy.hookimpl
        def flowy_engine():
            return 1 / 0
        """,
        "flowy_engine() raised ZeroDivisionError: division by zero",
    ),
    (
        """
        import flowy

        @flowy.hookimpl
        def flowy_engine():
            return "an engine"
        """,
        "flowy_engine() raised TypeError: it returned 'an engine', expected a flowy.Engine",
    ),
]


@pytest.mark.parametrize(("source", "what"), BROKEN)
def test_a_broken_plugin_is_skipped_with_a_warning_and_an_error_when_asked_for(
    install: Install, look: Look, source: str, what: str
) -> None:
    install("acme-engine", source, "acme")
    install("b-one", engine("zeta"))
    broken = f"plugin 'acme' of acme-engine 1.2 is broken: {what}"
    with pytest.warns(flowy.PluginWarning) as warned:
        found = look()
    assert [str(each.message) for each in warned] == [
        f"{broken}; it is skipped (mend or remove acme-engine, or set FLOWY_DISABLE_PLUGINS=acme)"
    ]
    assert [each.name for each in found.engines()] == ["zeta"]
    for wanted in ("acme", "acme-engine"):
        with pytest.raises(flowy.PluginError) as caught:
            found.engine(wanted)
        assert str(caught.value) == broken


def test_a_hook_with_an_argument_that_it_does_not_have_makes_a_plugin_broken(
    install: Install, look: Look
) -> None:
    install("acme-engine", observe("return None", "runs"), "acme")
    with pytest.warns(flowy.PluginWarning) as warned:
        look()
    [message] = [str(each.message) for each in warned]
    assert message.startswith(
        "plugin 'acme' of acme-engine 1.2 is broken: registering it raised PluginValidationError: "
    )
    assert "flowy_observe(runs)" in message
    assert message.endswith(
        "; it is skipped (mend or remove acme-engine, or set FLOWY_DISABLE_PLUGINS=acme)"
    )


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [("flowy_engin", "flowy_engine"), ("observe", "flowy_observe"), ("x", "flowy_observe")],
)
def test_a_misspelt_hook_is_an_error(
    install: Install, look: Look, misspelt: str, meant: str
) -> None:
    source = f"""
    import flowy

    @flowy.hookimpl
    def {misspelt}():
        pass
    """
    install("acme-engine", source, "acme")
    with pytest.raises(flowy.PluginError) as caught:
        look()
    assert str(caught.value) == (
        f"plugin 'acme' of acme-engine 1.2 has a hook {misspelt!r}, which is none; did you mean "
        f"{meant!r}? Its author has to mend it; until then FLOWY_DISABLE_PLUGINS=acme turns it off"
    )
    assert look("acme").engines() == []


def test_two_engines_of_one_name_are_an_error_that_names_both(install: Install, look: Look) -> None:
    install("acme-engine", engine("fast"), "fast")
    install("b-one", engine("fast"), "fast")
    install("c-two", engine("alone"))
    found = look()
    message = (
        "acme-engine and b-one both bring an engine 'fast': uninstall one of them, or set "
        "FLOWY_DISABLE_PLUGINS=b-one"
    )
    with pytest.raises(flowy.PluginError) as caught:
        found.engine("fast")
    assert str(caught.value) == message
    with pytest.raises(flowy.PluginError) as caught:
        found.engines()
    assert str(caught.value) == message
    # It is nothing to those who use another.
    assert found.engine("alone").name == "alone"
    assert [each.distribution for each in look("b-one").engines()] == ["c-two", "acme-engine"]


def test_two_engines_that_offer_one_name_are_an_error_that_names_both(
    install: Install, look: Look
) -> None:
    install("acme-engine", engine("fast", MyWorkflow="builtins:dict", Other="builtins:set"))
    install("b-one", engine("quick", MyWorkflow="builtins:list"))
    found = look()
    assert found.names() == ["MyWorkflow", "Other"]
    assert found.find_name("Other") == "builtins:set"
    assert found.find_name("Another") is None
    with pytest.raises(flowy.PluginError) as caught:
        found.find_name("MyWorkflow")
    assert str(caught.value) == (
        "acme-engine and b-one both offer flowy.MyWorkflow: uninstall one of them, or set "
        "FLOWY_DISABLE_PLUGINS=b-one"
    )


@pytest.mark.parametrize("by", ["acme", "acme-engine"])
def test_a_plugin_that_is_turned_off_is_not_imported_and_an_error_when_asked_for(
    install: Install, look: Look, by: str
) -> None:
    install("acme-engine", "raise RuntimeError('imported')", "acme")
    install("a-first", "raise RuntimeError('imported')", "aa")
    found = look("aa", by)
    assert found.engines() == []
    with pytest.raises(flowy.PluginError) as caught:
        found.engine("acme")
    assert str(caught.value) == (
        "plugin 'acme' of acme-engine 1.2 is turned off by FLOWY_DISABLE_PLUGINS"
    )


def test_plugins_are_found_by_entry_point_and_turned_off_by_the_environment(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme-engine", engine("acme"), "acme")
    install("b-one", "raise RuntimeError('imported')")
    install("c-two", "raise RuntimeError('imported')")
    monkeypatch.setenv("FLOWY_DISABLE_PLUGINS", "b_one, c-two")
    found = {each.name: each for each in flowy.engines()}
    assert found["acme"].distribution == "acme-engine"
    # The project's own are found in the same way.
    assert found["local"].distribution == "flowy-local"
    assert found["local"].version == version("flowy-local")
    assert flowy.engine("acme").name == "acme"
    assert plugins() is plugins()


def test_a_plugin_may_be_any_object(install: Install, look: Look) -> None:
    source = """
    import flowy

    class Plugin(dict):  # not hashable
        @flowy.hookimpl
        def flowy_engine(self):
            return flowy.Engine("object", "", dict)

    plugin = Plugin()
    """
    install("acme-engine", source, "acme", "acme_engine:plugin")
    assert [each.name for each in look().engines()] == ["object"]


def test_a_plugin_with_no_hook_at_all_does_nothing(install: Install, look: Look) -> None:
    install("acme-engine", "")
    assert look().engines() == []


def test_a_plugin_observes_the_runs_that_it_wants_to(install: Install, look: Look) -> None:
    install("acme-engine", observe("return flowy.Observer() if run.id == '1' else None"))
    install("b-one", observe("return flowy.Observer()", ""))
    found = look()
    assert [type(each) for each in found.observers(RUN)] == [flowy.Observer] * 2
    assert len(found.observers(RunInfo("2", "ExampleWorkflow", "local"))) == 1


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("raise OSError('no disk')", "flowy_observe() raised OSError: no disk"),
        (
            "return 5",
            "flowy_observe() raised TypeError: it returned 5, expected a flowy.Observer or None",
        ),
    ],
)
def test_a_plugin_that_fails_to_observe_is_skipped_with_a_warning(
    install: Install, look: Look, body: str, what: str
) -> None:
    install("acme-engine", observe(body), "acme")
    install("b-one", observe("return flowy.Observer()"))
    found = look()
    with pytest.warns(flowy.PluginWarning) as warned:
        observers = found.observers(RUN)
    assert [type(each) for each in observers] == [flowy.Observer]
    assert [str(each.message) for each in warned] == [
        f"plugin 'acme' of acme-engine 1.2 is broken: {what}; it is skipped (mend or remove "
        "acme-engine, or set FLOWY_DISABLE_PLUGINS=acme)"
    ]


def test_plugins_add_commands_and_one_that_fails_is_skipped(install: Install, look: Look) -> None:
    source = """
    import flowy

    @flowy.hookimpl
    def flowy_commands(subcommands):
        subcommands.append({what})
    """
    install("acme-engine", source.format(what="1 / 0"), "acme")
    install("b-one", source.format(what="'b'"))
    found = look()
    subcommands: list[Any] = []
    with pytest.warns(flowy.PluginWarning, match=r"flowy_commands\(\) raised ZeroDivisionError"):
        found.add_commands(subcommands)
    assert subcommands == ["b"]


def test_an_observer_of_a_plugin_is_told_of_a_run(install: Install) -> None:
    source = """
    import flowy

    told = []

    class Watch(flowy.Observer):
        def run_ended(self, time):
            told.append("over")

    @flowy.hookimpl
    def flowy_observe(run):
        told.append((run.workflow, run.engine))
        return Watch()
    """
    install("acme-engine", source)

    def answer() -> Any:
        return lambda: 42

    assert flowy.engine("local").workflow(answer).run() == 42
    assert sys.modules["acme_engine"].told == [("answer", "local"), "over"]


def test_the_page_about_plugins_has_the_hooks_as_they_are() -> None:
    signatures = [
        name + str(inspect.signature(getattr(flowy.hookspecs, name))).replace("'", "")
        for name in HOOKS
    ]
    assert re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE) == signatures


def test_the_page_about_plugins_has_a_plugin_for_each_hook_that_works(
    install: Install, look: Look, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, source in enumerate(re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)):
        install(f"acme-{number}", source)
    found = look()
    assert [(each.name, each.engine.names) for each in found.engines()] == [
        ("acme", {"AcmeWorkflow": "acme_flowy.workflow:AcmeWorkflow"})
    ]
    [observer] = found.observers(RUN)
    observer.event(flowy.ExecutionInfo("", "W"), TimerFired(CallId("a", 0)), 1.5)
    parser = ArgumentParser()
    found.add_commands(parser.add_subparsers())
    namespace = parser.parse_args(["acme", "north"])
    assert namespace.run(namespace) == 0
    assert capsys.readouterr().out == (
        "1.500 W : TimerFired(call=CallId(name='a', number=0, attempt=0))\n"
        "the machines of north are idle\n"
    )


def test_the_page_about_plugins_has_the_methods_of_an_observer_as_they_are() -> None:
    methods = [name for name in vars(flowy.Observer) if not name.startswith("_")]
    assert re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE) == methods
