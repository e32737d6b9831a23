"""What there is to document: the public names of the packages, their errors and their options.

Plain Python, so that tests can hold the reference against the code without Sphinx.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

REFERENCE = Path(__file__).parents[1] / "reference"
#: the packages, by what their distributions hold
PACKAGES = ("flowy", "flowy_local", "flowy_swf", "flowy_trace")
#: the modules whose `__init__` exports names
EXPORTING = (
    "flowy",
    "flowy.testing",
    "flowy.testing.conformance",
    "flowy_local",
    "flowy_swf",
    "flowy_swf.emulator",
    "flowy_trace",
)

_DIRECTIVE = re.compile(r"^\.\. (?:auto|py:)(\w+):: ([\w.]+)$", re.MULTILINE)


def exports(module: str) -> list[str]:
    """Return the public names of a module: those that it imports as themselves."""
    path = importlib.import_module(module).__file__
    assert path is not None
    names = [
        alias.name
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name and not alias.name.startswith("_")
    ]
    # A module that is exported has exports of its own.
    return sorted(name for name in names if f"{module}.{name}" not in EXPORTING)


def documented() -> dict[str, str]:
    """Return what the pages of the reference document: the kind of directive, by qualified name."""
    found: dict[str, str] = {}
    for page in sorted(REFERENCE.glob("*.md")):
        for kind, name in _DIRECTIVE.findall(page.read_text(encoding="utf-8")):
            assert name not in found, f"{name} is documented twice, the second time in {page.name}"
            found[name] = kind
    return found


def resolve(name: str) -> Any:
    """Return the thing of a qualified name, such as `flowy.testing.run`."""
    module, _, rest = name, "", ""
    while True:
        try:
            thing: Any = importlib.import_module(module)
            break
        except ModuleNotFoundError:
            module, _, attribute = module.rpartition(".")
            rest = f"{attribute}.{rest}" if rest else attribute
    for attribute in rest.split(".") if rest else ():
        thing = getattr(thing, attribute)
    return thing


def summary(thing: Any) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]


# --- errors --------------------------------------------------------------------------------------


def modules() -> Iterator[ModuleType]:
    """Yield every module of the packages, but for those that run something."""
    for package in map(importlib.import_module, PACKAGES):
        yield package
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.name.endswith("__main__"):
                yield importlib.import_module(info.name)


def exceptions() -> dict[str, type[BaseException]]:
    """Return the exception classes that the packages define, by module and name."""
    return {
        f"{module.__name__}.{name}": thing
        for module in modules()
        for name, thing in vars(module).items()
        if isinstance(thing, type)
        and issubclass(thing, BaseException)
        and thing.__module__ == module.__name__
    }


def exception_tree() -> str:
    """Return the documented errors as nested lists of Markdown, below the classes of Python."""
    names = {resolve(name): name for name, kind in documented().items() if kind == "exception"}
    children: dict[type, list[type]] = {}
    waiting = list(names)
    while waiting:
        kind = waiting.pop()
        for base in kind.__bases__:
            below = children.setdefault(base, [])
            if kind not in below:
                below.append(kind)
            if base is not BaseException and base not in names and base is not object:
                waiting.append(base)
    lines: list[str] = []

    def show(kind: type, depth: int) -> None:
        name = names.get(kind)
        text = f"`{kind.__name__}`" if name is None else f"{{py:exc}}`{name}`: {summary(kind)}"
        lines.append(f"{'  ' * depth}- {text}")
        for child in sorted(children.get(kind, ()), key=lambda each: each.__name__):
            show(child, depth + 1)

    show(BaseException, 0)
    return "\n".join(lines)


# --- options -------------------------------------------------------------------------------------


def described_parameters(thing: Any) -> dict[str, str]:
    """Return what is said of each parameter, in a docstring of numpy's form or beside the fields.

    Parameters that are described together share a text.
    """
    lines = (inspect.getdoc(thing) or "").splitlines()
    if "Parameters" not in lines:
        return _described_fields(thing)
    described: dict[str, str] = {}
    names: list[str] = []
    # The section goes on until something follows an empty line.
    for line in itertools.takewhile(str.strip, lines[lines.index("Parameters") + 2 :]):
        if line.startswith("    "):
            text = f"{described[names[0]]} {line.strip()}".strip()
            described |= dict.fromkeys(names, text)
        else:
            names = [name.strip(" *") for name in line.split(",")]
            described |= dict.fromkeys(names, "")
    return described


def _described_fields(thing: Any) -> dict[str, str]:
    """Return the comments above the fields of a dataclass."""
    source = textwrap.dedent(inspect.getsource(thing))
    fields = re.findall(r"^((?:    #: .*\n)+)    (\w+):", source, re.MULTILINE)
    return {
        name: " ".join(line.strip().removeprefix("#: ") for line in comment.splitlines())
        for comment, name in fields
    }


def options(thing: Any) -> list[tuple[list[str], list[str], str]]:
    """Return what a class or function takes: names, their defaults, what they are.

    Raises
    ------
    ValueError
        it is not said what each parameter is, or it is said of one that there is not.
    """
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(thing).parameters.items()
        if name != "self" and parameter.kind is not parameter.VAR_POSITIONAL
    }
    described = described_parameters(thing)
    for name, parameter in list(parameters.items()):
        # What the workflow itself takes needs no description.
        if parameter.kind is parameter.VAR_KEYWORD and name not in described:
            del parameters[name]
    if parameters.keys() != described.keys():
        differ = sorted(parameters.keys() ^ described.keys())
        raise ValueError(f"{thing.__qualname__}: described or taken, but not both: {differ}")
    return [
        (list(names), [_default(parameters[name]) for name in names], text)
        for text, group in itertools.groupby(parameters, described.__getitem__)
        for names in [list(group)]
    ]


def options_table(name: str) -> str:
    """Return the options of a class or function as a table of Markdown."""
    rows = ["| option | default | what it is |", "|---|---|---|"]
    for names, defaults, text in options(resolve(name)):
        shown = ", ".join(f"`{each}`" for each in names)
        same = defaults[:1] if len(set(defaults)) == 1 else defaults
        rows.append(f"| {shown} | {', '.join(same)} | {text} |")
    return "\n".join(rows)


def _default(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_KEYWORD:
        return ""
    if parameter.default is parameter.empty:
        return "required"
    if parameter.default is None:
        return "none"
    return f"`{getattr(parameter.default, '__name__', repr(parameter.default))}`"
