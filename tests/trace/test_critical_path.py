from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import flowy
from flowy_trace import Attempt, Call, Execution, Trace
from flowy_trace.critical_path import critical_path
from flowy_trace.phases import called, phases
from flowy_trace.summary import sentences, summary
from flowy_trace.tree import tree

from . import runs
from .simulation import BEGIN, simulate
from .traces import TRACES


def path_of(trace: Trace) -> list[tuple[str, str, float]]:
    """Return the calls of the critical path, what they did, and for how long."""
    return [
        (step.entry.label, step.kind, round(step.end - step.start, 6))
        for step in critical_path(tree(trace))
    ]


def test_the_longest_chain_of_waiting_is_the_critical_path() -> None:
    assert path_of(simulate(runs.example(), 2, 10)) == [
        ("square-1", "running", 2.75),
        ("sum-0", "running", 0.75),
    ]


def test_waiting_for_a_worker_and_for_a_retry_is_on_it() -> None:
    trace = simulate(runs.shop(), "4711", {"apple": 10, "pear": 2, "plum": 25}, workers=4)
    assert path_of(trace) == [
        ("stock-0", "queued", 0.75),
        ("stock-0", "running", 0.75),
        ("stock-0", "delay", 1.0),
        ("stock-0", "running", 0.75),
        ("total-0", "running", 0.25),
        ("charge-0", "running", 1.25),
        ("charge-1", "running", 1.25),
        ("ship-0", "running", 0.25),
    ]


def test_it_leads_through_restarts() -> None:
    assert path_of(simulate(runs.restarts())) == [("fetch-0", "running", 0.25)] * 3


def test_what_the_code_took_is_the_workflows_own() -> None:
    done: dict[str, Any] = {"worker": "w", "outcome": "completed"}
    calls = (
        Call("a", 0, attempts=(Attempt(0, None, 1, 1, 3, **done),)),
        Call("b", 0, sources=("a-0",), attempts=(Attempt(0, None, 4, 5, 6, **done),)),
        Call("never", 0),
    )
    execution = Execution("", "w", started=0, ended=8, outcome="completed", calls=calls)
    trace = Trace("w", ended=9, executions=(execution,))
    assert path_of(trace) == [
        ("w", "code", 1),
        ("a-0", "running", 2),
        ("w", "code", 1),
        ("b-0", "queued", 1),
        ("b-0", "running", 1),
        ("w", "code", 3),
    ]


@pytest.mark.parametrize("name", TRACES)
def test_it_covers_the_whole_run_without_a_gap(name: str) -> None:
    source = tree(TRACES[name]())
    path = critical_path(source)
    time = source.trace.started
    for step in path:
        assert step.start == pytest.approx(time, abs=1e-9)
        assert step.end > step.start
        time = step.end
    assert time == pytest.approx(source.now, abs=1e-9)


def test_a_call_waits_for_its_arguments_from_when_the_last_of_them_was_called() -> None:
    source = tree(simulate(runs.example(), 2, 10))
    made = called(source)
    last = source.entries[-1]
    assert [
        (each.kind, each.start - BEGIN, each.end - BEGIN)
        for each in phases(last, made[last], source.now)
    ] == [("arguments", 0, 2.75), ("running", 2.75, 3.5)]


def test_every_phase_of_a_call_follows_the_one_before() -> None:
    source = tree(simulate(runs.shop(), "4711", {"apple": 1, "pear": 2}, workers=2, until=2.4))
    made = called(source)
    kinds: set[str] = set()
    for entry in source.entries:
        found = phases(entry, made[entry], source.now)
        kinds.update(phase.kind for phase in found)
        for before, after in pairwise(found):
            assert before.end == after.start
    assert kinds == {"queued", "running", "delay"}


WORDS = {
    "example": [
        "Example took 3.50 s.",
        "Its 3 calls did 4.25 s of work, 1.2 at a time on average.",
        "What held it up, along the critical path: square 79 % and sum 21 %.",
    ],
    "restarts": [
        "Total took 750 ms.",
        "It restarted twice.",
        "Its 3 calls did 750 ms of work, 1.0 at a time on average.",
        "What held it up, along the critical path: fetch 100 %.",
    ],
    "trouble": [
        "Trouble failed after 6.00 s.",
        "Its 7 calls did 5.00 s of work, 0.8 at a time on average.",
        "What held it up, along the critical path: nap 92 % and child 8 %.",
        "25 % of the time the critical path waited for a worker or a retry.",
        "1 call timed out, 1 call ended because it was asked to, 3 calls failed and there were "
        "2 retries.",
    ],
    "nothing": [
        "nothing was still running after 0 µs, when this trace was taken.",
        "It called no task.",
    ],
}


@pytest.mark.parametrize("name", WORDS)
def test_the_summary_says_what_took_how_long(name: str) -> None:
    source = tree(TRACES[name]())
    assert sentences(source, summary(source, critical_path(source))) == WORDS[name]


def test_the_summary_of_a_run_that_was_stopped_says_so() -> None:
    trace = Trace("w", ended=3, executions=(Execution("", "w"),))
    source = tree(trace)
    numbers = summary(source, critical_path(source))
    assert sentences(source, numbers)[0] == "w was stopped after 3.00 s."
    assert (numbers.parallelism, numbers.total) == (0, 3)
    one_retry = simulate(retried(), 1)
    source = tree(one_retry)
    assert sentences(source, summary(source, critical_path(source)))[-1] == "There was 1 retry."


def retried() -> flowy.LocalWorkflow:
    workflow = flowy.LocalWorkflow(runs.Child)
    workflow.conf_activity("nap", runs.Flaky(1), retry=flowy.Retry(attempts=2, jitter=0))
    return workflow
