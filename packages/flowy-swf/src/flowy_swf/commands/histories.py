"""`flowy swf history`: the events of an execution."""

from __future__ import annotations

from typing import Any

from flowy_swf.commands.call import Call, add_command, add_execution
from flowy_swf.commands.output import show, show_json
from flowy_swf.commands.pages import events
from flowy_swf.commands.starting import handle_of

_WIDEST = 60
#: what is shown of an event first
_FIRST = ("activityId", "id", "timerId", "signalName", "markerName", "workflowId", "workflowType")
#: how members of events end that are not shown
_SAYS_LITTLE = ("EventId", "Timeout", "childPolicy", "control")
#: members of events that lead to other events
_LINKS = ("scheduledEventId", "initiatedEventId", "startedEventId")


def add(subcommands: Any) -> None:
    """Add the command."""
    history = add_command(
        subcommands,
        "history",
        _history,
        "print the events of an execution",
        json="print them as GetWorkflowExecutionHistory answers; `flowy trace` draws that",
    )
    add_execution(history)


def _history(call: Call) -> int:
    happened = events(call, handle_of(call))
    if call.json:
        # A page at a time would be no JSON before the end either.
        show_json({"events": list(happened)})
        return 0
    from flowy_swf.handle import attributes
    from flowy_swf.times import seconds, stamp

    began = 0.0
    ids: dict[int, str] = {}
    for event in happened:
        moment, about = seconds(event["eventTimestamp"]), attributes(event)
        if not began:
            began = moment
            show(f"{'event':>7}  {'seconds':>10}  since {stamp(began)}")
        words = _words(about, ids)
        ids[event["eventId"]] = next((about[key] for key in _FIRST[:3] if about.get(key)), "")
        line = f"{event['eventId']:7}  {moment - began:10.3f}  {event['eventType']}"
        show(f"{line}  {words}" if words else line)
    return 0


def _words(about: Any, ids: dict[int, str]) -> str:
    """Return the attributes of an event that say something, what it is about first."""
    words = []
    if not any(key in about for key in _FIRST):
        words += [ids[about[key]] for key in _LINKS if ids.get(about.get(key))]
    keys = sorted(about, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    for key in keys:
        if not key.endswith(_SAYS_LITTLE) or key == "startToFireTimeout":
            words.append(f"{key}={_value(about[key])}")
    return " ".join(words)


def _value(value: Any) -> str:
    from flowy_swf.failures import shortened

    if isinstance(value, dict):
        # A type, a task list or an execution.
        return ":".join(str(part) for part in value.values())
    if isinstance(value, list):
        return ",".join(map(str, value))
    return shortened(" ".join(str(value).split()), _WIDEST)
