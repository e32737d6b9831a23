"""Modules that few payloads need are imported when the first of them does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from flowy.serialization import JSON

JSON.dump_value([1, "two", {"three": [None, 4.5]}])
JSON.load_value("[1, {\\"two\\": null}]")
assert "flowy._scalars" not in sys.modules and "decimal" not in sys.modules
print(__EXPRESSION__)
assert "flowy._scalars" in sys.modules
"""


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("""JSON.load_value('{" dec": "1.50"}')""", "1.50"),
        ("""JSON.load_value('{" date": "2024-02-29"}')""", "2024-02-29"),
        ("""JSON.dump_value(__import__("decimal").Decimal("1.50"))""", '{" dec": "1.50"}'),
        ("""JSON.dump_value([__import__("uuid").UUID(int=1)])""", f'[{{" u": "{1:032x}"}}]'),
    ],
)
def test_scalars_of_the_library_are_imported_when_they_turn_up(expression: str, shown: str) -> None:
    script = SCRIPT.replace("__EXPRESSION__", expression)
    # Where coverage counts what a subprocess does, it imports decimal itself.
    uncounted = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=uncounted
    )
    assert (done.stdout.strip(), done.stderr) == (shown, "")
