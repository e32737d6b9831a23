"""Names of Flowy that the documents use are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tomli
from tests.docs.manual import DOCS, ROOT, load

api = load("_ext/api.py")

PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
PAGES += sorted(DOCS.rglob("*.md"))
NAME = re.compile(r"(?<![\w./-])flowy(?:_(?:local|swf|trace))?(?:\.[A-Za-z_]\w*)+")

#: what looks like one and is none
OTHERS = {
    "flowy.AcmeWorkflow": "of a plugin that is made up",
    "flowy.SerialWorkflow": "of the example of an engine",
    "flowy.local": "a logger",
    "flowy.serial": "the logger of the example of an engine",
    "flowy.swf": "a logger",
}


def _names() -> list[Any]:
    found: dict[str, str] = {}
    for page in PAGES:
        for name in NAME.findall(page.read_text(encoding="utf-8")):
            found.setdefault(name, str(page.relative_to(ROOT)))
    return [
        pytest.param(name, id=f"{name} in {page}")
        for name, page in sorted(found.items())
        if name not in OTHERS
    ]


@pytest.mark.parametrize("name", _names())
def test_a_name_is_there(name: str) -> None:
    assert api.resolve(name) is not None


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_a_hatch_command_of_the_manual_is_there(page: Path) -> None:
    environments = tomli.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))["envs"]
    for command in re.findall(r"hatch run ([\w.:-]+)", page.read_text(encoding="utf-8")):
        environment, _, script = command.rpartition(":")
        scripts = environments[environment or "default"]["scripts"]
        assert script in scripts, command
