"""Random workflows for the law, written as Python source so that a counterexample can be read."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from hypothesis import strategies as st

import flowy
from flowy.retry import NO_RETRY, RetryDelays, RetryPolicy
from flowy.run import Dependency
from flowy.serialization import JSON, OBJECT, Codec

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass(frozen=True)
class Box:
    content: Any


class Opaque(int):
    """A number that has no form in JSON."""


_NAMES: dict[str, Any] = {
    "Point": Point,
    "Box": Box,
    "islice": itertools.islice,
    "suppress": suppress,
    "SuspendTask": flowy.SuspendTask,
    "TaskCancelled": flowy.TaskCancelled,
    "TaskError": flowy.TaskError,
    "TaskTimedout": flowy.TaskTimedout,
    "finish_order": flowy.finish_order,
    "first": flowy.first,
    "is_result_proxy": flowy.is_result_proxy,
    "parallel_reduce": flowy.parallel_reduce,
    "restart": flowy.restart,
    "wait": flowy.wait,
}

#: the dependencies of every program; all take anything and give a small number, but `pair`, which
#: gives a list of two
DEPENDENCIES = ("a", "b", "pair", "child", "add")

_POLICIES: tuple[RetryPolicy, ...] = (
    NO_RETRY,
    RetryDelays((2,)),
    RetryDelays((0, 3)),
    flowy.Retry(attempts=2),
    flowy.Retry(attempts=3, delay=1, backoff=2, jitter=0.5),
    flowy.Retry(attempts=2, on=("error",), give_up_on=("ValueError",)),
)


class Program:
    """A workflow, what it calls, and which features its code has."""

    def __init__(
        self,
        source: str,
        dependencies: dict[str, Dependency],
        codec: Codec,
        features: frozenset[str],
    ) -> None:
        self.source = source
        self.dependencies = dependencies
        self.codec = codec
        self.features = features

    def __repr__(self) -> str:
        dependencies = "".join(
            f"\n# {each.name}: {each.kind}, {each.codec.name}, {each.retry}"
            for each in self.dependencies.values()
        )
        return f"\n{self.source}# codec: {self.codec.name}{dependencies}\n"

    def factory(self) -> Callable[..., Any]:
        """Return the workflow."""
        names = dict(_NAMES)
        with warnings.catch_warnings():
            # Newer Pythons warn of `return` in a finally block, which these programs are fond of.
            warnings.simplefilter("ignore", SyntaxWarning)
            code = compile(self.source, "program.py", "exec")
        exec(code, names)
        factory: Callable[..., Any] = names["workflow"]
        return factory

    @property
    def input(self) -> Any:
        """The payload of the workflow's arguments."""
        prepared, _ = self.codec.prepare_input((1, 2), {})
        return prepared


@st.composite
def programs(draw: Draw) -> Program:
    """Draw a workflow."""
    codec, codec_of_b = draw(
        st.sampled_from(((JSON, JSON), (JSON, JSON), (OBJECT, OBJECT), (JSON, OBJECT)))
    )
    kinds = {"child": "workflow", "add": draw(st.sampled_from(("activity", "workflow")))}
    policies = draw(st.lists(st.sampled_from(_POLICIES), min_size=5, max_size=5))
    dependencies = {
        name: Dependency(
            name, kinds.get(name, "activity"), codec_of_b if name == "b" else codec, retry
        )
        for name, retry in zip(DEPENDENCIES, policies, strict=True)
    }
    writer = _Writer(draw)
    writer.workflow()
    return Program("\n".join(writer.lines) + "\n", dependencies, codec, frozenset(writer.features))


@dataclass
class _Scope:
    """The names that code may use."""

    plain: list[str]
    scalars: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    iterators: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def inner(self) -> _Scope:
        names = self.plain, self.scalars, self.lists, self.iterators, self.errors
        return _Scope(*map(list, names))


class _Writer:
    """Writes one workflow, statement after statement."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.lines: list[str] = []
        self.features: set[str] = set()
        self.indent = 0
        self.names = itertools.count()
        self.left = draw(st.integers(1, 24))

    # --- the frame -------------------------------------------------------------------------------

    def workflow(self) -> None:
        scope = _Scope(["1"])
        with self.suite(f"def workflow({', '.join(DEPENDENCIES)}):"):
            if not self.draw(st.integers(0, 5)):
                self.features.add("call in the factory")
                self.call(scope)
            scope.plain += ["x", "y"]
            with self.suite("def run(x, y):"):
                self.draw(st.sampled_from((self.fan, self.call)))(scope)
                self.block(scope, 0)
                self.end(scope)
            self.line("return run")

    def end(self, scope: _Scope) -> None:
        """Write how the workflow ends."""
        if not self.draw(st.integers(0, 5)):
            self.features.add("restart")
            self.line(f"return restart({self.argument(scope)}, {self.argument(scope)})")
        elif self.draw(st.booleans()):
            self.line(f"return {self.argument(scope)}")
        else:
            self.line(f"return [{', '.join(scope.scalars + scope.lists)}]")

    def block(self, scope: _Scope, depth: int) -> None:
        """Write statements, at least one, that may use and add to `scope`."""
        self.statement(scope, depth)
        while self.left > 0 and self.draw(st.integers(0, 3 + 3 * depth)) < 4:
            self.statement(scope, depth)

    def statement(self, scope: _Scope, depth: int) -> None:
        self.left -= 1
        simple = (self.call, self.call, self.wait, self.first, self.fan, self.reduce, self.order)
        rare = (self.pair, self.compute, self.chain, self.take_one, self.look)
        failing = (self.endure, self.note)
        nested = (self.branch, self.attempt, self.attempt, self.swallow, self.each, self.cleanup)
        write = self.draw(st.sampled_from((*simple, *rare, *failing, *nested)))
        if write in nested and (depth > 2 or self.left <= 0):
            write = self.call
        if write in nested:
            write(scope, depth)
        else:
            write(scope)

    def leave(self, scope: _Scope) -> None:
        """Perhaps write a statement that leaves the block."""
        choice = self.draw(st.integers(0, 20))
        if choice == 20:
            self.features.add("exception out of the code")
            self.line(f'raise ValueError("at {next(self.names)}")')
        elif choice == 19:
            self.features.add("early return")
            self.end(scope)
        elif choice == 18 and self.draw(st.booleans()):
            self.features.add("the code's own SuspendTask")
            self.line("raise SuspendTask")

    def line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    @contextmanager
    def suite(self, head: str) -> Any:
        self.line(head)
        self.indent += 1
        yield
        self.indent -= 1

    def name(self, kind: str = "v") -> str:
        return f"{kind}{next(self.names)}"

    # --- expressions -----------------------------------------------------------------------------

    def scalar(self, scope: _Scope) -> str:
        """Return a number or the result of one."""
        if scope.scalars and self.draw(st.integers(0, 5)):
            return str(self.draw(st.sampled_from(scope.scalars)))
        return str(self.draw(st.sampled_from(scope.plain)))

    def argument(self, scope: _Scope, depth: int = 0) -> str:
        """Return something that may hold results at any depth."""
        kind = self.draw(st.integers(0, 13)) if depth < 2 else 0
        if kind <= 4:
            return self.scalar(scope)
        if kind == 5 and scope.lists:
            self.features.add("list of results")
            return str(self.draw(st.sampled_from(scope.lists)))
        if kind == 6 and scope.errors:
            self.features.add("words of an error")
            return f"str({self.draw(st.sampled_from(scope.errors))})"
        inside = self.argument(scope, depth + 1)
        forms = {
            7: f"[{inside}, 0]",
            8: f"({inside},)",
            9: f"{{'k': {inside}}}",
            10: f"Point({inside}, {self.scalar(scope)})",
            11: f"Box([{inside}])",
            12: f"{{{self.scalar(scope)}: {inside}}}",
            13: f"{{{self.scalar(scope)}}}",
        }
        form = forms.get(kind, inside)
        names = {7: "list", 8: "tuple", 9: "dict", 10: "named tuple", 11: "dataclass"}
        names |= {12: "result as a key", 13: "result in a set"}
        if kind in names:
            self.features.add(names[kind])
        return form

    def called(self, scope: _Scope, names: tuple[str, ...] = ("a", "b", "child")) -> str:
        """Return a call."""
        dependency = self.draw(st.sampled_from(names))
        if dependency == "child":
            self.features.add("child workflow")
        arguments = [self.argument(scope) for _ in range(self.draw(st.sampled_from((1, 2, 3, 0))))]
        if arguments and not self.draw(st.integers(0, 4)):
            self.features.add("keyword argument")
            arguments[-1] = f"k={arguments[-1]}"
        return f"{dependency}({', '.join(arguments)})"

    def members(self, scope: _Scope) -> str:
        """Return a list of results and plain values."""
        if scope.lists and self.draw(st.booleans()):
            return str(self.draw(st.sampled_from(scope.lists)))
        members = [self.member(scope) for _ in range(self.draw(st.integers(1, 4)))]
        if len(set(members)) < len(members):
            self.features.add("a member twice")
        return f"[{', '.join(members)}]"

    def group(self, scope: _Scope) -> str:
        """Return the arguments of `first` or `finish_order`."""
        members = self.members(scope)
        if self.draw(st.integers(0, 2)):
            return members
        self.features.add("members as arguments")
        return f"*{members}"

    def member(self, scope: _Scope) -> str:
        return self.called(scope) if self.draw(st.booleans()) else self.scalar(scope)

    # --- simple statements -----------------------------------------------------------------------

    def call(self, scope: _Scope) -> None:
        called = self.called(scope)
        name = self.name()
        self.line(f"{name} = {called}")
        scope.scalars.append(name)

    def pair(self, scope: _Scope) -> None:
        self.features.add("unpacked result")
        called = self.called(scope, ("pair",))
        names = self.name(), self.name()
        self.line(f"{', '.join(names)} = {called}")
        scope.scalars += names

    def fan(self, scope: _Scope) -> None:
        self.features.add("fan")
        name = self.name("many")
        dependency = self.draw(st.sampled_from(("a", "b")))
        many = self.draw(st.integers(2, 4))
        self.line(f"{name} = [{dependency}(i, {self.scalar(scope)}) for i in range({many})]")
        scope.lists.append(name)

    def chain(self, scope: _Scope) -> None:
        self.features.add("chain")
        start = self.scalar(scope)
        name = self.name()
        self.line(f"{name} = {start}")
        with self.suite(f"for _ in range({self.draw(st.integers(2, 3))}):"):
            self.line(f"{name} = a({name})")
        scope.scalars.append(name)

    def wait(self, scope: _Scope) -> None:
        self.features.add("wait")
        self.line(f"wait({self.scalar(scope)})")

    def endure(self, scope: _Scope) -> None:
        self.features.add("failure endured")
        with self.suite("with suppress(TaskError):"):
            self.line(f"wait({self.scalar(scope)})")

    def note(self, scope: _Scope) -> None:
        self.features.add("failure passed on in words")
        name = self.name()
        with self.suite("try:"):
            self.line(f"{name} = {self.scalar(scope)} + 0")
        with self.suite("except TaskError as error:"):
            self.line(f"{name} = a(str(error))")
        scope.scalars.append(name)

    def compute(self, scope: _Scope) -> None:
        self.features.add("computed value")
        name = self.name()
        if scope.lists and self.draw(st.booleans()):
            self.line(f"{name} = sum({self.draw(st.sampled_from(scope.lists))})")
        else:
            self.line(f"{name} = {self.scalar(scope)} + {self.scalar(scope)}")
        scope.scalars.append(name)

    def look(self, scope: _Scope) -> None:
        self.features.add("question about a result")
        self.line(f"is_result_proxy({self.scalar(scope)})")

    def first(self, scope: _Scope) -> None:
        self.features.add("first")
        members = self.group(scope)
        if not self.draw(st.integers(0, 3)):
            self.features.add("first of first")
            members = f"[first({members}), {self.member(scope)}]"
        name = self.name()
        self.line(f"{name} = first({members})")
        scope.scalars.append(name)

    def order(self, scope: _Scope) -> None:
        members = self.group(scope)
        if self.draw(st.booleans()):
            self.features.add("places in a list")
            name = self.name("many")
            self.line(f"{name} = list(finish_order({members}))")
            scope.lists.append(name)
        else:
            self.features.add("places one at a time")
            name = self.name("order")
            self.line(f"{name} = finish_order({members})")
            scope.iterators.append(name)
            self.take_one(scope)

    def take_one(self, scope: _Scope) -> None:
        if not scope.iterators:
            self.order(scope)
            return
        iterator = self.draw(st.sampled_from(scope.iterators))
        name = self.name()
        self.line(f"{name} = next({iterator}, 0)")
        scope.scalars.append(name)

    def reduce(self, scope: _Scope) -> None:
        functions = {
            "add": "reduction by a task",
            "lambda v, w: v + w": "reduction by a plain function",
            "lambda v, w: add(v, w, 7)": "reduction by a function that calls",
            "lambda v, w: add(v, w) if v == w else w": "reduction that gives a member back",
            "lambda v, w: first(b(v), w)": "reduction by first",
            "lambda v, w: v": "reduction that drops members",
        }
        function = self.draw(st.sampled_from([*functions]))
        self.features.add(functions[function])
        arguments = [function, self.members(scope)]
        if not self.draw(st.integers(0, 3)):
            self.features.add("initializer")
            arguments.append(self.member(scope))
        name = self.name()
        self.line(f"{name} = parallel_reduce({', '.join(arguments)})")
        scope.scalars.append(name)

    # --- statements with blocks ------------------------------------------------------------------

    def branch(self, scope: _Scope, depth: int) -> None:
        self.features.add("branch")
        left, right = self.scalar(scope), self.scalar(scope)
        condition = self.draw(st.sampled_from((f"{left} % 2", f"{left} > {right}", f"{left}")))
        with self.suite(f"if {condition}:"):
            self.inner_block(scope, depth)
        if self.draw(st.booleans()):
            with self.suite("else:"):
                self.inner_block(scope, depth)

    def inner_block(self, scope: _Scope, depth: int) -> None:
        inner = scope.inner()
        self.block(inner, depth + 1)
        self.leave(inner)

    def attempt(self, scope: _Scope, depth: int) -> None:
        with self.suite("try:"):
            inner = scope.inner()
            self.block(inner, depth + 1)
            self.line(f"wait({self.scalar(inner)})")
            self.leave(inner)
        caught = self.draw(
            st.sampled_from(("TaskError", "TaskError", "TaskTimedout", "TaskCancelled"))
        )
        self.features.add(f"except {caught}")
        error = self.name("error")
        with self.suite(f"except {caught} as {error}:"):
            inner = scope.inner()
            inner.errors.append(error)
            if self.draw(st.booleans()):
                self.features.add("words of an error")
                self.line(f"b(str({error}))")
            self.block(inner, depth + 1)
            if not self.draw(st.integers(0, 4)):
                self.features.add("failure raised again")
                self.line("raise")
            else:
                self.leave(inner)
        if not self.draw(st.integers(0, 3)):
            self.features.add("finally after except")
            with self.suite("finally:"):
                self.block(scope.inner(), depth + 1)

    def cleanup(self, scope: _Scope, depth: int) -> None:
        self.features.add("finally")
        with self.suite("try:"):
            self.inner_block(scope, depth)
        with self.suite("finally:"):
            inner = scope.inner()
            self.block(inner, depth + 1)
            self.leave(inner)

    def swallow(self, scope: _Scope, depth: int) -> None:
        """Write code that catches everything, suspensions too."""
        with self.suite("try:"):
            inner = scope.inner()
            self.block(inner, depth + 1)
            self.line(f"wait({self.scalar(inner)})")
        with self.suite("except BaseException:"):
            if self.draw(st.booleans()):
                self.features.add("suspension swallowed before more calls")
                with self.suite("with suppress(BaseException):"):
                    self.line(f"wait({self.scalar(scope)})")
                with self.suite("with suppress(BaseException):"):
                    self.line(f"a({self.scalar(scope)})")
            self.features.add("suspension swallowed")
            self.inner_block(scope, depth)

    def each(self, scope: _Scope, depth: int) -> None:
        places = f"finish_order({self.group(scope)})"
        if self.draw(st.booleans()):
            self.features.add("part of a finish order")
            places = f"islice({places}, {self.draw(st.integers(1, 2))})"
        else:
            self.features.add("whole finish order")
        name = self.name()
        with self.suite(f"for {name} in {places}:"):
            inner = scope.inner()
            inner.scalars.append(name)
            self.block(inner, depth + 1)
            if not self.draw(st.integers(0, 4)):
                self.features.add("break")
                with self.suite(f"if {name} > 2:"):
                    self.line("break")
            else:
                self.leave(inner)
