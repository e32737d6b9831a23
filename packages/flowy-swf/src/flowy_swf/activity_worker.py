"""`SWFActivityWorker`: polls for activity tasks and runs them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flowy.errors import TaskCancelled
from flowy.heartbeats import call_with_heartbeats
from flowy_swf.calls import code_of, insist
from flowy_swf.config import SWFActivityConfig, TypeName
from flowy_swf.failures import Failure
from flowy_swf.payloads import LIMIT, pack, unpack
from flowy_swf.worker import Worker

logger = logging.getLogger("flowy.swf")
#: for how many seconds an outcome is tried to be reported again
_LONGEST = 3600.0
_DETAILS_LIMIT = 2048


class SWFActivityWorker(Worker[SWFActivityConfig]):
    """Runs activities."""

    config_class = SWFActivityConfig

    def __init__(self) -> None:
        super().__init__()
        self._functions: dict[TypeName, Callable[..., Any]] = {}

    def _add(
        self, config: SWFActivityConfig, func: Callable[..., Any], type_name: TypeName
    ) -> None:
        self._functions[type_name] = func

    def _poll(self, client: Any, domain: str, task_list: str, identity: str) -> dict[str, Any]:
        answer: dict[str, Any] = client.poll_for_activity_task(
            domain=domain, taskList={"name": task_list}, identity=identity
        )
        return answer

    def _handle(
        self, client: Any, domain: str, task_list: str, identity: str, task: dict[str, Any]
    ) -> None:
        token = task["taskToken"]
        type_name = TypeName(task["activityType"]["name"], task["activityType"]["version"])

        def beat(details: Any) -> None:
            text = None if details is None else str(details)[:_DETAILS_LIMIT]
            given = {} if text is None else {"details": text}
            status = client.record_activity_task_heartbeat(taskToken=token, **given)
            if status.get("cancelRequested"):
                raise TaskCancelled("it was asked to stop")

        function = self._functions.get(type_name)
        if function is None:
            known = ", ".join(map(str, self._functions)) or "none"
            unknown = Failure(
                "UnknownActivity",
                f"this worker does not know the activity {type_name}; it knows {known}",
            )
            self._respond(client.respond_activity_task_failed, token, **_failed(unknown))
            return
        config = self._configs[type_name]
        try:
            args, kwargs = config.codec.load_input(
                unpack(task.get("input", "[[], {}]"), config.payloads)
            )
            value = call_with_heartbeats(beat, lambda: function(*args, **kwargs))
            result = pack(config.codec.dump_value(value), config.payloads)
        except TaskCancelled as exc:
            details = exc.message[:LIMIT]
            self._respond(client.respond_activity_task_canceled, token, details=details)
        except (Exception, SystemExit) as exc:
            self._respond(client.respond_activity_task_failed, token, **_failed(Failure.of(exc)))
        else:
            self._respond(client.respond_activity_task_completed, token, result=result)

    def _respond(self, operation: Callable[..., Any], token: str, **outcome: str) -> None:
        try:
            insist(lambda: operation(taskToken=token, **outcome), self._stop.wait, _LONGEST)
        except Exception as exc:
            level = logging.WARNING if code_of(exc) == "UnknownResourceFault" else logging.ERROR
            logger.log(level, "an activity's outcome was not taken and is dropped: %s", exc)


def _failed(failure: Failure) -> dict[str, str]:
    return {"reason": failure.reason, "details": failure.details}
