"""Word count: the most frequent words of files and folders, counted in worker processes.

    python word_count.py docs README.md

Each file is one activity, and so is each adding up of two tallies, which starts as soon as any two
are there. The workflow only says what to do with what.

The folders are listed before the workflow starts, not in it. What is on the disk differs from run
to run and workflow code must not depend on that, so the list of files is an input like any other.
To have it made by an activity would be as good, but nothing could start before that one ended.

Links are followed. What can be reached in several ways, by links or because one argument lies
within another, is counted once.

A word is a run of letters, with apostrophes and combining marks within it; case does not matter.
A file is read in blocks and not as a whole, so it may be of any size. After some hundred files the
workflow starts anew with the total, so there may be any number of them. What takes memory is how
many different words there are.
"""

import argparse
import codecs
import heapq
import io
import os
import stat
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import flowy

BLOCK = 1 << 16  # bytes that are read at once
LONGEST = 1000  # letters; what has a longer run of them is no text
BATCH = 500  # files that one history of the workflow holds

#: how often each word was seen, under "words", and why a file was skipped, by path, under "skipped"
Tally = dict[str, dict[str, Any]]

NOTHING: Tally = {"words": {}, "skipped": {}}


# --- the activities ----------------------------------------------------------------------------


class NotTextError(Exception):
    """A file holds something that is not text."""


class WordCharacters(dict[int, int | str | None]):
    """What `str.translate` makes of a character: itself in words, a space between them."""

    def __missing__(self, code: int) -> int | str | None:
        category = unicodedata.category(chr(code))
        kept: int | str | None = " "
        if category[0] in "LM":
            kept = code
        elif category == "Cf":  # soft hyphens, byte order marks and the like are not seen
            kept = None
        self[code] = kept
        return kept


WORD_CHARACTERS = WordCharacters({ord("'"): "'", ord("\N{RIGHT SINGLE QUOTATION MARK}"): "'"})


def words_in(blocks: Iterator[bytes]) -> Iterator[str]:
    """Yield the words of a text in UTF-8."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    rest = ""
    for block in blocks:
        if b"\0" in block:
            raise NotTextError("binary")
        text = unicodedata.normalize("NFC", (rest + decode(block)).casefold())
        # The last word may go on in the next block.
        *words, rest = text.translate(WORD_CHARACTERS).split(" ")
        if len(rest) > LONGEST:
            raise NotTextError(f"no text: more than {LONGEST} letters in a row")
        yield from words
    decode(b"", final=True)
    yield rest


def count_words(path: str) -> Tally:
    """Count the words of a file, or say why it cannot be done."""
    try:
        with open(path, "rb") as file:
            blocks = iter(lambda: file.read(BLOCK), b"")
            counts = Counter(word.strip("'") for word in words_in(blocks))
    except OSError as exc:
        return {"words": {}, "skipped": {path: exc.strerror or str(exc)}}
    except UnicodeDecodeError:
        return {"words": {}, "skipped": {path: "not text in UTF-8"}}
    except NotTextError as exc:
        return {"words": {}, "skipped": {path: str(exc)}}
    del counts[""]
    return {"words": dict(counts), "skipped": {}}


def add_tallies(one: Tally, other: Tally) -> Tally:
    """Add up two tallies."""
    words = Counter(one["words"])
    words.update(other["words"])
    return {"words": dict(words), "skipped": one["skipped"] | other["skipped"]}


# --- the workflow ------------------------------------------------------------------------------


class WordCount:
    """Counts the words of files, and adds to what was counted before."""

    def __init__(self, count: Callable[..., Tally], add: Callable[..., Tally]) -> None:
        self.count = count
        self.add = add

    def __call__(self, paths: Sequence[str], total: Tally = NOTHING) -> Any:
        tallies = [self.count(path) for path in paths[:BATCH]]
        total = flowy.parallel_reduce(self.add, tallies, total)
        if len(paths) > BATCH:
            return flowy.restart(paths[BATCH:], total)
        return total


# --- the command -------------------------------------------------------------------------------


def find_files(paths: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the files among and below `paths`, and why anything else there is skipped."""
    files = []
    skipped = {}
    seen = set()
    stack = list(reversed(paths))
    while stack:
        path = stack.pop()
        try:
            status = os.stat(path)
            identity = (status.st_dev, status.st_ino)
            if identity in seen:
                continue
            seen.add(identity)
            if stat.S_ISDIR(status.st_mode):
                names = sorted(os.listdir(path), reverse=True)
                stack += [os.path.join(path, name) for name in names]
            elif stat.S_ISREG(status.st_mode):
                files.append(path)
            else:
                skipped[path] = "neither a file nor a folder"
        except OSError as exc:
            skipped[path] = exc.strerror or str(exc)
    return files, skipped


def table(words: dict[str, int], length: int = 20) -> list[str]:
    """Return the lines that show the most frequent words."""
    rows = heapq.nsmallest(length, words.items(), key=lambda row: (-row[1], row[0]))
    width = max((len(str(count)) for _, count in rows), default=0)
    return [f"{count:>{width}} {word}" for word, count in rows]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description="Print the twenty most frequent words of files, and of all files in folders.",
        epilog="Exit status: 0 if all was counted, 1 if something was skipped, 2 for a wrong "
        "command line, 130 after Ctrl-C.",
    )
    parser.add_argument("path", nargs="+", help="a text file in UTF-8, or a folder")
    paths = parser.parse_args(arguments).path
    workflow = flowy.LocalWorkflow(
        WordCount, executor="processes", activity_workers=os.cpu_count() or 1
    )
    workflow.conf_activity("count", count_words)
    workflow.conf_activity("add", add_tallies)
    try:
        files, skipped = find_files(paths)
        tally = workflow.run(files)
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130
    skipped |= tally["skipped"]
    for path, reason in sorted(skipped.items()):
        print(f"{parser.prog}: skipped {path!r}: {reason}", file=sys.stderr)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # not every terminal has every letter
    try:
        for line in table(tally["words"]):
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads, such as `head`, has enough; Python is not to complain of that at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
