"""Policies say when a task is tried again; the machine does as they say, replayed or not."""

from __future__ import annotations

import re
from math import inf, nan
from typing import Any

import pytest

from flowy import NonDeterminismError, Retry
from flowy.events import Event
from flowy.retry import NO_RETRY, Mishap, RetryDelays, RetryPolicy, retry_policy

from .machine import (
    begin,
    complete,
    completed,
    fail,
    failed,
    retried,
    run_activity,
    scheduled,
    start_timer,
    timed_out,
    timer_fired,
    timer_started,
)


def delays(policy: RetryPolicy, mishap: Mishap = "timeout", error_type: str = "") -> list[float]:
    """Return what the policy answers attempt after attempt until it gives up."""
    found = [policy.first_delay()]
    while (delay := policy.next_delay(len(found) - 1, mishap, error_type, "a-0")) is not None:
        found.append(delay)
    return found


# --- policies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Retry(), [0, 0, 0]),
        (Retry(attempts=1), [0]),
        (Retry(attempts=4, delay=2), [0, 2, 2, 2]),
        (Retry(attempts=5, delay=1, backoff=3, max_delay=10), [0, 1, 3, 9, 10]),
        (Retry(attempts=2, delay=5, max_delay=3), [0, 3]),
        (NO_RETRY, [0]),
        (RetryDelays((0, 3, 10)), [0, 3, 10]),
        (RetryDelays((2,)), [2]),
    ],
)
def test_the_delays_before_each_attempt(policy: RetryPolicy, expected: list[float]) -> None:
    assert delays(policy) == expected


def test_a_policy_form_retries_errors_too() -> None:
    assert delays(Retry(attempts=3, delay=1), "error", "ValueError") == [0, 1, 1]


def test_plain_delays_apply_to_time_outs_alone() -> None:
    assert delays(RetryDelays((0, 3, 10)), "error", "ValueError") == [0]


@pytest.mark.parametrize(
    ("on", "mishap", "attempts"),
    [(("timeout",), "timeout", 3), (("timeout",), "error", 1), (("error",), "timeout", 1)],
)
def test_a_policy_is_for_the_mishaps_it_names(
    on: tuple[Mishap, ...], mishap: Mishap, attempts: int
) -> None:
    assert len(delays(Retry(on=on), mishap)) == attempts


def test_errors_that_are_given_up_on_are_not_retried() -> None:
    policy = Retry(give_up_on=("ValueError",))
    assert delays(policy, "error", "ValueError") == [0]
    assert delays(policy, "error", "KeyError") == [0, 0, 0]


@pytest.mark.parametrize(("delay", "expected"), [(1, 60), (0, 0)])
def test_a_delay_that_no_number_can_hold_is_the_longest(delay: float, expected: float) -> None:
    policy = Retry(attempts=10_000, delay=delay, backoff=10.0, max_delay=60)
    assert policy.next_delay(5_000, "timeout", "", "a-0") == expected


def test_jitter_is_drawn_from_the_call_and_the_attempt_alone() -> None:
    policy = Retry(attempts=50, delay=10, jitter=0.5)
    drawn = [policy.next_delay(attempt, "timeout", "", "a-0") for attempt in range(49)]
    assert drawn == [policy.next_delay(attempt, "timeout", "", "a-0") for attempt in range(49)]
    assert drawn != [policy.next_delay(attempt, "timeout", "", "a-1") for attempt in range(49)]
    assert len(set(drawn)) == 49
    assert all(delay is not None and 5 <= delay <= 15 for delay in drawn)


def test_the_jitter_of_a_call_is_the_same_for_ever() -> None:
    # Histories that are running now were made with these numbers.
    policy = Retry(attempts=3, delay=10, jitter=0.5)
    assert [policy.next_delay(n, "timeout", "", "a-0") for n in (0, 1)] == [
        13.94379580772926,
        7.840489152318151,
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attempts": 0}, "attempts must be at least 1, not 0"),
        ({"delay": -1}, "delay must be a finite number of seconds from 0, not -1"),
        ({"delay": nan}, "delay must be a finite number of seconds from 0, not nan"),
        ({"max_delay": inf}, "max_delay must be a finite number of seconds from 0, not inf"),
        ({"backoff": 0.5}, "backoff must be at least 1, not 0.5"),
        ({"backoff": nan}, "backoff must be at least 1, not nan"),
        ({"jitter": 2}, "jitter must be between 0 and 1, not 2"),
        ({"on": "error"}, "on must be a sequence of names: use ('error',)"),
        ({"give_up_on": "E"}, "give_up_on must be a sequence of names: use ('E',)"),
        ({"on": ("errors",)}, "on takes 'timeout' and 'error', not 'errors'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        Retry(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attempts": True}, "attempts must be an int, not True"),
        ({"attempts": 2.0}, "attempts must be an int, not 2.0"),
        ({"delay": "1"}, "delay must be a number of seconds, not '1'"),
        ({"max_delay": True}, "max_delay must be a number of seconds, not True"),
    ],
)
def test_options_of_other_types_are_refused(options: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        Retry(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("retry", "error_type", "message"),
    [
        ((), ValueError, "retry needs at least one delay: (0,) is a single attempt"),
        (
            (0, -3),
            ValueError,
            "each delay of retry must be a finite number of seconds from 0, not -3",
        ),
        ((None,), TypeError, "each delay of retry must be a number of seconds, not None"),
        (
            3,
            TypeError,
            "retry must be a sequence of delays in seconds such as (0, 3, 10), or a flowy.Retry, "
            "not 3",
        ),
        (
            "0",
            TypeError,
            "retry must be a sequence of delays in seconds such as (0, 3, 10), or a flowy.Retry, "
            "not '0'",
        ),
    ],
)
def test_what_is_neither_a_policy_nor_delays_is_refused(
    retry: Any, error_type: type[Exception], message: str
) -> None:
    with pytest.raises(error_type) as caught:
        retry_policy(retry)
    assert str(caught.value) == message


def test_lists_of_names_are_kept_as_tuples() -> None:
    policy = Retry(on=["error"], give_up_on=["ValueError"])
    assert (policy.on, policy.give_up_on) == (("error",), ("ValueError",))
    assert hash(policy) == hash(Retry(on=("error",), give_up_on=("ValueError",)))


def test_a_policy_is_taken_as_it_is_and_delays_make_one() -> None:
    policy = Retry()
    assert retry_policy(policy) is policy
    assert retry_policy([0, 3]) == RetryDelays((0, 3))


# --- the machine does as they say ----------------------------------------------------------------


def one(*, a: Any) -> Any:
    return a(1)


#: a step: what happens, and what is commanded then
Steps = list[tuple[Event, list[Any]]]

LOST = fail("TaskTimedout: a-0-1 timed out: passed its START_TO_CLOSE limit")

LIVES: dict[str, tuple[RetryPolicy, list[Any], Steps]] = {
    "at once": (
        Retry(attempts=2),
        [run_activity("a-0-0", 1)],
        [
            (scheduled("a-0-0", 1), []),
            (failed("a-0-0"), [run_activity("a-0-1", 1)]),
            (scheduled("a-0-1", 1), []),
            (completed("a-0-1", 5), [complete(5)]),
        ],
    ),
    "behind timers": (
        RetryDelays((2, 3)),
        [start_timer("a-0-0", 2)],
        [
            (timer_started("a-0-0", 2), []),
            (timer_fired("a-0-0"), [run_activity("a-0-0", 1)]),
            (scheduled("a-0-0", 1), []),
            (timed_out("a-0-0"), [start_timer("a-0-1", 3)]),
            (timer_started("a-0-1", 3), []),
            (timer_fired("a-0-1"), [run_activity("a-0-1", 1)]),
            (scheduled("a-0-1", 1), []),
            (timed_out("a-0-1"), [LOST]),
        ],
    ),
    "given up": (
        Retry(give_up_on=("KeyError",)),
        [run_activity("a-0-0", 1)],
        [
            (scheduled("a-0-0", 1), []),
            (failed("a-0-0"), [run_activity("a-0-1", 1)]),
            (scheduled("a-0-1", 1), []),
            (
                failed("a-0-1", "'k'", "KeyError"),
                [fail("TaskError: a-0-1 failed: KeyError: 'k'")],
            ),
        ],
    ),
}


@pytest.mark.parametrize(("policy", "first", "steps"), LIVES.values(), ids=LIVES)
def test_attempts_follow_each_other(policy: RetryPolicy, first: list[Any], steps: Steps) -> None:
    execution = begin(one, dependencies=retried("a", policy))
    assert execution.run() == first
    for event, commands in steps:
        assert execution.apply(event) == commands


@pytest.mark.parametrize(("policy", "first", "steps"), LIVES.values(), ids=LIVES)
def test_a_replay_of_every_length_goes_on_where_the_history_ends(
    policy: RetryPolicy, first: list[Any], steps: Steps
) -> None:
    expected = [first, *(commands for _, commands in steps)]
    for length in range(len(steps) + 1):
        history = [event for event, _ in steps[:length]]
        execution = begin(one, history, dependencies=retried("a", policy))
        assert execution.run() == expected[length]


def test_the_jitter_depends_on_the_execution() -> None:
    def delay(seed: str) -> Any:
        execution = begin(
            one,
            [scheduled("a-0-0", 1), timed_out("a-0-0")],
            dependencies=retried("a", Retry(delay=10, jitter=1)),
            seed=seed,
        )
        return execution.run()

    assert delay("one") == delay("one")
    assert delay("one") != delay("another")


# --- deployments that change the policy ----------------------------------------------------------


def test_a_delay_that_the_policy_has_lost_is_still_waited_for() -> None:
    history = [scheduled("a-0-0", 1), timed_out("a-0-0"), timer_started("a-0-1", 3)]
    execution = begin(one, history, dependencies=retried("a", RetryDelays((0, 0))))
    assert execution.run() == []
    assert execution.apply(timer_fired("a-0-1")) == [run_activity("a-0-1", 1)]
    assert execution.apply(completed("a-0-1", 5)) == [complete(5)]


def test_a_delay_that_the_policy_has_got_since_is_not_waited_for() -> None:
    history = [scheduled("a-0-0", 1), timed_out("a-0-0"), scheduled("a-0-1", 1)]
    execution = begin(one, history, dependencies=retried("a", RetryDelays((0, 3))))
    assert execution.run() == []
    assert execution.apply(completed("a-0-1", 5)) == [complete(5)]


def test_a_first_delay_that_the_policy_has_lost_is_still_waited_for() -> None:
    execution = begin(one, [timer_started("a-0-0", 2)])
    assert execution.run() == []
    assert execution.apply(timer_fired("a-0-0")) == [run_activity("a-0-0", 1)]


def test_a_first_delay_that_the_policy_has_got_since_is_not_waited_for() -> None:
    history = [scheduled("a-0-0", 1), completed("a-0-0", 5)]
    execution = begin(one, history, dependencies=retried("a", RetryDelays((2,))))
    assert execution.run() == [complete(5)]


def test_an_attempt_more_than_the_policy_has_now_is_not_the_same() -> None:
    history = [scheduled("a-0-0", 1), timed_out("a-0-0"), scheduled("a-0-1", 1)]
    with pytest.raises(NonDeterminismError) as caught:
        begin(one, history)
    error = caught.value
    assert (error.call, error.recorded, error.replayed) == (
        "a-0-1",
        "this attempt was scheduled",
        "the retry policy ends with a-0-0",
    )
