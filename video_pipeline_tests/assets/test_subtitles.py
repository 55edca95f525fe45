"""Subtitles of a source and of files that came with it: what is published, and what people see of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from lxml import html
from starlette.requests import Request
from starlette.routing import Route

from video_pipeline import cli_process
from video_pipeline.errors import SourceError
from video_pipeline.media.options import Options, Sidecar, Trim
from video_pipeline.media.tools import Tools
from video_pipeline.services.delivery import application
from video_pipeline.settings import Settings
from video_pipeline_tests.assets.conftest import VIDEO, Processed
from video_pipeline_tests.assets.test_metadata import table
from video_pipeline_tests.media.text import clips


def watch_page(ours: Settings) -> html.HtmlElement:
    [page, *_] = application(ours).routes
    assert isinstance(page, Route)
    return html.fromstring(page.endpoint(Request({"type": "http", "path_params": {"video_id": VIDEO}})).body)


def test_everything_that_is_text_is_published(tools: Tools, tmp_path: Path, own_home: Settings) -> None:
    clip = clips.worded(tools, tmp_path)
    given = tmp_path / "given.ass"
    given.write_text(clips.ASS, "utf-16")
    sidecar = Sidecar(source=str(given), language="pt-BR", label="Letras")
    options = Options(subtitles=(sidecar,), trim=Trim(start=1.0, end=3.0))
    release = cli_process.run(own_home, VIDEO, source=str(clip), preset="draft", options=options)
    seen = Processed(own_home.home, clip, release)

    shown: dict[str, Any] = seen.metadata("subtitles")
    assert table(shown["table"]) == [
        {
            "file": f"subtitles/{name}.vtt",
            "language": name,
            "label": label,
            "kind": "subtitles",
            "default": name == "fr",
            "cues": cues,
            "from": origin,
        }
        for name, label, cues, origin in (
            ("pt-BR", "Letras", 1, "subtitles.0.source"),
            ("en", "English", 2, "stream 1"),
            ("fr", "Français", 1, "stream 2"),
        )
    ]
    assert shown["chapters"] == 3
    assert table(seen.metadata("source")["subtitles"])[0]["file"] == str(given)

    folder = own_home.store / "videos" / VIDEO / "releases" / release
    cues = {path.stem: clips.read_back(path.read_text("utf-8")) for path in (folder / "subtitles").iterdir()}
    assert cues["pt-BR"] == [("00:00:00.000 --> 00:00:01.000", "One,<i> two</i>\nthree")]
    assert [times for times, _ in cues["en"]] == ["00:00:00.000 --> 00:00:00.456", "00:00:00.500 --> 00:00:01.000"]
    chapters = clips.read_back((folder / "chapters.vtt").read_text("utf-8"))
    assert chapters == [
        ("00:00:00.000 --> 00:00:00.500", "One & only"),
        ("00:00:00.500 --> 00:00:01.500", "Chapter 2"),
        ("00:00:01.500 --> 00:00:02.000", "Three"),
    ]
    listed = {file["path"] for file in json.loads((folder / "release.json").read_bytes())["files"]}
    assert {"subtitles/pt-BR.vtt", "subtitles/en.vtt", "subtitles/fr.vtt", "chapters.vtt"} <= listed
    about = json.loads((folder / "metadata.json").read_bytes())["subtitles"]
    assert [track["file"] for track in about["tracks"]] == [f"subtitles/{name}.vtt" for name in ("pt-BR", "en", "fr")]
    assert about["chapters"] == "chapters.vtt"

    tracks = watch_page(own_home).findall(".//track")
    assert [(track.get("kind"), track.get("srclang"), "default" in track.attrib) for track in tracks] == [
        ("subtitles", "pt-BR", False),
        ("subtitles", "en", False),
        ("subtitles", "fr", True),
        ("chapters", None, False),
    ]
    assert all((own_home.store / track.get("src", "").lstrip("/")).is_file() for track in tracks)


def test_a_file_that_is_none_stops_it_at_once(clip: Path, tmp_path: Path, own_home: Settings) -> None:
    bad = tmp_path / "bad.srt"
    bad.write_text("not subtitles")
    options = Options(subtitles=(Sidecar(source=str(bad), language="en"),))
    with pytest.raises(SourceError, match=rf"^subtitles\.0\.source {bad}: is not a subtitle file"):
        cli_process.run(own_home, VIDEO, source=str(clip), preset="draft", options=options)
    with dg.DagsterInstance.from_config(str(own_home.dagster_home)) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey("source")) is None


def test_a_video_without_any_says_so(processed: Processed) -> None:
    shown = processed.metadata("subtitles")
    assert (shown["tracks"], shown["note"]) == (0, "there are no subtitles that can be made into text")
