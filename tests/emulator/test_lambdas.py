from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

Json = dict[str, Any]
ROLE = "arn:aws:iam::123456789012:role/lambda"


def call(function: str = "f", task_id: str = "l", **changes: Any) -> Json:
    return {
        "decisionType": "ScheduleLambdaFunction",
        "scheduleLambdaFunctionDecisionAttributes": {"id": task_id, "name": function, **changes},
    }


def run(make: Make, function: Any, **changes: Any) -> Driver:
    """Run a function as the only task of an execution and wait for its outcome."""
    swf = make(long_poll=60, lambdas={"f": function})
    swf.start(lambdaRole=ROLE)
    swf.decide(call(**changes))
    swf.decide()
    return swf


def test_a_function_gets_the_input_and_gives_the_result(make: Make) -> None:
    swf = run(make, lambda event: {"sum": sum(event)}, input="[1, 2]", control="k")
    assert swf.types()[4:8] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionCompleted",
        "DecisionTaskScheduled",
    ]
    assert swf.last("LambdaFunctionScheduled") == {
        "id": "l",
        "name": "f",
        "input": "[1, 2]",
        "control": "k",
        "startToCloseTimeout": "900",
        "decisionTaskCompletedEventId": 4,
    }
    assert swf.last("LambdaFunctionStarted") == {"scheduledEventId": 5}
    assert swf.last("LambdaFunctionCompleted") == {
        "scheduledEventId": 5,
        "startedEventId": 6,
        "result": '{"sum": 3}',
    }


def test_a_function_may_take_a_context_as_on_aws(make: Make) -> None:
    def handler(event: Any, context: Any) -> Any:
        return [event, context.function_name, len(context.aws_request_id) > 8]

    swf = run(make, handler)
    assert swf.last("LambdaFunctionCompleted")["result"] == '[null, "f", true]'


def test_a_function_that_leaves_fails_the_task(make: Make) -> None:
    swf = run(make, lambda event: sys.exit("enough"))
    assert swf.last("LambdaFunctionFailed")["reason"] == "SystemExit"


def test_what_a_function_raises_fails_the_task(make: Make) -> None:
    def broken(event: Any) -> None:
        raise KeyError("x")

    swf = run(make, broken)
    failed = swf.last("LambdaFunctionFailed")
    assert (failed["scheduledEventId"], failed["startedEventId"]) == (5, 6)
    assert failed["reason"] == "KeyError"
    details = json.loads(failed["details"])
    assert (details["errorType"], details["errorMessage"]) == ("KeyError", "'x'")
    assert "raise KeyError" in "".join(details["stackTrace"])


@pytest.mark.parametrize(
    ("function", "changes", "reason", "details"),
    [
        (len, {"name": "g"}, "ResourceNotFoundException", "no function 'g' is registered"),
        (len, {"input": "{"}, "JSONDecodeError", "Expecting property name"),
        (
            lambda event: "x" * 40_000,
            {},
            "ValueError",
            "the result has 40002 characters, and 32768 may pass",
        ),
    ],
)
def test_a_call_that_cannot_be_made_fails_the_task(
    make: Make, function: Any, changes: Json, reason: str, details: str
) -> None:
    swf = run(make, function, **changes)
    failed = swf.last("LambdaFunctionFailed")
    assert failed["reason"] == reason
    assert details in failed["details"]


def test_a_function_needs_a_role(swf: Driver) -> None:
    swf.start()
    swf.decide(call())
    assert swf.types()[4:] == [
        "LambdaFunctionScheduled",
        "StartLambdaFunctionFailed",
        "DecisionTaskScheduled",
    ]
    assert swf.last("StartLambdaFunctionFailed") == {
        "scheduledEventId": 5,
        "cause": "ASSUME_ROLE_FAILED",
        "message": "the execution has no lambdaRole",
    }


def test_the_role_may_come_from_the_type(make: Make) -> None:
    swf = make(long_poll=60)
    swf.emulator.register_lambda("f", lambda event: 1)
    ids = {"name": "with role", "version": "1"}
    swf.register_workflow(ids, defaultLambdaRole=ROLE)
    swf.start(workflowType=ids)
    swf.decide(call())
    swf.decide()
    assert swf.last("LambdaFunctionCompleted")["result"] == "1"


def test_a_function_that_takes_too_long_times_out_and_its_result_is_dropped(make: Make) -> None:
    begun, go, done = threading.Event(), threading.Event(), threading.Event()

    def slow(event: Any) -> None:
        begun.set()
        go.wait()
        done.set()

    swf = make(lambdas={"f": slow})
    run_id = swf.start(lambdaRole=ROLE)
    swf.decide(call(startToCloseTimeout="30"))
    assert begun.wait(60)
    assert swf.describe("w", run_id)["openCounts"]["openLambdaFunctions"] == 1
    swf.emulator.advance(30)
    assert swf.last("LambdaFunctionTimedOut") == {
        "scheduledEventId": 5,
        "startedEventId": 6,
        "timeoutType": "START_TO_CLOSE",
    }
    go.set()
    assert done.wait(60)
    assert swf.types()[6:] == ["LambdaFunctionTimedOut", "DecisionTaskScheduled"]


def test_the_result_of_a_function_comes_too_late_for_a_closed_execution(make: Make) -> None:
    go = threading.Event()
    swf = make(lambdas={"f": lambda event: go.wait()})
    run_id = swf.start(lambdaRole=ROLE)
    swf.decide(call())
    swf.client.terminate_workflow_execution(domain="domain", workflowId="w")
    go.set()
    swf.emulator._state.lambdas.join()
    assert swf.types()[-1] == "WorkflowExecutionTerminated"
    assert swf.describe("w", run_id)["openCounts"]["openLambdaFunctions"] == 1
