"""A condition: what is called next depends on the value of a result.

Comparing needs the value, so the workflow waits for it there. It is an ordinary `if`.
"""

import flowy


def weigh(parcel: str) -> float:
    return {"letter": 0.02, "piano": 220}[parcel]


def send_by_post(parcel: str) -> str:
    return f"the {parcel} goes by post"


def send_by_truck(parcel: str, weight: float) -> str:
    return f"the {parcel} of {weight} kg goes by truck"


class Dispatch:
    def __init__(self, weigh, send_by_post, send_by_truck):
        self.weigh = weigh
        self.send_by_post = send_by_post
        self.send_by_truck = send_by_truck

    def __call__(self, parcel):
        weight = self.weigh(parcel)
        if weight > 20:
            return self.send_by_truck(parcel, weight)
        return self.send_by_post(parcel)


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(Dispatch)
    workflow.conf_activity("weigh", weigh)
    workflow.conf_activity("send_by_post", send_by_post)
    workflow.conf_activity("send_by_truck", send_by_truck)
    for parcel in ("letter", "piano"):
        print(workflow.run(parcel))
