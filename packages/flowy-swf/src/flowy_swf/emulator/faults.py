"""The errors the service answers with: one class, one table, and a function for each message."""

from __future__ import annotations

from flowy_swf.emulator.model import Json

_SWF = "com.amazonaws.swf.base.model"
_CORAL = "com.amazon.coral.service"

#: Where an error that is no SWF fault belongs, and its HTTP status.
_ELSEWHERE = {
    "ValidationException": ("com.amazon.coral.validate", 400),
    "SerializationException": (_CORAL, 400),
    "UnknownOperationException": (_CORAL, 400),
    "AccessDeniedException": (_CORAL, 400),
    "UnrecognizedClientException": (_CORAL, 400),
    "ThrottlingException": ("com.amazon.coral.availability", 400),
    "InternalFailure": (_CORAL, 500),
    "ServiceUnavailable": (_CORAL, 503),
}


class Fault(Exception):
    """An error answer of the service.

    ``name`` is what boto3 gives as the error's code, ``message`` its text, ``status`` the HTTP
    status.
    """

    def __init__(self, name: str, message: str | None = None) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message
        self.namespace, self.status = _ELSEWHERE.get(name, (_SWF, 400))

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"

    def body(self) -> Json:
        """Give the body of the error's HTTP answer."""
        body: Json = {"__type": f"{self.namespace}#{self.name}"}
        if self.message is not None:
            body["message"] = self.message
        return body


def validation(*problems: str) -> Fault:
    """Report requests that are well formed but break a constraint, all of them at once."""
    count = len(problems)
    plural = "" if count == 1 else "s"
    text = f"{count} validation error{plural} detected: {'; '.join(problems)}"
    return Fault("ValidationException", text)


def invalid(message: str) -> Fault:
    """Report a request whose members do not fit together."""
    return Fault("ValidationException", message)


def serialization(message: str) -> Fault:
    """Report a body that is no JSON object or holds values of the wrong kind."""
    return Fault("SerializationException", message)


def unknown_domain(name: str) -> Fault:
    """Report a domain nobody registered."""
    return Fault("UnknownResourceFault", f"Unknown domain: {name}")


def unknown_type(label: str) -> Fault:
    """Report a type that is not registered in the domain."""
    return Fault("UnknownResourceFault", f"Unknown type: {label}")


def unknown_execution(workflow_id: str, run_id: str = "") -> Fault:
    """Report an execution that does not exist, or is closed where an open one is asked for."""
    if run_id:
        label = f"WorkflowExecution=[workflowId={workflow_id}, runId={run_id}]"
        return Fault("UnknownResourceFault", f"Unknown execution: {label}")
    return Fault("UnknownResourceFault", f"Unknown execution, workflowId = {workflow_id}")


def unknown_task(kind: str, scheduled_id: int) -> Fault:
    """Report a task token whose task is no longer open."""
    return Fault("UnknownResourceFault", f"Unknown {kind}, scheduledEventId = {scheduled_id}")


def limit_exceeded(what: str) -> Fault:
    """Report a quota of the account that is used up."""
    return Fault("LimitExceededFault", what)
