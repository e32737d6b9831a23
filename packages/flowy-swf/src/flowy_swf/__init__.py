"""Flowy on Amazon SWF: deciders and activity workers on any number of machines."""

from flowy import __version__ as __version__
