from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

ROOT = Path(__file__).parents[2]

RunScript: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]
LoadExample: TypeAlias = Callable[[str], Any]


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def load_example() -> LoadExample:
    """Return what imports an example, anew each time, and not as a script."""

    def load(name: str) -> Any:
        path = ROOT / "docs" / "examples" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"example_{name}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def run_script(tmp_path: Path) -> RunScript:
    """Return what runs a script in an empty folder; it takes what `subprocess.run` takes."""

    def run(
        path: Path | str,
        *arguments: str | Path,
        before: Sequence[str] = (),
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, "-W", "error", path, *arguments]
        # Coverage in worker processes would look for the packages in the current folder.
        env = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
        env |= options.pop("env", {})
        options = {"cwd": tmp_path, "stdin": subprocess.DEVNULL, "timeout": 60, **options}
        return subprocess.run(
            command, env=env, capture_output=True, text=True, encoding="utf-8", **options
        )

    return run
