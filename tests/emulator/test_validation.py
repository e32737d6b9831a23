from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import botocore.validate
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowy_swf.emulator import Emulator, Fault
from flowy_swf.emulator.model import description, enumeration, operation_inputs, shapes
from flowy_swf.emulator.validation import check_request

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver

DOMAIN = {"name": "d", "workflowExecutionRetentionPeriodInDays": "1"}
TYPE = {"domain": "d", "name": "a", "version": "1"}
START = {"domain": "d", "workflowId": "w", "workflowType": {"name": "a", "version": "1"}}
POLL = {"domain": "d", "taskList": {"name": "l"}}


def refusal(operation: str, request: Any) -> tuple[str, str | None]:
    with pytest.raises(Fault) as caught:
        Emulator().call(operation, request)
    return caught.value.name, caught.value.message


def decide(kind: str, **attributes: Any) -> dict[str, Any]:
    member = f"{kind[0].lower()}{kind[1:]}DecisionAttributes"
    return {"taskToken": "t", "decisions": [{"decisionType": kind, member: attributes}]}


@pytest.mark.parametrize(
    ("operation", "request_", "problem"),
    [
        ("DescribeDomain", {}, "Value null at 'name': Member must not be null"),
        ("DescribeDomain", {"name": None}, "Value null at 'name': Member must not be null"),
        (
            "DescribeDomain",
            {"name": ""},
            "Value '' at 'name': Member must have length greater than or equal to 1",
        ),
        (
            "DescribeDomain",
            {"name": "x" * 257},
            f"Value '{'x' * 257}' at 'name': Member must have length less than or equal to 256",
        ),
        (
            "DescribeDomain",
            {"name": "a/b"},
            "Value 'a/b' at 'name': Member must not hold : / | or control characters, nor be arn",
        ),
        (
            "DescribeDomain",
            {"name": "arn"},
            "Value 'arn' at 'name': Member must not hold : / | or control characters, nor be arn",
        ),
        (
            "RegisterActivityType",
            {**TYPE, "version": "1" * 65},
            f"Value '{'1' * 65}' at 'version': Member must have length less than or equal to 64",
        ),
        (
            "RegisterActivityType",
            {**TYPE, "defaultTaskHeartbeatTimeout": "soon"},
            "Value 'soon' at 'defaultTaskHeartbeatTimeout': "
            "Member must be a whole number of seconds or NONE",
        ),
        (
            "RegisterActivityType",
            {**TYPE, "defaultTaskHeartbeatTimeout": "-1"},
            "Value '-1' at 'defaultTaskHeartbeatTimeout': "
            "Member must be a whole number of seconds or NONE",
        ),
        (
            "RegisterActivityType",
            {**TYPE, "defaultTaskPriority": "2147483648"},
            "Value '2147483648' at 'defaultTaskPriority': Member must be an integer of 32 bits",
        ),
        (
            "RegisterActivityType",
            {**TYPE, "defaultTaskList": {}},
            "Value null at 'defaultTaskList.name': Member must not be null",
        ),
        (
            "RegisterWorkflowType",
            {**TYPE, "defaultExecutionStartToCloseTimeout": "NONE"},
            "Value 'NONE' at 'defaultExecutionStartToCloseTimeout': "
            "Member must be a whole number of seconds up to 31536000",
        ),
        (
            "StartWorkflowExecution",
            {**START, "executionStartToCloseTimeout": "31536001"},
            "Value '31536001' at 'executionStartToCloseTimeout': "
            "Member must be a whole number of seconds up to 31536000",
        ),
        (
            "RegisterWorkflowType",
            {**TYPE, "defaultChildPolicy": "FORGET"},
            "Value 'FORGET' at 'defaultChildPolicy': "
            "Member must satisfy enum value set: [TERMINATE, REQUEST_CANCEL, ABANDON]",
        ),
        (
            "RegisterDomain",
            {**DOMAIN, "workflowExecutionRetentionPeriodInDays": "91"},
            "Value '91' at 'workflowExecutionRetentionPeriodInDays': "
            "Member must be a whole number of days up to 90, or NONE",
        ),
        (
            "RegisterDomain",
            {**DOMAIN, "tags": [{"key": "a*"}]},
            "Value 'a*' at 'tags.1.member.key': "
            "Member must hold letters, digits, spaces and _.:/=+-@ only",
        ),
        (
            "RegisterDomain",
            {**DOMAIN, "tags": [None]},
            "Value null at 'tags.1.member': Member must not be null",
        ),
        (
            "StartWorkflowExecution",
            {**START, "tagList": ["1", "2", "3", "4", "5", "6"]},
            "Value '['1', '2', '3', '4', '5', '6']' at 'tagList': "
            "Member must have length less than or equal to 5",
        ),
        (
            "StartWorkflowExecution",
            {**START, "input": "x" * 32769},
            f"Value '{'x' * 32769}' at 'input': "
            "Member must have length less than or equal to 32768",
        ),
        (
            "RespondActivityTaskFailed",
            {"taskToken": "t", "reason": "x" * 257},
            f"Value '{'x' * 257}' at 'reason': Member must have length less than or equal to 256",
        ),
        (
            "RecordActivityTaskHeartbeat",
            {"taskToken": "t", "details": "x" * 2049},
            f"Value '{'x' * 2049}' at 'details': "
            "Member must have length less than or equal to 2048",
        ),
        (
            "PollForDecisionTask",
            {**POLL, "maximumPageSize": 1001},
            "Value '1001' at 'maximumPageSize': Member must have value less than or equal to 1000",
        ),
        (
            "PollForDecisionTask",
            {**POLL, "maximumPageSize": -1},
            "Value '-1' at 'maximumPageSize': Member must have value greater than or equal to 0",
        ),
        (
            "RespondDecisionTaskCompleted",
            {"taskToken": "t", "decisions": [{"decisionType": "Sleep"}]},
            "Value 'Sleep' at 'decisions.1.member.decisionType': "
            f"Member must satisfy enum value set: [{', '.join(enumeration('DecisionType'))}]",
        ),
        (
            "RespondDecisionTaskCompleted",
            {"taskToken": "t", "decisions": [{"decisionType": "CancelTimer"}]},
            "Value null at 'decisions.1.member.cancelTimerDecisionAttributes.timerId': "
            "Member must not be null",
        ),
        (
            "RespondDecisionTaskCompleted",
            decide("StartTimer", timerId="t", startToFireTimeout="NONE"),
            "Value 'NONE' at 'decisions.1.member.startTimerDecisionAttributes.startToFireTimeout': "
            "Member must be a whole number of seconds",
        ),
    ],
)
def test_a_broken_constraint_is_named(operation: str, request_: Any, problem: str) -> None:
    where, _, rest = problem.partition(": Member")
    constraint = f"Member{rest}"
    message = f"{where} failed to satisfy constraint: {constraint}"
    name, text = refusal(operation, request_)
    assert (name, text) == ("ValidationException", f"1 validation error detected: {message}")


def test_a_number_too_long_to_be_read_is_a_broken_constraint(swf: Driver) -> None:
    digits = "9" * 5000  # Python reads no number of so many
    error = swf.fault(
        "start_workflow_execution",
        domain="domain",
        workflowId="w",
        workflowType={"name": "workflow", "version": "1"},
        executionStartToCloseTimeout=digits,
    )
    where = f"Value '{digits}' at 'executionStartToCloseTimeout' failed to satisfy constraint"
    assert error == (
        "ValidationException",
        f"2 validation errors detected: {where}: Member must have length less than or equal to 8; "
        f"{where}: Member must be a whole number of seconds up to 31536000",
    )


def test_a_tag_that_is_null_is_given_back(swf: Driver) -> None:
    # The service took this from a client that checks nothing, and recorded it.
    swf.emulator.call(
        "StartWorkflowExecution",
        {
            "domain": "domain",
            "workflowId": "w",
            "workflowType": {"name": "workflow", "version": "1"},
            "tagList": [None],
        },
    )
    assert swf.last("WorkflowExecutionStarted")["tagList"] == [None]


def test_all_broken_constraints_are_named_together() -> None:
    name, message = refusal("StartWorkflowExecution", {"workflowType": {"name": "a"}})
    null = "failed to satisfy constraint: Member must not be null"
    assert name == "ValidationException"
    assert message == (
        f"3 validation errors detected: Value null at 'domain' {null}; "
        f"Value null at 'workflowId' {null}; Value null at 'workflowType.version' {null}"
    )


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        ("DescribeDomain", [], "START_ARRAY can not be converted to a structure"),
        ("DescribeDomain", None, "NUMBER_VALUE can not be converted to a structure"),
        ("DescribeDomain", {"name": 1}, "NUMBER_VALUE can not be converted to a String"),
        ("DescribeDomain", {"name": {}}, "START_OBJECT can not be converted to a String"),
        ("RegisterDomain", {"tags": "x"}, "VALUE_STRING can not be converted to a list"),
        (
            "PollForDecisionTask",
            {"maximumPageSize": "1"},
            "VALUE_STRING can not be converted to an Integer",
        ),
        (
            "PollForDecisionTask",
            {"maximumPageSize": True},
            "TRUE_VALUE can not be converted to an Integer",
        ),
        (
            "PollForDecisionTask",
            {"reverseOrder": 1},
            "NUMBER_VALUE can not be converted to a Boolean",
        ),
        (
            "CountOpenWorkflowExecutions",
            {"startTimeFilter": {"oldestDate": "today"}},
            "VALUE_STRING can not be converted to a Timestamp",
        ),
    ],
)
def test_values_of_the_wrong_kind_stop_the_request(
    operation: str, request_: Any, message: str
) -> None:
    with pytest.raises(Fault) as caught:
        check_request(operation, request_)
    assert (caught.value.name, caught.value.message) == ("SerializationException", message)


def test_an_operation_that_does_not_exist_is_unknown() -> None:
    assert refusal("MakeCoffee", {}) == ("UnknownOperationException", None)


def test_members_nobody_knows_are_ignored(swf: Driver) -> None:
    swf.emulator.call("DescribeDomain", {"name": "domain", "colour": "red"})


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("StartWorkflowExecution", {**START, "workflowId": "a:b/c|d"}),
        ("StartWorkflowExecution", {**START, "executionStartToCloseTimeout": "0"}),
        (
            "RespondDecisionTaskCompleted",
            decide("StartTimer", timerId="a:t", startToFireTimeout="0"),
        ),
        (
            "RespondDecisionTaskCompleted",
            {"taskToken": "t", "decisions": [{"decisionType": "CompleteWorkflowExecution"}]},
        ),
        ("RegisterActivityType", {**TYPE, "defaultTaskPriority": "-2147483648"}),
        ("StartWorkflowExecution", {**START, "input": "x" * 32768}),
        ("RegisterDomain", {**DOMAIN, "workflowExecutionRetentionPeriodInDays": "NONE"}),
    ],
)
def test_what_the_service_accepts_is_accepted(operation: str, request_: Any) -> None:
    check_request(operation, request_)


def _values(shape_name: str) -> st.SearchStrategy[Any]:
    """Give values that fit a shape, and some that do not."""
    shape = shapes()[shape_name]
    junk: st.SearchStrategy[Any] = st.one_of(
        st.none(), st.integers(), st.text(max_size=3), st.just([]), st.just({})
    )
    if shape["type"] == "structure":
        members = {name: _values(each["shape"]) for name, each in shape["members"].items()}
        required = set(shape.get("required", ()))
        good = st.fixed_dictionaries(
            {name: members[name] for name in sorted(required)},
            optional={n: members[n] for n in sorted(members) if n not in required},
        )
    elif shape["type"] == "list":
        return st.lists(_values(shape["member"]["shape"]), max_size=2) | junk
    elif "enum" in shape:
        return st.sampled_from(shape["enum"]) | junk
    elif shape["type"] == "string":
        return st.sampled_from(["1", "NONE", "x", ""]) | junk
    elif shape["type"] == "boolean":
        return st.booleans() | junk
    else:
        return st.integers(0, 2000) | junk
    return good | junk


@pytest.mark.parametrize("operation", sorted(operation_inputs()))
@settings(max_examples=8, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_whatever_is_sent_is_answered_by_the_rules(operation: str, data: st.DataObject) -> None:
    emulator = Emulator(clock="virtual", long_poll=0)
    request = data.draw(_values(operation_inputs()[operation]))
    status = 200
    try:
        emulator.call(operation, request)
    except Fault as fault:
        status = fault.status
    assert status in (200, 400)


def test_requests_botocore_would_refuse_for_missing_members_are_refused_here_too() -> None:
    validator = botocore.validate.ParamValidator()
    model = botocore.model.ServiceModel(description(), "swf")
    for operation in operation_inputs():
        shape = model.operation_model(operation).input_shape
        assert shape is not None
        report = validator.validate({}, shape)
        missing = report.generate_report().count("Missing required parameter")
        name, message = refusal(operation, {})
        assert name == "ValidationException"
        assert message is not None
        assert message.count("Member must not be null") == missing > 0


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1]", b"[" * 1_000_000, b'{"x": NaN}'])
def test_a_body_that_is_no_json_object_cannot_be_read(swf: Driver, body: bytes) -> None:
    request = urllib.request.Request(
        swf.emulator.url, body, {"X-Amz-Target": "SimpleWorkflowService.DescribeDomain"}
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as answer:
        assert answer.code == 400
        kind = json.loads(answer.read())["__type"]
    assert kind == "com.amazon.coral.service#SerializationException"
