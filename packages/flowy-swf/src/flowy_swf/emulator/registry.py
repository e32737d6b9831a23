"""Domains and types: registering, deprecating, deleting, describing, tagging."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from flowy_swf.emulator import faults
from flowy_swf.emulator.execution import present
from flowy_swf.emulator.model import Json
from flowy_swf.emulator.paging import page_of

if TYPE_CHECKING:
    from flowy_swf.emulator.state import State

Kind = Literal["activity", "workflow"]
_ARN = "arn:aws:swf:us-east-1:123456789012:/domain/"
_TAGS = 50


class RegisteredType:
    """A type of activities or of workflows, in one version."""

    def __init__(self, kind: Kind, request: Json, now: int) -> None:
        self.kind = kind
        self.ids = {"name": request["name"], "version": request["version"]}
        self.description = request.get("description")
        self.creation = now
        self.deprecation: int | None = None
        #: What is used where a decision or a request says nothing: its ``default...`` members.
        self.configuration = {
            member: value for member, value in request.items() if member.startswith("default")
        }

    @property
    def label(self) -> str:
        """Name the type as messages of the service do."""
        return type_label(self.kind, self.ids)

    def info(self) -> Json:
        """Describe the type without its configuration."""
        return present(
            **{f"{self.kind}Type": self.ids},
            status="REGISTERED" if self.deprecation is None else "DEPRECATED",
            description=self.description,
            creationDate=self.creation / 1000,
            deprecationDate=None if self.deprecation is None else self.deprecation / 1000,
        )


class Domain:
    """A domain with its types."""

    def __init__(self, request: Json) -> None:
        self.name: str = request["name"]
        self.description = request.get("description")
        self.retention = request["workflowExecutionRetentionPeriodInDays"]
        self.deprecated = False
        self.tags: dict[str, str | None] = {}
        self.types: dict[Kind, dict[tuple[str, str], RegisteredType]]
        self.types = {"activity": {}, "workflow": {}}

    def info(self) -> Json:
        """Describe the domain without its configuration."""
        return present(
            name=self.name,
            status="DEPRECATED" if self.deprecated else "REGISTERED",
            description=self.description,
            arn=_ARN + self.name,
        )

    def find_type(self, kind: Kind, ids: Json) -> RegisteredType | None:
        """Give the type of that name and version, deprecated or not."""
        return self.types[kind].get((ids["name"], ids["version"]))

    def add_tags(self, tags: list[Json]) -> None:
        """Set tags; a key that is set already gets the new value."""
        merged = {**self.tags, **{tag["key"]: tag.get("value") for tag in tags}}
        if len(merged) > _TAGS:
            raise faults.Fault("TooManyTagsFault", f"a domain has {_TAGS} tags at most")
        self.tags = merged


def type_label(kind: Kind, ids: Json) -> str:
    """Name a type as messages of the service do."""
    return f"{kind.title()}Type=[name={ids['name']}, version={ids['version']}]"


def _register_domain(state: State, request: Json) -> Json:
    name = request["name"]
    if name in state.domains:
        raise faults.Fault("DomainAlreadyExistsFault", name)
    if len(state.domains) >= state.quotas.domains:
        raise faults.limit_exceeded(f"an account has {state.quotas.domains} domains at most")
    domain = Domain(request)
    domain.add_tags(request.get("tags", []))
    state.domains[name] = domain
    return {}


def _deprecate_domain(state: State, request: Json) -> Json:
    domain = state.domain(request["name"])
    if domain.deprecated:
        raise faults.Fault("DomainDeprecatedFault", domain.name)
    domain.deprecated = True
    for types in domain.types.values():
        for each in types.values():
            if each.deprecation is None:
                each.deprecation = state.now
    return {}


def _undeprecate_domain(state: State, request: Json) -> Json:
    domain = state.domain(request["name"])
    if not domain.deprecated:
        raise faults.Fault("DomainAlreadyExistsFault", domain.name)
    domain.deprecated = False
    return {}


def _describe_domain(state: State, request: Json) -> Json:
    domain = state.domain(request["name"])
    return {
        "domainInfo": domain.info(),
        "configuration": {"workflowExecutionRetentionPeriodInDays": domain.retention},
    }


def _list_domains(state: State, request: Json) -> Json:
    wanted = request["registrationStatus"]
    infos = [state.domains[name].info() for name in sorted(state.domains)]
    found = [((info["name"],), info) for info in infos if info["status"] == wanted]
    return page_of("domainInfos", found, request, state.now, descending=False)


def _register_type(kind: Kind, state: State, request: Json) -> Json:
    domain = state.active_domain(request["domain"])
    new = RegisteredType(kind, request, state.now)
    if domain.find_type(kind, new.ids) is not None:
        raise faults.Fault("TypeAlreadyExistsFault", new.label)
    if sum(map(len, domain.types.values())) >= state.quotas.types:
        raise faults.limit_exceeded(f"a domain has {state.quotas.types} types at most")
    domain.types[kind][new.ids["name"], new.ids["version"]] = new
    return {}


def _find_type(kind: Kind, state: State, request: Json) -> RegisteredType:
    ids = request[f"{kind}Type"]
    found = state.domain(request["domain"]).find_type(kind, ids)
    if found is None:
        raise faults.unknown_type(type_label(kind, ids))
    return found


def _deprecate_type(kind: Kind, state: State, request: Json) -> Json:
    found = _find_type(kind, state, request)
    if found.deprecation is not None:
        raise faults.Fault("TypeDeprecatedFault", found.label)
    found.deprecation = state.now
    return {}


def _undeprecate_type(kind: Kind, state: State, request: Json) -> Json:
    found = _find_type(kind, state, request)
    if found.deprecation is None:
        raise faults.Fault("TypeAlreadyExistsFault", found.label)
    found.deprecation = None
    return {}


def _delete_type(kind: Kind, state: State, request: Json) -> Json:
    found = _find_type(kind, state, request)
    if found.deprecation is None:
        raise faults.Fault("TypeNotDeprecatedFault", found.label)
    del state.domain(request["domain"]).types[kind][found.ids["name"], found.ids["version"]]
    return {}


def _describe_type(kind: Kind, state: State, request: Json) -> Json:
    found = _find_type(kind, state, request)
    return {"typeInfo": found.info(), "configuration": found.configuration}


def _list_types(kind: Kind, state: State, request: Json) -> Json:
    domain = state.domain(request["domain"])
    wanted, name = request["registrationStatus"], request.get("name")
    found = [
        (list(key), each.info())
        for key, each in sorted(domain.types[kind].items())
        if name in (None, key[0]) and (each.deprecation is None) == (wanted == "REGISTERED")
    ]
    return page_of("typeInfos", found, request, state.now, descending=False)


def _domain_of_arn(state: State, request: Json) -> Domain:
    arn = request["resourceArn"]
    if not arn.startswith(_ARN):
        raise faults.Fault("UnknownResourceFault", f"Unknown resource: {arn}")
    return state.domain(arn[len(_ARN) :])


def _tag_resource(state: State, request: Json) -> Json:
    _domain_of_arn(state, request).add_tags(request["tags"])
    return {}


def _untag_resource(state: State, request: Json) -> Json:
    domain = _domain_of_arn(state, request)
    domain.tags = {k: v for k, v in domain.tags.items() if k not in request["tagKeys"]}
    return {}


def _list_tags(state: State, request: Json) -> Json:
    tags = _domain_of_arn(state, request).tags
    return {"tags": [present(key=key, value=value) for key, value in tags.items()]}


OPERATIONS: dict[str, Callable[[State, Json], Json]] = {
    "RegisterDomain": _register_domain,
    "DeprecateDomain": _deprecate_domain,
    "UndeprecateDomain": _undeprecate_domain,
    "DescribeDomain": _describe_domain,
    "ListDomains": _list_domains,
    "RegisterActivityType": partial(_register_type, "activity"),
    "DeprecateActivityType": partial(_deprecate_type, "activity"),
    "UndeprecateActivityType": partial(_undeprecate_type, "activity"),
    "DeleteActivityType": partial(_delete_type, "activity"),
    "DescribeActivityType": partial(_describe_type, "activity"),
    "ListActivityTypes": partial(_list_types, "activity"),
    "RegisterWorkflowType": partial(_register_type, "workflow"),
    "DeprecateWorkflowType": partial(_deprecate_type, "workflow"),
    "UndeprecateWorkflowType": partial(_undeprecate_type, "workflow"),
    "DeleteWorkflowType": partial(_delete_type, "workflow"),
    "DescribeWorkflowType": partial(_describe_type, "workflow"),
    "ListWorkflowTypes": partial(_list_types, "workflow"),
    "TagResource": _tag_resource,
    "UntagResource": _untag_resource,
    "ListTagsForResource": _list_tags,
}
