"""What calls to the public names may rely on: 0.4.1 had them, by position too. More may follow."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import flowy

RUN = (
    "self, domain, task_list, swf_client=None, setup_log=True, register_remote=True, identity=None"
)
SIGNATURES = {
    "SWFActivityConfig": (
        "default_task_list=None, default_heartbeat=None, default_schedule_to_close=None, "
        "default_schedule_to_start=None, default_start_to_close=None, deserialize_input=None, "
        "serialize_result=None"
    ),
    "SWFActivityConfig.__call__": "self, version=1, name=None",
    "SWFWorkflowConfig": (
        "default_task_list=None, default_workflow_duration=None, default_decision_duration=None, "
        "default_child_policy=None, rate_limit=64, deserialize_input=None, serialize_result=None, "
        "serialize_restart_input=None"
    ),
    "SWFWorkflowConfig.__call__": "self, version=1, name=None",
    "SWFWorkflowConfig.conf_activity": (
        "self, dep_name, version, name=None, task_list=None, heartbeat=None, "
        "schedule_to_close=None, schedule_to_start=None, start_to_close=None, "
        "serialize_input=None, deserialize_result=None, retry=(0, 0, 0), priority=None"
    ),
    "SWFWorkflowConfig.conf_workflow": (
        "self, dep_name, version, name=None, task_list=None, workflow_duration=None, "
        "decision_duration=None, child_policy=None, serialize_input=None, "
        "deserialize_result=None, retry=(0, 0, 0)"
    ),
    "SWFWorkflowConfig.conf_lambda": "self, dep_name, function_name, timeout=None",
    "SWFActivityWorker.register": "self, config, func, version=1, name=None",
    "SWFActivityWorker.scan": "self, package=None",
    "SWFActivityWorker.run_forever": RUN,
    "SWFActivityWorker.run": f"{RUN}, processes=1, threads=1",
    "SWFWorkflowWorker.register": "self, config, func, version=1, name=None",
    "SWFWorkflowWorker.scan": "self, package=None",
    "SWFWorkflowWorker.run_forever": RUN,
    "SWFWorkflowWorker.run": f"{RUN}, processes=1, threads=1",
    "SWFWorkflowStarter": (
        "domain, name, version, swf_client=None, task_list=None, task_duration=None, "
        "workflow_duration=None, wid=None, tags=None, serialize_input=None, child_policy=None, "
        "priority=None, lambda_role=None"
    ),
    "SWFWorkflowHandle.result": "self, timeout=None",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_begins_as_it_always_has(name: str) -> None:
    function: Any = flowy
    for part in name.split("."):
        function = getattr(function, part)
    parameters = inspect.signature(function).parameters.values()
    taken = [
        each.name if each.default is each.empty else f"{each.name}={each.default!r}"
        for each in parameters
    ]
    assert f"{', '.join(taken)}, ".startswith(f"{SIGNATURES[name]}, ")
