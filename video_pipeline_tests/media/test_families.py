"""All four families in one release, as ffprobe, a decoder and the manifests' own libraries see it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import m3u8
import numpy as np
import pytest
from lxml import etree
from numpy.typing import NDArray

from video_pipeline import presets
from video_pipeline.media import probe, renditions, sprites
from video_pipeline.media.options import Options, Trim
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import encoding, mixed
from video_pipeline_tests.media.release import Made, run_ffmpeg, run_log

PROFILES = {
    8: {"h264": "High", "hevc": "Main", "vp9": "Profile 0", "av1": "Main"},
    10: {"h264": "High", "hevc": "Main 10", "vp9": "Profile 2", "av1": "Main"},
}
TAGS = {"h264": "avc1", "hevc": "hvc1", "vp9": "vp09", "av1": "av01"}
CODECS = {
    "h264": r"avc1\.6400\w\w",
    "hevc": r"hvc1\.(1\.6|2\.4)\.L\d+\.90",
    "vp9": r"vp09\.0[02]\.\d\d\.(08|10)\.01\.0[19]\.\d\d\.0[19]\.00",
    "av1": r"av01\.0\.\d\dM\.(08|10)\.0\.110\.0[19]\.\d\d\.0[19]\.0",
}
PREFERENCE = ("h264", "vp9", "hevc", "av1")
NS = {"mpd": "urn:mpeg:dash:schema:mpd:2011"}
CICP = {"PQ": ["9", "16", "9"], "HLG": ["9", "18", "9"]}


def family_of(name: str) -> str:
    return name.split("-")[0]


def looks(tools: Tools, path: Path) -> tuple[str, ...]:
    (stream,) = ffprobe.streams(tools, path)
    names = ("codec_name", "codec_tag_string", "profile", "pix_fmt", "color_range", "color_space", "color_primaries")
    return (*(stream.get(name, "unknown") for name in names), stream.get("color_transfer", "unknown"))


def test_every_file_is_of_its_family(tools: Tools, families: Made) -> None:
    for rung in families.plan.rungs:
        codec = (rung.family, TAGS[rung.family], PROFILES[8][rung.family], "yuv420p")
        assert looks(tools, families.media[rung.name]) == (*codec, "tv", "bt709", "bt709", "bt709")


def test_every_check_passes(families: Made) -> None:
    assert families.failed() == {}
    assert [rung.name for rung in families.plan.rungs] == [
        f"{family}-{height}p" for family in mixed.FAMILIES for height in (360, 240)
    ]


def test_all_families_are_compared_with_each_other(families: Made) -> None:
    checks = {check.name: check.measured for check in families.inspect().checks}
    assert checks["same_pictures"] == "8 renditions show the same at 3 key frames"


def test_tiles_of_whole_groups_are_key_frames_in_every_family(tools: Tools, families: Made, tmp_path: Path) -> None:
    """ffmpeg's decoder of VP9 gives all frames, also if asked for key frames alone."""
    images = families.plan.images.model_copy(update={"interval": Fraction(2)})
    for encoder in families.plan.encoders:
        update = {"encoders": (encoder,), "rungs": families.plan.family(encoder.family), "images": images}
        plan = families.plan.model_copy(update=update)
        small = families.media[plan.rungs[-1].name]
        assert sprites.make(tools, small, plan, tmp_path).tiles == 3


def test_key_frames_are_equal_in_all_families(tools: Tools, families: Made) -> None:
    entries = ("-show_entries", "packet=pts_time,flags")
    keys: dict[str, list[float]] = {}
    for rung in families.plan.rungs:
        packets = ffprobe.show(tools, families.media[rung.name], *entries)["packets"]
        assert len(packets) == families.plan.frames
        keys[rung.name] = [float(packet["pts_time"]) for packet in packets if packet["flags"].startswith("K")]
    assert set(map(tuple, keys.values())) == {(0.0, 2.0, 4.0)}


def test_the_same_source_gives_the_same_bytes(
    tools: Tools, families: Made, make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    """Of each family, its smallest rung alone: neither chance nor what is encoded beside it shapes a rung."""
    clip = make_clip("families.mp4", seconds=5, size="640x360")
    before = {track.name: track.file.sha256 for track in families.tracks}
    for encoder in families.plan.encoders:
        rungs = families.plan.family(encoder.family)[-1:]
        (track,) = encoding.encode(tools, clip, families.plan, rungs, tmp_path).tracks
        assert track.file.sha256 == before[track.name], encoder.codec


@pytest.mark.slow
def test_neither_cores_nor_chance_shape_bits_under_a_ceiling(tools: Tools, tmp_path: Path) -> None:
    """The ceiling is what encoders with threads keep by how far these are."""
    clip, cores = tmp_path / "noise.mp4", os.sched_getaffinity(0)
    noise = "mandelbrot=size=640x360:rate=25,trim=duration=3,noise=alls=12:allf=t,format=yuv420p"
    run_ffmpeg(tools, "-f", "lavfi", "-i", noise, "-c:v", "libx264", "-qp", "0", "-threads", "1", clip)
    plan = make_plan(probe.probe(tools, clip), "0" * 64, mixed.preset(crf=20))
    rungs = [rung.model_copy(update={"maxrate": 500_000, "bufsize": 1_000_000}) for rung in plan.rungs]
    for encoder in plan.encoders:
        (rung,) = [rung for rung in rungs if rung.name == f"{encoder.family}-360p"]
        found = set()
        for n in range(6):
            os.sched_setaffinity(0, cores if n % 2 else set(sorted(cores)[:1]))
            (tmp_path / f"{rung.name}-{n}").mkdir()
            (track,) = encoding.encode(tools, clip, plan, [rung], tmp_path / f"{rung.name}-{n}").tracks
            found.add(track.file.sha256)
        assert len(found) == 1, encoder.codec
        if encoder.codec != "libvpx-vp9":
            assert track.bit_rate < 750_000, "the ceiling was not reached"
    os.sched_setaffinity(0, cores)


def variants(made: Made) -> m3u8.M3U8:
    return m3u8.loads(made.streams.texts["hls/master.m3u8"])


def test_one_master_has_every_rung_with_what_players_choose_by(families: Made) -> None:
    text = families.streams.texts["hls/master.m3u8"]
    master = variants(families)
    assert {variant.uri for variant in master.playlists} == {f"{rung.name}.m3u8" for rung in families.plan.rungs}
    assert {variant.uri for variant in master.iframe_playlists} == {
        f"{rung.name}-iframes.m3u8" for rung in families.plan.rungs
    }
    assert len(master.media) == 1
    for variant in master.playlists:
        info, rung = variant.stream_info, next(r for r in families.plan.rungs if variant.uri == f"{r.name}.m3u8")
        picture, sound = info.codecs.split(",")
        assert re.fullmatch(CODECS[rung.family], picture)
        assert sound == "mp4a.40.2"
        assert info.resolution == (rung.width, rung.height)
        assert (info.frame_rate, info.video_range, info.audio) == (25, "SDR", master.media[0].group_id)
    assert family_of(master.playlists[0].uri) == "h264"
    scores = {name: float(score) for score, name in re.findall(r"SCORE=([\d.]+)\n(\S+)\.m3u8", text)}
    assert sorted(scores, key=lambda name: scores[name]) == [
        f"{family}-{height}p" for height in (240, 360) for family in PREFERENCE
    ]


def test_the_mpd_has_a_set_for_each_family(families: Made) -> None:
    root = etree.fromstring(families.streams.texts["dash/manifest.mpd"].encode())
    sets = root.findall(".//mpd:AdaptationSet[@contentType='video']", NS)
    found = [
        (family_of(ids[0]), int(one.get("selectionPriority", "0")), ids)
        for one in sets
        for ids in [[r.get("id", "") for r in one.iterfind("mpd:Representation", NS)]]
    ]
    priorities = {family: PREFERENCE.index(family) + 1 for family in PREFERENCE}
    assert found == [(family, priorities[family], [f"{family}-240p", f"{family}-360p"]) for family in mixed.FAMILIES]
    assert not [each for one in sets for each in one.iterfind(".//mpd:EssentialProperty", NS)]


def test_hdr_is_kept_where_there_are_ten_bits(tools: Tools, kept: Made) -> None:
    video_range = kept.plan.encoder("hevc").video_range
    assert kept.failed() == {}
    for rung in kept.plan.rungs:
        plain = rung.family == "h264"
        colours = ("bt709",) * 3 if plain else ("bt2020nc", "bt2020", mixed.TRANSFERS[video_range])
        codec = (rung.family, TAGS[rung.family], PROFILES[10][rung.family], "yuv420p" if plain else "yuv420p10le")
        assert looks(tools, kept.media[rung.name]) == (*codec, "tv", *colours)
    ranges = {family_of(variant.uri): variant.stream_info.video_range for variant in variants(kept).playlists}
    assert ranges == {"h264": "SDR", **dict.fromkeys(mixed.FAMILIES[1:], video_range)}
    assert family_of(variants(kept).playlists[0].uri) == "h264"
    root = etree.fromstring(kept.streams.texts["dash/manifest.mpd"].encode())
    for one in root.findall(".//mpd:AdaptationSet[@contentType='video']", NS):
        essential = [prop.get("value") for prop in one.iterfind("mpd:EssentialProperty", NS)]
        plain = one.find("mpd:Representation", NS).get("id").startswith("h264")  # type: ignore[union-attr]
        assert essential == ([] if plain else CICP[video_range])


def test_what_is_hdr_scores_above_sdr_of_its_size(kept: Made) -> None:
    found = re.findall(r"SCORE=([\d.]+)\n(\S+)\.m3u8", kept.streams.texts["hls/master.m3u8"])
    names = [name for _, name in sorted(found, key=lambda one: float(one[0]))]
    assert names == [f"{family}-180p" for family in PREFERENCE]


@pytest.mark.parametrize("bit_depth", [8, 10])
def test_sdr_stays_sdr(tools: Tools, clip: Path, bit_depth: int) -> None:
    """Ten bits alone, or HDR that the source does not have, change nothing of the colours."""
    plan = make_plan(probe.probe(tools, clip), "0" * 64, mixed.preset(bit_depth))
    assert {encoder.video_range for encoder in plan.encoders} == {"SDR"}
    if bit_depth == 10:
        assert make_plan(probe.probe(tools, clip), "0" * 64, mixed.preset(10, hdr="keep")).rungs == plan.rungs


def planes(tools: Tools, path: Path, frame: int) -> NDArray[np.float64]:
    """The samples of one frame as 10-bit codes, luma before chroma."""
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-vf", f"select=eq(n\\,{frame})"]
    argv += ["-frames:v", "1", "-f", "rawvideo", "-"]
    raw = subprocess.run(argv, check=True, capture_output=True, timeout=120).stdout
    deep = len(raw) == 320 * 180 * 3
    samples: NDArray[np.float64] = np.frombuffer(raw, "<u2" if deep else "u1").astype(np.float64)
    return samples if deep else samples * 4


def test_kept_pixels_are_those_of_the_source(tools: Tools, kept: Made) -> None:
    """Not one step of the chain touches them: what is off is the codecs' loss."""
    source = planes(tools, kept.source, 30)
    apart = {family: planes(tools, kept.media[f"{family}-180p"], 30) - source for family in mixed.FAMILIES}
    print({family: (round(np.abs(d).mean(), 2), round(d.mean(), 2)) for family, d in apart.items()})
    for family in mixed.FAMILIES[1:]:
        assert np.abs(apart[family]).mean() < 4, family
        assert abs(apart[family].mean()) < 0.5, family
    # SDR has other numbers for the same light.
    assert np.abs(apart["h264"]).mean() > 40


def test_what_the_source_tells_a_display_is_told_on(tools: Tools, kept: Made) -> None:
    """By the decoder: HDR10's mastering display and content light levels. HLG has none, VP9 no place for them."""
    for family in ("hevc", "av1"):
        log = run_log(tools, "-i", kept.media[f"{family}-180p"], "-vf", "showinfo", "-frames:v", "1", "-f", "null", "-")
        told = re.search(r"r\((0\.68\d*).* max_luminance=(1000)", log), re.search(r"MaxCLL=(1000), MaxFALL=(400)", log)
        assert all(told) is (kept.plan.encoder("hevc").video_range == "PQ"), log


@pytest.mark.media
@pytest.mark.parametrize("name", ["hdr10_tags_both.mkv", "hdr_pq_av1_mdcv_clli_1080p60.mp4"])
def test_real_masters_are_told_on(tools: Tools, media: Path, name: str, tmp_path: Path) -> None:
    """What ffmpeg says of the source's first picture it says of ours."""

    def told(path: Path) -> list[str]:
        log = run_log(tools, "-i", path, "-vf", "showinfo", "-frames:v", "1", "-f", "null", "-")
        lines = "\n".join(line for line in log.splitlines() if "showinfo" in line)
        return re.findall(r"r\(.*max_luminance=\d+|MaxCLL=\d+, MaxFALL=\d+", lines)

    source = media / "awkward" / name
    about = probe.probe(tools, source)
    plan = make_plan(about, "0" * 64, presets.load("hdr"), Options(trim=Trim(end=0.1)))
    (rung,) = plan.family("hevc")[-1:]
    renditions.make(tools, source, about.timing, plan, [rung], tmp_path)
    assert told(source) == told(tmp_path / f"{rung.name}.mp4")
    assert len(set(told(source))) == 2


def test_hdr_without_an_encoder_of_ten_bits_is_tone_mapped(tools: Tools, kept: Made) -> None:
    """And so is all of it where the preset does not ask to keep it."""
    plan = make_plan(probe.probe(tools, kept.source), "0" * 64, mixed.preset(10))
    assert {encoder.video_range for encoder in plan.encoders} == {"SDR"}
    assert any(text.startswith("tonemap") for text in plan.filters_of("hevc"))
    assert "format=yuv420p10le" in plan.filters_of("hevc")
