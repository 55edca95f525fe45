from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from video_pipeline.errors import SourceError
from video_pipeline.media.text import sidecar
from video_pipeline_tests.media.text.clips import ASS, SRT, VTT

FIELD = "subtitles.0.source"


@pytest.mark.parametrize(("kind", "text"), [("srt", SRT), ("ass", ASS), ("webvtt", VTT)])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
        (b"", "cp1252"),
    ],
)
def test_any_usual_encoding(tmp_path: Path, kind: str, text: str, mark: bytes, encoding: str) -> None:
    path = tmp_path / "given"
    text += "\n4\n00:00:31,000 --> 00:00:32,000\nŽ “so” ÿ\n" if kind == "srt" else ""
    path.write_bytes(mark + text.replace("\n", "\r\n").encode(encoding))
    assert sidecar.read(path, FIELD, "given") == (kind, text)


def test_bytes_that_windows_leaves_open_are_text(tmp_path: Path) -> None:
    assert sidecar.decode(b"\x81\xe9\x80") == "\x81é€"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"hello\n", "is not a subtitle file; give SubRip"),
        (b"<html>\n<body>\n<p>\n<p>\n<p>\n00:00:01,000 --> 00:00:02,000\n", "is not a subtitle file"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 8, "is not a subtitle file"),
        (b"\xff\xfe", "is not a subtitle file"),
        (b"WEBVTTX\n\n00:01.000 --> 00:02.000\nx\n" * 9, "is not a subtitle file"),
        (b"WEBVTT\n\nNOTE nothing\n", "there is no subtitle in it"),
        (b"[Script Info]\n\n[V4+ Styles]\n", "there is no subtitle in it"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nx\n" + b"x" * sidecar.MOST_BYTES, "is too large"),
    ],
    ids=range(8),
)
def test_what_is_none_is_refused_by_field(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "given"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=why) as error:
        sidecar.read(path, FIELD, "films.srt")
    assert str(error.value).startswith(f"{FIELD} films.srt: ")
