"""Builds the manual: `hatch run docs:build`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import flowy

project = "Flowy"
author = "the authors of Flowy"
copyright = "the authors of Flowy, under the MIT license"
version = release = flowy.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "flowy_docs",
]
exclude_patterns = ["_ext", "examples"]

# Pages are read on GitHub too, so they link to files and headings as GitHub does.
myst_heading_anchors = 4
# Examples may leave something out, such as `[...]` in JSON.
suppress_warnings = ["misc.highlighting_failure"]

# In docstrings a single backtick is code, and leads to what it names if that is documented.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True

# An option is typed with two hyphens, and GitHub shows what is written.
smartquotes = False

html_theme = "furo"
html_title = f"Flowy {release}"
html_copy_source = False
html_show_sphinx = False
