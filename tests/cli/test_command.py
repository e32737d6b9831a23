"""The `flowy` command itself."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import flowy
from flowy.cli import CommandParser, main

if TYPE_CHECKING:
    from tests.cli.conftest import Flowy
    from tests.conftest import Install

ALONE = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "pluggy":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""

ENGINE = """
import flowy

@flowy.hookimpl
def flowy_engine():
    return flowy.Engine("acme", "across the road", dict)

@flowy.hookimpl
def flowy_commands(subcommands):
    parser = subcommands.add_parser("greet", help="say hello")
    parser.add_argument("name")
    parser.set_defaults(run=greet)

def greet(namespace):
    if namespace.name == "Ctrl-C":
        raise KeyboardInterrupt
    print("hello", namespace.name)
    return 3
"""


def test_engines_lists_them_in_columns(
    install: Install, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme-engine", ENGINE, "acme")
    monkeypatch.setenv("FLOWY_DISABLE_PLUGINS", "flowy-swf,flowy-trace")
    assert main(["engines"]) == 0
    local = version("flowy-local")
    assert capsys.readouterr().out == (
        "acme   acme-engine 1.2    across the road\n"
        f"local  flowy-local {local}  threads or processes of this machine, or any "
        "concurrent.futures executor\n"
    )


def test_engines_says_what_to_install_where_there_is_none(
    install: Install, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowy.plugins.entry_points", lambda group: [])
    assert main(["engines"]) == 1
    assert capsys.readouterr() == (
        "",
        "flowy: no engine was found: python -m pip install flowy-local\n",
    )


def test_version_lists_the_family_and_what_has_plugins_even_broken_ones(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("acme-engine", "1 / 0", "acme")
    with pytest.raises(SystemExit) as exited:
        main(["--version"])
    assert exited.value.code == 0
    family = ("flowy-core", "flowy-local", "flowy-swf", "flowy-trace")
    lines = ["acme-engine 1.2", *(f"{name} {version(name)}" for name in family)]
    assert capsys.readouterr() == ("".join(f"{line}\n" for line in lines), "")


def test_a_plugin_adds_a_command_whose_status_is_that_of_flowy(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("acme-engine", ENGINE, "acme")
    assert main(["greet", "Ada"]) == 3
    assert capsys.readouterr() == ("hello Ada\n", "")


def test_ctrl_c_is_status_130(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("acme-engine", ENGINE, "acme")
    assert main(["greet", "Ctrl-C"]) == 130
    assert capsys.readouterr() == ("", "flowy: interrupted\n")


def test_what_a_command_does_not_know_is_a_wrong_call(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("acme-engine", ENGINE, "acme")
    with pytest.raises(SystemExit) as exited:
        main(["greet", "Ada", "--loud", "2"])
    assert exited.value.code == 2
    assert capsys.readouterr() == (
        "",
        "usage: flowy [-h] [--version] COMMAND ...\n"
        "flowy: error: unrecognized arguments: --loud 2\n",
    )


def test_no_command_prints_help_and_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: flowy [-h] [--version] COMMAND ...\n")
    for line in (
        "    engines   list the engines that are installed\n",
        "    run       run a workflow and print its result\n",
        "    swf       Amazon SWF\n",
    ):
        assert line in err


def test_help_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["--help"])
    assert exited.value.code == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: flowy [-h] [--version] COMMAND ...\n")
    assert err == ""


def test_plugins_in_disorder_are_an_error_without_a_traceback(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("acme-engine", "import flowy\n@flowy.hookimpl\ndef flowy_engin(): pass", "acme")
    assert main(["engines"]) == 1
    assert capsys.readouterr() == (
        "",
        "flowy: error: plugin 'acme' of acme-engine 1.2 has a hook 'flowy_engin', which is none; "
        "did you mean 'flowy_engine'? Its author has to mend it; until then "
        "FLOWY_DISABLE_PLUGINS=acme turns it off\n",
    )


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (["engines"], 1, "flowy: no engine was found: python -m pip install flowy-local\n"),
        (
            ["run", "flows.py:echo", "1", "--json"],
            2,
            "flowy: error: 'flowy run' needs flowy-local: python -m pip install flowy-local\n",
        ),
        (
            ["swf", "emulator"],
            2,
            "flowy: error: 'flowy swf' needs flowy-swf: python -m pip install flowy-swf\n",
        ),
    ],
)
def test_flowy_core_alone_says_what_to_install(
    flowy_command: Flowy, arguments: list[str], status: int, error: str
) -> None:
    done = flowy_command(*arguments, before=ALONE)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", error)


def test_flowy_core_alone_lists_the_commands_and_what_they_need(flowy_command: Flowy) -> None:
    done = flowy_command("--help", before=ALONE)
    assert done.returncode == 0
    for name, needs in (("run  ", "flowy-local"), ("swf  ", "flowy-swf"), ("trace", "flowy-trace")):
        assert f"    {name}     needs {needs}\n" in done.stdout
    assert flowy_command("--version", before=ALONE).stdout.startswith(
        f"flowy-core {flowy.__version__}\n"
    )


def test_a_command_whose_plugin_is_turned_off_says_so(flowy_command: Flowy) -> None:
    done = flowy_command("run", "flows:echo", FLOWY_DISABLE_PLUGINS="local")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"flowy: error: plugin 'local' of flowy-local {version('flowy-local')} is turned off by "
        "FLOWY_DISABLE_PLUGINS\n"
    )


def test_a_reader_that_has_gone_is_no_traceback(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "flowy", "engines"], stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(os.name != "posix", reason="there is no other way to start without a stdout")
def test_a_closed_stdout_is_no_error(folder: Path) -> None:
    command = f'"{sys.executable}" -m flowy engines >&-'
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")


def test_importing_the_main_module_runs_nothing() -> None:
    assert importlib.import_module("flowy.__main__").main is main


def test_arguments_may_be_intermixed_with_options_where_a_command_says_so() -> None:
    parser = CommandParser(prog="x", intermixed=True)
    parser.add_argument("first")
    parser.add_argument("more", nargs="*")
    parser.add_argument("--flag", action="store_true")
    for _ in range(2):
        namespace = parser.parse_args(["1", "--flag", "2", "-3"])
        assert vars(namespace) == {"first": "1", "more": ["2", "-3"], "flag": True}


def test_options_cannot_be_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    parser = CommandParser(prog="x")
    parser.add_argument("--flag", action="store_true")
    with pytest.raises(SystemExit):
        parser.parse_args(["--fla"])
    assert (
        capsys.readouterr().err
        == "usage: x [-h] [--flag]\nx: error: unrecognized arguments: --fla\n"
    )


def test_the_emulator_is_a_command_that_serves_until_ctrl_c(folder: Path) -> None:
    command = [sys.executable, "-m", "flowy", "swf", "emulator"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests are a job in the background, Ctrl-C is ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("http://127.0.0.1:")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "", "")


def test_swf_without_a_command_is_a_wrong_call(flowy_command: Flowy) -> None:
    done = flowy_command("swf")
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "usage: flowy swf [-h] COMMAND ...\n"
        "flowy swf: error: the following arguments are required: COMMAND\n",
    )
