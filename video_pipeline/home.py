"""The state directory: made, checked, and given the `dagster.yaml` of the checkout."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from video_pipeline.errors import DiskFull, HomeError, classify
from video_pipeline.settings import PROJECT, Settings


def prepare(settings: Settings) -> Settings:
    """Makes `settings.home` ready for use and returns the settings.

    Raises:
        HomeError: it cannot be made or written.
        DiskFull: not even an empty file fits.
    """
    odd = sorted(set("?%") & set(str(settings.home)))
    if odd:
        raise HomeError(
            f"the state directory {settings.home} has {' and '.join(odd)} in its name, which a database address cannot "
            "hold; set VIDEO_PIPELINE_HOME to another one"
        )
    try:
        settings.dagster_home.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.home, prefix=".write-test-") as probe:
            probe.write(b"\0" * 4096)
            probe.flush()
        _link_dagster_yaml(settings.dagster_home)
    except OSError as error:
        ours = classify(error)
        if isinstance(ours, DiskFull):
            raise ours from None
        raise HomeError(
            f"the state directory {settings.home} cannot be used ({error.strerror}); "
            "set VIDEO_PIPELINE_HOME to one that can be written"
        ) from None
    return settings


def _link_dagster_yaml(dagster_home: Path) -> None:
    """DAGSTER_HOME must hold its own dagster.yaml; a link keeps the checkout's the one in use."""
    link, target = dagster_home / "dagster.yaml", PROJECT / "dagster.yaml"
    if link.is_symlink() and os.readlink(link) == str(target):
        return
    beside = dagster_home / f".dagster.yaml-{os.getpid()}"
    beside.unlink(missing_ok=True)  # of a process that was killed here; ids come again
    beside.symlink_to(target)
    beside.replace(link)
