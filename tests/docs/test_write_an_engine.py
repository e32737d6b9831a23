"""The page about engines has the hooks as they are."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import flowy.hookspecs
from flowy import events
from flowy.testing import conformance

PAGE = (Path(__file__).parents[2] / "docs" / "write-an-engine.md").read_text(encoding="utf-8")


def test_the_page_has_every_hook_with_its_arguments() -> None:
    signatures = [
        name + str(inspect.signature(hook)).replace("'", "")
        for name, hook in vars(flowy.hookspecs).items()
        if name.startswith("flowy_")
    ]
    rows = [
        row.replace("\\|", "|") for row in re.findall(r"^\| `(flowy_.+?)` \| ", PAGE, re.MULTILINE)
    ]
    assert rows == signatures


def test_the_page_has_every_command_that_an_engine_carries_out() -> None:
    rows = re.findall(r"^\| `([A-Z]\w+)\(", PAGE, re.MULTILINE)
    # No workflow can ask for a marker yet.
    assert {*rows, "RecordMarker"} == {kind.__name__ for kind in events.Command.__args__}


def test_the_page_has_every_feature_that_an_engine_may_lack() -> None:
    listed = re.search(r"`conformance\.FEATURES`: (.+?)\.\n", PAGE, re.DOTALL)
    assert listed is not None
    assert re.findall(r'`"(\w+)"`', listed[1]) == list(conformance.FEATURES)
