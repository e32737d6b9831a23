"""Random calls from several deciders, workers and clients, and what must hold whatever they do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from flowy_swf.emulator import Emulator, Fault, Quotas
from flowy_swf.emulator.execution import CLOSE_STATUS, WAKING, Execution
from flowy_swf.emulator.model import member_of
from flowy_swf.emulator.visibility import open_counts

Json = dict[str, Any]

IDS = st.sampled_from(["a", "b", "c"])
WORKFLOW_IDS = st.sampled_from(["w", "x", "y"])
LISTS = st.sampled_from(["one", "one", "one", "two"])
SECONDS = st.sampled_from(["NONE", "30", "10", "3", "0"])
LIMITED = st.sampled_from(["90", "30", "10", "1", "0"])
TYPES = st.sampled_from(["t", "t", "t", "t", "bare", "no"]).map(
    lambda name: {"name": name, "version": "1"}
)
POLICIES = st.sampled_from(["TERMINATE", "REQUEST_CANCEL", "ABANDON"])
TASK_LISTS = st.fixed_dictionaries({"name": LISTS})
OUTCOMES = st.sampled_from(["Completed", "Failed", "Canceled"])
VERBS = st.sampled_from(["Signal", "Signal", "Signal", "RequestCancel", "Terminate"])
EVERYTHING = {"domain": "d", "startTimeFilter": {"oldestDate": 0}}


def _of(kind: str, optional: Json | None = None, **members: Any) -> st.SearchStrategy[Json]:
    attributes = st.fixed_dictionaries(members, optional=optional or {})
    return st.fixed_dictionaries(
        {"decisionType": st.just(kind), member_of(kind, "Decision"): attributes}
    )


_EXECUTION_OPTIONS: Json = {
    "executionStartToCloseTimeout": st.sampled_from(["1000", "100", "10", "1"]),
    "taskStartToCloseTimeout": SECONDS,
    "taskList": TASK_LISTS,
    "childPolicy": POLICIES,
    "taskPriority": st.sampled_from(["-1", "5"]),
}
_SCHEDULE = _of(
    "ScheduleActivityTask",
    {
        "scheduleToStartTimeout": SECONDS,
        "scheduleToCloseTimeout": SECONDS,
        "startToCloseTimeout": SECONDS,
        "heartbeatTimeout": SECONDS,
        "taskPriority": st.sampled_from(["-1", "5"]),
    },
    activityType=TYPES,
    activityId=IDS,
)
DECISIONS = st.one_of(
    _SCHEDULE,
    _SCHEDULE,
    _SCHEDULE,
    _of("RequestCancelActivityTask", activityId=IDS),
    _of("RecordMarker", markerName=IDS),
    _of("StartTimer", timerId=IDS, startToFireTimeout=LIMITED),
    _of("CancelTimer", timerId=IDS),
    _of(
        "StartChildWorkflowExecution",
        _EXECUTION_OPTIONS,
        workflowType=TYPES,
        workflowId=WORKFLOW_IDS,
    ),
    _of("SignalExternalWorkflowExecution", workflowId=WORKFLOW_IDS, signalName=IDS),
    _of("RequestCancelExternalWorkflowExecution", workflowId=WORKFLOW_IDS),
    _of("ScheduleLambdaFunction", id=IDS, name=IDS),
)
CLOSING = st.one_of(
    _of("CompleteWorkflowExecution"),
    _of("FailWorkflowExecution"),
    _of("CancelWorkflowExecution"),
    _of("ContinueAsNewWorkflowExecution", _EXECUTION_OPTIONS),
)
BATCHES = st.tuples(st.lists(DECISIONS, max_size=4), st.lists(CLOSING, max_size=1)).map(
    lambda parts: parts[0] + parts[1]
)
#: Batches that nothing may be done of.
WRONG = st.one_of(
    st.just([{"decisionType": "Sleep"}]),
    st.just([{"decisionType": "StartTimer"}]),
    st.tuples(CLOSING, DECISIONS).map(list),
)

#: What each closing event of a task, timer or child refers to, and the events it may name.
_SCHEDULED = {"ActivityTask", "DecisionTask", "LambdaFunction"}
_OUTCOMES = ("Completed", "Failed", "TimedOut", "Canceled")


class Service(RuleBasedStateMachine):
    decisions: Bundle[Json] = Bundle("decisions")
    activities: Bundle[Json] = Bundle("activities")

    def __init__(self) -> None:
        super().__init__()
        quotas = Quotas(
            open_activities=2, open_timers=2, open_children=2, open_executions=3, events=60
        )
        self.emulator = Emulator(clock="virtual", long_poll=0, quotas=quotas, retention=500)
        self.call("RegisterDomain", name="d", workflowExecutionRetentionPeriodInDays="1")
        for kind, defaults in (
            (
                "Workflow",
                {
                    "defaultExecutionStartToCloseTimeout": "100",
                    "defaultTaskStartToCloseTimeout": "20",
                    "defaultChildPolicy": "TERMINATE",
                },
            ),
            (
                "Activity",
                {
                    "defaultTaskScheduleToStartTimeout": "NONE",
                    "defaultTaskScheduleToCloseTimeout": "60",
                    "defaultTaskStartToCloseTimeout": "NONE",
                    "defaultTaskHeartbeatTimeout": "NONE",
                },
            ),
        ):
            register = f"Register{kind}Type"
            self.call(
                register,
                domain="d",
                name="t",
                version="1",
                defaultTaskList={"name": "one"},
                **defaults,
            )
            self.call(register, domain="d", name="bare", version="1")
        #: How much of each history was seen, and which starts were given out.
        self.seen: dict[str, list[Json]] = {}
        self.given: set[str] = set()

    def call(self, operation: str, **request: Any) -> Json:
        return self.emulator.call(operation, request)

    def attempt(self, operation: str, **request: Any) -> Json | None:
        """Make a call that may be refused, in order."""
        try:
            return self.call(operation, **request)
        except Fault as fault:
            if fault.status != 400:
                raise
            return None

    @rule(
        workflow_id=WORKFLOW_IDS,
        workflow_type=TYPES,
        options=st.fixed_dictionaries({}, optional=_EXECUTION_OPTIONS),
    )
    def start_one(self, workflow_id: str, workflow_type: Json, options: Json) -> None:
        self.start(workflow_id, workflow_type, options)

    def start(self, workflow_id: str, workflow_type: Json, options: Json) -> None:
        self.attempt(
            "StartWorkflowExecution",
            domain="d",
            workflowId=workflow_id,
            workflowType=workflow_type,
            **options,
        )

    @initialize(options=st.fixed_dictionaries({}, optional=_EXECUTION_OPTIONS))
    def begin(self, options: Json) -> None:
        self.start("w", {"name": "t", "version": "1"}, options)

    def take(self, operation: str, name: str) -> Any:
        task = self.call(operation, domain="d", taskList={"name": name})
        if "taskToken" not in task:
            return multiple()
        assert task["taskToken"] not in self.given, "a task was given out twice"
        self.given.add(task["taskToken"])
        return task

    @rule(target=decisions, name=LISTS)
    def poll_decision(self, name: str) -> Any:
        return self.take("PollForDecisionTask", name)

    @rule(name=LISTS, batch=BATCHES)
    def take_a_turn(self, name: str, batch: list[Json]) -> None:
        """Poll and decide at once, as a decider does whom nothing happens to."""
        task = self.call("PollForDecisionTask", domain="d", taskList={"name": name})
        if "taskToken" in task:
            token = task["taskToken"]
            self.attempt("RespondDecisionTaskCompleted", taskToken=token, decisions=batch)

    @rule(target=activities, name=LISTS)
    def poll_activity(self, name: str) -> Any:
        return self.take("PollForActivityTask", name)

    @rule(
        task=decisions,
        batch=BATCHES,
        options=st.fixed_dictionaries(
            {}, optional={"taskList": TASK_LISTS, "executionContext": IDS}
        ),
        timeout=st.none() | SECONDS,
    )
    def decide(self, task: Json, batch: list[Json], options: Json, timeout: str | None) -> None:
        if timeout is not None and "taskList" in options:
            options = {**options, "taskListScheduleToStartTimeout": timeout}
        self.attempt(
            "RespondDecisionTaskCompleted",
            taskToken=task["taskToken"],
            decisions=batch,
            **options,
        )

    @rule(task=decisions, batch=WRONG)
    def decide_wrongly(self, task: Json, batch: list[Json]) -> None:
        with pytest.raises(Fault, match="ValidationException"):
            self.call("RespondDecisionTaskCompleted", taskToken=task["taskToken"], decisions=batch)

    @rule(name=LISTS, outcome=OUTCOMES)
    def work(self, name: str, outcome: str) -> None:
        """Poll and respond at once, as a worker does whom nothing happens to."""
        task = self.call("PollForActivityTask", domain="d", taskList={"name": name})
        if "taskToken" in task:
            self.attempt(f"RespondActivityTask{outcome}", taskToken=task["taskToken"])

    @rule(task=activities, outcome=OUTCOMES)
    def respond(self, task: Json, outcome: str) -> None:
        self.attempt(f"RespondActivityTask{outcome}", taskToken=task["taskToken"])

    @rule(task=activities)
    def heartbeat(self, task: Json) -> None:
        self.attempt("RecordActivityTaskHeartbeat", taskToken=task["taskToken"], details="d")

    @rule(workflow_id=WORKFLOW_IDS, verb=VERBS)
    def reach(self, workflow_id: str, verb: str) -> None:
        extra = {"signalName": "s"} if verb == "Signal" else {}
        self.attempt(f"{verb}WorkflowExecution", domain="d", workflowId=workflow_id, **extra)

    @rule(seconds=st.sampled_from([0.5, 1, 5, 20]))
    def advance(self, seconds: float) -> None:
        self.emulator.advance(seconds)

    @invariant()
    def histories_only_grow(self) -> None:
        runs = self.emulator._state.runs
        for run_id, execution in runs.items():
            before = self.seen.get(run_id, [])
            assert execution.events[: len(before)] == before, "an event was lost or changed"
            self.seen[run_id] = list(execution.events)

    @invariant()
    def histories_are_sound(self) -> None:
        for execution in self.emulator._state.runs.values():
            check_history(execution)

    @invariant()
    def indexes_follow_from_the_history(self) -> None:
        for execution in self.emulator._state.runs.values():
            rebuilt = Execution.rebuild(execution.domain, execution.ids, execution.events)
            assert rebuilt.close_status == execution.close_status
            assert rebuilt.task_list == execution.task_list
            assert rebuilt.previous_started_id == execution.previous_started_id
            counts, again = open_counts(execution), open_counts(rebuilt)
            if not execution.is_open:
                # Nobody decides for a closed execution, but its history does not say so.
                again["openDecisionTasks"] = 0
            assert counts == again

    @invariant()
    def counts_match(self) -> None:
        state = self.emulator._state
        running = [execution for execution in state.runs.values() if execution.is_open]
        assert {each.workflow_id: each for each in running} == state.open.get("d", {})
        counted = self.call("CountOpenWorkflowExecutions", **EVERYTHING)["count"]
        assert counted == len(running)
        closed = self.call("CountClosedWorkflowExecutions", **EVERYTHING)["count"]
        assert closed == len(state.runs) - len(running)
        for kind in ("Decision", "Activity"):
            pending = sum(
                self.call(f"CountPending{kind}Tasks", domain="d", taskList={"name": name})["count"]
                for name in ("one", "two")
            )
            tasks = [task for each in running for task in each.open_tasks()]
            waiting = [
                task
                for task in tasks
                if task.kind == kind.lower()
                and not task.started_id
                and not (task.kind == "decision" and task.execution.current is not None)
            ]
            assert pending == len(waiting)

    @invariant()
    def whoever_must_decide_is_asked_to(self) -> None:
        for execution in self.emulator._state.runs.values():
            asked = False
            for event in execution.events:
                kind = event["eventType"]
                if kind in WAKING:
                    asked = True
                elif kind in ("DecisionTaskScheduled", "DecisionTaskStarted"):
                    asked = False
            if execution.is_open and asked:
                assert execution.waiting is not None, "an event woke nobody"


def check_history(execution: Execution) -> None:
    """Check that a history tells a story that can have happened."""
    events = execution.events
    assert [event["eventId"] for event in events] == list(range(1, len(events) + 1))
    times = [event["eventTimestamp"] for event in events]
    assert times == sorted(times)
    closing = [event["eventId"] for event in events if event["eventType"] in CLOSE_STATUS]
    assert closing == ([] if execution.is_open else [len(events)]), "events after the end"
    started: dict[int, int] = {}
    closed: set[int] = set()
    timers: dict[str, int] = {}
    open_decisions = 0
    for event in events:
        kind, attributes = event["eventType"], event[member_of(event["eventType"], "Event")]
        for member, event_id in attributes.items():
            if member.endswith("EventId") and member != "externalInitiatedEventId":
                assert event_id < event["eventId"] or member == "parentInitiatedEventId"
        if kind == "TimerStarted":
            assert attributes["timerId"] not in timers
            timers[attributes["timerId"]] = event["eventId"]
        elif kind in ("TimerFired", "TimerCanceled"):
            assert timers.pop(attributes["timerId"]) == attributes["startedEventId"]
        if kind == "DecisionTaskScheduled":
            open_decisions += 1
            assert open_decisions <= 2, "more than one decision task waits"
        prefix = next((each for each in _SCHEDULED if kind.startswith(each)), None)
        if prefix is None:
            continue
        if kind == f"{prefix}Started":
            scheduled = attributes["scheduledEventId"]
            assert events[scheduled - 1]["eventType"] == f"{prefix}Scheduled"
            assert scheduled not in started
            assert scheduled not in closed
            started[scheduled] = event["eventId"]
            if prefix == "DecisionTask":
                in_work = {i for i in started if i not in closed and _is_decision(events, i)}
                assert len(in_work) == 1, "two decision tasks are being decided"
        elif kind in {f"{prefix}{outcome}" for outcome in _OUTCOMES}:
            scheduled = attributes["scheduledEventId"]
            assert events[scheduled - 1]["eventType"] == f"{prefix}Scheduled"
            assert attributes["startedEventId"] == started.get(scheduled, 0)
            assert scheduled not in closed, "a task was closed twice"
            closed.add(scheduled)
            if prefix == "DecisionTask":
                open_decisions -= 1


def _is_decision(events: list[Json], event_id: int) -> bool:
    return bool(events[event_id - 1]["eventType"] == "DecisionTaskScheduled")


TestService = Service.TestCase
TestService.settings = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
