"""Make payloads of values for the way through an engine, and values of payloads.

There are two codecs, chosen by name. `"json"` writes text that every engine can carry and that
gives the same values everywhere; `_json_reader` describes it. `"object"` passes values on as they
are, for engines within one process or with means of their own.

A chain of tasks decodes nothing on its way: where a call was given another call's result, the text
of that result is put in as it came from the task.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flowy import _object_template
from flowy._codec import Codec as Codec
from flowy._codec import Source as Source
from flowy._codec import source_of
from flowy._json_reader import PayloadError as PayloadError
from flowy._json_reader import read
from flowy._json_writer import Members, Writer, leaf_writer
from flowy._refusal import RefusalError, as_refusal
from flowy.result import ResultProxy


class JSONCodec(Codec):
    """Write values as JSON text, with tags for what JSON has no form for.

    An input is `[[args], {kwargs}]`. These come back as what they were: None, bool, int, float,
    complex, str, bytes, list, tuple, dict, set, frozenset, UUID, Decimal, datetime, date, time,
    timedelta, paths, members of an Enum, composites of Flags, dataclasses and named tuples. An
    object of a class with a `__json__` method is replaced by what the method returns.

    It does not keep: attributes of a dataclass instance that are no fields, the name of a fixed
    offset, other kinds of `tzinfo` than fixed offsets and `ZoneInfo`, and that two places hold the
    same object.
    """

    name = "json"

    def prepare_input(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Any, Sequence[Source]]:
        """Write the arguments of a call; see `Codec.prepare_input`."""
        if not kwargs:
            # Most calls pass a few plain values and results by position.
            items: list[Any] = []
            sources: dict[int, Source] = {}
            for arg in args:
                leaf = leaf_writer(type(arg))
                if leaf is not None:
                    items.append(leaf(arg))
                elif type(arg) is ResultProxy:
                    source = source_of(arg)
                    sources[id(source)] = source
                    items.append(source)
                else:
                    break
            else:
                if not sources:
                    return f"[[{', '.join(items)}], {{}}]", ()
                pieces: list[Any] = ["[["]
                for item in items:
                    pieces += (item, ", ")
                pieces[-1] = "], {}]"
                return pieces, tuple(sources.values())
        writer = Writer()
        writer.text("[[")
        _walk("args", writer.items, args)
        if kwargs:
            writer.text("], ")
            _walk("kwargs", writer.mapping, dict(kwargs))
            writer.text("]")
        else:
            writer.text("], {}]")
        return writer.finish()

    def prepare_value(self, value: Any) -> tuple[Any, Sequence[Source]]:
        """Write a single value; see `Codec.prepare_value`."""
        leaf = leaf_writer(type(value))
        if leaf is not None:
            return leaf(value), ()
        writer = Writer()
        _walk("result", writer.value, value)
        return writer.finish()

    def fill(self, prepared: Any) -> Any:
        """Return the text with the texts of the sources in their places."""
        if type(prepared) is str:
            return prepared
        texts = []
        for piece in prepared:
            if type(piece) is not str:
                piece = piece.payload if piece.codec is self else self._text_of(piece)
            texts.append(piece)
        return "".join(texts)

    def _text_of(self, piece: Source | Members) -> Any:
        if isinstance(piece, Members):
            return ", ".join(sorted(map(self.fill, piece.members)))
        return self.dump_value(piece.value())

    def load_input(self, payload: Any) -> tuple[Sequence[Any], dict[str, Any]]:
        """Return the arguments that the text of an input holds; raise PayloadError if it is none.

        It imports no module and runs no code that the payload names.
        """
        value = read(payload)
        if (
            type(value) is list
            and len(value) == 2
            and type(value[0]) is list
            and type(value[1]) is dict
            and (not value[1] or all(type(key) is str for key in value[1]))
        ):
            return value[0], value[1]
        raise PayloadError(
            f"an input is JSON text of the form [[args], {{kwargs}}], not {payload[:40]!r}"
        )

    def dump_value(self, value: Any) -> Any:
        """Write a value at once; results inside it are forced."""
        leaf = leaf_writer(type(value))
        if leaf is not None:
            return leaf(value)
        prepared, sources = self.prepare_value(value)
        for source in sources:
            # A failed one has no payload: this raises its error.
            source.value()
        return self.fill(prepared)

    def load_value(self, payload: Any) -> Any:
        """Return the value that the text holds; raise PayloadError if that cannot be."""
        return read(payload)

    def same_input(self, recorded: Any, new: Any) -> bool:
        """Tell whether two texts are equal or the same JSON but for white space and key order.

        A recorded list is the same as a new tuple, because Flowy 0.4.1 wrote tuples as lists.
        """
        if recorded == new:
            return True
        try:
            old = _canonical(recorded)
            return old == _canonical(new) or old == _canonical(new, _untag_tuple)
        except (ValueError, RecursionError):
            return False


def _canonical(text: str, object_hook: Callable[[dict[str, Any]], Any] | None = None) -> str:
    # Flowy 0.4.1 wrote NaN and the infinities as `json` does.
    value = json.loads(text, object_hook=object_hook, parse_constant=_CONSTANTS.get)
    return json.dumps(value, sort_keys=True)


_CONSTANTS = {
    "NaN": {" f": "nan"},
    "Infinity": {" f": "inf"},
    "-Infinity": {" f": "-inf"},
}


def _untag_tuple(value: dict[str, Any]) -> Any:
    return value.get(" t", value) if len(value) == 1 else value


class ObjectCodec(Codec):
    """Pass values on as they are: an input is the pair `(args, kwargs)`.

    Nothing is copied but the containers that lead to results. So a task gets the very objects it
    was called with, and sees changes that are made to them after the call.
    """

    name = "object"

    def prepare_input(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Any, Sequence[Source]]:
        """Find the results in the arguments of a call; see `Codec.prepare_input`."""
        keywords = dict(kwargs)
        are_leaves = _object_template.are_leaves
        if are_leaves(map(type, args)) and are_leaves(map(type, keywords.values())):
            return (args, keywords), ()
        walk = _object_template.Walk()
        parts = [_walk("args", walk.part, args), _walk("kwargs", walk.part, keywords)]
        if not walk.parts:
            return (args, keywords), ()
        whole = _object_template.Parts(tuple, parts)
        walk.parts.append(whole)
        return self._finish(walk, whole)

    def prepare_value(self, value: Any) -> tuple[Any, Sequence[Source]]:
        """Find the results in a value; see `Codec.prepare_value`."""
        walk = _object_template.Walk()
        return self._finish(walk, _walk("result", walk.part, value))

    def _finish(self, walk: _object_template.Walk, root: Any) -> tuple[Any, Sequence[Source]]:
        template = _object_template.Template(root, walk.parts)
        sources = tuple(walk.sources.values())
        # Without sources there may be parts still, of finished results that are keys or members.
        return (template, sources) if sources else (self.fill(template), ())

    def fill(self, prepared: Any) -> Any:
        """Return the objects with the values of the sources in their places."""
        if type(prepared) is _object_template.Template:
            return prepared.fill(self)
        return prepared

    def load_input(self, payload: Any) -> tuple[Sequence[Any], dict[str, Any]]:
        """Return the arguments, which are the payload."""
        args, kwargs = payload
        return args, kwargs

    def dump_value(self, value: Any) -> Any:
        """Return the value."""
        return value

    def load_value(self, payload: Any) -> Any:
        """Return the payload."""
        return payload

    def same_input(self, recorded: Any, new: Any) -> bool:
        """Return True: objects need not be equal to be the same input, nor the same if equal.

        Two objects of a class without `__eq__` differ though they are made by the same code, and
        `__eq__` may answer with anything, such as an array. So replay does not check inputs.
        """
        return True


def _walk(root: str, walk: Callable[[Any], Any], value: Any) -> Any:
    try:
        return walk(value)
    except (RefusalError, RecursionError) as error:
        raise as_refusal(error).error(root) from None


JSON = JSONCodec()
OBJECT = ObjectCodec()


def codec(choice: str | Codec) -> Codec:
    """Return the codec of a name, "json" or "object", or a codec as it is."""
    if isinstance(choice, Codec):
        return choice
    for known in (JSON, OBJECT):
        if choice == known.name:
            return known
    raise ValueError(f"codec must be 'json', 'object' or an instance of Codec, not {choice!r}")
