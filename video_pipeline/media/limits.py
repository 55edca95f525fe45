"""What a child may use, and that it ends with us: both set in the child, before it becomes another program."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with(parent: int) -> None:
    """In a child, before it becomes another program: the kernel kills it when `parent` ends, however that happens."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it died before prctl


@dataclass(frozen=True)
class Limits:
    memory: int | None = None
    """Address space, bytes."""
    file_size: int | None = None
    """Largest file the child may write, bytes."""
    cpu_seconds: int | None = None

    def apply(self) -> None:
        """To this process, which is a child that is not yet its program."""
        for kind, value in (
            (resource.RLIMIT_AS, self.memory),
            (resource.RLIMIT_FSIZE, self.file_size),
            (resource.RLIMIT_CPU, self.cpu_seconds),
            (resource.RLIMIT_CORE, 0),
        ):
            if value is not None:
                resource.setrlimit(kind, (value, value))
