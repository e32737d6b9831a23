"""The local engine of Flowy: workflows on the threads or processes of one machine."""

from flowy import __version__ as __version__

from flowy_local.workflow import LocalWorkflow as LocalWorkflow
