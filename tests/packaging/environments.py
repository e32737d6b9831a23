"""Building the packages, and installing them where nothing else is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: distributions and the packages they hold
IMPORTS = {
    "flowy-core": "flowy",
    "flowy-local": "flowy_local",
    "flowy-swf": "flowy_swf",
    "flowy-trace": "flowy_trace",
}


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command to its end and return what it printed; a failure shows all it printed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def program(environment: Path, name: str) -> Path:
    """Return where an environment has a program, such as `python`."""
    windows = environment / "Scripts" / f"{name}.exe"
    return windows if windows.exists() else environment / "bin" / name


def make_environment(folder: Path, *arguments: str | Path) -> Path:
    """Make an empty virtual environment and let pip install the arguments in it."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    python = str(program(folder, "python"))
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    run(*pip, *arguments, cwd=folder.parent)
    return folder


def build(source: Path, folder: Path, *options: str) -> None:
    """Build a distribution from its folder: wheel and sdist, or what the options say."""
    run(sys.executable, "-m", "hatchling", "build", *options, "--directory", folder, cwd=source)


def wheel_of(folder: Path, distribution: str) -> Path:
    """Return the wheel of a distribution that was built into the folder."""
    [wheel] = folder.glob(f"{distribution.replace('-', '_')}-*.whl")
    return wheel
