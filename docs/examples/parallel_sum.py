"""A parallel sum: tasks run side by side, and the workflow adds up their results itself.

The list is what makes it parallel: all tasks are called before `sum` needs the first result. With
`sum(self.area(*room) for room in rooms)` each would be called when the one before it has ended.
"""

import flowy


def area(width: float, length: float) -> float:
    return width * length


class FloorSpace:
    def __init__(self, area):
        self.area = area

    def __call__(self, rooms):
        areas = [self.area(width, length) for width, length in rooms]
        return sum(areas)


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(FloorSpace)
    workflow.conf_activity("area", area)
    print(workflow.run([(4, 5), (3, 3.5), (2, 6)]), "square metres")
