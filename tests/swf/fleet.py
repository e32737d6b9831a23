"""An emulator, workers in threads that talk to it over HTTP, and executions that they run."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from flowy.errors import TaskCancelled, TaskError, TaskTimedout
from flowy.serialization import JSON
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.config import SWFActivityConfig, SWFWorkflowConfig
from flowy_swf.emulator import Emulator
from flowy_swf.failures import Failure
from flowy_swf.payloads import unpack
from flowy_swf.registration import register_domain, register_types
from flowy_swf.starter import SWFWorkflowStarter
from flowy_swf.worker import Worker
from flowy_swf.workflow_worker import SWFWorkflowWorker

DOMAIN = "domain"
LIST = "list"
Json = dict[str, Any]
CLOSED = frozenset(
    f"WorkflowExecution{how}"
    for how in ("Completed", "Failed", "Canceled", "TimedOut", "Terminated", "ContinuedAsNew")
)


def activity_config(**changes: Any) -> SWFActivityConfig:
    """Return a configuration with all defaults."""
    return SWFActivityConfig(
        **{
            "default_task_list": LIST,
            "default_heartbeat": 600,
            "default_schedule_to_close": 3600,
            "default_schedule_to_start": 3600,
            "default_start_to_close": 3600,
            **changes,
        }
    )


def workflow_config(**changes: Any) -> SWFWorkflowConfig:
    """Return a configuration with all defaults."""
    return SWFWorkflowConfig(
        **{
            "default_task_list": LIST,
            "default_workflow_duration": 86_400,
            "default_decision_duration": 60,
            "default_child_policy": "TERMINATE",
            **changes,
        }
    )


class Fleet:
    """An emulator that serves, and the workers that were started for it."""

    def __init__(self, emulator: Emulator, client: Any) -> None:
        self.emulator = emulator
        self.client = client
        self._threads: dict[Worker[Any], threading.Thread] = {}
        register_domain(client, DOMAIN)

    def serve(
        self,
        worker: Worker[Any],
        task_list: str = LIST,
        threads: int = 1,
        client: Any = None,
        *,
        registers: bool = False,
    ) -> None:
        """Have a worker work in a thread until the fleet ends; its types are registered before.

        With `registers` it registers them itself.
        """
        if not registers:
            register_types(self.client, DOMAIN, worker.types)
        thread = threading.Thread(
            target=worker.run,
            args=(DOMAIN, task_list, client or self.client, False, registers),
            kwargs={"threads": threads},
        )
        self._threads[worker] = thread
        thread.start()

    def retire(self, worker: Worker[Any]) -> None:
        """Have a worker stop, and wait for it; its poll is to be a short one."""
        worker.stop()
        thread = self._threads.pop(worker)
        thread.join(30)
        assert not thread.is_alive()

    def start(self, name: str, *args: Any, **kwargs: Any) -> str:
        """Start an execution of version 1 of a workflow; return its workflow id."""
        return SWFWorkflowStarter(DOMAIN, name, 1, self.client)(*args, **kwargs).workflow_id

    def end(self, workflow_id: str, timeout: float = 60) -> Json:
        """Wait for the end of an execution and those that follow it; return the last event."""
        last: Json = {}

        def ended() -> bool:
            last.clear()
            last.update(self.emulator.history(workflow_id)[-1])
            return last["eventType"] in CLOSED - {"WorkflowExecutionContinuedAsNew"}

        self.emulator.wait_for(ended, timeout)
        return last

    def run(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Run an execution; return its result or raise its error."""
        return outcome(self.end(self.start(name, *args, **kwargs)))

    def types(self, workflow_id: str) -> list[str]:
        """Return the types of the events of an execution."""
        return [event["eventType"] for event in self.emulator.history(workflow_id)]

    def stop(self) -> None:
        """Have the workers stop."""
        for worker in self._threads:
            worker.stop()

    def join(self) -> None:
        """Wait for the workers; there is no service any more that would take an outcome."""
        for worker in self._threads:
            worker._stop.stop_everything()
        for thread in self._threads.values():
            thread.join(30)
            assert not thread.is_alive()


@contextmanager
def fleet(**options: Any) -> Iterator[Fleet]:
    """Return a fleet; nothing of it is left afterwards."""
    emulator = Emulator(**{"clock": "skipping", **options})
    with emulator.serve():
        client = emulator.client()
        running = Fleet(emulator, client)
        try:
            yield running
        finally:
            running.stop()
    running.join()
    client.close()


class Meddler:
    """A client that does something around the calls that are made through it.

    Parameters
    ----------
    client
        makes the calls.
    meddle
        is called with the operation, as boto3 names it, and how many calls of it came before; and
        with the call, which it makes or not.
    """

    def __init__(self, client: Any, meddle: Callable[[str, int, Callable[[], Any]], Any]) -> None:
        self._client = client
        self._meddle = meddle
        self._counts: Counter[str] = Counter()

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            count = self._counts[operation]
            self._counts[operation] += 1
            made = partial(getattr(self._client, operation), **request)
            return self._meddle(operation, count, made)

        return call


class Listener(logging.Handler):
    """Waits for something to be logged."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._heard = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self._text in record.getMessage():
            self._heard.set()

    def __enter__(self) -> Listener:
        logging.getLogger("flowy.swf").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("flowy.swf").removeHandler(self)

    def wait(self) -> None:
        """Wait until it was logged."""
        assert self._heard.wait(20), f"nobody logged {self._text!r}"


def outcome(event: Json) -> Any:
    """Return the result that an execution closed with, or raise its error."""
    kind = event["eventType"]
    attributes = event[f"{kind[0].lower()}{kind[1:]}EventAttributes"]
    if kind == "WorkflowExecutionCompleted":
        return JSON.load_value(unpack(attributes["result"]))
    if kind == "WorkflowExecutionFailed":
        failure = Failure.read(attributes.get("reason"), attributes.get("details"))
        raise TaskError(failure.message, error_type=failure.error_type, traceback=failure.traceback)
    if kind == "WorkflowExecutionCanceled":
        raise TaskCancelled(attributes.get("details", ""))
    raise TaskTimedout(kind)


def workers(
    factory: Callable[..., Any],
    config: SWFWorkflowConfig,
    activities: dict[str, Callable[..., Any]],
    name: str = "workflow",
) -> tuple[SWFWorkflowWorker, SWFActivityWorker]:
    """Return workers for a workflow and its activities, which are configured by their names."""
    decider, worker = SWFWorkflowWorker(), SWFActivityWorker()
    for each, function in activities.items():
        worker.register(activity_config(), function, 1, each)
        config.conf_activity(each, 1)
    decider.register(config, factory, 1, name)
    return decider, worker
