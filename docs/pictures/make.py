"""Draws the pictures of the manual: `python docs/pictures/make.py` writes them beside itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))

from draw import Kind, Picture  # noqa: E402 - it lies beside this file, which is no package


def loop() -> Picture:
    """Draw the way of a call to the engine, and of its result back."""
    picture = Picture(
        900, 270, "The loop: workflow code calls, the machine commands, an engine runs the tasks"
    )
    top, height = 48, 110
    boxes: list[tuple[int, int, Kind, str, str, tuple[str, ...]]] = [
        (24, 140, "code", "yours", "workflow code", ("plain Python,", "one thread")),
        (274, 150, "machine", "flowy-core", "the machine", ("proxies, task graph,", "replay")),
        (534, 130, "engine", "flowy-local, flowy-swf", "engine", ("carries out,", "brings back")),
        (752, 124, "outside", "yours", "activities", ("on threads,", "processes,", "machines")),
    ]
    for x, width, kind, package, title, lines in boxes:
        picture.text(x + width / 2, top - 12, package, "small", "middle")
        picture.box(x, top, width, height, kind, title, *lines)
    for left, right, there, back in (
        (164, 274, "call", "value or error"),
        (424, 534, "commands", "events"),
        (664, 752, "start", "end"),
    ):
        picture.arrow((left, top + 34), (right, top + 34))
        picture.text((left + right) / 2, top + 25, there, anchor="middle")
        picture.arrow((right, top + 78), (left, top + 78))
        picture.text((left + right) / 2, top + 97, back, anchor="middle")

    picture.box(534, 206, 130, 42, "outside", "history")
    picture.arrow((599, top + height), (599, 206))
    picture.arrow((534, 227), (349, 227), (349, top + height))
    picture.text(440, 218, "the same events again", "small", "middle")
    picture.text(440, 246, "replay", anchor="middle")
    return picture


def swf_life() -> Picture:
    """Draw who says what to whom while a workflow runs on Amazon SWF."""
    picture = Picture(900, 736, "The life of a workflow on Amazon SWF, message by message")
    starter, service, decider, worker = 90, 330, 590, 810
    bottom = 716
    lifelines: list[tuple[int, Kind, str, str]] = [
        (starter, "outside", "starter", "any program"),
        (service, "engine", "Amazon SWF", "keeps the history"),
        (decider, "code", "workflow worker", "decides"),
        (worker, "code", "activity worker", "runs functions"),
    ]
    for x, kind, title, about in lifelines:
        picture.line((x, 70), (x, bottom))
        picture.box(x - 75, 18, 150, 52, kind, title, about)

    def say(y: float, sender: float, to: float, what: str, small: str = "") -> None:
        step = 6 if to > sender else -6
        picture.arrow((sender, y), (to - step / 6, y))
        # Words stand between the first two lifelines of the message, so that no line crosses them.
        middle = (service + decider) / 2 if {sender, to} == {service, worker} else (sender + to) / 2
        picture.text(middle, y - 7, what, "code", "middle")
        if small:
            picture.text(middle, y + 16, small, "small", "middle")

    def do(y: float, x: float, *lines: str) -> None:
        picture.box(x - 96, y, 192, 12 + 18 * len(lines), "machine", "", *lines)

    say(108, starter, service, "start (2, 10)")
    say(140, service, decider, "decision task", "history: started")
    do(
        162,
        decider,
        "runs the code: a = square(2),",
        "b = square(10), sum(a, b)",
        "waits for a and b",
    )
    say(256, decider, service, "schedule square-0-0, square-1-0")
    say(296, service, worker, "square-0-0, input (2)")
    say(326, worker, service, "completed: 4")
    say(356, service, worker, "square-1-0, input (10)")
    say(386, worker, service, "completed: 100")
    say(426, service, decider, "decision task", "history: started, 4, 100")
    do(448, decider, "runs the code again:", "a and b are there now")
    say(520, decider, service, "schedule sum-0-0")
    say(556, service, worker, "sum-0-0, input (4, 100)")
    say(586, worker, service, "completed: 104")
    say(618, service, decider, "decision task", "history: all of it")
    do(640, decider, "once more: it returns 104")
    say(698, decider, service, "complete: 104")
    return picture


def task_states() -> Picture:
    """Draw the states of a call, and the events that move it on."""
    picture = Picture(860, 420, "The states of a call to a task, and what moves it on")
    picture.box(70, 180, 150, 64, "code", "waiting", "for its arguments")
    picture.box(390, 180, 150, 64, "machine", "scheduled", "with the engine")
    picture.box(390, 40, 150, 64, "machine", "delayed", "behind a timer")

    picture.arrow((12, 212), (70, 212))
    picture.text(38, 202, "call", anchor="middle")
    picture.arrow((220, 212), (390, 212))
    picture.text(305, 202, "all are there", "small", "middle")
    picture.arrow((145, 180), (145, 72), (390, 72))
    picture.texts(156, 96, ["all are there, and the", "first delay is not 0"], "small")
    picture.arrow((420, 104), (420, 180))
    picture.text(412, 147, "TimerFired", "code", "end")
    picture.arrow((510, 180), (510, 104))
    picture.texts(465, 138, ["went wrong:", "again, later"], "small", "middle")
    picture.arrow((430, 244), (430, 284), (500, 284), (500, 244))
    picture.text(465, 302, "went wrong: again, at once", "small", "middle")

    endings: list[tuple[int, int, int, str, str, Kind]] = [
        (194, 575, 63, "completed", "TaskCompleted", "good"),
        (206, 590, 143, "cancelled", "TaskCancelled", "bad"),
        (218, 590, 223, "timed out", "TaskTimedOut", "bad"),
        (230, 575, 303, "failed", "TaskFailed", "bad"),
    ]
    for start, turn, y, name, event, kind in endings:
        picture.arrow((540, start), (turn, start), (turn, y), (716, y))
        picture.box(716, y - 22, 126, 44, kind, name, round=True)
        picture.text(708, y - 7, event, "code", "end")
    picture.arrow((145, 244), (145, 384), (779, 384), (779, 325))
    picture.text(
        156, 376, "an argument failed: so does the call, at once; it is never scheduled", "small"
    )
    return picture


def code_states() -> Picture:
    """Draw what a run of the workflow code goes through."""
    picture = Picture(860, 266, "The states of a run of the workflow code")
    picture.box(70, 110, 150, 64, "code", "running", "calls tasks")
    picture.box(420, 40, 160, 64, "machine", "parked", "held where it is")
    picture.box(420, 180, 160, 64, "machine", "suspended", "forgotten")
    picture.box(690, 120, 140, 44, "good", "ended", round=True)

    picture.arrow((12, 142), (70, 142))
    picture.text(38, 132, "run()", "code", "middle")
    picture.arrow((220, 126), (300, 126), (300, 62), (420, 62))
    picture.text(360, 54, "needs a value", "small", "middle")
    picture.arrow((420, 88), (330, 88), (330, 142), (220, 142))
    picture.text(375, 106, "it is there", "small", "middle")
    picture.arrow((220, 158), (300, 158), (300, 198), (420, 198))
    picture.text(360, 190, "needs a value", "small", "middle")
    picture.arrow((500, 104), (500, 180))
    picture.text(510, 146, "the engine wants its place", "small")
    picture.arrow((420, 226), (145, 226), (145, 174))
    picture.text(282, 244, "it is there: from the start, over the history", "small", "middle")
    picture.arrow((145, 110), (145, 20), (760, 20), (760, 120))
    picture.text(
        452, 34, "returns, raises an error, or returns flowy.restart(...)", "small", "middle"
    )
    return picture


def replay() -> Picture:
    """Draw what each call does in three runs of the same code over a growing history."""
    picture = Picture(900, 330, "Replay: the same code over a history that grows")
    code = (
        "price = self.price(order)",
        "if price > 100:",
        "    self.approve(order)",
        "return self.ship(order)",
    )
    runs: list[tuple[str, str, list[tuple[Kind, str]]]] = [
        (
            "first run",
            "history: nothing",
            [("machine", "new: command price-0"), ("code", "stops: no price yet")],
        ),
        (
            "second run",
            "history: price-0 is 120",
            [
                ("outside", "is in the history"),
                ("good", "120 > 100"),
                ("machine", "new: command approve-0"),
                ("machine", "new: command ship-0"),
            ],
        ),
        (
            "third run",
            "history: all three",
            [
                ("outside", "is in the history"),
                ("good", "120 > 100"),
                ("outside", "is in the history"),
                ("good", "returns"),
            ],
        ),
    ]
    top, row = 88, 56
    for number, line in enumerate(code):
        # Spaces at the start of a text would be lost.
        indent = 16 if line.startswith(" ") else 0
        picture.text(24 + indent, top + number * row + 25, line.strip(), "code")
    for column, (title, history, cells) in enumerate(runs):
        left = 250 + column * 216
        picture.text(left + 98, 38, title, "title", "middle")
        picture.text(left + 98, 60, history, "small", "middle")
        for number, (kind, text) in enumerate(cells):
            picture.box(left, top + number * row, 196, 40, kind, "", text)
            if number + 1 < len(cells):
                bottom = top + number * row + 40
                picture.arrow((left + 98, bottom), (left + 98, bottom + row - 40))
    return picture


def packages() -> Picture:
    """Draw which package imports which."""
    picture = Picture(
        860, 228, "The packages: all of them import flowy-core, which imports nothing"
    )
    boxes: list[tuple[Kind, str, str]] = [
        ("engine", "flowy-local", "runs on this machine"),
        ("engine", "flowy-swf", "runs on Amazon SWF"),
        ("engine", "flowy-trace", "shows runs"),
        ("outside", "yours", "engine, observer, command"),
    ]
    for number, (kind, title, about) in enumerate(boxes):
        left, width = 24 + number * 208, 188
        picture.box(left, 24, width, 64, kind, title, about)
        picture.arrow((left + width / 2, 88), (left + width / 2, 140))
    picture.box(24, 140, 812, 64, "machine", "flowy-core", "the machine, and hooks to plug into")
    return picture


#: the pictures, by the names of their files
PICTURES: dict[str, Callable[[], Picture]] = {
    "loop.svg": loop,
    "swf-life.svg": swf_life,
    "task-states.svg": task_states,
    "code-states.svg": code_states,
    "replay.svg": replay,
    "packages.svg": packages,
}


def main() -> None:
    """Write all pictures."""
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(draw().svg(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
