"""What went wrong with Amazon SWF, in a line that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowy.errors import TaskError
from flowy.serialization import PayloadError
from flowy_swf.calls import code_of
from flowy_swf.handle import REFUSED_CREDENTIALS, ExecutionClosedError, UnknownExecutionError
from flowy_swf.payloads import PayloadStoreError, PayloadTooLargeError
from flowy_swf.registration import SWFRegistrationError
from flowy_swf.starter import WorkflowAlreadyStartedError


class BrokenModuleError(Exception):
    """A module cannot be imported, or contradicts itself, or cannot go to other processes."""


#: errors that say themselves what to do
_CLEAR = (
    BrokenModuleError,
    ExecutionClosedError,
    PayloadError,
    PayloadStoreError,
    PayloadTooLargeError,
    SWFRegistrationError,
    UnknownExecutionError,
    WorkflowAlreadyStartedError,
)
_CREDENTIALS = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or --profile"
#: what to do about an answer of the service, by its code
_REMEDIES = {
    "AccessDeniedException": "the credentials do not allow it: see the policies of who they are of",
    "DefaultUndefinedFault": "neither the command line nor the type says this",
    "DomainDeprecatedFault": "the domain is deprecated: use another one",
    "LimitExceededFault": "a quota of Amazon SWF is reached: try again later",
    "OperationNotPermittedFault": "the credentials do not allow it, or the request needs another "
    "region or domain",
    "ThrottlingException": "there are too many calls: try again later",
    "TypeDeprecatedFault": "use a newer version, or undeprecate the type",
    **dict.fromkeys(REFUSED_CREDENTIALS, _CREDENTIALS),
}
#: what to do about what is not there, by how the service's message begins
_UNKNOWN = {
    "Unknown domain": "check --domain and --region, or create it with `flowy swf register "
    "--create-domain`",
    "Unknown execution": "see `flowy swf list`; a closed one is forgotten after the domain's "
    "retention period",
    "Unknown type": "register it with `flowy swf register MODULE`",
}


def told(exc: Exception) -> str | None:
    """Return what to tell of an error; None if it is none that can be expected here."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(exc, TaskError):
        where = f"\n\nwhere it happened:\n{exc.traceback.rstrip()}" if exc.traceback else ""
        return f"{exc.summary()}{where}"
    if isinstance(exc, _CLEAR) or type(exc) is TimeoutError:
        return str(exc)
    if isinstance(exc, ClientError):
        return _of_service(exc)
    if isinstance(exc, BotoCoreError):
        return _of_client(exc)
    return None


def _of_service(exc: Any) -> str:
    code = code_of(exc)
    message = exc.response["Error"].get("Message") or "the service gave no reason"
    remedy = _REMEDIES.get(code, "")
    if code == "UnknownResourceFault":
        remedy = next((_UNKNOWN[start] for start in _UNKNOWN if message.startswith(start)), "")
    return f"{code}: {message}{f'; {remedy}' if remedy else ''}"


def _of_client(exc: Any) -> str:
    for names, tell in _CLIENT:
        if any(each.__name__ in names for each in type(exc).__mro__):
            return tell(exc)
    return f"{type(exc).__name__}: {exc}"


#: errors of the client before there is an answer, by the names of their classes
_CLIENT: tuple[tuple[tuple[str, ...], Callable[[Any], str]], ...] = (
    (
        ("NoRegionError",),
        lambda _: "no region: give --region NAME, or set AWS_DEFAULT_REGION",
    ),
    (
        ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"),
        lambda exc: f"no credentials ({exc}): {_CREDENTIALS}",
    ),
    (
        ("ProfileNotFound",),
        lambda exc: f"{str(exc)[:1].lower()}{str(exc)[1:]}: check --profile and AWS_PROFILE",
    ),
    (
        ("HTTPClientError", "ConnectionError"),
        lambda exc: (
            f"the service cannot be reached ({exc}): check --region, --endpoint-url and the network"
        ),
    ),
)
