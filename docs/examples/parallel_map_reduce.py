"""A parallel map-reduce: any two results that are known are combined, side by side.

It starts with the first two words that are there and compares what it gets by that in turn. What
combines them must not mind the order: it has to be associative and commutative.
"""

import flowy

VERSES = [
    "a stream of water finds its way",
    "around whatever blocks the path",
    "and meets another stream below",
]


def longest_word(verse: str) -> str:
    return max(verse.split(), key=len)


def longer(one: str, other: str) -> str:
    return max(one, other, key=len)


class LongestWord:
    def __init__(self, longest_word, longer):
        self.longest_word = longest_word
        self.longer = longer

    def __call__(self, verses):
        words = [self.longest_word(verse) for verse in verses]
        return flowy.parallel_reduce(self.longer, words)


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(LongestWord)
    workflow.conf_activity("longest_word", longest_word)
    workflow.conf_activity("longer", longer)
    print(workflow.run(VERSES))
