from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from flowy_swf.emulator.client import make_client
from flowy_swf.emulator.command import add_arguments

if TYPE_CHECKING:
    from tests.emulator.conftest import Make

RUN = textwrap.dedent(
    """
    import argparse, sys
    from flowy_swf.emulator.command import add_arguments, run

    assert not {"boto3", "botocore"} & set(sys.modules)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    sys.exit(run(parser.parse_args()))
    """
)


def test_the_options_have_defaults() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert vars(parser.parse_args([])) == {
        "port": 0,
        "history": None,
        "clock": "real",
        "long_poll": 60.0,
    }


def test_the_command_serves_until_interrupted_and_writes_histories(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, "--history", str(tmp_path), "--long-poll", "1"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
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
        # What is closed is written at once, what is open at the end.
        assert len(list(tmp_path.glob("*/*.json"))) == 1
        client.close()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    files = sorted(tmp_path.glob("*/*.json"))
    assert [file.parent.name for file in files] == ["a%20b", "a%20b"]
    assert [file.name[:6] for file in files] == ["x%2F1-", "x%2F2-"]
    last = [json.loads(file.read_text())["events"][-1]["eventType"] for file in files]
    assert last == ["WorkflowExecutionTerminated", "DecisionTaskScheduled"]


def test_histories_are_written_by_an_emulator_in_process(make: Make, tmp_path: Path) -> None:
    swf = make(history=tmp_path)
    swf.start()
    swf.decide({"decisionType": "CompleteWorkflowExecution"})
    (file,) = tmp_path.glob("domain/w-*.json")
    assert json.loads(file.read_text()) == {"events": swf.events()}


def test_importing_the_emulator_loads_no_botocore() -> None:
    script = "import sys, flowy_swf.emulator; assert not {'boto3', 'botocore'} & set(sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
