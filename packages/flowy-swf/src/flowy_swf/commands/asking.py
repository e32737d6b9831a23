"""`flowy swf signal`, `cancel` and `terminate`: what can be asked of an open execution."""

from __future__ import annotations

from typing import Any

from flowy.arguments import value
from flowy_swf.checks import CHILD_POLICIES
from flowy_swf.commands.call import Call, add_command, add_execution
from flowy_swf.commands.output import show, show_json
from flowy_swf.commands.starting import handle_of


def add(subcommands: Any) -> None:
    """Add the commands."""
    signal = add_command(
        subcommands,
        "signal",
        _signal,
        "send an execution a signal",
        "INPUT is JSON, or else a string.",
        json="print the ids as JSON",
    )
    add_execution(signal)
    signal.add_argument("name", metavar="NAME", help="of the signal")
    signal.add_argument("input", metavar="INPUT", nargs="?", help="a value that goes with it")
    cancel = add_command(
        subcommands,
        "cancel",
        _cancel,
        "ask an execution to cancel",
        "It closes when its tasks have ended. A decider has to be there for it.",
        json="print the ids as JSON",
    )
    add_execution(cancel)
    terminate = add_command(
        subcommands,
        "terminate",
        _terminate,
        "close an execution at once, whatever is open in it",
        json="print the ids as JSON",
    )
    add_execution(terminate)
    terminate.add_argument("--reason", metavar="TEXT", help="for people")
    terminate.add_argument(
        "--child-policy",
        choices=CHILD_POLICIES,
        help="what becomes of its children; by default what was configured",
    )


def _signal(call: Call) -> int:
    execution = handle_of(call)
    given = call.arguments.input
    execution.signal(call.arguments.name, None if given is None else value(given))
    return _show(call, execution, f"sent signal {call.arguments.name!r} to")


def _cancel(call: Call) -> int:
    execution = handle_of(call)
    execution.cancel()
    return _show(call, execution, "asked to cancel:")


def _terminate(call: Call) -> int:
    execution = handle_of(call)
    execution.terminate(call.arguments.reason, call.arguments.child_policy)
    return _show(call, execution, "terminated")


def _show(call: Call, execution: Any, done: str) -> int:
    if call.json:
        show_json({"workflowId": execution.workflow_id, "runId": execution.run_id})
    else:
        show(f"{done} workflow id {execution.workflow_id}, run id {execution.run_id}")
    return 0
