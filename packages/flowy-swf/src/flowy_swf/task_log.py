"""Logging by execution and task: records carry the ids as attributes, for whoever collects them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter

logger = logging.getLogger("flowy.swf")


class TaskLog(_Adapter):
    """Logs to `flowy.swf` what happens with one task.

    Records have the attributes `workflowId` and `runId`, and those of an activity `activityId` and
    `activityType` besides. What is normal has level DEBUG.

    Parameters
    ----------
    task
        what the service answered a poll with.
    """

    def __init__(self, task: dict[str, Any]) -> None:
        execution = task["workflowExecution"]
        extra = {"workflowId": execution["workflowId"], "runId": execution["runId"]}
        if "activityId" in task:
            extra["activityId"] = task["activityId"]
            extra["activityType"] = task["activityType"]["name"]
        super().__init__(logger, extra)

    def __str__(self) -> str:
        """Say in words which task it is."""
        extra = dict(self.extra or {})
        where = f"workflow id {extra['workflowId']!r}, run id {extra['runId']!r}"
        return f"activity {extra['activityId']!r} of {where}" if "activityId" in extra else where
