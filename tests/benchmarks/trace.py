"""What a trace costs: `python -m tests.benchmarks.trace [CALLS]`.

A chain of calls that do nothing, on threads, is the worst there is: nothing but the engine takes
time, and all that an observer does adds to it. The rows are the time of the run without an
observer, with one that does nothing, and with a recorder; what a call's record takes in memory; and
what drawing takes afterwards, which no call waits for.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flowy
from flowy_trace import Recorder, Trace

ROUNDS = 7


def chain(increment: Any) -> Any:
    def run(number: int, value: Any) -> Any:
        for _ in range(number):
            value = increment(value)
        return value

    return run


def workflow() -> flowy.LocalWorkflow:
    configured = flowy.LocalWorkflow(chain)
    configured.conf_activity("increment", lambda value: value)
    return configured


def run(number: int, observers: list[flowy.Observer], value: Any = 1) -> None:
    workflow().run(number, value, _observers=observers)


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of the fastest of several rounds: others share the machine."""
    times = []
    for _ in range(ROUNDS):
        gc.collect()
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


def memory(number: int, value: Any) -> float:
    """Return the bytes that a recorder holds for each call."""
    recorder = Recorder()
    tracemalloc.start()
    run(number, [recorder], value)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    recorder._told = []
    gc.collect()
    taken = held - tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return taken / number


def trace_of(number: int) -> Trace:
    recorder = Recorder()
    run(number, [recorder])
    return recorder.trace()


def main(number: int = 10_000) -> None:
    plain = seconds(lambda: run(number, []))
    print(f"{'chain on threads, calls':44}{number:12,}")
    for name, make in (
        ("untraced", list),
        ("observer that does nothing", lambda: [flowy.Observer()]),
        ("recorder", lambda: [Recorder()]),
    ):
        took = plain if name == "untraced" else seconds(lambda make=make: run(number, make()))  # type: ignore[misc]
        print(f"{name + ', µs a call':44}{took / number * 1e6:12.2f}{took / plain:8.2f}x")
    for size in (1, 20, 100_000):
        length = min(number, 2000)
        what = f"memory, values of {size:,} characters, B a call"
        print(f"{what:44}{memory(length, 'x' * size):12.0f}")
    trace = trace_of(number)
    with tempfile.TemporaryDirectory() as folder:
        for ending in (".json", ".html", ".perfetto.json", ".txt", ".dot", ".mmd"):
            path = Path(folder, f"run{ending}")
            begin = time.process_time()
            trace.save(path)
            took = time.process_time() - begin
            print(f"{ending + ', s and MB':44}{took:12.2f}{path.stat().st_size / 1e6:8.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
