"""The one version of the whole family, in the one place where it is written."""

__version__ = "0.5.0"
