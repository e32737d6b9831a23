"""The first of several: tasks run side by side, and the one that finishes first is enough.

The others are not waited for. Those that have not begun never do, and those that run are told so at
their next heartbeat.
"""

import time

import flowy


def ask(server: str) -> str:
    steps = 300 if server == "far away" else 0
    for _ in range(steps):
        time.sleep(0.01)
        flowy.heartbeat()  # ends the task when nobody needs it any more
    return f"the answer of the server {server}"


class Fastest:
    def __init__(self, ask):
        self.ask = ask

    def __call__(self, servers):
        return flowy.first(self.ask(server) for server in servers)


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(Fastest)
    workflow.conf_activity("ask", ask)
    print(workflow.run(["far away", "next door"]))
