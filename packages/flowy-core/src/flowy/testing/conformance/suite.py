"""The table of all cases, and running an engine through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flowy.testing.conformance import calls, children, failures, orders, results, values
from flowy.testing.conformance.case import FEATURES, Case, Run

_TABLES = (calls, results, failures, orders, values, children)


def cases(lacks: Iterable[str] = ()) -> list[Case]:
    """Return the cases that an engine has to pass.

    Parameters
    ----------
    lacks
        the features that the engine does not have, of those in `FEATURES`; cases that need one are
        left out.

    Raises
    ------
    ValueError
        there is no such feature.
    """
    lacking = set(lacks)
    unknown = sorted(lacking - set(FEATURES))
    if unknown:
        raise ValueError(
            f"there is no feature {unknown[0]!r} to lack; there are {', '.join(sorted(FEATURES))}"
        )
    return [case for table in _TABLES for case in table.CASES if not case.needs & lacking]


def check(run: Run, lacks: Iterable[str] = (), folder: str | None = None) -> int:
    """Run an engine through all cases; return how many it passed, which is all of them.

    Parameters
    ----------
    run
        `run(factory, activities, workflows, args, kwargs)` configures a workflow for the engine,
        runs it, and returns its result or raises its error.
    lacks
        the features that the engine does not have; see `cases`.
    folder
        where activities note their starts, for workers that do not see this machine's temporary
        files.

    Raises
    ------
    AssertionError
        the engine failed cases; the message has a line for each.
    """
    chosen = cases(lacks)
    failed = []
    for case in chosen:
        try:
            case.check(run, folder)
        except AssertionError as error:
            failed.append(str(error))
    if failed:
        raise AssertionError(
            "\n".join([f"{len(failed)} of {len(chosen)} conformance cases failed:", *failed])
        )
    return len(chosen)


def pytest_cases(run: Run, lacks: Iterable[str] = ()) -> Callable[..., None]:
    """Return a test function for pytest, with each case as a parameter.

    The whole test file of an engine:

        from flowy.testing import conformance

        test_conformance = conformance.pytest_cases(run)

    Parameters
    ----------
    run
        as for `check`.
    lacks
        the features that the engine does not have; see `cases`.
    """
    import pytest

    @pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases(lacks)])
    def test_conformance(case: Case, tmp_path: Any) -> None:
        case.check(run, str(tmp_path))

    # pytest's decorators are not typed for all of its versions.
    test: Callable[..., None] = test_conformance
    return test
