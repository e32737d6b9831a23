from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flowy_swf import emulator
from flowy_swf.emulator import Emulator, Quotas
from flowy_swf.emulator.client import make_client
from flowy_swf.emulator.injection import Injection

MANUAL = Path(__file__).parents[2] / "docs" / "emulator.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", [each for each in EXAMPLES if "def test_" not in each])
def test_an_example_runs(example: str) -> None:
    exec(compile(example, str(MANUAL), "exec"), {"__name__": "example"})


def test_the_example_of_a_fixture_is_a_test_that_passes(tmp_path: Path) -> None:
    (example,) = (each for each in EXAMPLES if "def test_" in each)
    (tmp_path / "test_example.py").write_text(example, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_example_of_the_command_serves(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"```sh\n(flowy swf emulator .*)\n```", MANUAL.read_text(encoding="utf-8")
    )
    arguments = re.sub(r"--port \d+", "--port 0", example).split()[1:]
    process = subprocess.Popen(
        [sys.executable, "-m", "flowy", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert process.stdout is not None
        client = make_client(process.stdout.readline().strip())
        client.register_domain(name="shop", workflowExecutionRetentionPeriodInDays="1")
        client.close()
    finally:
        process.terminate()
        rest, _ = process.communicate()
    assert (process.returncode, rest) == (0, "")
    assert (tmp_path / "histories").is_dir()


def test_the_public_names_are_these_and_each_is_documented() -> None:
    names = {name for name in vars(emulator) if name[0].isupper()}
    assert names == {"CallCount", "Emulator", "Fault", "Injection", "OpenTask", "Poller", "Quotas"}
    assert all(getattr(emulator, name).__doc__ for name in names)


@pytest.mark.parametrize("owner", [Emulator, Injection, Quotas])
def test_every_public_method_has_a_docstring(owner: type) -> None:
    methods = [each for name, each in vars(owner).items() if not name.startswith("_")]
    assert all(each.__doc__ for each in methods if callable(each))


def test_the_manual_names_every_fault_that_can_be_put_in_and_every_view() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    injections = {name for name in vars(Injection) if not name.startswith(("_", "next_"))}
    assert all(f"inject.{name}(" in text for name in injections)
    views = {"history", "open_tasks", "pollers", "calls", "clear_calls", "wait_for", "advance"}
    assert views <= set(vars(Emulator))
    assert all(f"{name}(" in text for name in views)
