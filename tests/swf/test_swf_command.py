"""The commands of `flowy swf` that talk to the service, over an emulator in this process."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from tests.swf.outside import (
    ACTIVITY,
    COMPLETE,
    DOMAIN,
    RESTART,
    TYPE,
    Client,
    decide,
    decision,
    pay,
    start,
    take_activity,
    take_decision,
)

from flowy.cli import main
from flowy_swf.client import SWFClient
from flowy_swf.emulator import Emulator

#: calls `flowy swf`; gives the exit status, stdout and stderr
Swf = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clients(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Have commands use the emulator; return what clients are made with."""
    made: list[dict[str, Any]] = []

    def make(**options: Any) -> Client:
        made.append(options)
        return Client(emulator)

    monkeypatch.setattr("flowy_swf.client.SWFClient", make)
    return made


@pytest.fixture
def swf(
    emulator: Emulator,
    clients: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Swf:
    monkeypatch.setenv("FLOWY_SWF_DOMAIN", DOMAIN)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("flowy_swf.commands.listing.now", emulator.now)
    monkeypatch.setattr("flowy_swf.commands.showing.now", emulator.now)
    monkeypatch.setattr("flowy_swf.handle.pause", lambda _: False)
    monkeypatch.setattr("flowy_swf.starter.pause", lambda _: False)
    monkeypatch.setattr("uuid.uuid4", lambda: "made-up-id")

    def call(*arguments: str) -> tuple[int, str, str]:
        try:
            status = main(["swf", *arguments])
        except SystemExit as exited:
            status = int(exited.code or 0)
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the current folder, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


TOYS = """
import flowy

activity = flowy.SWFActivityConfig(default_task_list="toys", default_heartbeat=60)
workflow = flowy.SWFWorkflowConfig(
    default_task_list="toys",
    default_workflow_duration=3600,
    default_decision_duration=10,
    default_child_policy="TERMINATE",
)
workflow.conf_activity("square", version=1)


@activity(version=1)
def square(n):
    return n ** 2


@workflow(version=2)
class Squares:
    def __init__(self, square):
        self.square = square

    def __call__(self, n):
        return self.square(n)
"""


# --- what all have in common --------------------------------------------------------------------


def test_the_domain_is_an_option_or_in_the_environment(
    swf: Swf, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(emulator)
    assert swf("list")[0] == 0
    assert swf("list", "--domain", "other") == (
        1,
        "",
        "flowy swf list: error: UnknownResourceFault: Unknown domain: other; check --domain and "
        "--region, or create it with `flowy swf register --create-domain`\n",
    )
    monkeypatch.delenv("FLOWY_SWF_DOMAIN")
    assert swf("list", "--domain", DOMAIN)[0] == 0
    assert swf("list") == (
        2,
        "",
        "flowy swf list: error: no domain: give --domain NAME, or set FLOWY_SWF_DOMAIN\n",
    )


def test_a_domain_that_cannot_be_one_is_a_wrong_call(swf: Swf) -> None:
    assert swf("list", "--domain", "a:b") == (
        2,
        "",
        "flowy swf list: error: domain must not hold ':', '/', '|' or control characters, begin or "
        "end with a space, or be 'arn': 'a:b'\n",
    )


def test_the_options_of_the_client_are_passed_on(swf: Swf, clients: list[dict[str, Any]]) -> None:
    swf("list")
    swf("list", "--region", "eu-west-1", "--profile", "mine", "--endpoint-url", "http://swf:80")
    assert clients == [
        {},
        {"region_name": "eu-west-1", "profile_name": "mine", "endpoint_url": "http://swf:80"},
    ]


MADE_UP = {
    "region_name": "us-east-1",
    "aws_access_key_id": "none",
    "aws_secret_access_key": "none",
}


@pytest.mark.parametrize(
    ("arguments", "environment", "made"),
    [
        (["--endpoint-url", "http://127.0.0.1:8421"], {}, MADE_UP),
        (["--endpoint-url", "http://localhost:8421"], {}, MADE_UP),
        ([], {"AWS_ENDPOINT_URL_SWF": "http://[::1]:8421"}, MADE_UP),
        (
            ["--endpoint-url", "http://localhost", "--region", "eu-west-1"],
            {},
            {**MADE_UP, "region_name": "eu-west-1"},
        ),
        (["--endpoint-url", "http://localhost", "--profile", "mine"], {}, {"profile_name": "mine"}),
        (["--endpoint-url", "http://localhost"], {"AWS_ACCESS_KEY_ID": "mine"}, {}),
        (["--endpoint-url", "http://elsewhere"], {}, {}),
        (["--endpoint-url", "http://[broken"], {}, {}),
    ],
)
def test_what_serves_on_this_machine_needs_no_credentials(
    swf: Swf,
    clients: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    made: dict[str, str],
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ENDPOINT_URL_SWF"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    swf("list", *arguments)
    (options,) = clients
    options.pop("endpoint_url", None)
    assert options == made


@pytest.mark.parametrize(
    ("options", "environment", "error"),
    [
        ([], {}, "no region: give --region NAME, or set AWS_DEFAULT_REGION"),
        (
            ["--region", "eu-west-1"],
            {},
            "no credentials (Unable to locate credentials): check AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or --profile",
        ),
        (
            ["--profile", "mine"],
            {},
            "the config profile (mine) could not be found: check --profile and AWS_PROFILE",
        ),
    ],
)
@pytest.mark.parametrize("command", [["list"], ["start", "Order", "1"]])
def test_what_aws_needs_to_know_is_said(
    swf: Swf,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    options: list[str],
    environment: dict[str, str],
    error: str,
) -> None:
    monkeypatch.setattr("flowy_swf.client.SWFClient", SWFClient)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    nowhere = {"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none"}
    for name, value in {**nowhere, "AWS_EC2_METADATA_DISABLED": "true", **environment}.items():
        monkeypatch.setenv(name, value)
    assert swf(*command, *options) == (1, "", f"flowy swf {command[0]}: error: {error}\n")


def test_what_aws_needs_to_know_is_said_before_there_are_processes(
    swf: Swf, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(**_: Any) -> Any:
        raise botocore.exceptions.NoRegionError

    def supervise(*_: Any) -> None:
        raise AssertionError("there are processes")

    (folder / "toys.py").write_text(TOYS)
    monkeypatch.setattr("flowy_swf.client.SWFClient", make)
    monkeypatch.setattr("flowy_swf.processes.supervise", supervise)
    assert swf("worker", "toys", "--task-list", "toys", "--no-register", "--processes", "2") == (
        1,
        "",
        "flowy swf worker: error: no region: give --region NAME, or set AWS_DEFAULT_REGION\n",
    )


def test_an_endpoint_that_is_no_url_is_a_wrong_call(
    swf: Swf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowy_swf.client.SWFClient", SWFClient)
    assert swf("list", "--endpoint-url", "here", "--region", "eu-west-1") == (
        2,
        "",
        "flowy swf list: error: Invalid endpoint: here\n",
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="http://swf"),
            'the service cannot be reached (Could not connect to the endpoint URL: "http://swf"): '
            "check --region, --endpoint-url and the network",
        ),
        (
            botocore.exceptions.ReadTimeoutError(endpoint_url="http://swf"),
            'the service cannot be reached (Read timeout on endpoint URL: "http://swf"): check '
            "--region, --endpoint-url and the network",
        ),
        (
            botocore.exceptions.ParamValidationError(report="it is too long"),
            "ParamValidationError: Parameter validation failed:\nit is too long",
        ),
    ],
)
def test_what_the_client_cannot_do_is_said(
    swf: Swf, monkeypatch: pytest.MonkeyPatch, error: Exception, text: str
) -> None:
    class Broken:
        def list_open_workflow_executions(self, **_: Any) -> None:
            raise error

    monkeypatch.setattr("flowy_swf.client.SWFClient", lambda **_: Broken())
    assert swf("list") == (1, "", f"flowy swf list: error: {text}\n")


@pytest.mark.parametrize(
    ("code", "message", "text"),
    [
        (
            "AccessDeniedException",
            "no swf:ListOpen",
            "no swf:ListOpen; the credentials do not allow it: see the policies of who they are of",
        ),
        (
            "UnrecognizedClientException",
            "The security token is invalid",
            "The security token is invalid; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
            "AWS_SESSION_TOKEN, or --profile",
        ),
        ("InternalFailure", "", "the service gave no reason"),
    ],
)
def test_what_the_service_refuses_is_said(
    swf: Swf, emulator: Emulator, code: str, message: str, text: str
) -> None:
    emulator.inject.fail("ListOpenWorkflowExecutions", code, message)
    assert swf("list") == (1, "", f"flowy swf list: error: {code}: {text}\n")


def test_an_error_that_nobody_expects_keeps_its_traceback(
    swf: Swf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("flowy_swf.client.SWFClient", broken)
    with pytest.raises(ZeroDivisionError):
        swf("list")


@pytest.mark.parametrize(
    "command", ["register", "worker", "start", "result", "list", "show", "history"]
)
def test_help_names_the_options_that_all_have(swf: Swf, command: str) -> None:
    status, out, err = swf(command, "--help")
    assert (status, err) == (0, "")
    for option in ("--domain NAME", "--endpoint-url URL", "--region NAME", "--profile NAME"):
        assert option in out


def test_what_the_commands_need_is_imported_when_they_run() -> None:
    script = (
        "import sys\n"
        "from flowy.cli import main\n"
        "try:\n"
        "    main(['swf', '--help'])\n"
        "finally:\n"
        "    loaded = {'boto3', 'botocore', 'flowy_swf.config', 'flowy_swf.explain'}\n"
        "    assert not loaded & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    words = " ".join(done.stdout.split())
    assert "worker run workflows and activities of modules until SIGTERM or Ctrl-C" in words


# --- register -----------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["toys", "toys.py"])
def test_types_of_a_module_are_registered(
    swf: Swf, emulator: Emulator, folder: Path, module: str
) -> None:
    (folder / "toys.py").write_text(TOYS)
    told = (
        "workflow 'Squares' version '2' is registered\n"
        "activity 'square' version '1' is registered\n"
    )
    assert swf("register", module) == (0, told, "")
    assert swf("register", module) == (0, told, "")
    described = emulator.call(
        "DescribeWorkflowType",
        {"domain": DOMAIN, "workflowType": {"name": "Squares", "version": "2"}},
    )
    assert described["configuration"]["defaultTaskList"] == {"name": "toys"}


def test_types_are_told_as_json(swf: Swf, folder: Path) -> None:
    (folder / "toys.py").write_text(TOYS)
    status, out, _ = swf("register", "toys", "--activities", "--json")
    assert status == 0
    assert json.loads(out) == {
        "domain": DOMAIN,
        "workflows": [],
        "activities": [{"name": "square", "version": "1"}],
    }


def test_a_domain_is_created_only_when_asked_for(
    swf: Swf, emulator: Emulator, folder: Path
) -> None:
    (folder / "toys.py").write_text(TOYS)
    assert swf("register", "toys", "--domain", "new") == (
        1,
        "",
        "flowy swf register: error: there is no domain 'new': check the name, region and "
        "credentials, or create it with `flowy swf register --create-domain`\n",
    )
    new = ("register", "toys", "--domain", "new", "--create-domain", "--retention", "7")
    assert swf(*new)[0] == 0
    assert swf(*new)[0] == 0
    described = emulator.call("DescribeDomain", {"name": "new"})
    assert described["configuration"] == {"workflowExecutionRetentionPeriodInDays": "7"}


def test_differences_are_all_told(swf: Swf, folder: Path) -> None:
    (folder / "toys.py").write_text(TOYS)
    (folder / "changed.py").write_text(TOYS.replace("=60", "=61").replace("=3600", "=7200"))
    swf("register", "toys", "--activities")
    swf("register", "toys", "--workflows")
    status, out, err = swf("register", "changed", "--activities")
    assert (status, out) == (1, "")
    assert err == (
        "flowy swf register: error: what is registered in domain 'shop' is not what is "
        "configured:\n  activity 'square' version '1': default_heartbeat is '61', registered is "
        "'60'\na type never changes once it is registered: change the configuration back, or give "
        "it a new version\n"
    )


@pytest.mark.parametrize(
    ("module", "error"),
    [
        ("absent.py", "there is no file 'absent.py'"),
        ("absent", "there is no module 'absent', neither here nor among what is installed"),
        (
            "flowy.absent",
            "there is no module 'flowy.absent', neither here nor among what is installed",
        ),
        ("a-b", "'a-b' is neither a module nor a file that ends in .py"),
        ("a.b.py", "'a.b.py' cannot be imported: rename it, with no dot but that of '.py'"),
        (
            "json.py",
            "'json.py' cannot be imported: there is another module 'json'; rename the file",
        ),
        (
            "empty",
            "empty has no workflows and no activities for Amazon SWF: decorate them with a "
            "flowy.SWFWorkflowConfig or a flowy.SWFActivityConfig, and name the modules that "
            "define them",
        ),
    ],
)
def test_a_module_that_is_not_there_is_a_wrong_call(
    swf: Swf, folder: Path, module: str, error: str
) -> None:
    for name in ("empty.py", "a.b.py", "json.py"):
        (folder / name).write_text("")
    assert swf("register", module) == (2, "", f"flowy swf register: error: {error}\n")


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import nothing_such", "ModuleNotFoundError: No module named 'nothing_such'"),
    ],
)
@pytest.mark.parametrize("module", ["broken", "broken.py"])
def test_a_module_that_cannot_be_imported_is_told_with_the_users_frames(
    swf: Swf, folder: Path, module: str, source: str, what: str
) -> None:
    (folder / "broken.py").write_text(source)
    status, out, err = swf("register", module)
    assert (status, out) == (1, "")
    assert err.startswith(f"flowy swf register: error: {module} cannot be imported: {what}\n")
    assert err.count("  File ") == 1
    assert f'File "{folder / "broken.py"}", line 1' in err


def test_workers_that_cannot_go_to_other_processes_are_told(
    swf: Swf, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def supervise(*_: Any) -> None:
        raise TypeError("the worker cannot be sent to other processes")

    monkeypatch.setattr("flowy_swf.processes.supervise", supervise)
    (folder / "toys.py").write_text(TOYS)
    status, _, err = swf("worker", "toys", "--task-list", "toys", "--processes", "2")
    assert (status, err.splitlines()[-1]) == (
        1,
        "flowy swf worker: error: the worker cannot be sent to other processes",
    )


def test_modules_that_contradict_each_other_are_told(swf: Swf, folder: Path) -> None:
    (folder / "one.py").write_text(TOYS)
    (folder / "two.py").write_text(TOYS)
    assert swf("register", "one", "two") == (
        1,
        "",
        "flowy swf register: error: two: workflow 'Squares' version '2' is registered already: "
        "give one another name or version\n",
    )


# --- start and result ---------------------------------------------------------------------------


def started(emulator: Emulator, workflow_id: str = "made-up-id") -> dict[str, Any]:
    found: dict[str, Any] = emulator.history(workflow_id)[0][
        "workflowExecutionStartedEventAttributes"
    ]
    return found


def test_start_prints_the_ids(swf: Swf, emulator: Emulator) -> None:
    assert swf("start", "Order", "1") == (
        0,
        "workflow id  made-up-id\nrun id       run-1\n",
        "",
    )
    assert started(emulator)["input"] == "[[], {}]"


def test_arguments_are_json_or_else_strings(swf: Swf, emulator: Emulator) -> None:
    arguments = ["17", "-2.5", '{"a": [null]}', "ada", '"1"', "NaN", "--json"]
    status, out, err = swf("start", "Order", "1", *arguments, "--kw", "a=true", "--kw", "b=x=y")
    assert (status, err) == (0, "")
    assert json.loads(out) == {"workflowId": "made-up-id", "runId": "run-1"}
    assert json.loads(started(emulator)["input"]) == [
        [17, -2.5, {"a": [None]}, "ada", "1", "NaN"],
        {"a": True, "b": "x=y"},
    ]


def test_what_is_given_goes_to_the_service(swf: Swf, emulator: Emulator) -> None:
    options = (
        "--workflow-id order-17 --task-list others --task-duration NONE --workflow-duration 60 "
        "--child-policy ABANDON --priority 3 --lambda-role role --tag express --tag gift"
    )
    assert swf("start", "Order", "1", *options.split())[0] == 0
    assert started(emulator, "order-17") == {
        "childPolicy": "ABANDON",
        "executionStartToCloseTimeout": "60",
        "input": "[[], {}]",
        "lambdaRole": "role",
        "parentInitiatedEventId": 0,
        "tagList": ["express", "gift"],
        "taskList": {"name": "others"},
        "taskPriority": "3",
        "taskStartToCloseTimeout": "NONE",
        "workflowType": TYPE,
    }


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["--task-duration", "soon"],
            "task_duration must be a whole number of seconds from 0 to 31536000 or 'NONE', not "
            "'soon'",
        ),
        (
            ["--workflow-duration", "NONE"],
            "workflow_duration must be a whole number of seconds from 0 to 31536000, not 'NONE'",
        ),
        (["--timeout", "5"], "--timeout is for --wait"),
        (
            ["--payloads", "s3:///x"],
            "--payloads: bucket must be the name of a bucket alone, such as 'my-payloads', not ''",
        ),
    ],
)
def test_options_that_make_no_sense_are_a_wrong_call(
    swf: Swf, arguments: list[str], error: str
) -> None:
    assert swf("start", "Order", "1", *arguments) == (2, "", f"flowy swf start: error: {error}\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--kw", "1=2"], "argument --kw: '1=2' is not of the form NAME=VALUE"),
        (
            ["--timeout", "soon"],
            "argument --timeout: 'soon' is no number of seconds, 0 or more",
        ),
    ],
)
def test_values_that_make_no_sense_are_a_wrong_call(
    swf: Swf, arguments: list[str], error: str
) -> None:
    status, out, err = swf("start", "Order", "1", *arguments)
    assert (status, out, err.splitlines()[-1]) == (2, "", f"flowy swf start: error: {error}")


def test_a_type_that_is_not_registered_says_what_to_do(swf: Swf) -> None:
    assert swf("start", "Unheard", "1") == (
        1,
        "",
        "flowy swf start: error: UnknownResourceFault: Unknown type: WorkflowType=[name=Unheard, "
        "version=1]; register it with `flowy swf register MODULE`\n",
    )


def test_an_id_that_is_taken_is_told(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    assert swf("start", "Order", "1", "--workflow-id", "order-17") == (
        1,
        "",
        "flowy swf start: error: an execution with workflow id 'order-17' is open in domain "
        "'shop', and there can be only one: wait for it, stop it, or use another id\n",
    )


def test_an_input_that_is_too_long_names_the_remedy(swf: Swf) -> None:
    import random

    long = random.Random(1).randbytes(40_000).hex()
    status, out, err = swf("start", "Order", "1", long)
    assert (status, out) == (2, "")
    assert err.startswith("flowy swf start: error: the payload has 80010 characters, ")
    assert err.endswith(": pass a reference to the data instead, or configure --payloads\n")


def test_payloads_can_be_in_s3(
    swf: Swf, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    import random

    made: list[Any] = []
    texts: dict[str, str] = {}

    class Store:
        def __init__(self, *args: str, **options: str) -> None:
            made.append((args, options))

        def put(self, text: str) -> str:
            texts["s3://bucket/a"] = text
            return "s3://bucket/a"

        def get(self, reference: str) -> str:
            return texts[reference]

    monkeypatch.setattr("flowy_swf.s3.S3Payloads", Store)
    long = random.Random(1).randbytes(40_000).hex()
    place = ("--payloads", "s3://bucket/pre/fix", "--region", "eu-west-1", "--profile", "mine")
    assert swf("start", "Order", "1", long, *place)[0] == 0
    assert texts == {"s3://bucket/a": f'[["{long}"], {{}}]'}
    stored = started(emulator)["input"]
    decide(emulator, decision("CompleteWorkflowExecution", result=stored))
    assert swf("result", "made-up-id", "--payloads", "bucket") == (0, f"[['{long}'], {{}}]\n", "")
    assert made == [
        (("bucket", "pre/fix"), {"region_name": "eu-west-1", "profile_name": "mine"}),
        (("bucket", ""), {}),
    ]
    status, _, err = swf("result", "made-up-id")
    assert status == 1
    assert err.startswith("flowy swf result: error: a payload is in a store: ")


def test_results_are_printed_as_python_or_as_json(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    result = '{"when": {" date": "2026-01-02"}, "ok": true}'
    decide(emulator, decision("CompleteWorkflowExecution", result=result))
    assert swf("result", "order-17") == (
        0,
        "{'when': datetime.date(2026, 1, 2), 'ok': True}\n",
        "",
    )
    status, out, err = swf("result", "order-17", "--json", "--run-id", "run-1")
    assert (status, err) == (0, "")
    assert out == '{\n  "when": {\n    " date": "2026-01-02"\n  },\n  "ok": true\n}\n'


@pytest.mark.parametrize("text", ["six", "NaN", "[1e999]", "[" * 16_000 + "]" * 16_000])
def test_a_result_of_another_form_is_a_string_in_json(
    swf: Swf, emulator: Emulator, text: str
) -> None:
    start(emulator)
    decide(emulator, decision("CompleteWorkflowExecution", result=text))
    assert swf("result", "order-17", "--json") == (0, f'"{text}"\n', "")


def test_a_result_of_another_form_is_no_value(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, decision("CompleteWorkflowExecution", result="six"))
    status, out, err = swf("result", "order-17")
    assert (status, out) == (1, "")
    assert err.startswith("flowy swf result: error: ")


def test_a_failure_is_told_with_its_traceback(swf: Swf, emulator: Emulator) -> None:
    from flowy_swf.failures import Failure

    start(emulator)
    failure = Failure("ValueError", "no such item", "Traceback ...\nValueError: no such item\n")
    about = {"reason": failure.reason, "details": failure.details}
    decide(emulator, decision("FailWorkflowExecution", **about))
    for options in ([], ["--json"]):
        assert swf("result", "order-17", *options) == (
            1,
            "",
            "flowy swf result: error: order-17 failed: ValueError: no such item\n\n"
            "where it happened:\nTraceback ...\nValueError: no such item\n",
        )


def test_start_can_wait_for_the_result(
    swf: Swf, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def before(operation: str, count: int) -> None:
        if (operation, count) == ("describe_workflow_execution", 1):
            decide(emulator, COMPLETE)

    monkeypatch.setattr("flowy_swf.client.SWFClient", lambda **_: Client(emulator, before))
    assert swf("start", "Order", "1", "17", "--wait") == (
        0,
        "{'paid': 3}\n",
        "flowy swf start: started workflow id made-up-id, run id run-1\n",
    )


def test_waiting_ends_when_time_is_up(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    assert swf("result", "order-17", "--timeout", "0") == (
        1,
        "",
        "flowy swf result: error: workflow id 'order-17' has not closed within 0 s; it goes on\n",
    )


def test_ctrl_c_while_waiting_says_that_the_execution_goes_on(
    swf: Swf, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def before(operation: str, count: int) -> None:
        if (operation, count) == ("describe_workflow_execution", 1):
            raise KeyboardInterrupt

    monkeypatch.setattr("flowy_swf.client.SWFClient", lambda **_: Client(emulator, before))
    assert swf("start", "Order", "1", "--wait", "--json") == (
        130,
        "",
        "flowy swf start: started workflow id made-up-id, run id run-1\n"
        "flowy swf start: the execution goes on; `flowy swf result made-up-id` waits for it "
        "again\nflowy: interrupted\n",
    )


def test_an_execution_that_is_not_known_is_told(swf: Swf) -> None:
    for command in ("result", "show", "history", "cancel", "terminate"):
        assert swf(command, "nothing") == (
            1,
            "",
            f"flowy swf {command}: error: domain 'shop' knows no execution with workflow id "
            "'nothing': check the id; a closed execution is forgotten after the domain's retention "
            "period\n",
        )


def test_a_run_that_is_not_known_is_told(swf: Swf) -> None:
    status, out, err = swf("history", "nothing", "--run-id", "run-9")
    assert (status, out) == (1, "")
    assert err == (
        "flowy swf history: error: UnknownResourceFault: Unknown execution: "
        "WorkflowExecution=[workflowId=nothing, runId=run-9]; see `flowy swf list`; a closed one "
        "is forgotten after the domain's retention period\n"
    )


# --- list ---------------------------------------------------------------------------------------


@pytest.fixture
def many(emulator: Emulator) -> Emulator:
    """Return an emulator with executions of all kinds."""
    start(emulator, "order-1", tagList=["gift"])
    decide(emulator, COMPLETE)
    emulator.advance(60)
    start(emulator, "order-2")
    decide(emulator, decision("FailWorkflowExecution", reason="no"))
    emulator.advance(7_200)
    start(emulator, "order-3", tagList=["gift"])
    start(emulator, "order-4")
    emulator.call("RequestCancelWorkflowExecution", {"domain": DOMAIN, "workflowId": "order-4"})
    return emulator


def test_open_executions_are_listed_in_columns(swf: Swf, many: Emulator) -> None:
    many.advance(60)
    assert swf("list") == (
        0,
        "workflow id  type     status            started                  duration  run id\n"
        "order-4      Order 1  OPEN, CANCELLING  2026-01-01 14:01:00 UTC  1 min     run-4\n"
        "order-3      Order 1  OPEN              2026-01-01 14:01:00 UTC  1 min     run-3\n",
        "",
    )


def test_closed_executions_are_listed_in_columns(swf: Swf, many: Emulator) -> None:
    assert swf("list", "--closed") == (
        0,
        "workflow id  type     status     started                  duration  run id\n"
        "order-2      Order 1  FAILED     2026-01-01 12:01:00 UTC  0 s       run-2\n"
        "order-1      Order 1  COMPLETED  2026-01-01 12:00:00 UTC  0 s       run-1\n",
        "",
    )


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--tag", "gift"], ["order-3"]),
        (["--tag", "gift", "--closed"], ["order-1"]),
        (["--status", "FAILED"], ["order-2"]),
        (["--workflow-id", "order-4"], ["order-4"]),
        (["--type", "Order"], ["order-4", "order-3"]),
        (["--type", "Order:1"], ["order-4", "order-3"]),
        (["--type", "Order:2"], []),
        (["--limit", "2"], ["order-4", "order-3"]),
    ],
)
def test_lists_can_be_filtered(
    swf: Swf, many: Emulator, options: list[str], found: list[str]
) -> None:
    status, out, err = swf("list", "--json", *options)
    assert (status, err) == (0, "")
    infos = json.loads(out)["executionInfos"]
    assert [info["execution"]["workflowId"] for info in infos] == found


def test_lists_go_back_for_some_days(swf: Swf, many: Emulator) -> None:
    many.advance(3 * 86_400 - 7_200)
    assert len(swf("list", "--closed", "--days", "3")[1].splitlines()) == 4
    many.advance(7_201)
    assert swf("list", "--closed", "--days", "3") == (
        0,
        "",
        "flowy swf list: domain 'shop' has no such executions\n",
    )
    assert len(swf("list", "--closed")[1].splitlines()) == 5


def test_a_list_that_was_cut_says_so(swf: Swf, many: Emulator) -> None:
    status, out, err = swf("list", "--limit", "1", "--json")
    assert status == 0
    assert json.loads(out)["executionInfos"] == [
        {
            "execution": {"workflowId": "order-4", "runId": "run-4"},
            "workflowType": TYPE,
            "startTimestamp": 1_767_276_060.0,
            "executionStatus": "OPEN",
            "cancelRequested": True,
        }
    ]
    assert err == "flowy swf list: there are more than 1: see --limit\n"


def test_all_pages_are_listed(swf: Swf, emulator: Emulator) -> None:
    for number in range(1_001):
        start(emulator, f"order-{number}")
    assert len(swf("list", "--limit", "2000")[1].splitlines()) == 1_002


def test_two_filters_are_a_wrong_call(swf: Swf) -> None:
    status, _, err = swf("list", "--tag", "gift", "--type", "Order")
    assert (status, err.splitlines()[-1]) == (
        2,
        "flowy swf list: error: argument --type: not allowed with argument --tag",
    )


def test_a_number_has_to_be_one(swf: Swf) -> None:
    status, _, err = swf("list", "--limit", "0")
    assert (status, err.splitlines()[-1]) == (
        2,
        "flowy swf list: error: argument --limit: '0' is no whole number above 0",
    )


# --- history ------------------------------------------------------------------------------------


def test_a_history_is_a_line_for_each_event(swf: Swf, emulator: Emulator) -> None:
    start(emulator, input="[[17], {}]", tagList=["gift", "express"])
    emulator.advance(1.5)
    timer = decision("StartTimer", timerId="pay-1-1:t", startToFireTimeout="3")
    decide(emulator, pay(input=f'[["{"x" * 80}\\n\x1b[31m"], {{}}]'), timer)
    token = take_activity(emulator)["taskToken"]
    emulator.advance(3)
    emulator.call("RespondActivityTaskCompleted", {"taskToken": token, "result": "3"})
    assert swf("history", "order-17") == (
        0,
        """\
  event     seconds  since 2026-01-01 12:00:00 UTC
      1       0.000  WorkflowExecutionStarted  workflowType=Order:1 taskList=orders \
input=[[17], {}] tagList=gift,express
      2       0.000  DecisionTaskScheduled  taskList=orders
      3       1.500  DecisionTaskStarted  identity=decider-1
      4       1.500  DecisionTaskCompleted
      5       1.500  ActivityTaskScheduled  activityId=pay-0-0 activityType=pay:2 \
input=[["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... taskList=payments
      6       1.500  TimerStarted  timerId=pay-1-1:t startToFireTimeout=3
      7       1.500  ActivityTaskStarted  pay-0-0 identity=worker-1
      8       4.500  TimerFired  timerId=pay-1-1:t
      9       4.500  DecisionTaskScheduled  taskList=orders
     10       4.500  ActivityTaskCompleted  pay-0-0 result=3
""",
        "",
    )


def test_what_would_do_something_to_a_terminal_is_escaped(swf: Swf, emulator: Emulator) -> None:
    start(emulator, input="\x1b[31m \ud800 é")
    assert "input=\\x1b[31m \\ud800 é\n" in swf("history", "order-17")[1]


def test_what_the_output_cannot_take_is_escaped(
    swf: Swf, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(emulator, input="\N{SNOWMAN}")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr("sys.stdout", narrow)
    assert swf("history", "order-17")[0] == 0
    narrow.seek(0)
    assert "input=\\u2603\n" in narrow.read()


def test_a_history_as_json_is_what_the_service_answers(
    swf: Swf, emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("flowy_trace")
    start(emulator)
    decide(emulator, *[pay(f"pay-{number}-0") for number in range(120)])
    status, out, err = swf("history", "order-17", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out) == {"events": emulator.history("order-17")}
    (tmp_path / "history.json").write_text(out)
    assert main(["trace", str(tmp_path / "history.json")]) == 0
    assert "pay-119" in capsys.readouterr().out


def test_the_history_of_a_run_can_be_had(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, RESTART)
    assert "ContinuedAsNew" not in swf("history", "order-17")[1]
    assert "ContinuedAsNew" in swf("history", "order-17", "--run-id", "run-1")[1]


# --- show ---------------------------------------------------------------------------------------


def test_show_says_what_an_open_execution_waits_for_and_why_it_may_be_stuck(
    swf: Swf, emulator: Emulator
) -> None:
    start(emulator)
    decide(emulator, pay(), pay("pay-1-0"))
    token = take_activity(emulator)["taskToken"]
    emulator.call("RespondActivityTaskFailed", {"taskToken": token, "reason": "ValueError: no"})
    emulator.call("DeprecateActivityType", {"domain": DOMAIN, "activityType": ACTIVITY})
    emulator.advance(60)
    assert swf("show", "order-17") == (
        0,
        """\
order-17, of 'Order' version '1'
run id run-1

open for 1 min, since 2026-01-01 12:00:00 UTC; times out in 59 min

waits for
- decision: scheduled 1 min ago on task list 'orders', not started
- activity pay-1-0, 'pay' version '2': scheduled 1 min ago on task list 'payments', not started

why it may be stuck
- nobody has taken an activity from task list 'payments' for 1 min (1 task waits there): no worker \
polls it, or all are busy; start one with `flowy swf worker MODULE --activities --domain shop \
--task-list payments`
- nobody has taken a decision from task list 'orders' for 1 min (1 task waits there): no worker \
polls it, or all are busy; start one with `flowy swf worker MODULE --workflows --domain shop \
--task-list orders`
- activity 'pay' version '2' is deprecated: what is scheduled goes on, and nothing new of this \
type is scheduled or started

what went wrong on the way
- pay-0-0 failed 0 s after the start: ValueError: no
""",
        "",
    )


def test_show_says_how_a_closed_execution_ended(swf: Swf, emulator: Emulator) -> None:
    from flowy_swf.failures import Failure

    start(emulator)
    decide(emulator, pay())
    take_activity(emulator)
    signal = {"domain": DOMAIN, "workflowId": "order-17", "signalName": "s"}
    emulator.call("SignalWorkflowExecution", signal)
    failure = Failure("ValueError", "no such item", "Traceback ...\nValueError: no such item\n")
    about = {"reason": failure.reason, "details": failure.details}
    emulator.advance(2)
    decide(emulator, decision("FailWorkflowExecution", **about))
    assert swf("show", "order-17") == (
        0,
        """\
order-17, of 'Order' version '1'
run id run-1

failed after 2 s, at 2026-01-01 12:00:02 UTC: ValueError: no such item

open when it closed
- activity pay-0-0, 'pay' version '2': started 2 s ago by worker-1 on task list 'payments'

where it failed
Traceback ...
ValueError: no such item
""",
        "",
    )


def test_show_gives_the_facts_as_json(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    take_decision(emulator)
    emulator.advance(5)
    status, out, err = swf("show", "order-17", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "domain": DOMAIN,
        "workflowId": "order-17",
        "runId": "run-1",
        "workflowType": TYPE,
        "started": 1_767_268_800.0,
        "cancelRequested": None,
        "state": "open for 5 s, since 2026-01-01 12:00:00 UTC; times out in 59 min 55 s",
        "waitsFor": [
            {
                "kind": "decision",
                "id": "",
                "type": [],
                "taskList": "orders",
                "scheduled": 1_767_268_800.0,
                "started": 1_767_268_800.0,
                "identity": "decider-1",
                "cancelRequested": False,
                "startToCloseTimeout": "10",
                "scheduleToStartTimeout": "NONE",
            }
        ],
        "problems": [],
        "troubles": [],
    }


def test_show_gives_how_it_ended_as_json(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, pay())
    token = take_activity(emulator)["taskToken"]
    emulator.call("RespondActivityTaskFailed", {"taskToken": token, "reason": "ValueError: no"})
    decide(emulator, COMPLETE)
    found = json.loads(swf("show", "order-17", "--json")[1])
    assert (found["closing"], found["closed"], found["result"]) == (
        "WorkflowExecutionCompleted",
        1_767_268_800.0,
        '{"paid": 3}',
    )
    assert found["troubles"] == [
        {
            "time": 1_767_268_800.0,
            "id": "pay-0-0",
            "how": "failed",
            "type": "",
            "message": "ValueError: no",
        }
    ]


def test_show_asks_for_a_type_that_is_not_there_any_more(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    unknown = ("UnknownResourceFault", "Unknown type: ...")
    emulator.inject.fail("DescribeWorkflowType", *unknown)
    assert (
        "- workflow 'Order' version '1' is not registered any more: " in swf("show", "order-17")[1]
    )
    emulator.inject.fail("DescribeWorkflowType", "AccessDeniedException", "no")
    assert swf("show", "order-17")[0] == 1


# --- signal, cancel, terminate ------------------------------------------------------------------


def last(emulator: Emulator) -> dict[str, Any]:
    """Return what the last event of the execution is about."""
    event = emulator.history("order-17")[-1]
    kind: str = event["eventType"]
    found: dict[str, Any] = event[f"{kind[0].lower()}{kind[1:]}EventAttributes"]
    return {"eventType": kind, **found}


def test_a_signal_is_sent(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    assert swf("signal", "order-17", "approved", '{"by": "ada"}') == (
        0,
        "sent signal 'approved' to workflow id order-17, run id run-1\n",
        "",
    )
    about = [
        event.get("workflowExecutionSignaledEventAttributes")
        for event in emulator.history("order-17")
    ]
    assert [each["input"] for each in about if each] == ['{"by": "ada"}']
    assert swf("signal", "order-17", "approved")[0] == 0
    assert "input" not in last(emulator)


def test_an_execution_is_asked_to_cancel(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    assert swf("cancel", "order-17") == (
        0,
        "asked to cancel: workflow id order-17, run id run-1\n",
        "",
    )
    assert last(emulator)["eventType"] == "WorkflowExecutionCancelRequested"


def test_an_execution_is_terminated(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    status, out, err = swf("terminate", "order-17", "--reason", "stuck", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out) == {"workflowId": "order-17", "runId": "run-1"}
    assert last(emulator) == {
        "eventType": "WorkflowExecutionTerminated",
        "cause": "OPERATOR_INITIATED",
        "childPolicy": "TERMINATE",
        "reason": "stuck",
    }


def test_a_closed_execution_takes_no_requests(swf: Swf, emulator: Emulator) -> None:
    start(emulator)
    decide(emulator, COMPLETE)
    for arguments in (
        ["signal", "order-17", "s"],
        ["cancel", "order-17"],
        ["terminate", "order-17"],
    ):
        assert swf(*arguments) == (
            1,
            "",
            f"flowy swf {arguments[0]}: error: workflow id 'order-17', run id 'run-1' is not open "
            "any more: it completed\n",
        )
