from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from video_pipeline.media.model import Blob
from video_pipeline.media.products import StreamFile, Streams
from video_pipeline.stores.checkpoints import Checkpoints
from video_pipeline.stores.objects import LocalStore


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(LocalStore(tmp_path))


def put(checkpoints: Checkpoints, data: bytes) -> Blob:
    blob = Blob(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    checkpoints.store.put_bytes(blob.key, data)
    return blob


def streams(*blobs: Blob) -> Streams:
    return Streams(
        media=tuple(StreamFile(name=str(n), file=blob) for n, blob in enumerate(blobs)), texts={"hls/master.m3u8": "é"}
    )


def test_comes_back_as_it_was(checkpoints: Checkpoints, tmp_path: Path) -> None:
    value = streams(put(checkpoints, b"1"), put(checkpoints, b"22"))
    checkpoints.put("streams", "k1", value)
    assert checkpoints.get("streams", "k1", Streams) == value
    written = json.loads((tmp_path / "checkpoints/streams/k1.json").read_text())
    assert written["texts"] == {"hls/master.m3u8": "é"}


def test_nothing_made_yet(checkpoints: Checkpoints) -> None:
    checkpoints.put("streams", "k1", streams())
    assert checkpoints.get("streams", "k2", Streams) is None
    assert checkpoints.get("other", "k1", Streams) is None


def test_a_blob_is_gone(checkpoints: Checkpoints, tmp_path: Path) -> None:
    kept, gone = put(checkpoints, b"1"), put(checkpoints, b"22")
    checkpoints.put("streams", "k1", streams(kept, gone))
    (tmp_path / gone.key).unlink()
    assert checkpoints.get("streams", "k1", Streams) is None


def test_a_blob_was_cut(checkpoints: Checkpoints, tmp_path: Path) -> None:
    cut = put(checkpoints, b"22")
    checkpoints.put("streams", "k1", streams(cut))
    (tmp_path / cut.key).write_bytes(b"2")
    assert checkpoints.get("streams", "k1", Streams) is None


class Nested(BaseModel):
    by_name: dict[str, list[Streams | None]]


def test_blobs_deep_inside_count(checkpoints: Checkpoints, tmp_path: Path) -> None:
    deep = put(checkpoints, b"deep")
    checkpoints.put("nested", "k", Nested(by_name={"a": [None, streams(deep)]}))
    assert checkpoints.get("nested", "k", Nested) is not None
    (tmp_path / deep.key).unlink()
    assert checkpoints.get("nested", "k", Nested) is None


def test_another_form_is_made_again(checkpoints: Checkpoints, tmp_path: Path) -> None:
    checkpoints.put("streams", "k", streams())
    assert checkpoints.get("streams", "k", Nested) is None
    (tmp_path / "checkpoints/streams/k.json").write_text("{")
    assert checkpoints.get("streams", "k", Streams) is None
