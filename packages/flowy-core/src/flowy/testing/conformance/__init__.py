"""The conformance suite: the rules that workflows live by, as cases that every engine passes.

An engine's author writes one function,

    def run(factory, activities, workflows, args, kwargs): ...

which configures the workflow for the engine, runs it, and returns its result or raises its error.
`activities` maps names to `Activity`, and `workflows` maps names to `Workflow`: a child's own
factory, activities and workflows. The rest is `check(run)`, or, with pytest,
`test_conformance = pytest_cases(run)`.
"""

from flowy.testing.conformance.case import FEATURES as FEATURES
from flowy.testing.conformance.case import Activity as Activity
from flowy.testing.conformance.case import Case as Case
from flowy.testing.conformance.case import Raises as Raises
from flowy.testing.conformance.case import Run as Run
from flowy.testing.conformance.case import Workflow as Workflow
from flowy.testing.conformance.suite import cases as cases
from flowy.testing.conformance.suite import check as check
from flowy.testing.conformance.suite import pytest_cases as pytest_cases
