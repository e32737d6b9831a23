"""Configurations: what they take, what they refuse, and that they leave things as they are."""

from __future__ import annotations

import types
from typing import Any

import pytest

import flowy
from flowy.config import marks
from flowy.errors import DependencyError
from flowy.retry import Retry, RetryDelays
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.config import (
    Registration,
    SWFActivityConfig,
    SWFWorkflowConfig,
    TypeName,
    configure,
)
from flowy_swf.payloads import CustomCodec, SizedJSON
from flowy_swf.workflow_worker import SWFWorkflowWorker


def text(*args: Any, **kwargs: Any) -> str:
    return "text"


def test_what_is_not_configured_is_not_registered() -> None:
    assert SWFActivityConfig().defaults == {}
    assert SWFWorkflowConfig().defaults == {}


def test_an_activity_type_has_these_defaults() -> None:
    config = SWFActivityConfig("list", 10, 60, "NONE", 15, default_task_priority=-3)
    assert config.defaults == {
        "defaultTaskList": {"name": "list"},
        "defaultTaskHeartbeatTimeout": "10",
        "defaultTaskScheduleToCloseTimeout": "60",
        "defaultTaskScheduleToStartTimeout": "NONE",
        "defaultTaskStartToCloseTimeout": "15",
        "defaultTaskPriority": "-3",
    }


def test_a_workflow_type_has_these_defaults() -> None:
    config = SWFWorkflowConfig(
        "list", 60, "NONE", "ABANDON", default_task_priority=3, default_lambda_role="arn"
    )
    assert config.defaults == {
        "defaultTaskList": {"name": "list"},
        "defaultExecutionStartToCloseTimeout": "60",
        "defaultTaskStartToCloseTimeout": "NONE",
        "defaultChildPolicy": "ABANDON",
        "defaultTaskPriority": "3",
        "defaultLambdaRole": "arn",
    }
    assert config.rate_limit == 64


SECONDS = "a whole number of seconds from 0 to 31536000"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"default_heartbeat": 1.5},
            TypeError,
            f"default_heartbeat must be {SECONDS} or 'NONE', not 1.5",
        ),
        (
            {"default_start_to_close": True},
            TypeError,
            f"default_start_to_close must be {SECONDS} or 'NONE', not True",
        ),
        (
            {"default_schedule_to_close": -1},
            ValueError,
            f"default_schedule_to_close must be {SECONDS} or 'NONE', not -1",
        ),
        (
            {"default_schedule_to_start": "soon"},
            ValueError,
            f"default_schedule_to_start must be {SECONDS} or 'NONE', not 'soon'",
        ),
        ({"default_task_list": 7}, TypeError, "task list must be a str, not 7"),
        (
            {"default_task_list": ""},
            ValueError,
            "task list must have 1 to 256 characters, not 0: ''",
        ),
        (
            {"default_task_list": "a:b"},
            ValueError,
            "task list must not hold ':', '/', '|' or control characters, begin or end with a "
            "space, or be 'arn': 'a:b'",
        ),
        ({"default_task_priority": "1"}, TypeError, "priority must be an int, not '1'"),
        (
            {"default_task_priority": 2**31},
            ValueError,
            "priority must be between -2147483648 and 2147483647, not 2147483648",
        ),
        (
            {"serialize_result": "json"},
            TypeError,
            "serialize_result must be a function, not 'json'",
        ),
    ],
)
def test_an_activity_configuration_refuses(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        SWFActivityConfig(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"default_workflow_duration": "NONE"},
            ValueError,
            f"default_workflow_duration must be {SECONDS}, not 'NONE'",
        ),
        (
            {"default_child_policy": "KILL"},
            ValueError,
            "child policy must be one of TERMINATE, REQUEST_CANCEL, ABANDON, not 'KILL'",
        ),
        ({"rate_limit": 0}, ValueError, "rate_limit must be at least 1, not 0"),
        ({"rate_limit": "64"}, TypeError, "rate_limit must be an int, not '64'"),
    ],
)
def test_a_workflow_configuration_refuses(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        SWFWorkflowConfig(**options)
    assert str(caught.value) == message


def test_a_number_of_seconds_may_be_a_str() -> None:
    config = SWFActivityConfig(default_heartbeat="010")
    assert config.defaults == {"defaultTaskHeartbeatTimeout": "10"}


def test_a_decorated_function_stays_as_it_is_and_is_found() -> None:
    config = SWFActivityConfig()

    @config(version=2)
    @config(name="other")
    def function() -> int:
        return 4

    assert isinstance(function, types.FunctionType)
    assert function() == 4
    assert marks(function) == (
        Registration(config, TypeName("other", "1")),
        Registration(config, TypeName("function", "2")),
    )


def test_a_decorated_class_stays_a_class() -> None:
    config = SWFWorkflowConfig()

    @config()
    class Workflow:
        pass

    assert isinstance(Workflow(), Workflow)
    assert marks(Workflow) == (Registration(config, TypeName("Workflow", "1")),)


def test_the_decorator_wants_parentheses() -> None:
    with pytest.raises(TypeError, match=r"^write @config\(\) with parentheses$"):
        SWFActivityConfig()(test_the_decorator_wants_parentheses)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "error", "message"),
    [
        (1.5, TypeError, "version must be an int or a str, not 1.5"),
        ("x" * 65, ValueError, f"version must have 1 to 64 characters, not 65: {'x' * 65!r}"),
    ],
)
def test_a_version_is_checked(version: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        SWFActivityConfig()(version)(text)
    assert str(caught.value) == message


class Workflow:
    def __init__(self, a: Any, b: Any = None) -> None:
        pass


def test_a_dependency_asks_the_service_for_what_is_configured_and_nothing_else() -> None:
    config = SWFWorkflowConfig()
    config.conf_activity("a", 1)
    config.conf_activity("b", 2, "B", "list", 1, 2, 3, "NONE", priority=4, retry=(0, 1))
    config.conf_workflow("c", 1)
    config.conf_workflow(
        "d", 2, "D", "list", 1, 2, "ABANDON", priority=4, lambda_role="r", tags=["t"]
    )
    config.conf_lambda("e", "function")
    config.conf_lambda("f", "function", 3)

    def factory(**dependencies: Any) -> Any:
        raise NotImplementedError

    found = config.workflow(factory).dependencies
    assert {name: each.target.attributes for name, each in found.items()} == {
        "a": {"activityType": {"name": "a", "version": "1"}},
        "b": {
            "activityType": {"name": "B", "version": "2"},
            "taskList": {"name": "list"},
            "heartbeatTimeout": "1",
            "scheduleToCloseTimeout": "2",
            "scheduleToStartTimeout": "3",
            "startToCloseTimeout": "NONE",
            "taskPriority": "4",
        },
        "c": {"workflowType": {"name": "c", "version": "1"}},
        "d": {
            "workflowType": {"name": "D", "version": "2"},
            "taskList": {"name": "list"},
            "executionStartToCloseTimeout": "1",
            "taskStartToCloseTimeout": "2",
            "childPolicy": "ABANDON",
            "taskPriority": "4",
            "lambdaRole": "r",
            "tagList": ["t"],
        },
        "e": {"name": "function"},
        "f": {"name": "function", "startToCloseTimeout": "3"},
    }
    assert {name: each.kind for name, each in found.items()} == {
        "a": "activity",
        "b": "activity",
        "c": "workflow",
        "d": "workflow",
        "e": "lambda",
        "f": "lambda",
    }


def test_three_attempts_are_made_unless_it_is_configured_otherwise() -> None:
    config = SWFWorkflowConfig()
    config.conf_activity("a", 1)
    config.conf_activity("b", 1, retry=Retry(attempts=2))
    found = config.workflow(Workflow).dependencies
    assert found["a"].retry == RetryDelays((0, 0, 0))
    assert found["b"].retry == Retry(attempts=2)


def test_all_calls_share_the_codec_unless_they_bring_their_own() -> None:
    config = SWFWorkflowConfig()
    config.conf_activity("a", 1)
    config.conf_workflow("b", 1)
    config.conf_activity("c", 1, serialize_input=text)
    found = config.workflow(lambda a, b, c: None).dependencies
    assert isinstance(found["a"].codec, SizedJSON)
    assert found["a"].codec is found["b"].codec
    assert isinstance(found["c"].codec, CustomCodec)


@pytest.mark.parametrize(
    ("configure", "error", "message"),
    [
        (
            lambda config: config.conf_activity("class", 1),
            ValueError,
            "'class' cannot be the name of a dependency: the workflow takes it as a keyword "
            "argument, so it must be a Python identifier and no keyword",
        ),
        (
            lambda config: config.conf_lambda("taken", "function"),
            ValueError,
            "the workflow has a dependency 'taken' already: configure it once",
        ),
        (
            lambda config: config.conf_lambda("a", "x" * 65),
            ValueError,
            f"the name of a Lambda function must have 1 to 64 characters: {'x' * 65!r}",
        ),
        (
            lambda config: config.conf_activity("a" * 201, 1, "name"),
            ValueError,
            "the name of a dependency of a workflow for Amazon SWF must have at most 200 "
            f"characters, not 201: {'a' * 201!r}",
        ),
        (
            lambda config: config.conf_workflow("a", 1, tags="tag"),
            TypeError,
            "tags must be a sequence of str: use ('tag',)",
        ),
        (
            lambda config: config.conf_workflow("a", 1, tags=list("abcdef")),
            ValueError,
            "an execution has at most 5 tags, not 6: ['a', 'b', 'c', 'd', 'e', 'f']",
        ),
        (
            lambda config: config.conf_workflow("a", 1, tags=[""]),
            ValueError,
            "a tag must be a str of 1 to 256 characters, not ''",
        ),
    ],
)
def test_a_dependency_is_checked_when_it_is_configured(
    configure: Any, error: type[Exception], message: str
) -> None:
    config = SWFWorkflowConfig()
    config.conf_activity("taken", 1)
    with pytest.raises(error) as caught:
        configure(config)
    assert str(caught.value) == message


def test_a_worker_refuses_a_workflow_whose_dependencies_are_not_those_configured() -> None:
    with pytest.raises(DependencyError, match=r"^Workflow needs 'a', not configured"):
        SWFWorkflowWorker().register(SWFWorkflowConfig(), Workflow)


def test_a_type_can_be_registered_once() -> None:
    worker, config = SWFActivityWorker(), SWFActivityConfig()
    worker.register(config, text)
    worker.register(config, text, version=2)
    worker.register(config, text, name="other")
    with pytest.raises(ValueError, match=r"^activity 'text' version '2' is registered already"):
        worker.register(config, text, version="2")
    assert [str(each) for each in worker.types] == [
        "'text' version '1'",
        "'text' version '2'",
        "'other' version '1'",
    ]


@pytest.mark.parametrize(
    ("config", "thing", "message"),
    [
        (SWFWorkflowConfig(), text, "config must be a SWFActivityConfig, not <flowy_swf.config"),
        (SWFActivityConfig(), 7, "what serves a type must be callable, not 7"),
    ],
)
def test_a_worker_refuses_what_it_cannot_serve(config: Any, thing: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        SWFActivityWorker().register(config, thing)
    assert str(caught.value).startswith(message)


SCANNED_ACTIVITY = SWFActivityConfig()
SCANNED_WORKFLOW = SWFWorkflowConfig()


@SCANNED_ACTIVITY(version=3)
def scanned_activity() -> None:
    raise NotImplementedError


@SCANNED_WORKFLOW(name="scanned")
def scanned_workflow() -> Any:
    raise NotImplementedError


def test_a_worker_finds_what_is_decorated_in_the_module_that_calls_it() -> None:
    activities, workflows = SWFActivityWorker(), SWFWorkflowWorker()
    activities.scan()
    workflows.scan()
    assert activities.types == {TypeName("scanned_activity", "3"): SCANNED_ACTIVITY}
    assert workflows.types == {TypeName("scanned", "1"): SCANNED_WORKFLOW}


def test_a_worker_scans_a_package_by_name() -> None:
    activities = SWFActivityWorker()
    activities.scan(__name__)
    assert list(activities.types) == [TypeName("scanned_activity", "3")]


def test_the_engine_configures_a_factory() -> None:
    def factory(a: Any) -> Any:
        raise NotImplementedError

    config = flowy.engine("swf").workflow(factory, version=2, default_task_list="list")
    assert isinstance(config, SWFWorkflowConfig)
    assert marks(factory) == (Registration(config, TypeName("factory", "2")),)
    assert isinstance(configure(factory, name="f"), SWFWorkflowConfig)
    assert marks(factory)[1].type == TypeName("f", "1")
