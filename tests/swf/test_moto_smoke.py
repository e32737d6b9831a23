"""Workers and starter as users have them, against moto's server: a judge that is not ours.

What moto (5.2) cannot do, and what is therefore not here:

- child workflows, Lambda tasks, restarts, and decisions that signal or cancel something: it answers
  them with an internal error;
- RequestCancelWorkflowExecution, RespondActivityTaskCanceled and the counts of executions: it does
  not have them;
- pages of a history, and polls that are held: it answers an empty one after a second.

Its timers run by the machine's clock, so delays are short here.
"""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from tests.swf.fleet import DOMAIN, LIST, activity_config, outcome, workflow_config

import flowy
from flowy.errors import TaskError
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.client import SWFClient
from flowy_swf.config import SWFActivityConfig, TypeName
from flowy_swf.registration import SWFRegistrationError, register_domain, register_types
from flowy_swf.starter import SWFWorkflowStarter
from flowy_swf.worker import Worker
from flowy_swf.workflow_worker import SWFWorkflowWorker


@pytest.fixture
def client() -> Iterator[Any]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    # All servers of a process serve the same domains.
    reset = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    client = SWFClient(
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    register_domain(client, DOMAIN)
    yield client
    client.close()
    server.stop()


class Run:
    """One execution, and workers that work until it is closed."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.execution: dict[str, str] = {}

    def is_closed(self) -> bool:
        described = self._client.describe_workflow_execution(
            domain=DOMAIN, execution=self.execution
        )
        return bool(described["executionInfo"]["executionStatus"] == "CLOSED")

    def history(self) -> list[dict[str, Any]]:
        found = self._client.get_workflow_execution_history(domain=DOMAIN, execution=self.execution)
        events: list[dict[str, Any]] = found["events"]
        return events

    def __call__(
        self, factory: Any, activities: dict[str, Any], *args: Any, config: Any = None
    ) -> Any:
        run = self

        class Decider(SWFWorkflowWorker):
            def break_loop(self) -> bool:
                return run.is_closed()

        class ActivityWorker(SWFActivityWorker):
            def break_loop(self) -> bool:
                return run.is_closed()

        decider, worker = Decider(), ActivityWorker()
        config = config or workflow_config()
        for name, function in activities.items():
            worker.register(activity_config(), function, 1, name)
            if name not in config._dependencies:
                config.conf_activity(name, 1)
        decider.register(config, factory, 1, "workflow")
        # Workers register their types when they begin, but these need each other's at once.
        register_types(self._client, DOMAIN, decider.types)
        register_types(self._client, DOMAIN, worker.types)
        started = SWFWorkflowStarter(DOMAIN, "workflow", 1, self._client)(*args)
        self.execution = {"workflowId": started.workflow_id, "runId": started.run_id}

        def work(worker: Worker[Any]) -> None:
            worker.run_forever(DOMAIN, LIST, self._client, setup_log=False, identity="smoke")

        threads = [threading.Thread(target=work, args=(each,)) for each in (decider, worker)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcome(self.history()[-1])


class SumOfSquares:
    def __init__(self, square: Any, add: Any) -> None:
        self.square = square
        self.add = add

    def __call__(self, a: int, b: int) -> Any:
        return self.add(self.square(a), self.square(b))


def square(n: int) -> int:
    flowy.heartbeat("squaring")
    return n * n


def add(a: int, b: int) -> int:
    return a + b


def test_a_workflow_of_activities_runs(client: Any) -> None:
    run = Run(client)
    assert run(SumOfSquares, {"square": square, "add": add}, 2, 10) == 104
    scheduled = [
        event["activityTaskScheduledEventAttributes"]
        for event in run.history()
        if event["eventType"] == "ActivityTaskScheduled"
    ]
    assert [(each["activityId"], each["input"]) for each in scheduled] == [
        ("square-0-0", "[[2], {}]"),
        ("square-1-0", "[[10], {}]"),
        ("add-0-0", "[[4, 100], {}]"),
    ]


def test_a_task_that_fails_is_tried_again_after_a_delay(client: Any) -> None:
    attempts: list[int] = []

    def unreliable() -> str:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise ConnectionError("not now")
        return "done"

    config = workflow_config()
    config.conf_activity("unreliable", 1, retry=flowy.Retry(attempts=2, delay=1))
    run = Run(client)
    assert run(lambda unreliable: unreliable, {"unreliable": unreliable}, config=config) == "done"
    assert attempts == [0, 1]
    types = [event["eventType"] for event in run.history()]
    assert types.count("ActivityTaskFailed") == types.count("TimerFired") == 1


def test_more_calls_than_a_response_takes_are_made(client: Any) -> None:
    def factory(square: Any) -> Any:
        return lambda: sum([square(n) for n in range(120)])

    run = Run(client)
    config = workflow_config(rate_limit=1_000)
    assert run(factory, {"square": square}, config=config) == sum(n * n for n in range(120))
    timers = [event for event in run.history() if event["eventType"] == "TimerStarted"]
    assert timers[0]["timerStartedEventAttributes"]["startToFireTimeout"] == "0"


def test_a_workflow_that_fails_says_why(client: Any) -> None:
    def impossible() -> None:
        raise LookupError("nobody knows")

    with pytest.raises(TaskError) as caught:
        Run(client)(lambda impossible: impossible, {"impossible": impossible})
    assert caught.value.message == "impossible-0-0 failed: LookupError: nobody knows"


def test_registered_types_are_compared(client: Any) -> None:
    types: dict[TypeName, Any] = {
        TypeName("a", "1"): activity_config(),
        TypeName("w", "1"): workflow_config(),
    }
    register_types(client, DOMAIN, types)
    register_types(client, DOMAIN, types)
    register_domain(client, DOMAIN)
    with pytest.raises(SWFRegistrationError) as caught:
        register_types(client, DOMAIN, {TypeName("a", "1"): SWFActivityConfig("other")})
    assert caught.value.differences[0] == (
        "activity 'a' version '1': default_task_list is 'other', registered is 'list'"
    )
