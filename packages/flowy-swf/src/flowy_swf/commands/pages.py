"""What the service tells in pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowy_swf.commands.call import Call


def pages(client: Any, operation: str, member: str, asked: dict[str, Any]) -> Iterator[Any]:
    """Yield what an operation tells, from all its pages."""
    token: dict[str, Any] = {}
    while True:
        page = getattr(client, operation)(**asked, **token)
        yield from page[member]
        if not page.get("nextPageToken"):
            return
        token = {"nextPageToken": page["nextPageToken"]}


def events(call: Call, execution: Any) -> Iterator[Any]:
    """Yield the events of the execution that a handle is of."""
    asked = {
        "domain": call.domain,
        "execution": {"workflowId": execution.workflow_id, "runId": execution.run_id},
    }
    return pages(call.client, "get_workflow_execution_history", "events", asked)
