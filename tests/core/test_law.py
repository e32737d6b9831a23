"""The law: however an engine runs a workflow, it is told the same.

A random workflow is run parked, in a random world, and its history is kept. The run is then made
again over that very history in all the other ways there are:

- suspended at each pending result, and run again when that has closed;
- run again after every event, though it gets no further by it;
- begun anew from every prefix of the history, by an engine that remembers nothing;
- in random mixtures of all these, with several events applied at once;
- by engines that carry out at once what they are told, keep no history of it, and call the machine
  back without events.

Commands are compared by the call that they are for, inputs and sources included. For each length of
the history at which the workflow is open, and as soon as its code has gone as far as it can:

1. What was commanded until then and is not in the history yet is the same. So nothing is commanded
   that the history holds, nothing twice, and nothing is forgotten.
2. The workflow closes with the last event of the recorded history, no sooner and no later, by the
   same command, alone: with the same result, words of the error, or input of the restart.
3. The failures that nobody looked at are the same then.

Left out on purpose: the order of the commands of one step, and what was commanded in the step that
closes the workflow. A machine without a carrier drops it. With one, it was carried out already, and
then only the commands of the steps before have to be the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import count, repeat
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from flowy import Execution, NonDeterminismError, finish_order, first, is_result_proxy
from flowy.events import (
    CallId,
    CompleteWorkflow,
    FailWorkflow,
    RestartWorkflow,
    StartTimer,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TaskTimedOut,
    TimerFired,
)
from flowy.serialization import JSON

from .law_programs import DEPENDENCIES, Program, programs
from .law_world import (
    EAGER,
    PARK,
    SUSPEND,
    Carrier,
    Mixture,
    Over,
    Recording,
    World,
    follow,
    follow_every_prefix,
    mixtures,
    record,
    worlds,
)

#: how many examples each law is tried on; set it to thousands after a change of the machine
EXAMPLES = int(os.environ.get("FLOWY_LAW_EXAMPLES", "400"))

law = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# A long run takes as long as it takes.
pytestmark = pytest.mark.timeout(max(120, EXAMPLES))


@law
@given(programs(), worlds, mixtures)
def test_every_way_to_run_a_workflow_gives_the_same(
    program: Program, world: World, mixture: Mixture
) -> None:
    recording = record(program, world)
    for feature in sorted(program.features | happened(recording)):
        event(feature)
    follow(program, recording, repeat(PARK))
    follow(program, recording, repeat(SUSPEND))
    follow(program, recording, repeat(EAGER))
    follow_every_prefix(program, recording)
    follow(program, recording, mixture.all_steps())
    Carrier(program, recording, parked=True).run()
    Carrier(program, recording, parked=True, forgets=True).run()
    Carrier(program, recording, parked=False).run()


@law
@given(programs(), worlds, mixtures)
def test_equivalent_code_gives_the_same(program: Program, world: World, mixture: Mixture) -> None:
    recording = record(program, world)
    follow(program, recording, mixture.all_steps(), with_dependencies(program, verbose))


@law
@given(programs(), worlds, st.sampled_from(("drop", "argument", "kind")), st.data())
def test_changed_code_is_told_from_the_code_of_the_history(
    program: Program, world: World, change: str, data: st.DataObject
) -> None:
    recording = record(program, world)
    scheduled = [
        (length, event.call)
        for length, event in enumerate(recording.history, 1)
        if isinstance(event, TaskScheduled)
    ]
    assume(scheduled)
    shortest, (name, number, _) = data.draw(st.sampled_from(scheduled), "changed call")
    length = data.draw(st.integers(shortest, len(recording.history)), "length of the history")
    dependencies = dict(program.dependencies)

    def wrap(each: str, dependency: Callable[..., Any]) -> Callable[..., Any]:
        if each != name or change == "kind":
            return dependency
        return (shortened if change == "drop" else altered)(dependency, number)

    if change == "kind":
        kind = "activity" if dependencies[name].kind == "workflow" else "workflow"
        dependencies[name] = replace(dependencies[name], kind=kind)
    elif change == "argument":
        # Objects are not compared.
        assume(dependencies[name].codec is JSON)
    execution = Execution(
        with_dependencies(program, wrap),
        dependencies,
        program.input,
        recording.history[:length],
        codec=program.codec,
    )
    with pytest.raises(NonDeterminismError) as caught:
        execution.run()
    assert execution.apply() == []
    assert execution.closed is None
    if change == "argument":
        assert caught.value.call == f"{name}-{number}"
        assert caught.value.recorded.startswith("input ")


def test_the_random_workflows_and_worlds_have_all_features() -> None:
    seen: set[str] = set()

    @settings(law, max_examples=300, derandomize=True, database=None)
    @given(programs(), worlds)
    def sample(program: Program, world: World) -> None:
        seen.update(program.features)
        seen.update(happened(record(program, world)))

    sample()
    assert seen == FEATURES


FEATURES = {
    *("break", "branch", "call in the factory", "chain", "child workflow", "computed value"),
    *("dataclass", "dict", "list", "named tuple", "tuple", "result as a key", "result in a set"),
    *("keyword argument", "list of results", "unpacked result", "words of an error"),
    *("early return", "exception out of the code", "restart", "the code's own SuspendTask"),
    *("except TaskCancelled", "except TaskError", "except TaskTimedout", "failure raised again"),
    *("failure endured", "failure passed on in words"),
    *("finally", "finally after except"),
    *("suspension swallowed", "suspension swallowed before more calls"),
    *(
        "fan",
        "first",
        "first of first",
        "a member twice",
        "members as arguments",
        "wait",
        "question about a result",
    ),
    *("places in a list", "places one at a time"),
    *("whole finish order", "part of a finish order"),
    *("initializer", "reduction by a task", "reduction by a plain function"),
    *("reduction by a function that calls", "reduction that gives a member back"),
    *("reduction by first", "reduction that drops members"),
    *("ended well", "ended with a failure", "ended with a restart", "ended with open calls"),
    *("ended without events", "ended with failures that nobody looked at"),
    *("input with a result", "retry", "first delay", "delay before a retry"),
    *("task completed", "task failed", "task timed out", "task cancelled", "timer fired"),
    *("commands taken on late", "late delivery", "value that cannot be written"),
}


def happened(recording: Recording) -> set[str]:
    """Return what is worth counting of a run."""
    history = recording.history
    found: set[str] = set()
    endings = {
        CompleteWorkflow: "ended well",
        FailWorkflow: "ended with a failure",
        RestartWorkflow: "ended with a restart",
    }
    found.add(endings[type(recording.close)])
    if not history:
        found.add("ended without events")
    if recording.unseen:
        found.add("ended with failures that nobody looked at")
    over = {
        TaskCompleted: "task completed",
        TaskFailed: "task failed",
        TaskTimedOut: "task timed out",
        TimerFired: "timer fired",
        TaskCancelled: "task cancelled",
    }
    scheduled: set[CallId] = set()
    ended: set[tuple[type, CallId]] = set()
    for happening in history:
        if isinstance(happening, Over):
            if (type(happening), happening.call) in ended:
                found.add("late delivery")
            ended.add((type(happening), happening.call))
            scheduled.discard(happening.call)
            found.add(over[type(happening)])
        elif isinstance(happening, TaskScheduled):
            scheduled.add(happening.call)
            if happening.call.attempt:
                found.add("retry")
    if scheduled:
        found.add("ended with open calls")
    for outstanding in recording.outstanding:
        if len(outstanding) > 1:
            found.add("commands taken on late")
        for command in outstanding.values():
            if isinstance(command, StartTimer):
                found.add("delay before a retry" if command.call.attempt else "first delay")
            elif getattr(command, "sources", ()):
                found.add("input with a result")
    if isinstance(recording.close, FailWorkflow) and "form in JSON" in recording.close.summary:
        found.add("value that cannot be written")
    return found


# --- code that was changed -----------------------------------------------------------------------


def with_dependencies(
    program: Program, wrap: Callable[[str, Callable[..., Any]], Callable[..., Any]]
) -> Callable[..., Any]:
    """Return the workflow of a program, with something between it and each of its dependencies."""
    factory = program.factory()

    def changed(**bound: Callable[..., Any]) -> Any:
        return factory(**{name: wrap(name, bound[name]) for name in DEPENDENCIES})

    return changed


def verbose(name: str, dependency: Callable[..., Any]) -> Callable[..., Any]:
    """Make the same calls, with much ado that changes nothing."""

    def call(*args: Any, **kwargs: Any) -> Any:
        results = [arg for arg in args if is_result_proxy(arg)]
        places = finish_order([*results, name])
        next(places)
        if results:
            first(results)
            next(places)
        result = dependency(*list(args), **kwargs)
        first(result, *results)
        return result

    return call


def shortened(dependency: Callable[..., Any], number: int) -> Callable[..., Any]:
    """Make no call from this number on."""
    numbers = count()

    def call(*args: Any, **kwargs: Any) -> Any:
        return dependency(*args, **kwargs) if next(numbers) < number else 0

    return call


def altered(dependency: Callable[..., Any], number: int) -> Callable[..., Any]:
    """Make the call of this number with one more argument."""
    numbers = count()

    def call(*args: Any, **kwargs: Any) -> Any:
        if next(numbers) == number:
            return dependency(*args, "changed", **kwargs)
        return dependency(*args, **kwargs)

    return call
