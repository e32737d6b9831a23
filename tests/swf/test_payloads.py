"""Payloads within the service's limit, and functions of the user's own that write them."""

from __future__ import annotations

import base64
import random
import zlib
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowy import first
from flowy.events import (
    CompleteWorkflow,
    FailWorkflow,
    ScheduleActivity,
    TaskCompleted,
    TaskScheduled,
)
from flowy.execution import Execution
from flowy.run import Dependency
from flowy.serialization import PayloadError
from flowy_swf.payloads import LIMIT, CustomCodec, PayloadTooLargeError, SizedJSON, pack, unpack

NOISE = base64.b64encode(random.Random(1).randbytes(60_000)).decode()


@dataclass
class Memory:
    """A store that is a dict."""

    kept: dict[str, str] = field(default_factory=dict)

    def put(self, text: str) -> str:
        reference = f"bucket/{len(text)}"
        self.kept[reference] = text
        return reference

    def get(self, reference: str) -> str:
        return self.kept[reference]


@given(st.text(max_size=200), st.integers(0, 400))
def test_a_payload_comes_back(text: str, times: int) -> None:
    packed = pack(text * times)
    assert len(packed) <= LIMIT
    assert unpack(packed) == text * times


def test_a_payload_that_fits_is_left_as_it_is() -> None:
    assert pack("x" * LIMIT) == "x" * LIMIT


def test_a_payload_that_does_not_fit_is_compressed_under_a_tag() -> None:
    packed = pack('"' + "x" * LIMIT + '"')
    assert packed.startswith('{" z": "')
    assert zlib.decompress(base64.b64decode(packed[8:-2])) == b'"' + b"x" * LIMIT + b'"'


def test_a_payload_that_does_not_fit_compressed_is_refused_with_its_size_and_the_remedy() -> None:
    with pytest.raises(PayloadTooLargeError) as caught:
        pack(NOISE)
    assert str(caught.value) == (
        f"the payload has 80000 characters, {caught.value.packed} when compressed, and Amazon SWF "
        "takes 32768: pass a reference to the data instead, or configure "
        "payloads=S3Payloads(bucket, prefix)"
    )


def test_a_payload_that_does_not_fit_compressed_goes_into_the_store() -> None:
    store = Memory()
    packed = pack(NOISE, store)
    assert packed == '{" s3": "bucket/80000"}'
    assert unpack(packed, store) == NOISE


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        ('{" z": "no base64"}', "a compressed payload is damaged: "),
        ('{" z": ', "a compressed payload is damaged: "),
        ('{" z": 4}', "a compressed payload is damaged: "),
        (
            f'{{" z": "{base64.b64encode(zlib.compress(b"x" * 99)[:-6]).decode()}"}}',
            "a compressed payload is damaged: it is cut short, or longer than 268435456 bytes",
        ),
        ('{" s3": "x"}', 'a payload is in a store: \'{" s3": "x"}\'; configure the payloads='),
    ],
)
def test_a_damaged_payload_is_refused(packed: str, message: str) -> None:
    with pytest.raises(PayloadError) as caught:
        unpack(packed)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("packed", ['{" s3": ', '{" s3": 4}', '{" s3": "x", " s3": null}'])
def test_a_damaged_reference_is_refused(packed: str) -> None:
    with pytest.raises(PayloadError, match=r"^the reference to a stored payload is damaged: "):
        unpack(packed, Memory())


@pytest.mark.parametrize("text", ['{" z": "text of a serializer"}', '{" s3": "x"}', '{" s3": '])
def test_a_text_that_looks_packed_comes_back_as_it_is(text: str) -> None:
    assert unpack(pack(text)) == text


def scheduled(command: Any) -> TaskScheduled:
    return TaskScheduled(command.call, command.input)


def test_a_call_whose_input_would_not_fit_fails_where_it_is_made() -> None:
    def factory(a: Any) -> Any:
        return lambda: a(NOISE)

    dependencies = {"a": Dependency("a", codec=SizedJSON())}
    (command,) = Execution(factory, dependencies, "[[], {}]").run()
    assert isinstance(command, FailWorkflow)
    assert isinstance(command.error, PayloadTooLargeError)


def test_a_call_whose_input_would_not_fit_with_results_in_it_fails() -> None:
    def factory(a: Any) -> Any:
        def workflow() -> Any:
            one = a()
            return first(a(one, one), a(one, one))

        return workflow

    dependencies = {"a": Dependency("a", codec=SizedJSON())}
    execution = Execution(factory, dependencies, "[[], {}]")
    (command,) = execution.run()
    assert isinstance(command, ScheduleActivity)
    execution.apply(scheduled(command), TaskCompleted(command.call, f'"{NOISE[:40_000]}"'))
    closed = execution.closed
    assert isinstance(closed, FailWorkflow)
    assert closed.summary.startswith("TaskError: a-1-0 failed: PayloadTooLargeError: the payload")


def test_a_result_that_would_not_fit_fails_the_workflow() -> None:
    (command,) = Execution(lambda: lambda: NOISE, {}, "[[], {}]", codec=SizedJSON()).run()
    assert isinstance(command, FailWorkflow)
    assert isinstance(command.error, PayloadTooLargeError)


def test_what_is_read_by_strangers_is_never_packed() -> None:
    with pytest.raises(PayloadTooLargeError) as caught:
        SizedJSON(packs=False).prepare_input(("x" * 40_000,), {})
    assert str(caught.value) == (
        "the payload has 40010 characters, and Amazon SWF takes 32768: pass a reference to the "
        "data instead"
    )


def test_with_a_store_everything_fits() -> None:
    prepared, _ = SizedJSON(Memory()).prepare_value(NOISE)
    assert len(prepared) == 80_002


def words(*args: Any, **kwargs: Any) -> str:
    return f"args {args} kwargs {kwargs}"


CUSTOM = CustomCodec(
    serialize_input=words,
    deserialize_input=lambda text: ((text,), {}),
    serialize_result=lambda value: f"<{value}>",
    deserialize_result=lambda text: int(text[1:-1]),
)


def test_functions_of_the_users_own_write_and_read_what_crosses() -> None:
    execution = Execution(
        lambda a: lambda: a(a(1), x=[a(2)]), {"a": Dependency("a", codec=CUSTOM)}, "[[], {}]"
    )
    one, two = execution.run()
    assert isinstance(one, ScheduleActivity)
    assert isinstance(two, ScheduleActivity)
    assert [one.input, two.input] == ["args (1,) kwargs {}", "args (2,) kwargs {}"]
    three = execution.apply(
        scheduled(one),
        scheduled(two),
        TaskCompleted(one.call, "<1>"),
        TaskCompleted(two.call, "<4>"),
    )
    assert [each.input for each in three] == ["args (1,) kwargs {'x': [4]}"]  # type: ignore[union-attr]


def test_a_replayed_call_is_compared_by_the_text_that_was_written() -> None:
    assert CUSTOM.same_input("args", "args")
    assert CUSTOM.same_input('[1,  {"a": 1, "b": 2}]', '[1, {"b": 2, "a": 1}]')
    assert not CUSTOM.same_input("args", "other")


def test_a_workflow_reads_its_input_and_writes_its_result_by_them() -> None:
    (command,) = Execution(lambda: lambda text: text.upper(), {}, "input", codec=CUSTOM).run()
    assert command == CompleteWorkflow("<INPUT>")


def test_what_is_not_given_is_json() -> None:
    codec = CustomCodec()
    assert codec.prepare_input((1,), {"x": 2}) == ('[[1], {"x": 2}]', ())
    assert codec.load_input('[[1], {"x": 2}]') == ((1,), {"x": 2})
    assert codec.dump_value([1]) == "[1]"
    assert codec.load_value("[1]") == [1]


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (
            lambda: CustomCodec(serialize_input=lambda: 4).prepare_input((), {}),  # type: ignore
            TypeError,
            "serialize_input must return a str, not 4",
        ),
        (
            lambda: CustomCodec(serialize_result=lambda value: b"").dump_value(4),  # type: ignore
            TypeError,
            "serialize_result must return a str, not b''",
        ),
        (
            lambda: CustomCodec(deserialize_input=lambda text: 4).load_input(""),
            PayloadError,
            "deserialize_input must return (args, kwargs), not 4",
        ),
        (
            lambda: CustomCodec(serialize_result=lambda value: NOISE).dump_value(4),
            PayloadTooLargeError,
            "the payload has 80000 characters, ",
        ),
    ],
)
def test_a_function_that_gives_something_else_is_named(
    use: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        use()
    assert str(caught.value).startswith(message)
