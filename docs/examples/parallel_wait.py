"""A parallel wait: tasks run side by side, and one more when all of them have ended.

The last task gets no result of the others: what they do is in a folder. So the workflow has to wait
for them, and it calls them all before it waits for the first, or they would run one by one.
"""

import tempfile
from pathlib import Path

import flowy


def write_chapter(folder: str, number: int) -> None:
    Path(folder, f"{number}.txt").write_text(f"Chapter {number}\n", encoding="utf-8")


def bind(folder: str) -> str:
    chapters = sorted(Path(folder).glob("*.txt"))
    return "".join(chapter.read_text(encoding="utf-8") for chapter in chapters)


class Book:
    def __init__(self, write_chapter, bind):
        self.write_chapter = write_chapter
        self.bind = bind

    def __call__(self, folder, chapters):
        written = [self.write_chapter(folder, number) for number in range(1, chapters + 1)]
        for chapter in written:
            flowy.wait(chapter)
        return self.bind(folder)


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(Book)
    workflow.conf_activity("write_chapter", write_chapter)
    workflow.conf_activity("bind", bind)
    with tempfile.TemporaryDirectory() as folder:
        print(workflow.run(folder, chapters=4), end="")
