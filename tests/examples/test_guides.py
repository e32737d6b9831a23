"""The guides: each block of Python is a script that prints the block of text after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ("workflows.md", "local.md", "testing.md", "swf.md")

SCRIPT = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.M | re.S
)


def scripts() -> Iterator[Any]:
    for guide in GUIDES:
        text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
        for match in SCRIPT.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            yield pytest.param(match["code"], match["output"], id=f"{guide}:{line}")


@pytest.mark.parametrize(("code", "output"), list(scripts()))
def test_a_script_prints_what_the_guide_says(
    code: str, output: str | None, run_script: Callable[..., Any], tmp_path: Path
) -> None:
    assert output is not None, "no block of text after it says what the script prints"
    script = tmp_path / "guide.py"
    script.write_text(code, encoding="utf-8")
    done = run_script(script)
    assert (done.stderr + done.stdout, done.returncode) == (output, 0)
