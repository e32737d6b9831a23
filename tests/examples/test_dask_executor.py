"""The local engine over Dask, with two worker processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_activities_run_in_the_processes_of_a_dask_cluster(
    root: Path, run_script: Callable[..., Any]
) -> None:
    # Whoever the cluster would leave behind holds the script's output, and this waits for its end.
    done = run_script(root / "docs" / "examples" / "dask_executor.py", timeout=100)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == (
        f"{sum(n * n for n in range(100_000))}\nnone of it was done here: True\n"
    )


def test_the_workflow_is_plain_python(load_example: Callable[[str], Any]) -> None:
    example = load_example("dask_executor")
    result = example.SumOfSquares(example.squares, example.join)(1000, parts=7)
    assert result["sum"] == sum(n * n for n in range(1000))
