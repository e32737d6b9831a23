"""`SWFWorkflowStarter`: starts workflows by name, without their code."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flowy_swf import checks
from flowy_swf.calls import insist
from flowy_swf.checks import Duration, present
from flowy_swf.client import as_client
from flowy_swf.config import TypeName, codec_of
from flowy_swf.payloads import PayloadStore, pack


@dataclass(frozen=True)
class WorkflowHandle:
    """An execution that was started."""

    client: Any
    domain: str
    workflow_id: str
    run_id: str


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
) -> Callable[..., WorkflowHandle]:
    """Return a function that starts executions of a workflow with the arguments it is called with.

    What is None is left to the type's defaults.

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
        where inputs go that the service does not take.
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

    def start(*args: Any, **kwargs: Any) -> WorkflowHandle:
        client = as_client(swf_client)
        prepared, _ = codec.prepare_input(args, kwargs)
        workflow_id = str(uuid.uuid4()) if wid is None else wid
        input = pack(codec.fill(prepared), payloads)
        started = insist(
            lambda: client.start_workflow_execution(
                workflowId=workflow_id, input=input, **attributes
            ),
            lambda _: True,
        )
        return WorkflowHandle(client, domain, workflow_id, started["runId"])

    return start
