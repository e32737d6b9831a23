"""`flowy swf show`: what an execution waits for, why it may be stuck, or how it ended."""

from __future__ import annotations

from time import time as now
from typing import TYPE_CHECKING, Any

from flowy_swf.commands.call import Call, add_command, add_execution
from flowy_swf.commands.output import show, show_json
from flowy_swf.commands.pages import events
from flowy_swf.commands.starting import handle_of

if TYPE_CHECKING:
    from flowy_swf.explain import Explanation, Facts
    from flowy_swf.survey import Survey


def add(subcommands: Any) -> None:
    """Add the command."""
    shown = add_command(
        subcommands,
        "show",
        _show,
        "say what an execution is waiting for and why it may be stuck, or how it ended",
        json="print what is said as JSON, with the facts behind it",
    )
    add_execution(shown)


def _show(call: Call) -> int:
    from flowy_swf.explain import explain
    from flowy_swf.survey import Survey

    execution = handle_of(call)
    survey = Survey(events(call, execution))
    facts = _facts(call, survey)
    explanation = explain(survey, facts, call.domain, now())
    if call.json:
        show_json(_as_json(call, execution, survey, explanation))
        return 0
    named = survey.about["workflowType"]
    show(
        f"{execution.workflow_id}, of {named['name']!r} version {named['version']!r}\n"
        f"run id {execution.run_id}\n\n{explanation.state}"
    )
    waits_for = "waits for" if survey.closing is None else "open when it closed"
    _show_list(waits_for, explanation.waits_for)
    _show_list("why it may be stuck", explanation.problems)
    _show_list("what went wrong on the way", explanation.troubles)
    if explanation.traceback:
        show(f"\nwhere it failed\n{explanation.traceback.rstrip()}")
    return 0


def _show_list(title: str, lines: list[str]) -> None:
    if lines:
        show(f"\n{title}\n" + "\n".join(f"- {line}" for line in lines))


def _facts(call: Call, survey: Survey) -> Facts:
    """Ask the service for what else is needed to explain an execution that is open."""
    from flowy_swf.calls import code_of
    from flowy_swf.explain import Facts, places, types

    if survey.closing is not None:
        return Facts()
    client = call.client
    pending = {}
    for place in places(survey):
        count = getattr(client, f"count_pending_{place.kind}_tasks")
        pending[place] = count(domain=call.domain, taskList={"name": place.name})["count"]
    found: dict[tuple[str, ...], str] = {}
    for kind, name, version in types(survey):
        describe = getattr(client, f"describe_{kind}_type")
        try:
            described = describe(
                domain=call.domain, **{f"{kind}Type": {"name": name, "version": version}}
            )
        except Exception as exc:
            if code_of(exc) != "UnknownResourceFault":
                raise
            found[kind, name, version] = "not registered any more"
            continue
        if described["typeInfo"]["status"] == "DEPRECATED":
            found[kind, name, version] = "deprecated"
    return Facts(pending, found)


def _as_json(call: Call, execution: Any, survey: Survey, explanation: Explanation) -> Any:
    closing = {}
    if survey.closing is not None:
        kind, about = survey.closing
        closing = {"closed": survey.closed, "closing": kind, **dict(about)}
    return {
        "domain": call.domain,
        "workflowId": execution.workflow_id,
        "runId": execution.run_id,
        "workflowType": survey.about["workflowType"],
        "started": survey.began,
        "cancelRequested": survey.cancel_requested,
        **closing,
        "state": explanation.state,
        "waitsFor": [
            {
                "kind": task.kind,
                "id": task.id,
                "type": list(task.type),
                "taskList": task.task_list,
                "scheduled": task.scheduled,
                "started": task.started,
                "identity": task.identity,
                "cancelRequested": task.cancelling,
                **task.limits,
            }
            for task in survey.open.values()
        ],
        "problems": explanation.problems,
        "troubles": [
            {
                "time": trouble.time,
                "id": trouble.id,
                "how": trouble.how,
                "type": trouble.failure.error_type,
                "message": trouble.failure.message,
            }
            for trouble in survey.troubles
        ],
    }
