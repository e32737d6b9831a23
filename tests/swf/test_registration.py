"""Types are registered when missing and compared when present."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.swf.fleet import activity_config, workflow_config

from flowy_swf.config import SWFActivityConfig, SWFWorkflowConfig, TypeName
from flowy_swf.emulator import Emulator
from flowy_swf.registration import SWFRegistrationError, register_domain, register_types

ACTIVITY = TypeName("a", "1")
WORKFLOW = TypeName("w", "1")


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    monkeypatch.setattr("flowy_swf.calls.FIRST_DELAY", 0.0)
    emulator = Emulator(clock="virtual", long_poll=0)
    with emulator.serve():
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Any]:
    client = emulator.client()
    register_domain(client, "domain", 7)
    yield client
    client.close()


def described(emulator: Emulator, kind: str, **type_name: str) -> Any:
    request = {"domain": "domain", f"{kind.lower()}Type": type_name}
    return emulator.call(f"Describe{kind}Type", request)["configuration"]


def test_types_that_are_missing_are_registered_with_their_defaults(
    emulator: Emulator, client: Any
) -> None:
    activity, workflow = activity_config(), workflow_config()
    register_types(client, "domain", {ACTIVITY: activity, WORKFLOW: workflow})
    assert described(emulator, "Activity", name="a", version="1") == activity.defaults
    assert described(emulator, "Workflow", name="w", version="1") == workflow.defaults


def test_types_that_are_the_same_are_left_alone(client: Any) -> None:
    types: dict[TypeName, Any] = {ACTIVITY: activity_config(), WORKFLOW: workflow_config()}
    register_types(client, "domain", types)
    register_types(client, "domain", types)


def test_all_differences_are_listed_in_one_error(client: Any) -> None:
    register_types(client, "domain", {ACTIVITY: activity_config(), WORKFLOW: workflow_config()})
    with pytest.raises(SWFRegistrationError) as caught:
        register_types(
            client,
            "domain",
            {
                ACTIVITY: activity_config(default_task_list="other", default_heartbeat=None),
                WORKFLOW: workflow_config(default_decision_duration=7),
            },
        )
    assert str(caught.value) == (
        "what is registered in domain 'domain' is not what is configured:\n"
        "  activity 'a' version '1': default_task_list is 'other', registered is 'list'\n"
        "  activity 'a' version '1': default_heartbeat is None, registered is '600'\n"
        "  workflow 'w' version '1': default_decision_duration is '7', registered is '60'\n"
        "a type never changes once it is registered: change the configuration back, or give it a "
        "new version"
    )
    assert caught.value.domain == "domain"
    assert len(caught.value.differences) == 3


def test_a_deprecated_type_is_a_difference(emulator: Emulator, client: Any) -> None:
    register_types(client, "domain", {ACTIVITY: activity_config()})
    client.deprecate_activity_type(domain="domain", activityType=ACTIVITY.members)
    with pytest.raises(SWFRegistrationError) as caught:
        register_types(client, "domain", {ACTIVITY: activity_config()})
    assert caught.value.differences == ("activity 'a' version '1' is deprecated",)


def test_a_priority_of_0_is_the_same_as_none(client: Any) -> None:
    register_types(client, "domain", {ACTIVITY: SWFActivityConfig(default_task_priority=0)})
    register_types(client, "domain", {ACTIVITY: SWFActivityConfig()})


def test_a_type_that_another_worker_registers_meanwhile_is_compared(
    emulator: Emulator, client: Any
) -> None:
    register_types(client, "domain", {WORKFLOW: SWFWorkflowConfig()})
    emulator.inject.fail("DescribeWorkflowType", "UnknownResourceFault")
    register_types(client, "domain", {WORKFLOW: SWFWorkflowConfig()})
    emulator.inject.fail("DescribeWorkflowType", "UnknownResourceFault")
    with pytest.raises(SWFRegistrationError):
        register_types(client, "domain", {WORKFLOW: workflow_config()})


@pytest.mark.parametrize("operation", ["DescribeActivityType", "RegisterActivityType"])
def test_what_goes_wrong_for_now_is_tried_again(
    emulator: Emulator, client: Any, operation: str
) -> None:
    emulator.inject.fail(operation, "ThrottlingException", times=3)
    emulator.inject.cut(operation, "after")
    register_types(client, "domain", {ACTIVITY: activity_config()})
    assert described(emulator, "Activity", name="a", version="1") == activity_config().defaults


@pytest.mark.parametrize("operation", ["DescribeActivityType", "RegisterActivityType"])
def test_what_is_not_permitted_is_raised(emulator: Emulator, client: Any, operation: str) -> None:
    emulator.inject.fail(operation, "OperationNotPermittedFault")
    with pytest.raises(client.exceptions.OperationNotPermittedFault):
        register_types(client, "domain", {ACTIVITY: activity_config()})


def test_a_domain_is_not_created_unless_asked_for(client: Any) -> None:
    with pytest.raises(SWFRegistrationError) as caught:
        register_types(client, "other", {ACTIVITY: activity_config()})
    assert str(caught.value) == (
        "there is no domain 'other': check the name, region and credentials, or create it with "
        "`flowy swf register --create-domain`"
    )


def test_a_deprecated_domain_takes_no_types(client: Any) -> None:
    client.deprecate_domain(name="domain")
    with pytest.raises(SWFRegistrationError) as caught:
        register_types(client, "domain", {ACTIVITY: activity_config()})
    assert str(caught.value) == (
        "domain 'domain' is deprecated and takes no new types: undeprecate it, or use another one"
    )


def test_between_two_attempts_is_time(
    emulator: Emulator, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("flowy_swf.calls.FIRST_DELAY", 1.0)
    monkeypatch.setattr("flowy_swf.calls.time.sleep", slept.append)
    emulator.inject.fail("DescribeActivityType", "ThrottlingException", times=3)
    register_types(client, "domain", {ACTIVITY: activity_config()})
    emulator.inject.fail("RegisterDomain", "ThrottlingException", times=1)
    register_domain(client, "another")
    # With jitter: half of these at least.
    assert slept == [pytest.approx(0.75 * delay, rel=0.34) for delay in (1, 2, 4, 1)]


def test_a_domain_is_created_once(emulator: Emulator, client: Any) -> None:
    register_domain(client, "domain", 9)
    found = emulator.call("DescribeDomain", {"name": "domain"})["configuration"]
    assert found == {"workflowExecutionRetentionPeriodInDays": "7"}
    emulator.inject.fail("RegisterDomain", "OperationNotPermittedFault")
    with pytest.raises(client.exceptions.OperationNotPermittedFault):
        register_domain(client, "another")
