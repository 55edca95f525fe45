"""Manifests and packaged files, measured with ffprobe and read with nothing of the package's own."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from video_pipeline.media import package
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import release
from video_pipeline_tests.media.release import LARGE, SMALL, Made

MASTER, MPD = "hls/master.m3u8", "dash/manifest.mpd"
DASH = "{urn:mpeg:dash:schema:mpd:2011}"


@dataclass(frozen=True)
class Part:
    """One entry of a playlist: the bytes to fetch, header first."""

    seconds: Fraction
    header: tuple[int, int]
    span: tuple[int, int]
    """Offset and length."""

    def bytes(self, content: bytes) -> bytes:
        return b"".join(content[offset : offset + length] for offset, length in (self.header, self.span))


def parts(text: str) -> list[Part]:
    found = re.search(r'#EXT-X-MAP:URI="[^"]+",BYTERANGE="(\d+)@(\d+)"', text)
    assert found
    header, after, read = (int(found[2]), int(found[1])), 0, []
    for seconds, length, offset in re.findall(r"#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)(?:@(\d+))?\n", text):
        start = int(offset) if offset else after
        read.append(Part(Fraction(seconds), header, (start, int(length))))
        after = start + int(length)
    return read


def attributes(text: str, tag: str) -> list[dict[str, str]]:
    """Attribute lists of all lines with this tag; a variant's URI is on the line behind."""
    read = []
    for line, uri in re.findall(rf"^#{tag}:(.*)\n(.*)$", text, re.MULTILINE):
        values = dict(re.findall(r'([A-Z-]+)=("[^"]*"|[^,]*)', line))
        read.append({"uri": uri} | {name: value.strip('"') for name, value in values.items()})
    return read


def segment_bytes(made: Made, name: str) -> list[int]:
    """Bytes of each 4 s of a file: from the end of one segment's last packet to that of the next one's."""
    packets = ffprobe.show(made.tools, made.media[name], "-show_packets")["packets"]
    starts = made.media[name].read_bytes().index(b"moof") - 4
    ends: dict[int, int] = {}
    for packet in packets:
        n = int((float(packet["pts_time"]) + 0.01) // 4) if name != "audio-1" else int(float(packet["pts_time"]) // 4)
        ends[max(0, n)] = max(ends.get(max(0, n), 0), int(packet["pos"]) + int(packet["size"]))
    return [end - start for start, end in zip([starts, *ends.values()], ends.values(), strict=False)]


def test_the_same_tracks_give_the_same_bytes_anywhere(made: Made, tmp_path: Path) -> None:
    """A comma, a space and an = in a directory's name are text to us and syntax to the packager."""
    kept = []
    for name in ("a", "b, language=xx,c d"):
        out = tmp_path / name
        out.mkdir()
        streams = package.package(made.tools, made.plan, made.tracks, made.encoded, out, sprites=made.sprites)
        kept.append((streams, {path.name: path.read_bytes() for path in out.iterdir()}))
    assert kept[0] == kept[1]
    assert kept[0][0] == made.streams
    assert set(kept[0][1]) == {f"{file.file.sha256}.mp4" for file in made.streams.media}


@pytest.mark.parametrize("language", ["de", "pt-BR", None])
@pytest.mark.parametrize("label", ["English", "Côté, jardin=1 & <b>", "a\\b,playlist_name=evil.m3u8"])
def test_both_manifests_show_the_label_and_the_language(
    made: Made, tmp_path: Path, label: str, language: str | None
) -> None:
    """A label is a title of the source: free text, of which nothing is syntax."""
    (track,) = made.plan.audio
    named = track.model_copy(update={"language": language, "label": label})
    plan = made.plan.model_copy(update={"audio": (named,)})
    again = replace(made.repackaged({}, tmp_path, plan), plan=plan)
    (sound,) = attributes(again.streams.texts[MASTER] + "\n", "EXT-X-MEDIA")
    (adaptation,) = (
        e
        for e in ElementTree.fromstring(again.streams.texts[MPD]).iter(f"{DASH}AdaptationSet")
        if e.get("contentType") == "audio"
    )
    # Both Apple and DASH-IF want one; "und" is BCP 47's word for not known.
    assert (sound.get("LANGUAGE"), adaptation.get("lang")) == (language or "und",) * 2
    assert (sound["NAME"], adaptation.findtext(f"{DASH}Label")) == (label, label)
    assert set(again.streams.texts) == set(made.streams.texts)
    assert again.failed() == {}


def codec(stream: dict[str, Any]) -> str:
    """RFC 6381 and ISO/IEC 14496-15: profile, constraints, level of H.264; object type of AAC."""
    if stream["codec_name"] == "aac":
        return {"LC": "mp4a.40.2"}[stream["profile"]]
    profile = {"High": "6400", "Main": "4d40", "Constrained Baseline": "42c0"}[stream["profile"]]
    return f"avc1.{profile}{stream['level']:02x}"


def test_what_the_manifests_state_is_what_ffprobe_measures(made: Made) -> None:
    streams = {name: ffprobe.streams(made.tools, path)[0] for name, path in made.media.items()}
    variants = attributes(made.streams.texts[MASTER], "EXT-X-STREAM-INF")
    assert {variant["uri"] for variant in variants} == {f"{LARGE}.m3u8", f"{SMALL}.m3u8"}
    for variant in variants:
        stream = streams[variant["uri"].removesuffix(".m3u8")]
        assert variant["CODECS"].split(",") == [codec(stream), codec(streams["audio-1"])]
        assert variant["RESOLUTION"] == f"{stream['width']}x{stream['height']}"
        assert Fraction(variant["FRAME-RATE"]) == Fraction(stream["avg_frame_rate"])
    represented = list(ElementTree.fromstring(made.streams.texts[MPD]).iter(f"{DASH}Representation"))
    assert [one.get("id") for one in represented] == [SMALL, LARGE, "audio-1", "sprites"]
    for one in represented[:-1]:
        stream = streams[one.get("id", "")]
        assert one.get("codecs") == codec(stream)
        assert stream["codec_type"] == "audio" or one.get("width") == str(stream["width"])


def test_bit_rates_are_those_of_the_bytes(made: Made) -> None:
    """The peak is that of the first 4 s, or of the whole: 2 s are less than half a target duration of 5 s."""
    size = {name: segment_bytes(made, name) for name in made.media}
    assert all(len(sizes) == 2 for sizes in size.values())
    peak = {name: max(sizes[0] / 4, sum(sizes) / 6) * 8 for name, sizes in size.items()}
    average = {name: sum(sizes) / 6 * 8 for name, sizes in size.items()}
    for variant in attributes(made.streams.texts[MASTER], "EXT-X-STREAM-INF"):
        name = variant["uri"].removesuffix(".m3u8")
        assert int(variant["BANDWIDTH"]) == pytest.approx(peak[name] + peak["audio-1"], rel=0.02)
        assert int(variant["AVERAGE-BANDWIDTH"]) == pytest.approx(average[name] + average["audio-1"], rel=0.02)
    represented = ElementTree.fromstring(made.streams.texts[MPD]).iter(f"{DASH}Representation")
    stated = {one.get("id", ""): int(one.get("bandwidth", 0)) for one in represented}
    sheets = [made.images[f"sheet-00{n}.jpg"].stat().st_size * 8 for n in range(3)]
    assert stated == pytest.approx({**peak, "sprites": max(sheets) / 2.4}, rel=0.02)
    (images,) = attributes(made.streams.texts[MASTER], "EXT-X-IMAGE-STREAM-INF")
    assert int(images["AVERAGE-BANDWIDTH"]) == pytest.approx(sum(sheets) / 6, rel=0.001)
    # Of 3 s that a sheet lasts, rounded up: no run of two lasts 4.5 s, but the last two last 3.6 s.
    runs = (sheets[0] / 2.4, sheets[1] / 2.4, (sheets[1] + sheets[2]) / 3.6)
    assert int(images["BANDWIDTH"]) == pytest.approx(max(runs), rel=0.001)


@pytest.mark.parametrize("name", [LARGE, SMALL])
def test_every_range_of_a_key_frame_playlist_is_one_key_frame(made: Made, tmp_path: Path, name: str) -> None:
    """Header and range alone, without the rest of the file, decode to the frame of that time."""
    text = made.streams.texts[f"hls/{name}-iframes.m3u8"]
    assert "#EXT-X-I-FRAMES-ONLY" in text
    content = made.media[name].read_bytes()
    listed = parts(text)
    assert [part.seconds for part in listed] == [2, 2, 2]
    for n, part in enumerate(listed):
        alone = tmp_path / f"{n}.mp4"
        alone.write_bytes(part.bytes(content))
        (packet,) = ffprobe.show(made.tools, alone, "-show_packets")["packets"][:1]
        assert (packet["flags"][0], float(packet["pts_time"])) == ("K", 2 * n)
        (frame,) = ffprobe.frames(made.tools, alone)
        assert (frame["key_frame"], frame["pict_type"]) == (1, "I")
        picture = ffprobe.pixels(made.tools, alone, frame=0)
        assert len(picture) == 256
        assert picture == ffprobe.pixels(made.tools, made.media[name], frame=50 * n)


@pytest.mark.parametrize("name", [LARGE, SMALL])
def test_every_segment_plays_alone_from_its_key_frame(made: Made, tmp_path: Path, name: str) -> None:
    content = made.media[name].read_bytes()
    listed = parts(made.streams.texts[f"hls/{name}.m3u8"])
    assert [part.seconds for part in listed] == [4, 2]
    for n, (part, count) in enumerate(zip(listed, (100, 50), strict=True)):
        alone = tmp_path / f"{n}.mp4"
        alone.write_bytes(part.bytes(content))
        shown = ffprobe.frames(made.tools, alone)
        assert len(shown) == count
        assert (shown[0]["key_frame"], float(shown[0]["pts_time"])) == (1, 4 * n)
    assert sum(listed[-1].span) == len(content)


def test_the_ranges_of_the_mpd_are_the_header_and_the_index(made: Made) -> None:
    root = ElementTree.fromstring(made.streams.texts[MPD])
    for one in list(root.iter(f"{DASH}Representation"))[:-1]:
        content = made.media[one.get("id", "")].read_bytes()
        base = one.find(f"{DASH}SegmentBase")
        header = one.find(f"{DASH}SegmentBase/{DASH}Initialization")
        assert base is not None
        assert header is not None
        first, last = map(int, base.attrib["indexRange"].split("-"))
        assert content[first + 4 : first + 8] == b"sidx"
        assert int.from_bytes(content[first : first + 4], "big") == last - first + 1
        first, last = map(int, header.attrib["range"].split("-"))
        assert (first, content[4:8]) == (0, b"ftyp")
        assert content[last + 1 + 4 : last + 1 + 8] in (b"sidx", b"moof")


def test_a_player_without_our_code_reads_the_master(made: Made, tmp_path: Path) -> None:
    master = made.place(tmp_path) / MASTER
    argv = [str(made.tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(master), "-map", "0:v", "-map", "0:a"]
    argv += ["-fps_mode", "passthrough", "-progress", "-", "-f", "null", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert re.findall(r"^frame=(\d+)", done.stdout, re.MULTILINE)[-1] == "150"


def test_segments_of_an_odd_rate_do_not_drift(tools: Tools, make_clip: Callable[..., Path], tmp_path: Path) -> None:
    """At 701/30 frames/s a segment of 94 frames is no whole number of milliseconds."""
    made = release.make(tools, make_clip("odd.mp4", seconds=13, size="160x90", rate="701/30", cuts=False), tmp_path)
    rung = made.plan.rungs[0].name
    listed = parts(made.streams.texts[f"hls/{rung}.m3u8"])
    assert len(listed) > 3
    clock = Fraction(0)
    for part, shown in zip(listed, ffprobe.times(tools, made.media[rung])[:: made.plan.segment], strict=True):
        assert abs(clock - shown) < Fraction(2, 1_000_000) * len(listed)
        clock += part.seconds
