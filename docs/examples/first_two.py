"""The first two: tasks run side by side, and the two that finish first are enough.

`finish_order` does not wait. What it gives stands for whichever finishes first, and second, and can
be passed to a task before anybody knows which they are.
"""

import time

import flowy


def ask_price(shop: str) -> tuple[int, str]:
    steps = 300 if shop == "the shop on the island" else 0
    for _ in range(steps):
        time.sleep(0.01)
        flowy.heartbeat()  # ends the task when nobody needs it any more
    return len(shop), shop


def cheaper(one: tuple[int, str], other: tuple[int, str]) -> str:
    price, shop = min(one, other)
    return f"{price} coins in {shop}"


class BestOfTwo:
    def __init__(self, ask_price, cheaper):
        self.ask_price = ask_price
        self.cheaper = cheaper

    def __call__(self, shops):
        offers = flowy.finish_order([self.ask_price(shop) for shop in shops])
        return self.cheaper(next(offers), next(offers))


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(BestOfTwo)
    workflow.conf_activity("ask_price", ask_price)
    workflow.conf_activity("cheaper", cheaper)
    print(workflow.run(["the shop on the island", "the supermarket", "the corner shop"]))
