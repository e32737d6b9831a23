from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
from typing import TYPE_CHECKING, Any

import botocore.config
import pytest
from tests.emulator.conftest import threads_of_emulators

from flowy_swf.emulator import Emulator
from flowy_swf.emulator.tasklists import Caller

if TYPE_CHECKING:
    from tests.emulator.conftest import Driver, Make

Json = dict[str, Any]
DESCRIBE = {"X-Amz-Target": "SimpleWorkflowService.DescribeDomain"}


def connect(swf: Driver) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(swf.emulator.url.removeprefix("http://"), timeout=60)


def post(connection: http.client.HTTPConnection, headers: Json, body: str) -> tuple[int, Json]:
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert answer.headers["x-amzn-RequestId"]
    return answer.status, json.loads(answer.read())


def test_a_connection_is_kept_for_further_requests_and_after_errors(swf: Driver) -> None:
    connection = connect(swf)
    connection.connect()
    sock = connection.sock
    assert post(connection, DESCRIBE, '{"name": "domain"}')[0] == 200
    status, body = post(connection, DESCRIBE, '{"name": "other"}')
    assert (status, body) == (
        400,
        {
            "__type": "com.amazonaws.swf.base.model#UnknownResourceFault",
            "message": "Unknown domain: other",
        },
    )
    assert post(connection, DESCRIBE, '{"name": "domain"}')[0] == 200
    assert connection.sock is sock
    connection.close()


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("SimpleWorkflowService.MakeCoffee", "UnknownOperationException"),
        ("DynamoDB_20120810.ListTables", "UnknownOperationException"),
        ("", "UnknownOperationException"),
    ],
)
def test_another_service_s_operation_is_unknown(swf: Driver, target: str, kind: str) -> None:
    connection = connect(swf)
    answer = post(connection, {"X-Amz-Target": target}, "{}")
    assert answer == (400, {"__type": f"com.amazon.coral.service#{kind}"})
    connection.close()


def test_names_that_are_made_up_are_counted_as_none(swf: Driver) -> None:
    connection = connect(swf)
    swf.emulator.clear_calls()
    for number in range(3):
        post(connection, {"X-Amz-Target": f"SimpleWorkflowService.Brew{number}"}, "{}")
    connection.close()
    assert {name: count.calls for name, count in swf.emulator.calls().items()} == {"": 3}


@pytest.mark.parametrize("method", ["GET", "PUT", "BREW"])
def test_only_posts_are_calls(swf: Driver, method: str) -> None:
    connection = connect(swf)
    connection.request(method, "/")
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (
        400,
        {"__type": "com.amazon.coral.service#UnknownOperationException"},
    )
    connection.close()


@pytest.mark.parametrize("length", [None, "x", "99999999", "9" * 5000])
def test_a_body_of_no_or_too_great_length_is_refused(swf: Driver, length: str | None) -> None:
    connection = connect(swf)
    connection.putrequest("POST", "/")
    connection.putheader("X-Amz-Target", DESCRIBE["X-Amz-Target"])
    if length is not None:
        connection.putheader("Content-Length", length)
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (
        400,
        {
            "__type": "com.amazon.coral.service#SerializationException",
            "message": "the body has no length, or too much of it",
        },
    )
    connection.close()


def test_a_body_may_wait_until_it_is_asked_for(swf: Driver) -> None:
    host, port = swf.emulator.url.removeprefix("http://").split(":")
    body = b'{"name": "domain"}'
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nX-Amz-Target: SimpleWorkflowService.DescribeDomain\r\n"
            b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body)
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_request_that_is_broken_off_is_forgotten(swf: Driver) -> None:
    host, port = swf.emulator.url.removeprefix("http://").split(":")
    for text in (b"", b"POST / HT", b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{"):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(100)
        # Half a body is no bad body: nothing is said of it.
        assert not (answer and text.endswith(b"{"))
    swf.client.describe_domain(name="domain")


def test_a_bug_of_the_emulator_is_an_internal_failure_without_a_trace(
    swf: Driver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from flowy_swf.emulator import service

    def broken(*_: Any) -> Json:
        raise ZeroDivisionError("secret")

    monkeypatch.setitem(service._OPERATIONS, "DescribeDomain", broken)
    with caplog.at_level(logging.ERROR):
        error = swf.fault("describe_domain", name="domain")
    message = "the emulator failed to carry out DescribeDomain; its log says why"
    assert error == ("InternalFailure", message)
    assert "secret" in caplog.text


def test_leaving_ends_everything_and_the_emulator_can_serve_again(make: Make) -> None:
    emulator = Emulator(clock="virtual", long_poll=3600)
    before = threads_of_emulators()
    with emulator.serve() as url:
        client = emulator.client()
        client.register_domain(name="domain", workflowExecutionRetentionPeriodInDays="1")
        request: Json = {"domain": "domain", "taskList": {"name": "list"}}
        found: list[Json] = []
        held = threading.Thread(
            target=lambda: found.append(emulator.client().poll_for_decision_task(**request))
        )
        held.start()
        idle = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        emulator.wait_for(lambda: len(emulator.pollers()) == 1)
        with pytest.raises(RuntimeError, match=f"the emulator is serving already, at {url}"):
            emulator.serve().__enter__()
    held.join(60)
    assert found[0]["startedEventId"] == 0
    assert threads_of_emulators() <= before
    idle.close()
    client.close()
    with emulator.serve(int(url.rpartition(":")[2])) as again:
        assert again == url
        client = emulator.client()
        assert client.describe_domain(name="domain")["domainInfo"]["name"] == "domain"
        client.close()


def test_a_client_that_does_not_read_does_not_hold_up_the_end(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowy_swf.emulator.http._PATIENCE", 0.01)
    emulator = Emulator(clock="virtual")
    called, call = threading.Event(), emulator._service.call

    def note(operation: str, request: Any, caller: Caller) -> Json:
        if operation == "ListWorkflowTypes":
            called.set()
        return call(operation, request, caller)

    monkeypatch.setattr(emulator._service, "call", note)
    with emulator.serve() as url:
        client = emulator.client()
        client.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
        for number in range(1000):
            client.register_workflow_type(
                domain="d", name=f"{number}", version="1", description="x" * 1024
            )
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        body = '{"domain": "d", "registrationStatus": "REGISTERED"}'
        request = (
            "POST / HTTP/1.1\r\nX-Amz-Target: SimpleWorkflowService.ListWorkflowTypes\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        connection.sendall(request.encode() * 8)
        assert called.wait(60)
        client.close()
    connection.close()


def test_a_client_may_be_made_differently(swf: Driver) -> None:
    config = botocore.config.Config(user_agent_extra="tests")
    client = swf.emulator.client(region_name="eu-west-1", config=config)
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.config.user_agent_extra == "tests"
    assert client.meta.config.retries["total_max_attempts"] == 1
    client.close()


def test_nothing_of_the_machine_changes_a_client(
    swf: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    client = swf.emulator.client()
    client.describe_domain(name="domain")
    client.close()
