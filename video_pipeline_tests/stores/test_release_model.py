from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest

from video_pipeline.media.model import Blob
from video_pipeline.stores import releases
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.stores.drafts import assert_whole, draft


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def test_the_file_for_download_is_named(store: LocalStore) -> None:
    data = b"mp4"
    blob = Blob(sha256=hashlib.sha256(data).hexdigest(), size=3)
    store.put_bytes(blob.key, data)
    made = draft(store, "one")
    pointer = releases.publish(store, dataclasses.replace(made, media=[*made.media, blob], download=blob))
    place = store.root / f"videos/film/releases/{pointer.release_id}"
    written = json.loads((place / "release.json").read_text())
    assert (place / written["download"]).read_bytes() == data
    assert written["download"] in {file["path"] for file in written["files"]}
    assert_whole(store.root)


def test_a_release_of_a_version_without_downloads_is_read(store: LocalStore) -> None:
    pointer = releases.publish(store, draft(store, "one"))
    path = store.root / f"videos/film/releases/{pointer.release_id}/release.json"
    written = json.loads(path.read_text())
    del written["download"]
    path.write_text(json.dumps(written))
    assert releases.read(store, "film", pointer.release_id).download is None
