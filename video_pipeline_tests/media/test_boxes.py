from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from video_pipeline.media.boxes import Box, segment_index, top_level
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media.release import LARGE, SMALL, Made


@pytest.mark.parametrize("name", [LARGE, SMALL])
def test_the_index_leads_to_the_key_frames(made: Made, name: str) -> None:
    """Against ffprobe, which finds packets through the fragments and not through the index."""
    path = made.media[name]
    boxes = top_level(path)
    assert [box.kind for box in boxes][:3] == ["ftyp", "moov", "sidx"]
    assert boxes[-1].end == path.stat().st_size
    assert all(one.end == following.offset for one, following in itertools.pairwise(boxes))
    index = segment_index(path, boxes)
    assert [(int(entry.start), float(entry.duration)) for entry in index] == [(0, 4), (4, 2)]
    packets = ffprobe.show(made.tools, path, "-show_packets")["packets"]
    for entry in index:
        first = next(p for p in packets if int(p["pos"]) > entry.offset)
        assert float(first["pts_time"]) == entry.start
        assert "K" in first["flags"]
    assert index[-1].end == path.stat().st_size


def box(kind: bytes, body: bytes = b"", size: int | None = None) -> bytes:
    return (8 + len(body) if size is None else size).to_bytes(4, "big") + kind + body


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b"\0\0\0", [], id="less than a header"),
        pytest.param(box(b"ftyp", b"abcd"), [Box("ftyp", 0, 12)], id="one"),
        pytest.param(
            box(b"ftyp") + box(b"mdat", b"\0" * 7 + b"\x14" + b"abcd", 1),
            [Box("ftyp", 0, 8), Box("mdat", 8, 20)],
            id="64",
        ),
        pytest.param(box(b"ftyp") + box(b"mdat", b"abc", 0), [Box("ftyp", 0, 8), Box("mdat", 8, 11)], id="to the end"),
        pytest.param(box(b"ftyp") + box(b"mdat", b"abc", 99), [Box("ftyp", 0, 8)], id="cut off"),
        pytest.param(box(b"ftyp") + box(b"mdat", b"abc", 4), [Box("ftyp", 0, 8)], id="smaller than its header"),
    ],
)
def test_boxes_as_far_as_they_make_sense(tmp_path: Path, content: bytes, found: list[Box]) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert list(top_level(path)) == found


def words(*numbers: int, width: int = 4) -> bytes:
    return b"".join(number.to_bytes(width, "big") for number in numbers)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(words(0, 1, 1000, 0, 0) + words(0, 3, width=2) + words(10, 100, 0), id="fewer entries than said"),
        pytest.param(words(0, 1, 0, 0, 0) + words(0, 1, width=2) + words(10, 100, 0), id="no ticks per second"),
    ],
)
def test_a_broken_index_is_none(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(box(b"sidx", body))
    assert segment_index(path, top_level(path)) == ()


@pytest.mark.parametrize("version", [0, 1])
def test_both_versions_of_an_index(tmp_path: Path, version: int) -> None:
    """A gap of 5 bytes lies between the index and what it points to."""
    head = words(version << 24, 1, 1000) + words(0, 5, width=8 if version else 4) + words(0, 2, width=2)
    path = tmp_path / "file"
    path.write_bytes(box(b"sidx", head + words(10, 500, 0) + words(20, 250, 0)) + b"\0" * 35)
    end = top_level(path)[0].end
    entries = [(e.offset, e.end, float(e.start), float(e.duration)) for e in segment_index(path, top_level(path))]
    assert entries == [(end + 5, end + 15, 0, 0.5), (end + 15, end + 35, 0.5, 0.25)]
