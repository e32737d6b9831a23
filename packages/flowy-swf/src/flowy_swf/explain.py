"""What an execution is waiting for, and why it may be stuck, or how it ended: in words.

It looks at facts and calls nothing. Whether a worker is alive the service does not tell; what waits
for one too long does.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from flowy_swf.causes import PASSING, UNHANDLED, meaning
from flowy_swf.decider import LONG_HISTORY
from flowy_swf.failures import Failure, shortened
from flowy_swf.handle import CLOSINGS, termination
from flowy_swf.history import Json
from flowy_swf.survey import Open, Survey
from flowy_swf.times import span, stamp

#: From so many seconds on, something that should be quick is taken to be slow.
SLOW = 10.0
#: From so many seconds on, an activity without heartbeats may be lost.
LONG = 600.0
#: how many things of a kind are told one by one
_MOST = 20
_WIDEST = 500


class Place(NamedTuple):
    """A task list of a domain, for one kind of task."""

    #: `decision` or `activity`
    kind: str
    name: str


@dataclass(frozen=True)
class Facts:
    """What the service tells besides the history."""

    #: how many tasks wait, by task list
    pending: Mapping[Place, int] = field(default_factory=dict)
    #: types that are deprecated or not registered, as `kind name version`, and which of both
    types: Mapping[tuple[str, ...], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """An execution in words."""

    #: whether it is open or how it closed, and since when
    state: str
    #: what is open in it, a line each
    waits_for: list[str]
    #: why it may be stuck, a paragraph each
    problems: list[str]
    #: attempts that went wrong, a line each
    troubles: list[str]
    #: the traceback of where it failed
    traceback: str = ""


def places(survey: Survey) -> set[Place]:
    """Return the task lists on which something of the execution waits."""
    return {
        Place(task.kind, task.task_list)
        for task in survey.open.values()
        if task.kind in ("decision", "activity") and task.started is None
    }


def types(survey: Survey) -> set[tuple[str, ...]]:
    """Return the types that the execution still needs, as `kind, name, version`."""
    named = survey.about["workflowType"]
    return {("workflow", named["name"], named["version"])} | {
        ("activity", *task.type) for task in survey.open.values() if task.kind == "activity"
    }


def explain(survey: Survey, facts: Facts, domain: str, now: float) -> Explanation:
    """Explain an execution.

    Parameters
    ----------
    survey
        its history.
    facts
        what else the service tells, of what `places` and `types` name.
    domain
        where it is.
    now
        in seconds since 1970.
    """
    troubles = _cut(
        [
            f"{trouble.id} {trouble.how} {span(trouble.time - survey.began)} after the start"
            f"{_after_colon(_line(trouble.failure))}"
            for trouble in survey.troubles
        ]
    )
    if survey.closing is not None:
        kind, about = survey.closing
        failure = Failure("", "")
        if kind == "WorkflowExecutionFailed":
            failure = Failure.read(about.get("reason"), about.get("details"))
        waited_for = [_waits(task, survey.closed) for task in _tasks(survey)]
        state = _closed(survey, kind, about, failure)
        return Explanation(state, _cut(waited_for), [], troubles, failure.traceback)
    waits_for = [_waits(task, now) for task in _tasks(survey)]
    problems = [
        problem for find in _PROBLEMS for problem in find(_Case(survey, facts, domain, now))
    ]
    return Explanation(_open(survey, now), _cut(waits_for), problems, troubles)


def _tasks(survey: Survey) -> list[Open]:
    return sorted(survey.open.values(), key=lambda task: (_ORDER.index(task.kind), task.scheduled))


_ORDER = ("decision", "activity", "lambda", "child", "timer")


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST
    return lines if more <= 0 else [*lines[:_MOST], f"and {more} more"]


def _line(failure: Failure) -> str:
    return shortened(" ".join(failure.reason.split()), _WIDEST)


def _after_colon(text: str) -> str:
    return f": {text}" if text else ""


# --- states -------------------------------------------------------------------------------------


def _open(survey: Survey, now: float) -> str:
    state = f"open for {span(now - survey.began)}, since {stamp(survey.began)}"
    limit = survey.about.get("executionStartToCloseTimeout", "NONE")
    if limit != "NONE":
        state += f"; times out {_when(survey.began + int(limit), now)}"
    if survey.cancel_requested is not None:
        state += f"; was asked to cancel {span(now - survey.cancel_requested)} ago"
    return state


def _closed(survey: Survey, kind: str, about: Json, failure: Failure) -> str:
    took = span(survey.closed - survey.began)
    state = f"{CLOSINGS[kind]} after {took}, at {stamp(survey.closed)}"
    if kind == "WorkflowExecutionCompleted":
        return state + _after_colon(shortened(about.get("result", ""), _WIDEST))
    if kind == "WorkflowExecutionFailed":
        return state + _after_colon(_line(failure))
    if kind == "WorkflowExecutionTimedOut":
        limit = survey.about.get("executionStartToCloseTimeout", "NONE")
        return f"{state}: it may take {limit} s"
    if kind == "WorkflowExecutionTerminated":
        return state + _after_colon(termination(about))
    if kind == "WorkflowExecutionContinuedAsNew":
        return f"{state}: it goes on as run {about['newExecutionRunId']}"
    return state + _after_colon(shortened(about.get("details", ""), _WIDEST))


def _when(moment: float, now: float) -> str:
    return f"in {span(moment - now)}" if moment > now else "now"


# --- what is open -------------------------------------------------------------------------------


def _waits(task: Open, now: float) -> str:
    if task.kind == "timer":
        fires = task.scheduled + int(task.limits["startToFireTimeout"])
        if fires < now:
            return f"timer {task.id}: due since {stamp(fires)}"
        return f"timer {task.id}: fires in {span(fires - now)}, at {stamp(fires)}"
    what = " ".join(part for part in (task.kind, task.id) if part)
    if task.type:
        what += f", {_named(task.type)}"
    place = f" on task list {task.task_list!r}" if task.task_list else ""
    age = f"{span(now - task.scheduled)} ago"
    if task.started is None:
        state = f"scheduled {age}{place}, not started"
        limit = task.limits.get("scheduleToStartTimeout", "NONE")
        if limit != "NONE":
            state += f", times out {_when(task.scheduled + int(limit), now)}"
    elif task.kind == "child":
        state = f"started {span(now - task.started)} ago, run id {task.identity}"
    else:
        by = f" by {task.identity}" if task.identity else ""
        state = f"started {span(now - task.started)} ago{by}{place}"
    return f"{what}: {state}{', asked to cancel' if task.cancelling else ''}"


def _named(type_name: tuple[str, ...]) -> str:
    return " version ".join(map(repr, type_name))


# --- why it may be stuck ------------------------------------------------------------------------


class _Case(NamedTuple):
    survey: Survey
    facts: Facts
    domain: str
    now: float

    def tasks(self, kind: str) -> list[Open]:
        return [task for task in self.survey.open.values() if task.kind == kind]


def _nobody_polls(case: _Case) -> Iterator[str]:
    oldest: dict[Place, float] = {}
    for task in (*case.tasks("decision"), *case.tasks("activity")):
        if task.started is None and case.now - task.scheduled >= SLOW:
            place = Place(task.kind, task.task_list)
            oldest[place] = min(oldest.get(place, case.now), task.scheduled)
    for place, scheduled in sorted(oldest.items()):
        pending = case.facts.pending.get(place)
        count = "" if pending is None else f" ({_count(pending, 'task waits', 'tasks wait')} there)"
        what, option = _WORKERS[place.kind]
        yield (
            f"nobody has taken {what} from task list {place.name!r} for "
            f"{span(case.now - scheduled)}{count}: no worker polls it, or all are busy; start one "
            f"with `flowy swf worker MODULE {option} --domain {shlex.quote(case.domain)} "
            f"--task-list {shlex.quote(place.name)}`"
        )


_WORKERS = {"decision": ("a decision", "--workflows"), "activity": ("an activity", "--activities")}


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _decider_may_be_lost(case: _Case) -> Iterator[str]:
    for task in case.tasks("decision"):
        if task.started is None or case.now - task.started < SLOW:
            continue
        of_execution: str = case.survey.about.get("taskStartToCloseTimeout", "NONE")
        limit = task.limits.get("startToCloseTimeout", of_execution)
        text = (
            f"{task.identity or 'a decider'} has been deciding for {span(case.now - task.started)}"
        )
        if limit != "NONE":
            due = _when(task.started + int(limit), case.now)
            yield f"{text}; if it is lost, another decider gets the decision {due}"
            continue
        yield (
            f"{text}, and decisions of this execution have no time-out: if the decider is lost, "
            "nobody else ever gets the decision; terminate the execution and start it anew, with a "
            "default_decision_duration or a task_duration"
        )


def _decisions_time_out(case: _Case) -> Iterator[str]:
    times = case.survey.decisions_timed_out
    if times >= 2:
        named = case.survey.about["workflowType"]
        yield (
            f"the last {times} decisions timed out, most recently with "
            f"{case.survey.last_decider or 'a decider that gave no name'}: the worker does not "
            f"know {_named((named['name'], named['version']))}, its code does not repeat the "
            "history, it takes too long, or it dies; its log says which"
        )


def _refused(case: _Case) -> Iterator[str]:
    by_cause: dict[tuple[str, str], list[str]] = {}
    for refusal in case.survey.refusals:
        # What did not know of everything is decided again at once.
        if refusal.cause == UNHANDLED:
            continue
        by_cause.setdefault((refusal.what, refusal.cause), []).append(refusal.id)
    for (what, cause), ids in by_cause.items():
        which = f" for {ids[0]}" if ids[0] else ""
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        why = "it is tried again later" if cause in PASSING else meaning(cause)
        yield f"Amazon SWF refused {what}{which}{more} with {cause}: {why}"


def _types_are_not_in_use(case: _Case) -> Iterator[str]:
    for (kind, *type_name), status in sorted(case.facts.types.items()):
        yield (
            f"{kind} {_named(tuple(type_name))} is {status}: what is scheduled goes on, and "
            "nothing new of this type is scheduled or started"
        )


def _activity_may_be_lost(case: _Case) -> Iterator[str]:
    lost = [
        task
        for task in case.tasks("activity")
        if task.started is not None
        and case.now - task.started >= LONG
        and task.limits.get("heartbeatTimeout", "NONE") == "NONE"
    ]
    for task in lost[:_MOST]:
        assert task.started is not None
        limit = task.limits.get("startToCloseTimeout", "NONE")
        end = "ever" if limit == "NONE" else f"before {stamp(task.started + int(limit))}"
        yield (
            f"{task.identity or 'a worker'} has been working on {task.id} for "
            f"{span(case.now - task.started)}, and it has no heartbeat time-out: if the worker is "
            f"lost, nobody notices {end}"
        )


def _nothing_is_open(case: _Case) -> Iterator[str]:
    if not case.survey.open:
        yield (
            "nothing is open: the last decision decided nothing, and only a signal or a request to "
            "cancel brings about another one"
        )


def _history_is_long(case: _Case) -> Iterator[str]:
    if case.survey.length > LONG_HISTORY:
        yield (
            f"the history has {case.survey.length:,} events, and Amazon SWF terminates an "
            "execution at 25,000: let the workflow return flowy.restart(...) before that"
        )


_PROBLEMS = (
    _nobody_polls,
    _decider_may_be_lost,
    _decisions_time_out,
    _refused,
    _types_are_not_in_use,
    _activity_may_be_lost,
    _nothing_is_open,
    _history_is_long,
)
