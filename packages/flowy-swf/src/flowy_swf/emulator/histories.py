"""Histories on disk, for people to look at; the emulator does not read them again."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from flowy_swf.emulator.execution import Execution

_log = logging.getLogger(__name__)


class Histories:
    """A directory with a folder for each domain and a file for each execution in it.

    A file is what GetWorkflowExecutionHistory would answer, without pages. The directory is made
    here, so that one that cannot be made is known before anything runs (OSError).
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory

    def write(self, execution: Execution) -> None:
        """Write the history of an execution, over what was written of it before.

        A disk that is full does not change what executions do: it is logged.
        """
        folder = self._directory / f"domain-{_file_name(execution.domain)}"
        name = f"{_file_name(execution.workflow_id)}-{_file_name(execution.run_id[:20])}"
        text = json.dumps({"events": execution.events}, indent=1)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.json").write_text(text, encoding="utf-8")
        except OSError as error:
            _log.warning("the history of %r is not written: %s", execution.workflow_id, error)

    def write_open(self, executions: Iterable[Execution]) -> None:
        """Write the histories, so far, of those executions that are open."""
        for execution in executions:
            if execution.is_open:
                self.write(execution)


def _file_name(text: str) -> str:
    """Give a part of a file's name: cut, as texts may be longer; run ids keep names apart."""
    return quote(text, safe="", errors="surrogatepass")[:100]
