"""Text out of real files, read back from what was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.errors import SourceError
from video_pipeline.media import probe
from video_pipeline.media.files import blob_of
from video_pipeline.media.model import Blob, EncodingPlan
from video_pipeline.media.options import Options, Sidecar
from video_pipeline.media.plan import make_plan
from video_pipeline.media.products import Texts
from video_pipeline.media.text import tracks
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.text.clips import ASS, SRT, VTT, captioned, clip, read_back

FROM_SRT = [
    ("00:00:00.500 --> 00:00:01.456", "Hello <i>wörld</i> & <b>co</b>"),
    ("00:00:01.500 --> 00:00:02.000", "5 < 6\nsecond line"),
    ("00:00:03.000 --> 00:00:04.000", "The end"),
]
FROM_ASS = [
    ("00:00:00.250 --> 00:00:00.750", "<i>ab < c</i>"),
    ("00:00:01.000 --> 00:00:02.000", "One,<i> two</i>\nthree"),
]
FROM_VTT = [
    ("00:00:00.250 --> 00:00:01.000", "You & <i>me</i> <here>"),
    ("00:00:01.000 --> 00:00:02.000", "{braces}"),
]
WRITTEN = {"srt": (SRT, FROM_SRT), "ass": (ASS, FROM_ASS), "vtt": (VTT, FROM_VTT)}


def written(directory: Path, *kinds: str) -> list[Path]:
    paths = [directory / f"written.{kind}" for kind in kinds]
    for path in paths:
        path.write_text(WRITTEN[path.suffix[1:]][0], "utf-8")
    return paths


def made_of(
    tools: Tools, source: Path, options: Options | None = None, given: dict[str, Path] | None = None
) -> tuple[EncodingPlan, Texts]:
    sidecars: list[Blob] = [blob_of(path) for path in (given or {}).values()]
    about = probe.probe(tools, source)
    plan = make_plan(about, "0" * 64, presets.load("draft"), options or Options(), sidecars)
    scratch = source.parent / "scratch"
    scratch.mkdir()
    paths = dict(zip((blob.sha256 for blob in sidecars), (given or {}).values(), strict=True))
    return plan, tracks.make(tools, source, plan, paths, scratch)


def shown(texts: Texts) -> dict[str, list[tuple[str, str]]]:
    return {track.plan.name: read_back(track.vtt) for track in texts.tracks}


def without_ass(source: Path, codec: bytes = b"S_TEXT/XYZ") -> Path:
    """With a header that says that the script is of another codec; by default one that nobody knows."""
    data = source.read_bytes()
    assert data.count(b"S_TEXT/ASS") == 1
    source.write_bytes(data.replace(b"S_TEXT/ASS", codec))
    return source


def test_every_kind_of_a_matroska_file_with_its_flags(tools: Tools, tmp_path: Path) -> None:
    args = ["-c:s", "copy", "-metadata:s:s:0", "language=ger", "-metadata:s:s:0", 'title=Mit "Ton"']
    args += ["-metadata:s:s:1", "language=eng", "-metadata:s:s:2", "language=eng"]
    args += ["-disposition:s:0", "hearing_impaired", "-disposition:s:1", "default", "-disposition:s:2", "forced"]
    source = clip(tools, tmp_path / "a.mkv", written(tmp_path, "srt", "ass", "vtt"), args)
    plan, texts = made_of(tools, source)
    assert [(t.name, t.language, t.label, t.default, t.forced, t.sdh) for t in plan.text] == [
        ("de-sdh", "de", "Mit 'Ton'", False, False, True),
        ("en", "en", "English", True, False, False),
        ("en-forced", "en", "English (forced)", False, True, False),
    ]
    assert shown(texts) == {"de-sdh": FROM_SRT, "en": FROM_ASS, "en-forced": FROM_VTT}
    assert [track.cues for track in texts.tracks] == [3, 2, 2]
    assert texts.left_out == ()


def test_mp4_and_names_that_are_taken(tools: Tools, tmp_path: Path) -> None:
    args = ["-c:s", "mov_text", "-metadata:s:s:0", "language=fra", "-metadata:s:s:1", "language=fra"]
    args += ["-disposition:s:0", "default", "-disposition:s:1", "default"]
    plan, texts = made_of(tools, clip(tools, tmp_path / "a.mp4", written(tmp_path, "srt", "vtt"), args))
    names = [(t.name, t.label, t.default) for t in plan.text]
    assert names == [("fr", "Français", True), ("fr-2", "Français 2", False)]
    assert shown(texts)["fr"] == FROM_SRT


def test_times_count_from_the_first_published_picture(tools: Tools, tmp_path: Path) -> None:
    """The container starts at 10 s, its pictures 0.08 s later."""
    bare = clip(tools, tmp_path / "bare.mkv", seconds=4)
    [srt] = written(tmp_path, "srt")
    tone = ["-f", "lavfi", "-i", "sine=duration=4"]
    argv: list[str | Path] = [*tone, "-itsoffset", "0.08", "-i", bare, "-i", srt, "-map", "0", "-map", "1", "-map", "2"]
    late: list[str | Path] = [
        "-c:v",
        "copy",
        "-c:a",
        "aac",
        "-c:s",
        "copy",
        "-output_ts_offset",
        "10",
        tmp_path / "a.mkv",
    ]
    run_ffmpeg(tools, *argv, *late)
    plan, texts = made_of(tools, tmp_path / "a.mkv")
    assert plan.start == pytest.approx(0.08, abs=0.03)
    [(first, _), *_, (last, _)] = shown(texts)["und"]
    offset = round(float(plan.start) * 1000)
    assert first == f"00:00:00.{500 - offset:03} --> 00:00:01.{456 - offset:03}"
    assert last == f"00:00:02.{1000 - offset:03} --> 00:00:04.000"


@pytest.mark.parametrize(("name", "first"), [("a.mp4", 0), ("b.mp4", 10), ("a:b, c'd[e].ts", 0)])
def test_closed_captions(tools: Tools, tmp_path: Path, name: str, first: int) -> None:
    """Also if the first pictures have none, and of a file that starts late and whose name means something to a
    filter."""
    source = captioned(tools, tmp_path / name, {30: "HELLO THERE", 75: None, 100: "5 < 6", 120: None}, first)
    plan, texts = made_of(tools, source)
    assert [(t.origin, t.name, t.label, t.sdh) for t in plan.text] == [
        ("captions", "captions", "Closed captions", True)
    ]
    cues = shown(texts)["captions"]
    assert [text for _, text in cues] == ["HELLO THERE", "5 < 6"]
    for (times, _), (start, end) in zip(cues, [(1.2, 3), (4, 4.8)], strict=True):
        found = [float(time.strip()[6:]) for time in times.split("-->")]
        # A command comes twice; either of the two frames may be the one.
        assert found == pytest.approx([start, end], abs=0.041)


@pytest.mark.parametrize(
    "captions", [{50: "LAST"}, {25: "FIRST", 50: "LAST"}, {25: "FIRST", 40: None, 50: "LAST"}], ids=str
)
def test_a_caption_that_nothing_ends_stays(tools: Tools, tmp_path: Path, captions: dict[int, str | None]) -> None:
    _, texts = made_of(tools, captioned(tools, tmp_path / "a.ts", captions))
    times, text = shown(texts)["captions"][-1]
    assert text == "LAST"
    assert times.endswith(" --> 00:00:06.000")


def test_captions_without_a_word_are_named(tools: Tools, tmp_path: Path) -> None:
    plan, texts = made_of(tools, captioned(tools, tmp_path / "a.mp4", {}))
    assert len(plan.text) == 1
    assert texts.tracks == ()
    [left] = texts.left_out
    assert (left.name, left.why) == ("closed captions (Closed captions)", "there is no text in what is published")


def test_files_that_came_with_it(tools: Tools, tmp_path: Path) -> None:
    sidecars = (
        Sidecar(source="/a.srt", language="en-gb"),
        Sidecar(source="/b.ass", language="en", label="Karaoke"),
        Sidecar(source="/c.vtt", language="en-GB"),
    )
    given = dict(zip("abc", written(tmp_path, "srt", "ass", "vtt"), strict=True))
    source = clip(tools, tmp_path / "a.mkv", [given["a"]], ["-c:s", "copy", "-metadata:s:s:0", "language=en"])
    plan, texts = made_of(tools, source, Options(subtitles=sidecars), given)
    assert [(t.name, t.language, t.label, t.origin) for t in plan.text] == [
        ("en-GB", "en-GB", "English (GB)", "sidecar"),
        ("en", "en", "Karaoke", "sidecar"),
        ("en-GB-2", "en-GB", "English (GB) 2", "sidecar"),
        ("en-2", "en", "English", "stream"),
    ]
    assert list(shown(texts).values()) == [FROM_SRT, FROM_ASS, FROM_VTT, FROM_SRT]


def test_a_file_whose_subtitles_are_all_empty_is_refused(tools: Tools, tmp_path: Path) -> None:
    empty = tmp_path / "empty.srt"
    empty.write_text("1\n00:00:01,000 --> 00:00:02,000\n{\\an8}\n\n2\n00:00:02,000 --> 00:00:03,000\n<i></i>\n")
    options = Options(subtitles=(Sidecar(source="/a.srt", language="en"),))
    with pytest.raises(SourceError, match=r"^subtitles\.0\.source English: there is no text in it"):
        made_of(tools, clip(tools, tmp_path / "a.mp4"), options, {"a": empty})


@pytest.mark.parametrize(
    ("codec", "why"),
    [
        (b"S_TEXT/XYZ", "is not converted to text"),
        (b"S_HDMV/PGS", "it is made of pictures (hdmv_pgs_subtitle), which are not converted to text"),
    ],
)
def test_what_is_no_text_is_named_and_the_others_are_made(tools: Tools, tmp_path: Path, codec: bytes, why: str) -> None:
    args = ["-c:s", "copy", "-metadata:s:s:1", "language=ger", "-metadata:s:s:1", "title=Schilder"]
    source = without_ass(clip(tools, tmp_path / "a.mkv", written(tmp_path, "srt", "ass"), args), codec)
    plan, texts = made_of(tools, source)
    assert shown(texts) == {"und": FROM_SRT}
    assert [left.name for left in texts.left_out] == ["stream 2 (de, Schilder)"]
    assert texts.left_out[0].why.endswith(why)
    assert plan.text_left_out == texts.left_out


def test_a_stream_that_cannot_be_decoded_costs_only_itself(tools: Tools, tmp_path: Path) -> None:
    source = without_ass(clip(tools, tmp_path / "a.mkv", written(tmp_path, "srt", "ass"), ["-c:s", "copy"]))
    plan, _ = made_of(tools, source)
    lost = plan.text[0].model_copy(update={"name": "de", "label": "Deutsch", "stream": 2})
    plan = plan.model_copy(update={"text": (lost, *plan.text)})
    texts = tracks.make(tools, source, plan, {}, tmp_path)
    assert shown(texts) == {"und": FROM_SRT}
    [_, left] = texts.left_out
    assert left.name == "stream 2 (Deutsch)"
    assert left.why.startswith("the track cannot be decoded: ")
    assert str(tmp_path) not in left.why


def test_chapters(tools: Tools, tmp_path: Path) -> None:
    """Named or not, cut at the end of the video."""
    about = tmp_path / "chapters.txt"
    about.write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=One {1} & \\\\N two\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1500\nEND=9000\n"
    )
    bare = clip(tools, tmp_path / "bare.mp4")
    run_ffmpeg(tools, "-i", bare, "-i", about, "-map", "0", "-map_metadata", "1", "-c", "copy", tmp_path / "a.mkv")
    plan, texts = made_of(tools, tmp_path / "a.mkv")
    assert [chapter.title for chapter in plan.chapters] == ["One {1} & \\N two", None]
    assert texts.chapters is not None
    assert read_back(texts.chapters) == [
        ("00:00:00.000 --> 00:00:01.500", "One {1} & \\N two"),
        ("00:00:01.500 --> 00:00:04.000", "Chapter 2"),
    ]


def test_without_any_nothing_is_made(tools: Tools, tmp_path: Path) -> None:
    assert made_of(tools, clip(tools, tmp_path / "a.mp4"))[1] == Texts()


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "cues"),
    [
        (
            "subs_mov_text.mp4",
            {"und": [("00:00:00.523 --> 00:00:01.016", "oop"), ("00:00:01.523 --> 00:00:01.916", "boop")]},
        ),
        ("subs_srt.mkv", {"en": [("00:00:00.000 --> 00:00:01.000", "This is the first subtitle.")]}),
        ("subs_vobsub_in_mp4.mp4", {}),
    ],
)
def test_real_files(
    tools: Tools, media: Path, tmp_path: Path, name: str, cues: dict[str, list[tuple[str, str]]]
) -> None:
    (tmp_path / name).symlink_to(media / "awkward" / name)
    plan, texts = made_of(tools, tmp_path / name)
    assert shown(texts) == cues
    pictures = [(left.name, left.why) for left in texts.left_out]
    if not cues:
        why = "it is made of pictures (dvd_subtitle), which are not converted to text"
        assert pictures == [("stream 2 (en)", why)]
        assert plan.text_left_out == texts.left_out
