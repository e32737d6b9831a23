"""The policy in the guide to Amazon SWF allows what Flowy asks for, and nothing else."""

from __future__ import annotations

import json
import re

import pytest
from tests.docs.manual import DOCS, ROOT

session = pytest.importorskip("botocore.session")
SWF = ROOT / "packages/flowy-swf/src/flowy_swf"
FLOWY = "\n".join(
    path.read_text(encoding="utf-8")
    for path in [
        *SWF.glob("*.py"),
        *(SWF / "commands").glob("*.py"),
        ROOT / "packages/flowy-trace/src/flowy_trace/swf_service.py",
    ]
)
#: operations whose names are put together, and the beginning of what does so
PUT_TOGETHER = {
    "CountPendingActivityTasks": 'f"count_pending_{',
    "CountPendingDecisionTasks": 'f"count_pending_{',
}
#: what needs no permission in this policy: it is for another resource, or the service asks for none
ELSEWHERE = {"RegisterDomain", "ScheduleLambdaFunction"}


def _asked_for() -> set[str]:
    """Return the operations and decisions that stand in the sources of Flowy."""
    from botocore import xform_name

    service = session.get_session().get_service_model("swf")
    operations = {
        name
        for name in service.operation_names
        if re.search(rf"\b{xform_name(name)}\b", FLOWY) or PUT_TOGETHER.get(name, "\0") in FLOWY
    }
    decisions = {
        name for name in service.shape_for("DecisionType").enum if re.search(rf'"{name}"', FLOWY)
    }
    return operations | decisions


def test_the_policy_has_all_permissions_that_are_needed_and_no_others() -> None:
    (policy,) = re.findall(
        r'^```json\n(\{\n  "Version".*?)^```', (DOCS / "swf.md").read_text("utf-8"), re.M | re.S
    )
    allowed = {
        action.removeprefix("swf:")
        for statement in json.loads(policy)["Statement"]
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
        if action.startswith("swf:")
    }
    assert allowed == _asked_for() - ELSEWHERE
