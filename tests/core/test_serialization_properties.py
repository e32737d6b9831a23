"""The laws of the codecs, over everything that they carry."""

from __future__ import annotations

import datetime as dt
import enum
import json
import pathlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowy.result import ResultProxy
from flowy.serialization import JSON, OBJECT, Codec, PayloadError

HERE = __name__


class Fruit(enum.Enum):
    APPLE = 1
    PEAR = "pear"


class Size(enum.IntEnum):
    SMALL = 1


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2
    RUN = 4


@dataclass
class Node:
    left: Any
    right: Any = None


@dataclass(frozen=True, slots=True)
class Leaf:
    name: Any


class Span(NamedTuple):
    start: Any
    end: Any


class Source:
    """A task that has finished well."""

    finished = True

    def __init__(self, value: Any, codec: Codec | None) -> None:
        self.result = value
        self.codec = codec
        self.payload = codec.dump_value(value) if codec is not None else None

    def value(self) -> Any:
        return self.result

    def describe(self) -> str:
        return "task-0"


def exact(value: Any) -> str:
    """Describe a value in full: two values are alike if and only if their descriptions are."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, enum.Enum):
        return f"{kind}:{value._value_!r}"
    if type(value) is int:
        return f"{kind}:{value:x}"
    if type(value) in (list, tuple) or isinstance(value, Span):
        return f"{kind}({', '.join(map(exact, value))})"
    if type(value) in (set, frozenset):
        return f"{kind}({', '.join(sorted(map(exact, value)))})"
    if type(value) is dict:
        return f"{kind}({', '.join(f'{exact(k)}: {exact(v)}' for k, v in value.items())})"
    if is_dataclass(value):
        return f"{kind}({', '.join(exact(getattr(value, f.name)) for f in fields(value))})"
    if isinstance(value, (dt.datetime, dt.time)):
        return f"{kind}:{value.replace(tzinfo=None)!r} {exact(value.tzinfo)}"
    return f"{kind}:{value!r}"


any_text = st.text(st.characters(exclude_categories=()), max_size=8)
tag_like = st.sampled_from([" u", " b", " t", " d", " e", " dc", " x", " ", "", "a"])
zones = st.one_of(
    st.none(),
    st.just(dt.timezone.utc),
    st.just(ZoneInfo("UTC")),
    st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)).map(dt.timezone),
)
folds = st.integers(0, 1)


def folded(moment: Any, fold: int) -> Any:
    return moment.replace(fold=fold)


def pure_path(kind: type[pathlib.PurePath], parts: list[str]) -> pathlib.PurePath:
    return kind(*parts)


path_classes = st.sampled_from([pathlib.Path, pathlib.PurePosixPath, pathlib.PureWindowsPath])


def power_of_ten(exponent: int) -> int:
    """Return an integer of more digits than Python writes, or almost so many."""
    return int(-(10**exponent))


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([4298, 4299, 4300, 5000]).map(power_of_ten),
    st.floats(),
    any_text,
    tag_like,
)
leaves = st.one_of(
    scalars,
    st.complex_numbers(),
    st.binary(max_size=8),
    st.uuids(),
    st.decimals(),
    st.sampled_from([Decimal("sNaN12"), Decimal("-0"), Decimal("1e999999")]),
    st.builds(folded, st.datetimes(timezones=zones), folds),
    st.builds(folded, st.times(timezones=zones), folds),
    st.dates(),
    st.timedeltas(),
    st.builds(pure_path, path_classes, st.lists(any_text, max_size=3)),
    st.sampled_from([*Fruit, *Size]),
    st.builds(Access, st.integers(0, 7)),
)


def is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:  # a signalling NaN
        return False
    return True


hashables = st.recursive(
    leaves.filter(is_hashable),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.frozensets(inner, max_size=3),
        st.builds(Leaf, inner),
        st.builds(Span, inner, inner),
    ),
    max_leaves=4,
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=9),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(any_text | tag_like, inner, max_size=9),
        st.dictionaries(hashables, inner, max_size=3),
        st.sets(hashables, max_size=4),
        st.frozensets(hashables, max_size=4),
        st.builds(Node, inner, inner),
        st.builds(Leaf, inner),
        st.builds(Span, inner, inner),
    ),
    max_leaves=12,
)


@given(values)
def test_a_value_comes_back_as_exactly_what_it_was(value: Any) -> None:
    text = JSON.dump_value(value)
    assert text.isascii()
    json.loads(text, parse_constant=pytest.fail)
    loaded = JSON.load_value(text)
    assert exact(loaded) == exact(value)
    assert JSON.dump_value(loaded) == text


@given(st.lists(values, max_size=3), st.dictionaries(any_text | tag_like, values, max_size=3))
def test_arguments_come_back_as_exactly_what_they_were(
    args: list[Any], kwargs: dict[str, Any]
) -> None:
    payload, sources = JSON.prepare_input(tuple(args), kwargs)
    assert sources == ()
    loaded_args, loaded_kwargs = JSON.load_input(payload)
    assert exact(loaded_args) == exact(args)
    assert exact(loaded_kwargs) == exact(kwargs)
    assert JSON.same_input(json.dumps(json.loads(payload), indent=1), payload)


plain_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
    )
    | any_text,
    lambda inner: (
        st.lists(inner, max_size=9)
        | st.dictionaries(any_text.filter(lambda key: not key.startswith(" ")), inner, max_size=9)
    ),
)


@given(plain_values)
def test_what_json_has_a_form_for_is_written_as_python_does(value: Any) -> None:
    assert JSON.dump_value(value) == json.dumps(value)


#: Pairs of a structure with results in it and the same one without.
Pair = tuple[Any, Any]
codecs = st.sampled_from([JSON, OBJECT, None])


def as_result(pair: Pair, codec: Codec | None) -> Pair:
    return ResultProxy(Source(pair[1], codec)), pair[1]


def sides(pairs: list[Pair]) -> tuple[list[Any], list[Any]]:
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def list_of(pairs: list[Pair]) -> Pair:
    return sides(pairs)


def tuple_of(pairs: list[Pair]) -> Pair:
    with_holes, without = sides(pairs)
    return tuple(with_holes), tuple(without)


def dict_of(pairs: Mapping[str, Pair]) -> Pair:
    return {k: v[0] for k, v in pairs.items()}, {k: v[1] for k, v in pairs.items()}


def keyed_dict_of(items: list[tuple[Pair, Pair]]) -> Pair:
    return {k[0]: v[0] for k, v in items}, {k[1]: v[1] for k, v in items}


def set_of(pairs: list[Pair]) -> Pair:
    with_holes, without = sides(pairs)
    return set(with_holes), set(without)


def frozenset_of(pairs: list[Pair]) -> Pair:
    with_holes, without = sides(pairs)
    return frozenset(with_holes), frozenset(without)


def node_of(left: Pair, right: Pair) -> Pair:
    return Node(left[0], right[0]), Node(left[1], right[1])


def leaf_of(pair: Pair) -> Pair:
    return Leaf(pair[0]), Leaf(pair[1])


def span_of(start: Pair, end: Pair) -> Pair:
    return Span(start[0], end[0]), Span(start[1], end[1])


def twice(value: Any) -> Pair:
    return value, value


def maybe_result(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    return inner | st.builds(as_result, inner, codecs)


# Numbers of one type, because equal members of a set may be of several types: of 1 and 1.0, a set
# keeps the one that it got first.
simple = maybe_result((st.integers(0, 20) | any_text).map(twice))
hashable_pairs = st.recursive(
    simple,
    lambda inner: maybe_result(
        st.one_of(
            st.lists(inner, max_size=3).map(tuple_of),
            st.lists(inner, max_size=3).map(frozenset_of),
            st.builds(leaf_of, inner),
            st.builds(span_of, inner, inner),
        )
    ),
    max_leaves=4,
)
pairs = st.recursive(
    simple | maybe_result(leaves.map(twice)),
    lambda inner: maybe_result(
        st.one_of(
            st.lists(inner, max_size=8).map(list_of),
            st.lists(inner, max_size=3).map(tuple_of),
            st.dictionaries(any_text | tag_like, inner, max_size=8).map(dict_of),
            st.lists(st.tuples(hashable_pairs, inner), max_size=3).map(keyed_dict_of),
            st.lists(hashable_pairs, max_size=3).map(set_of),
            st.builds(node_of, inner, inner),
            st.builds(leaf_of, inner),
            st.builds(span_of, inner, inner),
        )
    ),
    max_leaves=10,
)


@given(pairs)
def test_filled_holes_give_the_text_of_the_values(pair: Pair) -> None:
    with_holes, without = pair
    prepared, _ = JSON.prepare_value(with_holes)
    assert JSON.fill(prepared) == JSON.dump_value(without)


@given(pairs)
def test_filled_holes_give_the_objects(pair: Pair) -> None:
    with_holes, without = pair

    # Payloads of JSON are no objects, and those of tasks without a codec are nothing at all.
    prepared, sources = OBJECT.prepare_input((with_holes,), {"x": with_holes})
    args, kwargs = OBJECT.fill(prepared)
    assert exact(args) == exact((without,))
    assert exact(kwargs) == exact({"x": without})
    assert sources == () or type(prepared) is not tuple


# Text that may come from anywhere

class_names = st.sampled_from(
    [
        *(f"{HERE}:{name}" for name in ("Node", "Leaf", "Span", "Fruit", "Access", "Size")),
        *("os:system", f"{HERE}:Node.__init__.__globals__", "builtins:object", ":", ""),
    ]
)
tags = st.sampled_from(
    [
        *(" u", " b", " f", " i", " c", " dec", " dt", " date", " time", " td", " path"),
        *(" t", " s", " fs", " d", " e", " dc", " nt", " x"),
    ]
)
contents = st.one_of(
    scalars.filter(lambda value: type(value) is not int or abs(value) < 2**64),
    st.floats(),
    st.sampled_from(["nan", "0x1f", "2024-01-01", "2024-01-01T00:00:00", "01:02", "UTC", "APPLE"]),
    st.text("0123456789abcdef", min_size=32, max_size=32),
    class_names,
)
json_values = st.recursive(
    contents,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(any_text | tags, inner, max_size=3),
        st.dictionaries(tags, inner, min_size=1, max_size=1),
        st.fixed_dictionaries({}, optional={"left": inner, "right": inner, "name": inner}),
        st.fixed_dictionaries({"start": inner, "end": inner}),
        st.builds(
            lambda tag, name, content: {tag: [name, content]},
            st.sampled_from([" e", " dc", " nt", " dt"]),
            class_names,
            inner,
        ),
    ),
    max_leaves=12,
)


def value_or_payload_error(text: str) -> None:
    # Any other error fails the test.
    with suppress(PayloadError):
        JSON.load_input(text)
    with suppress(PayloadError):
        # What was loaded is something that the codec takes.
        JSON.dump_value(JSON.load_value(text))


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(json_values)
def test_any_json_is_a_value_or_a_payload_error(value: Any) -> None:
    value_or_payload_error(json.dumps(value))


@given(json_values, st.data())
def test_damaged_json_is_a_value_or_a_payload_error(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    value_or_payload_error(
        text[:start] + data.draw(st.text('[]{}", :0eu\\', max_size=2)) + text[end:]
    )


@given(st.text())
def test_any_text_is_a_value_or_a_payload_error(text: str) -> None:
    value_or_payload_error(text)
