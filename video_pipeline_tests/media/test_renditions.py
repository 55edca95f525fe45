"""Chunks: killed at any moment, little is made again, and what comes out is what an undisturbed run makes."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.errors import CommandFailed
from video_pipeline.media import chunks, frame_map, probe, renditions
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.products import Chunk
from video_pipeline.media.renditions import Made
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan
from video_pipeline_tests import ffprobe

DRAFT = presets.load("draft")
Encode = Callable[..., tuple[Made, list[bytes]]]
"""Plan, rungs and options of `make` to what it made, and the files' bytes in the order of the rungs."""
WAYS = {True: "from the middle", False: "in one pass"}


class Shelf:
    """Keeps chunks in a directory, and what was put by which key."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.chunks: dict[str, Chunk] = {}
        self.put_now: list[str] = []

    def get(self, key: str) -> tuple[Chunk, Path] | None:
        chunk = self.chunks.get(key)
        return (chunk, self.place / chunk.file.sha256) if chunk else None

    def put(self, key: str, chunk: Chunk, path: Path) -> Path:
        kept = self.place / chunk.file.sha256
        shutil.copyfile(path, kept)
        self.chunks[key] = chunk
        self.put_now.append(key)
        return kept


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "shelf").mkdir()
    return Shelf(tmp_path / "shelf")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of one segment."""
    monkeypatch.setattr(chunks, "SECONDS", 4)


@pytest.fixture(scope="module")
def clip(tools: Tools, tmp_path_factory: pytest.TempPathFactory, make_clip: Callable[..., Path]) -> Path:
    return make_clip(seconds=13, size="426x360", rate="30000/1001", cuts=True)


@pytest.fixture(scope="module")
def about(tools: Tools, clip: Path) -> TechnicalMetadata:
    return probe.probe(tools, clip)


@pytest.fixture(scope="module")
def plan(about: TechnicalMetadata) -> EncodingPlan:
    return make_plan(about, "0" * 64, DRAFT)


@pytest.fixture
def encode(tools: Tools, clip: Path, about: TechnicalMetadata, tmp_path: Path) -> Encode:
    def run(plan: EncodingPlan, rungs: Sequence[RungPlan] | None = None, **options: object) -> tuple[Made, list[bytes]]:
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        rungs = rungs or plan.rungs
        made = renditions.make(tools, clip, about.timing, plan, rungs, out, **options)  # type: ignore[arg-type]
        assert {path.name for path in out.iterdir()} == {f"{rung.name}.mp4" for rung in rungs}
        return made, [(out / f"{rung.name}.mp4").read_bytes() for rung in rungs]

    return run


def test_chunks_are_whole_segments_and_cover_the_video(plan: EncodingPlan) -> None:
    for frames in (1, plan.segment, 3 * plan.segment // 2, 2 * plan.segment - 1, 20 * plan.segment + 7):
        pieces = chunks.chunks(plan.model_copy(update={"frames": frames, "skip": 5}))
        assert sum(piece.frames for piece in pieces) == frames
        assert all(piece.frames % plan.segment == 0 for piece in pieces[:-1])
        place = 0
        for piece in pieces:
            assert piece.skip == 5 + place
            assert piece.start == plan.start + place / plan.rate
            place += piece.frames
        assert len(pieces) == 1 or plan.segment / 2 <= pieces[-1].frames <= 3 * plan.segment / 2


@pytest.mark.parametrize("seconds", [7.9, 8, 11, 23, 40, 47, 52.2, 100, 3600])
def test_two_encoders_have_as_much_to_do(plan: EncodingPlan, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(chunks, "SECONDS", 16)
    pieces = chunks.chunks(plan.model_copy(update={"frames": round(seconds * plan.rate)}))
    assert len(pieces) % 2 == 0 or seconds < 8
    lengths = [float(piece.duration) for piece in pieces]
    assert max(lengths) <= 24.5
    assert max(lengths) - min(lengths) < 4.5


@pytest.mark.parametrize("seekable", WAYS, ids=WAYS.values())
def test_joined_chunks_are_one_video(
    tools: Tools,
    clip: Path,
    plan: EncodingPlan,
    encode: Encode,
    tmp_path: Path,
    seekable: bool,
) -> None:
    made, _ = encode(plan.model_copy(update={"seekable": seekable}), at_once=2)
    assert made.chunks == made.encoded == 3 * len(plan.rungs)
    for rung in plan.rungs:
        path = tmp_path / "out" / f"{rung.name}.mp4"
        frames = ffprobe.frames(tools, path)
        assert [n for n, frame in enumerate(frames) if frame["key_frame"]] == list(range(0, plan.frames, plan.gop))
        times = [Fraction(frame["pts_time"]) for frame in frames]
        assert len(times) == plan.frames
        assert max(abs(time - n / plan.rate) for n, time in enumerate(times)) < Fraction(1, 1000)
        # The picture of a frame is that of the source at this time, also on both sides of every border.
        for n in (0, plan.segment - 1, plan.segment, 2 * plan.segment - 1, 2 * plan.segment, plan.frames - 1):
            shown, due = (ffprobe.pixels(tools, file, frame=n, size="32x32") for file in (path, clip))
            assert sum(abs(a - b) for a, b in zip(shown, due, strict=True)) / len(due) < 6


def test_both_ways_give_the_same(plan: EncodingPlan, encode: Encode) -> None:
    """And the host's breadth shapes no bit."""
    made, files = encode(plan, at_once=1)
    for seekable in WAYS:
        again, same = encode(plan.model_copy(update={"seekable": seekable}), at_once=3)
        assert same == files
        assert again.shown == made.shown


def test_the_map_of_chunks_is_that_of_the_whole(
    tools: Tools,
    clip: Path,
    about: TechnicalMetadata,
    plan: EncodingPlan,
    encode: Encode,
) -> None:
    made, _ = encode(plan, plan.rungs[-1:])
    assert made.shown == frame_map.read(tools, clip, plan.model_copy(update={"seekable": False}), about.timing)
    thinned = plan.model_copy(
        update={"rate": plan.rate / 2, "frames": plan.frames // 2, "gop": plan.gop // 2, "segment": plan.segment // 2}
    )
    made, _ = encode(thinned, plan.rungs[-1:])
    assert made.shown == frame_map.read(tools, clip, thinned.model_copy(update={"seekable": False}), about.timing)
    assert made.shown.skipped > 100


@pytest.mark.parametrize("seekable", WAYS, ids=WAYS.values())
def test_a_killed_encoder_costs_a_chunk(plan: EncodingPlan, encode: Encode, shelf: Shelf, seekable: bool) -> None:
    plan = plan.model_copy(update={"seekable": seekable})
    began = time.monotonic()
    _, undisturbed = encode(plan, at_once=2)
    lasts = time.monotonic() - began
    chance = random.Random(1)
    kills = 0
    for _ in range(4):
        timer = threading.Timer(chance.uniform(0.1, 0.9) * lasts, kill_an_encoder)
        timer.start()
        with contextlib.suppress(CommandFailed):
            encode(plan, at_once=2, kept=shelf)
            kills -= 1
        kills += 1
        timer.cancel()
        timer.join()
    made, files = encode(plan, at_once=2, kept=shelf)
    assert kills
    assert files == undisturbed
    # What was finished was never made again.
    assert len(shelf.put_now) == len(set(shelf.put_now)) == made.chunks


def kill_an_encoder() -> None:
    """One of this process's children."""
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, parent = place.read_text().rsplit(")", 1)
        except OSError:
            continue
        if parent.split()[1] == str(os.getpid()) and "ffmpeg" in name:
            os.kill(int(place.parent.name), signal.SIGKILL)
            return


def test_another_setting_of_a_rung_makes_that_rung_again(plan: EncodingPlan, encode: Encode, shelf: Shelf) -> None:
    before, files = encode(plan, kept=shelf)
    changed = plan.rungs[0].model_copy(update={"crf": plan.rungs[0].crf + 4})
    other = plan.model_copy(update={"rungs": (changed, *plan.rungs[1:])})
    after, others = encode(other, kept=shelf)
    assert after.encoded == 3
    assert others[1:] == files[1:]
    assert len(others[0]) < len(files[0])
    assert set(before.keys) & set(after.keys) == {key for key in after.keys if key not in shelf.put_now[-3:]}


def test_a_lost_chunk_is_made_again(plan: EncodingPlan, encode: Encode, shelf: Shelf) -> None:
    _, files = encode(plan, kept=shelf)
    del shelf.chunks[shelf.put_now[1]]
    made, again = encode(plan, kept=shelf)
    assert made.encoded == 1
    assert again == files
