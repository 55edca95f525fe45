"""Every error this package raises on purpose, in one tree.

    PipelineError
    ├── PermanentError          the input is at fault; trying again cannot help
    │   ├── SourceError         the source cannot be read as a video
    │   ├── RequestError        a field of the request is wrong (preset, id, option, ...)
    │   └── CheckFailed         what was made is not what was planned; nothing is published
    ├── TransientError          worth another attempt: a race, a stalled child
    │   ├── ConflictError       another writer was faster (conditional put, fence)
    │   ├── StalledError        a child made no progress
    │   ├── EntryError          an entry of the queue that Redis's scripts cannot work on
    │   ├── Interrupted         our own process is being stopped; another one goes on
    │   └── CommandFailed       a child ended with an error its caller has not explained yet
    ├── DependencyError         something around us is missing, full or down
    │   ├── ToolMissing         a program (ffmpeg, packager, ...) cannot be found or run
    │   ├── DiskFull            no space left where we write
    │   ├── HomeError           the state directory cannot be used
    │   ├── ObjectMissing       the object store does not have what it should
    │   ├── KeysMissing         this host has no keys to encrypt with
    │   └── ServiceDown         Redis, a worker or Dagster does not answer
    └── Cancelled               somebody asked us to stop

What happens follows from the class alone: `PermanentError` goes to the dead letter at once, `TransientError` is
tried again, `DependencyError` is tried again later and is never the video's fault.
"""

from __future__ import annotations

import errno
import shlex
import signal
from typing import ClassVar, Literal

ErrorClass = Literal["permanent", "transient", "dependency", "cancelled"]


class PipelineError(Exception):
    """Base of all. `str()` is one sentence for a person; `detail` holds what a developer also wants."""

    error_class: ClassVar[ErrorClass] = "transient"
    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class PermanentError(PipelineError):
    error_class = "permanent"
    code = "permanent"


class SourceError(PermanentError):
    code = "source"


class RequestError(PermanentError):
    code = "request"


class CheckFailed(PermanentError):
    code = "check"


class TransientError(PipelineError):
    error_class = "transient"
    code = "transient"


class ConflictError(TransientError):
    code = "conflict"


class StalledError(TransientError):
    code = "stalled"


class EntryError(TransientError):
    code = "entry"


class Interrupted(TransientError):
    code = "interrupted"


class CommandFailed(TransientError):
    """`argv` can be pasted into a shell; `log` holds the last lines of standard error."""

    code = "command"

    def __init__(self, argv: str, status: int, log: str) -> None:
        name = shlex.split(argv)[0].rsplit("/", 1)[-1]
        last = log.strip().splitlines()[-1:] or ["no message"]
        # Whatever a child has said before, it did not know of the signal.
        how = f"was killed by {_signal(-status)}" if status < 0 else f"ended with status {status}: {last[0]}"
        super().__init__(f"{name} {how}", detail=f"{argv}\n{log}")
        self.argv, self.status, self.log = argv, status, log


def _signal(number: int) -> str:
    name = signal.Signals(number).name
    return f"{name}, as the kernel does where memory is short" if number == signal.SIGKILL else name


class DependencyError(PipelineError):
    error_class = "dependency"
    code = "dependency"


class ToolMissing(DependencyError):
    code = "tool"


class DiskFull(DependencyError):
    code = "disk-full"


class HomeError(DependencyError):
    code = "home"


class ObjectMissing(DependencyError):
    code = "object-missing"


class KeysMissing(DependencyError):
    code = "keys"


class ServiceDown(DependencyError):
    code = "service"


class Cancelled(PipelineError):
    error_class = "cancelled"
    code = "cancelled"


def classify(error: BaseException) -> PipelineError:
    """The error as one of ours: unchanged if it is, by `errno` for an `OSError`, else transient."""
    if isinstance(error, PipelineError):
        return error
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFull(f"no space left on device{where}; free some and try again")
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            return HomeError(f"not allowed to write{where}: {error.strerror}")
    return TransientError(f"{type(error).__name__}: {error}")
