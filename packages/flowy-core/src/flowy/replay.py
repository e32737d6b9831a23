"""Logging that replay does not repeat."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flowy.run import is_replaying

if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter


class WorkflowLogger(_Adapter):
    """Logs what a workflow says once, and not again when its code is replayed.

    Use it in workflow code as any other logger: `log = flowy.WorkflowLogger(__name__)`. Outside
    workflow code it logs everything.

    Parameters
    ----------
    logger
        a logger, or its name.
    """

    def __init__(self, logger: logging.Logger | str) -> None:
        super().__init__(logging.getLogger(logger) if isinstance(logger, str) else logger, {})

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name that logging gives it
        """Return whether a message of this level is logged now."""
        return not is_replaying() and super().isEnabledFor(level)
