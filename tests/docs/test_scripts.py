"""The blocks of Python on pages of this folder's subject print what the pages say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.docs.manual import DOCS

PAGES = ("index.md", "moving-from-0.4.1.md", "reference/wire-format.md")
SCRIPT = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def _scripts() -> Iterator[Any]:
    for page in PAGES:
        text = (DOCS / page).read_text(encoding="utf-8")
        for match in SCRIPT.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            yield pytest.param(match[1], match[2], id=f"{page}:{line}")


@pytest.mark.parametrize(("code", "output"), list(_scripts()))
def test_a_script_prints_what_the_page_says(code: str, output: str | None, tmp_path: Path) -> None:
    assert output is not None, "no block of text after it says what the script prints"
    # Coverage in other processes would look for the packages in the current folder.
    env = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, encoding="utf-8"
    )
    assert (done.stderr + done.stdout, done.returncode) == (output, 0)


def test_no_other_page_of_the_reference_has_scripts() -> None:
    with_scripts = {
        f"reference/{page.name}"
        for page in (DOCS / "reference").glob("*.md")
        if SCRIPT.search(page.read_text(encoding="utf-8"))
    }
    assert with_scripts <= set(PAGES)
