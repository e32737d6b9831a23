"""A sub-workflow: a workflow calls other workflows as it calls any task.

Each order is a workflow of its own, with its own history. They run side by side, and while one
waits it holds no thread.
"""

import flowy


def look_up_price(item: str) -> int:
    return {"apple": 3, "pear": 4, "plum": 1}[item]


class Order:
    def __init__(self, look_up_price):
        self.look_up_price = look_up_price

    def __call__(self, item, quantity):
        return quantity * self.look_up_price(item)


class Invoice:
    def __init__(self, order):
        self.order = order

    def __call__(self, items):
        amounts = [self.order(item, quantity) for item, quantity in items.items()]
        return sum(amounts)


if __name__ == "__main__":
    order = flowy.LocalWorkflow(Order)
    order.conf_activity("look_up_price", look_up_price)
    invoice = flowy.LocalWorkflow(Invoice)
    invoice.conf_workflow("order", order)
    print(invoice.run({"apple": 10, "pear": 2, "plum": 25}), "coins")
