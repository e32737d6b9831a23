"""Flowy on Amazon SWF: a beginning that runs no workflow yet."""

from flowy import __version__ as __version__
