"""A sequence: each task needs the result of the one before it.

Nothing but the arguments says so. A result is passed on before it is there, and the task that it is
passed to starts when it is.
"""

import flowy


def look_up_price(item: str) -> int:
    return {"tea": 250, "cake": 375}[item]


def add_tax(cents: int) -> int:
    return cents + cents * 20 // 100


def write_label(item: str, cents: int) -> str:
    return f"{item}: {cents // 100}.{cents % 100:02}"


class PriceLabel:
    def __init__(self, look_up_price, add_tax, write_label):
        self.look_up_price = look_up_price
        self.add_tax = add_tax
        self.write_label = write_label

    def __call__(self, item):
        net = self.look_up_price(item)
        gross = self.add_tax(net)
        return self.write_label(item, gross)


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(PriceLabel)
    workflow.conf_activity("look_up_price", look_up_price)
    workflow.conf_activity("add_tax", add_tax)
    workflow.conf_activity("write_label", write_label)
    print(workflow.run("cake"))
