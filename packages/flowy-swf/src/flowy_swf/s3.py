"""`S3Payloads`: payloads that Amazon SWF does not take, as objects in a bucket.

An object's name is the SHA-256 digest of its text. So what is written again, because a decision or
an answer was lost on its way, is the same object; and what is read is what was written, or refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections import OrderedDict
from functools import partial
from typing import Any

from flowy.serialization import PayloadError
from flowy_swf.calls import code_of
from flowy_swf.client import client_of
from flowy_swf.payloads import LARGEST, PayloadStoreError

#: how many bytes the key of an object may have
_LONGEST_KEY = 1024
#: how many characters of payloads a store remembers
_REMEMBERED = 32 * 1024 * 1024
#: for how many seconds an answer of the service is waited for
_READ_TIMEOUT = 30
#: how often an object is asked for when its answer breaks off
_ATTEMPTS = 3
_REFERENCE = re.compile(r"s3://([^/]+)/((?:.*/)?([0-9a-f]{64}))", re.DOTALL)


class S3Payloads:
    """Keeps payloads that are too long for Amazon SWF in a bucket of Amazon S3.

    Give the same bucket to everything that takes `payloads=`: the configurations of workflows and
    activities, and starters. It never deletes anything: the bucket needs a lifecycle rule that
    keeps objects for longer than any execution takes and is looked at afterwards.

    Parameters
    ----------
    bucket
        its name. Nothing is ever read from another one, whatever a payload says.
    prefix
        what the keys of new objects begin with, as a folder: `"flowy"` and `"flowy/"` are the same.
        Objects are read whatever their prefix is, so that it can change.
    client
        a boto3 client of S3; by default each process makes one at its first use.
    options
        what `boto3.client` takes, such as `region_name` and `endpoint_url`; and `profile_name`.
    """

    def __init__(self, bucket: str, prefix: str = "", client: Any = None, **options: Any) -> None:
        if not isinstance(bucket, str) or not bucket or re.search(r"[/:\s]", bucket):
            raise ValueError(
                f"bucket must be the name of a bucket alone, such as 'my-payloads', not {bucket!r}"
            )
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        if len(prefix.encode()) + hashlib.sha256().digest_size * 2 > _LONGEST_KEY:
            raise ValueError(f"prefix is too long for the key of an object: {prefix!r}")
        if client is not None and options:
            raise TypeError(
                f"client is ready, so it takes no options; leave out {', '.join(sorted(options))}"
            )
        self.bucket = bucket
        self.prefix = prefix
        self._given = client
        self._options = options
        self._client: Any = client
        # The process that made the client: its connections are no other's, and forks get a copy.
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, str] = OrderedDict()
        self._size = 0

    def __repr__(self) -> str:
        return f"S3Payloads({self.bucket!r}, {self.prefix!r})"

    def __reduce__(self) -> Any:
        return partial(S3Payloads, **self._options), (self.bucket, self.prefix, self._given)

    def put(self, text: str) -> str:
        """Write the text; return a reference to it.

        Raises
        ------
        PayloadStoreError
            it could not be written.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        data = text.encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(data).hexdigest()
        key = f"{self.prefix}{digest}"
        # Even when it is there already: that makes it young again for a lifecycle rule.
        try:
            self._made_client().put_object(
                Bucket=self.bucket, Key=key, Body=data, ContentType="text/plain; charset=utf-8"
            )
        except (BotoCoreError, ClientError) as exc:
            raise self._unreachable("written", key, exc) from exc
        self._remember(digest, text)
        return f"s3://{self.bucket}/{key}"

    def get(self, reference: str) -> str:
        """Return the text that a reference is of.

        Raises
        ------
        PayloadError
            it is no reference of this store, or the object is gone or is not what was written.
        PayloadStoreError
            it could not be read; it may be another time.
        """
        key, digest = self._parse(reference)
        with self._lock:
            text = self._remembered.get(digest)
            if text is not None:
                self._remembered.move_to_end(digest)
                return text
        data = self._read(key)
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            raise PayloadError(
                f"object {key!r} of bucket {self.bucket!r} is not what was written: its SHA-256 "
                f"digest is {found}; see who else writes to the bucket"
            )
        text = data.decode("utf-8", "surrogatepass")
        self._remember(digest, text)
        return text

    def _parse(self, reference: str) -> tuple[str, str]:
        """Return the key and the digest that a reference holds."""
        parts = _REFERENCE.fullmatch(reference)
        if parts is None:
            raise PayloadError(f"this refers to no payload in S3: {reference[:200]!r}")
        bucket, key, digest = parts.groups()
        if bucket != self.bucket:
            raise PayloadError(
                f"a payload is in bucket {bucket!r}, and only {self.bucket!r} is configured: read "
                "it with the payloads= that it was written with"
            )
        return key, digest

    def _read(self, key: str) -> bytes:
        from botocore.exceptions import BotoCoreError, ClientError

        attempts = 0
        while True:
            attempts += 1
            try:
                answer = self._made_client().get_object(Bucket=self.bucket, Key=key)
                if answer["ContentLength"] > LARGEST:
                    raise PayloadError(
                        f"object {key!r} of bucket {self.bucket!r} has {answer['ContentLength']} "
                        f"bytes, and no payload has more than {LARGEST}"
                    )
                data: bytes = answer["Body"].read()
                return data
            except ClientError as exc:
                if code_of(exc) == "NoSuchKey":
                    raise PayloadError(
                        f"bucket {self.bucket!r} has no object {key!r} any more: let its lifecycle "
                        "rule keep objects for longer than executions take"
                    ) from None
                raise self._unreachable("read", key, exc) from exc
            except BotoCoreError as exc:
                # boto3 repeats a request itself, but not one whose answer breaks off.
                if attempts == _ATTEMPTS:
                    raise self._unreachable("read", key, exc) from exc

    def _unreachable(self, done: str, key: str, exc: BaseException) -> PayloadStoreError:
        return PayloadStoreError(
            f"object {key!r} of bucket {self.bucket!r} could not be {done} ({exc}): check the "
            "bucket's name and region, and that the credentials allow s3:PutObject, s3:GetObject "
            "and s3:ListBucket, without which a missing object cannot be told from a forbidden one"
        )

    def _remember(self, digest: str, text: str) -> None:
        """Keep a text for the next decisions, which read the whole history again."""
        with self._lock:
            if digest in self._remembered or len(text) > _REMEMBERED:
                return
            self._remembered[digest] = text
            self._size += len(text)
            while self._size > _REMEMBERED:
                self._size -= len(self._remembered.popitem(last=False)[1])

    def _made_client(self) -> Any:
        with self._lock:
            if self._client is None or (self._given is None and self._owner != os.getpid()):
                self._client = client_of("s3", _READ_TIMEOUT, **self._options)
                self._owner = os.getpid()
            return self._client
