"""`LocalWorkflow`: a workflow configured for this machine, and its runs."""

from __future__ import annotations

import inspect
import multiprocessing
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from multiprocessing.context import BaseContext
from types import ModuleType
from typing import Any, TypeAlias

from flowy.config import ActivityMark, WorkflowConfig, scan
from flowy.engine_api import Observer
from flowy.retry import RetryPolicy, retry_policy
from flowy.run import Dependency
from flowy.serialization import Codec
from flowy.serialization import codec as codec_named
from flowy_local.activities import Activity
from flowy_local.execution import Child
from flowy_local.exits import wait_at_exit
from flowy_local.scheduler import Scheduler
from flowy_local.timers import Clock, Timers
from flowy_local.watch import watch
from flowy_local.workers import (
    GRACE,
    ActivityWorker,
    ActivityWorkers,
    CallersThread,
    ThreadedWorkers,
)

#: `"threads"`, `"processes"`, or an executor class or instance
ExecutorChoice: TypeAlias = str | type[Executor] | Callable[[int], Executor] | Executor


class LocalWorkflow(WorkflowConfig):
    """A workflow for this machine.

    Parameters
    ----------
    factory
        the workflow: a class or function that takes its dependencies by keyword and returns a
        callable.
    activity_workers
        how many activities run at once, at least 1.
    workflow_workers
        how many threads run the code of child workflows, at least 1. Children that wait need none.
    executor
        what runs activities: `"threads"`, `"processes"`, or a class or an instance of
        `concurrent.futures.Executor`. A class is called with `activity_workers` for each run; an
        instance is used as it is and not shut down.
    codec
        `"json"`, as on every engine, or `"object"`: values are passed as they are between threads
        and pickled between processes.
    mp_context
        the `multiprocessing` context, or the name of its start method, for `"processes"`; by
        default the one that `multiprocessing` uses.
    clock
        makes the clock of a run; for tests.

    A child workflow is run by the workers of the workflow that is run, whatever its own
    configuration says of them.
    """

    def __init__(
        self,
        factory: Callable[..., Any],
        activity_workers: int = 8,
        workflow_workers: int = 2,
        executor: ExecutorChoice = "threads",
        codec: str | Codec = "json",
        mp_context: str | BaseContext | None = None,
        clock: Callable[[], Clock] = Timers,
    ) -> None:
        super().__init__(factory)
        for name, workers in (
            ("activity_workers", activity_workers),
            ("workflow_workers", workflow_workers),
        ):
            if isinstance(workers, bool) or not isinstance(workers, int):
                raise TypeError(f"{name} must be an int, not {workers!r}")
            if workers < 1:
                raise ValueError(f"{name} must be at least 1, not {workers!r}")
        if isinstance(executor, str):
            if executor not in ("threads", "processes"):
                raise ValueError(
                    f"executor must be 'threads', 'processes', or an executor class or instance, "
                    f"not {executor!r}"
                )
        elif not callable(executor) and not hasattr(executor, "submit"):
            raise TypeError(
                f"executor must be 'threads', 'processes', or an executor class or instance, "
                f"not {executor!r}"
            )
        if isinstance(mp_context, str):
            mp_context = multiprocessing.get_context(mp_context)
        self.activity_workers = activity_workers
        self.workflow_workers = workflow_workers
        self.executor = executor
        self.codec = codec_named(codec)
        self.mp_context = mp_context
        self.clock = clock

    def conf_activity(
        self,
        name: str,
        function: Callable[..., Any],
        retry: RetryPolicy | Iterable[float] = (0,),
        timeout: float | None = None,
        heartbeat: float | None = None,
    ) -> None:
        """Configure a function as a dependency.

        Parameters
        ----------
        name
            the dependency's name.
        function
            the activity. Where processes run it, it must be importable.
        retry
            the delays in seconds before each attempt, which are for time-outs alone, or a
            `flowy.Retry`.
        timeout
            seconds that an attempt may take.
        heartbeat
            seconds that may pass between two calls of `flowy.heartbeat` in an attempt.

        Raises
        ------
        ValueError
            the name is no Python identifier or taken, or the function cannot be sent to the
            executor's processes.
        """
        self.check_name(name)
        if isinstance(function, LocalWorkflow):
            raise TypeError(f"{name!r} is given a workflow: use conf_workflow({name!r}, ...)")
        if not callable(function):
            raise TypeError(f"activity {name!r} must be a function, not {function!r}")
        if inspect.iscoroutinefunction(function):
            raise TypeError(
                f"activity {name!r} is a coroutine function; activities are plain functions: "
                "call asyncio.run() in one"
            )
        target = Activity(
            function,
            self.codec,
            _seconds(f"timeout of {name!r}", timeout),
            _seconds(f"heartbeat of {name!r}", heartbeat),
        )
        self._check_activity(name, target)
        self.add(Dependency(name, "activity", self.codec, retry_policy(retry), target))

    def conf_workflow(
        self,
        name: str,
        workflow: LocalWorkflow,
        retry: RetryPolicy | Iterable[float] = (0,),
        timeout: float | None = None,
    ) -> None:
        """Configure another workflow, or this one, as a dependency.

        Parameters
        ----------
        name
            the dependency's name.
        workflow
            the child workflow.
        retry
            the delays in seconds before each attempt, which are for time-outs alone, or a
            `flowy.Retry`.
        timeout
            seconds that an attempt may take.
        """
        self.check_name(name)
        if not isinstance(workflow, LocalWorkflow):
            raise TypeError(
                f"workflow {name!r} must be a LocalWorkflow, not {workflow!r}: "
                "configure it with LocalWorkflow(factory)"
            )
        target = Child(workflow, _seconds(f"timeout of {name!r}", timeout))
        self.add(Dependency(name, "workflow", workflow.codec, retry_policy(retry), target))

    def scan(self, package: ModuleType | str) -> None:
        """Configure the activities of a package that the factory takes and that are not configured.

        Activities are marked with `@flowy.activity()`.
        """
        for function, mark in scan(package):
            if (
                isinstance(mark, ActivityMark)
                and self.takes(mark.name)
                and mark.name not in self.dependencies
            ):
                self.conf_activity(mark.name, function, **mark.options)

    def run(
        self,
        /,
        *args: Any,
        _wait: bool = False,
        _trace: object | None = None,
        _observers: Iterable[Observer] = (),
        **kwargs: Any,
    ) -> Any:
        """Run the workflow with these arguments on this thread; return its result.

        Parameters
        ----------
        _wait
            whether to wait for tasks whose results nobody needs. Otherwise those that have not
            begun are dropped, and those that run end with their work.
        _trace
            where to put a picture of the run: a path, whose ending says which picture, several
            paths, or True for a page that is opened in a browser. Needs flowy-trace.
        _observers
            who is told of what happens, besides the observers that plugins bring.

        Raises
        ------
        TaskError
            a task failed, and the workflow did not deal with it.
        DependencyError
            the factory, or that of a child, takes other dependencies than are configured.
        Exception
            what else the workflow's code raised.
        """
        if _trace is not None and _trace is not False:
            _observers = [*_observers, _tracer(_trace)]
        configs = list(self._family())
        for config in configs:
            config.check()
        activities = [
            (name, dependency.target)
            for config in configs
            for name, dependency in config.dependencies.items()
            if dependency.kind == "activity"
        ]
        for name, activity in activities:
            self._check_activity(name, activity)
        payload, sources = self.codec.prepare_input(args, kwargs)
        if sources:
            payload = self.codec.fill(payload)
        scheduler = Scheduler(self.clock(), self.workflow_workers, _wait)
        scheduler.watch = watch(self.name, scheduler.clock, _observers)
        workers = self._workers(scheduler, [activity for _, activity in activities])
        scheduler.workers = workers
        scheduler.wake_activities = workers.wake
        interrupted = True
        try:
            result = self.codec.load_value(scheduler.run_root(self, payload))
            interrupted = False
            return result
        except Exception:
            interrupted = False
            raise
        finally:
            try:
                _shut_down(scheduler, workers, interrupted)
            except KeyboardInterrupt:
                _shut_down(scheduler, workers, interrupted=True)
                raise

    def _family(self) -> Iterator[LocalWorkflow]:
        """Yield this configuration and those of all its descendants, each once."""
        seen: dict[int, LocalWorkflow] = {}
        stack: list[LocalWorkflow] = [self]
        while stack:
            config = stack.pop()
            if id(config) not in seen:
                seen[id(config)] = config
                yield config
                stack.extend(
                    dependency.target.config
                    for dependency in config.dependencies.values()
                    if dependency.kind == "workflow"
                )

    def _check_activity(self, name: str, activity: Activity) -> None:
        if self.executor == "processes":
            try:
                pickle.dumps(activity.function)
            except Exception as exc:
                raise ValueError(
                    f"activity {name!r} cannot be sent to a worker process ({exc}): "
                    "define it with def at the top of a module, not as a lambda or inside a "
                    "function, or use executor='threads'"
                ) from None
        elif self.executor != "threads" and activity.heartbeat is not None:
            raise ValueError(
                f"activity {name!r} has a heartbeat limit, which needs executor='threads' or "
                "'processes': no heartbeat comes back from another executor; use timeout="
            )

    def _workers(self, scheduler: Scheduler, activities: list[Activity]) -> ActivityWorkers:
        executor, size = self.executor, self.activity_workers
        if executor == "threads":
            # In an event loop, such as a notebook's, an activity that calls asyncio.run() would
            # fail on the code's own thread.
            kind = ThreadedWorkers if _in_event_loop() else CallersThread
            return kind(scheduler, size, ActivityWorker)
        if executor == "processes":
            from flowy_local.processes import process_workers

            context = self.mp_context or multiprocessing.get_context()
            return process_workers(scheduler, size, context, activities)
        from flowy_local.executors import ExecutorWorkers

        if isinstance(executor, type) or not hasattr(executor, "submit"):
            assert callable(executor)
            return ExecutorWorkers(scheduler, size, lambda: executor(size), owned=True)
        instance: Any = executor
        return ExecutorWorkers(scheduler, size, lambda: instance, owned=False)


def _in_event_loop() -> bool:
    """Return whether this thread runs an event loop."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _tracer(targets: Any) -> Observer:
    try:
        from flowy_trace import tracer
    except ModuleNotFoundError as exc:
        if exc.name != "flowy_trace":
            raise
        raise ImportError(
            "_trace= needs flowy-trace: python -m pip install flowy-trace", name="flowy_trace"
        ) from None
    return tracer(targets, "local")


def _shut_down(scheduler: Scheduler, workers: ActivityWorkers, interrupted: bool) -> None:
    """End the threads and processes of a run, except those that do what nobody needs any more."""
    scheduler.let_go()
    with scheduler:
        scheduler.drop_all()
        if scheduler.watch is not None:
            scheduler.watch.run_ended(scheduler.watch.time())
    scheduler.ready.clear()
    scheduler.workflow_threads.close()
    workers.close()
    scheduler.clock.close()
    if interrupted:
        workers.kill()
    # What an interrupt leaves behind need not be in order, so nobody waits for it for ever.
    timeout = GRACE if interrupted else None
    busy = scheduler.workflow_threads.join(timeout) + workers.join(timeout)
    if not interrupted:
        wait_at_exit(busy)


def _seconds(what: str, value: float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{what} must be a number of seconds or None, not {value!r}")
    if not 0 < value < float("inf"):
        raise ValueError(f"{what} must be a number of seconds above 0, not {value!r}")
    return value
