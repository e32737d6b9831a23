"""The packages as users get them: built, installed in empty environments, away from the source."""

from __future__ import annotations

import re
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from tests.packaging.environments import (
    IMPORTS,
    ROOT,
    build,
    make_environment,
    program,
    run,
    wheel_of,
)

import flowy

CORE = f"flowy-core[plugins]~={flowy.__version__}"
REQUIRES = {
    "flowy-core": ["pluggy>=1.5; extra == 'plugins'"],
    "flowy-local": [CORE, "rich>=13; extra == 'progress'"],
    "flowy-swf": [CORE, "boto3>=1.28"],
    "flowy-trace": [CORE, "graphviz>=0.20"],
}

#: prints the version and the place of the module it is given
WHERE = """
import importlib, sys
module = importlib.import_module(sys.argv[1])
print(module.__version__, module.__file__)
"""


def _wheel_files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _metadata(wheel: Path) -> Message:
    [name] = [name for name in _wheel_files(wheel) if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(_wheel_files(wheel)[name].decode())


def _readme_example(distribution: str) -> tuple[str, str]:
    """Find the example in a package's README, and what the comment at its end says it prints."""
    readme = (ROOT / "packages" / distribution / "README.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```python\n(.+?)\n```", readme, re.DOTALL)
    return example, example.rpartition("  # ")[2]


@pytest.fixture(scope="module")
def all_installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment with the four wheels and what they require."""
    wheels = [wheel_of(built, distribution) for distribution in IMPORTS]
    return make_environment(tmp_path_factory.mktemp("all") / "env", *wheels)


@pytest.mark.parametrize("distribution", IMPORTS)
def test_a_wheel_describes_itself(built: Path, distribution: str) -> None:
    metadata = _metadata(wheel_of(built, distribution))
    assert metadata["Name"] == distribution
    assert metadata["Version"] == flowy.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert sorted(metadata.get_all("Requires-Dist", [])) == sorted(REQUIRES[distribution])
    readme = ROOT / "packages" / distribution / "README.md"
    assert str(metadata.get_payload()) == readme.read_text(encoding="utf-8")


@pytest.mark.parametrize("distribution", IMPORTS)
def test_a_wheel_holds_its_package_and_nothing_else(built: Path, distribution: str) -> None:
    source = ROOT / "packages" / distribution / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = set(_wheel_files(wheel_of(built, distribution)))
    information = f"{distribution.replace('-', '_')}-{flowy.__version__}.dist-info"
    assert {name for name in names if not name.startswith(information)} == expected
    assert f"{IMPORTS[distribution]}/py.typed" in names
    assert f"{information}/licenses/LICENSE" in names


@pytest.mark.parametrize("distribution", IMPORTS)
def test_an_unpacked_sdist_builds_the_same_wheel(
    built: Path, distribution: str, tmp_path: Path
) -> None:
    name = f"{distribution.replace('-', '_')}-{flowy.__version__}"
    with tarfile.open(built / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    build(tmp_path / name, tmp_path, "-t", "wheel")
    rebuilt = _wheel_files(wheel_of(tmp_path, distribution))
    assert rebuilt == _wheel_files(wheel_of(built, distribution))


@pytest.mark.parametrize("distribution", IMPORTS)
def test_an_installed_wheel_is_imported_from_its_environment(
    all_installed: Path, distribution: str, tmp_path: Path
) -> None:
    printed = run(
        program(all_installed, "python"), "-I", "-c", WHERE, IMPORTS[distribution], cwd=tmp_path
    )
    version, file = printed.split(" ", 1)
    assert version == flowy.__version__
    assert all_installed in Path(file).parents


def test_the_example_of_flowy_local_runs_where_it_is_installed(
    all_installed: Path, tmp_path: Path
) -> None:
    example, printed = _readme_example("flowy-local")
    assert run(program(all_installed, "python"), "-I", "-c", example, cwd=tmp_path) == printed


def test_the_example_of_flowy_core_runs_with_nothing_beside_it(built: Path, tmp_path: Path) -> None:
    environment = make_environment(tmp_path / "env", "--no-index", wheel_of(built, "flowy-core"))
    where = run(program(environment, "python"), "-I", "-c", WHERE, "flowy", cwd=tmp_path)
    assert environment in Path(where.split(" ", 1)[1]).parents
    example, printed = _readme_example("flowy-core")
    assert run(program(environment, "python"), "-I", "-c", example, cwd=tmp_path) == printed
