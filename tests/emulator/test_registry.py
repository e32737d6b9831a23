from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

ARN = "arn:aws:swf:us-east-1:123456789012:/domain/"
KINDS = ("activity", "workflow")


def test_a_domain_is_described_as_it_was_registered(swf: Driver) -> None:
    swf.client.register_domain(
        name="other", description="of tests", workflowExecutionRetentionPeriodInDays="7"
    )
    answer = swf.client.describe_domain(name="other")
    assert answer["domainInfo"] == {
        "name": "other",
        "status": "REGISTERED",
        "description": "of tests",
        "arn": ARN + "other",
    }
    assert answer["configuration"] == {"workflowExecutionRetentionPeriodInDays": "7"}


def test_a_domain_is_registered_once(swf: Driver) -> None:
    error = swf.fault("register_domain", name="domain", workflowExecutionRetentionPeriodInDays="1")
    assert error == ("DomainAlreadyExistsFault", "domain")


def test_a_deprecated_domain_takes_nothing_new_and_can_be_restored(swf: Driver) -> None:
    run_id = swf.start()
    swf.client.deprecate_domain(name="domain")
    deprecated = ("DomainDeprecatedFault", "domain")
    assert swf.fault("deprecate_domain", name="domain") == deprecated
    start = {"domain": "domain", "workflowId": "x", "workflowType": {"name": "a", "version": "1"}}
    assert swf.fault("start_workflow_execution", **start) == deprecated
    ids = {"domain": "domain", "name": "new", "version": "1"}
    assert swf.fault("register_workflow_type", **ids) == deprecated
    assert swf.fault("register_activity_type", **ids) == deprecated
    # What runs goes on and can be looked at, and the types went with the domain.
    assert swf.describe("w", run_id)["executionInfo"]["executionStatus"] == "OPEN"
    for kind in KINDS:
        listed = getattr(swf.client, f"list_{kind}_types")(
            domain="domain", registrationStatus="DEPRECATED"
        )
        assert [info[f"{kind}Type"]["name"] for info in listed["typeInfos"]] == [kind]
    swf.client.undeprecate_domain(name="domain")
    assert swf.client.describe_domain(name="domain")["domainInfo"]["status"] == "REGISTERED"
    assert swf.fault("undeprecate_domain", name="domain") == ("DomainAlreadyExistsFault", "domain")


def test_deprecating_a_domain_leaves_types_alone_that_are_deprecated_already(swf: Driver) -> None:
    ids = {"name": "activity", "version": "1"}
    swf.client.deprecate_activity_type(domain="domain", activityType=ids)
    before = swf.client.describe_activity_type(domain="domain", activityType=ids)
    swf.emulator.advance(5)
    swf.client.deprecate_domain(name="domain")
    after = swf.client.describe_activity_type(domain="domain", activityType=ids)
    assert after["typeInfo"] == before["typeInfo"]


def test_domains_are_listed_by_name_in_pages(make: Make) -> None:
    swf = make(register=False)
    for name in ("c", "a", "d", "b"):
        swf.client.register_domain(name=name, workflowExecutionRetentionPeriodInDays="1")
    swf.client.deprecate_domain(name="d")

    def pages(**options: Any) -> list[list[str]]:
        found = []
        request = {"registrationStatus": "REGISTERED", "maximumPageSize": 2, **options}
        while True:
            answer = swf.client.list_domains(**request)
            found.append([info["name"] for info in answer["domainInfos"]])
            if "nextPageToken" not in answer:
                return found
            request["nextPageToken"] = answer["nextPageToken"]

    assert pages() == [["a", "b"], ["c"]]
    assert pages(reverseOrder=True) == [["c", "b"], ["a"]]
    assert pages(registrationStatus="DEPRECATED") == [["d"]]


def test_a_domain_has_tags(swf: Driver) -> None:
    swf.client.register_domain(
        name="tagged",
        workflowExecutionRetentionPeriodInDays="1",
        tags=[{"key": "team", "value": "core"}, {"key": "bare"}],
    )
    arn = ARN + "tagged"
    swf.client.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "swf"}])
    tags = swf.client.list_tags_for_resource(resourceArn=arn)["tags"]
    assert tags == [{"key": "team", "value": "swf"}, {"key": "bare"}]
    swf.client.untag_resource(resourceArn=arn, tagKeys=["team", "unknown"])
    assert swf.client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "bare"}]


def test_a_domain_has_fifty_tags_at_most(swf: Driver) -> None:
    tags = [{"key": f"key {number}"} for number in range(50)]
    swf.client.tag_resource(resourceArn=ARN + "domain", tags=tags)
    error = swf.fault("tag_resource", resourceArn=ARN + "domain", tags=[{"key": "one more"}])
    assert error == ("TooManyTagsFault", "a domain has 50 tags at most")
    error = swf.fault(
        "register_domain",
        name="new",
        workflowExecutionRetentionPeriodInDays="1",
        tags=[*tags, {"key": "one more"}],
    )
    assert error == ("TooManyTagsFault", "a domain has 50 tags at most")
    assert swf.fault("describe_domain", name="new") == (
        "UnknownResourceFault",
        "Unknown domain: new",
    )


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        ("arn:aws:s3:::bucket", "Unknown resource: arn:aws:s3:::bucket"),
        (ARN + "nowhere", "Unknown domain: nowhere"),
    ],
)
def test_only_known_domains_are_tagged(swf: Driver, arn: str, message: str) -> None:
    error = ("UnknownResourceFault", message)
    assert swf.fault("list_tags_for_resource", resourceArn=arn) == error
    assert swf.fault("tag_resource", resourceArn=arn, tags=[]) == error
    assert swf.fault("untag_resource", resourceArn=arn, tagKeys=[]) == error


CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "activity": {
        "defaultTaskList": {"name": "somewhere"},
        "defaultTaskPriority": "-3",
        "defaultTaskStartToCloseTimeout": "1",
        "defaultTaskHeartbeatTimeout": "2",
        "defaultTaskScheduleToStartTimeout": "3",
        "defaultTaskScheduleToCloseTimeout": "NONE",
    },
    "workflow": {
        "defaultTaskList": {"name": "somewhere"},
        "defaultTaskPriority": "3",
        "defaultTaskStartToCloseTimeout": "NONE",
        "defaultExecutionStartToCloseTimeout": "2",
        "defaultChildPolicy": "ABANDON",
        "defaultLambdaRole": "arn:aws:iam::123456789012:role/x",
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_is_described_as_it_was_registered(swf: Driver, kind: str) -> None:
    ids = {"name": "new", "version": "2"}
    register = getattr(swf.client, f"register_{kind}_type")
    register(domain="domain", description="of tests", **ids, **CONFIGURATIONS[kind])
    describe = getattr(swf.client, f"describe_{kind}_type")
    answer = describe(domain="domain", **{f"{kind}Type": ids})
    assert answer["configuration"] == CONFIGURATIONS[kind]
    created = answer["typeInfo"].pop("creationDate")
    assert created.timestamp() == swf.emulator.now()
    assert answer["typeInfo"] == {
        f"{kind}Type": ids,
        "status": "REGISTERED",
        "description": "of tests",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_lives_through_deprecation_restoration_and_deletion(swf: Driver, kind: str) -> None:
    ids = {"name": kind, "version": "1"}
    label = f"{kind.title()}Type=[name={kind}, version=1]"
    request = {"domain": "domain", f"{kind}Type": ids}

    def call(verb: str) -> Any:
        return getattr(swf.client, f"{verb}_{kind}_type")(**request)

    def fault(verb: str) -> tuple[str, str]:
        return swf.fault(f"{verb}_{kind}_type", **request)

    again = swf.fault(f"register_{kind}_type", domain="domain", **ids)
    assert again == ("TypeAlreadyExistsFault", label)
    assert fault("undeprecate") == ("TypeAlreadyExistsFault", label)
    assert fault("delete") == ("TypeNotDeprecatedFault", label)
    swf.emulator.advance(10)
    call("deprecate")
    info = call("describe")["typeInfo"]
    assert info["status"] == "DEPRECATED"
    assert (info["deprecationDate"] - info["creationDate"]).total_seconds() == 10
    assert fault("deprecate") == ("TypeDeprecatedFault", label)
    call("undeprecate")
    assert call("describe")["typeInfo"]["status"] == "REGISTERED"
    call("deprecate")
    call("delete")
    unknown = ("UnknownResourceFault", f"Unknown type: {label}")
    for verb in ("describe", "deprecate", "undeprecate", "delete"):
        assert fault(verb) == unknown
    getattr(swf.client, f"register_{kind}_type")(domain="domain", **ids)


@pytest.mark.parametrize("kind", KINDS)
def test_types_are_listed_by_name_and_version(swf: Driver, kind: str) -> None:
    register = getattr(swf.client, f"register_{kind}_type")
    for name, version in (("b", "2"), ("a", "1"), ("b", "1"), ("old", "1")):
        register(domain="domain", name=name, version=version)
    deprecate = getattr(swf.client, f"deprecate_{kind}_type")
    deprecate(domain="domain", **{f"{kind}Type": {"name": "old", "version": "1"}})

    def found(**options: Any) -> list[str]:
        request = {"domain": "domain", "registrationStatus": "REGISTERED", **options}
        infos: list[Any] = []
        while True:
            answer = getattr(swf.client, f"list_{kind}_types")(**request)
            infos += answer["typeInfos"]
            if "nextPageToken" not in answer:
                break
            request["nextPageToken"] = answer["nextPageToken"]
        return ["/".join(info[f"{kind}Type"].values()) for info in infos]

    assert found() == sorted(["a/1", "b/1", "b/2", f"{kind}/1"])
    assert found(reverseOrder=True) == found()[::-1]
    assert found(maximumPageSize=1) == found()
    assert found(name="b") == ["b/1", "b/2"]
    assert found(registrationStatus="DEPRECATED") == ["old/1"]


def test_a_page_token_outlives_what_it_was_given_for(swf: Driver) -> None:
    for name in ("a", "b", "c"):
        swf.register_workflow({"name": name, "version": "1"})
    request: dict[str, Any] = {
        "domain": "domain",
        "registrationStatus": "REGISTERED",
        "maximumPageSize": 2,
    }
    token = swf.client.list_workflow_types(**request)["nextPageToken"]
    swf.client.deprecate_workflow_type(domain="domain", workflowType={"name": "b", "version": "1"})
    answer = swf.client.list_workflow_types(**request, nextPageToken=token)
    names = [info["workflowType"]["name"] for info in answer["typeInfos"]]
    assert names == ["c", "workflow"]


@pytest.mark.parametrize("kind", KINDS)
def test_types_live_in_known_domains(swf: Driver, kind: str) -> None:
    unknown = ("UnknownResourceFault", "Unknown domain: nowhere")
    ids = {"name": "a", "version": "1"}
    assert swf.fault(f"register_{kind}_type", domain="nowhere", **ids) == unknown
    request = {"domain": "nowhere", f"{kind}Type": ids}
    for verb in ("describe", "deprecate", "undeprecate", "delete"):
        assert swf.fault(f"{verb}_{kind}_type", **request) == unknown
    listing = {"domain": "nowhere", "registrationStatus": "REGISTERED"}
    assert swf.fault(f"list_{kind}_types", **listing) == unknown
    for verb in ("describe", "deprecate", "undeprecate"):
        assert swf.fault(f"{verb}_domain", name="nowhere") == unknown
