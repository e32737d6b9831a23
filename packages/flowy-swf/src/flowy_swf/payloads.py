"""Payloads within the service's limit: compressed, and stored where that is not enough.

What is *packed* has the form in which it crosses the service. The machine works on unpacked text.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from flowy import _object_template
from flowy._codec import Codec, Source
from flowy.serialization import JSON, OBJECT, JSONCodec, PayloadError

#: how many characters an input or a result may have
LIMIT = 32_768
_COMPRESSED = '{" z": '
_STORED = '{" s3": '
#: how many bytes a payload may have when it is unpacked: what claims to have more is an attack
LARGEST = 256 * 1024 * 1024


class PayloadTooLargeError(ValueError):
    """A payload is too long for Amazon SWF, even compressed."""

    def __init__(self, length: int, packed: int | None = None) -> None:
        super().__init__(length, packed)
        #: its length in characters
        self.length = length
        #: its length in characters when compressed; None if its reader cannot unpack it
        self.packed = packed

    def __str__(self) -> str:
        remedy = "pass a reference to the data instead"
        length = f"{self.length} characters"
        if self.packed is not None:
            remedy += ", or configure payloads=S3Payloads(bucket, prefix)"
            length += f", {self.packed} when compressed"
        return f"the payload has {length}, and Amazon SWF takes {LIMIT}: {remedy}"


class PayloadStoreError(Exception):
    """A store of payloads did not do what it was asked to, and may do it another time.

    It says nothing about the payload, so it is no failure of a task or a workflow.
    """


class PayloadStore(Protocol):
    """Keeps payloads that the service does not take. Any object with these two methods serves.

    Both are called from several threads at once, and raise PayloadStoreError for what may go well
    another time.
    """

    def put(self, text: str) -> str:
        """Keep the text; return a reference to it, the same for the same text."""
        ...

    def get(self, reference: str) -> str:
        """Return the text that a reference is of; raise PayloadError if there is none."""
        ...


def pack(text: str, store: PayloadStore | None = None) -> str:
    """Return a payload in the form in which it crosses the service.

    Raises
    ------
    PayloadTooLargeError
        it does not fit, and there is no store.
    PayloadStoreError
        the store could not keep it.
    """
    # What looks as if it were packed is packed, so that it comes back as it is.
    if len(text) <= LIMIT and not text.startswith((_COMPRESSED, _STORED)):
        return text
    compressed = base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"), 9))
    packed = f'{_COMPRESSED}"{compressed.decode()}"}}'
    if len(packed) <= LIMIT:
        return packed
    if store is None:
        raise PayloadTooLargeError(len(text), len(packed))
    return f"{_STORED}{json.dumps(store.put(text))}}}"


def unpack(packed: str, store: PayloadStore | None = None) -> str:
    """Return the payload that `pack` made this of.

    Raises
    ------
    PayloadError
        it is damaged, or it is in a store and there is none, or the store does not have it.
    PayloadStoreError
        the store could not say.
    """
    if packed.startswith(_COMPRESSED):
        try:
            data = base64.b64decode(json.loads(packed)[" z"], validate=True)
            inflater = zlib.decompressobj()
            text = inflater.decompress(data, LARGEST)
            if not inflater.eof:
                raise ValueError(f"it is cut short, or longer than {LARGEST} bytes")
            return text.decode("utf-8", "surrogatepass")
        except (ValueError, TypeError, KeyError, zlib.error) as exc:
            raise PayloadError(f"a compressed payload is damaged: {exc}") from exc
    if packed.startswith(_STORED):
        if store is None:
            raise PayloadError(
                f"a payload is in a store: {packed[:200]!r}; configure the payloads= that it was "
                "written with"
            )
        try:
            reference = json.loads(packed)[" s3"]
            if not isinstance(reference, str):
                raise TypeError(f"it is {reference!r}")
        except (ValueError, TypeError, KeyError) as exc:
            raise PayloadError(f"the reference to a stored payload is damaged: {exc}") from exc
        return store.get(reference)
    return packed


class SizedJSON(JSONCodec):
    """The JSON of every engine, which refuses what the service would refuse.

    So a call with too large an input fails where and when it is made, in every replay alike.
    """

    def __init__(self, store: PayloadStore | None = None, *, packs: bool = True) -> None:
        self.store = store
        #: whether whoever reads it can unpack what is packed
        self.packs = packs

    def prepare_input(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Any, Sequence[Source]]:
        """Write the arguments of a call; raise PayloadTooLargeError if they do not fit."""
        prepared, sources = super().prepare_input(args, kwargs)
        return (prepared if sources else self._fitting(prepared)), sources

    def prepare_value(self, value: Any) -> tuple[Any, Sequence[Source]]:
        """Write a single value; raise PayloadTooLargeError if it does not fit."""
        prepared, sources = super().prepare_value(value)
        return (prepared if sources else self._fitting(prepared)), sources

    def fill(self, prepared: Any) -> Any:
        """Return the text with the texts of the sources; raise PayloadTooLargeError likewise."""
        return self._fitting(super().fill(prepared))

    def _fitting(self, text: str) -> str:
        if len(text) <= LIMIT or self.packs:
            return _fitting(text, self.store)
        raise PayloadTooLargeError(len(text))


class CustomCodec(Codec):
    """Functions of the user's own for some payloads, and JSON for the others.

    Parameters
    ----------
    serialize_input
        takes the arguments of a call and returns a str.
    deserialize_input
        takes the str and returns the arguments, `(args, kwargs)`.
    serialize_result
        takes a value and returns a str.
    deserialize_result
        takes the str and returns the value.
    store
        where payloads go that the service does not take.
    """

    name = "custom"

    def __init__(
        self,
        *,
        serialize_input: Callable[..., str] | None = None,
        deserialize_input: Callable[[str], Any] | None = None,
        serialize_result: Callable[[Any], str] | None = None,
        deserialize_result: Callable[[str], Any] | None = None,
        store: PayloadStore | None = None,
    ) -> None:
        self._serialize_input = serialize_input or _json_input
        self._deserialize_input = deserialize_input or JSON.load_input
        self._serialize_result = serialize_result or JSON.dump_value
        self._deserialize_result = deserialize_result or JSON.load_value
        self.store = store

    def prepare_input(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Any, Sequence[Source]]:
        """Find the results in the arguments; write them at once if there are none."""
        prepared, sources = OBJECT.prepare_input(args, kwargs)
        return self._prepared(prepared, sources, self._write_input)

    def prepare_value(self, value: Any) -> tuple[Any, Sequence[Source]]:
        """Find the results in the value; write it at once if there are none."""
        prepared, sources = OBJECT.prepare_value(value)
        return self._prepared(prepared, sources, self._write_value)

    def _prepared(
        self, prepared: Any, sources: Sequence[Source], write: Callable[[Any], str]
    ) -> tuple[Any, Sequence[Source]]:
        return (_Holes(prepared, write), sources) if sources else (write(prepared), ())

    def fill(self, prepared: Any) -> Any:
        """Return the text of what was prepared, with the values of the sources."""
        if isinstance(prepared, _Holes):
            return prepared.write(OBJECT.fill(prepared.template))
        return prepared

    def load_input(self, payload: Any) -> tuple[Sequence[Any], dict[str, Any]]:
        """Return the arguments; raise PayloadError if the user's function gives anything else."""
        loaded = self._deserialize_input(payload)
        try:
            args, kwargs = loaded
            return tuple(args), dict(kwargs)
        except (TypeError, ValueError):
            raise PayloadError(
                f"deserialize_input must return (args, kwargs), not {loaded!r}"
            ) from None

    def dump_value(self, value: Any) -> Any:
        """Write a value at once."""
        return self.fill(self.prepare_value(value)[0])

    def load_value(self, payload: Any) -> Any:
        """Return the value of a text."""
        return self._deserialize_result(payload)

    def same_input(self, recorded: Any, new: Any) -> bool:
        """Tell whether two texts are equal, or the same JSON."""
        return JSON.same_input(recorded, new)

    def _write_input(self, prepared: tuple[tuple[Any, ...], dict[str, Any]]) -> str:
        args, kwargs = prepared
        return self._checked("serialize_input", self._serialize_input(*args, **kwargs))

    def _write_value(self, value: Any) -> str:
        return self._checked("serialize_result", self._serialize_result(value))

    def _checked(self, what: str, text: Any) -> str:
        if not isinstance(text, str):
            raise TypeError(f"{what} must return a str, not {text!r}")
        return _fitting(text, self.store)


class _Holes:
    """What lacks the values of results, and how it is written when they are there."""

    __slots__ = ("template", "write")

    def __init__(self, template: _object_template.Template, write: Callable[[Any], str]) -> None:
        self.template = template
        self.write = write


def _json_input(*args: Any, **kwargs: Any) -> str:
    text: str = JSON.prepare_input(args, kwargs)[0]
    return text


def _fitting(text: str, store: PayloadStore | None) -> str:
    if store is None and len(text) > LIMIT:
        pack(text)
    return text
