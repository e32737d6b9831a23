"""A boto3 client that talks to an emulator and to nothing else."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _loader() -> Any:
    # Reading the service model takes longer than a small test, so clients share what was read.
    import botocore.loaders

    return botocore.loaders.create_loader()


def make_client(url: str, **kwargs: Any) -> Any:
    """Make a client for the emulator at a URL. Needs no configuration and never retries."""
    import boto3.session
    import botocore.config
    import botocore.session

    # No profile, no configuration file: nothing of the machine may change what tests see.
    unset = (None, None, None, None)
    session = botocore.session.Session(
        session_vars={"profile": unset, "config_file": unset, "credentials_file": unset}
    )
    session.register_component("data_loader", _loader())
    config = botocore.config.Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=64,
        read_timeout=90,
        proxies={},
    )
    settings: dict[str, Any] = {
        "region_name": "us-east-1",
        "endpoint_url": url,
        "aws_access_key_id": "emulator",
        "aws_secret_access_key": "emulator",
    }
    if "config" in kwargs:
        config = config.merge(kwargs.pop("config"))
    return boto3.session.Session(botocore_session=session).client(
        "swf", config=config, **{**settings, **kwargs}
    )
