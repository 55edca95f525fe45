"""A reconciler's process that may die before and after every effect."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any


class Died(BaseException):
    """The process was killed."""


class Fuse:
    """Burns down with every effect; at 0 the process dies, before or after the effect."""

    def __init__(self) -> None:
        self.left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Died


class MortalRedis:
    """A client whose process may die before and after every command."""

    def __init__(self, real: Any, fuse: Fuse) -> None:
        self._real, self._fuse = real, fuse

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if not callable(real) or name == "pipeline":
            return real

        def call(*arguments: Any, **options: Any) -> Any:
            self._fuse.burn()
            answer = real(*arguments, **options)
            self._fuse.burn()
            return answer

        return call


class MortalLoop:
    """The same for BullMQ's commands."""

    def __init__(self, real: Any, fuse: Fuse) -> None:
        self._real, self._fuse = real, fuse

    def run(self, work: Coroutine[Any, Any, Any], timeout: float = 20.0) -> Any:
        try:
            self._fuse.burn()
        except Died:
            work.close()
            raise
        answer = self._real.run(work, timeout)
        self._fuse.burn()
        return answer
