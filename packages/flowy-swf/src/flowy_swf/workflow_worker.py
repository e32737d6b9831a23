"""`SWFWorkflowWorker`: polls for decision tasks and decides them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from flowy.errors import NonDeterminismError
from flowy_swf.calls import code_of, insist
from flowy_swf.config import SWFWorkflowConfig, TypeName
from flowy_swf.decider import LONG_HISTORY, Answer, Workflow, decide
from flowy_swf.history import History
from flowy_swf.task_log import TaskLog
from flowy_swf.worker import Worker


class UnreadError(Exception):
    """The service did not give a whole history in time."""


class SWFWorkflowWorker(Worker[SWFWorkflowConfig]):
    """Decides executions: runs workflow code over their histories."""

    config_class = SWFWorkflowConfig

    def __init__(self) -> None:
        super().__init__()
        self._workflows: dict[TypeName, Workflow] = {}
        self._trouble = Trouble()
        self._left: set[TypeName] = set()

    def _add(
        self, config: SWFWorkflowConfig, func: Callable[..., Any], type_name: TypeName
    ) -> None:
        self._workflows[type_name] = Workflow(type_name, config, config.workflow(func))

    def _poll(self, client: Any, domain: str, task_list: str, identity: str) -> dict[str, Any]:
        answer: dict[str, Any] = client.poll_for_decision_task(
            domain=domain, taskList={"name": task_list}, identity=identity
        )
        return answer

    def _handle(
        self, client: Any, domain: str, task_list: str, identity: str, task: dict[str, Any]
    ) -> None:
        execution = task["workflowExecution"]
        type_name = TypeName(task["workflowType"]["name"], task["workflowType"]["version"])
        log = TaskLog(task)
        workflow = self._workflows.get(type_name)
        if workflow is None:
            self._leave(type_name, execution, log)
            return
        if self._trouble.waits(execution["runId"]):
            return
        try:
            began = time.monotonic()
            history = History(workflow.config.payloads, workflow.code.dependencies, log)
            self._read(client, domain, task_list, task, history, log)
            _warn_of_length(task, type_name, log)
            answer = decide(workflow, history, execution)
        except UnreadError as exc:
            log.warning(
                "the history of %s could not be read, so another decider gets it: %s", log, exc
            )
            return
        except (Exception, KeyboardInterrupt) as exc:
            # A Ctrl-C comes to the main thread, which this is not: the workflow's code raised it.
            delay = self._trouble.note(execution["runId"])
            log.error(
                "no decision for %s, of type %s; it is not answered, and left alone by this worker "
                "for %.0f s: %s",
                log,
                type_name,
                delay,
                exc,
                exc_info=not isinstance(exc, NonDeterminismError),
            )
            return
        self._trouble.clear(execution["runId"])
        if answer.hold and self._stop.wait(answer.hold):
            return
        self._respond(client, task, history, answer, began, log)

    def _read(
        self,
        client: Any,
        domain: str,
        task_list: str,
        task: dict[str, Any],
        history: History,
        log: TaskLog,
    ) -> None:
        """Read the whole history, page by page."""
        page = task
        history.add_all(page["events"])
        while page.get("nextPageToken"):
            token = page["nextPageToken"]
            try:
                page = insist(
                    lambda token=token: client.poll_for_decision_task(  # type: ignore[misc]
                        domain=domain, taskList={"name": task_list}, nextPageToken=token
                    ),
                    self._stop.wait,
                    _limit(history),
                    log=log,
                )
            except Exception as exc:
                raise UnreadError(f"{type(exc).__name__}: {exc}") from exc
            history.add_all(page["events"])
        history.check_decision(task["startedEventId"])

    def _respond(
        self,
        client: Any,
        task: dict[str, Any],
        history: History,
        answer: Answer,
        began: float,
        log: TaskLog,
    ) -> None:
        try:
            insist(
                lambda: client.respond_decision_task_completed(
                    taskToken=task["taskToken"], decisions=answer.decisions
                ),
                self._stop.wait,
                _limit(history) - (time.monotonic() - began),
                log=log,
            )
        except Exception as exc:
            if code_of(exc) == "UnknownResourceFault":
                log.warning("the decision for %s came too late and is dropped: %s", log, exc)
                return
            self._trouble.note(task["workflowExecution"]["runId"])
            log.error("the decision for %s was not taken and is dropped: %s", log, exc)
        else:
            log.debug("decided %s with %s decisions", log, len(answer.decisions))

    def _leave(self, type_name: TypeName, execution: dict[str, str], log: TaskLog) -> None:
        if type_name in self._left:
            return
        self._left.add(type_name)
        known = ", ".join(map(str, self._workflows)) or "none"
        log.warning(
            "workflow id %r is of type %s, which this worker does not know (it knows %s); such "
            "decisions are left for other workers of the task list",
            execution["workflowId"],
            type_name,
            known,
        )


class Trouble:
    """Executions that could not be decided, and until when each is left alone."""

    #: how many are remembered
    most = 1_000
    #: seconds before the second try, and at most before any
    first, longest = 5.0, 300.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._runs: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def note(self, run_id: str) -> float:
        """Take note of another failure; return for how many seconds to leave it alone."""
        times, _ = self._runs.pop(run_id, (0, 0.0))
        delay = min(self.longest, self.first * 2.0**times)
        self._runs[run_id] = (times + 1, self._clock() + delay)
        while len(self._runs) > self.most:
            self._runs.popitem(last=False)
        return delay

    def waits(self, run_id: str) -> bool:
        """Return whether to leave an execution alone for now."""
        _, until = self._runs.get(run_id, (0, float("-inf")))
        return self._clock() < until

    def clear(self, run_id: str) -> None:
        """Forget an execution."""
        self._runs.pop(run_id, None)


def _warn_of_length(task: dict[str, Any], type_name: TypeName, log: TaskLog) -> None:
    # Once: in the decision that crosses the line.
    if task.get("previousStartedEventId", 0) <= LONG_HISTORY < task["startedEventId"]:
        log.warning(
            "the history of %s, of type %s has %s events, and Amazon SWF terminates it at 25,000: "
            "let it return flowy.restart(...) before that",
            log,
            type_name,
            task["startedEventId"],
        )


def _limit(history: History) -> float:
    """Return how many seconds a decision may take before another decider gets it."""
    limit = history.started.get("taskStartToCloseTimeout", "NONE")
    # Without a limit no other decider ever does, so that giving up would end the execution.
    return float("inf" if limit == "NONE" else limit)
