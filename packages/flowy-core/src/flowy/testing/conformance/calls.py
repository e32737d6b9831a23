"""Calling tasks: what a call is, and what its arguments may hold."""

# ruff: noqa: D101, D102, D103 - the name of a case is its sentence
from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from flowy.errors import TaskError
from flowy.result import is_result_proxy, wait
from flowy.testing.conformance import case as _case
from flowy.testing.conformance.activities import (
    Pair,
    Point,
    add,
    after,
    call_with,
    fail,
    identity,
    note,
    square,
    type_name,
)
from flowy.testing.conformance.case import Case, Raises, Task

CASES: list[Case] = []
case = partial(_case.case, to=CASES)


@case(args=(2,), kwargs={"b": 3}, expected=5)
def a_workflow_may_call_no_task() -> Any:
    return lambda a, b: a + b


@case(square, add, args=(2, 10), expected=104, starts={"square": 2, "add": 1})
class a_workflow_may_be_a_class:  # noqa: N801 - it is the name of a case
    def __init__(self, square: Task, add: Task) -> None:
        self.square = square
        self.add = add

    def __call__(self, a: Any, b: Any) -> Any:
        a_squared = self.square(a)
        return self.add(a_squared, self.square(b))


@case(square, args=(3,), expected=[16, 9], starts={"square": 2})
def a_factory_may_call_tasks(square: Task) -> Any:
    made = square(4)
    return lambda n: [made, square(n)]


@case(call_with, expected=[(1, 2), {"a": 3, "b": [4]}], starts={"call_with": 1})
def a_call_takes_arguments_by_position_and_by_keyword(call_with: Task) -> Any:
    return lambda: call_with(1, 2, b=[4], a=3)


@case(call_with, expected=[(), {"self": 1, "name": 2, "input": 3, "args": 4, "kwargs": 5}])
def any_keyword_can_be_an_argument(call_with: Task) -> Any:
    return lambda: call_with(self=1, name=2, input=3, args=4, kwargs=5)


@case(square, expected=True, starts={"square": 1})
def a_call_returns_a_result(square: Task) -> Any:
    def run() -> Any:
        result = square(2)
        is_result = is_result_proxy(result)
        wait(result)
        return is_result and is_result_proxy(result)

    return run


@case(square, args=(2,), expected=65536, starts={"square": 4})
def a_result_is_passed_on_unseen(square: Task) -> Any:
    return lambda n: square(square(square(square(n))))


@case(add, expected=40, starts={"add": 40})
def a_long_chain_of_calls_is_followed_to_its_end(add: Task) -> Any:
    def run() -> Any:
        total: Any = 0
        for _ in range(40):
            total = add(total, 1)
        return total

    return run


@case(square, expected=[n * n for n in range(60)], starts={"square": 60})
def many_calls_give_each_its_own_result(square: Task) -> Any:
    return lambda: [square(n) for n in range(60)]


@case(square, add, expected=[18, 81, 10], starts={"square": 2, "add": 2})
def a_result_may_go_to_many_calls(square: Task, add: Task) -> Any:
    def run() -> Any:
        nine = square(3)
        return [add(nine, nine), square(nine), add(nine, 1)]

    return run


@case(fail, expected=["fail-0-0", "fail-1-0", "fail-2-0"], starts={"fail": 3})
def calls_are_numbered_in_program_order(fail: Task) -> Any:
    def run() -> Any:
        calls = []
        for result in [fail("a"), fail("b"), fail("c")]:
            try:
                wait(result)
            except TaskError as error:
                calls.append(error.call)
        return calls

    return run


@case(fail, square, expected="fail-1-0", starts={"fail": 2, "square": 3})
def each_dependency_is_numbered_by_itself(fail: Task, square: Task) -> Any:
    def run() -> Any:
        wait(square(square(square(1))))
        with suppress(TaskError):
            wait(fail("a"))
        try:
            wait(fail("b"))
        except TaskError as error:
            return error.call

    return run


@case(square, note, args=(3, 4), expected=["odd", None], starts={"square": 2, "note": 1})
def a_branch_may_depend_on_a_result(square: Task, note: Task) -> Any:
    def run(*numbers: Any) -> Any:
        return ["odd" if square(n) % 2 else note() for n in numbers]

    return run


@case(add, args=(1,), expected=128, starts={"add": 7})
def a_loop_may_depend_on_results(add: Task) -> Any:
    def run(n: Any) -> Any:
        while n < 100:
            n = add(n, n)
        return n

    return run


@case(identity, after, expected=["b", "a"], starts={"identity": 2, "after": 2})
def a_call_starts_when_the_last_of_its_arguments_is_there(identity: Task, after: Task) -> Any:
    def run() -> Any:
        a = identity("a")
        b = after(identity("b"), a)
        return [b, after(a, b)]

    return run


# --- results among the arguments -----------------------------------------------------------------


@case(square, identity, expected=[4, [9, [16]]], starts={"square": 3, "identity": 1})
def results_may_lie_in_lists(square: Task, identity: Task) -> Any:
    return lambda: identity([square(2), [square(3), [square(4)]]])


@case(square, identity, expected=(4, (9,), ()), starts={"square": 2, "identity": 1})
def results_may_lie_in_tuples(square: Task, identity: Task) -> Any:
    return lambda: identity((square(2), (square(3),), ()))


@case(square, identity, expected={"a": 4, "b": {"c": 9}}, starts={"square": 2, "identity": 1})
def results_may_be_values_of_dicts(square: Task, identity: Task) -> Any:
    return lambda: identity({"a": square(2), "b": {"c": square(3)}})


@case(square, identity, expected={4: "four"}, starts={"square": 1, "identity": 1})
def results_may_be_keys_of_dicts(square: Task, identity: Task) -> Any:
    return lambda: identity({square(2): "four"})


@case(square, identity, expected={4, 9}, starts={"square": 2, "identity": 1})
def results_may_lie_in_sets(square: Task, identity: Task) -> Any:
    return lambda: identity({square(2), square(3)})


@case(square, identity, expected=frozenset({4, 9}), starts={"square": 2, "identity": 1})
def results_may_lie_in_frozensets(square: Task, identity: Task) -> Any:
    return lambda: identity(frozenset({square(2), square(3)}))


@case(square, identity, expected=Point(4, [9]), starts={"square": 2, "identity": 1})
def results_may_lie_in_dataclasses(square: Task, identity: Task) -> Any:
    return lambda: identity(Point(square(2), [square(3)]))


@case(square, identity, expected=Pair(4, Pair(9, None)), starts={"square": 2, "identity": 1})
def results_may_lie_in_named_tuples(square: Task, identity: Task) -> Any:
    return lambda: identity(Pair(square(2), Pair(square(3), None)))


@case(square, call_with, expected=[(4,), {"a": [9]}], starts={"square": 2, "call_with": 1})
def results_may_lie_in_keyword_arguments(square: Task, call_with: Task) -> Any:
    return lambda: call_with(square(2), a=[square(3)])


@case(square, type_name, expected="int", starts={"square": 1, "type_name": 1})
def a_task_gets_values_and_no_results(square: Task, type_name: Task) -> Any:
    return lambda: type_name(square(2))


# --- what is refused -----------------------------------------------------------------------------


@case(note, expected=Raises(ValueError, "args[0]"), starts={"note": 0})
def an_argument_that_holds_itself_is_refused(note: Task) -> Any:
    def run() -> Any:
        loop: list[Any] = []
        loop.append(loop)
        note(loop)

    return run


@case(note, expected=Raises(ValueError, "args[1]['names']"), starts={"note": 0})
def an_iterator_among_the_arguments_is_refused(note: Task) -> Any:
    def run() -> Any:
        note(1, {"names": iter("ab")})

    return run


@case(identity, expected="fine", starts={"identity": 1})
def a_workflow_may_go_on_after_a_refused_call(identity: Task) -> Any:
    def run() -> Any:
        try:
            identity(iter("ab"))
        except ValueError:
            return identity("fine")

    return run


@case(note, expected=Raises(TypeError, "args[0]['when']"), starts={"note": 0}, needs=["json"])
def an_argument_that_json_has_no_form_for_is_refused(note: Task) -> Any:
    def run() -> Any:
        note({"when": object()})

    return run
