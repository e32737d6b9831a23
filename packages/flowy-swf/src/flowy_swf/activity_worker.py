"""`SWFActivityWorker`: polls for activity tasks and runs them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar

from flowy.errors import TaskCancelled
from flowy.heartbeats import call_with_heartbeats
from flowy_swf.calls import code_of, insist
from flowy_swf.config import SWFActivityConfig, TypeName
from flowy_swf.failures import Failure, fitted
from flowy_swf.heartbeats import Heartbeats, TaskHeartbeats, interval_of
from flowy_swf.payloads import LIMIT, PayloadStoreError, pack, unpack
from flowy_swf.task_log import TaskLog
from flowy_swf.worker import Worker

T = TypeVar("T")
_FAILED = "respond_activity_task_failed"
#: what the service answers to an outcome that it never takes, such as text that it does not read
_UNFIT = ("SerializationException", "ValidationException")


class SWFActivityWorker(Worker[SWFActivityConfig]):
    """Runs activities."""

    config_class = SWFActivityConfig

    def __init__(self) -> None:
        super().__init__()
        self._functions: dict[TypeName, Callable[..., Any]] = {}
        self._heartbeats = Heartbeats()

    def _add(
        self, config: SWFActivityConfig, func: Callable[..., Any], type_name: TypeName
    ) -> None:
        self._functions[type_name] = func

    def _poll(self, client: Any, domain: str, task_list: str, identity: str) -> dict[str, Any]:
        answer: dict[str, Any] = client.poll_for_activity_task(
            domain=domain, taskList={"name": task_list}, identity=identity
        )
        return answer

    def _serving(self, threads: int) -> AbstractContextManager[None]:
        return self._heartbeats.running(threads)

    def _handle(
        self, client: Any, domain: str, task_list: str, identity: str, task: dict[str, Any]
    ) -> None:
        token = task["taskToken"]
        type_name = TypeName(task["activityType"]["name"], task["activityType"]["version"])
        log = TaskLog(task)
        config = self._configs.get(type_name)
        defaults = {} if config is None else config.defaults
        heartbeats = TaskHeartbeats(
            partial(client.record_activity_task_heartbeat, taskToken=token),
            interval_of(defaults.get("defaultTaskHeartbeatTimeout")),
            log,
        )

        def enough(seconds: float) -> bool:
            return self._stop.wait(seconds) or heartbeats.closed

        # Until the outcome is taken: a task is open, and may be silent for too long, up to then.
        with self._heartbeats.kept_up(heartbeats):
            log.debug("%s begins", log)
            try:
                operation, outcome = self._outcome(type_name, task, heartbeats, enough, log)
            except PayloadStoreError as exc:
                log.error(
                    "%s is left to time out, as its payload could not be had or kept: %s", log, exc
                )
                return
            try:
                operation = _tell(client, token, operation, outcome, enough, log)
            except Exception as exc:
                too_late = code_of(exc) == "UnknownResourceFault"
                log.log(
                    logging.WARNING if too_late else logging.ERROR,
                    "the outcome of %s was not taken and is dropped: %s",
                    log,
                    exc,
                )
            else:
                log.debug("%s has ended: %s", log, operation)

    def _outcome(
        self,
        type_name: TypeName,
        task: dict[str, Any],
        heartbeats: TaskHeartbeats,
        enough: Callable[[float], bool],
        log: TaskLog,
    ) -> tuple[str, dict[str, str]]:
        """Run the activity; return the operation that tells how it ended, and what to tell."""
        function = self._functions.get(type_name)
        if function is None:
            known = ", ".join(map(str, self._functions)) or "none"
            return _failed(
                Failure(
                    "UnknownActivity",
                    f"this worker does not know the activity {type_name}; it knows {known}",
                )
            )
        config = self._configs[type_name]
        packed = task.get("input", "[[], {}]")
        try:
            text = _stored(lambda: unpack(packed, config.payloads), enough, log)
            args, kwargs = config.codec.load_input(text)
            value = call_with_heartbeats(heartbeats, lambda: function(*args, **kwargs))
            text = config.codec.dump_value(value)
            result = _stored(lambda: pack(text, config.payloads), enough, log)
        except PayloadStoreError:
            raise
        except TaskCancelled as exc:
            return "respond_activity_task_canceled", {"details": fitted(exc.message, LIMIT)}
        except BaseException as exc:
            # SystemExit, CancelledError and the like end the task and not the slot. A Ctrl-C comes
            # to the main thread, which this is not.
            return _failed(Failure.of(exc))
        return "respond_activity_task_completed", {"result": result}


def _stored(call: Callable[[], T], enough: Callable[[float], bool], log: TaskLog) -> T:
    """Pack or unpack a payload, again while the store that may hold it is in trouble."""
    return insist(call, enough, final=lambda exc: not isinstance(exc, PayloadStoreError), log=log)


def _tell(
    client: Any,
    token: str,
    operation: str,
    outcome: dict[str, str],
    enough: Callable[[float], bool],
    log: TaskLog,
) -> str:
    """Tell the service how a task ended, again while it does not hear; return the operation."""
    respond = getattr(client, operation)
    try:
        insist(lambda: respond(taskToken=token, **outcome), enough, log=log)
    except Exception as exc:
        if operation == _FAILED or code_of(exc) not in _UNFIT:
            raise
        # Dropped, it would have the workflow wait for a time-out, if there is one.
        failure = Failure("UnfitOutcome", f"Amazon SWF does not take the outcome: {exc}")
    else:
        return operation
    return _tell(client, token, *_failed(failure), enough, log)


def _failed(failure: Failure) -> tuple[str, dict[str, str]]:
    return _FAILED, {"reason": failure.reason, "details": failure.details}
