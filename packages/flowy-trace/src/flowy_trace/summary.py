"""What a run did, in words and numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from flowy_trace import words
from flowy_trace.critical_path import Step
from flowy_trace.phases import running
from flowy_trace.tree import Entry, Tree


@dataclass(frozen=True, slots=True)
class Share:
    """What the calls of one task did to the length of the run."""

    #: the task's name; `the workflow's own code` for what was no task
    name: str
    #: on the critical path, in seconds
    on_path: float
    #: of that, how long calls waited: for a worker, or for a retry
    waited: float
    #: how many calls there were
    calls: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of a run. Times are in seconds."""

    total: float
    #: what all attempts that workers made took together; children count by their own calls
    work: float
    calls: int
    retries: int
    #: how many calls ended in each way
    outcomes: dict[str, int]
    #: by task, the longest on the critical path first
    shares: tuple[Share, ...]

    @property
    def parallelism(self) -> float:
        """How many attempts ran at the same time on average."""
        return self.work / self.total if self.total > 0 else 0.0


#: how the time is called that the workflow itself took on the critical path
CODE = "the workflow's own code"


def summary(tree: Tree, path: list[Step]) -> Summary:
    """Return the numbers of a run with this critical path."""
    calls = tree.entries[1:]
    outcomes: Counter[str] = Counter(entry.call.outcome for entry in calls)
    names = Counter(entry.call.name for entry in calls)
    work = sum(
        running(attempt, tree.now)
        for entry in calls
        if entry.call.kind not in ("workflow", "timer")
        for attempt in entry.call.attempts
    )
    on_path: Counter[str] = Counter()
    waited: Counter[str] = Counter()
    for step in path:
        name = CODE if step.kind == "code" else step.entry.call.name
        on_path[name] += step.end - step.start  # type: ignore[assignment]
        if step.kind in ("queued", "delay"):
            waited[name] += step.end - step.start  # type: ignore[assignment]
    shares = [Share(name, time, waited[name], names.get(name, 0)) for name, time in on_path.items()]
    return Summary(
        total=max(0.0, tree.now - tree.trace.started),
        work=work,
        calls=len(calls),
        retries=sum(entry.retries for entry in calls),
        outcomes=dict(outcomes),
        shares=tuple(sorted(shares, key=lambda share: (-share.on_path, share.name))),
    )


def sentences(tree: Tree, numbers: Summary) -> list[str]:
    """Return the summary in a few sentences."""
    return list(_sentences(tree, numbers))


def _sentences(tree: Tree, numbers: Summary) -> Iterator[str]:
    root = tree.root
    total = words.seconds(numbers.total)
    name = root.call.name
    if tree.trace.ended is None:
        yield f"{name} was still running after {total}, when this trace was taken."
    elif root.call.outcome == "completed":
        yield f"{name} took {total}."
    elif root.call.outcome == "open":
        yield f"{name} was stopped after {total}."
    else:
        yield f"{name} {_how(root)} after {total}."
    runs = len(root.runs)
    if runs > 1:
        yield f"It restarted {_times(runs - 1)}."
    if not numbers.calls:
        yield "It called no task."
        return
    work = words.seconds(numbers.work)
    yield (
        f"Its {words.count(numbers.calls, 'call')} did {work} of work, "
        f"{numbers.parallelism:.1f} at a time on average."
    )
    yield from _of_path(numbers)
    wrong = [
        f"{words.count(number, 'call')} {_VERBS[outcome]}"
        for outcome, number in numbers.outcomes.items()
        if outcome in _VERBS
    ]
    if numbers.retries:
        wrong.append(
            f"there {'was' if numbers.retries == 1 else 'were'} "
            f"{words.count(numbers.retries, 'retry', 'retries')}"
        )
    if wrong:
        text = words.listing(wrong)
        yield f"{text[0].upper()}{text[1:]}."


_VERBS = {
    "failed": "failed",
    "timed out": "timed out",
    "cancelled": "ended because it was asked to",
    "open": "had not ended",
}


def _of_path(numbers: Summary) -> Iterator[str]:
    shares = [
        f"{share.name} {words.percent(share.on_path, numbers.total)}"
        for share in numbers.shares[:4]
        if share.on_path > 0
    ]
    if shares:
        yield f"What held it up, along the critical path: {words.listing(shares)}."
    waited = sum(share.waited for share in numbers.shares)
    if waited >= 0.05 * numbers.total > 0:
        yield (
            f"{words.percent(waited, numbers.total)} of the time the critical path waited "
            "for a worker or a retry."
        )


def _how(entry: Entry) -> str:
    return {"cancelled": "was cancelled"}.get(entry.call.outcome, entry.call.outcome)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")
