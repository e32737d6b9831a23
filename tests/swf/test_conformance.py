"""The conformance suite over the emulator: real deciders and activity workers over HTTP."""

from __future__ import annotations

import itertools
import math
import types
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.swf.fleet import DOMAIN, Fleet, Meddler, activity_config, fleet, workflow_config

from flowy.testing import conformance
from flowy.testing.conformance import Activity, Workflow, activities
from flowy_swf.activity_worker import SWFActivityWorker
from flowy_swf.registration import register_types
from flowy_swf.workflow_worker import SWFWorkflowWorker

#: The service's time-outs are whole seconds; those of the suite are that many times as long here.
SCALE = 100


class Engine:
    """Workers that learn the types of each case as it comes."""

    def __init__(self, running: Fleet, decider: SWFWorkflowWorker) -> None:
        self.fleet = running
        self.decider = decider
        self.worker = SWFActivityWorker()
        self._numbers = itertools.count()

    def run(
        self,
        factory: Any,
        activities: Mapping[str, Activity],
        workflows: Mapping[str, Workflow],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        known = {*self.decider.types, *self.worker.types}
        name = self.configure(Workflow(factory, activities, workflows))
        for types_of in (self.decider.types, self.worker.types):
            new = {each: config for each, config in types_of.items() if each not in known}
            register_types(self.fleet.client, DOMAIN, new)
        return self.fleet.run(name, *args, **kwargs)

    def configure(self, workflow: Workflow) -> str:
        """Register a workflow and what it calls under new names; return its own."""
        number = next(self._numbers)
        config = workflow_config()
        for name, activity in workflow.activities.items():
            limit = 3600 if activity.timeout is None else math.ceil(activity.timeout * SCALE)
            full_name = f"{name}-{number}"
            self.worker.register(
                activity_config(default_start_to_close=limit), activity.function, 1, full_name
            )
            config.conf_activity(name, 1, full_name, retry=activity.retry)
        for name, child in workflow.workflows.items():
            config.conf_workflow(name, 1, self.configure(child), retry=(0,))
        full_name = f"workflow-{number}"
        self.decider.register(config, workflow.factory, 1, full_name)
        return full_name


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with fleet() as running:
        engine = Engine(running, SWFWorkflowWorker())
        running.serve(engine.decider, threads=2)
        running.serve(engine.worker, threads=4)
        yield engine


class Killed(BaseException):
    """Ends a decider, as a crash of its process does."""


class MortalDecider(SWFWorkflowWorker):
    """A decider that is killed every few calls, and replaced by a new one.

    By turns, the call that it is killed at was not made, or it was and the answer is lost. One that
    was killed before its first answer is followed by one that lives twice as long: otherwise none
    would come to the end of a history of many pages.
    """

    def __init__(self, running: Fleet) -> None:
        super().__init__()
        self._fleet = running
        self._calls = 0
        self._life = 3
        self._ended = False
        self.killed = 0

    def run(self, *args: Any, **kwargs: Any) -> None:
        while True:
            life = SWFWorkflowWorker()
            life._workflows, self._stop = self._workflows, life._stop
            if self._ended:
                return
            try:
                life.run(*args, **kwargs)
            except Killed:
                self.killed += 1
                # The decision that it had taken, if any, passes its limit.
                self._fleet.emulator.advance(60)

    def stop(self) -> None:
        self._ended = True
        super().stop()

    def meddle(self, operation: str, count: int, call: Any) -> Any:
        self._calls += 1
        dies = self._calls >= self._life
        if dies:
            self._calls = 0
            self._life *= 2
        if dies and self.killed % 2:
            raise Killed
        answer = call()
        if operation == "respond_decision_task_completed":
            self._life = 3
        if dies:
            raise Killed
        return answer


@pytest.fixture(scope="module")
def mortal_engine() -> Iterator[Engine]:
    with fleet() as running:
        decider = MortalDecider(running)
        engine = Engine(running, decider)
        running.serve(decider, client=Meddler(running.client, decider.meddle))
        running.serve(engine.worker, threads=4)
        yield engine
    assert decider.killed > 100


def skip_time(monkeypatch: pytest.MonkeyPatch, running: Fleet) -> None:
    """Have activities that take their time take the emulator's."""

    def sleep(seconds: float) -> None:
        running.emulator.advance(math.ceil(seconds * SCALE))

    monkeypatch.setattr(activities, "time", types.SimpleNamespace(sleep=sleep))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in conformance.cases()])
def test_conformance(
    case: conformance.Case, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    skip_time(monkeypatch, engine.fleet)
    case.check(engine.run, str(tmp_path))


# A time-out of an activity may pass while a lost decision passes its own, so those are left out.
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name) for case in conformance.cases(lacks=["timeouts"])]
)
def test_conformance_with_a_decider_that_is_killed_again_and_again(
    case: conformance.Case, mortal_engine: Engine, tmp_path: Any
) -> None:
    case.check(mortal_engine.run, str(tmp_path))
