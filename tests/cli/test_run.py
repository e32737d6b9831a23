"""`flowy run`."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowy.errors import TaskTimedout
from flowy_local.report import report

if TYPE_CHECKING:
    from tests.cli.conftest import Flowy


def lines(*parts: str) -> str:
    return "".join(f"{part}\n" for part in parts)


@pytest.mark.parametrize(
    "target", ["flows:SumOfSquares", "flows.py:SumOfSquares", "flows.py:configured"]
)
@pytest.mark.parametrize("options", [[], ["--activity-workers", "1"], ["--executor", "processes"]])
def test_the_result_goes_to_stdout_and_all_else_to_stderr(
    flowy_command: Flowy, target: str, options: list[str]
) -> None:
    done = flowy_command("run", target, "2", *options)
    assert (done.returncode, done.stdout) == (0, "104\n")
    # Two processes that print at once may mix their letters.
    assert sorted(done.stderr) == sorted(lines("squaring 2", "squaring 10"))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("target", ["flows.py:SumOfSquares", "flows:SumOfSquares"])
@pytest.mark.parametrize("entry", ["script", "module"])
def test_worker_processes_find_the_activities(
    flowy_command: Flowy, folder: Path, target: str, method: str, entry: str
) -> None:
    flows = folder / "flows.py"
    flows.write_text(
        f"{flows.read_text()}\nimport multiprocessing\n"
        f"multiprocessing.set_start_method({method!r}, force=True)\n"
    )
    script = Path(sys.executable).parent / "flowy"
    command = [str(script)] if entry == "script" else [sys.executable, "-m", "flowy"]
    done = subprocess.run(
        [*command, "run", target, "2", "--executor", "processes"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "104\n"), done.stderr


@pytest.mark.parametrize(("options", "here"), [([], True), (["--executor", "processes"], False)])
def test_the_executor_can_be_chosen(flowy_command: Flowy, options: list[str], here: bool) -> None:
    done = flowy_command("run", "flows.py:processes", *options)
    assert (done.returncode, done.stdout) == (0, f"{here}\n")


def test_a_file_of_another_folder_finds_its_neighbours(flowy_command: Flowy, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "neighbour.py").write_text("answer = 42\n")
    (folder / "sub" / "my-flow.py").write_text(
        "import neighbour\ndef factory():\n    return lambda: neighbour.answer\n"
    )
    done = flowy_command("run", "sub/my-flow.py:factory")
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")


def test_arguments_are_json_or_else_strings(flowy_command: Flowy) -> None:
    arguments = ["1", "-2.5", '{"a": [null]}', "plain text", '"1"', "NaN", "true", "[1"]
    done = flowy_command("run", "flows:Holder.inner", *arguments, "--kw", "a=1", "--kw", "b=x=y")
    assert (done.returncode, done.stderr) == (0, "echoing\n")
    assert done.stdout == (
        "([1, -2.5, {'a': [None]}, 'plain text', '1', 'NaN', True, '[1'], {'a': 1, 'b': 'x=y'})\n"
    )


def test_options_may_stand_between_arguments(flowy_command: Flowy) -> None:
    done = flowy_command("run", "flows:echo", "1", "--json", "2", "--kw", "a=1", "--", "--3", "-4")
    assert json.loads(done.stdout) == [[1, 2, "--3", -4], {"a": 1}]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("(1, [2.5, None], {'a': 'é'})", '[1, [2.5, null], {"a": "\\u00e9"}]'),
        ("{'when': datetime.date(2020, 1, 2)}", '{"when": {" date": "2020-01-02"}}'),
        ("{1: 2}", '{"1": 2}'),
    ],
)
def test_a_result_as_json(flowy_command: Flowy, folder: Path, value: str, written: str) -> None:
    (folder / "one.py").write_text(f"import datetime\ndef f():\n    return lambda: {value}\n")
    done = flowy_command("run", "one:f", "--json")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{written}\n")


@pytest.mark.parametrize("value", ["float('nan')", "{(1, 2): 3}"])
def test_a_result_that_json_has_no_form_for_is_written_as_flowy_does(
    flowy_command: Flowy, folder: Path, value: str
) -> None:
    from flowy.serialization import codec

    (folder / "one.py").write_text(f"def f():\n    return lambda: {value}\n")
    done = flowy_command("run", "one:f", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert repr(codec("json").load_value(done.stdout)) == repr(eval(value))


def test_a_failed_task_is_told_shortly_with_its_traceback(
    flowy_command: Flowy, folder: Path
) -> None:
    for options in ([], ["--executor", "processes"]):
        done = flowy_command("run", "flows.py:SumOfSquares", "bad", *options)
        assert (done.returncode, done.stdout) == (1, "")
        assert (
            lines(
                "flowy run: error: flows.py:SumOfSquares failed: square-0-0 failed: ValueError: "
                "no square of that",
                "",
                "where the task ran:",
                "Traceback (most recent call last):",
                f'  File "{folder / "flows.py"}", line 9, in square',
                '    raise ValueError("no square of that")',
            )
            in done.stderr
        )
        assert done.stderr.count("Traceback") == 1
        assert "flowy_local" not in done.stderr


def test_a_task_that_timed_out_has_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    report("one:f failed", TaskTimedout("it took more than 2 s", call="stuck-0-0"))
    assert capsys.readouterr() == (
        "",
        "flowy run: error: one:f failed: stuck-0-0 timed out: it took more than 2 s\n",
    )


def test_an_error_in_workflow_code_is_shown_with_the_users_frames_only(
    flowy_command: Flowy, folder: Path
) -> None:
    (folder / "one.py").write_text(
        "def f():\n    return helper\n"
        "def helper(n):\n"
        "    try:\n        n / 0\n    except ZeroDivisionError as exc:\n"
        "        raise LookupError('no way') from exc\n"
    )
    done = flowy_command("run", "one:f", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("flowy run: error: one:f failed: LookupError: no way\n")
    assert done.stderr.count("Traceback") == 2
    assert f'File "{folder / "one.py"}", line 7, in helper' in done.stderr
    assert "flowy_local" not in done.stderr


def test_a_call_with_wrong_arguments_has_no_traceback(flowy_command: Flowy) -> None:
    done = flowy_command("run", "flows:SumOfSquares")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("__call__() missing 1 required positional argument: 'a'\n")
    assert done.stderr.startswith("flowy run: error: flows:SumOfSquares failed: TypeError: ")
    assert done.stderr.count("\n") == 1


def test_a_workflow_that_exits_has_failed(flowy_command: Flowy, folder: Path) -> None:
    (folder / "one.py").write_text("import sys\ndef f():\n    return lambda: sys.exit(0)\n")
    done = flowy_command("run", "one:f")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("flowy run: error: one:f failed: SystemExit: 0\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["flows.py"], "'flows.py' names no workflow; expected MODULE:NAME or FILE.py:NAME"),
        (["flows:"], "'flows:' names no workflow; expected MODULE:NAME or FILE.py:NAME"),
        (["no.py:f"], "there is no file 'no.py'"),
        (
            ["flos:f"],
            "there is no module 'flos', neither here nor among what is installed",
        ),
        (
            ["flows.sub:f"],
            "there is no module 'flows.sub', neither here nor among what is installed",
        ),
        (["./flows:f"], "'./flows' is neither a module nor a file that ends in .py"),
        (["a.b.py:f"], "'a.b.py' cannot be imported: rename it, with no dot but that of '.py'"),
        (
            ["sub/json.py:f"],
            "'sub/json.py' cannot be imported: there is another module 'json'; rename the file",
        ),
        (
            ["sub/sys.py:f"],
            "'sub/sys.py' cannot be imported: there is another module 'sys'; rename the file",
        ),
        (
            ["flows.py:SumOfSquare"],
            "flows.py has no 'SumOfSquare'; did you mean 'SumOfSquares'?",
        ),
        (["flows:zzz"], "flows has no 'zzz'"),
        (
            ["flows.py:number"],
            "flows.py:number is 5; expected a configured workflow, such as a "
            "flowy.LocalWorkflow, or a workflow's factory",
        ),
        (
            ["needs.py:f"],
            "f needs 'b', not configured: add conf_activity(name, ...) or conf_workflow(name, "
            "...) for each, or mark functions of needs with @flowy.activity()",
        ),
        (
            ["flows:elsewhere", "--activity-workers", "2"],
            "--executor, --activity-workers and --progress are for a flowy.LocalWorkflow, and "
            "flows:elsewhere is <elsewhere>",
        ),
    ],
)
def test_a_wrong_call_is_status_2_and_one_line(
    flowy_command: Flowy, folder: Path, arguments: list[str], error: str
) -> None:
    (folder / "sub").mkdir()
    for name in ("a.b.py", "sub/json.py", "sub/sys.py"):
        (folder / name).touch()
    (folder / "needs.py").write_text("def f(b):\n    return b\n")
    done = flowy_command("run", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"flowy run: error: {error}\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["f", "--kw", "a"], "argument --kw: 'a' is not of the form NAME=VALUE"),
        (["f", "--kw", "1=2"], "argument --kw: '1=2' is not of the form NAME=VALUE"),
        (
            ["f", "--activity-workers", "0"],
            "argument --activity-workers: '0' is no whole number above 0",
        ),
        (
            ["f", "--activity-workers", "many"],
            "argument --activity-workers: 'many' is no whole number above 0",
        ),
        ([], "the following arguments are required: WORKFLOW"),
    ],
)
def test_a_wrong_option_is_status_2(flowy_command: Flowy, arguments: list[str], error: str) -> None:
    done = flowy_command("run", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    usage, _, message = done.stderr.partition("flowy run: error: ")
    assert usage.startswith("usage: flowy run [-h] ")
    assert message == f"{error}\n"


def test_a_module_that_fails_to_import_shows_where(flowy_command: Flowy, folder: Path) -> None:
    (folder / "one.py").write_text("import no_such_module\n")
    for target in ("one:f", "one.py:f"):
        done = flowy_command("run", target)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(
            lines(
                f"flowy run: error: {target} cannot be imported: ModuleNotFoundError: No module "
                "named 'no_such_module'",
                "Traceback (most recent call last):",
                f'  File "{folder / "one.py"}", line 1, in <module>',
            )
        )
        assert "importlib" not in done.stderr


def test_a_syntax_error_shows_the_line(flowy_command: Flowy, folder: Path) -> None:
    (folder / "one.py").write_text("def f(:\n")
    done = flowy_command("run", "one.py:f")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "flowy run: error: one.py:f cannot be imported: SyntaxError: invalid syntax"
    )
    assert f'File "{folder / "one.py"}", line 1' in done.stderr
    assert "importlib" not in done.stderr


def test_a_workflow_of_another_engine_is_run_and_given_the_traces(flowy_command: Flowy) -> None:
    trace = ["--trace", "a.dot", "--trace", "b.json"]
    done = flowy_command("run", "flows:elsewhere", "1", *trace)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "((1,), {}, ['a.dot', 'b.json'])\n"


def test_the_overrides_are_made_on_a_copy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flowy.cli import main

    monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delitem(sys.modules, "flows", raising=False)
    assert main(["run", "flows:configured", "2", "--activity-workers", "5"]) == 0
    assert sys.modules["flows"].configured.activity_workers == 2
    monkeypatch.delitem(sys.modules, "flows")


def test_called_in_a_process_it_gives_stdout_back(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowy.cli import main

    monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(folder)
    assert main(["run", "flows:echo"]) == 0
    print("still here")
    os.write(1, b"and here\n")
    monkeypatch.delitem(sys.modules, "flows")
    out, err = capfd.readouterr()
    assert sorted(out.splitlines()) == ["([], {})", "and here", "still here"]
    assert err == "echoing\n"


def test_activities_that_nobody_needs_any_more_do_not_print_after_the_result(
    flowy_command: Flowy, folder: Path
) -> None:
    (folder / "one.py").write_text(
        "import flowy, threading\ngo = threading.Event()\n"
        "@flowy.activity()\ndef slow():\n    go.wait()\n    print('late')\n"
        "@flowy.activity()\ndef quick():\n    pass\n"
        "class Result(str):\n    def __repr__(self):\n        go.set()\n        return 'result'\n"
        "def f(slow, quick):\n    def run():\n        slow()\n        return quick()\n"
        "    return run\n"
        "w = flowy.LocalWorkflow(f, codec='object')\nw.conf_activity('slow', slow)\n"
        "w.conf_activity('quick', Result)\n"
    )
    done = flowy_command("run", "one:w")
    assert (done.returncode, done.stdout) == (0, "result\n")
    assert "late" in done.stderr


def test_a_reader_that_has_gone_is_no_traceback(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "flowy", "run", "flows:echo"]
    done = subprocess.run(command, cwd=folder, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"echoing\n")


def test_a_closed_stdout_is_no_error(folder: Path) -> None:
    command = f'"{sys.executable}" -m flowy run flows:echo >&-'
    done = subprocess.run(["sh", "-c", command], cwd=folder, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"echoing\n")


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_ctrl_c_is_status_130(folder: Path, executor: str) -> None:
    (folder / "one.py").write_text(
        "import flowy, sys, threading\n"
        "@flowy.activity()\ndef stuck():\n"
        "    print('stuck', file=sys.stderr, flush=True)\n    threading.Event().wait()\n"
        "def f(stuck):\n    return lambda: stuck() + 1\n"
    )
    command = [sys.executable, "-m", "flowy", "run", "one.py:f", "--executor", executor]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "stuck\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "flowy: interrupted\n")


def test_help_says_how_it_is_used(flowy_command: Flowy) -> None:
    done = flowy_command("run", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "flowy run shop/orders.py:ship 17" in done.stdout
    assert "--progress, --no-progress" in done.stdout


def run_on_a_terminal(folder: Path, *arguments: str, before: str = "") -> str:
    """Run the command on a terminal of its own; return all that it shows."""
    code = f"{before}\nimport sys\nfrom flowy.cli import main\nsys.exit(main())"
    primary, secondary = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code, "run", *arguments],
        cwd=folder,
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        os.close(secondary)
        shown = b""
        while True:
            try:
                part = os.read(primary, 65536)
            except OSError:
                # The other end is closed.
                break
            shown += part
        assert process.wait(60) == 0, shown
    os.close(primary)
    return shown.decode()


DONE = "running 0, queued 0, done 3, failed 0; "


def test_progress_is_shown_on_a_terminal_by_rich(folder: Path) -> None:
    pytest.importorskip("rich")
    shown = run_on_a_terminal(folder, "flows:SumOfSquares", "2")
    assert DONE in shown
    assert "\x1b[" in shown
    assert "104\r\n" in shown


def test_progress_is_plain_lines_on_a_terminal_without_rich(folder: Path) -> None:
    before = "import sys\nsys.modules['rich'] = sys.modules['rich.console'] = None"
    shown = run_on_a_terminal(folder, "flows:SumOfSquares", "2", before=before)
    assert DONE in shown
    assert "\x1b[" not in shown
    assert shown.endswith("104\r\n")


def test_no_progress_is_shown_on_a_terminal_if_so_wished(folder: Path) -> None:
    shown = run_on_a_terminal(folder, "flows:SumOfSquares", "2", "--no-progress")
    assert DONE not in shown
    assert sorted(shown.split("\r\n")) == ["", "104", "squaring 10", "squaring 2"]


def test_progress_is_shown_in_a_pipe_only_if_so_wished(flowy_command: Flowy) -> None:
    done = flowy_command("run", "flows:SumOfSquares", "2", "--progress")
    assert (done.returncode, done.stdout) == (0, "104\n")
    assert DONE in done.stderr
    assert DONE not in flowy_command("run", "flows:SumOfSquares", "2").stderr
