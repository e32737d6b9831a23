"""Histories that Flowy 0.4.1 wrote go on: the form of its ids, inputs, delays and failures."""

from __future__ import annotations

from typing import Any

from tests.swf.histories import attributes, decide_over, decided, kinds, told

import flowy
from flowy_swf.config import SWFWorkflowConfig


def old_workflow(task: Any, delayed_task: Any, child: Any) -> Any:
    def workflow(n: int, pair: tuple[int, int] = (0, 0)) -> Any:
        result = task(n)
        late = delayed_task(n)
        try:
            flowy.wait(child(n))
        except flowy.TaskError as error:
            failure = error.message
        return task(result, late, (failure, pair))

    return workflow


def config() -> SWFWorkflowConfig:
    made = SWFWorkflowConfig()
    made.conf_activity("task", 2, "tactivity")
    made.conf_activity("delayed_task", 2, "tactivity", retry=(3, 0))
    made.conf_workflow("child", 2, "TWorkflow")
    return made


FIRST = [
    *decided(2),
    told(
        "ActivityTaskScheduled",
        activityId="task-0-0",
        activityType={"name": "tactivity", "version": "2"},
        decisionTaskCompletedEventId=4,
        input="[[10], {}]",
    ),
    told("TimerStarted", timerId="delayed_task-0-0:t", startToFireTimeout="3"),
    told(
        "StartChildWorkflowExecutionInitiated",
        workflowId="0c3b9d4e-7c57-:child-0-0",
        workflowType={"name": "TWorkflow", "version": "2"},
        decisionTaskCompletedEventId=4,
        childPolicy="TERMINATE",
        input="[[10], {}]",
    ),
]
SECOND = [
    *FIRST,
    told("ActivityTaskTimedOut", scheduledEventId=5, startedEventId=0, timeoutType="HEARTBEAT"),
    told("TimerFired", timerId="delayed_task-0-0:t", startedEventId=6),
    told("ChildWorkflowExecutionStarted", initiatedEventId=7),
    told("ChildWorkflowExecutionFailed", initiatedEventId=7, startedEventId=10, reason="Error!"),
]
THIRD = [
    *SECOND,
    *decided(12),
    told("ActivityTaskScheduled", activityId="task-0-1", input="[[10], {}]"),
    told("ActivityTaskScheduled", activityId="delayed_task-0-0", input="[[10], {}]"),
    told("ActivityTaskCompleted", scheduledEventId=15, startedEventId=0, result="100"),
    told("ActivityTaskCompleted", scheduledEventId=16, startedEventId=0, result="[1, 2]"),
]
INPUT = "[[10], {}]"


def test_what_runs_is_waited_for() -> None:
    assert decide_over(old_workflow, config(), *FIRST, input=INPUT).decisions == []


def test_a_time_out_and_a_delay_are_followed_up() -> None:
    answer = decide_over(old_workflow, config(), *SECOND, input=INPUT)
    assert [attributes(each)["activityId"] for each in answer.decisions] == [
        "task-0-1",
        "delayed_task-0-0",
    ]


def test_the_workflow_goes_on_with_results_and_failures() -> None:
    answer = decide_over(old_workflow, config(), *THIRD, input=INPUT)
    (only,) = map(attributes, answer.decisions)
    assert only["activityId"] == "task-1-0"
    assert only["input"] == '[[100, [1, 2], {" t": ["Error!", {" t": [0, 0]}]}], {}]'


def test_a_tuple_that_was_written_as_a_list_is_the_same_input() -> None:
    scheduled = told(
        "ActivityTaskScheduled",
        activityId="task-1-0",
        input='[[100, [1, 2], ["Error!", [0, 0]]], {}]',
    )
    done = told("ActivityTaskCompleted", scheduledEventId=22, startedEventId=0, result="true")
    answer = decide_over(old_workflow, config(), *THIRD, *decided(19), scheduled, done, input=INPUT)
    assert kinds(answer) == ["CompleteWorkflowExecution"]
    assert attributes(answer.decisions[0]) == {"result": "true"}
