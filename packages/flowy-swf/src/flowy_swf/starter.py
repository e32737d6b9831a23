"""`SWFWorkflowStarter`: starts workflows by name, without their code."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from flowy_swf import checks
from flowy_swf.calls import Backoff, code_of, insist, pause
from flowy_swf.checks import Duration, present
from flowy_swf.client import as_client
from flowy_swf.config import TypeName, codec_of
from flowy_swf.handle import SWFWorkflowHandle, find_run, is_hopeless
from flowy_swf.payloads import PayloadStore, pack

#: for how many seconds starting is tried again
_PATIENCE = 10.0
#: how often an execution that must be there is looked for; lists lag behind
_LOOKS = 7


class WorkflowAlreadyStartedError(RuntimeError):
    """An execution with the same workflow id is open."""

    def __init__(
        self, domain: str, workflow_id: str, handle: SWFWorkflowHandle | None, unsure: bool = False
    ) -> None:
        super().__init__(domain, workflow_id, handle, unsure)
        self.domain = domain
        self.workflow_id = workflow_id
        #: the execution that is open, or None if it was not found
        self.handle = handle
        #: whether an attempt got no answer, so that it may be the one that was to be started
        self.unsure = unsure

    def __str__(self) -> str:
        text = (
            f"an execution with workflow id {self.workflow_id!r} is open in domain "
            f"{self.domain!r}, and there can be only one: wait for it, stop it, or use another id"
        )
        if self.unsure:
            text += "; an attempt to start it got no answer before, so this may be the one"
        return text


def SWFWorkflowStarter(  # noqa: N802 - its name since 2016
    domain: str,
    name: str,
    version: int | str,
    swf_client: Any = None,
    task_list: str | None = None,
    task_duration: Duration | None = None,
    workflow_duration: Duration | None = None,
    wid: str | None = None,
    tags: Iterable[str] | None = None,
    serialize_input: Callable[..., str] | None = None,
    child_policy: str | None = None,
    priority: int | None = None,
    lambda_role: str | None = None,
    payloads: PayloadStore | None = None,
    deserialize_result: Callable[[str], Any] | None = None,
) -> Callable[..., SWFWorkflowHandle]:
    """Return a function that starts executions of a workflow with the arguments it is called with.

    The function returns a `flowy_swf.handle.SWFWorkflowHandle`. What is None is left to the type's
    defaults. A call that fails for now is made again for some seconds, and starts nothing twice. If
    an execution with the same `wid` is open, the function raises WorkflowAlreadyStartedError, which
    has the handle of that one.

    Parameters
    ----------
    domain
        where to start them.
    name, version
        the workflow's type.
    swf_client
        a boto3 client; by default `SWFClient()`.
    task_list
        the list that deciders poll.
    task_duration
        how many seconds a decision may take, or `"NONE"`.
    workflow_duration
        how many seconds an execution may take.
    wid
        the workflow id, of which only one execution can be open; by default a new one each time.
    tags
        at most 5.
    serialize_input
        takes the arguments and returns a str; by default Flowy's JSON.
    child_policy, priority, lambda_role
        as in `SWFWorkflowConfig`.
    payloads
        where inputs go that the service does not take, and results are.
    deserialize_result
        takes the result's str and returns the value; by default Flowy's JSON.
    """
    attributes = present(
        domain=checks.name("domain", domain),
        workflowType=TypeName(checks.name("name", name), checks.version(version)).members,
        taskList=checks.task_list(task_list),
        taskStartToCloseTimeout=checks.duration("task_duration", task_duration),
        executionStartToCloseTimeout=checks.duration(
            "workflow_duration", workflow_duration, unlimited=False
        ),
        tagList=checks.tags(tags),
        childPolicy=checks.child_policy(child_policy),
        taskPriority=checks.priority(priority),
        lambdaRole=lambda_role,
    )
    codec = codec_of(payloads, serialize_input=serialize_input)

    def start(*args: Any, **kwargs: Any) -> SWFWorkflowHandle:
        client = as_client(swf_client)
        prepared, _ = codec.prepare_input(args, kwargs)
        workflow_id = str(uuid.uuid4()) if wid is None else wid
        input = pack(codec.fill(prepared), payloads)
        attempts = 0

        def attempt() -> str:
            nonlocal attempts
            attempts += 1
            started = client.start_workflow_execution(
                workflowId=workflow_id, input=input, **attributes
            )
            run_id: str = started["runId"]
            return run_id

        def handle(run_id: str) -> SWFWorkflowHandle:
            return SWFWorkflowHandle(
                domain, workflow_id, run_id, client, deserialize_result, payloads
            )

        try:
            return handle(insist(attempt, pause, _PATIENCE, final=is_hopeless))
        except Exception as exc:
            if code_of(exc) != "WorkflowExecutionAlreadyStartedFault":
                raise
            run_id = _find(client, domain, workflow_id)
            if wid is None and run_id is not None:
                # Nobody else has this id: an earlier attempt was cut after it had its effect.
                return handle(run_id)
            unsure = attempts > 1 or _was_repeated(exc)
            found = None if run_id is None else handle(run_id)
            raise WorkflowAlreadyStartedError(domain, workflow_id, found, unsure) from None

    return start


def _find(client: Any, domain: str, workflow_id: str) -> str | None:
    """Return the run id of an execution that must be there; None if it does not turn up."""
    backoff = Backoff()
    for _ in range(_LOOKS):
        run_id = insist(
            lambda: find_run(client, domain, workflow_id), pause, _PATIENCE, final=is_hopeless
        )
        if run_id is not None:
            return run_id
        pause(backoff.next())
    return None


def _was_repeated(exc: BaseException) -> bool:
    """Return whether the client made the call several times by itself."""
    metadata: dict[str, Any] = getattr(exc, "response", {}).get("ResponseMetadata", {})
    return bool(metadata.get("RetryAttempts"))
