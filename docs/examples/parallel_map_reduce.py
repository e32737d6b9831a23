"""A parallel map-reduce: any two results that are known are combined, side by side.

It starts with the first two counts that are there, and adds up the sums it gets in turn. What
combines them must not mind the order: it has to be associative and commutative, as `add` is.
"""

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
        return flowy.parallel_reduce(self.add, counts)


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(WordCount)
    workflow.conf_activity("count_words", count_words)
    workflow.conf_activity("add", add)
    print(workflow.run(VERSES), "words")
