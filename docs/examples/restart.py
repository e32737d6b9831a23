"""A restart: the workflow ends and starts anew, with other arguments and an empty history.

So a workflow that has no end, or a far one, never has a long history: what it needs to know of its
past is in its arguments.
"""

import flowy

PAGES = [[5, 1, 7], [2, 2], [10]]


def fetch(page: int) -> list[int]:
    return PAGES[page] if page < len(PAGES) else []


class Total:
    def __init__(self, fetch):
        self.fetch = fetch

    def __call__(self, page=0, total=0):
        numbers = self.fetch(page)
        if not numbers:
            return f"{total} on {page} pages"
        return flowy.restart(page + 1, total + sum(numbers))


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(Total)
    workflow.conf_activity("fetch", fetch)
    print(workflow.run())
