"""Measure the SWF emulator, beside moto's threaded server in the same run. Not a test.

    python tests/benchmarks/emulator.py

Prints round trips a second through boto3 over HTTP, for both servers and the same calls, and the
emulator's cost of an event as a history grows to 25,000 events. Needs moto[server].
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from flowy_swf.emulator import Emulator
from flowy_swf.emulator.model import member_of

TYPE = {"name": "t", "version": "1"}
ROUNDS = 60
CALLS_OF_A_ROUND = 7


def decision(kind: str, **attributes: Any) -> dict[str, Any]:
    return {"decisionType": kind, member_of(kind, "Decision"): attributes}


def prepare(client: Any, domain: str) -> None:
    client.register_domain(name=domain, workflowExecutionRetentionPeriodInDays="1")
    client.register_workflow_type(
        domain=domain,
        **TYPE,
        defaultChildPolicy="ABANDON",
        defaultTaskStartToCloseTimeout="600",
        defaultExecutionStartToCloseTimeout="600",
    )
    client.register_activity_type(domain=domain, **TYPE)


def run_workflows(client: Any, domain: str, name: str) -> None:
    """Run workflows of one activity each, one after the other, in a task list of their own."""
    task_list = {"name": name}
    timeouts = ("scheduleToStart", "scheduleToClose", "startToClose", "heartbeat")
    activity = decision(
        "ScheduleActivityTask",
        activityType=TYPE,
        activityId="a",
        taskList=task_list,
        **{f"{each}Timeout": "600" for each in timeouts},
    )
    for number in range(ROUNDS):
        client.start_workflow_execution(
            domain=domain, workflowId=f"{name}-{number}", workflowType=TYPE, taskList=task_list
        )
        for batch in ([activity], [decision("CompleteWorkflowExecution")]):
            task = client.poll_for_decision_task(domain=domain, taskList=task_list)
            client.respond_decision_task_completed(taskToken=task["taskToken"], decisions=batch)
            if batch[0] is activity:
                task = client.poll_for_activity_task(domain=domain, taskList=task_list)
                client.respond_activity_task_completed(taskToken=task["taskToken"])


def round_trips(make_client: Callable[[], Any], threads: int) -> float:
    """Give the round trips a second of so many threads with a client each."""
    clients = [make_client() for _ in range(threads)]
    domain = f"domain-{threads}"
    prepare(clients[0], domain)
    workers = [
        threading.Thread(target=run_workflows, args=(client, domain, f"list-{number}"))
        for number, client in enumerate(clients)
    ]
    begin = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return threads * ROUNDS * CALLS_OF_A_ROUND / (time.perf_counter() - begin)


def cost_of_events() -> list[float]:
    """Give the microseconds of a signal in process, for each 5,000 events of one history."""
    emulator = Emulator(clock="virtual", long_poll=0)
    emulator.call("RegisterDomain", {"name": "d", "workflowExecutionRetentionPeriodInDays": "1"})
    defaults = {
        "defaultTaskList": {"name": "l"},
        "defaultChildPolicy": "ABANDON",
        "defaultTaskStartToCloseTimeout": "NONE",
        "defaultExecutionStartToCloseTimeout": "600",
    }
    emulator.call("RegisterWorkflowType", {"domain": "d", **TYPE, **defaults})
    emulator.call(
        "StartWorkflowExecution", {"domain": "d", "workflowId": "w", "workflowType": TYPE}
    )
    signal = {"domain": "d", "workflowId": "w", "signalName": "s"}
    costs = []
    for _ in range(5):
        begin = time.perf_counter()
        for _ in range(4_990):
            emulator.call("SignalWorkflowExecution", signal)
        costs.append((time.perf_counter() - begin) / 4_990 * 1e6)
    return costs


def main() -> None:
    """Print the figures."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    emulator = Emulator()
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()

    def moto_client() -> Any:
        return boto3.client(
            "swf",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}),
        )

    with emulator.serve():
        for threads in (1, 4):
            ours = round_trips(emulator.client, threads)
            theirs = round_trips(moto_client, threads)
            print(
                f"{threads} threads: emulator {ours:,.0f}, moto {theirs:,.0f} round trips a second"
                f" ({ours / theirs:.1f} times)"
            )
    moto.stop()
    costs = ", ".join(f"{cost:.1f}" for cost in cost_of_events())
    print(f"microseconds an event, for each 5,000 of a history: {costs}")


if __name__ == "__main__":
    main()
