"""What workflows get back: values, from every way to run activities."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.local.tasks import (
    ENGINES,
    PATIENCE,
    THREADS_AND_PROCESSES,
    Point,
    add,
    calling,
    configured,
    identity,
    in_thread,
    keyword,
    pid,
    square,
    wait,
)

import flowy

Options = dict[str, Any]


class Example:
    def __init__(self, square: Any, add: Any) -> None:
        self.square = square
        self.add = add

    def __call__(self, a: Any, b: Any) -> Any:
        return self.add(self.square(a), self.square(b))


@pytest.mark.parametrize("options", ENGINES)
def test_a_workflow_gives_what_it_gives_as_plain_python(options: Options) -> None:
    workflow = configured(Example, square, add, **options)
    assert workflow.run(2, 10) == Example(square, add)(2, 10) == 104


@pytest.mark.parametrize("options", ENGINES)
def test_a_configuration_can_be_run_again(options: Options) -> None:
    workflow = configured(Example, square, add, **options)
    assert [workflow.run(n, b=0) for n in range(3)] == [0, 1, 4]


@pytest.mark.parametrize("options", ENGINES)
def test_results_anywhere_in_the_arguments_arrive_as_values(options: Options) -> None:
    def factory(square: Any, identity: Any, keyword: Any) -> Any:
        def run() -> Any:
            two, three = square(2), square(3)
            nested = [two, (three, {"key": [two]}), {two: three}, Point(two, {three})]
            return identity(nested), keyword(value=nested)

        return run

    expected = [4, (9, {"key": [4]}), {4: 9}, Point(4, {9})]
    workflow = configured(factory, square, identity, keyword, **options)
    assert workflow.run() == (expected, expected)


@pytest.mark.parametrize("options", ENGINES)
def test_a_factory_may_call_tasks(options: Options) -> None:
    def factory(square: Any) -> Any:
        early = square(5)
        return lambda: early + 1

    assert configured(factory, square, **options).run() == 26


@pytest.mark.parametrize("options", ENGINES)
def test_many_tasks_reduce_to_one_value(options: Options) -> None:
    def factory(square: Any, add: Any) -> Any:
        return lambda n: flowy.parallel_reduce(add, [square(i) for i in range(n)])

    assert configured(factory, square, add, **options).run(50) == sum(i * i for i in range(50))


@pytest.mark.parametrize("options", THREADS_AND_PROCESSES)
def test_the_result_of_run_is_a_value(options: Options) -> None:
    workflow = configured(calling("identity"), identity, **options)
    result = workflow.run([1, (2, {"three": None})])
    assert not flowy.is_result_proxy(result)
    assert type(result) is list
    assert result == [1, (2, {"three": None})]


@pytest.mark.parametrize("options", ENGINES)
def test_ten_megabytes_go_through_and_come_back(options: Options) -> None:
    text = "0123456789" * 1_000_000
    workflow = configured(calling("identity"), identity, **options)
    assert workflow.run([text, text.encode()]) == [text, text.encode()]


def test_objects_pass_between_threads_as_they_are() -> None:
    thing = object()
    workflow = configured(calling("identity"), identity, codec="object")
    assert workflow.run(thing) is thing


def test_json_makes_new_objects_between_threads() -> None:
    point = Point([1], None)
    result = configured(calling("identity"), identity).run(point)
    assert result == point
    assert result is not point


def test_objects_are_pickled_between_processes() -> None:
    # A type that JSON does not take.
    numbers = range(3, 9)
    workflow = configured(calling("identity"), identity, codec="object", executor="processes")
    assert workflow.run(numbers) == numbers


def test_processes_are_other_processes_and_no_more_than_activity_workers() -> None:
    def factory(pid: Any) -> Any:
        return lambda: [pid() for _ in range(50)]

    workflow = configured(factory, pid, executor="processes", activity_workers=2)
    pids = set(workflow.run())
    assert pid() not in pids
    assert 1 <= len(pids) <= 2


def test_activities_run_side_by_side() -> None:
    meeting = threading.Barrier(4)

    def meet() -> int:
        return meeting.wait(PATIENCE)

    def factory(meet: Any) -> Any:
        return lambda: [meet() for _ in range(4)]

    workflow = configured(factory, meet, activity_workers=4)
    assert sorted(workflow.run()) == [0, 1, 2, 3]


def test_the_first_result_is_there_while_the_others_are_not() -> None:
    go_on = threading.Event()

    def slow() -> str:
        wait(go_on)
        return "slow"

    def fast() -> str:
        return "fast"

    def factory(slow: Any, fast: Any) -> Any:
        def run() -> Any:
            results = [slow(), fast()]
            seen = [str(flowy.first(results))]
            go_on.set()
            seen += [str(result) for result in flowy.finish_order(results)]
            return seen

        return run

    workflow = configured(factory, slow, fast)
    assert workflow.run() == ["fast", "fast", "slow"]


def test_the_code_of_the_root_runs_once(capsys: pytest.CaptureFixture[str]) -> None:
    def factory(square: Any) -> Any:
        print("factory")

        def run() -> Any:
            for n in range(3):
                print(f"{n} squared is {square(n)}")
            return None

        return run

    configured(factory, square).run()
    assert capsys.readouterr().out == ("factory\n0 squared is 0\n1 squared is 1\n2 squared is 4\n")


def test_the_code_of_the_root_runs_on_the_callers_thread() -> None:
    def factory(square: Any) -> Any:
        def run() -> Any:
            flowy.wait(square(1))
            return threading.get_ident()

        return run

    assert configured(factory, square).run() == threading.get_ident()


# Python warns of a fork beside other threads, and it is the user's own thread here.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("options", ENGINES)
def test_run_works_on_any_thread(options: Options) -> None:
    workflow = configured(Example, square, add, **options)
    assert in_thread(workflow.run, 2, 10).result(PATIENCE) == 104


@pytest.mark.parametrize("options", [{}, {"codec": "object"}, {"executor": ThreadPoolExecutor}])
def test_two_runs_of_a_workflow_may_go_on_at_once(options: Options) -> None:
    meeting = threading.Barrier(2)

    def meet(name: str) -> str:
        meeting.wait(PATIENCE)
        return name

    workflow = configured(calling("meet"), meet, **options)
    one, two = in_thread(workflow.run, "one"), in_thread(workflow.run, "two")
    assert (one.result(PATIENCE), two.result(PATIENCE)) == ("one", "two")


def test_an_activity_may_run_a_workflow() -> None:
    def nested(n: int) -> Any:
        return configured(Example, square, add).run(n, 1)

    def factory(nested: Any) -> Any:
        return lambda: [nested(n) for n in range(4)]

    assert configured(factory, nested, activity_workers=2).run() == [1, 2, 5, 10]


def run_example(n: int) -> Any:
    return configured(Example, square, add, executor="processes").run(n, 1)


def test_an_activity_in_a_process_may_run_a_workflow_on_processes() -> None:
    workflow = configured(calling("run_example"), run_example, executor="processes")
    assert workflow.run(3) == 10


def test_workflow_code_may_run_another_workflow() -> None:
    inner = configured(Example, square, add)

    def factory(square: Any) -> Any:
        return lambda: square(inner.run(1, 1))

    assert configured(factory, square).run() == 4


@pytest.mark.parametrize("options", [{}, {"codec": "object"}])
def test_workflow_code_may_run_another_workflow_with_a_pending_result(options: Options) -> None:
    go_on = threading.Event()
    inner = configured(calling("square"), square, **options)

    def slow() -> int:
        wait(go_on)
        return 3

    def factory(slow: Any) -> Any:
        def run() -> Any:
            result = slow()
            go_on.set()
            return inner.run(result)

        return run

    assert configured(factory, slow, **options).run() == 9


def test_a_failed_result_as_argument_of_run_is_raised() -> None:
    inner = configured(calling("identity"), identity)

    def broken() -> None:
        raise LookupError("broken")

    def factory(broken: Any) -> Any:
        return lambda: inner.run([broken()])

    with pytest.raises(flowy.TaskError, match=r"^broken-0-0 failed: LookupError: broken$"):
        configured(factory, broken).run()
