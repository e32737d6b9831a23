from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowy_swf.emulator.client import make_client
from flowy_swf.emulator.command import add_arguments

if TYPE_CHECKING:
    from tests.emulator.conftest import Make

RUN = textwrap.dedent(
    """
    import argparse, signal, sys
    from flowy_swf.emulator.command import add_arguments, run

    assert not {"boto3", "botocore"} & set(sys.modules)
    # Tests that run in the background of a shell have children that are deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="flowy swf emulator")
    add_arguments(parser)
    sys.exit(run(parser.parse_args()))
    """
)


def start_and_terminate(url: str) -> None:
    """Start two executions and terminate the first."""
    client = make_client(url)
    client.register_domain(name="a b", workflowExecutionRetentionPeriodInDays="1")
    ids = {"name": "t", "version": "1"}
    client.register_workflow_type(
        domain="a b",
        **ids,
        defaultTaskList={"name": "l"},
        defaultChildPolicy="ABANDON",
        defaultExecutionStartToCloseTimeout="60",
        defaultTaskStartToCloseTimeout="60",
    )
    for workflow_id in ("x/1", "x/2"):
        client.start_workflow_execution(domain="a b", workflowId=workflow_id, workflowType=ids)
    client.terminate_workflow_execution(domain="a b", workflowId="x/1")
    client.close()


def test_the_options_have_defaults() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert vars(parser.parse_args([])) == {
        "port": 0,
        "history": None,
        "clock": "real",
        "long_poll": 60.0,
    }


def command(*arguments: str) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_interrupted_and_writes_histories(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = command("--history", str(tmp_path), "--long-poll", "1")
    try:
        assert process.stdout is not None
        start_and_terminate(process.stdout.readline().strip())
        # What is closed is written at once, what is open at the end.
        assert len(list(tmp_path.glob("*/*.json"))) == 1
        process.send_signal(number)
        _, errors = process.communicate()
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, errors) == (0, "")
    files = sorted(tmp_path.glob("*/*.json"))
    assert [file.parent.name for file in files] == ["domain-a%20b", "domain-a%20b"]
    assert [file.name[:6] for file in files] == ["x%2F1-", "x%2F2-"]
    last = [json.loads(file.read_text())["events"][-1]["eventType"] for file in files]
    assert last == ["WorkflowExecutionTerminated", "DecisionTaskScheduled"]


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (
            ["--port", "99999"],
            2,
            "argument --port: a port is a number from 0 to 65535, not '99999'",
        ),
        (["--port", "-1"], 2, "argument --port: a port is a number from 0 to 65535, not '-1'"),
        (
            ["--long-poll", "nan"],
            2,
            "argument --long-poll: a number of seconds, 0 or more, is wanted, not 'nan'",
        ),
        (
            ["--long-poll", "soon"],
            2,
            "argument --long-poll: a number of seconds, 0 or more, is wanted, not 'soon'",
        ),
        (["--history", __file__], 1, f"{__file__!r}: {os.strerror(errno.EEXIST)}"),
    ],
)
def test_what_cannot_be_served_is_an_error_without_a_traceback(
    arguments: list[str], status: int, error: str
) -> None:
    with command(*arguments) as process:
        out, errors = process.communicate()
    last = errors.splitlines()[-1]
    assert (process.returncode, out, last) == (status, "", f"flowy swf emulator: error: {error}")
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_an_error_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with command("--port", str(port)) as process:
            out, errors = process.communicate()
    what = f"flowy swf emulator: error: port {port}: {os.strerror(errno.EADDRINUSE)}\n"
    assert (process.returncode, out, errors) == (1, "", what)


def test_a_history_that_cannot_be_written_is_logged_and_fails_no_call(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    swf = make(history=tmp_path)
    (tmp_path / "domain-domain").touch()  # where the folder is to be
    swf.start()
    swf.decide({"decisionType": "CompleteWorkflowExecution"})
    assert swf.types()[-1] == "WorkflowExecutionCompleted"
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("the history of 'w' is not written: ")


def test_histories_are_written_by_an_emulator_in_process(make: Make, tmp_path: Path) -> None:
    swf = make(history=tmp_path)
    swf.start()
    swf.decide({"decisionType": "CompleteWorkflowExecution"})
    (file,) = tmp_path.glob("domain-domain/w-*.json")
    assert json.loads(file.read_text()) == {"events": swf.events()}


def test_no_name_leads_out_of_the_directory_of_histories(make: Make, tmp_path: Path) -> None:
    swf = make(history=tmp_path / "in")
    start_and_terminate(swf.emulator.url)
    for name in ("..", "x" * 250):
        swf.client.register_domain(name=name, workflowExecutionRetentionPeriodInDays="1")
        swf.client.register_workflow_type(domain=name, name="t", version="1")
        for workflow_id in ("../..", "\ud800" * 256):
            swf.emulator.call(
                "StartWorkflowExecution",
                {
                    "domain": name,
                    "workflowId": workflow_id,
                    "workflowType": {"name": "t", "version": "1"},
                    "taskList": {"name": "l"},
                    "childPolicy": "ABANDON",
                    "executionStartToCloseTimeout": "0",
                    "taskStartToCloseTimeout": "0",
                },
            )
    assert [each.name for each in tmp_path.iterdir()] == ["in"]
    assert len(list(tmp_path.glob("in/*/*.json"))) == 5


def test_importing_the_emulator_loads_no_botocore() -> None:
    script = "import sys, flowy_swf.emulator; assert not {'boto3', 'botocore'} & set(sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
