"""Payloads in a bucket: against moto's server, and against answers that S3 seldom gives."""

from __future__ import annotations

import base64
import hashlib
import io
import pickle
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import IncompleteReadError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto.server import ThreadedMotoServer
from tests.swf.fleet import DOMAIN, activity_config, fleet, outcome, workflow_config
from tests.swf.histories import decide_over

from flowy.errors import TaskError
from flowy.serialization import JSON, PayloadError
from flowy_swf import s3
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.config import SWFWorkflowConfig
from flowy_swf.payloads import LIMIT, PayloadStoreError, pack, unpack
from flowy_swf.s3 import S3Payloads
from flowy_swf.starter import SWFWorkflowStarter
from flowy_swf.workflow_worker import SWFWorkflowWorker

CREDENTIALS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
TEXT = "some text, and \ud800, which no encoding has"
DATA = TEXT.encode("utf-8", "surrogatepass")
DIGEST = hashlib.sha256(DATA).hexdigest()
REMEDY = (
    "check the bucket's name and region, and that the credentials allow s3:PutObject, "
    "s3:GetObject and s3:ListBucket, without which a missing object cannot be told from a "
    "forbidden one"
)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(endpoint: str) -> Iterator[Any]:
    """Return a client of a service that holds the empty bucket `bucket` and no other."""
    client = boto3.client("s3", endpoint_url=endpoint, **CREDENTIALS)
    client.create_bucket(Bucket="bucket")
    yield client
    for name in keys(client):
        client.delete_object(Bucket="bucket", Key=name)
    client.delete_bucket(Bucket="bucket")
    client.close()


def keys(client: Any) -> list[str]:
    found = client.list_objects_v2(Bucket="bucket").get("Contents", ())
    return [each["Key"] for each in found]


@pytest.fixture
def stubbed() -> Iterator[tuple[S3Payloads, Stubber]]:
    """Return a store, and what answers its calls."""
    client = boto3.client("s3", **CREDENTIALS)
    with Stubber(client) as stubber:
        yield S3Payloads("bucket", client=client), stubber
        stubber.assert_no_pending_responses()
    client.close()


def answer(data: bytes, length: int | None = None) -> dict[str, Any]:
    return {
        "Body": StreamingBody(io.BytesIO(data), len(data)),
        "ContentLength": len(data) if length is None else length,
    }


@pytest.mark.parametrize(
    ("prefix", "key"), [("", DIGEST), ("a/b", f"a/b/{DIGEST}"), ("a/", f"a/{DIGEST}")]
)
def test_a_text_is_an_object_named_after_what_it_holds(client: Any, prefix: str, key: str) -> None:
    assert S3Payloads("bucket", prefix, client).put(TEXT) == f"s3://bucket/{key}"
    assert keys(client) == [key]
    assert client.get_object(Bucket="bucket", Key=key)["Body"].read() == DATA


def test_another_process_reads_it_whatever_its_prefix(client: Any) -> None:
    reference = S3Payloads("bucket", "one", client).put(TEXT)
    assert S3Payloads("bucket", "other", client).get(reference) == TEXT


def test_the_same_text_written_again_is_the_same_object_and_written_anew(client: Any) -> None:
    store = S3Payloads("bucket", client=client)
    reference = store.put(TEXT)
    client.put_object(Bucket="bucket", Key=DIGEST, Body=b"damaged")
    assert store.put(TEXT) == reference
    assert keys(client) == [DIGEST]
    assert client.get_object(Bucket="bucket", Key=DIGEST)["Body"].read() == DATA


def test_what_was_read_or_written_is_not_read_again(client: Any) -> None:
    writer, reader = S3Payloads("bucket", client=client), S3Payloads("bucket", client=client)
    reference = writer.put(TEXT)
    assert reader.get(reference) == TEXT
    client.delete_object(Bucket="bucket", Key=DIGEST)
    assert [writer.get(reference), reader.get(reference)] == [TEXT, TEXT]


def test_what_was_not_used_for_longest_is_forgotten_first(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_REMEMBERED", 10)
    store = S3Payloads("bucket", client=client)
    one, two = store.put("11111"), store.put("22222")
    store.get(one)
    three, long = store.put("33333"), store.put("4" * 11)
    for key in keys(client):
        client.delete_object(Bucket="bucket", Key=key)
    assert [store.get(one), store.get(three)] == ["11111", "33333"]
    for forgotten in (two, long):
        with pytest.raises(PayloadError):
            store.get(forgotten)


def test_an_object_that_is_gone_is_told_with_the_remedy(client: Any) -> None:
    with pytest.raises(PayloadError) as caught:
        S3Payloads("bucket", client=client).get(f"s3://bucket/p/{DIGEST}")
    assert str(caught.value) == (
        f"bucket 'bucket' has no object 'p/{DIGEST}' any more: let its lifecycle rule keep objects "
        "for longer than executions take"
    )


def test_an_object_that_holds_something_else_is_refused(client: Any) -> None:
    client.put_object(Bucket="bucket", Key=DIGEST, Body=b"something else")
    with pytest.raises(PayloadError) as caught:
        S3Payloads("bucket", client=client).get(f"s3://bucket/{DIGEST}")
    digest = hashlib.sha256(b"something else").hexdigest()
    assert str(caught.value) == (
        f"object '{DIGEST}' of bucket 'bucket' is not what was written: its SHA-256 digest is "
        f"{digest}; see who else writes to the bucket"
    )


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            f"s3://secrets/{DIGEST}",
            "a payload is in bucket 'secrets', and only 'bucket' is configured: read it with the "
            "payloads= that it was written with",
        ),
        ("s3://bucket/passwords", "this refers to no payload in S3: 's3://bucket/passwords'"),
        (f"bucket/{DIGEST}", f"this refers to no payload in S3: 'bucket/{DIGEST}'"),
        ("", "this refers to no payload in S3: ''"),
    ],
)
def test_nothing_is_fetched_that_is_no_payload_of_this_bucket(
    stubbed: tuple[S3Payloads, Stubber], reference: str, message: str
) -> None:
    store, _ = stubbed
    with pytest.raises(PayloadError) as caught:
        store.get(reference)
    assert str(caught.value) == message


def test_an_object_of_monstrous_size_is_not_read(stubbed: tuple[S3Payloads, Stubber]) -> None:
    store, stubber = stubbed
    stubber.add_response("get_object", answer(b"", 2**40))
    with pytest.raises(PayloadError) as caught:
        store.get(f"s3://bucket/{DIGEST}")
    assert str(caught.value) == (
        f"object '{DIGEST}' of bucket 'bucket' has 1099511627776 bytes, and no payload has more "
        "than 268435456"
    )


class BrokenOff(io.BytesIO):
    """An answer whose connection breaks off."""

    def read(self, size: int | None = None) -> bytes:
        raise IncompleteReadError(actual_bytes=1, expected_bytes=2)


def broken_off() -> dict[str, Any]:
    return {"Body": BrokenOff(), "ContentLength": 2}


def test_an_answer_that_breaks_off_is_asked_for_again(stubbed: tuple[S3Payloads, Stubber]) -> None:
    store, stubber = stubbed
    for response in (broken_off(), broken_off(), answer(DATA)):
        stubber.add_response("get_object", response)
    assert store.get(f"s3://bucket/{DIGEST}") == TEXT


def test_an_answer_that_always_breaks_off_is_no_fault_of_the_payload(
    stubbed: tuple[S3Payloads, Stubber],
) -> None:
    store, stubber = stubbed
    for _ in range(3):
        stubber.add_response("get_object", broken_off())
    with pytest.raises(PayloadStoreError) as caught:
        store.get(f"s3://bucket/{DIGEST}")
    assert str(caught.value) == (
        f"object '{DIGEST}' of bucket 'bucket' could not be read (1 read, but total bytes expected "
        f"is 2.): {REMEDY}"
    )


@pytest.mark.parametrize(
    ("operation", "done", "use"),
    [
        ("GetObject", "read", lambda store: store.get(f"s3://bucket/{DIGEST}")),
        ("PutObject", "written", lambda store: store.put(TEXT)),
    ],
)
def test_what_s3_refuses_is_no_fault_of_the_payload(
    stubbed: tuple[S3Payloads, Stubber], operation: str, done: str, use: Any
) -> None:
    store, stubber = stubbed
    method = {"GetObject": "get_object", "PutObject": "put_object"}[operation]
    stubber.add_client_error(method, "AccessDenied", "Access Denied", 403)
    with pytest.raises(PayloadStoreError) as caught:
        use(store)
    assert str(caught.value) == (
        f"object '{DIGEST}' of bucket 'bucket' could not be {done} (An error occurred "
        f"(AccessDenied) when calling the {operation} operation: Access Denied): {REMEDY}"
    )


def test_a_client_is_made_of_the_options_at_the_first_use(client: Any, endpoint: str) -> None:
    store = S3Payloads("bucket", endpoint_url=endpoint, **CREDENTIALS)
    assert unpack(pack("x", store), store) == "x"
    assert store._client is None
    reference = store.put(TEXT)
    assert S3Payloads("bucket", client=client).get(reference) == TEXT
    store._made_client().close()


def test_another_process_makes_a_client_of_its_own(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = S3Payloads("bucket", endpoint_url=endpoint, **CREDENTIALS)
    own = store._made_client()
    assert store._made_client() is own
    # As after a fork.
    monkeypatch.setattr("os.getpid", lambda: -1)
    other = store._made_client()
    assert other is not own
    assert store._made_client() is other
    given = S3Payloads("bucket", client=own)
    monkeypatch.setattr("os.getpid", lambda: -2)
    assert given._made_client() is own
    own.close()
    other.close()


def test_a_store_can_be_sent_to_another_process(client: Any, endpoint: str) -> None:
    store = S3Payloads("bucket", "a", endpoint_url=endpoint, **CREDENTIALS)
    reference = store.put(TEXT)
    sent = pickle.loads(pickle.dumps(store))
    assert repr(sent) == "S3Payloads('bucket', 'a/')"
    assert sent.get(reference) == TEXT
    store._made_client().close()
    sent._made_client().close()


def test_a_config_of_ones_own_is_merged_and_wins(endpoint: str) -> None:
    from botocore.config import Config

    store = S3Payloads(
        "bucket", endpoint_url=endpoint, config=Config(read_timeout=7), **CREDENTIALS
    )
    config = store._made_client().meta.config
    assert (config.read_timeout, config.connect_timeout) == (7, 10)
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}
    store._made_client().close()


@pytest.mark.parametrize(
    ("bucket", "options", "error", "message"),
    [
        (
            "s3://bucket/prefix",
            {},
            ValueError,
            "bucket must be the name of a bucket alone, such as 'my-payloads', not "
            "'s3://bucket/prefix'",
        ),
        (
            "",
            {},
            ValueError,
            "bucket must be the name of a bucket alone, such as 'my-payloads', not ''",
        ),
        (
            None,
            {},
            ValueError,
            "bucket must be the name of a bucket alone, such as 'my-payloads', not None",
        ),
        (
            "bucket",
            {"prefix": "é" * 480},
            ValueError,
            f"prefix is too long for the key of an object: '{'é' * 480}/'",
        ),
        (
            "bucket",
            {"client": object(), "region_name": "x", "endpoint_url": "y"},
            TypeError,
            "client is ready, so it takes no options; leave out endpoint_url, region_name",
        ),
    ],
)
def test_a_store_refuses(bucket: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        S3Payloads(bucket, **options)
    assert str(caught.value) == message


def test_a_store_says_where_it_is() -> None:
    assert repr(S3Payloads("bucket", "a")) == "S3Payloads('bucket', 'a/')"


def test_a_store_imports_boto3_when_it_is_used() -> None:
    code = (
        "import sys; from flowy_swf.s3 import S3Payloads; S3Payloads('bucket', region_name='x'); "
        "print({'boto3', 'botocore'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("set()\n", "")


# --- with the engine ------------------------------------------------------------------------------

NOISE = base64.b64encode(random.Random(2).randbytes(60_000)).decode()


def test_a_repeated_decision_writes_the_same_object(client: Any) -> None:
    config = SWFWorkflowConfig(payloads=S3Payloads("bucket", client=client))
    config.conf_activity("a", 1)
    first = decide_over(lambda a: lambda: a(NOISE), config)
    assert decide_over(lambda a: lambda: a(NOISE), config) == first
    assert len(keys(client)) == 1


def test_no_more_is_written_than_is_scheduled(client: Any) -> None:
    config = SWFWorkflowConfig(rate_limit=2, payloads=S3Payloads("bucket", client=client))
    config.conf_activity("a", 1)
    decide_over(lambda a: lambda: [a(n, NOISE) for n in range(9)], config)
    assert len(keys(client)) == 2


def test_a_store_that_does_not_answer_fails_the_decision_and_not_the_workflow(
    stubbed: tuple[S3Payloads, Stubber],
) -> None:
    store, stubber = stubbed
    stubber.add_client_error("put_object", "SlowDown")
    config = SWFWorkflowConfig(payloads=store)
    with pytest.raises(PayloadStoreError):
        decide_over(lambda: lambda: NOISE, config)
    stubber.add_client_error("get_object", "SlowDown")
    with pytest.raises(PayloadStoreError):
        decide_over(lambda: lambda x: x, config, input=f'{{" s3": "s3://bucket/{DIGEST}"}}')


def test_large_inputs_and_results_go_through_the_bucket_everywhere(
    client: Any, endpoint: str
) -> None:
    def store() -> S3Payloads:
        return S3Payloads("bucket", "payloads", client)

    def double(text: str) -> str:
        return text + text

    class Workflow:
        def __init__(self, double: Any, child: Any) -> None:
            self.double = double
            self.child = child

        def __call__(self, text: str) -> Any:
            return [self.double(text), self.child(self.double(text))]

    def child() -> Any:
        return lambda text: text[: len(text) // 2]

    decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
    config = workflow_config(payloads=store())
    config.conf_activity("double", 1)
    config.conf_workflow("child", 1)
    decider.register(config, Workflow, name="workflow")
    decider.register(workflow_config(payloads=store()), child, name="child")
    worker.register(activity_config(payloads=store()), double)
    with fleet() as running:
        running.serve(decider)
        running.serve(worker)
        start = SWFWorkflowStarter(DOMAIN, "workflow", 1, running.client, payloads=store())
        workflow_id = start(NOISE).workflow_id
        last = running.end(workflow_id)
        events = running.emulator.history(workflow_id)
    assert last["eventType"] == "WorkflowExecutionCompleted"
    packed = last["workflowExecutionCompletedEventAttributes"]["result"]
    assert JSON.load_value(unpack(packed, store())) == [NOISE * 2, NOISE]
    sizes = [
        len(value)
        for event in events
        for attributes in event.values()
        if isinstance(attributes, dict)
        for name, value in attributes.items()
        if name in ("input", "result")
    ]
    assert max(sizes) < 200 < LIMIT
    # Inputs of the workflow and of the activity, of the child, and three results: the text itself
    # is the same payload as an input of both, so it is there once.
    assert len(keys(client)) == 5


def test_without_a_bucket_the_task_fails_with_the_remedy() -> None:
    def noise() -> str:
        return NOISE

    with fleet() as running:
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        config = workflow_config()
        config.conf_activity("noise", 1)
        decider.register(config, lambda noise: lambda: noise(), name="workflow")
        worker.register(activity_config(), noise)
        running.serve(decider)
        running.serve(worker)
        workflow_id = running.start("workflow")
        with pytest.raises(TaskError) as caught:
            outcome(running.end(workflow_id))
    message = caught.value.message
    assert message.startswith("noise-0-0 failed: PayloadTooLargeError: the payload has 80002 ")
    assert message.endswith(
        "when compressed, and Amazon SWF takes 32768: pass a reference to the data instead, or "
        "configure payloads=S3Payloads(bucket, prefix)"
    )


def test_several_threads_share_a_store(client: Any) -> None:
    store = S3Payloads("bucket", client=client)
    found: list[str] = []

    def use(number: int) -> None:
        found.append(store.get(store.put(str(number % 3))))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted("012" * 4)
    assert store._size == 3
