from __future__ import annotations

import logging
import sys
from typing import Any

import pytest

import flowy
from flowy import events
from flowy.engine_api import ExecutionInfo, Observer, Observers, load
from flowy.events import CallId, CompleteWorkflow, TaskCompleted, TimerFired


def configure(
    factory: Any, workers: int = 1, *, codec: str = "json", **more: Any
) -> dict[str, Any]:
    return {"factory": factory, "workers": workers, "codec": codec, **more}


def strict(factory: Any, workers: int = 1, *, codec: str = "json") -> tuple[Any, int, str]:
    return factory, workers, codec


def bare(factory: Any) -> Any:
    return factory


@pytest.mark.parametrize("how", [strict, f"{__name__}:strict"])
def test_an_engine_configures_a_workflow(how: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)(__name__)
    module.strict = strict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, __name__, module)
    engine = flowy.Engine("mine", "my way", how)
    assert engine.workflow(dict, workers=3, codec="object") == (dict, 3, "object")
    assert engine.names == {}


@pytest.mark.parametrize(
    ("how", "option", "hint"),
    [
        (strict, "worker", "did you mean 'workers'?"),
        (strict, "codek", "did you mean 'codec'?"),
        (strict, "x", "it has workers, codec"),
        (bare, "x", "it has none"),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_one(
    how: Any, option: str, hint: str
) -> None:
    with pytest.raises(TypeError) as caught:
        flowy.Engine("mine", "my way", how).workflow(dict, **{option: 1})
    assert str(caught.value) == f"engine 'mine' has no option {option!r}; {hint}"


def test_an_engine_that_takes_any_option_gets_any() -> None:
    workflow = flowy.Engine("mine", "my way", configure).workflow(dict, color="red")
    assert workflow == {"factory": dict, "workers": 1, "codec": "json", "color": "red"}


def test_the_local_engine_refuses_an_unknown_option() -> None:
    with pytest.raises(TypeError) as caught:
        flowy.engine("local").workflow(dict, activity_worker=3)
    assert str(caught.value) == (
        "engine 'local' has no option 'activity_worker'; did you mean 'activity_workers'?"
    )


def test_no_two_executions_of_a_run_have_the_same_path() -> None:
    root = ExecutionInfo.root("Root")
    again = ExecutionInfo.root("Root", 1)
    call = CallId("sub", 0)
    child, child_again = root.child(call, "Sub"), root.child(call, "Sub", 2)
    assert [
        root,
        again,
        child,
        child_again,
        again.child(call, "Sub"),
        child_again.child(CallId("t", 1, 3), "T"),
    ] == [
        ExecutionInfo("", "Root"),
        ExecutionInfo("~1", "Root", 1),
        ExecutionInfo("sub-0-0", "Sub", 0, "", call),
        ExecutionInfo("sub-0-0~2", "Sub", 2, "", call),
        ExecutionInfo("~1/sub-0-0", "Sub", 0, "~1", call),
        ExecutionInfo("sub-0-0~2/t-1-3", "T", 0, "sub-0-0~2", CallId("t", 1, 3)),
    ]


EXECUTION = flowy.ExecutionInfo("", "ExampleWorkflow")


class Log(flowy.Observer):
    def __init__(self) -> None:
        self.told: list[Any] = []

    def execution_started(self, execution: flowy.ExecutionInfo, input: Any, time: float) -> None:
        self.told.append((execution, input, time))

    def command(self, execution: flowy.ExecutionInfo, command: Any, time: float) -> None:
        self.told.append((execution, command, time))

    def event(self, execution: flowy.ExecutionInfo, event: Any, time: float) -> None:
        self.told.append((execution, event, time))

    def run_ended(self, time: float) -> None:
        self.told.append(time)


def tell_all(observer: flowy.Observer) -> list[Any]:
    fired, complete = TimerFired(flowy.events.CallId("a", 0)), CompleteWorkflow("1")
    observer.execution_started(EXECUTION, "[]", 1.0)
    observer.event(EXECUTION, fired, 2.0)
    observer.command(EXECUTION, complete, 3.0)
    observer.run_ended(4.0)
    return [(EXECUTION, "[]", 1.0), (EXECUTION, fired, 2.0), (EXECUTION, complete, 3.0), 4.0]


def test_all_observers_are_told_everything() -> None:
    one, other = Log(), Log()
    told = tell_all(Observers([one, other]))
    assert one.told == other.told == told


CALL = CallId("a", 0, 1)


def tell_of_a_task(observer: flowy.Observer) -> None:
    observer.task_scheduled(EXECUTION, CALL, "[1]", "activity", (CallId("b", 0),), 1.0)
    observer.task_scheduled(EXECUTION, CALL, "[2]", "workflow", (), 2.0)
    observer.task_started(EXECUTION, CALL, "worker-1", 3.0)
    observer.task_completed(EXECUTION, CALL, "4", 4.0)


AS_VALUES = [
    (EXECUTION, events.ScheduleActivity(CALL, "[1]", (CallId("b", 0),)), 1.0),
    (EXECUTION, events.TaskScheduled(CALL, "[1]", "activity"), 1.0),
    (EXECUTION, events.ScheduleWorkflow(CALL, "[2]"), 2.0),
    (EXECUTION, events.TaskScheduled(CALL, "[2]", "workflow"), 2.0),
    (EXECUTION, events.TaskStarted(CALL, "worker-1"), 3.0),
    (EXECUTION, TaskCompleted(CALL, "4"), 4.0),
]


@pytest.mark.parametrize("several", [False, True])
def test_what_is_told_of_tasks_by_parts_arrives_as_commands_and_events(several: bool) -> None:
    log = Log()
    tell_of_a_task(Observers([flowy.Observer(), log]) if several else log)
    assert log.told == AS_VALUES


def test_an_observer_of_events_alone_is_told_of_tasks_by_their_events() -> None:
    told: list[Any] = []

    class Events(flowy.Observer):
        def event(self, execution: flowy.ExecutionInfo, event: Any, time: float) -> None:
            told.append((execution, event, time))

    tell_of_a_task(Events())
    commands = (events.ScheduleActivity, events.ScheduleWorkflow)
    assert told == [each for each in AS_VALUES if not isinstance(each[1], commands)]


def test_an_observer_may_take_what_is_told_of_tasks_by_parts() -> None:
    class Parts(Log):
        def task_scheduled(self, execution: Any, *parts: Any) -> None:
            self.told.append(parts)

        def task_started(self, execution: Any, *parts: Any) -> None:
            self.told.append(parts)

        def task_completed(self, execution: Any, *parts: Any) -> None:
            self.told.append(parts)

    one, other = Parts(), Log()
    tell_of_a_task(Observers([one, other]))
    assert one.told == [
        (CALL, "[1]", "activity", (CallId("b", 0),), 1.0),
        (CALL, "[2]", "workflow", (), 2.0),
        (CALL, "worker-1", 3.0),
        (CALL, "4", 4.0),
    ]
    assert other.told == AS_VALUES


@pytest.mark.parametrize("method", ["task_scheduled", "task_started", "task_completed"])
def test_an_observer_that_fails_at_a_part_is_dropped(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("no disk")

    failing, log = flowy.Observer(), Log()
    setattr(failing, method, fail)
    every = Observers([failing, log])
    tell_of_a_task(every)
    tell_of_a_task(every)
    assert log.told == AS_VALUES * 2
    [record] = caplog.records
    assert record.getMessage() == (
        f"observer {failing!r} failed in {method}() and is told nothing more; the run goes on"
    )


def test_nothing_is_told_after_the_end_of_a_run() -> None:
    log = Log()
    observers = Observers([log])
    told = tell_all(observers)
    tell_of_a_task(observers)
    tell_all(observers)
    assert log.told == told


def test_an_observer_that_fails_at_the_end_does_not_keep_it_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(flowy.Observer):
        def run_ended(self, time: float) -> None:
            raise OSError("no disk")

        def __repr__(self) -> str:
            return "<failing>"

    log = Log()
    Observers([Failing(), log]).run_ended(1.0)
    assert log.told == [1.0]
    assert [each.getMessage() for each in caplog.records] == [
        "observer <failing> failed in run_ended() and is told nothing more; the run goes on"
    ]


def test_an_observer_that_is_none_fails_when_it_is_told_something(
    caplog: pytest.LogCaptureFixture,
) -> None:
    none: Any = object()
    log = Log()
    tell_of_a_task(Observers([none, log]))
    assert log.told == AS_VALUES
    assert [each.getMessage() for each in caplog.records] == [
        f"observer {none!r} failed in task_scheduled() and is told nothing more; the run goes on"
    ]


def test_an_observer_that_overrides_nothing_does_nothing() -> None:
    observer = flowy.Observer()
    tell_all(observer)
    assert vars(observer) == {}


def test_a_failing_observer_is_logged_once_and_told_nothing_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(Log):
        def event(self, execution: flowy.ExecutionInfo, event: Any, time: float) -> None:
            raise OSError("no disk")

        def __repr__(self) -> str:
            return "<failing>"

    failing, other = Failing(), Log()
    observers = Observers([failing, other])
    assert observers
    told = tell_all(observers)
    assert other.told == told
    assert failing.told == told[:1]
    assert [(each.name, each.levelno, each.getMessage()) for each in caplog.records] == [
        (
            "flowy",
            logging.ERROR,
            "observer <failing> failed in event() and is told nothing more; the run goes on",
        )
    ]
    assert caplog.records[0].exc_info is not None
    assert not Observers([])


def test_a_failing_observer_never_fails_a_run(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(flowy.Observer):
        def execution_started(self, *_: Any) -> None:
            raise OSError("no disk")

    def answer() -> Any:
        return lambda: 42

    workflow = flowy.LocalWorkflow(answer)
    assert workflow.run(_observers=[Failing()]) == 42
    assert len(caplog.records) == 1


def test_a_reference_is_loaded() -> None:
    assert load("collections.abc:Mapping.get") is __import__("collections").abc.Mapping.get


@pytest.mark.parametrize("reference", ["json", "json:", ":loads", ""])
def test_what_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match="reference") as caught:
        load(reference)
    assert str(caught.value) == f"{reference!r} is no reference; expected 'module:attribute'"


def test_a_reference_to_what_is_not_there_is_an_import_error() -> None:
    with pytest.raises(ImportError) as caught:
        load("json:loadz")
    assert str(caught.value) == "'json' has no attribute 'loadz'"
    with pytest.raises(ImportError) as caught:
        load("no_such_module:x")
    assert str(caught.value) == "No module named 'no_such_module'"


@pytest.mark.parametrize(
    ("what", "arguments"),
    [
        ("execution_started", (ExecutionInfo("", "Example"), "[[], {}]", 1.0)),
        ("command", (ExecutionInfo("", "Example"), CompleteWorkflow("1"), 1.0)),
        ("event", (ExecutionInfo("", "Example"), TaskCompleted(CallId("a", 0), "1"), 1.0)),
    ],
)
def test_an_observer_that_fails_is_told_nothing_more_and_the_others_are(
    what: str, arguments: tuple[Any, ...], caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    class Failing(Observer):
        def __repr__(self) -> str:
            return "<failing>"

    class Telling(Observer):
        pass

    def fail(*_: Any) -> None:
        told.append("failing")
        raise ZeroDivisionError("broken")

    failing, telling = Failing(), Telling()
    setattr(failing, what, fail)
    setattr(telling, what, lambda *_: told.append("telling"))
    observers = Observers([failing, telling])
    getattr(observers, what)(*arguments)
    getattr(observers, what)(*arguments)
    assert told == ["failing", "telling", "telling"]
    [record] = caplog.records
    assert record.getMessage() == (
        f"observer <failing> failed in {what}() and is told nothing more; the run goes on"
    )
