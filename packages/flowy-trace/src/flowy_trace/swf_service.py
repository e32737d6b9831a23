"""Traces of executions that Amazon SWF knows, read from the service."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from flowy.engine_api import ExecutionInfo
from flowy.events import CallId
from flowy_trace.describe import printable
from flowy_trace.model import Trace
from flowy_trace.recorder import Recorder
from flowy_trace.swf import Json, Reading, attributes

#: how many events the service puts on a page at most
_PAGE = 1000


def read(domain: str, workflow_id: str, run_id: str | None = None, client: Any = None) -> Trace:
    """Read the trace of an execution; see `Trace.from_swf`."""
    service = _Service(make_client() if client is None else client, domain)
    first = service.first_run(workflow_id, run_id or service.latest_run(workflow_id))
    recorder = Recorder(engine="swf", run=printable(f"{workflow_id} {first}"))
    queue = deque([_Run(workflow_id, first)])
    while queue:
        run = queue.popleft()
        try:
            reading = Reading(recorder, service.history(run.workflow_id, run.run_id), run.info)
        except LookupError:
            if run == _Run(workflow_id, first):
                raise
            # The service keeps it no more. The parent, or the run before, says that it was there.
            continue
        if reading.continued:
            queue.append(run.restarted(reading.continued))
        elif run.parent is None and reading.ended is not None:
            recorder.run_ended(reading.ended)
        queue.extend(
            _Run(child.workflow_id, child.run_id, reading.info, child.call)
            for child in reading.children
        )
    trace = recorder.trace(time.time())
    began = sorted(trace.executions, key=lambda execution: execution.started)
    return dataclasses.replace(trace, executions=tuple(began))


def explain(exc: Exception) -> str | None:
    """Return what to tell of an error of the service; None if it is none that can be expected."""
    from flowy_swf.commands.errors import told

    return told(exc)


def make_client(**options: Any) -> Any:
    """Return a client of Amazon SWF, as the commands of flowy-swf make theirs.

    Parameters
    ----------
    options
        `endpoint_url`, `region_name` and `profile_name`, as far as they are given.

    Raises
    ------
    ImportError
        flowy-swf is not installed, or boto3 is not.
    """
    try:
        from flowy_swf.client import SWFClient
        from flowy_swf.commands.call import client_settings

        return SWFClient(**client_settings(**options))
    except ModuleNotFoundError as exc:
        if str(exc.name).partition(".")[0] not in ("flowy_swf", "boto3", "botocore"):
            raise
        raise ImportError(
            "reading from Amazon SWF needs flowy-swf, which brings boto3: "
            "python -m pip install flowy-swf",
            name=exc.name,
        ) from None


class _Run(NamedTuple):
    """An execution to be read."""

    workflow_id: str
    run_id: str
    parent: ExecutionInfo | None = None
    call: CallId | None = None
    restarts: int = 0

    def info(self, workflow: str) -> ExecutionInfo:
        """Return what the trace calls it."""
        if self.parent is None or self.call is None:
            return ExecutionInfo.root(workflow, self.restarts)
        return self.parent.child(self.call, workflow, self.restarts)

    def restarted(self, run_id: str) -> _Run:
        """Return the execution that it continued as."""
        return self._replace(run_id=run_id, restarts=self.restarts + 1)


class _Service:
    """What the service is asked.

    Parameters
    ----------
    client
        a boto3 client.
    domain
        where the executions are.
    """

    def __init__(self, client: Any, domain: str) -> None:
        self._client = client
        self._domain = domain

    def latest_run(self, workflow_id: str) -> str:
        """Return the run id of the open execution, or else of the last; raise LookupError."""
        for operation in ("list_open_workflow_executions", "list_closed_workflow_executions"):
            pages = self._pages(
                operation,
                startTimeFilter={"oldestDate": 0},
                executionFilter={"workflowId": workflow_id},
            )
            # A page may be empty although there is another one. The first is the latest.
            for page in pages:
                for found in page["executionInfos"]:
                    run_id: str = found["execution"]["runId"]
                    return run_id
        raise LookupError(
            f"domain {self._domain!r} has no execution with workflow id {workflow_id!r}: none was "
            "started, or only just now, or the service keeps it no more"
        )

    def first_run(self, workflow_id: str, run_id: str) -> str:
        """Return the run id of the beginning of a chain of restarts, as far as it is kept."""
        first = run_id
        while True:
            try:
                event = next(self.history(workflow_id, run_id, 1))
            except LookupError:
                if run_id == first:
                    raise
                return first
            first = run_id
            run_id = attributes(event).get("continuedExecutionRunId", "")
            if not run_id:
                return first

    def history(self, workflow_id: str, run_id: str, page_size: int = _PAGE) -> Iterator[Json]:
        """Yield the events of an execution; raise LookupError if it is not known."""
        pages = self._pages(
            "get_workflow_execution_history",
            execution={"workflowId": workflow_id, "runId": run_id},
            maximumPageSize=page_size,
        )
        for page in pages:
            yield from page["events"]

    def _pages(self, operation: str, **request: Any) -> Iterator[Any]:
        while True:
            try:
                page = getattr(self._client, operation)(domain=self._domain, **request)
            except Exception as exc:
                # Without botocore, whose error this is.
                error = getattr(exc, "response", {}).get("Error", {})
                if error.get("Code") != "UnknownResourceFault":
                    raise
                raise LookupError(
                    f"Amazon SWF does not know it, or keeps it no more: {error.get('Message')}"
                ) from exc
            yield page
            if not page.get("nextPageToken"):
                return
            request["nextPageToken"] = page["nextPageToken"]
