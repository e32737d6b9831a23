"""The local engine passes the conformance suite, however it runs activities and stops its code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flowy.testing import conformance
from flowy_local import LocalWorkflow


def configured(
    factory: Callable[..., Any],
    activities: Mapping[str, conformance.Activity],
    workflows: Mapping[str, conformance.Workflow],
    **options: Any,
) -> LocalWorkflow:
    workflow = LocalWorkflow(factory, **options)
    for name, (function, retry, timeout) in activities.items():
        workflow.conf_activity(name, function, retry=retry, timeout=timeout)
    for name, child in workflows.items():
        workflow.conf_workflow(name, configured(*child, **options))
    return workflow


def local(**options: Any) -> conformance.Run:
    def run(
        factory: Any, activities: Any, workflows: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        return configured(factory, activities, workflows, **options).run(*args, **kwargs)

    return run


def passes_on(child: Any) -> Any:
    return lambda *args, **kwargs: child(*args, **kwargs)


def suspending(
    factory: Any, activities: Any, workflows: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run the workflow as a child, because only a child's code can be suspended at every wait."""
    parent = LocalWorkflow(passes_on)
    parent.conf_workflow("child", configured(factory, activities, workflows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flowy_local.execution.PARK_FROM", sys.maxsize)
        return parent.run(*args, **kwargs)


test_on_threads = conformance.pytest_cases(local())
test_on_one_thread = conformance.pytest_cases(local(activity_workers=1, workflow_workers=1))
test_on_processes = conformance.pytest_cases(local(executor="processes"))
test_with_objects = conformance.pytest_cases(local(codec="object"), lacks=["json"])
test_on_an_executor = conformance.pytest_cases(local(executor=ThreadPoolExecutor))
test_suspended_at_every_wait = conformance.pytest_cases(suspending)
