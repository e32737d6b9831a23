"""Starting executions, once, whatever happens to the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.swf.fleet import Meddler
from tests.swf.outside import COMPLETE, DOMAIN, RESTART, Client, decide, start

from flowy_swf.emulator import Emulator
from flowy_swf.handle import SWFWorkflowHandle
from flowy_swf.payloads import unpack
from flowy_swf.starter import SWFWorkflowStarter, WorkflowAlreadyStartedError


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowy_swf.starter.pause", lambda _: False)


def starter(emulator: Emulator, **options: Any) -> Callable[..., SWFWorkflowHandle]:
    options.setdefault("swf_client", Client(emulator))
    return SWFWorkflowStarter(DOMAIN, "Order", 1, **options)


def started(emulator: Emulator, execution: SWFWorkflowHandle) -> dict[str, Any]:
    """Return what the service was told of an execution."""
    event = emulator.history(execution.workflow_id, execution.run_id)[0]
    attributes: dict[str, Any] = event["workflowExecutionStartedEventAttributes"]
    return attributes


def count(emulator: Emulator) -> int:
    """Return how many executions were started and are open."""
    request = {"domain": DOMAIN, "startTimeFilter": {"oldestDate": 0}}
    counted: int = emulator.call("CountOpenWorkflowExecutions", request)["count"]
    return counted


def test_each_call_starts_an_execution_with_an_id_of_its_own(emulator: Emulator) -> None:
    start_order = starter(emulator)
    first, second = start_order(17), start_order(17, express=True)
    assert (first.domain, first.run_id, second.run_id) == (DOMAIN, "run-1", "run-2")
    assert first.workflow_id != second.workflow_id
    assert started(emulator, first)["input"] == "[[17], {}]"
    assert started(emulator, second)["input"] == '[[17], {"express": true}]'


def test_what_is_given_goes_to_the_service_and_the_rest_is_left_to_the_type(
    emulator: Emulator,
) -> None:
    execution = starter(
        emulator,
        task_list="others",
        task_duration=5,
        workflow_duration=60,
        wid="order-17",
        tags=["express"],
        child_policy="ABANDON",
        priority=3,
        lambda_role="role",
    )()
    about = started(emulator, execution)
    assert execution.workflow_id == "order-17"
    assert about == {
        "childPolicy": "ABANDON",
        "executionStartToCloseTimeout": "60",
        "input": "[[], {}]",
        "lambdaRole": "role",
        "parentInitiatedEventId": 0,
        "tagList": ["express"],
        "taskList": {"name": "others"},
        "taskPriority": "3",
        "taskStartToCloseTimeout": "5",
        "workflowType": {"name": "Order", "version": "1"},
    }
    assert started(emulator, starter(emulator)())["taskList"] == {"name": "orders"}


def test_inputs_and_results_can_have_a_form_of_their_own(emulator: Emulator) -> None:
    execution = starter(
        emulator,
        serialize_input=lambda *items: "+".join(items),
        deserialize_result=lambda text: f"read {text}",
    )("a", "b")
    assert started(emulator, execution)["input"] == "a+b"
    decide(emulator, COMPLETE)
    assert execution.result() == 'read {"paid": 3}'


def test_what_does_not_fit_goes_to_the_store_and_comes_from_it(emulator: Emulator) -> None:
    import random

    class Store:
        def __init__(self) -> None:
            self.texts: list[str] = []

        def put(self, text: str) -> str:
            self.texts.append(text)
            return str(len(self.texts) - 1)

        def get(self, reference: str) -> str:
            return self.texts[int(reference)]

    store = Store()
    long = random.Random(1).randbytes(40_000)
    execution = starter(emulator, payloads=store)(long)
    packed = started(emulator, execution)["input"]
    assert unpack(packed, store) == store.texts[0]
    decide(
        emulator, {**COMPLETE, "completeWorkflowExecutionDecisionAttributes": {"result": packed}}
    )
    assert execution.result() == [[long], {}]


# --- once, whatever happens ---------------------------------------------------------------------


@pytest.mark.parametrize("wid", [None, "order-17"])
def test_a_call_that_fails_for_now_is_made_again(emulator: Emulator, wid: str | None) -> None:
    emulator.inject.fail("StartWorkflowExecution", "ThrottlingException", "Rate exceeded", times=2)
    emulator.inject.cut("StartWorkflowExecution", "before")
    assert starter(emulator, wid=wid)().run_id == "run-1"
    assert count(emulator) == 1


def test_a_call_that_was_cut_after_its_effect_starts_nothing_twice(emulator: Emulator) -> None:
    emulator.inject.cut("StartWorkflowExecution", "after")
    execution = starter(emulator)(17)
    assert (execution.run_id, count(emulator)) == ("run-1", 1)
    assert started(emulator, execution)["input"] == "[[17], {}]"


@pytest.mark.parametrize(("decisions", "run_id"), [([COMPLETE], "run-1"), ([RESTART], "run-2")])
def test_it_may_have_gone_on_by_the_time_it_is_found(
    emulator: Emulator, decisions: list[Any], run_id: str
) -> None:
    emulator.inject.cut("StartWorkflowExecution", "after")

    def before(operation: str, count: int) -> None:
        if (operation, count) == ("list_open_workflow_executions", 0):
            decide(emulator, *decisions)

    execution = starter(emulator, swf_client=Client(emulator, before))()
    assert execution.run_id == run_id


def test_lists_may_lag_behind(emulator: Emulator) -> None:
    emulator.inject.cut("StartWorkflowExecution", "after")

    def lagging(operation: str, count: int, made: Callable[[], Any]) -> Any:
        if operation == "list_open_workflow_executions" and count < 3:
            return {"executionInfos": []}
        return made()

    client = Meddler(Client(emulator), lagging)
    assert starter(emulator, swf_client=client)().run_id == "run-1"


OPEN = (
    "an execution with workflow id 'order-17' is open in domain 'shop', and there can be only one: "
    "wait for it, stop it, or use another id"
)


def test_an_id_that_is_taken_is_an_error_with_the_handle_of_the_open_one(
    emulator: Emulator,
) -> None:
    start(emulator)
    with pytest.raises(WorkflowAlreadyStartedError) as caught:
        starter(emulator, wid="order-17")()
    assert str(caught.value) == OPEN
    assert not caught.value.unsure
    found = caught.value.handle
    assert found is not None
    assert found.run_id == "run-1"
    decide(emulator, COMPLETE)
    assert found.result() == {"paid": 3}


def test_an_attempt_without_an_answer_leaves_it_open_whose_execution_it_is(
    emulator: Emulator,
) -> None:
    emulator.inject.cut("StartWorkflowExecution", "after")
    with pytest.raises(WorkflowAlreadyStartedError) as caught:
        starter(emulator, wid="order-17")()
    assert str(caught.value) == (
        f"{OPEN}; an attempt to start it got no answer before, so this may be the one"
    )
    assert caught.value.unsure


def test_so_does_an_attempt_that_the_client_made_again_by_itself(emulator: Emulator) -> None:
    start(emulator)

    def repeated(operation: str, count: int, made: Callable[[], Any]) -> Any:
        try:
            return made()
        except ClientError as exc:
            response: Any = exc.response
            response["ResponseMetadata"] = {"RetryAttempts": 1}
            raise

    with pytest.raises(WorkflowAlreadyStartedError) as caught:
        starter(emulator, wid="order-17", swf_client=Meddler(Client(emulator), repeated))()
    assert caught.value.unsure


def test_an_execution_that_does_not_turn_up_has_no_handle(emulator: Emulator) -> None:
    start(emulator)

    def blind(operation: str, count: int, made: Callable[[], Any]) -> Any:
        return {"executionInfos": []} if operation.startswith("list_") else made()

    with pytest.raises(WorkflowAlreadyStartedError) as caught:
        starter(emulator, wid="order-17", swf_client=Meddler(Client(emulator), blind))()
    assert caught.value.handle is None


def test_what_the_service_refuses_for_good_is_not_tried_again(emulator: Emulator) -> None:
    client = Client(emulator)
    with pytest.raises(ClientError, match="UnknownResourceFault"):
        SWFWorkflowStarter(DOMAIN, "Unheard", 1, client)()
    assert client.counts["start_workflow_execution"] == 1
