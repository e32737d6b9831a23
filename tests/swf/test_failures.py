"""Failures fit the service's limits and come back as what they were."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import TracebackType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowy.errors import TaskError
from flowy.events import CallId
from flowy.heartbeats import call_with_heartbeats
from flowy_swf.failures import REASON_LIMIT, Failure
from flowy_swf.payloads import LIMIT


@given(st.text(), st.text(), st.text())
def test_a_failure_comes_back(error_type: str, message: str, traceback: str) -> None:
    failure = Failure(error_type, message, traceback)
    assert Failure.read(failure.reason, failure.details) == failure


@given(st.text(), st.integers(0, 20_000), st.integers(0, 20_000))
def test_a_failure_fits_whatever_it_says(text: str, message: int, traceback: int) -> None:
    failure = Failure("ValueError", text * message, text * traceback)
    assert len(failure.reason) <= REASON_LIMIT
    assert len(failure.details) <= LIMIT
    assert Failure.read(failure.reason, failure.details).error_type == "ValueError"


def test_a_failure_of_a_type_with_a_very_long_name_fits() -> None:
    failure = Failure.of(type("E" * 40_000, (Exception,), {})("no"))
    assert len(failure.details) <= LIMIT
    assert Failure.read(failure.reason, failure.details).error_type == "E" * 253 + "..."


def test_text_that_has_no_form_on_the_wire_comes_back_and_is_marked_in_the_reason() -> None:
    failure = Failure("ValueError", "half a pair: \ud800", "\udfff")
    assert failure.reason == "ValueError: half a pair: ?"
    assert failure.details.isascii()
    assert Failure.read(failure.reason, failure.details) == failure


def test_a_traceback_begins_with_the_users_own_code() -> None:
    def activity() -> None:
        CallId.parse("nonsense")

    error, frames = raised(lambda: call_with_heartbeats(print, activity))
    assert frames.tb_next is not None
    # As a worker sees it: it calls Flowy, which calls the activity, which calls Flowy.
    own = frames.tb_next.tb_next
    told = Failure.of(error.with_traceback(own)).traceback
    assert re.findall(r", in (\w+)", told) == ["activity", "parse"]


def test_a_traceback_of_flowys_own_code_alone_is_kept() -> None:
    error, frames = raised(lambda: CallId.parse("nonsense"))
    assert frames.tb_next is not None
    told = Failure.of(error.with_traceback(frames.tb_next.tb_next)).traceback
    assert re.findall(r", in (\w+)", told) == ["parse"]


def raised(function: Callable[[], object]) -> tuple[ValueError, TracebackType]:
    """Return what a function raises, and its traceback: from here, through the function, and on."""
    with pytest.raises(ValueError, match="nonsense") as caught:
        function()
    return caught.value, caught.tb


def test_of_a_long_traceback_the_end_is_kept() -> None:
    failure = Failure("ValueError", "no", "x" * 40_000 + "the end")
    found = Failure.read(failure.reason, failure.details)
    assert found.message == "no"
    assert found.traceback.startswith("...xxx")
    assert found.traceback.endswith("the end")
    assert len(failure.details) == LIMIT


def test_of_a_long_message_the_beginning_is_kept() -> None:
    failure = Failure("ValueError", "the beginning" + "x" * 40_000, "traceback")
    found = Failure.read(failure.reason, failure.details)
    assert found.message.startswith("the beginning")
    assert found.message.endswith("...")
    assert found.traceback == ""


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Failure("ValueError", "no"), "ValueError: no"),
        (Failure("", "Error!"), "Error!"),
        (Failure("ValueError", "x" * 300), "ValueError: " + "x" * 241 + "..."),
        # However the service counts characters: these have two or four bytes.
        (Failure("", "é" * 128), "é" * 128),
        (Failure("", "🎈" * 65), "🎈" * 63 + "..."),
    ],
)
def test_the_reason_is_a_line_for_people(failure: Failure, reason: str) -> None:
    assert failure.reason == reason


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (None, Failure("", "Error!", "")),
        ("no JSON", Failure("", "Error!", "no JSON")),
        ("[1]", Failure("", "Error!", "[1]")),
        ("[" * LIMIT, Failure("", "Error!", "[" * LIMIT)),
        ('{"type": 4}', Failure("", "Error!", '{"type": 4}')),
        (
            '{"errorMessage": "no", "errorType": "ValueError"}',
            Failure("ValueError", "no", '{"errorMessage": "no", "errorType": "ValueError"}'),
        ),
    ],
    ids=lambda each: repr(each)[:30],
)
def test_what_strangers_wrote_is_read_too(details: str | None, expected: Failure) -> None:
    assert Failure.read("Error!", details) == expected


def test_a_failure_of_an_exception_has_its_traceback() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        failure = Failure.of(error)
    assert failure[:2] == ("ValueError", "no")
    assert "test_a_failure_of_an_exception_has_its_traceback" in failure.traceback


def test_a_failure_of_a_task_is_told_in_a_paragraph() -> None:
    error = TaskError("no", call="a-0-0", error_type="ValueError", traceback="remote")
    assert Failure.of(error).message == "a-0-0 failed: ValueError: no"
    assert "remote" in Failure.of(error).traceback


def test_an_exception_that_cannot_be_printed_is_a_failure_still() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert Failure.of(Broken()).message == "(no message: printing it raised RuntimeError)"
