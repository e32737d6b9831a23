"""Error handling: a workflow does something else when a task fails.

A failure shows where the result is used, not where the task is called. So the use belongs into the
`try`, and where there is none yet, `flowy.wait` is one.
"""

import flowy


def forecast(city: str) -> str:
    return {"Rome": "sun", "Oslo": "snow"}[city]


def guess(city: str) -> str:
    if city == "Atlantis":
        raise ValueError("it is under water")
    return "rain, probably"


class Weather:
    def __init__(self, forecast, guess):
        self.forecast = forecast
        self.guess = guess

    def __call__(self, city):
        try:
            weather = self.forecast(city)
            flowy.wait(weather)
        except (flowy.TaskError, LookupError):  # without Flowy it is the error of the function
            weather = self.guess(city)
        return weather


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(Weather)
    workflow.conf_activity("forecast", forecast)
    workflow.conf_activity("guess", guess)
    for city in ("Rome", "Paris"):
        print(city, "has", workflow.run(city))
    try:
        workflow.run("Atlantis")
    except flowy.TaskError as exc:
        # Nobody caught this one in the workflow, so it ended the workflow.
        print("Atlantis:", exc)
        print("because of", repr(exc.__cause__))
