"""Values: what goes in at one end of an engine comes out at the other as what it was."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from flowy.testing.conformance.activities import Color, Pair, Point, identity
from flowy.testing.conformance.case import Case, Task, workflow


def passes_a_value_on(identity: Task) -> Any:
    """Return a workflow that hands its argument to a task, and what comes back to another."""
    return lambda value: [value, identity(identity(value))]


_VALUES: dict[str, Any] = {
    "none": None,
    "a_bool": [True, False],
    "an_int": [0, -1, 2**80],
    "a_float": [0.1, -0.0, 1e300, 5e-324],
    "an_infinity": [float("inf"), float("-inf")],
    "nan": float("nan"),
    "a_complex_number": 1 - 2j,
    "a_string": ["", "plain", "na\u00efve \u2603 \U0001f600", 'quote " \\ \n \x00'],
    "bytes": [b"", bytes(range(256))],
    "a_list": [1, [2, [3, []]]],
    "a_tuple": (1, (2, ()), [3]),
    "a_dict": {"a": 1, "b": {"c": []}},
    "a_dict_whose_keys_are_no_strings": {1: "int", None: "none", (1, 2): "tuple", "1": "str"},
    "a_dict_that_looks_like_a_tag": [{" u": "00"}, {" b": "AA=="}, {" t": [1]}],
    "a_set": {1, "a", (2, 3)},
    "a_frozenset": frozenset({1, frozenset({2})}),
    "a_uuid": UUID("12345678-1234-5678-1234-567812345678"),
    "a_decimal": [Decimal("1.10"), Decimal("1E+400")],
    "a_datetime": [
        datetime(2024, 2, 29, 12, 30, 0, 123456),
        datetime(2024, 2, 29, 12, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
    "a_date_or_time": [date(2024, 2, 29), time(23, 59, 59, 1)],
    "a_timedelta": timedelta(days=-1, seconds=5, microseconds=7),
    "a_path": PurePosixPath("folder/file.txt"),
    "a_member_of_an_enum": [Color.RED, Color.BLUE],
    "a_dataclass": Point(1, Point([2], None)),
    "a_named_tuple": Pair("a", Pair(1, ())),
}

CASES = [
    Case(
        f"{what}_comes_back_as_what_it_was",
        workflow(passes_a_value_on, identity),
        args=(value,),
        expected=[value, value],
        starts={"identity": 2},
    )
    for what, value in _VALUES.items()
]
