"""Directives of this manual: pieces of the reference that are made from the code."""

from __future__ import annotations

import re
from typing import Any

from api import exception_tree, options_table
from commands import command_reference
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class _Generated(SphinxDirective):
    """Puts Markdown that was made from the code in its place."""

    headings = False

    def make(self) -> str:
        """Return the Markdown."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Return what stands in the directive's place."""
        return self.parse_text_to_nodes(self.make(), allow_section_headings=self.headings)


class Exceptions(_Generated):
    """The documented errors as a tree."""

    def make(self) -> str:
        """Return the Markdown."""
        return exception_tree()


class Options(_Generated):
    """A table of the options that a class or function takes: `{flowy-options} flowy.Retry`."""

    required_arguments = 1

    def make(self) -> str:
        """Return the Markdown."""
        return options_table(self.arguments[0])


class Command(_Generated):
    """The `flowy` command with all its subcommands, a section each."""

    headings = True

    def make(self) -> str:
        """Return the Markdown."""
        return command_reference()


#: what is said beside fields, until napoleon has read "what it is: this or that" as a type
_comments: dict[str, list[str]] = {}


def as_written(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Have docstrings mean what they look like in the source.

    An indented block is code, and a word that ends in an underscore refers to nothing. What Python
    says of each field of a named tuple says nothing.
    """
    if lines and lines[0].startswith("Alias for field number "):
        lines.clear()
    written: list[str] = []
    heading = ""
    inside = False
    for line in lines:
        if line.strip():
            indented = line.startswith("    ")
            if indented and not inside and written and not written[-1] and heading[:1].strip():
                written += ["::", ""]
            inside = indented
            heading = line
            if not indented:
                line = re.sub(r"(\w)_(?=\s|$)", r"\1\\_", line)
        written.append(line.rstrip())
    lines[:] = written
    if what in ("attribute", "data", "property"):
        _comments[name] = written


def restore_comment(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Have what is said beside a field be a sentence again."""
    if name in _comments:
        lines[:] = _comments.pop(name)


def readable_defaults(
    app: Sphinx,
    what: str,
    name: str,
    obj: Any,
    options: Any,
    signature: str | None,
    return_annotation: str | None,
) -> tuple[str | None, str | None]:
    """Leave out defaults that cannot be written, such as `<factory>`."""
    if signature is not None:
        signature = re.sub(r"=\s*<[^<>]*>", "= ...", signature)
    return signature, return_annotation


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("flowy-exceptions", Exceptions)
    app.add_directive("flowy-options", Options)
    app.add_directive("flowy-command", Command)
    # Napoleon makes fields of the sections at 500.
    app.connect("autodoc-process-docstring", as_written, priority=400)
    app.connect("autodoc-process-docstring", restore_comment, priority=600)
    app.connect("autodoc-process-signature", readable_defaults)
    return {"parallel_read_safe": True}
