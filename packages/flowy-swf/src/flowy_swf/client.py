"""A boto3 client for Amazon SWF. boto3 is imported when the first one is made."""

from __future__ import annotations

from typing import Any, Literal

#: Polls are held for 60 seconds; an answer that is not there after this many never comes.
READ_TIMEOUT = 70


def SWFClient(**kwargs: Any) -> Any:  # noqa: N802 - its name since 2016
    """Return a boto3 client of Amazon SWF that suits workers and deciders.

    It waits for a held poll to end, tries again after throttling and after errors of the network,
    and has connections for many threads. It makes no call by itself.

    Parameters
    ----------
    kwargs
        what `boto3.client` takes, such as `region_name`, `endpoint_url` or `aws_access_key_id`; and
        `profile_name`. A `config` is merged with the one that is made here, and wins.
    """
    return client_of("swf", READ_TIMEOUT, **kwargs)


def client_of(service: Literal["swf", "s3"], read_timeout: int, **options: Any) -> Any:
    """Return a boto3 client of a service, with connections for many threads and with retries.

    Parameters
    ----------
    service
        in boto3's words.
    read_timeout
        after how many seconds an answer that is not there never comes.
    options
        as `SWFClient` takes them.
    """
    import boto3.session
    import botocore.config

    config = botocore.config.Config(
        read_timeout=read_timeout,
        connect_timeout=10,
        tcp_keepalive=True,
        max_pool_connections=64,
        retries={"mode": "standard", "total_max_attempts": 5},
    )
    own = options.pop("config", None)
    if own is not None:
        config = config.merge(own)
    session = boto3.session.Session(profile_name=options.pop("profile_name", None))
    return session.client(service, config=config, **options)


def is_ready(client: Any) -> bool:
    """Return whether what was given is a client, and not a function that makes one."""
    # Mocks of clients can be called too.
    return not callable(client) or hasattr(client, "poll_for_decision_task")


def as_client(client: Any = None) -> Any:
    """Return a client.

    Parameters
    ----------
    client
        a client, a function that makes one, or None for one of the machine's own settings.
    """
    if client is None:
        return SWFClient()
    return client if is_ready(client) else client()
