"""The engine passes the conformance suite. It cannot stop a task, so it has no time limits."""

from typing import Any

import flowy
from flowy.testing import conformance


def configured(factory: Any, activities: Any, workflows: Any) -> Any:
    workflow = flowy.engine("serial").workflow(factory)
    for name, activity in activities.items():
        workflow.conf_activity(name, activity.function, retry=activity.retry)
    for name, child in workflows.items():
        workflow.conf_workflow(name, configured(*child))
    return workflow


def run(factory: Any, activities: Any, workflows: Any, args: Any, kwargs: Any) -> Any:
    return configured(factory, activities, workflows).run(*args, **kwargs)


test_conformance = conformance.pytest_cases(run, lacks=["timeouts"])
