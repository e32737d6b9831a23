"""Measure Flowy beside its yardsticks and print a table.

Each row is measured beside its yardstick in the same process, in turns, several rounds; what is
shown is the median of the rounds, and the median of their ratios. So a machine that is shared, or
grows slow for a while, changes the times but hardly the ratios.

    hatch run bench                      # the table
    hatch run bench --check              # exit status 1 when a bar is missed
    hatch run bench --json               # for machines
    hatch run bench --page docs/performance.md
    hatch run bench:peers                # beside dask, dask.distributed and Parsl
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks import patterns, scale
from tests.benchmarks.row import Measurement, Row

import flowy

SIZES = (1_000, 10_000, 100_000)
WORKERS = 8
PROCESSES = 4


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def beside(
    what: str,
    work: Callable[[], Any],
    yardstick: Callable[[], Any],
    per: int,
    bar: float | None,
    rounds: int,
) -> Measurement:
    """Measure two things in turns; times are in microseconds, shared out over `per`."""

    def measure() -> Row:
        ours, theirs = [], []
        for _ in range(rounds):
            theirs.append(seconds(yardstick) / per * 1e6)
            ours.append(seconds(work) / per * 1e6)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        return Row(what, statistics.median(ours), statistics.median(theirs), ratio, "us", bar)

    return what, measure


def pattern(name: str, count: int, **options: Any) -> Callable[[], None]:
    workflow = patterns.configure(name, **options)
    right = patterns.expected(name, count)

    def run() -> None:
        assert workflow.run(count) == right

    return run


def raw(
    make: Callable[[], Executor], work: Callable[[Executor, int], Any], count: int
) -> Callable[[], None]:
    def run() -> None:
        with make() as executor:
            work(executor, count)

    return run


def threads() -> Executor:
    return ThreadPoolExecutor(WORKERS)


def processes() -> Executor:
    return ProcessPoolExecutor(PROCESSES)


PATTERNS = {
    # the yardstick, and the bar against it
    "chain": (patterns.raw_chain, 0.6),
    "fan": (patterns.raw_fan, 0.6),
    "reduce": (patterns.raw_chain, 0.6),
    "wait chain": (patterns.raw_chain, 1.0),
    "children": (patterns.raw_fan, 4.0),
    "nested arguments": (patterns.raw_fan, None),
}


def rows(sizes: tuple[int, ...], rounds: int) -> Iterator[Measurement]:
    for name, (yardstick, bar) in PATTERNS.items():
        for size in sizes:
            yield beside(
                f"{name}, {size:,} tasks, threads",
                pattern(name, size),
                raw(threads, yardstick, size),
                size,
                bar,
                rounds if size < 100_000 else max(3, rounds // 2),
            )
    for name in PATTERNS:
        yield growth(name, sizes, rounds)
    for name, work, bar in (("fan", patterns.raw_fan, 1.0), ("chain", patterns.raw_chain, 1.15)):
        yield beside(
            f"{name}, 2,000 tasks, {PROCESSES} processes",
            pattern(name, 2_000, executor="processes", activity_workers=PROCESSES),
            raw(processes, work, 2_000),
            2_000,
            bar,
            rounds,
        )
    for how, observer, bar in (("", Idle, 1.5), (" by its events", IdleAboutEvents, None)):
        yield beside(
            f"chain, 10,000 tasks, observed{how} against not",
            observed(10_000, observer),
            pattern("chain", 10_000),
            10_000,
            bar,
            rounds,
        )
    yield from scale.measurements()
    what = "import flowy against json, dataclasses, concurrent.futures"
    yield what, lambda: imports(what, rounds)


def growth(name: str, sizes: tuple[int, ...], rounds: int) -> Measurement:
    """Measure the cost of a task in a large run against that in small ones."""
    small, large = sizes[0], sizes[-1]
    times = large // small
    once = pattern(name, small)
    return beside(
        f"{name}, per task, {large:,} against {small:,}",
        pattern(name, large),
        lambda: [once() for _ in range(times)],
        large,
        1.3,
        max(3, rounds // 2),
    )


class Idle(flowy.Observer):
    """Is told everything of every task, and does nothing."""

    def task_scheduled(self, *_: Any) -> None:
        pass

    def task_started(self, *_: Any) -> None:
        pass

    def task_completed(self, *_: Any) -> None:
        pass


class IdleAboutEvents(flowy.Observer):
    """Is told everything of every task as events, and does nothing."""

    def event(self, *_: Any) -> None:
        pass


def observed(count: int, observer: type[flowy.Observer]) -> Callable[[], None]:
    workflow = patterns.configure("chain")

    def run() -> None:
        assert workflow.run(count, _observers=[observer()]) == 0

    return run


def imports(what: str, rounds: int) -> Row:
    def run(code: str) -> Callable[[], None]:
        def work() -> None:
            subprocess.run([sys.executable, "-c", code], check=True)

        return work

    bare = run("pass")
    ours, theirs = [], []
    for _ in range(2 * rounds):
        start = seconds(bare)
        ours.append((seconds(run("import flowy")) - start) * 1e6)
        theirs.append((seconds(run("import json, dataclasses, concurrent.futures")) - start) * 1e6)
    a, b = statistics.median(ours), statistics.median(theirs)
    return Row(what, a, b, a / b, "us", 2.0)


def table(measured: list[Row]) -> Iterator[str]:
    yield "| what | Flowy | yardstick | ratio or figure | at most |"
    yield "|---|---:|---:|---:|---:|"
    for row in measured:
        yardstick = "" if row.yardstick is None else f"{row.yardstick:,.1f} {row.unit}"
        ours = "" if row.yardstick is None else f"{row.measured:,.1f} {row.unit}"
        value = f"{row.value:,.2f}" if row.yardstick is not None else f"{row.value:,.1f} {row.unit}"
        bar = "" if row.bar is None else f"{row.bar:g}"
        mark = " (missed)" if row.missed else ""
        yield f"| {row.what} | {ours} | {yardstick} | {value}{mark} | {bar} |"


def machine() -> str:
    return (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores of {processor()}"
    )


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "an unnamed processor"


PAGE = """# Performance

Written by the benchmark itself: `hatch run bench --page docs/performance.md`. Measured with
{machine}.

Each row is measured beside its yardstick in the same process, in turns; shown are medians of
several rounds. Times are for one task in microseconds, with the default settings: values cross the
engine as JSON, eight activity workers, no observer. The yardsticks are the standard library's
executors doing the same work with `submit()` and `result()`: a chain for chains and reductions, a
fan for the rest. They encode nothing, keep no graph, and know no retries.

How fast the raw executor is depends on where the system puts its threads: its chain takes some 10
microseconds a task while they share a core, and some 70 while they do not. Flowy's hardly depends
on it, because a worker goes on with what its last task made ready.

The last column is what the project allows itself: `hatch run bench --check` fails where a figure is
above it.

{table}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bar is missed")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the table as a page")
    parser.add_argument("--rounds", type=int, default=5, help="how often each pair is measured")
    parser.add_argument("--quick", action="store_true", help="leave out the largest size")
    parser.add_argument("--only", default="", help="only rows whose name holds this text")
    parser.add_argument("--peers", action="store_true", help="beside dask, distributed and Parsl")
    options = parser.parse_args()
    if options.peers:
        from tests.benchmarks import peers

        source = peers.measurements()
    else:
        source = rows(SIZES[:2] if options.quick else SIZES, options.rounds)
    measured = []
    for what, measure in source:
        if options.only in what:
            row = measure()
            measured.append(row)
            print(f"{what}: {row.value:.2f}", file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({"machine": machine(), "rows": [asdict(row) for row in measured]}))
    else:
        print("\n".join(table(measured)))
    if options.page is not None:
        text = PAGE.format(machine=machine(), table="\n".join(table(measured)))
        options.page.write_text(text, encoding="utf-8")
    missed = [row.what for row in measured if row.missed]
    if options.check and missed:
        print("missed: " + "; ".join(missed), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
