"""Reading traces from files, whatever wrote them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from flowy_trace.model import Trace
from flowy_trace.trace_json import from_value


def load(path: str | os.PathLike[str]) -> Trace:
    """Read a trace; see `Trace.load`."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        if isinstance(value, list) or (isinstance(value, dict) and "events" in value):
            from flowy_trace.swf import from_history

            return from_history(value)
        return from_value(value)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"{os.fspath(path)!r} cannot be read as a trace: {exc}") from None
