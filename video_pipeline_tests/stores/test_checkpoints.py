from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from video_pipeline.errors import ConflictError
from video_pipeline.media.model import Blob
from video_pipeline.media.products import StreamFile, Streams
from video_pipeline.stores.checkpoints import Checkpoints
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.stores.processes import together


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


@pytest.mark.parametrize("damaged", [b"2", b"", b"23", b"222"])
def test_a_blob_is_damaged(checkpoints: Checkpoints, tmp_path: Path, damaged: bytes) -> None:
    blob = put(checkpoints, b"22")
    checkpoints.put("streams", "k1", streams(blob))
    (tmp_path / blob.key).write_bytes(damaged)
    assert checkpoints.get("streams", "k1", Streams) is None
    # It was removed: else the next put would take it for done.
    assert not (tmp_path / blob.key).exists()
    checkpoints.put("streams", "k1", streams(put(checkpoints, b"22")))
    assert checkpoints.get("streams", "k1", Streams) is not None
    assert (tmp_path / blob.key).read_bytes() == b"22"


@pytest.mark.parametrize("torn", ["", "{", "null", "[]", '{"media": []}', "\0\0\0\0", "\ud800"])
def test_json_that_is_no_checkpoint(checkpoints: Checkpoints, tmp_path: Path, torn: str) -> None:
    value = streams(put(checkpoints, b"1"))
    checkpoints.put("streams", "k1", value)
    path = tmp_path / "checkpoints/streams/k1.json"
    whole = path.read_bytes()
    path.write_bytes(torn.encode(errors="surrogatepass"))
    assert checkpoints.get("streams", "k1", Streams) is None
    path.write_bytes(whole[: len(whole) // 2])
    assert checkpoints.get("streams", "k1", Streams) is None
    checkpoints.drop("streams", "k1")
    checkpoints.put("streams", "k1", value if (tmp_path / value.media[0].file.key).exists() else streams())
    assert checkpoints.get("streams", "k1", Streams) is not None


def test_size_alone_if_it_shall_not_be_read(checkpoints: Checkpoints, tmp_path: Path) -> None:
    blob = put(checkpoints, b"22")
    checkpoints.put("streams", "k1", streams(blob))
    (tmp_path / blob.key).write_bytes(b"23")
    assert checkpoints.get("streams", "k1", Streams, read=False) is not None
    (tmp_path / blob.key).write_bytes(b"2")
    assert checkpoints.get("streams", "k1", Streams, read=False) is None


def test_a_checkpoint_needs_its_blobs(checkpoints: Checkpoints) -> None:
    with pytest.raises(ConflictError, match="removed meanwhile"):
        checkpoints.put("streams", "k1", streams(Blob(sha256="0" * 64, size=1)))
    assert checkpoints.get("streams", "k1", Streams) is None


def below(place: Path) -> list[str]:
    return sorted(path.name for path in place.rglob("*") if path.is_file() and not path.name.startswith("."))


def test_drop_takes_the_blobs_with_it(checkpoints: Checkpoints, tmp_path: Path) -> None:
    checkpoints.put("chunk", "k", streams(put(checkpoints, b"1"), put(checkpoints, b"22")))
    checkpoints.drop("chunk", "k")
    checkpoints.drop("chunk", "k")
    assert checkpoints.get("chunk", "k", Streams) is None
    assert below(tmp_path / "blobs") == below(tmp_path / "checkpoints") == []


def test_drop_leaves_what_another_needs(checkpoints: Checkpoints, tmp_path: Path) -> None:
    """Black looks alike everywhere."""
    black, own = put(checkpoints, b"black"), put(checkpoints, b"own")
    checkpoints.put("chunk", "1", streams(black, own, black))
    checkpoints.put("chunk", "2", streams(black))
    checkpoints.put("source", "s", streams(own))
    checkpoints.drop("chunk", "1")
    assert checkpoints.get("chunk", "2", Streams) is not None
    assert below(tmp_path / "blobs") == sorted([black.sha256, own.sha256])
    checkpoints.drop("chunk", "2")
    assert below(tmp_path / "blobs") == [own.sha256]


def test_drop_leaves_a_release_its_files(checkpoints: Checkpoints, tmp_path: Path) -> None:
    blob = put(checkpoints, b"1")
    checkpoints.put("streams", "k", streams(blob))
    checkpoints.store.copy(blob.key, f"videos/v/media/{blob.sha256}.mp4")
    checkpoints.drop("streams", "k")
    assert (tmp_path / f"videos/v/media/{blob.sha256}.mp4").read_bytes() == b"1"


RACE = """
import hashlib
from pathlib import Path
from video_pipeline.errors import ConflictError
from video_pipeline.media.model import Blob
from video_pipeline.media.products import Download
from video_pipeline.stores.checkpoints import Checkpoints
from video_pipeline.stores.objects import LocalStore
checkpoints, key, conflicts = Checkpoints(LocalStore(Path(sys.argv[1]))), sys.argv[2], 0
blob = Blob(sha256=hashlib.sha256(b"black").hexdigest(), size=5)
for turn in range(80):
    checkpoints.store.put_bytes(blob.key, b"black")
    try:
        checkpoints.put("chunk", key, Download(file=blob))
    except ConflictError:
        conflicts += 1
        continue
    assert (checkpoints.store.root / blob.key).read_bytes() == b"black", "a checkpoint that was put stands"
    assert checkpoints.get("chunk", key, Download) is not None
    checkpoints.drop("chunk", key)
print(conflicts)
"""


def test_the_same_blob_put_and_dropped_by_many(tmp_path: Path) -> None:
    printed = together(RACE, [[str(tmp_path), key] for key in "abcd"])
    assert len(printed) == 4
    assert below(tmp_path / "blobs") == below(tmp_path / "checkpoints") == []


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
