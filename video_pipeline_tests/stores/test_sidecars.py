from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from video_pipeline.errors import SourceError
from video_pipeline.media.options import Options, Sidecar
from video_pipeline.media.text import sidecar
from video_pipeline.stores.checkpoints import Checkpoints
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.sidecars import take_in
from video_pipeline_tests.media.text.clips import ASS, SRT


def options(*paths: Path) -> Options:
    return Options(subtitles=tuple(Sidecar(source=str(path), language="en") for path in paths))


def test_files_are_kept_by_their_content(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    paths = [tmp_path / "a, b.srt", tmp_path / "c.txt"]
    for path, text in zip(paths, (SRT, ASS), strict=True):
        path.write_text(text, "utf-16")
    before = [path.read_bytes() for path in paths]
    (tmp_path / "scratch").mkdir()
    files = take_in(options(*paths), store, Checkpoints(store), tmp_path / "scratch")
    for path in paths:
        path.unlink()
    assert [(file.name, file.uri) for file in files] == [(path.name, str(path)) for path in paths]
    for file, data in zip(files, before, strict=True):
        assert store.get_bytes(file.blob.key) == data
        assert file.blob.sha256 == hashlib.sha256(data).hexdigest()
    assert take_in(Options(), store, Checkpoints(store), tmp_path) == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "no such file"),
        (b"", r"the file is empty \(0 bytes\)"),
        (b"no subtitles", "is not a subtitle file; give SubRip"),
        (bytes(sidecar.MOST_BYTES + 1), "bytes are too many; give SubRip"),
    ],
    ids=["missing", "empty", "other", "large"],
)
def test_a_bad_file_is_named_by_its_field(tmp_path: Path, content: bytes | None, why: str) -> None:
    good, bad = tmp_path / "good.srt", tmp_path / "bad.srt"
    good.write_text(SRT)
    if content is not None:
        bad.write_bytes(content)
    store = LocalStore(tmp_path / "store")
    with pytest.raises(SourceError, match=rf"^subtitles\.1\.source {bad}: .*{why}"):
        take_in(options(good, bad), store, Checkpoints(store), tmp_path)
