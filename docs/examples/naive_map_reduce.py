"""A naive map-reduce: results are combined in the order in which the tasks were called.

The verses are looked at side by side. The words are compared one after the other, though, and if
the first verse takes longest, nothing is compared before it is there.
"""

import functools

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
        return functools.reduce(self.longer, words)


if __name__ == "__main__":
    workflow = flowy.LocalWorkflow(LongestWord)
    workflow.conf_activity("longest_word", longest_word)
    workflow.conf_activity("longer", longer)
    print(workflow.run(VERSES))
