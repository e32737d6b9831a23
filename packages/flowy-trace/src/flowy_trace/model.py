"""The trace: what a run of a workflow did, as frozen values.

A run holds executions: the root, its children, and those that restarts started. An execution holds
calls, and a call holds attempts. Times are in seconds since 1970 (UTC). Arguments and results are
texts for people, shortened; a trace can be read without the workflow's code, and cannot be run.

Identities are paths. Those of executions are the engine's: empty for the root, `order-1-0` for the
child that the first attempt at `order-1` is, `~1` for what the root's first restart started. Those
of calls begin with a slash: `/square-0` is the first call to `square` of the root,
`/order-1-0/tax-0` a call of that child, `/~1/square-0` one after that restart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

#: How an attempt or an execution ended. `open` is what had not ended when the trace was taken, or
#: what the run ended without.
Outcome: TypeAlias = Literal["completed", "failed", "timed out", "cancelled", "restarted", "open"]
OUTCOMES: tuple[Outcome, ...] = (
    "completed",
    "failed",
    "timed out",
    "cancelled",
    "restarted",
    "open",
)


@dataclass(frozen=True, slots=True)
class Error:
    """Why something did not end well."""

    #: the type's name, such as `ValueError`
    type: str
    message: str = ""
    #: the traceback's text, where there is one
    traceback: str = ""

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a call. A time is None when that did not happen or is not known."""

    #: from 0
    number: int = 0
    #: when the wait before the attempt began, if it had to wait
    delayed: float | None = None
    #: when the engine took it on
    scheduled: float | None = None
    #: when a worker began with it
    started: float | None = None
    ended: float | None = None
    #: which worker, in the engine's words
    worker: str = ""
    outcome: Outcome = "open"
    error: Error | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call to a task, with all attempts at it."""

    #: the dependency's name
    name: str
    #: which call of the dependency in program order, from 0
    number: int
    #: what ran it: `activity`, `workflow`, `timer`, `lambda`
    kind: str = "activity"
    arguments: str = ""
    #: None without a result
    result: str | None = None
    #: the calls of the same execution whose results were passed to it, such as `square-0`
    sources: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = (Attempt(),)

    @property
    def key(self) -> str:
        """What tells it from the other calls of its execution, such as `square-0`."""
        return f"{self.name}-{self.number}"

    @property
    def outcome(self) -> Outcome:
        """How the last attempt ended."""
        return self.attempts[-1].outcome

    @property
    def error(self) -> Error | None:
        """Why the last attempt did not end well, if it did not."""
        return self.attempts[-1].error


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution of a workflow: the root, a child, or one that a restart started."""

    #: what tells it from the others of its run: its path
    id: str
    workflow: str
    arguments: str = ""
    #: None without a result
    result: str | None = None
    started: float = 0.0
    ended: float | None = None
    outcome: Outcome = "open"
    error: Error | None = None
    #: the identity of the parent, or None for the root
    parent: str | None = None
    #: the attempt at the parent's call, such as `order-1-0`, or None for the root
    call: str | None = None
    #: how many executions of a chain of restarts came before
    restarts: int = 0
    #: in the order in which they were scheduled first
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """What a run of a workflow did."""

    workflow: str
    #: the engine's name
    engine: str = ""
    #: what tells this run from others
    run: str = ""
    started: float = 0.0
    #: None if the run was still going on
    ended: float | None = None
    #: in the order in which they began, the root first
    executions: tuple[Execution, ...] = ()
    #: when the trace was taken of a run that was still going on, or None if that is not known
    taken: float | None = None

    def calls(self) -> Iterator[tuple[Execution, Call]]:
        """Yield every call with its execution."""
        for execution in self.executions:
            for call in execution.calls:
                yield execution, call

    @property
    def latest(self) -> float:
        """The end of the run, or when the trace was taken, or else the last time that it knows."""
        if self.ended is not None:
            return self.ended
        times = [self.started if self.taken is None else self.taken]
        for execution in self.executions:
            times += (execution.started, execution.ended or self.started)
        for _, call in self.calls():
            for attempt in call.attempts:
                times += (
                    time
                    for time in (
                        attempt.delayed,
                        attempt.scheduled,
                        attempt.started,
                        attempt.ended,
                    )
                    if time is not None
                )
        return max(times)

    def save(self, path: str | os.PathLike[str], *, full: bool = False) -> None:
        """Write the trace or a picture of it; the file's ending says which.

        Parameters
        ----------
        path
            ends in one of `flowy_trace.ENDINGS`.
        full
            whether to draw each call of a big run where there would be one node for all calls of a
            task.

        Raises
        ------
        ValueError
            nothing is known to be written in files of this ending.
        DotNotFoundError
            the picture needs the program `dot`, which is not there. The source for it was written.
        """
        from flowy_trace.save import save

        save(self, path, full=full)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trace:
        """Read a trace from a file that `save` wrote, or from a dump of a history of Amazon SWF.

        Raises
        ------
        ValueError
            the file holds neither, or a trace of a version that is not known here.
        """
        from flowy_trace.load import load

        return load(path)

    @classmethod
    def from_swf(
        cls, domain: str, workflow_id: str, run_id: str | None = None, client: Any = None
    ) -> Trace:
        """Read the trace of an execution from Amazon SWF, where it may be running still.

        The workflow's code is not needed. All runs of a chain of restarts are read, whichever of
        them is named, and all children, as far as the service keeps their histories. A child whose
        history it does not keep any more is seen from outside.

        Parameters
        ----------
        domain
            where it is.
        workflow_id
            its workflow id.
        run_id
            its run id; by default that of the open execution, else of the one that was started
            last.
        client
            a boto3 client of Amazon SWF; by default `flowy.SWFClient()`. It is asked once for
            each execution and each 1,000 events.

        Raises
        ------
        LookupError
            the domain has no such execution, or keeps it no more.
        ImportError
            there is no client, and flowy-swf is not installed to make one.
        botocore.exceptions.ClientError
            the service answered with another error.
        """
        from flowy_trace.swf_service import read

        return read(domain, workflow_id, run_id, client)

    def _repr_svg_(self) -> str:
        """Return the graph, for Jupyter."""
        from flowy_trace.graph import graph
        from flowy_trace.svg import svg

        return svg(graph(self))

    def _repr_html_(self) -> str:
        """Return the page in a frame, for Jupyter."""
        from flowy_trace.html import frame

        return frame(self)
