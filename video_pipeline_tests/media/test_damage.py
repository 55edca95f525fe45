"""Damaged files are published with their measure, or refused with what is wrong and where."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from video_pipeline.errors import SourceError
from video_pipeline.media import damage, frame_map, probe, process
from video_pipeline.media.damage import measure
from video_pipeline.media.plan import make_plan
from video_pipeline.media.products import FrameMap
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.tools import Tools
from video_pipeline.presets import load

LIMIT = 0.3
SIZE = (160, 96)
ALIKE = 30
"""Mean grey levels apart are two pictures, not one coded twice."""


@pytest.fixture(scope="module")
def whole(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 s at 25 frames/s, a key frame every second: 300 pictures, its index first."""
    path = tmp_path_factory.mktemp("whole") / "whole.mp4"
    argv: list[str | Path] = [
        tools.ffmpeg,
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=160x96:rate=25:duration=12",
    ]
    argv += ["-f", "lavfi", "-i", "sine=440:duration=12", "-c:v", "libx264", "-preset", "veryfast", "-g", "25"]
    process.run([*argv, "-threads", "1", "-movflags", "+faststart", path])
    return path


def spoiled(whole: Path, to: Path, rate: float, make: Callable[[random.Random], int]) -> Path:
    """Some bytes of the media changed, the same ones every time."""
    data = bytearray(whole.read_bytes())
    chance = random.Random(4)
    start = data.index(b"mdat") + 4
    for at in range(start, len(data)):
        if chance.random() < rate:
            data[at] ^= make(chance)
    to.write_bytes(data)
    return to


def zeroed(whole: Path, to: Path, share: float) -> Path:
    """Zeros in the middle, as a download that left a piece out has."""
    data = bytearray(whole.read_bytes())
    start = data.index(b"mdat") + 4
    length = int((len(data) - start) * share)
    at = start + (len(data) - start - length) // 2
    data[at : at + length] = bytes(length)
    to.write_bytes(data)
    return to


def cut(whole: Path, to: Path, share: float) -> Path:
    data = whole.read_bytes()
    start = data.index(b"mdat") + 4
    to.write_bytes(data[: start + int((len(data) - start) * (1 - share))])
    return to


def look(tools: Tools, path: Path) -> tuple[TechnicalMetadata, FrameMap]:
    """Both looks at the source, without an encode."""
    source = probe.probe(tools, path)
    any_damage = load("draft").model_copy(update={"max_damage": 1.0})
    plan = make_plan(source, "0" * 64, any_damage)
    return source, frame_map.read(tools, path, plan, source.timing)


def visibly_wrong(tools: Tools, whole: Path, broken: Path) -> float:
    """Share of the whole's 300 pictures that a plain decode of the broken one does not show at their time."""
    shown = [_pictures(tools, path) for path in (whole, broken)]
    assert len(shown[0]) == 300
    apart = np.abs(shown[0].astype(np.int16) - shown[1][:300].astype(np.int16)).max(axis=(1, 2))
    return float((apart > ALIKE).mean())


def _pictures(tools: Tools, path: Path) -> np.ndarray:
    filters = "fps=25:start_time=0,tpad=stop_mode=clone:stop=-1,trim=end_frame=300,format=gray"
    argv: list[str | Path] = [tools.ffmpeg, "-v", "quiet", "-max_error_rate", "1", "-i", path]
    argv += ["-vf", filters, "-an", "-f", "rawvideo", "-"]
    data = process.run_all([argv], check=False)[0].stdout
    return np.frombuffer(data, np.uint8).reshape(-1, SIZE[1], SIZE[0])


def test_a_whole_file_has_none(tools: Tools, whole: Path) -> None:
    source, shown = look(tools, whole)
    assert damage.judge(0.0, source, shown) is None


@pytest.mark.parametrize("kind", ["bits", "bytes", "zeros"])
def test_a_little_is_told_and_published(tools: Tools, tmp_path: Path, whole: Path, kind: str) -> None:
    path = tmp_path / "little.mp4"
    make: dict[str, Callable[[], Path]] = {
        "bits": lambda: spoiled(whole, path, 1e-4, lambda chance: 1 << chance.randrange(8)),
        "bytes": lambda: spoiled(whole, path, 1e-4, lambda chance: chance.randrange(1, 256)),
        "zeros": lambda: zeroed(whole, path, 0.05),
    }
    source, shown = look(tools, make[kind]())
    words = damage.judge(LIMIT, source, shown)
    assert words
    # A lower bound: what is predicted from a broken picture is broken too, and no decoder tells.
    assert 0 < measure(source, shown).share <= visibly_wrong(tools, whole, path) + 0.01


@pytest.mark.parametrize("kind", ["bits", "bytes", "zeros"])
def test_too_much_is_refused_with_where(tools: Tools, tmp_path: Path, whole: Path, kind: str) -> None:
    path = tmp_path / "much.mp4"
    make: dict[str, Callable[[], Path]] = {
        "bits": lambda: spoiled(whole, path, 1e-2, lambda chance: 1 << chance.randrange(8)),
        "bytes": lambda: spoiled(whole, path, 1e-2, lambda chance: chance.randrange(1, 256)),
        "zeros": lambda: zeroed(whole, path, 0.6),
    }
    source, shown = look(tools, make[kind]())
    with pytest.raises(SourceError) as caught:
        damage.judge(LIMIT, source, shown)
    words = str(caught.value)
    assert re.search(r"at [0-9.]+ ", words)
    assert words.endswith("the preset allows 30% (max_damage)")
    assert visibly_wrong(tools, whole, path) > LIMIT


def test_it_is_refused_before_the_encode_if_the_probe_has_seen_it(tools: Tools, tmp_path: Path, whole: Path) -> None:
    stream = tmp_path / "whole.h264"
    process.run([tools.ffmpeg, "-v", "error", "-i", whole, "-c", "copy", "-an", stream])
    data = bytearray(stream.read_bytes())
    chance = random.Random(1)
    for at in range(2000, len(data)):
        if chance.random() < 0.01:
            data[at] ^= chance.randrange(1, 256)
    stream.write_bytes(data)
    source = probe.probe(tools, stream)
    with pytest.raises(SourceError, match="too damaged"):
        make_plan(source, "0" * 64, load("draft").model_copy(update={"max_damage": LIMIT}))


@pytest.mark.parametrize("share", [0.05, 0.6])
def test_a_file_that_was_cut_off_is_published_as_far_as_it_goes(
    tools: Tools, tmp_path: Path, whole: Path, share: float
) -> None:
    path = cut(whole, tmp_path / "cut.mp4", share)
    source, shown = look(tools, path)
    words = damage.judge(LIMIT, source, shown)
    assert words
    told = re.search(r"the file was cut off at ([0-9.]+) s: (\d+) more pictures are missing$", words)
    assert told
    wrong = visibly_wrong(tools, whole, path)
    assert abs(float(told[1]) - 12 * (1 - wrong)) <= 0.2
    assert abs(int(told[2]) - 300 * wrong) <= 3


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hostile/truncated_40pct.webm", r"cut off at 11\.8 s: \d+ more pictures are missing"),
        ("hostile/truncated_sar2-1_mov.mov", r"cut off at 2\.2 s: 642 more pictures are missing"),
        ("awkward/container_mov_cinepak_pal8.mov", r"cut off at 3\.7 s: 515 more pictures are missing"),
    ],
)
def test_clips_that_were_cut_off(tools: Tools, media: Path, name: str, words: str) -> None:
    assert re.search(words, damage.judge(LIMIT, probe.probe(tools, media / name)) or "")


@pytest.mark.media
def test_a_broken_clip(tools: Tools, media: Path) -> None:
    source = probe.probe(tools, media / "hostile/error_resilience_raw.264")
    with pytest.raises(SourceError, match=r"of 6 pictures 5 broken, at 0\.0"):
        damage.judge(LIMIT, source)
    assert damage.judge(1.0, source)


@pytest.mark.media
def test_pictures_that_a_camera_left_out_are_no_damage(tools: Tools, media: Path) -> None:
    """Half of its packets hold no picture; the others come at an even pace and decode well."""
    source = probe.probe(tools, media / "hostile/missing_pictures_sar8-9.mov")
    assert damage.judge(0.0, source) is None
