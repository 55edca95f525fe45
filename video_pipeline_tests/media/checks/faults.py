"""One seeded fault: what is broken in a good release, and what the report must say about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from video_pipeline_tests.media.release import Made

Plant = Callable[[Made, Path], Made]


@dataclass(frozen=True)
class Fault:
    plant: Plant
    subject: str
    """The file or track that must be named first."""
    measured: str
    """A pattern of what must be said about it."""
    also: frozenset[str] = frozenset()
    """Checks that see it from their side."""


def assert_only(check: str, fault: Fault, made: Made, directory: Path) -> None:
    """This check fails, no other does, and it says where and what. `digests` fails wherever a file was changed."""
    failed = fault.plant(made, directory).failed()
    assert set(failed) - {"digests", *fault.also} == {check} - {"digests"}, {
        name: result.measured for name, result in failed.items()
    }
    assert failed[check].subject == fault.subject
    assert re.search(fault.measured, failed[check].measured), failed[check].measured
