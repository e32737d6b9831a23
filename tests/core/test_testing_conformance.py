"""The conformance suite itself: that it finds what is wrong with an engine."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import flowy
from flowy.testing import conformance
from flowy.testing.conformance.activities import fail, nothing, square
from flowy.testing.conformance.case import Counted, same, workflow

Task = Callable[..., Any]


def plain(factory: Any, activities: Any, workflows: Any, args: Any, kwargs: Any) -> Any:
    """Run a workflow without any engine."""
    dependencies = {name: each.function for name, each in activities.items()}
    for name, child in workflows.items():
        dependencies[name] = partial(called, child)
    return factory(**dependencies)(*args, **kwargs)


def called(child: conformance.Workflow, *args: Any, **kwargs: Any) -> Any:
    return plain(child.factory, child.activities, child.workflows, args, kwargs)


def squares(square: Task) -> Any:
    return lambda n: square(n)


SQUARES = conformance.Case("squares", workflow(squares, square), (3,), {}, 9, {"square": 1})


def test_there_are_at_least_sixty_cases_and_each_has_a_name_of_its_own() -> None:
    names = Counter(case.name for case in conformance.cases())
    assert len(names) >= 60
    assert max(names.values()) == 1
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name) for name in names)


def test_cases_need_features_that_are_described_and_each_of_them_is_needed() -> None:
    needed = {feature for case in conformance.cases() for feature in case.needs}
    assert needed == set(conformance.FEATURES)


@pytest.mark.parametrize("feature", conformance.FEATURES)
def test_an_engine_that_lacks_a_feature_is_spared_the_cases_that_need_it(feature: str) -> None:
    every = conformance.cases()
    assert conformance.cases(lacks=[feature]) == [
        case for case in every if feature not in case.needs
    ]


def test_a_feature_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^there is no feature 'speed' to lack; ") as caught:
        conformance.cases(lacks=["speed", "timeouts"])
    assert str(caught.value) == (
        "there is no feature 'speed' to lack; there are children, delays, json, restarts, timeouts"
    )


def test_an_engine_that_does_as_it_should_passes(tmp_path: Path) -> None:
    SQUARES.check(plain)
    SQUARES.check(plain, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_result_is_told() -> None:
    with pytest.raises(AssertionError) as caught:
        SQUARES.check(lambda *_: 9.0)
    assert str(caught.value) == "squares: expected 9, got 9.0"


def test_an_error_in_place_of_a_result_is_told() -> None:
    def run(*_: Any) -> Any:
        raise OSError("gone")

    with pytest.raises(AssertionError) as caught:
        SQUARES.check(run)
    assert str(caught.value) == "squares: expected 9, the workflow raised OSError('gone')"
    assert isinstance(caught.value.__cause__, OSError)


def test_a_wrong_number_of_starts_is_told() -> None:
    def run(*call: Any) -> Any:
        plain(*call)
        return plain(*call)

    with pytest.raises(AssertionError) as caught:
        SQUARES.check(run)
    assert str(caught.value) == (
        "squares: expected the tasks to start {'square': 1} times, they started {'square': 2} times"
    )


def failing(fail: Task) -> Any:
    return lambda: fail("no")


FAILING = conformance.Case(
    "failing", workflow(failing, fail), expected=conformance.Raises(ValueError, "no")
)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        UnicodeError("no"),
        flowy.TaskError("no", call="run-1", error_type="ValueError"),
    ],
)
def test_the_expected_error_may_come_itself_or_be_reported(error: Exception) -> None:
    def run(*_: Any) -> Any:
        raise error

    FAILING.check(run)


@pytest.mark.parametrize(
    "error",
    [ValueError("yes"), KeyError("no"), flowy.TaskError("no", error_type="KeyError")],
)
def test_another_error_is_told(error: Exception) -> None:
    def run(*_: Any) -> Any:
        raise error

    with pytest.raises(AssertionError) as caught:
        FAILING.check(run)
    assert str(caught.value) == (
        f"failing: expected ValueError with 'no', the workflow raised {error!r}"
    )


def test_a_result_in_place_of_an_error_is_told() -> None:
    with pytest.raises(AssertionError) as caught:
        FAILING.check(lambda *_: 5)
    assert str(caught.value) == "failing: expected ValueError with 'no', the workflow returned 5"


def test_check_tells_of_every_case_that_failed() -> None:
    with pytest.raises(AssertionError) as caught:
        conformance.check(lambda *_: None)
    first, *rest = str(caught.value).splitlines()
    assert first == (f"{len(rest)} of {len(conformance.cases())} conformance cases failed:")
    names = [line.partition(":")[0] for line in rest]
    assert names == [
        case.name for case in conformance.cases() if case.expected is not None or case.starts
    ]


def test_check_counts_the_cases_that_an_engine_passed() -> None:
    runs: list[Any] = []

    def run(factory: Any, activities: Any, workflows: Any, args: Any, kwargs: Any) -> Any:
        workflow = configured(factory, activities, workflows)
        runs.append(factory)
        return workflow.run(*args, **kwargs)

    lacks = ["timeouts", "delays"]
    assert conformance.check(run, lacks) == len(runs) == len(conformance.cases(lacks))


def configured(factory: Any, activities: Any, workflows: Any) -> flowy.LocalWorkflow:
    workflow = flowy.LocalWorkflow(factory)
    for name, each in activities.items():
        workflow.conf_activity(name, each.function, retry=each.retry, timeout=each.timeout)
    for name, child in workflows.items():
        workflow.conf_workflow(name, configured(*child))
    return workflow


def test_each_case_is_a_parameter_of_the_test_for_pytest(tmp_path: Path) -> None:
    test: Any = conformance.pytest_cases(plain, lacks=["json"])
    [mark] = test.pytestmark
    assert [parameter.id for parameter in mark.args[1]] == [
        case.name for case in conformance.cases(["json"])
    ]
    test(SQUARES, tmp_path)
    with pytest.raises(AssertionError, match=r"^squares: "):
        conformance.pytest_cases(lambda *_: 5)(SQUARES, tmp_path)


def test_starts_are_numbered_whoever_counts_them(tmp_path: Path) -> None:
    first, second = Counted(str(tmp_path), nothing), Counted(str(tmp_path), nothing)
    for counted in (first, second, first):
        counted()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "nothing.0",
        "nothing.1",
        "nothing.2",
    ]


def test_the_suite_needs_neither_pytest_nor_pluggy() -> None:
    program = (
        "import sys, flowy; flowy.testing.run; from flowy.testing import conformance; "
        "print(sorted({'pytest', 'pluggy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)


@pytest.mark.parametrize(
    ("expected", "value", "answer"),
    [
        (1, 1, True),
        (1, True, False),
        (1, 1.0, False),
        ([1], (1,), False),
        ([1, 2], [1], False),
        ([1], [1.0], False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({1: "a"}, {True: "a"}, False),
        ({"a": [1]}, {"a": [True]}, False),
        (float("nan"), float("nan"), True),
        (float("nan"), 1.0, False),
    ],
)
def test_values_are_the_same_if_they_are_of_the_same_type_at_every_depth(
    expected: Any, value: Any, answer: bool
) -> None:
    assert same(expected, value) is answer
