"""Testing workflows, and testing engines.

`run` runs a workflow against scripted tasks on a virtual clock, `replay` runs today's code over a
recorded history, and `flowy.testing.conformance` is the suite that every engine passes. None of
them needs pytest.
"""

from flowy.testing.histories import History as History
from flowy.testing.histories import Recorder as Recorder
from flowy.testing.histories import load_history as load_history
from flowy.testing.histories import save_history as save_history
from flowy.testing.replaying import replay as replay
from flowy.testing.scripted import Call as Call
from flowy.testing.scripted import Outcome as Outcome
from flowy.testing.scripted import run as run
from flowy.testing.scripted import runs_workflow as runs_workflow
from flowy.testing.scripts import Script as Script
from flowy.testing.scripts import ScriptError as ScriptError
from flowy.testing.scripts import by_attempt as by_attempt
from flowy.testing.scripts import by_call as by_call
from flowy.testing.scripts import fails as fails
from flowy.testing.scripts import gets_cancelled as gets_cancelled
from flowy.testing.scripts import never_ends as never_ends
from flowy.testing.scripts import returns as returns
from flowy.testing.scripts import runs as runs
from flowy.testing.scripts import task as task
from flowy.testing.scripts import times_out as times_out
