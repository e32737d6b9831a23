from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from flowy_swf.emulator import CallCount, Emulator, Fault, OpenTask

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

Json = dict[str, Any]
TYPE = {"name": "workflow", "version": "1"}
START: Json = {"domain": "domain", "workflowId": "w", "workflowType": TYPE}


def test_a_history_is_the_latest_run_s_unless_one_is_named(swf: Driver) -> None:
    first = swf.start()
    swf.decide({"decisionType": "CompleteWorkflowExecution"})
    second = swf.start(input="second")
    history = swf.emulator.history
    assert len(history("w")) == 2
    assert history("w") == history("w", second) == history("w", domain="domain")
    assert history("w", first)[-1]["eventType"] == "WorkflowExecutionCompleted"
    with pytest.raises(LookupError, match="no execution of workflow id 'w' is known"):
        history("w", domain="other")


def test_what_introspection_gives_can_be_changed_freely(swf: Driver) -> None:
    swf.start()
    swf.emulator.history("w")[0].clear()
    swf.emulator.call("PollForDecisionTask", {"domain": "domain", "taskList": {"name": "list"}})[
        "events"
    ][0].clear()
    assert swf.types()[0] == "WorkflowExecutionStarted"


def test_open_tasks_are_given(make: Make) -> None:
    go = threading.Event()
    swf = make(lambdas={"f": lambda event: go.wait()})
    run_id = swf.start(lambdaRole="arn:x")
    assert swf.emulator.open_tasks() == [OpenTask("decision", "domain", "w", run_id, "", 2, 0)]
    call = {
        "decisionType": "ScheduleLambdaFunction",
        "scheduleLambdaFunctionDecisionAttributes": {"id": "l", "name": "f"},
    }
    swf.decide(swf.schedule("a"), swf.schedule("b"), call)
    swf.poll_activity()
    assert swf.emulator.open_tasks() == [
        OpenTask("activity", "domain", "w", run_id, "a", 5, 9),
        OpenTask("activity", "domain", "w", run_id, "b", 6, 0),
        OpenTask("lambda", "domain", "w", run_id, "l", 7, 8),
    ]
    swf.client.terminate_workflow_execution(domain="domain", workflowId="w")
    assert swf.emulator.open_tasks() == []
    go.set()


def test_calls_are_counted_with_their_bytes(swf: Driver) -> None:
    swf.emulator.clear_calls()
    swf.client.describe_domain(name="domain")
    first = swf.emulator.calls()
    assert first.keys() == {"DescribeDomain"}
    assert first["DescribeDomain"].request_bytes == len('{"name": "domain"}')
    assert first["DescribeDomain"].response_bytes > 100
    swf.client.describe_domain(name="domain")
    swf.fault("describe_domain", name="other")
    swf.emulator.call("ListDomains", {"registrationStatus": "REGISTERED"})
    counts = swf.emulator.calls()
    assert counts["DescribeDomain"].calls == 3
    assert counts["ListDomains"] == CallCount(calls=1)


def test_a_call_in_process_raises_the_fault(swf: Driver) -> None:
    swf.emulator.call("StartWorkflowExecution", START)
    with pytest.raises(Fault) as caught:
        swf.emulator.call("StartWorkflowExecution", START)
    assert str(caught.value) == "WorkflowExecutionAlreadyStartedFault: Already Started"
    with pytest.raises(Fault, match="ValidationException"):
        swf.emulator.call("ListDomains")


def test_waiting_for_something_ends_when_it_is_so(make: Make) -> None:
    swf = make(long_poll=60)
    thread = threading.Thread(target=swf.poll_decision)
    thread.start()
    swf.emulator.wait_for(lambda: len(swf.emulator.pollers()) == 1)
    swf.start()
    swf.emulator.wait_for(lambda: "DecisionTaskStarted" in swf.types())
    thread.join(60)


def test_waiting_for_something_notices_the_time(make: Make) -> None:
    swf = make(clock="real")
    swf.start(executionStartToCloseTimeout="1")
    swf.emulator.wait_for(lambda: swf.types()[-1] == "WorkflowExecutionTimedOut")


def test_waiting_in_vain_is_an_error(swf: Driver) -> None:
    with pytest.raises(TimeoutError, match=r"it was not so within 0.01 seconds"):
        swf.emulator.wait_for(lambda: False, timeout=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"long_poll": -1}, "long_poll is a number of seconds, 0 or more, not -1"),
        ({"long_poll": float("nan")}, "long_poll is a number of seconds, 0 or more, not nan"),
        ({"long_poll": float("inf")}, "long_poll is a number of seconds, 0 or more, not inf"),
        ({"retention": -1}, "retention is a number of seconds, 0 or more, not -1"),
        ({"retention": float("nan")}, "retention is a number of seconds, 0 or more, not nan"),
    ],
)
def test_an_emulator_is_not_made_with_times_that_are_none(options: Json, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Emulator(**options)


def test_an_emulator_that_does_not_serve_has_no_url_and_no_client() -> None:
    emulator = Emulator()
    message = r"the emulator is not serving: use `with emulator.serve\(\) as url:`"
    with pytest.raises(RuntimeError, match=message):
        emulator.client()
    with pytest.raises(RuntimeError, match=message):
        _ = emulator.url
