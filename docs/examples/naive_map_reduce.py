"""A naive map-reduce: results are combined in the order in which the tasks were called.

The words of the verses are counted side by side. The counts are added up one after the other,
though, and if the first verse takes longest, nothing is added before its count is there.
"""

import functools

import flowy

VERSES = [
    "a stream of water finds its way",
    "around whatever blocks the path",
    "and meets another stream below",
]


def count_words(verse: str) -> int:
    return len(verse.split())


def add(one: int, other: int) -> int:
    return one + other


class WordCount:
    def __init__(self, count_words, add):
        self.count_words = count_words
        self.add = add

    def __call__(self, verses):
        counts = [self.count_words(verse) for verse in verses]
        return functools.reduce(self.add, counts)


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(WordCount)
    workflow.conf_activity("count_words", count_words)
    workflow.conf_activity("add", add)
    print(workflow.run(VERSES), "words")
