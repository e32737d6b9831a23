"""What Amazon SWF has to know of activities and workflows, apart from their code.

A configuration is made without the function or class it is for. Calling it decorates one, which
stays as it is; a worker's `scan` finds it, or its `register` takes both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flowy.config import WorkflowConfig, check_name, mark
from flowy.retry import RetryPolicy, retry_policy
from flowy.run import Dependency
from flowy.serialization import Codec
from flowy_swf import checks
from flowy_swf.checks import Duration, present
from flowy_swf.payloads import CustomCodec, PayloadStore, SizedJSON

_T = TypeVar("_T", bound=Callable[..., Any])
#: three attempts, of which those after the first are for time-outs
RETRY = (0, 0, 0)
#: how many characters the name of a dependency may have, which is part of ids that have at most 256
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type of activity or workflow, as the service knows it."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name!r} version {self.version!r}"

    @property
    def members(self) -> dict[str, str]:
        """The type in the service's form."""
        return {"name": self.name, "version": self.version}


@dataclass(frozen=True, slots=True)
class Target:
    """What a call of a dependency asks of the service, besides its id and input."""

    #: the members of the decision, in the service's form
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Registration:
    """A configuration attached to a function or class."""

    config: SWFActivityConfig | SWFWorkflowConfig
    type: TypeName


class _Config:
    """What both kinds of configuration are: a decorator, defaults of a type, a codec."""

    #: what it configures: `activity` or `workflow`
    kind: str

    def __init__(self, defaults: dict[str, Any], codec: Codec, store: PayloadStore | None) -> None:
        #: the type's defaults, in the form in which the service registers them
        self.defaults: Mapping[str, Any] = defaults
        #: reads the input and writes the result
        self.codec = codec
        #: where payloads go that the service does not take
        self.payloads = store

    def __call__(self, version: int | str = 1, name: str | None = None) -> Callable[[_T], _T]:
        """Return a decorator that attaches this configuration and leaves the thing as it is.

        Parameters
        ----------
        version
            the type's version.
        name
            the type's name; by default that of the function or class.
        """
        if callable(version):
            raise TypeError("write @config() with parentheses")

        def decorate(thing: _T) -> _T:
            return mark(thing, Registration(self, self.type_of(thing, version, name)))  # type: ignore[arg-type]

        return decorate

    def type_of(self, thing: Any, version: int | str, name: str | None) -> TypeName:
        """Return the type that a function or class has with this configuration."""
        if name is None:
            name = getattr(thing, "__name__", type(thing).__name__)
        return TypeName(checks.name("name", name), checks.version(version))


class SWFActivityConfig(_Config):
    """What Amazon SWF has to know of an activity.

    Time-outs are whole seconds, or `"NONE"` for no limit. One that is None is left to whoever
    schedules the activity, and the service refuses to schedule it when nobody says.

    Parameters
    ----------
    default_task_list
        the list that workers poll.
    default_heartbeat
        how long a worker may be silent. Workers send heartbeats by themselves.
    default_schedule_to_close
        how long an attempt may take in all: the wait for a worker, and the work.
    default_schedule_to_start
        how long an attempt may wait for a worker.
    default_start_to_close
        how long a worker may take for an attempt.
    deserialize_input
        takes the input's str and returns `(args, kwargs)`; by default Flowy's JSON.
    serialize_result
        takes the result and returns a str; by default Flowy's JSON.
    default_task_priority
        higher is sooner.
    payloads
        where inputs and results go that the service does not take, such as `S3Payloads`.
    """

    kind = "activity"

    def __init__(
        self,
        default_task_list: str | None = None,
        default_heartbeat: Duration | None = None,
        default_schedule_to_close: Duration | None = None,
        default_schedule_to_start: Duration | None = None,
        default_start_to_close: Duration | None = None,
        deserialize_input: Callable[[str], Any] | None = None,
        serialize_result: Callable[[Any], str] | None = None,
        default_task_priority: int | None = None,
        payloads: PayloadStore | None = None,
    ) -> None:
        duration = checks.duration
        defaults = present(
            defaultTaskList=checks.task_list(default_task_list),
            defaultTaskHeartbeatTimeout=duration("default_heartbeat", default_heartbeat),
            defaultTaskScheduleToCloseTimeout=duration(
                "default_schedule_to_close", default_schedule_to_close
            ),
            defaultTaskScheduleToStartTimeout=duration(
                "default_schedule_to_start", default_schedule_to_start
            ),
            defaultTaskStartToCloseTimeout=duration(
                "default_start_to_close", default_start_to_close
            ),
            defaultTaskPriority=checks.priority(default_task_priority),
        )
        codec = codec_of(
            payloads, deserialize_input=deserialize_input, serialize_result=serialize_result
        )
        super().__init__(defaults, codec, payloads)


class SWFWorkflowConfig(_Config):
    """What Amazon SWF has to know of a workflow, and what the workflow may call.

    Parameters
    ----------
    default_task_list
        the list that deciders poll.
    default_workflow_duration
        how many seconds an execution may take; the service wants a limit.
    default_decision_duration
        how many seconds a decision may take before another decider gets it, or `"NONE"`: then
        nobody else ever gets one whose decider is lost or could not decide.
    default_child_policy
        what becomes of its children when an execution is terminated or times out: `"TERMINATE"`,
        `"REQUEST_CANCEL"` or `"ABANDON"`.
    rate_limit
        how many tasks of an execution may be open at once; further ones wait.
    deserialize_input
        takes the input's str and returns `(args, kwargs)`; by default Flowy's JSON.
    serialize_result
        takes the result and returns a str; by default Flowy's JSON.
    serialize_restart_input
        takes the arguments of `flowy.restart` and returns a str; by default Flowy's JSON.
    default_task_priority
        of the decisions; higher is sooner.
    default_lambda_role
        the ARN of the role that calls Lambda functions.
    payloads
        where inputs and results go that the service does not take, such as `S3Payloads`.
    """

    kind = "workflow"

    def __init__(
        self,
        default_task_list: str | None = None,
        default_workflow_duration: Duration | None = None,
        default_decision_duration: Duration | None = None,
        default_child_policy: str | None = None,
        rate_limit: int = 64,
        deserialize_input: Callable[[str], Any] | None = None,
        serialize_result: Callable[[Any], str] | None = None,
        serialize_restart_input: Callable[..., str] | None = None,
        default_task_priority: int | None = None,
        default_lambda_role: str | None = None,
        payloads: PayloadStore | None = None,
    ) -> None:
        if isinstance(rate_limit, bool) or not isinstance(rate_limit, int):
            raise TypeError(f"rate_limit must be an int, not {rate_limit!r}")
        if rate_limit < 1:
            raise ValueError(f"rate_limit must be at least 1, not {rate_limit!r}")
        defaults = present(
            defaultTaskList=checks.task_list(default_task_list),
            defaultExecutionStartToCloseTimeout=checks.duration(
                "default_workflow_duration", default_workflow_duration, unlimited=False
            ),
            defaultTaskStartToCloseTimeout=checks.duration(
                "default_decision_duration", default_decision_duration
            ),
            defaultChildPolicy=checks.child_policy(default_child_policy),
            defaultTaskPriority=checks.priority(default_task_priority),
            defaultLambdaRole=default_lambda_role,
        )
        codec = codec_of(
            payloads,
            serialize_input=serialize_restart_input,
            deserialize_input=deserialize_input,
            serialize_result=serialize_result,
        )
        super().__init__(defaults, codec, payloads)
        self.rate_limit = rate_limit
        self._dependencies: dict[str, Dependency] = {}
        # One for all calls: results pass from call to call as they are only within one codec.
        self._json = SizedJSON(payloads)

    def conf_activity(
        self,
        dep_name: str,
        version: int | str,
        name: str | None = None,
        task_list: str | None = None,
        heartbeat: Duration | None = None,
        schedule_to_close: Duration | None = None,
        schedule_to_start: Duration | None = None,
        start_to_close: Duration | None = None,
        serialize_input: Callable[..., str] | None = None,
        deserialize_result: Callable[[str], Any] | None = None,
        retry: RetryPolicy | Iterable[float] = RETRY,
        priority: int | None = None,
    ) -> None:
        """Configure an activity as a dependency. What is None is left to the type's defaults.

        Parameters
        ----------
        dep_name
            the dependency's name.
        version, name
            the activity's type; its name is by default that of the dependency.
        task_list, heartbeat, schedule_to_close, schedule_to_start, start_to_close, priority
            as in `SWFActivityConfig`, for this dependency alone.
        serialize_input
            takes the arguments of a call and returns a str; by default Flowy's JSON.
        deserialize_result
            takes the result's str and returns the value; by default Flowy's JSON.
        retry
            the delays in seconds before each attempt, which are for time-outs alone, or a
            `flowy.Retry`. The service waits for whole seconds, so they are rounded up.
        """
        attributes = present(
            activityType=self._type(dep_name, version, name),
            taskList=checks.task_list(task_list),
            heartbeatTimeout=checks.duration("heartbeat", heartbeat),
            scheduleToCloseTimeout=checks.duration("schedule_to_close", schedule_to_close),
            scheduleToStartTimeout=checks.duration("schedule_to_start", schedule_to_start),
            startToCloseTimeout=checks.duration("start_to_close", start_to_close),
            taskPriority=checks.priority(priority),
        )
        codec = self._call_codec(serialize_input, deserialize_result)
        self._add(dep_name, "activity", codec, retry, attributes)

    def conf_workflow(
        self,
        dep_name: str,
        version: int | str,
        name: str | None = None,
        task_list: str | None = None,
        workflow_duration: Duration | None = None,
        decision_duration: Duration | None = None,
        child_policy: str | None = None,
        serialize_input: Callable[..., str] | None = None,
        deserialize_result: Callable[[str], Any] | None = None,
        retry: RetryPolicy | Iterable[float] = RETRY,
        priority: int | None = None,
        lambda_role: str | None = None,
        tags: Iterable[str] = (),
    ) -> None:
        """Configure a workflow as a dependency. What is None is left to the type's defaults.

        Parameters
        ----------
        dep_name
            the dependency's name.
        version, name
            the workflow's type; its name is by default that of the dependency.
        task_list, workflow_duration, decision_duration, child_policy, priority, lambda_role
            as in `SWFWorkflowConfig`, for this dependency alone.
        serialize_input, deserialize_result, retry
            as in `conf_activity`.
        tags
            of the executions, at most 5.
        """
        attributes = present(
            workflowType=self._type(dep_name, version, name),
            taskList=checks.task_list(task_list),
            executionStartToCloseTimeout=checks.duration(
                "workflow_duration", workflow_duration, unlimited=False
            ),
            taskStartToCloseTimeout=checks.duration("decision_duration", decision_duration),
            childPolicy=checks.child_policy(child_policy),
            taskPriority=checks.priority(priority),
            lambdaRole=lambda_role,
            tagList=checks.tags(tags),
        )
        codec = self._call_codec(serialize_input, deserialize_result)
        self._add(dep_name, "workflow", codec, retry, attributes)

    def conf_lambda(
        self, dep_name: str, function_name: str, timeout: Duration | None = None
    ) -> None:
        """Configure an AWS Lambda function as a dependency.

        The function gets `[[args], {kwargs}]` as its event, and what it returns is the result. The
        execution needs a role: `default_lambda_role`, or `lambda_role` of the starter.

        Parameters
        ----------
        dep_name
            the dependency's name.
        function_name
            the Lambda function's name or ARN.
        timeout
            how many seconds an attempt may take; by default the service's limit.
        """
        if not isinstance(function_name, str) or not 1 <= len(function_name) <= 64:
            raise ValueError(
                f"the name of a Lambda function must have 1 to 64 characters: {function_name!r}"
            )
        attributes = present(
            name=function_name,
            startToCloseTimeout=checks.duration("timeout", timeout, unlimited=False),
        )
        # Lambda functions know nothing of Flowy.
        self._add(dep_name, "lambda", SizedJSON(packs=False), RETRY, attributes)

    def workflow(self, factory: Callable[..., Any]) -> WorkflowConfig:
        """Return the factory with its dependencies.

        Raises
        ------
        DependencyError
            the factory takes other dependencies than are configured.
        """
        workflow = WorkflowConfig(factory)
        for dependency in self._dependencies.values():
            workflow.add(dependency)
        workflow.check()
        return workflow

    def _type(self, dep_name: str, version: int | str, name: str | None) -> dict[str, str]:
        check_name(dep_name, self._dependencies, "the workflow")
        name = checks.name("name", dep_name if name is None else name)
        return TypeName(name, checks.version(version)).members

    def _call_codec(
        self,
        serialize_input: Callable[..., str] | None,
        deserialize_result: Callable[[str], Any] | None,
    ) -> Codec:
        if serialize_input is None and deserialize_result is None:
            return self._json
        return codec_of(
            self.payloads, serialize_input=serialize_input, deserialize_result=deserialize_result
        )

    def _add(
        self,
        dep_name: str,
        kind: str,
        codec: Codec,
        retry: RetryPolicy | Iterable[float],
        attributes: dict[str, Any],
    ) -> None:
        check_name(dep_name, self._dependencies, "the workflow")
        if len(dep_name) > LONGEST_NAME:
            raise ValueError(
                f"the name of a dependency of a workflow for Amazon SWF must have at most "
                f"{LONGEST_NAME} characters, not {len(dep_name)}: {dep_name!r}"
            )
        self._dependencies[dep_name] = Dependency(
            dep_name, kind, codec, retry_policy(retry), Target(attributes)
        )


def codec_of(store: PayloadStore | None, **functions: Callable[..., Any] | None) -> Codec:
    """Return the codec for the functions that a user gave; None stands for Flowy's JSON."""
    for what, function in functions.items():
        if function is not None and not callable(function):
            raise TypeError(f"{what} must be a function, not {function!r}")
    if not any(functions.values()):
        return SizedJSON(store)
    return CustomCodec(store=store, **functions)


def configure(
    factory: Callable[..., Any], version: int | str = 1, name: str | None = None, **options: Any
) -> SWFWorkflowConfig:
    """Return a configuration that is attached to the factory. For `flowy.engine("swf")`.

    Parameters
    ----------
    factory
        the workflow.
    version, name
        its type.
    options
        what `SWFWorkflowConfig` takes.
    """
    config = SWFWorkflowConfig(**options)
    config(version, name)(factory)
    return config
