"""What the files of the repository say about the packages, without building any."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import tomli

import flowy

ROOT = Path(__file__).parents[2]
#: distributions and the packages they hold
IMPORTS = {
    "flowy-core": "flowy",
    "flowy-local": "flowy_local",
    "flowy-swf": "flowy_swf",
    "flowy-trace": "flowy_trace",
}
FAMILY = list(IMPORTS)
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")

#: what no file may hold, written so that this file does not hold it either
FORBIDDEN = {
    "a path of somebody's machine": r"/(?:root|work|home|User[s])/\w|/tm[p]/\w",
    "the host of a package registry": r"py[p]i\.(?:org|python)|python[h]osted|npm[j]s\.org",
    "a marker of an unresolved merge": r"^<{7} |^>{7} ",
}


def _toml(path: str) -> dict[str, Any]:
    return tomli.loads((ROOT / path).read_text(encoding="utf-8"))


def _project(distribution: str) -> dict[str, Any]:
    project: dict[str, Any] = _toml(f"packages/{distribution}/pyproject.toml")["project"]
    return project


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _source_files() -> list[Path]:
    folders = [ROOT / name for name in (".ci", "docs", "packages", "tests")]
    inside = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    top = [path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith(".cov")]
    return [path for path in inside + top if "__pycache__" not in path.parts]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def test_the_packages_are_the_family() -> None:
    assert sorted(path.name for path in (ROOT / "packages").iterdir()) == sorted(FAMILY)


def test_flowy_says_the_version_of_the_one_file() -> None:
    text = _text("packages/flowy-core/src/flowy/_version.py")
    assert re.findall(r"^__version__ = \"(.+)\"$", text, re.MULTILINE) == [flowy.__version__]


@pytest.mark.parametrize("distribution", FAMILY)
def test_the_version_of_a_package_is_read_from_the_one_file(distribution: str) -> None:
    package = _toml(f"packages/{distribution}/pyproject.toml")
    assert package["project"]["dynamic"] == ["version"]
    folder = ROOT / "packages" / distribution
    source = (folder / package["tool"]["hatch"]["version"]["path"]).resolve()
    assert source == ROOT / "packages/flowy-core/src/flowy/_version.py"


def test_flowy_core_depends_on_nothing() -> None:
    project = _project("flowy-core")
    assert project["dependencies"] == []
    assert project["optional-dependencies"] == {"plugins": ["pluggy>=1.5"]}


@pytest.mark.parametrize("distribution", FAMILY[1:])
def test_a_package_requires_the_core_of_its_own_version(distribution: str) -> None:
    [core] = [
        requirement
        for requirement in _project(distribution)["dependencies"]
        if requirement.startswith("flowy-core")
    ]
    assert core == f"flowy-core[plugins]~={flowy.__version__}"


@pytest.mark.parametrize("distribution", FAMILY)
def test_a_package_folder_is_complete(distribution: str) -> None:
    folder = ROOT / "packages" / distribution
    source = folder / "src" / IMPORTS[distribution]
    assert (source / "__init__.py").is_file()
    assert (source / "py.typed").is_file()
    assert (folder / "README.md").read_text(encoding="utf-8").startswith(f"# {distribution}\n")
    assert (folder / "LICENSE").read_text(encoding="utf-8") == _text("LICENSE")


@pytest.mark.parametrize("distribution", FAMILY)
def test_what_packages_say_of_themselves_is_the_same(distribution: str) -> None:
    alike = ("license", "license-files", "readme", "requires-python", "authors")
    project = _project(distribution)
    assert project["name"] == distribution
    assert project["license"] == "MIT"
    assert {key: project[key] for key in alike} == {
        key: _project("flowy-core")[key] for key in alike
    }


def test_the_matrix_classifiers_and_ci_name_the_same_pythons() -> None:
    [matrix] = _toml("hatch.toml")["envs"]["matrix"]["matrix"]
    versions = matrix["python"]
    for distribution in FAMILY:
        prefix = "Programming Language :: Python :: 3."
        classifiers = _project(distribution)["classifiers"]
        named = [f"3.{name[len(prefix) :]}" for name in classifiers if name.startswith(prefix)]
        assert named == versions, distribution
        assert _project(distribution)["requires-python"] == f">={versions[0]}"
    assert f"pythons=({' '.join(versions)})" in _text(".ci/run")


def test_the_readme_has_the_two_commands_and_ci_runs_them() -> None:
    for command in ("example", "test"):
        line = f"python -m pip install hatch && hatch run {command}"
        assert f"\n{line}\n" in _text("README.md")
        assert line in _text(".ci/run")


@pytest.mark.parametrize("document", [*DOCUMENTS, ".ci/run"])
def test_every_hatch_command_in_a_document_exists(document: str) -> None:
    environments = _toml("hatch.toml")["envs"]
    text = _text(document).replace("py$version", "py3.10")
    for command in re.findall(r"hatch run ([^\s`'\"|]+)", text):
        environment, _, script = command.rpartition(":")
        name, _, python = environment.partition(".py")
        if python:
            assert python in environments[name]["matrix"][0]["python"], command
        scripts = dict(environments["default"]["scripts"])
        if name:
            scripts |= environments[name].get("scripts", {})
        assert script in scripts, command


def test_the_example_command_runs_a_file_that_the_readme_shows() -> None:
    python, path = shlex.split(_toml("hatch.toml")["envs"]["default"]["scripts"]["example"])
    assert python == "python"
    [shown] = re.findall(r"```python\n(.+?)```", _text("README.md"), re.DOTALL)
    assert shown in _text(path)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_to_files_lead_somewhere(document: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", _text(document)):
        assert (ROOT / target).exists(), target


def test_the_changelog_has_an_entry_for_the_version() -> None:
    assert re.search(
        rf"^## \[{re.escape(flowy.__version__)}\]", _text("CHANGELOG.md"), re.MULTILINE
    )


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what], re.MULTILINE)
    files = _source_files()
    assert Path(__file__) in files
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line}"
        for path in files
        for number, line in enumerate(_lines(path), 1)
        if pattern.search(line)
    ]
    assert found == []
