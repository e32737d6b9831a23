"""Traces of executions that the emulator of Amazon SWF knows: `Trace.from_swf`, `flowy trace`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.swf.fleet import DOMAIN, Fleet, Meddler, activity_config, fleet, workflow_config

import flowy
from flowy.cli import main
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.registration import register_types
from flowy_swf.starter import SWFWorkflowStarter
from flowy_swf.workflow_worker import SWFWorkflowWorker
from flowy_trace import Recorder, Trace, swf_service
from flowy_trace.swf import Reading


def count_down(child: Any) -> Any:
    return lambda n: flowy.restart(n - 1) if child(n) > 0 else "done"


def square(square: Any) -> Any:
    return lambda n: square(n)


def idle() -> Any:
    return lambda: None


@pytest.fixture
def running() -> Iterator[Fleet]:
    """Return a fleet that runs `count_down`, whose child `square` calls an activity, and knows
    `idle`, which no decider takes up."""
    decider, worker, other = SWFWorkflowWorker(), SWFActivityWorker(), SWFWorkflowWorker()
    worker.register(activity_config(), lambda n: n * n, 1, "square")
    child, parent = workflow_config(), workflow_config()
    child.conf_activity("square", 1)
    parent.conf_workflow("child", 1, "square")
    decider.register(child, square, 1, "square")
    decider.register(parent, count_down, 1, "count_down")
    other.register(workflow_config(default_task_list="nobody"), idle, 1, "idle")
    with fleet() as running:
        register_types(running.client, DOMAIN, other.types)
        running.serve(decider)
        running.serve(worker)
        yield running


def start(running: Fleet, name: str, *args: Any) -> str:
    """Start an execution with its name as its workflow id; return its run id."""
    starter = SWFWorkflowStarter(DOMAIN, name, 1, running.client, wid=name)
    return starter(*args).run_id


def run_ids(running: Fleet, workflow_id: str) -> list[str]:
    """Return the run ids of a chain of restarts, the first one first."""
    found = running.client.list_closed_workflow_executions(
        domain=DOMAIN,
        startTimeFilter={"oldestDate": 0},
        executionFilter={"workflowId": workflow_id},
    )["executionInfos"]
    return [each["execution"]["runId"] for each in reversed(found)]


def forgetting(client: Any, *forgotten: str) -> Meddler:
    """Return a client of a service that keeps the histories of these runs no more."""

    def meddle(operation: str, count: int, call: Callable[[], Any]) -> Any:
        request = call.keywords  # type: ignore[attr-defined]
        if operation == "get_workflow_execution_history":
            execution = request["execution"]
            if execution["runId"] in forgotten:
                request["execution"] = {**execution, "runId": "forgotten"}
        return call()

    return Meddler(client, meddle)


ALL = ["", "child-0-0", "~1", "~1/child-0-0", "~2", "~2/child-0-0"]


@pytest.mark.parametrize("named", [None, 0, 1, 2])
def test_all_runs_of_a_chain_are_read_with_their_children(
    named: int | None, running: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swf_service, "_PAGE", 3)
    start(running, "count_down", 2)
    running.end("count_down")
    runs = run_ids(running, "count_down")
    run_id = None if named is None else runs[named]
    trace = Trace.from_swf(DOMAIN, "count_down", run_id, running.client)
    assert [each.id for each in trace.executions] == ALL
    assert [each.outcome for each in trace.executions[::2]] == ["restarted"] * 2 + ["completed"]
    assert [each.result for each in trace.executions[1::2]] == ["4", "1", "0"]
    assert trace.executions[-1].calls[0].result == "0"
    assert (trace.workflow, trace.engine, trace.run) == (
        "count_down",
        "swf",
        f"count_down {runs[0]}",
    )
    assert trace.ended == trace.executions[4].ended


def test_an_execution_that_is_open_comes_before_those_that_are_closed(running: Fleet) -> None:
    for _ in range(2):
        start(running, "idle")
        running.client.terminate_workflow_execution(
            domain=DOMAIN, workflowId="idle", reason="enough"
        )
    latest = run_ids(running, "idle")[-1]
    closed = Trace.from_swf(DOMAIN, "idle", client=running.client)
    assert closed.run == f"idle {latest}"
    assert str(closed.executions[0].error) == "Terminated: enough"
    run_id = start(running, "idle")
    trace = Trace.from_swf(DOMAIN, "idle", client=running.client)
    assert trace.run == f"idle {run_id}"
    assert (trace.ended, trace.executions[0].outcome) == (None, "open")
    assert trace.taken is not None
    assert trace.latest >= trace.taken > 0


def test_what_turns_the_direction_of_writing_is_escaped_in_a_workflow_id(running: Fleet) -> None:
    workflow_id = "nut\u202e"
    run_id = SWFWorkflowStarter(DOMAIN, "idle", 1, running.client, wid=workflow_id)().run_id
    trace = Trace.from_swf(DOMAIN, workflow_id, client=running.client)
    assert trace.run == f"nut\\u202e {run_id}"


def test_of_a_chain_whose_beginning_is_not_kept_the_rest_is_read(running: Fleet) -> None:
    start(running, "count_down", 2)
    running.end("count_down")
    runs = run_ids(running, "count_down")
    trace = Trace.from_swf(DOMAIN, "count_down", client=forgetting(running.client, runs[0]))
    assert [(each.id, each.arguments) for each in trace.executions] == [
        ("", "1"),
        ("child-0-0", "1"),
        ("~1", "0"),
        ("~1/child-0-0", "0"),
    ]


def test_a_child_that_is_not_kept_is_seen_from_outside(running: Fleet) -> None:
    start(running, "count_down", 0)
    running.end("count_down")
    [child] = Reading(Recorder(), running.emulator.history("count_down")).children
    trace = Trace.from_swf(DOMAIN, "count_down", client=forgetting(running.client, child.run_id))
    [execution] = trace.executions
    assert [(call.key, call.kind, call.result) for call in execution.calls] == [
        ("child-0", "workflow", "0")
    ]


def test_what_the_service_does_not_know_is_said(running: Fleet) -> None:
    with pytest.raises(LookupError) as caught:
        Trace.from_swf(DOMAIN, "nut", client=running.client)
    assert str(caught.value) == (
        "domain 'domain' has no execution with workflow id 'nut': none was started, or only just "
        "now, or the service keeps it no more"
    )
    with pytest.raises(LookupError) as caught:
        Trace.from_swf(DOMAIN, "nut", "run", running.client)
    assert str(caught.value) == (
        "Amazon SWF does not know it, or keeps it no more: Unknown execution: "
        "WorkflowExecution=[workflowId=nut, runId=run]"
    )
    with pytest.raises(LookupError) as caught:
        Trace.from_swf("elsewhere", "nut", client=running.client)
    assert str(caught.value) == (
        "Amazon SWF does not know it, or keeps it no more: Unknown domain: elsewhere"
    )


def test_other_errors_of_the_service_are_raised_as_they_are(running: Fleet) -> None:
    with pytest.raises(running.client.exceptions.ClientError):
        Trace.from_swf("x" * 300, "nut", "run", running.client)


# --- the command -----------------------------------------------------------------------------


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile test]\naws_access_key_id = x\naws_secret_access_key = y\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("credentials")
def test_the_command_draws_an_execution(
    running: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = start(running, "count_down", 1)
    running.end("count_down")
    options = ["--region", "eu-central-1", "--profile", "test"]
    options += ["--endpoint-url", running.emulator.url]
    output = tmp_path / "run.txt"
    assert main(["trace", DOMAIN, "count_down", "-o", str(output), *options]) == 0
    Trace.from_swf(DOMAIN, "count_down", client=running.client).save(tmp_path / "expected.txt")
    assert output.read_text("utf-8") == (tmp_path / "expected.txt").read_text("utf-8")
    assert main(["trace", *options, DOMAIN, "count_down", run_id]) == 0
    assert capsys.readouterr().out == output.read_text("utf-8")


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [DOMAIN, "nut"],
            "domain 'domain' has no execution with workflow id 'nut': none was started, or only "
            "just now, or the service keeps it no more",
        ),
        (
            ["x" * 300, "nut", "run"],
            "ValidationException: ",
        ),
        (
            ["", "nut", "run"],
            "ParamValidationError: Parameter validation failed: Invalid length for parameter "
            "domain, value: 0, valid min length: 1",
        ),
        (
            [DOMAIN, "nut", "--profile", "none"],
            "the config profile (none) could not be found: check --profile and AWS_PROFILE",
        ),
    ],
)
def test_the_command_says_in_a_line_what_the_service_says(
    arguments: list[str], message: str, running: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--region", "r", "--profile", "test", "--endpoint-url", running.emulator.url]
    assert main(["trace", *options, *arguments]) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(f"flowy trace: error: {message}")


@pytest.mark.usefixtures("credentials")
def test_the_command_says_that_there_is_no_region(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", DOMAIN, "nut"]) == 1
    assert capsys.readouterr().err == (
        "flowy trace: error: no region: give --region NAME, or set AWS_DEFAULT_REGION\n"
    )


@pytest.mark.usefixtures("credentials")
def test_a_service_on_this_machine_needs_no_region_or_credentials(
    running: Fleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    assert main(["trace", DOMAIN, "nut", "--endpoint-url", running.emulator.url]) == 1
    assert "has no execution with workflow id 'nut'" in capsys.readouterr().err


@pytest.mark.parametrize("gone", ["flowy_swf", "boto3"])
def test_the_command_says_what_it_needs(gone: str) -> None:
    program = (
        "import sys\n"
        f"sys.modules[{gone!r}] = None\n"
        "from flowy.cli import main\n"
        "sys.exit(main(['trace', 'domain', 'nut']))\n"
    )
    environ = {**os.environ, "FLOWY_DISABLE_PLUGINS": "swf"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=False
    )
    assert (done.returncode, done.stderr) == (
        1,
        "flowy trace: error: reading from Amazon SWF needs flowy-swf, which brings boto3: "
        "python -m pip install flowy-swf\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run.json", "--region", "r"],
            "--region, --profile and --endpoint-url are for DOMAIN WORKFLOW_ID [RUN_ID]",
        ),
        (["a", "b", "c", "d", "e"], "unrecognized arguments: d e"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["trace", *arguments])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith(f"\nflowy trace: error: {message}\n")
