"""`flowy swf start` and `flowy swf result`: starting an execution, and what became of it."""

from __future__ import annotations

import json
import shlex
from typing import Any

from flowy.arguments import add_workflow_arguments, duration, workflow_arguments
from flowy_swf.checks import CHILD_POLICIES
from flowy_swf.commands.call import Call, add_command, add_execution
from flowy_swf.commands.output import show, show_json


def add(subcommands: Any) -> None:
    """Add the commands."""
    start = add_command(
        subcommands,
        "start",
        _start,
        "start an execution of a workflow",
        "ARG and VALUE are JSON, or else strings. What an option leaves open is left to what is "
        "registered. With --wait its result is printed, and its ids go to stderr.",
        json="print the ids, or the result, as JSON",
    )
    start.add_argument("name", metavar="NAME", help="the workflow's name")
    start.add_argument("version", metavar="VERSION", help="the workflow's version")
    add_workflow_arguments(start)
    start.add_argument(
        "--workflow-id",
        metavar="ID",
        help="only one execution of an id is open; by default a new id",
    )
    start.add_argument("--task-list", metavar="NAME", help="the task list that deciders poll")
    start.add_argument(
        "--task-duration", metavar="SECONDS", help="how long a decision may take, or NONE"
    )
    start.add_argument(
        "--workflow-duration", metavar="SECONDS", help="how long the execution may take"
    )
    start.add_argument("--child-policy", choices=CHILD_POLICIES, help="what becomes of children")
    start.add_argument("--priority", metavar="N", type=int, help="of its decision tasks")
    start.add_argument("--lambda-role", metavar="ARN", help="the role for AWS Lambda functions")
    start.add_argument(
        "--tag", metavar="TAG", action="append", help="a tag; may be repeated, up to 5 times"
    )
    start.add_argument(
        "--wait", action="store_true", help="wait until it has closed, and print its result"
    )
    result = add_command(
        subcommands,
        "result",
        _result,
        "wait until an execution has closed, and print its result",
        "It is printed as Python writes it. Restarts are followed.",
        json="print the result as JSON",
    )
    add_execution(result)
    for parser in (start, result):
        parser.add_argument(
            "--timeout", metavar="SECONDS", type=duration, help="how long to wait at most"
        )
        parser.add_argument(
            "--payloads",
            metavar="BUCKET[/PREFIX]",
            help="where in S3 payloads are that Amazon SWF does not take",
        )


def _start(call: Call) -> int:
    from flowy_swf.payloads import PayloadTooLargeError
    from flowy_swf.starter import SWFWorkflowStarter

    arguments = call.arguments
    store = _store(call)
    if arguments.timeout is not None and not arguments.wait:
        call.fail("--timeout is for --wait")
    client = call.client
    try:
        start = SWFWorkflowStarter(
            call.domain,
            arguments.name,
            arguments.version,
            client,
            task_list=arguments.task_list,
            task_duration=arguments.task_duration,
            workflow_duration=arguments.workflow_duration,
            wid=arguments.workflow_id,
            tags=arguments.tag,
            child_policy=arguments.child_policy,
            priority=arguments.priority,
            lambda_role=arguments.lambda_role,
            payloads=store,
        )
    except ValueError as exc:
        call.fail(str(exc))
    try:
        args, kwargs = workflow_arguments(arguments)
        execution = start(*args, **kwargs)
    except PayloadTooLargeError as exc:
        call.fail(str(exc).replace("payloads=S3Payloads(bucket, prefix)", "--payloads"))
    if arguments.wait:
        call.say(f"started workflow id {execution.workflow_id}, run id {execution.run_id}")
        return _wait(call, execution)
    if call.json:
        show_json({"workflowId": execution.workflow_id, "runId": execution.run_id})
    else:
        show(f"workflow id  {execution.workflow_id}\nrun id       {execution.run_id}")
    return 0


def _result(call: Call) -> int:
    return _wait(call, handle_of(call, _store(call)))


def handle_of(call: Call, store: Any = None) -> Any:
    """Return a handle of the execution that the command line names."""
    from flowy_swf.handle import SWFWorkflowHandle

    arguments = call.arguments
    if arguments.run_id is None:
        return SWFWorkflowHandle.latest(
            call.domain, arguments.workflow_id, call.client, payloads=store
        )
    return SWFWorkflowHandle(
        call.domain, arguments.workflow_id, arguments.run_id, call.client, payloads=store
    )


def _wait(call: Call, execution: Any) -> int:
    timeout = call.arguments.timeout
    try:
        if not call.json:
            show(repr(execution.result(timeout)))
            return 0
        text = execution.payload(timeout)
    except KeyboardInterrupt:
        call.say(
            f"the execution goes on; `flowy swf result {shlex.quote(execution.workflow_id)}` waits "
            "for it again"
        )
        raise
    show_json(_parsed(text))
    return 0


def _parsed(text: str) -> Any:
    """Return the JSON value of a result; a result of another form is a string."""
    try:
        found = json.loads(text)
        # Python reads more than JSON, such as `NaN` and `1e999`, and deeper than it writes.
        json.dumps(found, indent=2, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return found


def _store(call: Call) -> Any:
    place = call.arguments.payloads
    if place is None:
        return None
    from flowy_swf.s3 import S3Payloads

    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    options = {
        name: given
        for name, given in (
            ("region_name", call.arguments.region),
            ("profile_name", call.arguments.profile),
        )
        if given is not None
    }
    try:
        return S3Payloads(bucket, prefix, **options)
    except ValueError as exc:
        call.fail(f"--payloads: {exc}")
