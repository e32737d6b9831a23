"""Beside other libraries that run graphs of tasks in Python: dask, dask.distributed and Parsl.

hatch run bench:peers
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.benchmarks import patterns
from tests.benchmarks.row import Measurement, Row

COUNT = 2_000
ROUNDS = 3


def measurements() -> Iterator[Measurement]:
    for name in ("chain", "fan"):
        for peer, work in (
            ("dask threads", _dask),
            ("dask.distributed", _distributed),
            ("Parsl threads", _parsl),
        ):
            what = f"{name}, {COUNT:,} tasks, against {peer}"
            yield what, _measure(what, name, work)


def _measure(what: str, name: str, work: Callable[[str], float]) -> Callable[[], Row]:
    def measure() -> Row:
        workflow = patterns.configure(name)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            theirs.append(work(name) / COUNT * 1e6)
            start = time.perf_counter()
            assert workflow.run(COUNT) == patterns.expected(name, COUNT)
            ours.append((time.perf_counter() - start) / COUNT * 1e6)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        return Row(what, statistics.median(ours), statistics.median(theirs), ratio, "us")

    return measure


def _dask(name: str) -> float:
    import dask

    task = dask.delayed(patterns.same)
    start = time.perf_counter()
    if name == "chain":
        value: Any = 0
        for _ in range(COUNT):
            value = task(value)
        graph = value
    else:
        graph = dask.delayed(sum)([task(number) for number in range(COUNT)])
    # Without fusing a chain into one task, which would measure nothing.
    with dask.config.set({"optimization.fuse.active": False}):
        assert graph.compute(scheduler="threads") == patterns.expected(name, COUNT)
    return time.perf_counter() - start


def _distributed(name: str) -> float:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=1, threads_per_worker=8, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        start = time.perf_counter()
        if name == "chain":
            value: Any = 0
            for _ in range(COUNT):
                value = client.submit(patterns.same, value, pure=False)
            result = value.result()
        else:
            futures = [client.submit(patterns.same, n, pure=False) for n in range(COUNT)]
            result = sum(client.gather(futures))
        assert result == patterns.expected(name, COUNT)
        return time.perf_counter() - start


def _parsl(name: str) -> float:
    import parsl
    from parsl.config import Config
    from parsl.executors.threads import ThreadPoolExecutor

    config = Config(executors=[ThreadPoolExecutor(max_threads=8)], initialize_logging=False)
    with parsl.load(config):
        task = parsl.python_app(patterns.same)
        start = time.perf_counter()
        if name == "chain":
            value: Any = 0
            for _ in range(COUNT):
                value = task(value)
            result = value.result()
        else:
            result = sum(each.result() for each in [task(number) for number in range(COUNT)])
        assert result == patterns.expected(name, COUNT)
        return time.perf_counter() - start
