"""A driver that plays decider, worker and client over HTTP, checking every answer's shape."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import botocore.exceptions
import botocore.loaders
import botocore.model
import botocore.validate
import pytest

from flowy_swf.emulator import Emulator
from flowy_swf.emulator.model import description, member_of
from flowy_swf.emulator.tasklists import Caller

Json = dict[str, Any]

MODEL = botocore.model.ServiceModel(description(), "swf")
WORKFLOW = {"name": "workflow", "version": "1"}
ACTIVITY = {"name": "activity", "version": "1"}
LIST = {"name": "list"}
ROLE = "arn:aws:iam::123456789012:role/lambda"


def check_answer(operation: str, answer: Json) -> None:
    """Hold an answer against the output shape of its operation."""
    shape = MODEL.operation_model(operation).output_shape
    if shape is None:
        assert answer == {}
        return
    report = botocore.validate.ParamValidator().validate(answer, shape)
    problems = report.generate_report()
    if operation.startswith("PollFor") and not answer["startedEventId"]:
        # An empty answer to a poll has none of the required members, from Amazon either.
        assert set(answer) <= {"startedEventId", "previousStartedEventId"}
    else:
        assert not problems, f"{operation}: {problems}"


def decision(kind: str, **attributes: Any) -> Json:
    """Write a decision with its attributes where they belong."""
    return {"decisionType": kind, member_of(kind, "Decision"): attributes}


def attributes(event: Json) -> Json:
    """Give the attributes of an event."""
    found: Json = event[member_of(event["eventType"], "Event")]
    return found


class Driver:
    """An emulator that serves, a client of it, and the moves tests are made of."""

    def __init__(self, emulator: Emulator, client: Any) -> None:
        self.emulator = emulator
        self.client = client

    def register(self) -> None:
        """Register a domain with a workflow type and an activity type that have all defaults."""
        self.client.register_domain(name="domain", workflowExecutionRetentionPeriodInDays="1")
        self.register_workflow(WORKFLOW)
        self.register_activity(ACTIVITY)

    def register_workflow(self, ids: Json, **changes: Any) -> None:
        settings: Json = {
            "defaultTaskList": LIST,
            "defaultChildPolicy": "TERMINATE",
            "defaultExecutionStartToCloseTimeout": "1000",
            "defaultTaskStartToCloseTimeout": "NONE",
            **changes,
        }
        self.client.register_workflow_type(domain="domain", **ids, **_given(settings))

    def register_activity(self, ids: Json, **changes: Any) -> None:
        settings: Json = {
            "defaultTaskList": LIST,
            "defaultTaskScheduleToStartTimeout": "NONE",
            "defaultTaskScheduleToCloseTimeout": "NONE",
            "defaultTaskStartToCloseTimeout": "NONE",
            "defaultTaskHeartbeatTimeout": "NONE",
            **changes,
        }
        self.client.register_activity_type(domain="domain", **ids, **_given(settings))

    def start(self, workflow_id: str = "w", **settings: Any) -> str:
        """Start an execution and give its run id."""
        settings = {"workflowType": WORKFLOW, **settings}
        run_id: str = self.client.start_workflow_execution(
            domain="domain", workflowId=workflow_id, **settings
        )["runId"]
        return run_id

    def poll_decision(self, name: str = "list", **options: Any) -> Json:
        found: Json = self.client.poll_for_decision_task(
            domain="domain", taskList={"name": name}, **options
        )
        return found

    def poll_activity(self, name: str = "list", **options: Any) -> Json:
        found: Json = self.client.poll_for_activity_task(
            domain="domain", taskList={"name": name}, **options
        )
        return found

    def decide(self, *decisions: Json, name: str = "list", **options: Any) -> Json:
        """Take the next decision task, respond to it, and give the task."""
        task = self.poll_decision(name)
        self.respond(task, *decisions, **options)
        return task

    def respond(self, task: Json, *decisions: Json, **options: Any) -> None:
        self.client.respond_decision_task_completed(
            taskToken=task["taskToken"], decisions=list(decisions), **options
        )

    def work(self, **outcome: Any) -> Json:
        """Take the next activity, complete it, and give the task."""
        task = self.poll_activity()
        self.client.respond_activity_task_completed(taskToken=task["taskToken"], **outcome)
        return task

    def schedule(self, activity_id: str = "a", **settings: Any) -> Json:
        return decision(
            "ScheduleActivityTask",
            **{"activityType": ACTIVITY, "activityId": activity_id} | settings,
        )

    def events(self, workflow_id: str = "w", run_id: str = "") -> list[Json]:
        """Give the history of an execution, in wire form."""
        return self.emulator.history(workflow_id, run_id)

    def types(self, workflow_id: str = "w", run_id: str = "") -> list[str]:
        return [event["eventType"] for event in self.events(workflow_id, run_id)]

    def last(self, event_type: str, workflow_id: str = "w", run_id: str = "") -> Json:
        """Give the attributes of the last event of a type."""
        found = [e for e in self.events(workflow_id, run_id) if e["eventType"] == event_type]
        assert found, f"no {event_type} in {self.types(workflow_id, run_id)}"
        return attributes(found[-1])

    def describe(self, workflow_id: str, run_id: str) -> Json:
        found: Json = self.client.describe_workflow_execution(
            domain="domain", execution={"workflowId": workflow_id, "runId": run_id}
        )
        return found

    def fault(self, operation: str, **request: Any) -> tuple[str, str]:
        """Make a call that must fail, and give the error's code and message."""
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            getattr(self.client, operation)(**request)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]


def _given(settings: Json) -> Json:
    return {name: value for name, value in settings.items() if value is not None}


def threads_of_emulators() -> set[threading.Thread]:
    """Give the threads that emulators started, and not those of other tests, which may go on."""
    names = ("swf-emulator", "lambda-")
    return {each for each in threading.enumerate() if each.name.startswith(names)}


Make = Callable[..., Driver]


@pytest.fixture
def make() -> Iterator[Make]:
    """Make drivers, each with an emulator of its own; no thread is left afterwards."""
    before = threads_of_emulators()
    with ExitStack() as stack:

        def build(*, register: bool = True, **options: Any) -> Driver:
            emulator = Emulator(**{"clock": "virtual", "long_poll": 0.0, **options})
            call = emulator._service.call

            def checked(operation: str, request: Any, caller: Caller) -> Json:
                answer = call(operation, request, caller)
                check_answer(operation, answer)
                return answer

            emulator._service.call = checked  # type: ignore[method-assign]
            stack.enter_context(emulator.serve())
            client = emulator.client()
            stack.callback(client.close)
            driver = Driver(emulator, client)
            if register:
                driver.register()
            return driver

        yield build
    assert threads_of_emulators() <= before


@pytest.fixture
def swf(make: Make) -> Driver:
    """Drive an emulator with a virtual clock, whose polls are not held."""
    return make()
