"""Histories on disk, for people to look at; the emulator does not read them again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from flowy_swf.emulator.execution import Execution


class Histories:
    """A directory with a folder for each domain and a file for each execution in it.

    A file is what GetWorkflowExecutionHistory would answer, without pages.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, execution: Execution) -> None:
        """Write the history of an execution, over what was written of it before."""
        folder = self._directory / quote(execution.domain, safe="")
        folder.mkdir(parents=True, exist_ok=True)
        # Ids may be as long as file names may be, so they are cut; run ids keep names apart.
        name = (
            f"{quote(execution.workflow_id, safe='')[:100]}-{quote(execution.run_id[:20], safe='')}"
        )
        text = json.dumps({"events": execution.events}, indent=1)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")

    def write_open(self, executions: Iterable[Execution]) -> None:
        """Write the histories, so far, of those executions that are open."""
        for execution in executions:
            if execution.is_open:
                self.write(execution)
