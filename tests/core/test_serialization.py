"""The codecs, case by case; the laws are in `test_serialization_properties.py`."""

from __future__ import annotations

import collections
import datetime as dt
import enum
import io
import json
import math
import os
import pathlib
import subprocess
import sys
import types
import uuid
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from flowy.result import ResultProxy
from flowy.serialization import JSON, OBJECT, Codec, JSONCodec, ObjectCodec, PayloadError, codec

HERE = __name__
REMEDY = 'give its class a __json__ method, or use codec="object" on the local engine'


class Source:
    """A task that somebody else ran, or will."""

    __hash__ = None  # type: ignore[assignment]  # a codec must not need it

    def __init__(self, value: Any = None, codec: Codec | None = JSON) -> None:
        self.finished = False
        self.forced = 0
        self.codec = codec
        self.payload: Any = None
        if value is not None:
            self.finish(value)

    def finish(self, value: Any) -> None:
        self.finished = True
        self.result = value
        if self.codec is not None:
            self.payload = self.codec.dump_value(value)

    def value(self) -> Any:
        assert self.finished, "a pending source was forced"
        self.forced += 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def describe(self) -> str:
        return "task-0"


def proxy(value: Any) -> Any:
    return ResultProxy(Source(value))


class Color(enum.Enum):
    RED = "red"
    BLUE = object()  # a value without a form in JSON
    AZURE = BLUE


class Level(enum.IntEnum):
    LOW = 1


class Permission(enum.Flag):
    READ = 1
    WRITE = 2
    ALL = 3


class Mode(enum.IntFlag):
    A = 1
    B = 4


@dataclass
class Point:
    x: Any
    y: Any = 0
    kind: ClassVar[str] = "point"


class Outer:
    @dataclass(frozen=True)
    class Inner:
        z: Any


@dataclass
class Labelled(Point):
    label: str = ""


@dataclass(frozen=True, slots=True)
class Slotted:
    x: Any
    y: Any


@dataclass
class Guarded:
    """Counts how often its own code runs."""

    a: Any
    scale: InitVar[int] = 2
    b: Any = field(init=False)
    unset: Any = field(init=False, repr=False, compare=False)
    ran: ClassVar[int] = 0

    def __post_init__(self, scale: int) -> None:
        Guarded.ran += 1
        self.b = self.a * scale

    def __setattr__(self, name: str, value: Any) -> None:
        Guarded.ran += 1
        object.__setattr__(self, name, value)


@dataclass(eq=False)
class ById:
    x: Any


@dataclass
class Record(dict[str, Any]):
    x: Any


class Pair(NamedTuple):
    first: Any
    second: Any


class Broken(Pair):
    """A named tuple that is longer than its fields."""

    def __new__(cls) -> Broken:
        return tuple.__new__(cls, (1, 2, 3))


class Mixed(Point, enum.Enum):
    ORIGIN = 0, 0


class Money:
    def __init__(self, amount: Any) -> None:
        self.amount = amount

    def __json__(self) -> Any:
        return {"amount": self.amount}


@dataclass
class JSONPoint:
    x: Any

    def __json__(self) -> Any:
        return ["point", self.x]


class Text(str):
    __slots__ = ()


class ShiftingZone(dt.tzinfo):
    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(hours=1 + (when is not None and when.fold))

    def dst(self, when: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(0)

    def tzname(self, when: dt.datetime | None) -> str:
        return "shifting"


INCOMPLETE = Point(1)
del INCOMPLETE.x
FIXED = dt.timezone(dt.timedelta(hours=-3, minutes=-30))
HUGE = 10**5000 + 7

FORMS: list[tuple[Any, str]] = [
    (None, "null"),
    (True, "true"),
    (False, "false"),
    (5, "5"),
    (-0.0, "-0.0"),
    (1e300, "1e+300"),
    (math.inf, '{" f": "inf"}'),
    (-math.inf, '{" f": "-inf"}'),
    ([HUGE, -HUGE], f'[{{" i": "{HUGE:#x}"}}, {{" i": "{-HUGE:#x}"}}]'),
    ([HUGE, 1, 2, 3, 4, 5, 6], f'[{{" i": "{HUGE:#x}"}}, 1, 2, 3, 4, 5, 6]'),
    ('a"\\\n\u20ac\U0001f600', r'"a\"\\\n\u20ac\ud83d\ude00"'),
    ("\udc80", r'"\udc80"'),
    (complex(1.5, -0.0), '{" c": [1.5, -0.0]}'),
    (complex(1, math.inf), '{" c": [1.0, {" f": "inf"}]}'),
    (b"\x00\xff", '{" b": "AP8="}'),
    (uuid.UUID(int=10), '{" u": "0000000000000000000000000000000a"}'),
    (Decimal("1.50"), '{" dec": "1.50"}'),
    (Decimal("-Infinity"), '{" dec": "-Infinity"}'),
    (dt.date(2024, 2, 29), '{" date": "2024-02-29"}'),
    (dt.timedelta(-1, 2, 3), '{" td": [-1, 2, 3]}'),
    (dt.datetime(2024, 1, 2, 3, 4, 5, 6), '{" dt": "2024-01-02T03:04:05.000006"}'),
    (dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc), '{" dt": "2024-01-02T00:00:00+00:00"}'),
    (dt.datetime(2024, 1, 2, tzinfo=FIXED), '{" dt": "2024-01-02T00:00:00-03:30"}'),
    (dt.datetime(2024, 1, 2, fold=1), '{" dt": ["2024-01-02T00:00:00", 1, null]}'),
    (
        dt.datetime(2024, 1, 2, tzinfo=ZoneInfo("UTC"), fold=1),
        '{" dt": ["2024-01-02T00:00:00", 1, "UTC"]}',
    ),
    (
        dt.datetime(2024, 1, 2, tzinfo=dt.timezone(dt.timedelta(microseconds=-5))),
        '{" dt": ["2024-01-02T00:00:00", 0, -5]}',
    ),
    (dt.time(1, 2), '{" time": "01:02:00"}'),
    (dt.time(1, 2, tzinfo=ZoneInfo("UTC")), '{" time": ["01:02:00", 0, "UTC"]}'),
    (pathlib.Path("a/b"), '{" path": "a/b"}'),
    (pathlib.PurePosixPath("/a\\b"), r'{" path": ["PurePosixPath", "/a\\b"]}'),
    (pathlib.PureWindowsPath("c:\\a"), '{" path": ["PureWindowsPath", "c:/a"]}'),
    ([], "[]"),
    ([1, [2, "x"]], '[1, [2, "x"]]'),
    ([1, 2, 3, 4, 5, 6, 7], "[1, 2, 3, 4, 5, 6, 7]"),
    ([1, 2, 3, 4, 5, 6, ()], '[1, 2, 3, 4, 5, 6, {" t": []}]'),
    ({}, "{}"),
    ({"a": [1], "b": {}}, '{"a": [1], "b": {}}'),
    (dict.fromkeys("abcdef", 1), '{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}'),
    (
        {**dict.fromkeys("abcde", 1), "f": math.inf},
        '{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": {" f": "inf"}}',
    ),
    ({2: "b", 1: "a", "c": None}, '{" d": [[2, "b"], [1, "a"], ["c", null]]}'),
    ({(1, 2): {3: 4}}, '{" d": [[{" t": [1, 2]}, {" d": [[3, 4]]}]]}'),
    ({" u": "no uuid"}, '{" d": [[" u", "no uuid"]]}'),
    ({" d": [[1, 2]]}, '{" d": [[" d", [[1, 2]]]]}'),
    ({" x": 1}, '{" d": [[" x", 1]]}'),
    ({" u": 1, " b": 2}, '{" u": 1, " b": 2}'),
    ({"": 1}, '{"": 1}'),
    ((), '{" t": []}'),
    ((1, (2,)), '{" t": [1, {" t": [2]}]}'),
    (set(), '{" s": []}'),
    ({10, 9, "a"}, '{" s": ["a", 10, 9]}'),
    (frozenset([frozenset([2, 1])]), '{" fs": [{" fs": [1, 2]}]}'),
    (Color.RED, f'{{" e": ["{HERE}:Color", "RED"]}}'),
    (Color.AZURE, f'{{" e": ["{HERE}:Color", "BLUE"]}}'),
    (Level.LOW, f'{{" e": ["{HERE}:Level", "LOW"]}}'),
    (Permission.ALL, f'{{" e": ["{HERE}:Permission", "ALL"]}}'),
    (Permission(0), f'{{" e": ["{HERE}:Permission", 0]}}'),
    (Mode.A | Mode.B, f'{{" e": ["{HERE}:Mode", 5]}}'),
    (Mode(1 << 4095), f'{{" e": ["{HERE}:Mode", {1 << 4095}]}}'),
    (Mode(8), f'{{" e": ["{HERE}:Mode", 8]}}'),
    (Mixed.ORIGIN, f'{{" e": ["{HERE}:Mixed", "ORIGIN"]}}'),
    (Point(1, (2,)), f'{{" dc": ["{HERE}:Point", {{"x": 1, "y": {{" t": [2]}}}}]}}'),
    (Outer.Inner(None), f'{{" dc": ["{HERE}:Outer.Inner", {{"z": null}}]}}'),
    (Labelled(1, 2, "a"), f'{{" dc": ["{HERE}:Labelled", {{"x": 1, "y": 2, "label": "a"}}]}}'),
    (Slotted([], {}), f'{{" dc": ["{HERE}:Slotted", {{"x": [], "y": {{}}}}]}}'),
    (Guarded(2), f'{{" dc": ["{HERE}:Guarded", {{"a": 2, "b": 4}}]}}'),
    (Pair(1, [2]), f'{{" nt": ["{HERE}:Pair", {{"first": 1, "second": [2]}}]}}'),
]


@pytest.mark.parametrize(("value", "text"), FORMS)
def test_a_value_is_written_in_its_form_and_comes_back_as_what_it_was(
    value: Any, text: str
) -> None:
    assert JSON.dump_value(value) == text
    json.loads(text, parse_constant=pytest.fail)
    assert text.isascii()
    loaded = JSON.load_value(text)
    assert loaded == value
    assert type(loaded) is type(value)


@pytest.mark.parametrize(("value", "text"), FORMS)
def test_a_value_may_be_an_argument_by_position_and_by_name(value: Any, text: str) -> None:
    payload, sources = JSON.prepare_input((value, 1), {"a": value})
    assert sources == ()
    assert payload == f'[[{text}, 1], {{"a": {text}}}]'
    assert JSON.load_input(payload) == ([value, 1], {"a": value})


def test_a_call_with_plain_arguments_has_no_sources() -> None:
    assert JSON.prepare_input((), {}) == ("[[], {}]", ())
    assert JSON.prepare_input((1, "a"), {}) == ('[[1, "a"], {}]', ())
    assert JSON.prepare_input((1, [2]), {}) == ("[[1, [2]], {}]", ())
    assert OBJECT.prepare_input((1, "a"), {"x": b""}) == (((1, "a"), {"x": b""}), ())


def test_nan_comes_back_as_nan() -> None:
    text = JSON.dump_value([math.nan, {"a": math.nan}, complex(math.nan, 1), Decimal("nan")])
    assert text == (
        '[{" f": "nan"}, {"a": {" f": "nan"}}, {" c": [{" f": "nan"}, 1.0]}, {" dec": "NaN"}]'
    )
    first, second, third, fourth = JSON.load_value(text)
    assert math.isnan(first)
    assert math.isnan(second["a"])
    assert math.isnan(third.real)
    assert fourth.is_nan()


def test_a_fold_a_fixed_offset_and_a_zone_come_back() -> None:
    folded = dt.datetime(2024, 1, 2, tzinfo=ZoneInfo("UTC"), fold=1)
    loaded = JSON.load_value(JSON.dump_value(folded))
    assert (loaded.fold, loaded.tzinfo) == (1, ZoneInfo("UTC"))
    at = dt.time(1, 2, fold=1, tzinfo=FIXED)
    loaded = JSON.load_value(JSON.dump_value(at))
    assert (loaded, loaded.fold, loaded.tzinfo) == (at, 1, FIXED)


@pytest.mark.parametrize("fold", [0, 1])
def test_another_kind_of_zone_comes_back_as_the_offset_it_had(fold: int) -> None:
    moment = dt.datetime(2024, 1, 2, tzinfo=ShiftingZone(), fold=fold)
    loaded = JSON.load_value(JSON.dump_value(moment))
    assert loaded.utcoffset() == dt.timedelta(hours=1 + fold)
    assert loaded.replace(tzinfo=None) == dt.datetime(2024, 1, 2)
    assert (loaded.fold, type(loaded.tzinfo)) == (fold, dt.timezone)


def test_a_zone_without_a_key_comes_back_as_the_offset_it_had() -> None:
    # The least that a zone file can be: version 1, one type, which is UTC.
    counts = b"".join(n.to_bytes(4, "big") for n in (0, 0, 0, 0, 1, 4))
    zone = ZoneInfo.from_file(io.BytesIO(b"TZif" + bytes(16) + counts + bytes(6) + b"UTC\0"))
    moment = dt.datetime(2024, 1, 2, tzinfo=zone)
    assert JSON.dump_value(moment) == '{" dt": "2024-01-02T00:00:00+00:00"}'


def test_a_concrete_path_is_loaded_as_one_of_the_platform() -> None:
    assert type(JSON.load_value('{" path": "a"}')) is type(pathlib.Path())


def test_loading_a_dataclass_runs_none_of_its_code() -> None:
    text = JSON.dump_value(Guarded(3, 3))
    ran = Guarded.ran
    loaded = JSON.load_value(text)
    assert Guarded.ran == ran
    assert vars(loaded) == {"a": 3, "b": 9}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Money(5), '{"amount": 5}'),
        ([Money((1,))], '[{"amount": {" t": [1]}}]'),
        (Money(Money(1)), '{"amount": {"amount": 1}}'),
        (JSONPoint(2), '["point", 2]'),
        ({"a": JSONPoint(Money(1))}, '{"a": ["point", {"amount": 1}]}'),
    ],
)
def test_what_json_methods_return_is_written_in_their_place(value: Any, text: str) -> None:
    assert JSON.dump_value(value) == text


def test_an_error_of_a_json_method_is_its_own() -> None:
    class Failing:
        def __json__(self) -> Any:
            raise LookupError("no rate for today")

    with pytest.raises(LookupError, match="no rate for today"):
        JSON.dump_value([Failing()])


def test_keyword_arguments_may_look_like_a_tag() -> None:
    payload, _ = JSON.prepare_input((), {" u": 1})
    assert payload == '[[], {" d": [[" u", 1]]}]'
    assert JSON.load_input(payload) == ([], {" u": 1})


def test_keyword_arguments_may_be_any_mapping() -> None:
    kwargs = types.MappingProxyType({"a": proxy(1)})
    for each in (JSON, OBJECT):
        template, _ = each.prepare_input((), kwargs)
        assert each.load_input(each.fill(template))[1] == {"a": 1}


# Holes


def holes(value: Any) -> list[tuple[Any, Any]]:
    """Return structures with `value` in them, beside the same ones with 5."""
    return [
        (build(value), build(5))
        for build in (
            lambda x: x,
            lambda x: [x],
            lambda x: [1, [x, "a"], x],
            lambda x: (x,),
            lambda x: ((1, x), 2),
            lambda x: {"a": x, "b": 1},
            lambda x: {1: x, 2: [x]},
            lambda x: {" u": x},
            lambda x: Point(x, y=[x]),
            lambda x: Labelled(x, Pair(x, 1), "b"),
            lambda x: Slotted(x, 2),
            lambda x: Outer.Inner((x,)),
            lambda x: Pair([x], x),
        )
    ]


@pytest.mark.parametrize("each", [JSON, OBJECT])
@pytest.mark.parametrize("number", range(13))
def test_a_pending_result_is_a_hole_until_it_has_a_value(each: Codec, number: int) -> None:
    source = Source(codec=each)
    with_hole, without = holes(ResultProxy(source))[number]
    prepared, sources = each.prepare_value(with_hole)
    assert [id(source)] == list(map(id, sources))
    source.finish(5)
    filled = each.fill(prepared)
    assert filled == each.prepare_value(without)[0]
    assert type(filled) is type(each.prepare_value(without)[0])
    # Its payload went in as it was.
    assert source.forced == 0


@pytest.mark.parametrize("each", [JSON, OBJECT])
def test_a_structure_with_holes_can_be_filled_more_than_once(each: Codec) -> None:
    prepared, _ = each.prepare_value(Point([proxy([1])], 2))
    first = each.load_value(each.fill(prepared))
    first.x.append(3)
    assert each.load_value(each.fill(prepared)) == Point([[1]], 2)


@pytest.mark.parametrize("each", [JSON, OBJECT])
def test_sources_are_given_once_in_the_order_in_which_they_were_met(each: Codec) -> None:
    a, b, c = (Source(n, each) for n in (1, 2, 3))
    pa, pb, pc = map(ResultProxy, (a, b, c))
    prepared, sources = each.prepare_input((pb, [pa, pb]), {"x": (pc, pa)})
    assert list(map(id, sources)) == [id(b), id(a), id(c)]
    args, kwargs = each.load_input(each.fill(prepared))
    assert (list(args), kwargs) == ([2, [1, 2]], {"x": (3, 1)})


def test_a_hole_takes_its_text_as_the_task_wrote_it() -> None:
    source = Source(1)
    source.payload = '{ "any" :text }'
    prepared, _ = JSON.prepare_input((ResultProxy(source),), {})
    assert JSON.fill(prepared) == '[[{ "any" :text }], {}]'
    assert source.forced == 0


@pytest.mark.parametrize("other", [OBJECT, JSONCodec(), None])
def test_a_value_of_another_codec_is_written_anew(other: Codec | None) -> None:
    prepared, _ = JSON.prepare_input((ResultProxy(Source((1, 2), other)),), {})
    assert JSON.fill(prepared) == '[[{" t": [1, 2]}], {}]'


def test_the_object_codec_takes_the_value_of_another_codec() -> None:
    prepared, _ = OBJECT.prepare_input(([proxy((1, 2))],), {})
    assert OBJECT.fill(prepared) == (([(1, 2)],), {})


def test_a_value_that_came_in_and_cannot_be_written_is_refused_on_filling() -> None:
    prepared, _ = JSON.prepare_input((ResultProxy(Source([1, Text("a")], OBJECT)),), {})
    with pytest.raises(TypeError) as info:
        JSON.fill(prepared)
    assert str(info.value) == (
        f"result[1] is of type '{HERE}.Text', which has no form in JSON; convert it, {REMEDY}"
    )


def test_a_later_change_of_an_argument_does_not_change_the_call() -> None:
    source = Source()
    inner = [1]
    outer: dict[str, Any] = {"inner": inner, "result": ResultProxy(source)}
    point = Point(inner, ResultProxy(source))
    prepared, _ = JSON.prepare_input((outer, point), {"members": {1}})
    inner.append(2)
    outer["more"] = 3
    point.y = 4
    source.finish(5)
    args, _ = JSON.load_input(JSON.fill(prepared))
    assert args == [{"inner": [1], "result": 5}, Point([1], 5)]


def test_the_object_codec_keeps_containers_that_lead_to_holes_as_they_were_at_the_call() -> None:
    source = Source()
    outer: dict[str, list[Any]] = {"inner": [ResultProxy(source)], "plain": [1]}
    point: Any = Point(ResultProxy(source), 2)
    point.note = "no field"
    prepared, _ = OBJECT.prepare_input((outer, point), {})
    outer["inner"].append(2)
    point.y = point.note = None
    source.finish(5)
    (filled, copy), _ = OBJECT.load_input(OBJECT.fill(prepared))
    assert filled == {"inner": [5], "plain": [1]}
    assert filled["plain"] is outer["plain"]
    assert (copy, copy.note) == (Point(5, 2), "no field")


def test_the_object_codec_passes_on_what_leads_to_no_result() -> None:
    value = [{"a": [[]]}, Point([1]), Color.RED, len, object(), collections.Counter("aab"), HUGE]
    (args, kwargs), sources = OBJECT.prepare_input((value,), {"x": value})
    assert sources == ()
    assert args[0] is value
    assert kwargs["x"] is value
    assert OBJECT.dump_value(value) is OBJECT.load_value(value) is value
    assert OBJECT.fill(value) is value


def test_the_object_codec_runs_no_code_of_a_dataclass() -> None:
    prepared, _ = OBJECT.prepare_value(guarded := Guarded([proxy(1)]))
    ran = Guarded.ran
    assert vars(OBJECT.fill(prepared))["a"] == [1]
    assert Guarded.ran == ran
    assert type(guarded.a[0]) is ResultProxy


@pytest.mark.parametrize("each", [JSON, OBJECT])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({proxy("a"): 1, "b": 2}, {"a": 1, "b": 2}),
        ({proxy(" u"): 1}, {" u": 1}),
        ({proxy(1): 2}, {1: 2}),
        ({proxy((1, 2)): 2}, {(1, 2): 2}),
        ({proxy(1), 2}, {1, 2}),
        (frozenset([proxy("a")]), frozenset(["a"])),
    ],
)
def test_a_result_that_is_a_key_or_a_member_is_replaced_at_once(
    each: Codec, value: Any, expected: Any
) -> None:
    prepared, sources = each.prepare_value(value)
    assert sources == ()
    loaded = each.load_value(prepared)
    assert loaded == expected
    assert all(type(item) is not ResultProxy for item in loaded)


@pytest.mark.parametrize("each", [JSON, OBJECT])
def test_results_inside_keys_and_members_are_holes(each: Codec) -> None:
    value = {(proxy(1), 2): {frozenset([(proxy(3),)])}}
    prepared, sources = each.prepare_input((), {"x": value})
    assert len(sources) == 2
    assert each.load_input(each.fill(prepared))[1] == {"x": {(1, 2): {frozenset([(3,)])}}}


def test_a_set_is_sorted_when_its_holes_are_filled() -> None:
    texts = set()
    for low, high in ((1, 2), (2, 1)):
        sources = Source(), Source()
        members = {ById(ResultProxy(sources[0])), ById(ResultProxy(sources[1])), 3}
        prepared, _ = JSON.prepare_value([members])
        sources[0].finish(low)
        sources[1].finish(high)
        texts.add(JSON.fill(prepared))
    by_id = f'{{" dc": ["{HERE}:ById", {{"x": %d}}]}}'
    assert texts == {f'[{{" s": [3, {by_id % 1}, {by_id % 2}]}}]'} or texts == {
        f'[{{" s": [{by_id % 1}, {by_id % 2}, 3]}}]'
    }


def test_dump_value_forces_the_results_it_meets() -> None:
    assert JSON.dump_value([proxy(1), proxy((2,))]) == '[1, {" t": [2]}]'
    with pytest.raises(KeyError, match="lost"):
        JSON.dump_value([ResultProxy(Source(KeyError("lost"), None))])


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_the_order_of_a_set_does_not_depend_on_the_process(seed: str) -> None:
    code = (
        "from flowy.serialization import JSON\n"
        "members = frozenset('one two three four five six seven eight nine ten'.split())\n"
        "print(JSON.prepare_input((members, {members, ('a', 'b'), 'c'}), {})[0])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    run = [sys.executable, "-c", code]
    output = subprocess.run(run, env=environment, check=True, capture_output=True, text=True)
    numbers = '["eight", "five", "four", "nine", "one", "seven", "six", "ten", "three", "two"]'
    members = f'{{" fs": {numbers}}}'
    assert output.stdout.strip() == (
        f'[[{members}, {{" s": ["c", {members}, {{" t": ["a", "b"]}}]}}], {{}}]'
    )


# What is refused


def local_classes() -> tuple[Any, Any, Any]:
    @dataclass
    class Local:
        x: int

    class LocalEnum(enum.Enum):
        A = 1

    LocalPair = collections.namedtuple("LocalPair", ["a"])
    return Local(1), LocalEnum.A, LocalPair(1)


LOCAL, LOCAL_ENUM, LOCAL_PAIR = local_classes()
LOOP: list[Any] = [1]
LOOP.append({"again": LOOP})
DICT_LOOP: dict[Any, Any] = {}
DICT_LOOP[1] = [DICT_LOOP]
POINT_LOOP = Point(0)
POINT_LOOP.x = (POINT_LOOP,)
SET_LOOP = ById(0)
SET_LOOP.x = {SET_LOOP}
MONEY_LOOP = Money(0)
MONEY_LOOP.amount = [MONEY_LOOP]
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]
DEEP_MONEY: Any = 1
for _ in range(10_000):
    DEEP_MONEY = Money(DEEP_MONEY)
NOT_A_MEMBER = object.__new__(Color)
NOT_A_MEMBER._name_ = "GREEN"
NOT_A_MEMBER._value_ = "green"


def no_form(type_name: str) -> str:
    return f"is of type '{type_name}', which has no form in JSON; convert it, {REMEDY}"


def not_found(type_name: str, problem: str) -> str:
    where = "move it to the top of an imported module"
    return f"is of type '{HERE}.{type_name}', {problem}; {where}, {REMEDY}"


IN_FUNCTION = "a class made inside a function, which no worker can find"
ITSELF = (
    "is a container that it is in itself; "
    "a structure that contains itself cannot be passed; pass it without the loop"
)
ITERATOR = "is an iterator, of type {!r}; an iterator can be read once only; pass a list"
TOO_DEEP = "is nested too deep for the interpreter; flatten it"

DEEP_PATH = "deep " + "[0] " * 8
DEEP_MONEY_PATH = "deep " + ".__json__() ['amount'] " * 4

REFUSED: list[tuple[Any, type[Exception], str, str]] = [
    (object(), TypeError, "", no_form("object")),
    (len, TypeError, "", no_form("builtin_function_or_method")),
    (Point, TypeError, "", no_form("type")),
    ([1, {(3, b"", range(2))}], TypeError, "list({}[1])[0][2]", no_form("range")),
    ({"when": {1: [bytearray()]}}, TypeError, "['when'][1][0]", no_form("bytearray")),
    ({1: 2, range(3): 4}, TypeError, "list({})[1]", no_form("range")),
    ({HUGE: range(3)}, TypeError, "[<key of type 'int'>]", no_form("range")),
    ({1: 2, (3,): range(3)}, TypeError, "[(3,)]", no_form("range")),
    (Point(1, y=(range(1),)), TypeError, ".y[0]", no_form("range")),
    (Pair(1, [range(1)]), TypeError, ".second[0]", no_form("range")),
    (Money([range(1)]), TypeError, ".__json__()['amount'][0]", no_form("range")),
    (collections.OrderedDict(a=1), TypeError, "", no_form("collections.OrderedDict")),
    ([collections.Counter("a")], TypeError, "[0]", no_form("collections.Counter")),
    (Text("a"), TypeError, "", no_form(f"{HERE}.Text")),
    ({Text("a"): 1}, TypeError, "list({})[0]", no_form(f"{HERE}.Text")),
    (Broken(), TypeError, "", no_form(f"{HERE}.Broken")),
    (
        Record(1),
        TypeError,
        "",
        f"is of type '{HERE}.Record', a dataclass with a base class that has data of its own; "
        f"convert it, {REMEDY}",
    ),
    (
        [INCOMPLETE],
        TypeError,
        "[0]",
        f"is of type '{HERE}.Point', whose field 'x' has no value; set it, {REMEDY}",
    ),
    (
        NOT_A_MEMBER,
        TypeError,
        "",
        f"is of type '{HERE}.Color', an Enum that it is no member of; use a member, {REMEDY}",
    ),
    (
        Mode(1 << 4096),
        TypeError,
        "",
        f"is of type '{HERE}.Mode', an Enum that it is no member of; use a member, {REMEDY}",
    ),
    (LOCAL, TypeError, "", not_found("local_classes.<locals>.Local", IN_FUNCTION)),
    (LOCAL_ENUM, TypeError, "", not_found("local_classes.<locals>.LocalEnum", IN_FUNCTION)),
    (
        LOCAL_PAIR,
        TypeError,
        "",
        not_found("LocalPair", f"a class that cannot be found as '{HERE}:LocalPair'"),
    ),
    (iter([1]), ValueError, "", ITERATOR.format("list_iterator")),
    ({"a": (n for n in "a")}, ValueError, "['a']", ITERATOR.format("generator")),
    ([io.StringIO()], ValueError, "[0]", ITERATOR.format("_io.StringIO")),
    (LOOP, ValueError, "[1]['again']", ITSELF),
    (DICT_LOOP, ValueError, "[1][0]", ITSELF),
    (POINT_LOOP, ValueError, ".x[0]", ITSELF),
    (SET_LOOP, ValueError, "list({}.x)[0]", ITSELF),
    (MONEY_LOOP, ValueError, ".__json__()['amount'][0]", ITSELF),
    (DEEP, ValueError, DEEP_PATH, TOO_DEEP),
    (DEEP_MONEY, ValueError, DEEP_MONEY_PATH, TOO_DEEP),
]


def calls(each: Codec, value: Any) -> list[tuple[Callable[[], Any], str]]:
    return [
        (lambda: each.prepare_value(value), "result"),
        (lambda: each.prepare_input((1, value), {}), "args[1]"),
        (lambda: each.prepare_input((), {"x": value}), "kwargs['x']"),
    ]


def shown(root: str, path: str) -> str:
    """Return the path of a message: no more than eight steps are shown."""
    if path.startswith("deep "):
        steps = path.split()[1:]
        steps = steps[:8] if root == "result" else steps[:7]
        return root + "".join(steps) + "..."
    return path.replace("{}", root) if "{}" in path else root + path


@pytest.mark.parametrize(("value", "error", "path", "problem"), REFUSED)
def test_a_value_that_json_cannot_carry_is_refused_by_its_path(
    value: Any, error: type[Exception], path: str, problem: str
) -> None:
    for prepare, root in calls(JSON, value):
        with pytest.raises(error) as info:
            prepare()
        assert type(info.value) is error
        assert str(info.value) == f"{shown(root, path)} {problem}"
        assert info.value.__suppress_context__


def test_dump_value_refuses_in_the_same_words() -> None:
    with pytest.raises(TypeError) as info:
        JSON.dump_value([range(1)])
    assert str(info.value) == f"result[0] {no_form('range')}"


def in_it(type_name: str) -> str:
    return (
        f"is of type {type_name!r} and holds results, and their values cannot be put into such an "
        "object; pass a list, dict, set, tuple or dataclass, or the values"
    )


@pytest.mark.parametrize(
    ("value", "error", "path", "problem"),
    [
        (iter([1]), ValueError, "", ITERATOR.format("list_iterator")),
        ([{"a": (n for n in "a")}], ValueError, "[0]['a']", ITERATOR.format("generator")),
        (LOOP, ValueError, "[1]['again']", ITSELF),
        (DICT_LOOP, ValueError, "[1][0]", ITSELF),
        (POINT_LOOP, ValueError, ".x[0]", ITSELF),
        (SET_LOOP, ValueError, "list({}.x)[0]", ITSELF),
        ({(1, SET_LOOP): 2}, ValueError, "list(list({})[0][1].x)[0]", ITSELF),
        (Pair(1, (iter([1]),)), ValueError, ".second[0]", ITERATOR.format("list_iterator")),
        (DEEP, ValueError, DEEP_PATH, TOO_DEEP),
        (
            [collections.OrderedDict(a=proxy(1))],
            TypeError,
            "[0]",
            in_it("collections.OrderedDict"),
        ),
        (collections.Counter([proxy("a")]), TypeError, "", in_it("collections.Counter")),
        ({"r": Record([proxy(1)])}, TypeError, "['r']", in_it(f"{HERE}.Record")),
    ],
)
def test_the_object_codec_refuses_what_it_cannot_fill(
    value: Any, error: type[Exception], path: str, problem: str
) -> None:
    for prepare, root in calls(OBJECT, value):
        with pytest.raises(error) as info:
            prepare()
        assert type(info.value) is error
        assert str(info.value) == f"{shown(root, path)} {problem}"


@pytest.mark.parametrize("each", [JSON, OBJECT])
def test_an_object_may_be_in_a_structure_twice(each: Codec) -> None:
    shared = [proxy(1)]
    prepared, _ = each.prepare_value([shared, (shared, {"a": shared})])
    assert each.load_value(each.fill(prepared)) == [[1], ([1], {"a": [1]})]


def test_the_object_codec_fills_what_is_as_deep_as_it_takes() -> None:
    value: Any = proxy(1)
    for _ in range(400):
        value = [value]
    prepared, _ = OBJECT.prepare_value(value)

    def fill_far_down(frames: int) -> Any:
        return fill_far_down(frames - 1) if frames else OBJECT.fill(prepared)

    filled = fill_far_down(500)
    for _ in range(400):
        (filled,) = filled
    assert filled == 1


# What is loaded


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{" u": "0000000000000000000000000000000A"}', uuid.UUID(int=10)),
        ('{" b": ""}', b""),
        (' [ { " b" : "YQ==" } , 1 ]\n', [b"a", 1]),
        ('{"\\u0020b": "YQ=="}', b"a"),
        ('{\n" t":[{"a":{" t":[]}}]}', ({"a": ()},)),
        ('["a" , " u"]', ["a", " u"]),
        (" 5 ", 5),
        ("[Infinity]", [math.inf]),
        ('{" x": 1, " y": 2}', {" x": 1, " y": 2}),
        ('{" s": [1, 1]}', {1}),
    ],
)
def test_text_of_another_writer_is_read(text: str, value: Any) -> None:
    assert JSON.load_value(text) == value


def test_uuid_and_bytes_are_those_of_0_4_1() -> None:
    text = '[[{" u": "12345678123456781234567812345678"}, {" b": "aGk="}], {"k": [1, null]}]'
    args = [uuid.UUID("12345678-1234-5678-1234-567812345678"), b"hi"]
    assert JSON.load_input(text) == (args, {"k": [1, None]})
    assert JSON.prepare_input(tuple(args), {"k": [1, None]}) == (text, ())


MALFORMED = "the payload has a malformed tag: {!r} holds {}, expected {}"
HASHABLE = "a list of hashable values"
FIELDS = "a class and an object of its fields"
MEMBER = "a class and the name of a member, or the number of a Flag"
ISO = "an ISO date and time, or it, the fold and the zone"
PATH = "a path, or a class of pure paths and a path"


@pytest.mark.parametrize(
    ("tag", "content", "held", "expected"),
    [
        (" u", "5", "a int", "32 hexadecimal digits"),
        (" u", '"12"', "'12'", "32 hexadecimal digits"),
        (" u", '"' + "z" * 100 + '"', repr("z" * 40), "32 hexadecimal digits"),
        (" b", "null", "a NoneType", "base64 text"),
        (" b", '"a"', "'a'", "base64 text"),
        (" b", '"YQ==\\n"', r"'YQ==\n'", "base64 text"),
        (" b", r'"\u20ac"', "'\u20ac'", "base64 text"),
        (" f", '"1"', "'1'", '"nan", "inf" or "-inf"'),
        (" i", '"12"', "'12'", "a hexadecimal integer"),
        (" i", '"0x1_0"', "'0x1_0'", "a hexadecimal integer"),
        (" c", "[1.0, 2]", "a list", "two floats"),
        (" c", "[1.0]", "a list", "two floats"),
        (" dec", '"x"', "'x'", "a decimal number"),
        (" dec", "1.0", "a float", "a decimal number"),
        (" dt", '"yesterday"', "'yesterday'", ISO),
        (" dt", "[1, 0, null]", "a list", ISO),
        (" dt", '["2024-01-01T00:00:00", 2, null]', "a list", ISO),
        (" dt", '["2024-01-01T00:00:00", true, null]', "a list", ISO),
        (" dt", '["2024-01-01T00:00:00", 0, 5.0]', "a list", ISO),
        (" dt", '["2024-01-01T00:00:00", 0, 86400000000]', "a list", ISO),
        (" dt", "{}", "a dict", ISO),
        (" time", '"25:00:00"', "'25:00:00'", "an ISO time, or it, the fold and the zone"),
        (" date", '"2024-02-30"', "'2024-02-30'", "an ISO date"),
        (" date", "20240101", "a int", "an ISO date"),
        (" td", "[1, 2]", "a list", "days, seconds and microseconds"),
        (" td", "[1, 2, 0.5]", "a list", "days, seconds and microseconds"),
        (" td", "[999999999999, 0, 0]", "a list", "days, seconds and microseconds"),
        (" path", "5", "a int", PATH),
        (" path", '["Path", "a"]', "a list", PATH),
        (" path", '["PurePosixPath", 5]', "a list", PATH),
        (" path", '[["PurePosixPath"], "a"]', "a list", PATH),
        (" t", "{}", "a dict", "a list"),
        (" t", '{" t": []}', "a tuple", "a list"),
        (" s", "[[]]", "a list", HASHABLE),
        (" s", '"ab"', "'ab'", HASHABLE),
        (" fs", "[{}]", "a list", HASHABLE),
        (" d", "[1]", "a list", "a list of pairs with hashable keys"),
        (" d", "[[1, 2, 3]]", "a list", "a list of pairs with hashable keys"),
        (" d", "[[[], 1]]", "a list", "a list of pairs with hashable keys"),
        (" d", '["ab"]', "a list", "a list of pairs with hashable keys"),
        (" e", '"a:B"', "'a:B'", MEMBER),
        (" e", f'["{HERE}:Color", 1]', "a list", MEMBER),
        (" e", f'["{HERE}:Color", []]', "a list", MEMBER),
        (" e", '[5, "RED"]', "a list", MEMBER),
        (" e", f'["{HERE}:Mode", {{" i": "0x1{"0" * 1024}"}}]', "a list", MEMBER),
        (" e", f'["{HERE}:Permission", 64]', "a list", MEMBER),
        (" dc", f'["{HERE}:Point"]', "a list", FIELDS),
        (" dc", f'["{HERE}:Point", [1, 2]]', "a list", FIELDS),
        (" dc", f'["{HERE}:Record", {{"x": 1}}]', "a list", FIELDS),
        (" nt", f'["{HERE}:Pair", [1, 2]]', "a list", FIELDS),
    ],
)
def test_a_malformed_tag_is_refused(tag: str, content: str, held: str, expected: str) -> None:
    with pytest.raises(PayloadError) as info:
        JSON.load_value(f'[{{"{tag}": {content}}}]')
    assert str(info.value) == MALFORMED.format(tag, held, expected)
    assert info.value.__cause__ is not None


def needed(name: str) -> str:
    module, _, qualname = name.partition(":")
    return (
        f"the payload cannot be read: class {name!r} is needed, but module {module!r} has no class "
        f"{qualname!r}; it was renamed or moved, or the worker runs another version of the code"
    )


def not_imported(name: str, module: str) -> str:
    return (
        f"the payload cannot be read: class {name!r} is needed, but module {module!r} is not "
        "imported; import it in the worker"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere:Point", not_imported("nowhere:Point", "nowhere")),
        ("Point", not_imported("Point", "Point")),
        ("", not_imported("", "")),
        ("os.nothing:x", not_imported("os.nothing:x", "os.nothing")),
        ("os:system", needed("os:system")),
        ("os:path.join", needed("os:path.join")),
        ("os:", needed("os:")),
        ("os:sys.modules", needed("os:sys.modules")),
        (f"{HERE}:Gone", needed(f"{HERE}:Gone")),
        (f"{HERE}:Outer.Gone", needed(f"{HERE}:Outer.Gone")),
        (f"{HERE}:PENDING", needed(f"{HERE}:PENDING")),
        (f"{HERE}:Point.__init__", needed(f"{HERE}:Point.__init__")),
        (f"{HERE}:Point.__class__", needed(f"{HERE}:Point.__class__")),
        (
            f"{HERE}:Point.__init__.__globals__",
            needed(f"{HERE}:Point.__init__.__globals__"),
        ),
        (f"{HERE}:__builtins__.eval", needed(f"{HERE}:__builtins__.eval")),
        (f"{HERE}::Point", needed(f"{HERE}::Point")),
    ],
)
@pytest.mark.parametrize("tag", [" dc", " nt", " e"])
def test_a_class_is_found_only_where_the_worker_has_it(tag: str, name: str, message: str) -> None:
    with pytest.raises(PayloadError) as info:
        JSON.load_value(json.dumps({tag: [name, {}]}))
    assert str(info.value) == message


PENDING: Any = ResultProxy(Source())


def as_what_it_is_not(name: str) -> str:
    return f"the payload uses class {name!r} as what it is not here"


def no_dataclass(name: str) -> str:
    return f"the payload says that {name} is a dataclass, which it is not here"


def no_fit(name: str, missing: list[str], unknown: list[str]) -> str:
    return (
        f"the payload and class {name!r} do not fit: missing fields {missing}, unknown fields "
        f"{unknown}; the payload was written with another version of the class"
    )


@pytest.mark.parametrize(
    ("tag", "name", "content", "message"),
    [
        (" dc", f"{HERE}:Outer", {}, no_dataclass(f"{HERE}:Outer")),
        (" dc", f"{HERE}:Mixed", {"x": 1, "y": 2}, no_dataclass(f"{HERE}:Mixed")),
        (" dc", "subprocess:Popen", {"args": "true"}, no_dataclass("subprocess:Popen")),
        (
            " nt",
            "time:struct_time",
            {},
            "the payload says that time:struct_time is a named tuple, which it is not here",
        ),
        (" nt", f"{HERE}:Point", {"x": 1, "y": 2}, as_what_it_is_not(f"{HERE}:Point")),
        (" e", f"{HERE}:Point", "x", as_what_it_is_not(f"{HERE}:Point")),
        (
            " e",
            f"{HERE}:Color",
            "GREEN",
            f"the payload has {HERE}:Color 'GREEN', which is no member of it here",
        ),
        (
            " e",
            f"{HERE}:Color",
            "__class__",
            f"the payload has {HERE}:Color '__class__', which is no member of it here",
        ),
        (" dc", f"{HERE}:Point", {"x": 1}, no_fit(f"{HERE}:Point", ["y"], [])),
        (" dc", f"{HERE}:Point", {"x": 1, "y": 2, "z": 3}, no_fit(f"{HERE}:Point", [], ["z"])),
        (
            " dc",
            f"{HERE}:Point",
            {"x": 1, "y": 2, "__class__": 3},
            no_fit(f"{HERE}:Point", [], ["__class__"]),
        ),
        (
            " dc",
            f"{HERE}:Point",
            {"x": 1, "y": 2, "kind": 3},
            no_fit(f"{HERE}:Point", [], ["kind"]),
        ),
        (" nt", f"{HERE}:Pair", {"first": 1}, no_fit(f"{HERE}:Pair", ["second"], [])),
        (" nt", f"{HERE}:Pair", {"a": 1}, no_fit(f"{HERE}:Pair", ["first", "second"], ["a"])),
    ],
)
def test_a_class_must_be_what_the_payload_says(
    tag: str, name: str, content: Any, message: str
) -> None:
    with pytest.raises(PayloadError) as info:
        JSON.load_value(json.dumps({tag: [name, content]}))
    assert str(info.value) == message


@pytest.mark.parametrize("key", ["Mars/Olympus", "../passwd", "/etc/passwd", "a\0b", "\udc80", ""])
def test_a_zone_that_is_not_known_here_is_named(key: str) -> None:
    with pytest.raises(PayloadError) as info:
        JSON.load_value(json.dumps({" dt": ["2024-01-01T00:00:00", 0, key]}))
    assert str(info.value) == (
        f"the payload needs the time zone {key!r}, which is not known here; "
        "if it is a real one, install tzdata in the worker"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nul",
        "[1",
        "[1] 2",
        "{'a': 1}",
        "{1: 2}",
        '{" u": ',
        '"\n"',
        "\ufeff1",
        "1" * 10_000,
        "[1, -" + "1" * 10_000 + "]",
    ],
)
def test_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(PayloadError, match="the payload is no JSON text that Python reads: "):
        JSON.load_value(text)
    with pytest.raises(PayloadError, match="the payload is no JSON text that Python reads: "):
        JSON.load_input(text)


@pytest.mark.parametrize("start", ["[", '{"a": ', '{" t": [', '{" fs": [', '{" d": [[1, '])
def test_text_that_is_nested_too_deep_is_refused(start: str) -> None:
    with pytest.raises(PayloadError) as info:
        JSON.load_value(start * 100_000)
    assert str(info.value) == "the payload is nested too deep for the interpreter"


@pytest.mark.parametrize("text", ['{" x": 1}', '[{" __class__": []}]', '{" ": 1}'])
def test_an_unknown_tag_is_refused(text: str) -> None:
    tag = json.loads(text)
    (key,) = tag if isinstance(tag, dict) else tag[0]
    with pytest.raises(PayloadError) as info:
        JSON.load_value(text)
    assert str(info.value) == (
        f"the payload has an unknown tag {key!r}; it was written by a newer version, "
        "or not by Flowy"
    )


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "[]",
        "[[], {}, 1]",
        "[{}, []]",
        "[[]]",
        '{"args": []}',
        '[{" t": []}, {}]',
        '[[], {" d": [[1, 2]]}]',
        '{" t": [[], {}]}',
    ],
)
def test_an_input_must_have_its_form(text: str) -> None:
    with pytest.raises(PayloadError) as info:
        JSON.load_input(text)
    message = f"an input is JSON text of the form [[args], {{kwargs}}], not {text!r}"
    assert str(info.value) == message


@pytest.mark.parametrize("payload", [None, b"[]", 5, []])
def test_a_payload_must_be_text(payload: Any) -> None:
    for load in (JSON.load_value, JSON.load_input):
        with pytest.raises(PayloadError) as info:
            load(payload)
        assert str(info.value) == f"a payload is JSON text, not {type(payload).__name__}"


@dataclass(frozen=True)
class Unhashable:
    x: Any

    def __hash__(self) -> int:
        raise SystemError("broken")


def test_an_error_of_a_class_while_loading_is_a_payload_error() -> None:
    text = f'{{" s": [{{" dc": ["{HERE}:Unhashable", {{"x": 1}}]}}]}}'
    with pytest.raises(PayloadError) as info:
        JSON.load_value(text)
    assert str(info.value) == MALFORMED.format(" s", "a list", HASHABLE)
    assert isinstance(info.value.__cause__, SystemError)


# The same input


@pytest.mark.parametrize(
    ("recorded", "new", "same"),
    [
        ("[[1], {}]", "[[1], {}]", True),
        ("[[1],{}]", "[[1], {}]", True),
        ('[[], {"b": 1, "a": 2}]', '[[], {"a": 2, "b": 1}]', True),
        ('[["\u20ac"], {}]', r'[["\u20ac"], {}]', True),
        ("[[NaN, -Infinity], {}]", '[[{" f": "nan"}, {" f": "-inf"}], {}]', True),
        ("[[[1, [2]]], {}]", '[[{" t": [1, {" t": [2]}]}], {}]', True),
        ('[[{" t": [1]}], {}]', "[[[1]], {}]", False),
        ("[[1], {}]", "[[2], {}]", False),
        ("[[1], {}]", "[[1.0], {}]", False),
        ("[[1], {}]", "[[true], {}]", False),
        ("[[1, 2], {}]", "[[2, 1], {}]", False),
        ("[[1], {}]", '[["1"], {}]', False),
        ('[[{"a": 1}], {}]', '[[{"b": 1}], {}]', False),
        ("what", "[[1], {}]", False),
        ("[" * 100_000, "[[1], {}]", False),
    ],
)
def test_json_inputs_are_the_same_if_they_mean_the_same(
    recorded: str, new: str, same: bool
) -> None:
    assert JSON.same_input(recorded, new) is same


def test_objects_are_always_the_same_input() -> None:
    assert OBJECT.same_input(((object(),), {}), ((1,), {}))


# The choice of a codec


def test_a_codec_is_chosen_by_name_or_given() -> None:
    own = JSONCodec()
    assert codec("json") is JSON
    assert codec("object") is OBJECT
    assert codec(own) is own
    assert isinstance(OBJECT, ObjectCodec)


@pytest.mark.parametrize("choice", ["pickle", "JSON", None, JSONCodec])
def test_an_unknown_codec_is_refused_with_the_choices(choice: Any) -> None:
    with pytest.raises(ValueError) as info:  # noqa: PT011  # the whole message is below
        codec(choice)
    assert str(info.value) == (
        f"codec must be 'json', 'object' or an instance of Codec, not {choice!r}"
    )
