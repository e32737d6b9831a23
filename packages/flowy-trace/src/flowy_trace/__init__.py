"""Traces of Flowy workflows and their pictures: a beginning that holds no tracing yet."""

from flowy import __version__ as __version__
