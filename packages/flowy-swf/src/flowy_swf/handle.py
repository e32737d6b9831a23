"""`SWFWorkflowHandle`: an execution seen from outside, to wait for, to signal and to stop.

An execution that continues as new (`flowy.restart`) goes on as another run with the same workflow
id. A handle follows it from run to run, and never takes an execution that somebody else started
with that id later for its own.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flowy.errors import TaskCancelled, TaskError, TaskTimedout
from flowy_swf import checks
from flowy_swf.calls import code_of, insist, is_final, pause
from flowy_swf.checks import present
from flowy_swf.client import as_client
from flowy_swf.config import codec_of
from flowy_swf.failures import Failure
from flowy_swf.history import NO_RESULT, Json
from flowy_swf.payloads import PayloadStore, pack, unpack

T = TypeVar("T")
#: The service is not older than this, so no execution is.
EVER = dt.datetime(2012, 2, 22, tzinfo=dt.timezone.utc)
#: how an execution closed, by the type of its last event, in words
CLOSINGS = {
    "WorkflowExecutionCompleted": "completed",
    "WorkflowExecutionFailed": "failed",
    "WorkflowExecutionTimedOut": "timed out",
    "WorkflowExecutionCanceled": "was cancelled",
    "WorkflowExecutionTerminated": "was terminated",
    "WorkflowExecutionContinuedAsNew": "continued as new",
}
#: what the cause of a termination means; the message of one by an operator says enough
TERMINATIONS = {
    "CHILD_POLICY_APPLIED": "its parent closed, and its child policy says to terminate it",
    "EVENT_LIMIT_EXCEEDED": "its history reached the limit of 25,000 events: let the workflow "
    "return flowy.restart(...) before that",
}
#: what the service answers to credentials that it does not take
REFUSED_CREDENTIALS = frozenset(
    {
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
#: between two looks at an execution, in seconds
_SHORTEST, _LONGEST = 0.1, 10.0
#: How many seconds an execution that was just started may be unknown: what the service says of
#: executions is consistent in the end, not at once.
_NEWS = 5.0
#: for how many seconds looking at an execution may fail before waiting for it fails
_OUTAGE = 300.0


class UnknownExecutionError(LookupError):
    """A domain knows no execution with a workflow id."""

    def __init__(self, domain: str, workflow_id: str) -> None:
        super().__init__(domain, workflow_id)
        self.domain = domain
        self.workflow_id = workflow_id

    def __str__(self) -> str:
        return (
            f"domain {self.domain!r} knows no execution with workflow id {self.workflow_id!r}: "
            "check the id; a closed execution is forgotten after the domain's retention period"
        )


class ExecutionClosedError(LookupError):
    """An execution has closed, and takes no signals and requests any more."""

    def __init__(self, workflow_id: str, run_id: str, closing: str) -> None:
        super().__init__(workflow_id, run_id, closing)
        self.workflow_id = workflow_id
        self.run_id = run_id
        #: the type of its last event
        self.closing = closing

    def __str__(self) -> str:
        return (
            f"workflow id {self.workflow_id!r}, run id {self.run_id!r} is not open any more: it "
            f"{CLOSINGS[self.closing]}"
        )


class SWFWorkflowHandle:
    """An execution, open or closed. Making a handle makes no call.

    Parameters
    ----------
    domain
        where it is.
    workflow_id, run_id
        its ids. `SWFWorkflowHandle.latest` finds the run.
    swf_client
        a boto3 client; by default `SWFClient()`.
    deserialize_result
        takes the result's str and returns the value; by default Flowy's JSON.
    payloads
        where payloads are that the service did not take.
    """

    def __init__(
        self,
        domain: str,
        workflow_id: str,
        run_id: str,
        swf_client: Any = None,
        deserialize_result: Callable[[str], Any] | None = None,
        payloads: PayloadStore | None = None,
    ) -> None:
        #: where the execution is
        self.domain = checks.name("domain", domain)
        #: the workflow id, which all runs of the execution have
        self.workflow_id = workflow_id
        #: the run that was started, or that the handle was made for
        self.run_id = run_id
        self._client = as_client(swf_client)
        self._codec = codec_of(payloads, deserialize_result=deserialize_result)
        self._payloads = payloads
        # The last run that is known.
        self._latest = run_id

    @classmethod
    def latest(
        cls,
        domain: str,
        workflow_id: str,
        swf_client: Any = None,
        deserialize_result: Callable[[str], Any] | None = None,
        payloads: PayloadStore | None = None,
    ) -> SWFWorkflowHandle:
        """Return a handle of the open execution with a workflow id, or else of the latest one.

        Raises
        ------
        UnknownExecutionError
            there is none.
        """
        client = as_client(swf_client)
        run_id = find_run(client, checks.name("domain", domain), workflow_id)
        if run_id is None:
            raise UnknownExecutionError(domain, workflow_id)
        return cls(domain, workflow_id, run_id, client, deserialize_result, payloads)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} of workflow id {self.workflow_id!r}, run id {self.run_id!r}, "
            f"in domain {self.domain!r}>"
        )

    def result(self, timeout: float | None = None) -> Any:
        """Wait until the execution has closed, and return its result.

        Parameters
        ----------
        timeout
            for how many seconds to wait at most; by default until it has closed.

        Raises
        ------
        TaskError
            it failed or was terminated; TaskTimedout and TaskCancelled if it timed out or was
            cancelled.
        TimeoutError
            it has not closed in time. It goes on, and can be waited for again.
        """
        event = self._last_event(_Waiting(timeout, self.workflow_id))
        kind = event["eventType"]
        about = attributes(event)
        if kind == "WorkflowExecutionCompleted":
            return self._codec.load_value(unpack(about.get("result", NO_RESULT), self._payloads))
        raise _error(kind, about, self.workflow_id)

    def payload(self, timeout: float | None = None) -> str:
        """Wait as `result` does; return the result's text as the workflow wrote it, unpacked."""
        event = self._last_event(_Waiting(timeout, self.workflow_id))
        if event["eventType"] != "WorkflowExecutionCompleted":
            raise _error(event["eventType"], attributes(event), self.workflow_id)
        return unpack(attributes(event).get("result", NO_RESULT), self._payloads)

    def signal(self, name: str, input: Any = None) -> None:
        """Send a signal. When a call is cut and repeated by the client, it may arrive twice.

        Parameters
        ----------
        name
            of the signal.
        input
            a value that goes with it, as Flowy's JSON; by default none.

        Raises
        ------
        ExecutionClosedError
            the execution is not open.
        """
        given = None if input is None else pack(self._codec.dump_value(input), self._payloads)
        self._ask("signal_workflow_execution", signalName=name, **present(input=given))

    def cancel(self) -> None:
        """Ask the execution to cancel, which is its decider's business; wait for nothing.

        Raises
        ------
        ExecutionClosedError
            the execution is not open.
        """
        self._ask("request_cancel_workflow_execution")

    def terminate(self, reason: str | None = None, child_policy: str | None = None) -> None:
        """Close the execution at once, whatever is open in it. If it is terminated, do nothing.

        Parameters
        ----------
        reason
            for people, at most 256 characters.
        child_policy
            what becomes of its children: `"TERMINATE"`, `"REQUEST_CANCEL"` or `"ABANDON"`; by
            default what was configured when it was started.

        Raises
        ------
        ExecutionClosedError
            the execution is not open.
        """
        given = present(reason=reason, childPolicy=checks.child_policy(child_policy))
        try:
            self._ask("terminate_workflow_execution", **given)
        except ExecutionClosedError as exc:
            # The client may have repeated a call whose answer was lost.
            if exc.closing != "WorkflowExecutionTerminated":
                raise

    def _ask(self, operation: str, **members: Any) -> None:
        while True:
            try:
                getattr(self._client, operation)(
                    domain=self.domain, workflowId=self.workflow_id, runId=self._latest, **members
                )
                return
            except Exception as exc:
                if code_of(exc) != "UnknownResourceFault":
                    raise
                event = self._event_at_the_end()
                kind = event["eventType"]
                if kind not in CLOSINGS:
                    raise
            if not self._follow(event):
                raise ExecutionClosedError(self.workflow_id, self._latest, kind) from None

    def _follow(self, event: Json) -> bool:
        """Go on to the next run, if that is how this one ended."""
        if event["eventType"] != "WorkflowExecutionContinuedAsNew":
            return False
        self._latest = attributes(event)["newExecutionRunId"]
        return True

    def _last_event(self, waiting: _Waiting) -> Json:
        """Wait until the last run has closed; return its last event."""
        while True:
            if _patiently(lambda: self._has_closed(waiting), waiting):
                event = _patiently(self._event_at_the_end, waiting)
                if self._follow(event):
                    continue
                if event["eventType"] in CLOSINGS:
                    return event
            waiting.pause()

    def _has_closed(self, waiting: _Waiting) -> bool:
        try:
            described = self._client.describe_workflow_execution(
                domain=self.domain, execution=self._execution
            )
        except Exception as exc:
            if code_of(exc) == "UnknownResourceFault" and waiting.elapsed < _NEWS:
                return False
            raise
        return bool(described["executionInfo"]["executionStatus"] == "CLOSED")

    def _event_at_the_end(self) -> Json:
        page = self._client.get_workflow_execution_history(
            domain=self.domain, execution=self._execution, reverseOrder=True, maximumPageSize=1
        )
        event: Json = page["events"][0]
        return event

    @property
    def _execution(self) -> dict[str, str]:
        return {"workflowId": self.workflow_id, "runId": self._latest}


class _Waiting:
    """How long somebody has been waiting for an execution, and may go on to."""

    def __init__(self, timeout: float | None, workflow_id: str) -> None:
        self._timeout = timeout
        self._workflow_id = workflow_id
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """How many seconds it has been."""
        return time.monotonic() - self._began

    @property
    def _left(self) -> float:
        return float("inf") if self._timeout is None else self._timeout - self.elapsed

    @property
    def patience(self) -> float:
        """For how many seconds a call that fails may be repeated."""
        return min(_OUTAGE, self._left)

    def pause(self) -> None:
        """Wait before the next look, about a tenth of the time that it has been."""
        if self._left <= 0:
            raise TimeoutError(
                f"workflow id {self._workflow_id!r} has not closed within {self._timeout:g} s; it "
                "goes on"
            )
        pause(min(_LONGEST, _SHORTEST + self.elapsed / 10, self._left))


def _patiently(call: Callable[[], T], waiting: _Waiting) -> T:
    return insist(call, pause, waiting.patience, final=is_hopeless)


def is_hopeless(exc: Exception) -> bool:
    """Return whether a call fails whenever it is made, for all that somebody who waits can know.

    Workers are more patient: credentials can be mended while they wait.
    """
    from botocore.exceptions import BotoCoreError, ConnectionError, HTTPClientError

    if isinstance(exc, BotoCoreError):
        return not isinstance(exc, (ConnectionError, HTTPClientError))
    return is_final(exc) or code_of(exc) in REFUSED_CREDENTIALS


def find_run(client: Any, domain: str, workflow_id: str) -> str | None:
    """Return the run id of the open execution with an id, or else of the latest; None if none."""
    asked: dict[str, Any] = {
        "domain": domain,
        "executionFilter": {"workflowId": workflow_id},
        "startTimeFilter": {"oldestDate": EVER},
    }
    for look in (client.list_open_workflow_executions, client.list_closed_workflow_executions):
        for info in look(**asked)["executionInfos"]:
            # Not every service that is like Amazon's filters closed executions.
            if info["execution"]["workflowId"] == workflow_id:
                run_id: str = info["execution"]["runId"]
                return run_id
    return None


def attributes(event: Json) -> Json:
    """Return the attributes of an event."""
    kind: str = event["eventType"]
    found: Json = event.get(f"{kind[0].lower()}{kind[1:]}EventAttributes", {})
    return found


def _error(kind: str, about: Json, workflow_id: str) -> TaskError:
    """Return the error that an execution closed with."""
    if kind == "WorkflowExecutionFailed":
        failure = Failure.read(about.get("reason"), about.get("details"))
        return TaskError(
            failure.message,
            call=workflow_id,
            error_type=failure.error_type,
            traceback=failure.traceback,
        )
    if kind == "WorkflowExecutionTimedOut":
        limit = about.get("timeoutType", "START_TO_CLOSE")
        return TaskTimedout(f"passed its {limit} limit", call=workflow_id)
    if kind == "WorkflowExecutionCanceled":
        return TaskCancelled(about.get("details", ""), call=workflow_id)
    return TaskError(termination(about), call=workflow_id, error_type="Terminated")


def termination(about: Json) -> str:
    """Return why an execution was terminated, in words."""
    said = ": ".join(about[member] for member in ("reason", "details") if about.get(member))
    return TERMINATIONS.get(about.get("cause", "")) or said or "somebody terminated it"
