"""The examples of Amazon SWF, as scripts. The emulator that plays it is part of them."""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from botocore import xform_name
from botocore.loaders import create_loader
from botocore.model import ServiceModel, StringShape
from botocore.validate import ParamValidator

from flowy.cli import main

RunScript: TypeAlias = Callable[..., Any]

#: what each script prints; the first line of this one is what toy.py prints when it is imported
OUTPUTS = {
    "local_and_swf": """\
104
workflow         this machine     Amazon SWF
ExampleWorkflow  104              104
WordCount        17               17
Total            27 on 3 pages    27 on 3 pages
Invoice          63               63
""",
}


def test_every_example_is_tested(root: Path) -> None:
    scripts = {path.stem for path in (root / "docs" / "examples" / "swf").glob("*.py")}
    assert scripts == {*OUTPUTS}


@pytest.mark.parametrize(("name", "output"), OUTPUTS.items(), ids=OUTPUTS)
def test_a_script_prints(name: str, output: str, root: Path, run_script: RunScript) -> None:
    done = run_script(root / "docs" / "examples" / "swf" / f"{name}.py")
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 0)


def test_a_command_runs_it(root: Path) -> None:
    commands = (root / "hatch.toml").read_text(encoding="utf-8")
    assert 'example-swf = "python docs/examples/swf/local_and_swf.py"\n' in commands


# --- what the guide has besides scripts -----------------------------------------------------------


def blocks(root: Path, language: str) -> list[str]:
    text = (root / "docs" / "swf.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```\n", text, re.M | re.S)


def model(service: str) -> ServiceModel:
    return ServiceModel(create_loader().load_service_model(service, "service-2"))


def decision_types() -> list[str]:
    shape = model("swf").shape_for("DecisionType")
    assert isinstance(shape, StringShape)
    # botocore is not typed everywhere.
    types: list[str] = shape.enum
    return types


def test_the_lifecycle_rule_is_one_that_s3_takes(root: Path) -> None:
    (rule,) = [found for found in map(json.loads, blocks(root, "json")) if "Rules" in found]
    shape = model("s3").operation_model("PutBucketLifecycleConfiguration").input_shape
    assert shape is not None
    request = {"Bucket": "shop-payloads", "LifecycleConfiguration": rule}
    assert ParamValidator().validate(request, shape).generate_report() == ""


@pytest.fixture
def policy(root: Path) -> dict[str, set[str]]:
    """Return the actions that the guide's policy allows, by the name of the statement."""
    (found,) = [found for found in map(json.loads, blocks(root, "json")) if "Statement" in found]
    return {each["Sid"]: set(each["Action"]) for each in found["Statement"] if "swf" in str(each)}


def test_the_policy_names_actions_that_there_are(policy: dict[str, set[str]]) -> None:
    there_are = {*model("swf").operation_names, *decision_types()}
    assert {action.removeprefix("swf:") for action in set().union(*policy.values())} <= there_are


def test_the_policy_allows_what_is_called_and_decided_and_nothing_else(
    root: Path, policy: dict[str, set[str]]
) -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (root / "packages" / "flowy-swf" / "src" / "flowy_swf").rglob("*.py")
        if "emulator" not in path.parts
    )
    # Methods of the client: by name, or with a name made of an f-string.
    methods = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", source))
    made = [
        re.sub(r"\{.*?\}", "[a-z]+", template)
        for template in re.findall(r'getattr\([\w.]*client, f"(.*?)"', source)
    ]
    called = {
        f"swf:{operation}"
        for operation in model("swf").operation_names
        if xform_name(operation) in methods
        or any(re.fullmatch(each, xform_name(operation)) for each in made)
    }
    decided = {
        f"swf:{kind}"
        for kind in decision_types()
        if f'decision("{kind}"' in re.sub(r"\(\s+", "(", source)
    }
    # A domain is no resource before it is there, and Lambda functions are the execution's role's.
    elsewhere = {"swf:RegisterDomain", "swf:ScheduleLambdaFunction"}
    assert set().union(*policy.values()) == (called | decided) - elsewhere


def test_commands_have_the_options_that_the_guide_gives_them(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given: dict[str, set[str]] = {}
    lines = [
        line for language in ("sh", "ini") for line in "".join(blocks(root, language)).split("\n")
    ]
    entry, options = re.findall(r"^(?:ENTRYPOINT|CMD) (.*)$", blocks(root, "dockerfile")[0], re.M)
    lines.append(" ".join(json.loads(entry) + json.loads(options)))
    for line in lines:
        command = re.search(r"flowy swf (\w+)(.*)", line)
        if command is not None:
            given.setdefault(command[1], set()).update(re.findall(r"--[\w-]+", command[2]))
    assert set(given) == {"register", "worker"}
    for command_name, named in given.items():
        with pytest.raises(SystemExit):
            main(["swf", command_name, "--help"])
        assert named <= set(re.findall(r"--[\w-]+", capsys.readouterr().out))


def test_the_unit_gives_a_worker_longer_than_its_grace(root: Path) -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(blocks(root, "ini")[0])
    service = unit["Service"]
    grace = re.search(r"--grace (\d+)", service["ExecStart"])
    assert grace is not None
    assert int(service["TimeoutStopSec"]) > int(grace[1]) > 60
