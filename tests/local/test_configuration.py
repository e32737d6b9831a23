"""What a configuration refuses, and when."""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.local.tasks import add, calling, configured, square

import flowy
from flowy import DependencyError
from flowy.serialization import OBJECT
from flowy_local import LocalWorkflow


class Needs:
    def __init__(self, square: Any, add: Any = None) -> None:
        self.square = square
        self.add = add

    def __call__(self) -> Any:
        return self.square(3)


# --- options -----------------------------------------------------------------------------------

EXECUTORS = "executor must be 'threads', 'processes', or an executor class or instance, not "


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"activity_workers": 0}, ValueError, "activity_workers must be at least 1, not 0"),
        ({"activity_workers": -1}, ValueError, "activity_workers must be at least 1, not -1"),
        ({"activity_workers": 2.0}, TypeError, "activity_workers must be an int, not 2.0"),
        ({"activity_workers": True}, TypeError, "activity_workers must be an int, not True"),
        ({"activity_workers": None}, TypeError, "activity_workers must be an int, not None"),
        ({"workflow_workers": 0}, ValueError, "workflow_workers must be at least 1, not 0"),
        ({"workflow_workers": "2"}, TypeError, "workflow_workers must be an int, not '2'"),
        ({"executor": "fibers"}, ValueError, f"{EXECUTORS}'fibers'"),
        ({"executor": None}, TypeError, f"{EXECUTORS}None"),
        ({"executor": 8}, TypeError, f"{EXECUTORS}8"),
        (
            {"codec": "pickle"},
            ValueError,
            "codec must be 'json', 'object' or an instance of Codec, not 'pickle'",
        ),
        ({"mp_context": "teleport"}, ValueError, "cannot find context for 'teleport'"),
    ],
)
def test_an_option_that_means_nothing_is_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        LocalWorkflow(Needs, **options)
    assert str(caught.value) == message


def test_a_codec_may_be_given_itself() -> None:
    thing = object()
    workflow = LocalWorkflow(lambda: lambda value: value, codec=OBJECT)
    assert workflow.run(thing) is thing


def test_a_workflow_must_be_callable() -> None:
    with pytest.raises(TypeError) as caught:
        LocalWorkflow(42)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "a workflow is a class or function that takes its dependencies by keyword, not 42"
    )


@pytest.mark.parametrize(
    "name", ["", "two words", "1st", "a-b", "class", "None", "a.b", " square", b"square", None, 3]
)
def test_a_dependency_name_must_be_an_identifier(name: Any) -> None:
    workflow = LocalWorkflow(Needs)
    message = (
        f"{name!r} cannot be the name of a dependency: Needs takes it as a keyword argument, "
        "so it must be a Python identifier and no keyword"
    )
    with pytest.raises(ValueError, match="identifier") as caught:
        workflow.conf_activity(name, square)
    assert str(caught.value) == message
    with pytest.raises(ValueError, match="identifier") as caught:
        workflow.conf_workflow(name, LocalWorkflow(Needs))
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["square", "_", "été", "match", "x1"])
def test_every_identifier_is_a_dependency_name(name: str) -> None:
    workflow = LocalWorkflow(calling(name))
    workflow.conf_activity(name, square)
    assert workflow.run(3) == 9


def test_a_dependency_is_configured_once() -> None:
    workflow = configured(Needs, square)
    with pytest.raises(ValueError, match="already") as caught:
        workflow.conf_activity("square", add)
    assert str(caught.value) == "Needs has a dependency 'square' already: configure it once"
    with pytest.raises(ValueError, match="already"):
        workflow.conf_workflow("square", workflow)
    assert workflow.run() == 9


async def coroutine() -> None:
    """Be no activity."""


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (None, "activity 'square' must be a function, not None"),
        ("square", "activity 'square' must be a function, not 'square'"),
        (
            coroutine,
            "activity 'square' is a coroutine function; activities are plain functions: "
            "call asyncio.run() in one",
        ),
    ],
)
def test_an_activity_must_be_a_plain_function(function: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        LocalWorkflow(Needs).conf_activity("square", function)
    assert str(caught.value) == message


@pytest.mark.parametrize("function", [math.sqrt, int, functools.partial(pow, exp=2), [].append])
def test_any_callable_may_be_an_activity(function: Callable[..., Any]) -> None:
    workflow = LocalWorkflow(calling("act"))
    workflow.conf_activity("act", function)
    workflow.run(4)


def test_a_child_must_be_a_configuration() -> None:
    with pytest.raises(TypeError) as caught:
        LocalWorkflow(Needs).conf_workflow("square", Needs)  # type: ignore[arg-type]
    assert str(caught.value) == (
        f"workflow 'square' must be a LocalWorkflow, not {Needs!r}: "
        "configure it with LocalWorkflow(factory)"
    )


SECONDS = "must be a number of seconds"


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (0, ValueError, f"{SECONDS} above 0, not 0"),
        (-1.5, ValueError, f"{SECONDS} above 0, not -1.5"),
        (math.inf, ValueError, f"{SECONDS} above 0, not inf"),
        (math.nan, ValueError, f"{SECONDS} above 0, not nan"),
        ("3", TypeError, f"{SECONDS} or None, not '3'"),
        (True, TypeError, f"{SECONDS} or None, not True"),
    ],
)
def test_a_limit_is_a_number_of_seconds(value: Any, error: type[Exception], message: str) -> None:
    workflow = LocalWorkflow(Needs)
    for limit in ("timeout", "heartbeat"):
        with pytest.raises(error) as caught:
            workflow.conf_activity("square", square, **{limit: value})
        assert str(caught.value) == f"{limit} of 'square' {message}"
    with pytest.raises(error) as caught:
        workflow.conf_workflow("square", workflow, timeout=value)
    assert str(caught.value) == f"timeout of 'square' {message}"
    # Nothing was configured.
    workflow.conf_activity("square", square)


@pytest.mark.parametrize(
    ("retry", "error", "message"),
    [
        ((), ValueError, "retry needs at least one delay: (0,) is a single attempt"),
        (
            3,
            TypeError,
            "retry must be a sequence of delays in seconds such as (0, 3, 10), or a flowy.Retry, "
            "not 3",
        ),
        (
            "0",
            TypeError,
            "retry must be a sequence of delays in seconds such as (0, 3, 10), or a flowy.Retry, "
            "not '0'",
        ),
        (
            (0, -1),
            ValueError,
            "each delay of retry must be a finite number of seconds from 0, not -1",
        ),
        ((0, None), TypeError, "each delay of retry must be a number of seconds, not None"),
    ],
)
def test_a_retry_that_means_nothing_is_refused(
    retry: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        LocalWorkflow(Needs).conf_activity("square", square, retry=retry)
    assert str(caught.value) == message


# --- what executors cannot do ------------------------------------------------------------------


def made_here() -> Callable[..., Any]:
    def inner() -> None:
        """Be local."""

    return inner


@pytest.mark.parametrize("function", [lambda: None, made_here()])
def test_a_function_without_a_name_is_refused_with_processes(function: Any) -> None:
    workflow = LocalWorkflow(Needs, executor="processes")
    with pytest.raises(ValueError, match="cannot be sent") as caught:
        workflow.conf_activity("square", function)
    head, tail = str(caught.value).split(" (", 1)
    assert head == "activity 'square' cannot be sent to a worker process"
    assert tail.endswith(
        "): define it with def at the top of a module, not as a lambda or inside a function, "
        "or use executor='threads'"
    )
    assert "<locals>" in tail or "<lambda>" in tail


def test_a_function_without_a_name_in_a_child_is_refused_before_anything_runs() -> None:
    ran: list[str] = []
    child = LocalWorkflow(calling("act"))
    child.conf_activity("act", lambda: None)

    def factory(child: Any) -> Any:
        ran.append("code")
        return child

    workflow = LocalWorkflow(factory, executor="processes")
    workflow.conf_workflow("child", child)
    with pytest.raises(ValueError, match=r"^activity 'act' cannot be sent to a worker process"):
        workflow.run()
    assert ran == []


def test_a_heartbeat_limit_is_refused_where_no_heartbeat_comes_back() -> None:
    workflow = LocalWorkflow(Needs, executor=ThreadPoolExecutor)
    with pytest.raises(ValueError, match="heartbeat") as caught:
        workflow.conf_activity("square", square, heartbeat=3)
    assert str(caught.value) == (
        "activity 'square' has a heartbeat limit, which needs executor='threads' or 'processes': "
        "no heartbeat comes back from another executor; use timeout="
    )


# --- dependencies of the factory ---------------------------------------------------------------


def test_a_missing_dependency_is_named_before_anything_runs() -> None:
    ran: list[str] = []

    class Noting(Needs):
        def __init__(self, square: Any, cube: Any) -> None:
            ran.append("factory")

    with pytest.raises(DependencyError) as caught:
        LocalWorkflow(Noting).run()
    assert str(caught.value) == (
        "Noting needs 'square', 'cube', not configured: "
        "add conf_activity(name, ...) or conf_workflow(name, ...) for each"
    )
    assert caught.value.missing == ("square", "cube")
    assert ran == []


def test_an_unknown_dependency_is_named_before_anything_runs() -> None:
    workflow = configured(Needs, square)
    workflow.conf_activity("sqaure", square)
    with pytest.raises(DependencyError) as caught:
        workflow.run()
    assert str(caught.value) == (
        "Needs takes no 'sqaure': remove it from the configuration or add a parameter of that name"
    )
    assert caught.value.unknown == ("sqaure",)


def test_missing_and_unknown_dependencies_are_named_at_once() -> None:
    workflow = LocalWorkflow(Needs)
    workflow.conf_activity("sqaure", square)
    with pytest.raises(DependencyError) as caught:
        workflow.run()
    assert str(caught.value) == (
        "Needs needs 'square', not configured: "
        "add conf_activity(name, ...) or conf_workflow(name, ...) for each; "
        "Needs takes no 'sqaure': "
        "remove it from the configuration or add a parameter of that name"
    )


def test_the_dependencies_of_children_are_checked_before_anything_runs() -> None:
    ran: list[str] = []

    def parent(child: Any) -> Any:
        ran.append("factory")
        return child

    child = LocalWorkflow(Needs)
    middle = LocalWorkflow(calling("child"))
    middle.conf_workflow("child", child)
    top = LocalWorkflow(parent)
    top.conf_workflow("child", middle)
    with pytest.raises(DependencyError, match=r"^Needs needs 'square', not configured"):
        top.run()
    assert ran == []


def test_a_dependency_with_a_default_may_be_left_out() -> None:
    assert configured(Needs, square).run() == 9


def test_a_factory_without_a_signature_is_called_with_what_is_configured() -> None:
    class Opaque:
        __signature__ = "none"

        def __call__(self, square: Any) -> Any:
            return square

    assert configured(Opaque(), square).run(3) == 9


def module_with(**things: Any) -> types.ModuleType:
    """Return a module that defines these things."""
    module = types.ModuleType("scanned")
    for name, thing in things.items():
        thing.__module__ = module.__name__
        setattr(module, name, thing)
    return module


def test_scan_configures_what_is_marked_and_taken() -> None:
    @flowy.activity(timeout=9)
    def square(n: int) -> int:
        return n * n

    @flowy.activity("add", retry=(0, 1))
    def plus(a: int, b: int) -> int:
        return a + b

    @flowy.activity()
    def unknown() -> None:
        """Be taken by nobody."""

    def unmarked() -> None:
        """Be no activity."""

    module = module_with(square=square, plus=plus, unknown=unknown, unmarked=unmarked)
    workflow = LocalWorkflow(lambda square, add, cube: lambda: add(square(3), cube(2)))
    workflow.conf_activity("cube", lambda n: n**3)
    workflow.scan(module)
    assert workflow.run() == 17
    assert list(workflow.dependencies) == ["cube", "square", "add"]
    assert workflow.dependencies["square"].target.timeout == 9
    assert len(workflow.dependencies["add"].retry.delays) == 2  # type: ignore[attr-defined]


def test_scan_leaves_what_is_configured_already() -> None:
    @flowy.activity()
    def square(n: int) -> int:
        raise AssertionError("configured before")

    workflow = configured(Needs, globals()["square"])
    workflow.scan(module_with(square=square))
    assert workflow.run() == 9
