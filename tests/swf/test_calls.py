"""Calls that are made again, and the client that makes them."""

from __future__ import annotations

from typing import Any

import botocore.config
import botocore.exceptions
import pytest

from flowy_swf import calls
from flowy_swf.calls import Backoff, code_of, insist, is_final
from flowy_swf.client import READ_TIMEOUT, SWFClient, as_client


def error(code: str) -> botocore.exceptions.ClientError:
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": "m"}}, "Operation")


@pytest.mark.parametrize(
    ("exc", "final"),
    [
        (error("UnknownResourceFault"), True),
        (error("ValidationException"), True),
        (error("OperationNotPermittedFault"), True),
        (botocore.exceptions.ParamValidationError(report="no"), True),
        (error("ThrottlingException"), False),
        (error("InternalFailure"), False),
        (error("LimitExceededFault"), False),
        (error("SomethingNew"), False),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="u"), False),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="u"), False),
        (ConnectionResetError(), False),
    ],
)
def test_some_errors_are_met_again_and_others_pass(exc: Exception, final: bool) -> None:
    assert is_final(exc) is final


def test_an_error_has_a_code_if_the_service_gave_it_one() -> None:
    assert code_of(error("X")) == "X"
    assert code_of(ValueError()) == ""


class Flaky:
    """Fails so many times before it succeeds."""

    def __init__(self, times: int, exc: Exception) -> None:
        self.calls = 0
        self._times = times
        self._exc = exc

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self._times:
            raise self._exc
        return self.calls


class Waits:
    """Notes for how long to wait, and waits no time."""

    def __init__(self, patience: int = 100) -> None:
        self.seconds: list[float] = []
        self._patience = patience

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) >= self._patience


def test_a_call_is_made_until_it_succeeds(caplog: pytest.LogCaptureFixture) -> None:
    flaky, waits = Flaky(3, error("ThrottlingException")), Waits()
    assert insist(flaky, waits) == 4
    assert len(waits.seconds) == 3
    assert caplog.messages[0] == (
        "a call failed (ClientError: An error occurred (ThrottlingException) when calling the "
        f"Operation operation: m); it is made again in {waits.seconds[0]:.1f} s"
    )


def test_a_call_that_cannot_succeed_is_made_once() -> None:
    flaky, waits = Flaky(1, error("UnknownResourceFault")), Waits()
    with pytest.raises(botocore.exceptions.ClientError):
        insist(flaky, waits)
    assert (flaky.calls, waits.seconds) == (1, [])


def test_a_call_is_given_up_when_there_is_no_time_for_more() -> None:
    flaky = Flaky(9, error("ThrottlingException"))
    with pytest.raises(botocore.exceptions.ClientError):
        insist(flaky, Waits(patience=2))
    assert flaky.calls == 2
    with pytest.raises(botocore.exceptions.ClientError):
        insist(flaky, Waits(), longest=0)
    assert flaky.calls == 3


def test_waits_grow_with_jitter_up_to_a_minute() -> None:
    backoff = Backoff()
    delays = [backoff.next() for _ in range(40)]
    for times, delay in enumerate(delays):
        longest = min(calls.LONGEST_DELAY, calls.FIRST_DELAY * 2**times)
        assert longest / 2 <= delay <= longest
    backoff.reset()
    assert backoff.next() <= calls.FIRST_DELAY


def client(**kwargs: Any) -> Any:
    return SWFClient(
        region_name="eu-west-1", aws_access_key_id="key", aws_secret_access_key="secret", **kwargs
    )


def test_the_client_waits_for_polls_and_tries_again() -> None:
    config = client().meta.config
    assert config.read_timeout == READ_TIMEOUT == 70
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}
    assert client().meta.region_name == "eu-west-1"


def test_the_client_takes_what_boto3_takes() -> None:
    own = botocore.config.Config(read_timeout=99, user_agent_extra="mine")
    made = client(endpoint_url="http://localhost:1", config=own)
    assert made.meta.endpoint_url == "http://localhost:1"
    assert made.meta.config.read_timeout == 99
    assert made.meta.config.max_pool_connections == 64


def test_the_client_takes_a_profile() -> None:
    with pytest.raises(botocore.exceptions.ProfileNotFound):
        client(profile_name="there is no such profile")


def test_a_ready_client_serves_and_without_one_the_machines_settings_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    ready = object()
    assert as_client(ready) is ready
    assert as_client().meta.region_name == "us-west-2"
