"""Python programs that run at the same time, as workers do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

GATE = "import sys; print('ready', flush=True); sys.stdin.readline()\n"


def together(script: str, arguments: Sequence[Sequence[str]], *, limit: float = 120) -> list[str]:
    """Runs the script once per list of arguments, all let go at one moment; what each printed.

    Each must have ended with 0: its standard error goes to the test's.
    """
    children = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", GATE + script, *each],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for each in arguments
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()
        printed = [child.communicate(timeout=limit)[0] for child in children]
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.communicate()
    assert [child.returncode for child in children] == [0] * len(children)
    return printed
