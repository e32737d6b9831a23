"""A retry: a task that fails is tried again, after a delay that grows each time.

That is configured outside the workflow, which does not see the attempts that failed.
"""

import flowy


class UnreliableServer:
    """Answers after a few failures."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def __call__(self, question: str) -> str:
        if self.failures:
            self.failures -= 1
            print("no connection")
            raise ConnectionError("the server does not answer")
        return f"what do you think, {question}"


class Question:
    def __init__(self, ask):
        self.ask = ask

    def __call__(self, question):
        return self.ask(question)


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(Question)
    retry = flowy.Retry(attempts=4, delay=0.01, backoff=2)
    workflow.conf_activity("ask", UnreliableServer(failures=2), retry=retry)
    print(workflow.run("how are you?"))
