"""An Amazon SWF for tests and laptops, in process and over HTTP; production is Amazon SWF itself.

from flowy_swf.emulator import Emulator

emulator = Emulator(clock="skipping")
with emulator.serve() as url:
    swf = emulator.client()
"""

from flowy_swf.emulator.calls import CallCount as CallCount
from flowy_swf.emulator.emulator import Emulator as Emulator
from flowy_swf.emulator.emulator import OpenTask as OpenTask
from flowy_swf.emulator.faults import Fault as Fault
from flowy_swf.emulator.injection import Injection as Injection
from flowy_swf.emulator.state import Quotas as Quotas
from flowy_swf.emulator.tasklists import Poller as Poller
