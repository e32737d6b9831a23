"""Measurements that are no pattern on threads: long tasks, replay, memory."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import patterns
from tests.benchmarks.row import Measurement, Row

import flowy
from flowy.events import Event, ScheduleActivity, TaskCompleted, TaskScheduled
from flowy.run import Dependency

ROOT = Path(__file__).parents[2]

LONG = 0.01


def pause(_value: Any) -> int:
    time.sleep(LONG)
    return 0


def slow_add(_left: int, _right: int) -> int:
    return pause(0)


def measurements() -> Iterator[Measurement]:
    for name in ("fan", "reduce", "children", "nested arguments"):
        yield _long(f"{name}, 400 tasks of 10 ms, 2 workers, against 2 s", name)
    one = "replay, 10,000 calls, per call"
    yield one, lambda: Row(one, 0, None, _replay(10_000), "us", 8.0)
    many = "replay, per call, 100,000 against 10,000"
    yield many, lambda: _growth(many)
    waits = "replay at each of 1,000 waits, whole"
    yield waits, lambda: Row(waits, 0, None, _replay_at_each_wait(1_000), "s", 3.0)
    for what, code, bar in (
        ("memory of a chain of 100,000 tasks", "measure_chain", 120.0),
        ("memory of a fan of 100,000 tasks", "measure_fan", 120.0),
        ("memory of 10,000 children that wait", "measure_children", 300.0),
    ):
        yield what, _in_process(what, code, "MB", bar)
    threads = "threads while 10,000 children wait"
    yield threads, _in_process(threads, "measure_threads", "", 8.0 + 2.0 + 4.0)


def _long(what: str, name: str) -> Measurement:
    def measure() -> Row:
        count = 400
        workflow = patterns.configure(name, activity_workers=2)
        # The same shape with tasks that take their time.
        slow = flowy.LocalWorkflow(workflow.factory, activity_workers=2)
        tasks = count
        if name == "children":
            inner = flowy.LocalWorkflow(patterns.child)
            inner.conf_activity("task", pause)
            slow.conf_workflow("child", inner)
        else:
            slow.conf_activity("task", slow_add if name == "reduce" else pause)
        if name == "nested arguments":
            slow.conf_activity("total", pause)
            tasks += count // 100
        if name == "reduce":
            tasks -= 1
        times = []
        for _ in range(3):
            start = time.perf_counter()
            slow.run(count)
            times.append(time.perf_counter() - start)
        ours, right = sorted(times)[1], tasks / 2 * LONG
        return Row(what, ours, right, ours / right, "s", 1.05)

    return what, measure


def _history(count: int) -> list[Event]:
    """Record a wait chain, as an engine that suspends would."""
    events: list[Event] = []
    execution = _execution(count, [])
    commands = execution.run()
    while commands and isinstance(commands[0], ScheduleActivity):
        happened: list[Event] = []
        for command in commands:
            assert isinstance(command, ScheduleActivity)
            happened.append(TaskScheduled(command.call, command.input))
            happened.append(TaskCompleted(command.call, "0"))
        events += happened
        commands = execution.apply(*happened)
    return events


def _execution(count: int, history: list[Event], factory: Any = patterns.chain) -> flowy.Execution:
    return flowy.Execution(factory, {"task": Dependency("task")}, f"[[{count}], {{}}]", history)


def _replay(count: int) -> float:
    history = _history(count)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        execution = _execution(count, history, patterns.wait_chain)
        execution.run()
        times.append(time.perf_counter() - start)
        assert execution.closed is not None
        # Or the next one is measured together with the end of this one.
        del execution
        gc.collect()
    return sorted(times)[2] / count * 1e6


def _growth(what: str) -> Row:
    large, small = _replay(100_000), _replay(10_000)
    return Row(what, large, small, large / small, "us", 1.3)


def _replay_at_each_wait(count: int) -> float:
    start = time.perf_counter()
    execution = _execution(count, [], patterns.wait_chain)
    commands = execution.run()
    while execution.closed is None:
        (command,) = commands
        assert isinstance(command, ScheduleActivity)
        execution.apply(TaskScheduled(command.call, command.input))
        execution.apply(TaskCompleted(command.call, "0"))
        commands = execution.run()
    return time.perf_counter() - start


def _in_process(what: str, function: str, unit: str, bar: float) -> Callable[[], Row]:
    def measure() -> Row:
        code = f"from tests.benchmarks import scale; scale.{function}()"
        answer = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
        ).stdout
        return Row(what, 0, None, json.loads(answer), unit, bar)

    return measure


def _peak() -> float:
    """Return the largest resident size of this process so far, in megabytes."""
    with open("/proc/self/status", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    raise OSError("this system does not tell the memory of a process in /proc/self/status")


def _measure_memory(name: str) -> None:
    patterns.configure(name).run(100)
    before = _peak()
    patterns.configure(name).run(100_000)
    print(_peak() - before)


def measure_chain() -> None:
    _measure_memory("chain")


def measure_fan() -> None:
    _measure_memory("fan")


def _wait_all(count: int, watch: Callable[[], None]) -> None:
    """Run children that all wait at once: for tasks that end when each has begun to wait."""
    import threading

    everyone = threading.Event()
    waiting = 0
    lock = threading.Lock()

    class Count(flowy.Observer):
        def command(self, execution: Any, command: Any, time: float) -> None:
            nonlocal waiting
            if execution.path:
                with lock:
                    waiting += 1
                    if waiting == count:
                        watch()
                        everyone.set()

    def task(value: int) -> int:
        everyone.wait()
        return value

    inner = flowy.LocalWorkflow(patterns.child)
    inner.conf_activity("task", task)
    outer = flowy.LocalWorkflow(patterns.children)
    outer.conf_workflow("child", inner)
    assert outer.run(count, _observers=[Count()]) == sum(range(count))


def measure_children() -> None:
    _wait_all(100, lambda: None)
    before = _peak()
    _wait_all(10_000, lambda: None)
    print(_peak() - before)


def measure_threads() -> None:
    import threading

    seen = []
    _wait_all(10_000, lambda: seen.append(threading.active_count() - 1))
    print(max(seen))
