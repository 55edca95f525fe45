"""Tells how far a run is. Where to is a matter of the subclass."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TextIO

from video_pipeline.progress.stages import WEIGHTS, Percent

MIN_SECONDS = 0.2
"""Between two updates inside a stage; its start and end are always told."""


class Reporter(ABC):
    """One run's progress."""

    def __init__(self) -> None:
        self._percent = Percent()
        self._told = 0.0
        self._ended = ""

    def expect(self, weights: Mapping[str, float]) -> None:
        """See `Percent.expect`."""
        self._percent.expect(weights)

    def report(self, stage: str, fraction: float) -> None:
        """Takes the share of `stage` that is done, 0 to 1."""
        percent = self._percent.update(stage, fraction)
        now = time.monotonic()
        if 0 < fraction < 1 and now - self._told < MIN_SECONDS:
            return
        if fraction >= 1 and self._ended == stage:
            return  # the encoder has told its end, now the step does
        self._ended = stage if fraction >= 1 else ""
        self._told = now
        self.tell(stage, min(1.0, max(0.0, fraction)), percent)

    @abstractmethod
    def tell(self, stage: str, fraction: float, percent: float) -> None:
        """Passes on one update; `percent` is that of the whole run."""

    def flush(self) -> None:  # noqa: B027  most have nothing to do
        """Waits a moment for what is still being passed on."""


class NullReporter(Reporter):
    """Tells nobody."""

    def tell(self, stage: str, fraction: float, percent: float) -> None:
        pass


class TextReporter(Reporter):
    """Lines for a terminal: one per stage, rewritten in place while it runs; plain lines elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._in_place = stream.isatty()
        self._shown: set[str] = set()

    def tell(self, stage: str, fraction: float, percent: float) -> None:
        if 0 < fraction < 1:
            self._shown.add(stage)
        if not WEIGHTS.get(stage, 1) and stage not in self._shown:
            return  # a codec family that is not in the plan
        line = f"{percent:5.1f} %  {stage:22} {fraction:5.0%}"
        if self._in_place:
            self._stream.write(f"\r\x1b[K{line}" + ("\n" if fraction >= 1 else ""))
        elif fraction >= 1:
            self._stream.write(f"{line}\n")
        self._stream.flush()
