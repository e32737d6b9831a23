"""The result of a task, as workflow code sees it.

A `ResultProxy` stands in for a value that a task gives sooner or later. Its rules:

1. Using the value forces it. What is behind the proxy, its `Source`, answers with the value, raises
   the task's error, or stops the workflow code until there is something to answer.
2. Python looks special methods up on the type, so `ResultProxy` has every one of them and each does
   to the value what the operation does. Everything else goes through `__getattribute__`.
3. Nothing is kept here: no value, no state. The proxy is one slot that holds the source.
4. The functions of this module, `type()`, `id()` and `is` do not use the value, and neither does
   the `repr` of a pending result.

What a proxy cannot do in Python is described in `docs/proxies.md`.
"""

from __future__ import annotations

import copy
import math
import operator
import os
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Protocol, TypeAlias, final


class Source(Protocol):
    """What stands behind a result: a node of the task graph."""

    @property
    def finished(self) -> bool:
        """Tell whether there is a value or an error."""
        ...

    def value(self) -> Any:
        """Return the task's value or raise its error.

        While there is neither, stop the workflow code: block until there is, or raise a
        `BaseException` that ends this run of the code.
        """
        ...

    def describe(self) -> str:
        """Name the call, such as `square-0`, without forcing anything."""
        ...


class _HiddenMethods(type):
    """The type of `ResultProxy`; it keeps abstract base classes from seeing its methods.

    `isinstance(result, Iterable)` asks the value's class first, and then whether the classes of
    `type(result).__mro__` define `__iter__`. `ResultProxy` does, whatever its value is, so it shows
    none. Python's own look-up does not go through this attribute.
    """

    @property
    def __mro__(cls) -> tuple[type, ...]:
        return ()


#: Special methods that are looked up on the object, not on its type, for operations that know some
#: values by their exact type and would not find their way with the value's own method.
_ANSWERED_HERE = frozenset({"__reduce_ex__", "__deepcopy__", "__mro_entries__"})


@final
class ResultProxy(metaclass=_HiddenMethods):
    """Stand in for the value of a task.

    Workflow code does not make these: a call to a task returns one.

    Parameters
    ----------
    source
        what has the value, or will have it.
    """

    __slots__ = ("_source",)

    def __init__(self, source: Source) -> None:
        # Code such as statistics.mean() makes another of what it got: type(x)(...).
        if not hasattr(source, "describe"):
            raise TypeError(
                f"a result stands for a task, not for {source!r}; some code probably took the type "
                "of a result for that of its value: give it the plain value, copy.copy(result)"
            )
        _set_source(self, source)

    def __repr__(self) -> str:
        source = _get_source(self)
        if source.finished:
            return repr(source.value())
        return f"<pending result of {source.describe()}>"

    def __getattribute__(self, name: str) -> Any:
        value = _get_source(self).value()
        if name in _ANSWERED_HERE:
            return object.__getattribute__(self, name)
        return getattr(value, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_get_source(self).value(), name, value)

    def __setitem__(self, key: Any, item: Any) -> None:
        _get_source(self).value()[_plain(key)] = item

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the value."""
        return _get_source(self).value()(*args, **kwargs)

    def __pow__(self, exponent: Any, modulus: Any = None) -> Any:
        return pow(_get_source(self).value(), _plain(exponent), _plain(modulus))

    def __rpow__(self, base: Any, modulus: Any = None) -> Any:
        # Python passes a modulus from 3.14 on; before, pow(2, result, 5) never comes here.
        return pow(base, _get_source(self).value(), _plain(modulus))

    def __round__(self, digits: Any = None) -> Any:
        return round(_get_source(self).value(), _plain(digits))

    def __length_hint__(self) -> Any:
        # A hint is never negative, and NotImplemented lets the caller's own default stand.
        hint = operator.length_hint(_get_source(self).value(), -1)
        return NotImplemented if hint < 0 else hint

    def __sizeof__(self) -> int:
        value = _get_source(self).value()
        kind: Any = type(value)  # the value may be a class, with a `__sizeof__` for its instances
        return int(kind.__sizeof__(value))

    def __buffer__(self, flags: int, /) -> memoryview:
        # Python 3.12 and newer call it. Releasing the view releases the value's buffer.
        return memoryview(_get_source(self).value())

    def __enter__(self) -> Any:
        value = _get_source(self).value()
        if not _has(value, "__enter__", "__exit__"):
            with value:  # raises what Python raises for such a value
                ...
        return type(value).__enter__(value)

    def __exit__(self, *exc_info: _ExceptionInfo) -> Any:
        value = _get_source(self).value()
        return type(value).__exit__(value, *exc_info)

    async def __aenter__(self) -> Any:
        value = _get_source(self).value()
        if not _has(value, "__aenter__", "__aexit__"):
            async with value:  # raises what Python raises for such a value
                ...
        return await type(value).__aenter__(value)

    async def __aexit__(self, *exc_info: _ExceptionInfo) -> Any:
        value = _get_source(self).value()
        return await type(value).__aexit__(value, *exc_info)

    def __await__(self) -> Generator[Any, Any, Any]:
        # Not the value's own `__await__`: generator-based coroutines have none.
        return _await(_get_source(self).value()).__await__()

    def __reduce_ex__(self, protocol: Any, /) -> tuple[Any, ...]:
        # Pickles as `(value,)[0]`, which any Python can load without Flowy.
        return operator.getitem, ((_get_source(self).value(),), 0)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        value = _get_source(self).value()
        # By type(), because list[int] pretends to be a class.
        if not issubclass(type(value), type) and hasattr(value, "__mro_entries__"):
            entries: tuple[Any, ...] = value.__mro_entries__(bases)
            return entries
        return (value,)


def source_of(proxy: ResultProxy) -> Source:
    """Return what stands behind a result, without forcing it."""
    return _get_source(proxy)


def is_result_proxy(x: object) -> bool:
    """Tell whether `x` is a task's result, without forcing it."""
    return type(x) is ResultProxy


def wait(x: object) -> None:
    """Wait until `x` has finished, if it is a task's result; raise its error if it failed.

    Any other `x` counts as finished. It returns nothing: `x` stays the result that it was.
    """
    if type(x) is ResultProxy:
        _get_source(x).value()


_ExceptionInfo: TypeAlias = "type[BaseException] | BaseException | TracebackType | None"

# The attribute look-up of a proxy answers for the value, so the slot is reached from the class.
_get_source: Callable[[ResultProxy], Source] = vars(ResultProxy)["_source"].__get__
_set_source: Callable[[ResultProxy, Source], None] = vars(ResultProxy)["_source"].__set__


def _plain(x: Any) -> Any:
    return _get_source(x).value() if type(x) is ResultProxy else x


def _has(value: object, *names: str) -> bool:
    return all(hasattr(type(value), name) for name in names)


async def _await(value: Any) -> Any:
    return await value


def _unary(operation: Callable[[Any], Any]) -> Callable[[ResultProxy], Any]:
    def forward(self: ResultProxy, /) -> Any:
        return operation(_get_source(self).value())

    return forward


# An operand that is a result too is replaced by its value: many operators of the built-in types
# accept nothing but the exact types that they know.


def _binary(operation: Callable[[Any, Any], Any]) -> Callable[[ResultProxy, Any], Any]:
    def forward(self: ResultProxy, other: Any, /) -> Any:
        # From left to right, as in Python without Flowy: so of two failures, the same is raised.
        value = _get_source(self).value()
        if type(other) is ResultProxy:
            other = _get_source(other).value()
        return operation(value, other)

    return forward


def _reflected(operation: Callable[[Any, Any], Any]) -> Callable[[ResultProxy, Any], Any]:
    def forward(self: ResultProxy, other: Any, /) -> Any:
        if type(other) is ResultProxy:
            other = _get_source(other).value()
        return operation(other, _get_source(self).value())

    return forward


def _add(name: str, method: Callable[..., Any]) -> None:
    method.__name__ = name
    method.__qualname__ = f"ResultProxy.{name}"
    setattr(ResultProxy, name, method)


_UNARY: dict[str, Callable[[Any], Any]] = {
    "abs": abs,
    "aiter": aiter,
    "anext": anext,
    "bool": bool,
    "bytes": bytes,
    "ceil": math.ceil,
    "complex": complex,
    "copy": copy.copy,
    "dir": dir,
    "float": float,
    "floor": math.floor,
    "fspath": os.fspath,
    "hash": hash,
    "index": operator.index,
    "int": int,
    "invert": operator.invert,
    "iter": iter,
    "len": len,
    "neg": operator.neg,
    "next": next,
    "pos": operator.pos,
    "reversed": reversed,
    "str": str,
    "trunc": math.trunc,
}

for _name in _UNARY:
    _add(f"__{_name}__", _unary(_UNARY[_name]))

for _name in ("lt", "le", "eq", "ne", "gt", "ge", "contains", "getitem", "delitem", "ipow"):
    _add(f"__{_name}__", _binary(getattr(operator, f"__{_name}__")))

for _name in (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod"),
    *("lshift", "rshift", "and", "or", "xor"),
):
    _add(f"__{_name}__", _binary(getattr(operator, f"__{_name}__")))
    _add(f"__r{_name}__", _reflected(getattr(operator, f"__{_name}__")))
    _add(f"__i{_name}__", _binary(getattr(operator, f"__i{_name}__")))

_add("__divmod__", _binary(divmod))
_add("__rdivmod__", _reflected(divmod))
_add("__format__", _binary(format))
_add("__delattr__", _binary(delattr))
_add("__deepcopy__", _binary(copy.deepcopy))
_add("__instancecheck__", _reflected(isinstance))
_add("__subclasscheck__", _reflected(issubclass))
