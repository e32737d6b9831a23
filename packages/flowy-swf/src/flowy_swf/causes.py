"""Why the service refuses a decision, and what to do about it."""

from __future__ import annotations

#: Causes that pass: the same decision is made again later.
PASSING = frozenset(
    {
        "OPEN_ACTIVITIES_LIMIT_EXCEEDED",
        "ACTIVITY_CREATION_RATE_EXCEEDED",
        "OPEN_TIMERS_LIMIT_EXCEEDED",
        "TIMER_CREATION_RATE_EXCEEDED",
        "OPEN_CHILDREN_LIMIT_EXCEEDED",
        "OPEN_WORKFLOWS_LIMIT_EXCEEDED",
        "CHILD_CREATION_RATE_EXCEEDED",
        "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED",
        "LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED",
        "CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED",
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
        "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
        # The other execution is on its way, or continues as new.
        "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
    }
)

#: Something happened that the decision did not know of: it is made again at once.
UNHANDLED = "UNHANDLED_DECISION"

_NOT_REGISTERED = "no type of this name and version is registered: start a worker that has it"
_DEPRECATED = "the type is deprecated: use a newer version, or undeprecate it"
_NO_DEFAULT = "neither the call's configuration nor the type's defaults say {}: configure one"

#: What each of the other causes means, in words.
MEANINGS = {
    "ACTIVITY_TYPE_DOES_NOT_EXIST": _NOT_REGISTERED,
    "WORKFLOW_TYPE_DOES_NOT_EXIST": _NOT_REGISTERED,
    "ACTIVITY_TYPE_DEPRECATED": _DEPRECATED,
    "WORKFLOW_TYPE_DEPRECATED": _DEPRECATED,
    "ACTIVITY_ID_ALREADY_IN_USE": "another open activity has this id",
    "TIMER_ID_ALREADY_IN_USE": "another open timer has this id",
    "ID_ALREADY_IN_USE": "another open Lambda task has this id",
    "WORKFLOW_ALREADY_RUNNING": "an open execution has this workflow id",
    "DEFAULT_TASK_LIST_UNDEFINED": _NO_DEFAULT.format("the task list"),
    "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED": _NO_DEFAULT.format("schedule_to_close"),
    "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED": _NO_DEFAULT.format("schedule_to_start"),
    "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED": _NO_DEFAULT.format("start_to_close"),
    "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED": _NO_DEFAULT.format("heartbeat"),
    "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED": _NO_DEFAULT.format("workflow_duration"),
    "DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED": _NO_DEFAULT.format("decision_duration"),
    "DEFAULT_CHILD_POLICY_UNDEFINED": _NO_DEFAULT.format("child_policy"),
    "OPERATION_NOT_PERMITTED": "the decider's credentials do not permit this decision",
    "ASSUME_ROLE_FAILED": "the execution's lambda_role is missing or cannot be assumed",
    "LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION": "this region has no AWS Lambda",
    "TIMER_ID_UNKNOWN": "no open timer has this id",
    "ACTIVITY_ID_UNKNOWN": "no open activity has this id",
}


def meaning(cause: str) -> str:
    """Return what a cause means; of one that is not known, that."""
    return MEANINGS.get(cause, "the service refused the decision")
