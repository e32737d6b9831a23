"""The same workflows on this machine and on Amazon SWF.

The classes and functions are those of four examples of the folder above, as they stand there. Only
the configuration differs: that of `on_this_machine`, and that of `configured_workers`.

An emulator on this machine plays Amazon SWF, so that nothing is needed to try it:

    python docs/examples/swf/local_and_swf.py

Starter and workers talk to it over HTTP as they would to the service, and are in one process only
to have them in one file. In production, each worker is a process of its own:

    flowy swf worker shop.workflows --domain shop --task-list orders
"""

import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import flowy
from flowy_swf.emulator import Emulator
from flowy_swf.registration import register_domain, register_types

sys.path.append(str(Path(__file__).parents[1]))

import parallel_map_reduce
import restart
import sub_workflow
import toy  # it is a script that runs at once, on this machine, and prints 104

VERSES = parallel_map_reduce.VERSES
ITEMS = {"apple": 10, "pear": 2, "plum": 25}

# --- on this machine ------------------------------------------------------------------------------


def on_this_machine():
    word_count = flowy.LocalWorkflow(parallel_map_reduce.WordCount)
    word_count.conf_activity("count_words", parallel_map_reduce.count_words)
    word_count.conf_activity("add", parallel_map_reduce.add)

    total = flowy.LocalWorkflow(restart.Total)
    total.conf_activity("fetch", restart.fetch)

    order = flowy.LocalWorkflow(sub_workflow.Order)
    order.conf_activity("look_up_price", sub_workflow.look_up_price)
    invoice = flowy.LocalWorkflow(sub_workflow.Invoice)
    invoice.conf_workflow("order", order)

    return [toy.w.run(2, 10), word_count.run(VERSES), total.run(), invoice.run(ITEMS)]


# --- on Amazon SWF --------------------------------------------------------------------------------

DOMAIN = "examples"
TASK_LIST = "examples"

# How long each may take: the service wants to know.
activity = flowy.SWFActivityConfig(
    default_task_list=TASK_LIST,
    default_heartbeat=30,
    default_schedule_to_close=300,
    default_schedule_to_start=120,
    default_start_to_close=60,
)


def workflow():
    return flowy.SWFWorkflowConfig(
        default_task_list=TASK_LIST,
        default_workflow_duration=3600,
        default_decision_duration=10,
        default_child_policy="TERMINATE",
    )


def configured_workers():
    """Return a worker that has the workflows, and one that has the activities.

    A workflow calls an activity by its type, which is a name and a version. So what calls and what
    is called can be in different processes, and change at different times.
    """
    activities = flowy.SWFActivityWorker()
    activities.register(activity, toy.square_activity, version=1)
    activities.register(activity, toy.sum_activity, version=1)
    activities.register(activity, parallel_map_reduce.count_words, version=1)
    activities.register(activity, parallel_map_reduce.add, version=1)
    activities.register(activity, restart.fetch, version=1)
    activities.register(activity, sub_workflow.look_up_price, version=1)

    workflows = flowy.SWFWorkflowWorker()
    example = workflow()
    example.conf_activity("square", version=1, name="square_activity")
    example.conf_activity("sum", version=1, name="sum_activity")
    workflows.register(example, toy.ExampleWorkflow, version=1)

    word_count = workflow()
    word_count.conf_activity("count_words", version=1)
    word_count.conf_activity("add", version=1)
    workflows.register(word_count, parallel_map_reduce.WordCount, version=1)

    total = workflow()
    total.conf_activity("fetch", version=1)
    workflows.register(total, restart.Total, version=1)

    order = workflow()
    order.conf_activity("look_up_price", version=1)
    workflows.register(order, sub_workflow.Order, version=1)
    invoice = workflow()
    invoice.conf_workflow("order", version=1, name="Order")
    workflows.register(invoice, sub_workflow.Invoice, version=1)

    return workflows, activities


@contextmanager
def working(workers, client):
    """Have the workers work while the with block runs; then wait for what they are at."""
    threads = []
    for worker in workers:
        register_types(client, DOMAIN, worker.types)
        work = {"swf_client": client, "register_remote": False, "threads": 4}
        thread = threading.Thread(target=worker.run, args=(DOMAIN, TASK_LIST), kwargs=work)
        thread.start()
        threads.append(thread)
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join()


def started_on_swf(client):
    """Start an execution of each workflow; return their handles. This needs none of their code."""

    def start(name):
        return flowy.SWFWorkflowStarter(DOMAIN, name, version=1, swf_client=client)

    return [
        start("ExampleWorkflow")(2, 10),
        start("WordCount")(VERSES),
        start("Total")(),
        start("Invoice")(ITEMS),
    ]


def run_both(client):
    """Run all on both, at the same time, and print the results side by side."""
    register_domain(client, DOMAIN)
    with working(configured_workers(), client):
        handles = started_on_swf(client)
        results = on_this_machine()
        names = ["ExampleWorkflow", "WordCount", "Total", "Invoice"]
        print(f"{'workflow':<16} {'this machine':<16} Amazon SWF")
        for name, result, handle in zip(names, results, handles, strict=True):
            print(f"{name:<16} {result!s:<16} {handle.result(timeout=60)}")


if __name__ == "__main__":
    # For Amazon SWF itself, all of this is `run_both(flowy.SWFClient())`: region and credentials
    # are those that boto3 finds, and a poll is held for a minute and not for a second.
    emulator = Emulator(long_poll=1)
    with emulator.serve():
        run_both(emulator.client())
