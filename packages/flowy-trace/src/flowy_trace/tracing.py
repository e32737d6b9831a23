"""What `_trace=` of a run means: an observer that writes pictures when the run is over."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from flowy_trace.recorder import Recorder
from flowy_trace.save import check, save

#: where to put a trace: a path, several, or True for a page to be looked at
Targets: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | bool


class Tracer(Recorder):
    """Records a run, and writes it to files when it ends.

    Parameters
    ----------
    paths
        of the files; their endings say what is written.
    show
        whether to make a page in the folder for temporary files, to say where it is, and to open it
        in a browser if there is a terminal, and so somebody in front of it.
    """

    def __init__(
        self, paths: Iterable[str | os.PathLike[str]], show: bool, engine: str = ""
    ) -> None:
        super().__init__(engine=engine)
        self._paths = list(paths)
        self._show = show

    def run_ended(self, time: float) -> None:
        """Write the files."""
        super().run_ended(time)
        trace = self.trace()
        failed: list[Exception] = []
        for path in self._paths:
            # One that cannot be written must not take the others along.
            try:
                save(trace, path)
            except Exception as exc:
                failed.append(exc)
        if self._show:
            handle, page = tempfile.mkstemp(prefix="flowy-", suffix=".html")
            os.close(handle)
            save(trace, page)
            _show(page)
        if failed:
            raise failed[0]


def tracer(targets: Targets, engine: str = "") -> Tracer:
    """Return an observer that writes the trace of a run to `targets` when the run ends.

    What can be told to go wrong then is raised at once, before there is a run to lose. What goes
    wrong at the end is logged, as with every observer, and the run's outcome is not touched.

    Parameters
    ----------
    targets
        a path, several, or True for a page that is opened in a browser.
    engine
        the engine's name.

    Raises
    ------
    ValueError
        a path does not end in one of `flowy_trace.ENDINGS`.
    FileNotFoundError
        the folder is not there.
    DotNotFoundError
        a picture needs the program `dot`, which is not there.
    """
    if isinstance(targets, bool):
        paths: list[str | os.PathLike[str]] = []
    elif isinstance(targets, (str, os.PathLike)):
        paths = [targets]
    else:
        paths = list(targets)
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"a trace goes to a path, several, or True for a page, not {path!r}")
        check(path)
    # An activity may change the folder meanwhile.
    return Tracer([Path(path).absolute() for path in paths], targets is True, engine)


def _show(page: str) -> None:
    print(f"the trace of this run: {page}", file=sys.stderr)
    if sys.stdout.isatty():
        import webbrowser

        webbrowser.open(Path(page).as_uri())
