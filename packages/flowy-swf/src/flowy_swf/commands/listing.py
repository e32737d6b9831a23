"""`flowy swf list`: the executions of a domain."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from time import time as now
from typing import Any

from flowy.arguments import positive
from flowy_swf.commands.call import Call, add_command
from flowy_swf.commands.output import show_json, show_table
from flowy_swf.commands.pages import pages

#: how executions close, in the service's words
_STATUSES = ("COMPLETED", "FAILED", "CANCELED", "TERMINATED", "CONTINUED_AS_NEW", "TIMED_OUT")


def add(subcommands: Any) -> None:
    """Add the command."""
    listing = add_command(
        subcommands,
        "list",
        _list,
        "list executions, those that started last first",
        "Open ones, unless --closed or --status asks for others. One of the filters can be given.",
        json="print the executions as JSON",
    )
    listing.add_argument("--closed", action="store_true", help="list closed executions")
    filters = listing.add_mutually_exclusive_group()
    filters.add_argument(
        "--status", choices=_STATUSES, help="list executions that closed in this way"
    )
    filters.add_argument("--type", metavar="NAME[:VERSION]", help="list those of a workflow")
    filters.add_argument("--tag", metavar="TAG", help="list those with a tag")
    filters.add_argument("--workflow-id", metavar="ID", help="list those with a workflow id")
    listing.add_argument(
        "--days",
        metavar="N",
        type=positive,
        default=30,
        help="list those that started within the last N days (default: %(default)s)",
    )
    listing.add_argument(
        "--limit",
        metavar="N",
        type=positive,
        default=100,
        help="list at most N (default: %(default)s)",
    )


def _list(call: Call) -> int:
    arguments = call.arguments
    closed = arguments.closed or arguments.status is not None
    # Nothing is kept for so long, and no date is so far away.
    days = min(arguments.days, 10_000)
    oldest = dt.datetime.fromtimestamp(now() - days * 86_400, dt.timezone.utc)
    asked: dict[str, Any] = {"domain": call.domain, "startTimeFilter": {"oldestDate": oldest}}
    asked.update(_filter(call))
    operation = f"list_{'closed' if closed else 'open'}_workflow_executions"
    infos = pages(call.client, operation, "executionInfos", asked)
    found = list(islice(infos, arguments.limit + 1))
    more = len(found) > arguments.limit
    found = found[: arguments.limit]
    if call.json:
        show_json({"executionInfos": found})
    elif found:
        show_table(("workflow id", "type", "status", "started", "duration", "run id"), _rows(found))
    else:
        call.say(f"domain {call.domain!r} has no such executions")
    if more:
        call.say(f"there are more than {arguments.limit}: see --limit")
    return 0


def _filter(call: Call) -> dict[str, Any]:
    arguments = call.arguments
    if arguments.status is not None:
        return {"closeStatusFilter": {"status": arguments.status}}
    if arguments.type is not None:
        # Neither names nor versions hold colons.
        name, _, version = arguments.type.partition(":")
        return {"typeFilter": {"name": name, **({"version": version} if version else {})}}
    if arguments.tag is not None:
        return {"tagFilter": {"tag": arguments.tag}}
    if arguments.workflow_id is not None:
        return {"executionFilter": {"workflowId": arguments.workflow_id}}
    return {}


def _rows(found: list[Any]) -> list[tuple[str, ...]]:
    from flowy_swf.times import seconds, span, stamp

    rows: list[tuple[str, ...]] = []
    for info in found:
        started = seconds(info["startTimestamp"])
        ended = info.get("closeTimestamp", now())
        status = info.get("closeStatus", "OPEN")
        if info.get("cancelRequested") and status == "OPEN":
            status = "OPEN, CANCELLING"
        rows.append(
            (
                info["execution"]["workflowId"],
                " ".join(info["workflowType"][part] for part in ("name", "version")),
                status,
                stamp(started),
                span(seconds(ended) - started),
                info["execution"]["runId"],
            )
        )
    return rows
