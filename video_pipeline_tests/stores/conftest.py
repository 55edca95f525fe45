from __future__ import annotations

from pathlib import Path

import pytest

from video_pipeline.stores.index import Index


@pytest.fixture
def index(tmp_path: Path) -> Index:
    made = Index(f"sqlite:///{tmp_path / 'home' / 'index.db'}")
    made.upgrade()
    return made
