from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from typing import Any

import pytest

from flowy_swf.emulator import Emulator
from flowy_swf.emulator.model import member_of

Json = dict[str, Any]
TYPE = {"name": "t", "version": "1"}
POLL: Json = {"domain": "d", "taskList": {"name": "l"}}
WORKFLOWS = 2_000
THREADS = 16

STORY = [
    "WorkflowExecutionStarted",
    "DecisionTaskScheduled",
    "DecisionTaskStarted",
    "DecisionTaskCompleted",
    "ActivityTaskScheduled",
    "ActivityTaskStarted",
    "ActivityTaskCompleted",
    "DecisionTaskScheduled",
    "DecisionTaskStarted",
    "DecisionTaskCompleted",
    "WorkflowExecutionCompleted",
]


class Connection:
    """A client that costs little, so that the emulator and not boto3 is kept busy."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"))

    def call(self, operation: str, request: Json) -> Json:
        headers = {"X-Amz-Target": f"SimpleWorkflowService.{operation}"}
        self._connection.request("POST", "/", json.dumps(request), headers)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        found: Json = json.loads(body) if body else {}
        return found

    def close(self) -> None:
        self._connection.close()


def make_decision(kind: str, **attributes: Any) -> Json:
    return {"decisionType": kind, member_of(kind, "Decision"): attributes}


@pytest.mark.timeout(600)
def test_each_task_of_many_is_done_exactly_once_by_many_threads() -> None:
    emulator = Emulator(long_poll=60)
    emulator.call("RegisterDomain", {"name": "d", "workflowExecutionRetentionPeriodInDays": "1"})
    emulator.call(
        "RegisterWorkflowType",
        {
            "domain": "d",
            **TYPE,
            "defaultTaskList": {"name": "l"},
            "defaultChildPolicy": "ABANDON",
            "defaultExecutionStartToCloseTimeout": "3600",
            "defaultTaskStartToCloseTimeout": "600",
        },
    )
    defaults = ("ScheduleToStart", "ScheduleToClose", "StartToClose", "Heartbeat")
    emulator.call(
        "RegisterActivityType",
        {
            "domain": "d",
            **TYPE,
            "defaultTaskList": {"name": "l"},
            **{f"defaultTask{each}Timeout": "600" for each in defaults},
        },
    )
    leave = threading.Event()
    closed = threading.Semaphore(0)
    done: list[str] = []  # appending is atomic
    failures: list[BaseException] = []

    def decide(connection: Connection) -> None:
        task = connection.call("PollForDecisionTask", POLL)
        if "taskToken" in task:
            workflow_id = task["workflowExecution"]["workflowId"]
            decision = make_decision("CompleteWorkflowExecution")
            if task["previousStartedEventId"] == 0:
                decision = make_decision(
                    "ScheduleActivityTask", activityId=workflow_id, activityType=TYPE
                )
            request = {"taskToken": task["taskToken"], "decisions": [decision]}
            connection.call("RespondDecisionTaskCompleted", request)
            if task["previousStartedEventId"]:
                closed.release()

    def work(connection: Connection) -> None:
        task = connection.call("PollForActivityTask", POLL)
        if "taskToken" in task:
            done.append(task["activityId"])
            connection.call("RespondActivityTaskCompleted", {"taskToken": task["taskToken"]})

    def loop(turn: Any, url: str) -> None:
        connection = Connection(url)
        try:
            while not leave.is_set():
                turn(connection)
        except BaseException as error:
            if not leave.is_set():
                failures.append(error)
        finally:
            connection.close()

    ids = [f"w{number}" for number in range(WORKFLOWS)]
    with emulator.serve() as url:
        threads = [
            threading.Thread(target=loop, args=(turn, url))
            for turn in (decide, work)
            for _ in range(THREADS // 2)
        ]
        for thread in threads:
            thread.start()
        for workflow_id in ids:
            request = {"domain": "d", "workflowId": workflow_id, "workflowType": TYPE}
            emulator.call("StartWorkflowExecution", request)
        for _ in ids:
            assert closed.acquire(timeout=300), failures
        leave.set()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert Counter(done) == Counter(ids)
    for workflow_id in ids:
        assert [event["eventType"] for event in emulator.history(workflow_id)] == STORY
