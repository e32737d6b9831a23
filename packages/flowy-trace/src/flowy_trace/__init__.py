"""Traces of Flowy workflows, and their pictures.

    workflow.run(2, 10, _trace="run.html")

draws a run, and `Trace.load("run.json").save("run.svg")` draws a trace that was kept.
"""

from flowy import __version__ as __version__
from flowy_trace.dot import DotNotFoundError as DotNotFoundError
from flowy_trace.model import Attempt as Attempt
from flowy_trace.model import Call as Call
from flowy_trace.model import Error as Error
from flowy_trace.model import Execution as Execution
from flowy_trace.model import Trace as Trace
from flowy_trace.recorder import Recorder as Recorder
from flowy_trace.save import ENDINGS as ENDINGS
from flowy_trace.tracing import tracer as tracer
