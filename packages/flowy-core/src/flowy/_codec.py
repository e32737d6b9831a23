"""What a codec is, and what it asks of the results that it meets among the values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from flowy import result


class Source(result.Source, Protocol):
    """A node of the task graph, as far as a codec uses it."""

    @property
    def payload(self) -> Any:
        """The encoded value; it means something once the source has finished well."""
        ...

    @property
    def codec(self) -> Codec | None:
        """What made the payload; None if the value never was encoded."""
        ...


#: Return what stands behind a result, without forcing it.
source_of = cast("Callable[[result.ResultProxy], Source]", result.source_of)


def plain(x: Any) -> Any:
    """Return the value of a result, or anything else as it is."""
    return source_of(x).value() if type(x) is result.ResultProxy else x


class Codec(ABC):
    """Make payloads of values, and values of payloads.

    Values may hold results at any depth of lists, tuples, dicts, sets, frozensets, dataclasses and
    named tuples. Each is a *hole* until it is replaced by its value. So a call is encoded in two
    steps: `prepare_input` or `prepare_value` when it is made, `fill` when all its sources have
    finished well.
    """

    #: the name that a configuration chooses the codec by
    name: str

    @abstractmethod
    def prepare_input(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Any, Sequence[Source]]:
        """Encode the arguments of a call as far as they are there.

        Returns the payload and no sources if there are no holes. Otherwise returns what `fill`
        takes, and the sources of the holes, each once, in the order in which they were met. No
        source is forced, but for results that are a key of a dict or a member of a set: they had
        to be hashed to get there.

        Raises TypeError for a value that the codec does not take, and ValueError for an iterator
        and for a structure that contains itself or is nested too deep. Both name the path to the
        value, such as `args[0]['when']`.
        """

    @abstractmethod
    def prepare_value(self, value: Any) -> tuple[Any, Sequence[Source]]:
        """Encode a single value, such as what a workflow returns, like `prepare_input`."""

    @abstractmethod
    def fill(self, prepared: Any) -> Any:
        """Return the payload of what was prepared, when all its sources have finished well.

        A hole takes its source's payload as it is if this codec made it.
        """

    @abstractmethod
    def load_input(self, payload: Any) -> tuple[Sequence[Any], dict[str, Any]]:
        """Return the arguments that an input's payload holds.

        Raises PayloadError for anything that is not such a payload, and runs no code that the
        payload names.
        """

    @abstractmethod
    def dump_value(self, value: Any) -> Any:
        """Encode a value at once, such as what a task returned; raise like `prepare_value`."""

    @abstractmethod
    def load_value(self, payload: Any) -> Any:
        """Return the value that a payload holds; raise like `load_input`."""

    @abstractmethod
    def same_input(self, recorded: Any, new: Any) -> bool:
        """Tell whether two inputs' payloads mean the same arguments."""
