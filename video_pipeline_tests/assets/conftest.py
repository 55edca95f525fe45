from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from video_pipeline import cli_process, settings
from video_pipeline.home import prepare

VIDEO = "seen"


@dataclass(frozen=True)
class Processed:
    home: Path
    clip: Path
    release: str

    def metadata(self, *key: str) -> dict[str, object]:
        """What the newest materialisation of an asset shows, as plain values."""
        with dg.DagsterInstance.from_config(str(self.home / "dagster")) as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey(list(key)))
        assert event is not None, key
        assert event.asset_materialization is not None
        assert event.asset_materialization.partition == VIDEO
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}


@pytest.fixture(scope="session")
def processed(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Processed:
    """A home with one processed video of two scenes and two rungs; only for reading."""
    home = tmp_path_factory.mktemp("processed") / "home"
    clip = make_clip("seen.mp4", seconds=4, size="640x360")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDEO_PIPELINE_HOME", str(home))
        ours = prepare(settings.load())
        return Processed(home, clip, cli_process.run(ours, VIDEO, source=str(clip), preset="draft", title="Seen"))


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    """A home for one test that every resource finds."""
    monkeypatch.setenv("VIDEO_PIPELINE_HOME", str(tmp_path / "home"))
    return prepare(settings.load())
