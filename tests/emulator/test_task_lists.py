from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flowy_swf.emulator import Poller, Quotas

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

Json = dict[str, Any]


def signal(swf: Driver, count: int = 1) -> None:
    for _ in range(count):
        swf.client.signal_workflow_execution(domain="domain", workflowId="w", signalName="s")


def in_thread(action: Any) -> tuple[threading.Thread, list[Any]]:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(action()))
    thread.start()
    return thread, found


def wait_for_pollers(swf: Driver, count: int) -> list[Poller]:
    swf.emulator.wait_for(lambda: len(swf.emulator.pollers()) == count)
    return swf.emulator.pollers()


def test_an_empty_list_gives_an_empty_answer(swf: Driver) -> None:
    decision, activity = swf.poll_decision(), swf.poll_activity()
    assert (decision["startedEventId"], decision["previousStartedEventId"]) == (0, 0)
    assert activity["startedEventId"] == 0
    assert "taskToken" not in {**decision, **activity}


def test_lists_live_in_known_domains(swf: Driver) -> None:
    request = {"domain": "nowhere", "taskList": {"name": "list"}}
    for operation in (
        "poll_for_decision_task",
        "poll_for_activity_task",
        "count_pending_decision_tasks",
        "count_pending_activity_tasks",
    ):
        error = swf.fault(operation, **request)
        assert error == ("UnknownResourceFault", "Unknown domain: nowhere")


def test_pending_tasks_are_counted(swf: Driver) -> None:
    request = {"domain": "domain", "taskList": {"name": "list"}}

    def counts() -> tuple[int, int]:
        decisions = swf.client.count_pending_decision_tasks(**request)
        activities = swf.client.count_pending_activity_tasks(**request)
        assert decisions["truncated"] is activities["truncated"] is False
        return decisions["count"], activities["count"]

    assert counts() == (0, 0)
    swf.start()
    swf.start("v")
    assert counts() == (2, 0)
    swf.decide(swf.schedule("a"), swf.schedule("b"), swf.schedule("c"))
    assert counts() == (1, 3)
    swf.poll_activity()
    assert counts() == (1, 2)
    swf.client.terminate_workflow_execution(domain="domain", workflowId="w")
    assert counts() == (1, 0)


def test_a_list_is_forgotten_when_nothing_waits_in_it(swf: Driver) -> None:
    for number in range(5):
        swf.start(f"w{number}", taskList={"name": f"list-{number}"})
    assert len(swf.emulator._state.lists) == 5
    swf.decide(swf.schedule(taskList={"name": "other"}), name="list-0")
    swf.poll_activity("other")
    swf.client.terminate_workflow_execution(domain="domain", workflowId="w1")
    swf.poll_decision("nothing")
    names = {name for _, _, name in swf.emulator._state.lists}
    assert names == {"list-2", "list-3", "list-4"}


def test_the_highest_priority_comes_first_then_the_oldest(swf: Driver) -> None:
    swf.start()
    priorities = {"a": "1", "b": "-1", "c": "10", "d": "1"}
    swf.decide(
        swf.schedule("none"),
        *(swf.schedule(each, taskPriority=value) for each, value in priorities.items()),
    )
    assert [swf.work()["activityId"] for _ in range(5)] == ["c", "a", "d", "none", "b"]


def test_a_task_that_is_closed_while_it_waits_is_passed_over(swf: Driver) -> None:
    swf.start()
    swf.decide(swf.schedule("a", scheduleToStartTimeout="5"), swf.schedule("b"))
    swf.emulator.advance(5)
    assert swf.work()["activityId"] == "b"


def test_decisions_have_the_priority_of_their_execution(swf: Driver) -> None:
    for workflow_id, priority in (("low", "1"), ("high", "2")):
        swf.start(workflow_id, taskPriority=priority)
    order = [swf.poll_decision()["workflowExecution"]["workflowId"] for _ in range(2)]
    assert order == ["high", "low"]


@pytest.mark.parametrize("kind", ["decision", "activity"])
def test_a_task_that_arrives_ends_a_long_poll(make: Make, kind: str) -> None:
    swf = make(long_poll=60)
    if kind == "activity":
        swf.start()
        thread, found = in_thread(lambda: swf.poll_activity(identity="me"))
        assert wait_for_pollers(swf, 1) == [Poller("activity", "domain", "list", "me")]
        swf.decide(swf.schedule())
    else:
        thread, found = in_thread(lambda: swf.poll_decision(identity="me"))
        assert wait_for_pollers(swf, 1) == [Poller("decision", "domain", "list", "me")]
        swf.start()
    thread.join(60)
    assert found[0]["taskToken"]
    assert swf.emulator.pollers() == []


def test_a_long_poll_ends_when_its_time_is_over(make: Make) -> None:
    swf = make(long_poll=0.05)
    assert "taskToken" not in swf.poll_decision()


def test_a_stop_ends_held_polls_at_once(make: Make) -> None:
    swf = make(long_poll=3600)
    emulator = swf.emulator
    in_process, answers = in_thread(
        lambda: emulator.call(
            "PollForActivityTask", {"domain": "domain", "taskList": {"name": "l"}}
        )
    )
    over_http, more = in_thread(swf.poll_decision)
    wait_for_pollers(swf, 2)
    emulator._service.stop()
    in_process.join(60)
    over_http.join(60)
    assert answers == [{"startedEventId": 0}]
    assert "taskToken" not in more[0]


def raw_poll(swf: Driver) -> socket.socket:
    """Send a poll for a decision and leave without an answer being read."""
    host, port = swf.emulator.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    body = json.dumps({"domain": "domain", "taskList": {"name": "list"}, "identity": "lost"})
    connection.sendall(
        f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
        f"X-Amz-Target: SimpleWorkflowService.PollForDecisionTask\r\n\r\n{body}".encode()
    )
    return connection


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_a_poller_that_went_away_does_not_swallow_a_task(make: Make, how: str) -> None:
    swf = make(long_poll=60)
    lost = raw_poll(swf)
    if how == "reset":
        lost.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_for_pollers(swf, 1)
    thread, found = in_thread(lambda: swf.poll_decision(identity="present"))
    wait_for_pollers(swf, 2)
    lost.close()
    assert len(swf.emulator.pollers()) == 1
    swf.start()
    thread.join(60)
    assert found[0]["taskToken"]
    assert swf.last("DecisionTaskStarted")["identity"] == "present"


def test_a_task_waits_when_the_only_poller_went_away(make: Make) -> None:
    swf = make(long_poll=60)
    with contextlib.closing(raw_poll(swf)):
        wait_for_pollers(swf, 1)
    assert swf.emulator.pollers() == []
    swf.start()
    assert swf.poll_decision(identity="present")["taskToken"]


def test_a_poller_that_went_away_swallows_a_task_if_told_to(make: Make) -> None:
    swf = make(long_poll=60, lose_polls=True)
    with contextlib.closing(raw_poll(swf)):
        wait_for_pollers(swf, 1)
    assert swf.emulator.pollers() == []
    swf.start(taskStartToCloseTimeout="10")
    swf.emulator.wait_for(lambda: swf.types()[-1] == "DecisionTaskStarted")
    assert swf.last("DecisionTaskStarted")["identity"] == "lost"
    swf.emulator.advance(10)  # and the time-out brings it back
    assert swf.poll_decision()["taskToken"]


def test_a_list_has_so_many_pollers(make: Make) -> None:
    swf = make(long_poll=60, quotas=Quotas(pollers=1))
    thread, _ = in_thread(swf.poll_decision)
    wait_for_pollers(swf, 1)
    error = swf.fault("poll_for_decision_task", domain="domain", taskList={"name": "list"})
    assert error == ("LimitExceededFault", "a list has 1 pollers at most")
    swf.start()
    thread.join(60)


def pages(swf: Driver, **options: Any) -> list[Json]:
    """Take a decision task with all its pages."""
    found = [swf.poll_decision(**options)]
    while "nextPageToken" in found[-1]:
        token = found[-1]["nextPageToken"]
        found.append(swf.poll_decision(nextPageToken=token, **options))
    return found


def ids(answer: Json) -> list[int]:
    return [event["eventId"] for event in answer["events"]]


def test_a_decision_comes_in_pages_that_all_repeat_what_it_is(swf: Driver) -> None:
    run_id = swf.start()
    swf.decide()
    signal(swf, 5)
    answers = pages(swf, maximumPageSize=4)
    signal(swf)  # arrives meanwhile and is in no page
    assert [ids(answer) for answer in answers] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11]]
    for answer in answers:
        assert answer["startedEventId"] == 11
        assert answer["previousStartedEventId"] == 3
        assert answer["taskToken"] == answers[0]["taskToken"]
        assert answer["workflowExecution"] == {"workflowId": "w", "runId": run_id}
        assert answer["workflowType"] == {"name": "workflow", "version": "1"}
    assert swf.types()[-1] == "DecisionTaskScheduled"
    swf.respond(answers[0])


def test_a_decision_comes_in_reverse_if_asked(swf: Driver) -> None:
    swf.start()
    signal(swf, 5)
    answers = pages(swf, maximumPageSize=3, reverseOrder=True)
    assert [ids(answer) for answer in answers] == [[8, 7, 6], [5, 4, 3], [2, 1]]


@pytest.mark.parametrize("asked", [0, 1000])
def test_a_page_has_a_hundred_events_at_most(swf: Driver, asked: int) -> None:
    run_id = swf.start()
    signal(swf, 120)
    answers = pages(swf, maximumPageSize=asked)
    assert [len(answer["events"]) for answer in answers] == [100, 23]
    request: Json = {
        "domain": "domain",
        "execution": {"workflowId": "w", "runId": run_id},
        "maximumPageSize": asked,
    }
    history = swf.client.get_workflow_execution_history(**request)
    assert len(history["events"]) == 100
    token = history["nextPageToken"]
    rest = swf.client.get_workflow_execution_history(**request, nextPageToken=token)
    assert ids(history) + ids(rest) == list(range(1, 124))
    assert "nextPageToken" not in rest


def test_a_history_comes_in_reverse_pages(swf: Driver) -> None:
    run_id = swf.start()
    signal(swf, 3)
    paginator = swf.client.get_paginator("get_workflow_execution_history")
    found = paginator.paginate(
        domain="domain",
        execution={"workflowId": "w", "runId": run_id},
        reverseOrder=True,
        PaginationConfig={"PageSize": 2},
    )
    assert [ids(page) for page in found] == [[5, 4], [3, 2], [1]]


def test_a_decision_may_start_at_the_previous_one_inclusive_by_time(swf: Driver) -> None:
    swf.start()
    swf.emulator.advance(1)
    signal(swf)
    task = swf.poll_decision()  # event 4, in the same millisecond as the signal, event 3
    swf.emulator.advance(1)
    swf.respond(task)
    signal(swf)
    answer = swf.poll_decision(startAtPreviousStartedEvent=True)
    assert answer["previousStartedEventId"] == 4
    assert ids(answer) == [3, 4, 5, 6, 7, 8]


def test_the_first_decision_starts_at_the_beginning(swf: Driver) -> None:
    swf.start()
    assert ids(swf.poll_decision(startAtPreviousStartedEvent=True)) == [1, 2, 3]


def test_a_partial_decision_is_paged_too(swf: Driver) -> None:
    swf.start()
    swf.emulator.advance(1)
    swf.decide()
    swf.emulator.advance(1)
    signal(swf, 3)
    answers = pages(swf, startAtPreviousStartedEvent=True, maximumPageSize=2, reverseOrder=True)
    assert [ids(answer) for answer in answers] == [[9, 8], [7, 6], [5, 4], [3]]


def test_page_tokens_serve_their_own_purpose_for_a_day(swf: Driver) -> None:
    run_id = swf.start()
    signal(swf, 3)
    history: Json = {"domain": "domain", "execution": {"workflowId": "w", "runId": run_id}}
    poll: Json = {"domain": "domain", "taskList": {"name": "list"}}
    token = swf.client.get_workflow_execution_history(**history, maximumPageSize=1)["nextPageToken"]
    invalid = ("ValidationException", "Invalid token")
    assert swf.fault("poll_for_decision_task", **poll, nextPageToken=token) == invalid
    own = swf.poll_decision(maximumPageSize=1)["nextPageToken"]
    assert swf.fault("get_workflow_execution_history", **history, nextPageToken=own) == invalid
    swf.client.register_domain(name="other", workflowExecutionRetentionPeriodInDays="1")
    other = {**poll, "domain": "other"}
    assert swf.fault("poll_for_decision_task", **other, nextPageToken=own) == invalid
    swf.emulator.advance(24 * 3600 + 1)
    error = swf.fault("get_workflow_execution_history", **history, nextPageToken=token)
    assert error == ("ValidationException", "Specified token has exceeded its maximum lifetime")
