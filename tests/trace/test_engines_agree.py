"""A workflow's trace is the same whichever engine ran it, but for its times and workers.

Each workflow runs on the local engine, with a recorder, and on the emulator of Amazon SWF, with
real deciders and activity workers, whose histories are read afterwards without the workflow's code.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeAlias

import pytest
from tests.swf.fleet import DOMAIN, Fleet, activity_config, fleet, workflow_config

import flowy
from flowy.testing.conformance import Activity, Workflow
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.workflow_worker import SWFWorkflowWorker
from flowy_trace import Call, Error, Execution, Recorder, Trace
from flowy_trace.graph import graph
from flowy_trace.swf import from_history

Case: TypeAlias = tuple[Workflow, tuple[Any, ...]]


# --- what the workflows call -------------------------------------------------------------------


def square(n: int) -> int:
    return n * n


def add(a: int, b: int) -> int:
    return a + b


def keep(value: Any, **others: Any) -> Any:
    return [value, others]


def refuse(value: Any) -> None:
    raise ValueError(f"no {value!r} today")


def give_up(value: Any) -> None:
    raise flowy.TaskCancelled("nobody needs it")


class Flaky:
    """Fails twice for each argument, then answers."""

    def __init__(self) -> None:
        self.__name__ = "flaky"
        self.calls: dict[Any, int] = {}

    def __call__(self, value: Any) -> Any:
        self.calls[value] = self.calls.get(value, 0) + 1
        if self.calls[value] <= 2:
            raise ConnectionError(f"failure {self.calls[value]}")
        return value


TWICE_MORE = flowy.Retry(attempts=3, delay=0.01, jitter=0)
SUM = {"square": Activity(square), "add": Activity(add)}


# --- the workflows -----------------------------------------------------------------------------


def toy(square: Any, add: Any) -> Any:
    return lambda a, b: add(square(a), square(b))


def map_reduce(square: Any, add: Any) -> Any:
    return lambda n: flowy.parallel_reduce(add, [square(i) for i in range(n)])


def values(keep: Any) -> Any:
    def run(*values: Any) -> Any:
        kept = [keep(value) for value in values]
        return keep(kept, one=kept[0], other={"key": kept[-1]})

    return run


def retries(flaky: Any, add: Any) -> Any:
    return lambda a, b: add(flaky(a), flaky(b))


def failures(refuse: Any, give_up: Any, keep: Any) -> Any:
    def run() -> Any:
        found = []
        for call in (refuse("nut"), give_up(1)):
            try:
                flowy.wait(call)
            except flowy.TaskError as exc:
                found.append(type(exc).__name__)
        return keep(found)

    return run


def fails(refuse: Any, square: Any) -> Any:
    return lambda: refuse(square(2))


def breaks(square: Any) -> Any:
    def run() -> Any:
        flowy.wait(square(2))
        raise LookupError("the workflow's own")

    return run


def parent(child: Any, add: Any) -> Any:
    return lambda a, b: add(child(a, 1), child(b, 2))


def failing_parent(child: Any) -> Any:
    return lambda: child()


def count_down(square: Any) -> Any:
    return lambda n: flowy.restart(n - 1) if square(n) > 0 else "done"


def restarting_parent(child: Any, count_down: Any) -> Any:
    def run(n: int) -> Any:
        flowy.wait(child(n, n))
        if n:
            return flowy.restart(n - 1)
        return count_down(2)

    return run


def cases() -> dict[str, Case]:
    """Return the workflows with their arguments, by name."""
    child = Workflow(toy, SUM)
    counting = Workflow(count_down, {"square": Activity(square)})
    numbers = (2, 10)
    odd = (None, "é\n</script>", 1.5, {"a": [1, {"b": ()}]}, {1, 2}, b"\x00\xff", "x" * 40_000)
    return {
        "toy": (child, numbers),
        "map_reduce": (Workflow(map_reduce, SUM), (7,)),
        "values": (Workflow(values, {"keep": Activity(keep)}), odd),
        "retries": (
            Workflow(retries, {"flaky": Activity(Flaky(), TWICE_MORE), "add": Activity(add)}),
            numbers,
        ),
        "failures": (
            Workflow(
                failures,
                {
                    "refuse": Activity(refuse, flowy.Retry(attempts=2, delay=0)),
                    "give_up": Activity(give_up),
                    "keep": Activity(keep),
                },
            ),
            (),
        ),
        "fails": (
            Workflow(fails, {"refuse": Activity(refuse), "square": Activity(square)}),
            (),
        ),
        "breaks": (Workflow(breaks, {"square": Activity(square)}), ()),
        "parent": (Workflow(parent, {"add": Activity(add)}, {"child": child}), numbers),
        "failing_parent": (
            Workflow(failing_parent, {}, {"child": Workflow(breaks, {"square": Activity(square)})}),
            (),
        ),
        "count_down": (counting, (2,)),
        "restarting_parent": (
            Workflow(restarting_parent, {}, {"child": child, "count_down": counting}),
            (1,),
        ),
    }


# --- the engines -------------------------------------------------------------------------------


def local(workflow: Workflow) -> flowy.LocalWorkflow:
    """Configure it for the local engine. One worker takes calls in the order of scheduling."""
    configured = flowy.LocalWorkflow(workflow.factory, activity_workers=1)
    for name, activity in workflow.activities.items():
        configured.conf_activity(name, activity.function, activity.retry, activity.timeout)
    for name, child in workflow.workflows.items():
        configured.conf_workflow(name, local(child))
    return configured


def trace_locally(workflow: Workflow, args: tuple[Any, ...]) -> Trace:
    recorder = Recorder()
    with suppress(Exception):  # The trace says so.
        local(workflow).run(*args, _observers=[recorder])
    return recorder.trace()


def register(decider: SWFWorkflowWorker, worker: SWFActivityWorker, workflow: Workflow) -> str:
    """Have the workers know a workflow, and what it calls; return its name."""
    name: str = workflow.factory.__name__
    config = workflow_config()
    for each, activity in workflow.activities.items():
        limit = 3600 if activity.timeout is None else math.ceil(activity.timeout)
        full_name = f"{name}.{each}"
        worker.register(
            activity_config(default_start_to_close=limit), activity.function, 1, full_name
        )
        config.conf_activity(each, 1, full_name, retry=activity.retry)
    for each, child in workflow.workflows.items():
        config.conf_workflow(each, 1, child.factory.__name__, retry=(0,))
        if child.factory.__name__ not in {known.name for known in decider.types}:
            register(decider, worker, child)
    decider.register(config, workflow.factory, 1, name)
    return name


@pytest.fixture(scope="module")
def running() -> Iterator[Fleet]:
    with fleet() as running:
        decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
        for workflow, _ in cases().values():
            if workflow.factory.__name__ not in {known.name for known in decider.types}:
                register(decider, worker, workflow)
        running.serve(decider)
        running.serve(worker)
        yield running


# --- what is compared --------------------------------------------------------------------------


def told(error: Error | None) -> tuple[str, str] | None:
    # Tracebacks have frames of the engine.
    return None if error is None else (error.type, error.message)


def of_call(call: Call) -> tuple[Any, ...]:
    attempts = [
        (
            each.number,
            each.outcome,
            told(each.error),
            each.delayed is not None,
            each.started is not None,
        )
        for each in call.attempts
    ]
    return (call.key, call.kind, call.arguments, call.result, call.sources, attempts)


def of_execution(execution: Execution) -> tuple[Any, ...]:
    return (
        execution.id,
        execution.parent,
        execution.call,
        execution.restarts,
        execution.workflow,
        execution.arguments,
        execution.result,
        execution.outcome,
        told(execution.error),
        sorted(map(of_call, execution.calls)),
    )


def of_graph(trace: Trace) -> tuple[Any, ...]:
    """Return what the graph holds, but for what depends on times."""
    drawn = graph(trace)
    nodes = {
        node.id: (
            node.title,
            node.kind,
            node.outcome,
            node.retries,
            node.lines[:-1],
            None if node.parent is None else node.parent.id,
            [(box.label, {inner.id for inner in box.nodes}) for box in node.boxes],
        )
        for node in drawn.nodes
    }
    return nodes, {(edge.source.id, edge.target.id, edge.label) for edge in drawn.edges}


@pytest.mark.parametrize("name", cases())
def test_the_trace_from_swf_is_that_of_the_local_engine(name: str, running: Fleet) -> None:
    workflow, args = cases()[name]
    here = trace_locally(workflow, args)
    workflow_id = running.start(workflow.factory.__name__, *args)
    running.end(workflow_id)
    there = Trace.from_swf(DOMAIN, workflow_id, client=running.client)
    assert (here.workflow, here.ended is None) == (there.workflow, there.ended is None)
    assert sorted(map(of_execution, here.executions)) == sorted(map(of_execution, there.executions))
    assert of_graph(here) == of_graph(there)
    if len(there.executions) == 1:
        assert from_history(running.emulator.history(workflow_id)).executions == there.executions
