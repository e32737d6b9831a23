"""What tests of handles and commands have in common."""

from __future__ import annotations

from itertools import count

import pytest
from tests.swf.outside import ACTIVITY, DOMAIN, NOON, TYPE

from flowy_swf.emulator import Emulator
from flowy_swf.emulator.clock import Clock
from flowy_swf.emulator.state import State


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Return an emulator at noon, whose runs are called `run-1` and so on, with two types."""
    runs = count(1)
    monkeypatch.setattr(State, "new_run_id", staticmethod(lambda: f"run-{next(runs)}"))
    monkeypatch.setattr(Clock, "_machine", staticmethod(lambda: int(NOON.timestamp() * 1000)))
    emulator = Emulator(clock="virtual", long_poll=0)
    emulator.call(
        "RegisterDomain", {"name": DOMAIN, "workflowExecutionRetentionPeriodInDays": "30"}
    )
    emulator.call(
        "RegisterWorkflowType",
        {
            "domain": DOMAIN,
            **TYPE,
            "defaultTaskList": {"name": "orders"},
            "defaultChildPolicy": "TERMINATE",
            "defaultExecutionStartToCloseTimeout": "3600",
            "defaultTaskStartToCloseTimeout": "10",
        },
    )
    emulator.call(
        "RegisterActivityType",
        {
            "domain": DOMAIN,
            **ACTIVITY,
            "defaultTaskList": {"name": "payments"},
            "defaultTaskScheduleToStartTimeout": "NONE",
            "defaultTaskScheduleToCloseTimeout": "NONE",
            "defaultTaskStartToCloseTimeout": "600",
            "defaultTaskHeartbeatTimeout": "NONE",
        },
    )
    return emulator
