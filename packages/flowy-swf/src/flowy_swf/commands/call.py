"""What the commands that talk to Amazon SWF have in common: options, a client, a way to fail."""

from __future__ import annotations

import argparse
import functools
import logging
import os
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flowy.cli import CommandParser
from flowy_swf import checks

#: the environment variable that names the domain
DOMAIN = "FLOWY_SWF_DOMAIN"
#: What serves on this machine is no Amazon SWF, and takes any credentials and region.
_MADE_UP = {
    "region_name": "us-east-1",
    "aws_access_key_id": "none",
    "aws_secret_access_key": "none",
}
_HERE = ("localhost", "127.0.0.1", "::1")


class Call:
    """A command as it was called.

    Parameters
    ----------
    parser
        of the command.
    namespace
        its arguments.
    """

    def __init__(self, parser: CommandParser, namespace: argparse.Namespace) -> None:
        self.fail = parser.fail
        self.prog = parser.prog
        self.arguments = namespace
        #: whether to print for machines
        self.json: bool = namespace.json
        domain = namespace.domain or os.environ.get(DOMAIN)
        if not domain:
            parser.fail(f"no domain: give --domain NAME, or set {DOMAIN}")
        try:
            self.domain = checks.name("domain", domain)
        except ValueError as exc:
            parser.fail(str(exc))

    @property
    def settings(self) -> dict[str, Any]:
        """What a boto3 client is made with."""
        arguments = self.arguments
        return client_settings(arguments.endpoint_url, arguments.region, arguments.profile)

    @property
    def make_client(self) -> Callable[[], Any]:
        """What makes a client; it can be sent to other processes."""
        from flowy_swf.client import SWFClient

        return functools.partial(SWFClient, **self.settings)

    @functools.cached_property
    def client(self) -> Any:
        """A client of Amazon SWF."""
        try:
            return self.make_client()
        except ValueError as exc:
            # What boto3 says of an endpoint that is no URL.
            self.fail(str(exc))

    def say(self, text: str) -> None:
        """Print something that is not the result."""
        print(f"{self.prog}: {text}", file=sys.stderr, flush=True)


def client_settings(
    endpoint_url: str | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
) -> dict[str, Any]:
    """Return what a boto3 client is made with, from what a command was given.

    For an endpoint on this machine, region and credentials are made up where there are none.
    """
    given = {
        "endpoint_url": endpoint_url,
        "region_name": region_name,
        "profile_name": profile_name,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_SWF")
    if _is_here(url) and not _has_credentials(settings):
        settings = {**_MADE_UP, **settings}
    return settings


def add_command(
    subcommands: Any,
    name: str,
    run: Callable[[Call], int],
    summary: str,
    description: str = "",
    *,
    json: str,
) -> Any:
    """Add a command with the options that all have; return its parser.

    Parameters
    ----------
    subcommands
        where to add it.
    name
        what it is called.
    run
        carries it out and returns the exit status.
    summary
        a line on it, without a full stop.
    description
        what else is to be said.
    json
        what `--json` does.
    """
    parser = subcommands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}. {description}".strip(),
        intermixed=True,
    )
    parser.set_defaults(run=functools.partial(_run, parser, run))
    common = parser.add_argument_group("options of all these commands")
    common.add_argument(
        "--domain", metavar="NAME", help=f"the domain; by default what {DOMAIN} says"
    )
    common.add_argument("--endpoint-url", metavar="URL", help="of another service than Amazon's")
    common.add_argument("--region", metavar="NAME", help="the region, such as eu-west-1")
    common.add_argument("--profile", metavar="NAME", help="the profile of AWS to take")
    common.add_argument("--json", action="store_true", help=json)
    return parser


def add_execution(parser: Any) -> None:
    """Add the arguments that name an execution."""
    parser.add_argument("workflow_id", metavar="WORKFLOW_ID", help="the execution's workflow id")
    parser.add_argument(
        "--run-id", metavar="ID", help="by default the open run's, or else the latest one's"
    )


def _run(parser: CommandParser, run: Callable[[Call], int], namespace: argparse.Namespace) -> int:
    call = Call(parser, namespace)
    # Calls that are made again are no news to whoever waits for this one to end.
    logging.getLogger("flowy.swf").addHandler(logging.NullHandler())
    try:
        return run(call)
    except Exception as exc:
        from flowy_swf.commands.errors import told

        text = told(exc)
        if text is None:
            raise
        print(f"{parser.prog}: error: {text}", file=sys.stderr)
        return 1


def _is_here(url: str | None) -> bool:
    try:
        return urlsplit(url or "").hostname in _HERE
    except ValueError:
        return False


def _has_credentials(settings: dict[str, Any]) -> bool:
    return "profile_name" in settings or any(
        os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE")
    )
