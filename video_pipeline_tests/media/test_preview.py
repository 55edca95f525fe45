"""The preview clip: which frames it takes, and that both files are those frames, by frames counted out with ffmpeg."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from video_pipeline.media import preview
from video_pipeline.media.image_plan import PreviewPlan
from video_pipeline.media.image_products import Thumbnail, Thumbnails
from video_pipeline.media.model import Blob, EncodingPlan
from video_pipeline.media.products import Scene
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media.test_thumbnails import PARTS, frame, join, planned

SIZES = [(640, 360), (320, 180)]


def scenes(*ends: int) -> list[Scene]:
    return [Scene(index=n, start=start, end=end) for n, (start, end) in enumerate(zip((0, *ends), ends, strict=False))]


def thumbnails(*scored: tuple[int, float]) -> Thumbnails:
    blob = Blob(sha256="0" * 64, size=1)
    made = [
        Thumbnail(name=f"{n}.jpg", frame=f, time=f / 25, width=2, height=2, score=score, file=blob)
        for n, (f, score) in enumerate(scored)
    ]
    return Thumbnails(poster=made[0], candidates=tuple(made[1:]))


def wanting(frames: int, seconds: float, width: int = 320) -> EncodingPlan:
    bare = planned(frames, SIZES)
    images = bare.images.model_copy(update={"preview": PreviewPlan(seconds=seconds, width=width)})
    return bare.model_copy(update={"images": images})


def chosen(frames: int, seconds: float, cut: Sequence[Scene], shown: Thumbnails) -> list[tuple[int, int]]:
    plan = wanting(frames, seconds)
    assert plan.images.preview is not None
    return preview.choose(plan.images.preview, cut, shown, plan)


def test_the_best_places_in_order_of_time() -> None:
    """Each inside its scene, however near to its end the thumbnail is."""
    shown = thumbnails((102, 0.9), (310, 0.5), (298, 0.8), (40, 0.7), (450, 0.6))
    parts = chosen(500, 4, scenes(100, 200, 300, 400, 500), shown)
    assert parts == [(28, 53), (100, 125), (275, 300), (438, 463)]


@pytest.mark.parametrize(
    ("frames", "seconds", "cut", "shown", "due"),
    [
        pytest.param(60, 4, (60,), ((30, 0.5),), [(0, 60)], id="shorter than that"),
        pytest.param(100, 4, (100,), ((30, 0.5),), [(0, 100)], id="just as long"),
        pytest.param(101, 4, (101,), ((99, 0.5),), [(1, 101)], id="a frame longer"),
        pytest.param(500, 4, (500,), ((99, 0.5),), [(49, 149)], id="one picture"),
        pytest.param(500, 4, (500,), ((99, 0.5), (105, 0.4), (300, 0.1)), [(74, 124), (275, 325)], id="two alike"),
        pytest.param(200, 4, tuple(range(10, 201, 10)), ((99, 0.5), (3, 0.4)), [(49, 149)], id="no long scene"),
        pytest.param(
            500, 3, (250, 500), ((10, 0.5), (490, 0.4), (200, 0.3)), [(0, 25), (188, 213), (475, 500)], id="3 s"
        ),
    ],
)
def test_with_fewer_places_parts_are_longer(
    frames: int,
    seconds: float,
    cut: tuple[int, ...],
    shown: tuple[tuple[int, float], ...],
    due: list[tuple[int, int]],
) -> None:
    assert chosen(frames, seconds, scenes(*cut), thumbnails(*shown)) == due


@pytest.mark.parametrize(("width", "name"), [(300, "h264-180p"), (322, "h264-360p"), (1000, "h264-360p")])
def test_the_smallest_rung_that_is_wide_enough(width: int, name: str) -> None:
    plan = wanting(500, 4, width)
    rung = preview.rung_of(plan)
    assert rung.name == name
    assert max(preview.size(rung, width)) == min(width, 640)


def test_both_files_show_these_frames(tools: Tools, tmp_path: Path) -> None:
    """Of a moving clip, with frames that lie anywhere between key frames; the same bytes every time."""
    parts = [PARTS[3].replace("=75", "=120"), PARTS[6].replace("=75", "=120")]
    path = join(tools, tmp_path / "v.mp4", parts, (320, 180))
    plan = wanting(240, 3, 160)
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        shown = thumbnails((61, 0.5), (207, 0.4), (133, 0.3))
        rung = plan.rungs[-1]
        made.append(preview.make(tools, path, rung, scenes(120, 240), shown, plan, tmp_path / name))
    assert made[0] == made[1]
    found = made[0]
    assert found.parts == ((49, 74), (121, 146), (195, 220))
    assert (found.width, found.height, found.seconds, found.step) == (160, 90, 3.0, 3)
    clip, animation = tmp_path / "a/preview.mp4", tmp_path / "a/preview.webp"
    [stream] = ffprobe.streams(tools, clip)
    assert (stream["codec_name"], stream["pix_fmt"], stream["nb_frames"]) == ("h264", "yuv420p", "75")
    assert float(stream["duration"]) == pytest.approx(3)
    with Image.open(animation) as opened:
        assert opened.format == "WEBP"
        lasts = 0
        for n in range(opened.n_frames):
            opened.seek(n)
            opened.load()
            lasts += opened.info["duration"]
            seen = np.asarray(opened.convert("RGB")).astype(np.int16)
            due = frame(tools, path, found.frames[3 * n], (160, 90))
            assert np.abs(seen - due).mean() < 8, n
        assert (opened.n_frames, lasts, opened.info["loop"]) == (25, 3000, 0)
    for n in (0, 24, 25, 74):
        seen = frame(tools, clip, n, (160, 90))
        near = {off: frame(tools, path, found.frames[n] + off, (160, 90)) for off in (-5, 0, 5)}
        off = {at: float(np.abs(seen - due).mean()) for at, due in near.items()}
        assert min(off, key=off.__getitem__) == 0, (n, off)
        assert off[0] < 8, n


def test_a_clip_that_would_be_large(tmp_path: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    path = join(tools, tmp_path / "v.mp4", [PARTS[6].replace("=75", "=40")], (320, 180))
    plan = wanting(40, 3, 320)
    sizes = []
    for limit in (10**6, 10_000):
        monkeypatch.setattr(preview, "ANIMATION_BYTES", limit)
        found = preview.make(tools, path, plan.rungs[-1], scenes(40), thumbnails((1, 1.0)), plan, tmp_path)
        assert found.animation is not None
        sizes.append(found.animation.size)
    assert sizes[1] < 0.8 * sizes[0]
