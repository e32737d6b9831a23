"""What a case is: a workflow, what its tasks do, and what has to come of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from flowy.errors import TaskError
from flowy.retry import RetryPolicy

#: what a case may need of an engine beyond the rules that all obey, and what each means
FEATURES = {
    "children": "a workflow may be a dependency of another",
    "restarts": "a workflow may end by being started anew",
    "delays": "an attempt may have to wait for so many seconds",
    "timeouts": "an attempt that passes its time limit times out",
    "json": "values cross the engine as JSON text, so that what JSON has no form for is refused",
}

#: a dependency, as a workflow of a case sees it
Task: TypeAlias = Callable[..., Any]


class Activity(NamedTuple):
    """An activity and how it is to be configured."""

    #: can be pickled
    function: Callable[..., Any]
    #: what `conf_activity` takes as `retry`
    retry: RetryPolicy | Iterable[float] = (0,)
    #: seconds that an attempt may take, or None
    timeout: float | None = None


class Workflow(NamedTuple):
    """A child workflow, with its own dependencies."""

    factory: Callable[..., Any]
    #: by name
    activities: Mapping[str, Activity] = {}
    #: by name
    workflows: Mapping[str, Any] = {}


#: What an engine's author supplies: configures the workflow (factory, activities, workflows) for
#: the engine, runs it with the arguments (args, kwargs), returns its result or raises its error.
Run: TypeAlias = Callable[
    [
        Callable[..., Any],
        Mapping[str, Activity],
        Mapping[str, Workflow],
        tuple[Any, ...],
        dict[str, Any],
    ],
    Any,
]


class Counted:
    """An activity that notes each of its starts as a file.

    Parameters
    ----------
    folder
        where the files go; every worker sees it.
    function
        the activity. One that has `numbered` set is told which start this is, from 0, before its
        arguments.
    """

    def __init__(self, folder: str, function: Callable[..., Any]) -> None:
        self.folder = folder
        self.function = function
        self.__name__ = function.__name__

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Note the start and call the function."""
        start = self._note()
        if getattr(self.function, "numbered", False):
            return self.function(start, *args, **kwargs)
        return self.function(*args, **kwargs)

    def _note(self) -> int:
        number = 0
        while True:
            try:
                # Whichever worker comes second with a number takes the next one.
                open(Path(self.folder, f"{self.__name__}.{number}"), "x").close()
            except FileExistsError:
                number += 1
            else:
                return number


@dataclass(frozen=True)
class Raises:
    """The error that a case ends with.

    An engine need not bring the exception itself back from where the workflow ran. A TaskError that
    has its type name as `error_type`, and its text as part of the message, will do.
    """

    kind: type[BaseException]
    #: what is part of the error's text
    text: str = ""

    def fits(self, error: BaseException) -> bool:
        """Return whether this is the error."""
        reported = isinstance(error, TaskError) and error.error_type == self.kind.__name__
        return (reported or isinstance(error, self.kind)) and self.text in str(error)


@dataclass(frozen=True)
class Case:
    """One rule, shown by one workflow."""

    #: the rule: a clause, its words joined by underscores
    name: str
    workflow: Workflow
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    #: the result, or Raises
    expected: Any = None
    #: how often activities are started, where the rules determine that
    starts: Mapping[str, int] = field(default_factory=dict)
    #: which of FEATURES the engine must have
    needs: frozenset[str] = frozenset()

    def check(self, run: Run, folder: str | None = None) -> None:
        """Run the case on an engine; raise AssertionError unless it ends as it should.

        Parameters
        ----------
        run
            the engine.
        folder
            where activities note their starts: one that all workers see. By default it is with the
            temporary files of this machine.
        """
        with tempfile.TemporaryDirectory(
            prefix="flowy-conformance-",
            dir=folder,
            # A task that nobody waits for may still begin, and note that it did.
            ignore_cleanup_errors=True,
        ) as notes:
            workflow = _counted(notes, self.workflow)
            error: BaseException | None = None
            result: Any = None
            try:
                result = run(*workflow, self.args, dict(self.kwargs))
            except Exception as exc:
                error = exc
            self._check_outcome(result, error)
            starts = {name: len(list(Path(notes).glob(f"{name}.*"))) for name in self.starts}
        if starts != dict(self.starts):
            raise AssertionError(
                f"{self.name}: expected the tasks to start {dict(self.starts)!r} times, "
                f"they started {starts!r} times"
            )

    def _check_outcome(self, result: Any, error: BaseException | None) -> None:
        expected = self.expected
        if isinstance(expected, Raises):
            if error is None:
                raise AssertionError(
                    f"{self.name}: expected {expected.kind.__name__} with {expected.text!r}, "
                    f"the workflow returned {result!r}"
                )
            if not expected.fits(error):
                raise AssertionError(
                    f"{self.name}: expected {expected.kind.__name__} with {expected.text!r}, "
                    f"the workflow raised {error!r}"
                ) from error
        elif error is not None:
            raise AssertionError(
                f"{self.name}: expected {expected!r}, the workflow raised {error!r}"
            ) from error
        elif not same(expected, result):
            raise AssertionError(f"{self.name}: expected {expected!r}, got {result!r}")


def same(expected: Any, value: Any) -> bool:
    """Return whether a value is what it should be, and of the very type at every depth."""
    if type(expected) is not type(value):
        return False
    if isinstance(expected, (list, tuple)):
        return len(expected) == len(value) and all(map(same, expected, value))
    if isinstance(expected, dict):
        new = {(type(key), key): each for key, each in value.items()}
        return len(expected) == len(value) and all(
            (type(key), key) in new and same(each, new[type(key), key])
            for key, each in expected.items()
        )
    return bool(expected == value) or (expected != expected and value != value)


def case(
    *activities: Callable[..., Any] | Activity,
    expected: Any,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    starts: Mapping[str, int] | None = None,
    workflows: Mapping[str, Workflow] | None = None,
    needs: Iterable[str] = (),
    to: list[Case],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add a case to the table `to`: the decorated factory, and its name as that of the case."""

    def add(factory: Callable[..., Any]) -> Callable[..., Any]:
        to.append(
            Case(
                factory.__name__,
                workflow(factory, *activities, **(workflows or {})),
                args,
                kwargs or {},
                expected,
                starts or {},
                frozenset(needs) | ({"children"} if workflows else set()),
            )
        )
        return factory

    return add


def workflow(
    factory: Callable[..., Any], *activities: Callable[..., Any] | Activity, **workflows: Workflow
) -> Workflow:
    """Return a workflow with each activity under its function's name."""
    described = [each if isinstance(each, Activity) else Activity(each) for each in activities]
    return Workflow(factory, {each.function.__name__: each for each in described}, workflows)


def _counted(folder: str, workflow: Workflow) -> Workflow:
    """Return the workflow with activities that note their starts, at every depth."""
    return Workflow(
        workflow.factory,
        {
            name: each._replace(function=Counted(folder, each.function))
            for name, each in workflow.activities.items()
        },
        {name: _counted(folder, child) for name, child in workflow.workflows.items()},
    )
