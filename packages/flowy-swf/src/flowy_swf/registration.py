"""Types and domains, registered with the service or compared with what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from flowy_swf.calls import code_of, insist, pause
from flowy_swf.config import SWFActivityConfig, SWFWorkflowConfig, TypeName

#: what a default is called in a configuration
_OPTIONS = {
    "defaultTaskList": "default_task_list",
    "defaultTaskHeartbeatTimeout": "default_heartbeat",
    "defaultTaskScheduleToCloseTimeout": "default_schedule_to_close",
    "defaultTaskScheduleToStartTimeout": "default_schedule_to_start",
    "defaultTaskStartToCloseTimeout": "default_start_to_close",
    "defaultTaskPriority": "default_task_priority",
    "defaultExecutionStartToCloseTimeout": "default_workflow_duration",
    "defaultChildPolicy": "default_child_policy",
    "defaultLambdaRole": "default_lambda_role",
}
#: for how many seconds a call is tried again
_PATIENCE = 60.0
#: what is wrong with a domain when a type cannot be registered in it
_REMEDIES = {
    "UnknownResourceFault": "there is no domain {!r}: check the name, region and credentials, or "
    "create it with `flowy swf register --create-domain`",
    "DomainDeprecatedFault": "domain {!r} is deprecated and takes no new types: undeprecate it, or "
    "use another one",
}
#: what counts as not set
_UNSET: dict[str, tuple[Any, ...]] = {"defaultTaskPriority": (None, "0")}


class SWFRegistrationError(ValueError):
    """Types or a domain cannot be registered, because what is there is not the same."""

    def __init__(self, domain: str, differences: Iterable[str]) -> None:
        #: where
        self.domain = domain
        #: what differs, a line each
        self.differences = tuple(differences)
        super().__init__(domain, self.differences)

    def __str__(self) -> str:
        lines = "\n".join(f"  {difference}" for difference in self.differences)
        return (
            f"what is registered in domain {self.domain!r} is not what is configured:\n{lines}\n"
            "a type never changes once it is registered: change the configuration back, or give "
            "it a new version"
        )


class NoDomainError(SWFRegistrationError):
    """There is no such domain, or it takes nothing new."""

    def __str__(self) -> str:
        return self.differences[0]


class _Calls(NamedTuple):
    """The operations for one kind of type."""

    describe: str
    register: str
    member: str


_CALLS = {
    "activity": _Calls("describe_activity_type", "register_activity_type", "activityType"),
    "workflow": _Calls("describe_workflow_type", "register_workflow_type", "workflowType"),
}


def register_domain(
    client: Any, domain: str, retention: int = 30, wait: Callable[[float], bool] = pause
) -> None:
    """Create a domain unless it is there.

    Parameters
    ----------
    client
        a boto3 client.
    domain
        its name.
    retention
        for how many days closed executions are kept.
    wait
        see `flowy_swf.calls.insist`.
    """
    try:
        insist(
            lambda: client.register_domain(
                name=domain, workflowExecutionRetentionPeriodInDays=str(retention)
            ),
            wait,
            _PATIENCE,
        )
    except Exception as exc:
        if code_of(exc) != "DomainAlreadyExistsFault":
            raise


def register_types(
    client: Any,
    domain: str,
    types: Mapping[TypeName, SWFActivityConfig | SWFWorkflowConfig],
    wait: Callable[[float], bool] = pause,
) -> None:
    """Register types that are missing, and compare those that are there.

    Parameters
    ----------
    client
        a boto3 client.
    domain
        where to register.
    types
        the configurations, by type.
    wait
        see `flowy_swf.calls.insist`.

    Raises
    ------
    SWFRegistrationError
        types are there with other defaults or deprecated, or the domain is not there. It lists all
        differences.
    """
    differences: list[str] = []
    for type_name, config in types.items():
        differences += _register(client, domain, type_name, config, wait)
    if differences:
        raise SWFRegistrationError(domain, differences)


def _register(
    client: Any,
    domain: str,
    type_name: TypeName,
    config: SWFActivityConfig | SWFWorkflowConfig,
    wait: Callable[[float], bool],
) -> list[str]:
    calls = _CALLS[config.kind]

    def describe() -> Any:
        described = getattr(client, calls.describe)
        return described(domain=domain, **{calls.member: type_name.members})

    def register() -> Any:
        return getattr(client, calls.register)(
            domain=domain, **type_name.members, **config.defaults
        )

    try:
        described = insist(describe, wait, _PATIENCE)
    except Exception as exc:
        if code_of(exc) != "UnknownResourceFault":
            raise
    else:
        return _differences(type_name, config, described)
    try:
        insist(register, wait, _PATIENCE)
    except Exception as exc:
        remedy = _REMEDIES.get(code_of(exc))
        if remedy is not None:
            raise NoDomainError(domain, [remedy.format(domain)]) from None
        if code_of(exc) != "TypeAlreadyExistsFault":
            raise
        # Another worker was faster, or the answer to this one was lost.
        return _differences(type_name, config, insist(describe, wait, _PATIENCE))
    return []


def _differences(
    type_name: TypeName, config: SWFActivityConfig | SWFWorkflowConfig, described: Any
) -> list[str]:
    what = f"{config.kind} {type_name}"
    if described["typeInfo"].get("status") == "DEPRECATED":
        return [f"{what} is deprecated"]
    registered = described.get("configuration", {})
    found = []
    for member, option in _OPTIONS.items():
        if member == "defaultTaskStartToCloseTimeout" and config.kind == "workflow":
            option = "default_decision_duration"
        ours, theirs = config.defaults.get(member), registered.get(member)
        unset = _UNSET.get(member, ())
        if ours != theirs and not (ours in unset and theirs in unset):
            found.append(f"{what}: {option} is {_plain(ours)}, registered is {_plain(theirs)}")
    return found


def _plain(value: Any) -> str:
    return repr(value["name"] if isinstance(value, dict) else value)
