"""A map-reduce in finish order: results are combined in the order in which they become known.

A verse that takes long holds up no other. The counts are still added up one after the other. What
combines them must not mind the order: it has to be associative and commutative, as `add` is.
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
        return functools.reduce(self.add, flowy.finish_order(counts))


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(WordCount)
    workflow.conf_activity("count_words", count_words)
    workflow.conf_activity("add", add)
    print(workflow.run(VERSES), "words")
