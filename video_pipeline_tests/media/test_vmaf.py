"""The scores are those of plain ffmpeg on raw frames, frame by frame, in whatever way the source is read."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from video_pipeline import presets
from video_pipeline.media import encode, ffmpeg, probe, samples, vmaf
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.targets import Sample
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan

SIZE = (320, 180)
RATE = 25


def run(tools: Tools, *args: str, cwd: Path) -> None:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", *args]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=120, cwd=cwd)


def cut(tools: Tools, files: Mapping[str, Path], spans: Sequence[Sample], directory: Path) -> dict[str, Path]:
    """The frames of these spans alone, as they are."""
    chosen = "+".join(f"between(n,{span.first},{span.end - 1})" for span in spans)
    out = {name: directory / f"{name}-cut.mkv" for name in files}
    for name, path in files.items():
        words = ["-vf", f"select='{chosen}',setpts=N/({RATE}*TB)", "-fps_mode", "passthrough", "-c:v", "ffv1"]
        run(tools, "-i", str(path.absolute()), *words, str(out[name].absolute()), cwd=directory)
    return out


class Encoded:
    """4 s of moving pictures in two sizes."""

    def __init__(self, tools: Tools, source: Path, directory: Path) -> None:
        self.tools, self.source, self.directory = tools, source, directory
        about = probe.probe(tools, source)
        plan = make_plan(about, "0" * 64, presets.load("draft"))
        small = plan.rungs[0].model_copy(update={"name": "small", "width": 160, "height": 90, "crf": 20.0})
        rungs = (plan.rungs[0].model_copy(update={"name": "large", "crf": 30.0}), small)
        self.plan: EncodingPlan = plan.model_copy(update={"rungs": rungs})
        ffmpeg.ffmpeg(tools, encode.command(source, self.plan, rungs, directory))
        self.files = {rung.name: directory / f"{rung.name}.mp4" for rung in rungs}

    def measure(self, *spans: Sample, every: int = 1, plan: EncodingPlan | None = None) -> dict[str, list[vmaf.Vmaf]]:
        plan = plan or self.plan
        files = cut(self.tools, self.files, spans, self.directory) if spans else self.files
        spans = spans or samples.whole(plan)
        return vmaf.measure(self.tools, self.source, plan, "h264", files, spans, self.directory, every=every)

    def plainly(self, rendition: Path, name: str, shift: int = 0) -> list[float]:
        """By a command written by hand, from raw frames in files; a shift repeats the first frame that often."""
        raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "320x180", "-r", str(RATE)]
        for path, out, delay in ((self.source, "source.yuv", 0), (rendition, "other.yuv", shift)):
            filters = (
                f"scale=320:180:flags=bicubic,format=yuv420p,tpad=start={delay}:start_mode=clone,trim=end_frame=100"
            )
            run(self.tools, "-i", str(path), "-an", "-vf", filters, "-f", "rawvideo", out, cwd=self.directory)
        graph = f"[0:v][1:v]libvmaf=log_fmt=json:log_path={name}.json"
        run(
            self.tools, *raw, "-i", "other.yuv", *raw, "-i", "source.yuv", "-lavfi", graph, "-f", "null", "-",
            cwd=self.directory,
        )  # fmt: skip
        frames = json.loads((self.directory / f"{name}.json").read_text())["frames"]
        return [frame["metrics"]["vmaf"] for frame in frames]


@pytest.fixture(scope="module")
def encoded(tools: Tools, make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Encoded:
    directory = tmp_path_factory.mktemp("vmaf")
    # In the colours that renditions have, so that plain frames are what they are made from.
    tags = "h264_metadata=colour_primaries=1:transfer_characteristics=1:matrix_coefficients=1"
    run(tools, "-i", str(make_clip()), "-c", "copy", "-bsf:v", tags, "source.mp4", cwd=directory)
    return Encoded(tools, directory / "source.mp4", directory)


@pytest.fixture(scope="module")
def whole(encoded: Encoded) -> dict[str, vmaf.Vmaf]:
    return {name: scores[0] for name, scores in encoded.measure().items()}


def test_each_frame_scores_as_raw_frames_do(encoded: Encoded, whole: dict[str, vmaf.Vmaf]) -> None:
    for name, path in encoded.files.items():
        plain = encoded.plainly(path, "plain")
        assert len(plain) == len(whole[name].frames) == 100
        # libvmaf's sums depend on the order of its threads.
        assert whole[name].frames == pytest.approx(plain, abs=0.01)
    assert whole["large"].mean - whole["small"].mean > 3


def test_the_same_frames_are_perfect_and_frames_one_late_are_not(encoded: Encoded, tmp_path: Path) -> None:
    run(encoded.tools, "-i", str(encoded.source), "-an", "-c:v", "libx264", "-qp", "0", "same.mp4", cwd=tmp_path)
    late = "tpad=start=1:start_mode=clone,trim=end_frame=100"
    run(
        encoded.tools, "-i", str(encoded.source), "-an", "-vf", late, "-c:v", "libx264", "-qp", "0", "late.mp4",
        cwd=tmp_path,
    )  # fmt: skip
    files = {name: tmp_path / f"{name}.mp4" for name in ("same", "late")}
    span = samples.whole(encoded.plan)
    found = vmaf.measure(encoded.tools, encoded.source, encoded.plan, "h264", files, span, tmp_path)
    assert found["same"][0].mean > 97
    assert found["late"][0].mean < 85


def test_parts_score_as_they_do_in_the_whole(encoded: Encoded, whole: dict[str, vmaf.Vmaf]) -> None:
    """Read from the middle and picked out of one pass; only the first frame of a part has lost a neighbour."""
    spans = (Sample(first=13, frames=9), Sample(first=50, frames=12), Sample(first=88, frames=12))
    one_pass = encoded.plan.model_copy(update={"seekable": False})
    assert encoded.plan.seekable
    for plan in (encoded.plan, one_pass):
        for name, scores in encoded.measure(*spans, plan=plan).items():
            for span, part in zip(spans, scores, strict=True):
                inner = whole[name].frames[span.first + 1 : span.end - 1]
                assert part.frames[1:-1] == pytest.approx(inner, abs=0.01), (plan.seekable, span)


def test_each_eighth_frame_scores_as_it_does_among_all(encoded: Encoded, whole: dict[str, vmaf.Vmaf]) -> None:
    for name, scores in encoded.measure(every=8).items():
        assert len(scores[0].frames) == 13
        assert scores[0].frames == pytest.approx(whole[name].frames[::8], abs=0.01)


def test_samples_are_the_sources_frames_bit_by_bit(encoded: Encoded, tmp_path: Path) -> None:
    spans = (Sample(first=25, frames=25), Sample(first=75, frames=25))
    sought = encoded.plan.model_copy(update={"gop": 25})
    one_pass = sought.model_copy(update={"seekable": False})
    wanted = raw(encoded.tools, encoded.source, "select=between(n\\,25\\,49)+between(n\\,75\\,99)")
    assert len(wanted) == 50 * 320 * 180 * 3 // 2
    for plan in (sought, one_pass):
        out = tmp_path / "samples.mkv"
        made = samples.extract(encoded.tools, encoded.source, plan, "h264", spans, out)
        assert made.frames == 50
        assert raw(encoded.tools, out, "null") == wanted
        # By their plan each of them starts with a key frame.
        assert [rung.name for rung in made.rungs] == ["large", "small"]
        ffmpeg.ffmpeg(encoded.tools, encode.command(out, made, made.rungs[1:], tmp_path))
        entries = ["-show_entries", "packet=flags", "-of", "csv=p=0"]
        listed = subprocess.run(
            [str(encoded.tools.ffprobe), "-v", "error", *entries, str(tmp_path / "small.mp4")],
            capture_output=True, check=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert [n for n, flags in enumerate(listed.stdout.split()) if "K" in flags] == [0, 25]


def raw(tools: Tools, path: Path, filters: str) -> bytes:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-an", "-vf", filters]
    argv += ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    return subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120).stdout


def test_statistics() -> None:
    scores = vmaf.Vmaf(frames=(*[90.0] * 99, 0.0))
    assert scores.mean == pytest.approx(89.1)
    assert scores.harmonic_mean == pytest.approx(100 / (99 / 91 + 1) - 1)
    assert scores.low == pytest.approx(np.percentile(scores.frames, 1))


@pytest.mark.parametrize(
    ("size", "model"),
    [((1920, 1080), "vmaf_v0.6.1"), ((1440, 2560), "vmaf_v0.6.1"), ((3840, 2160), "vmaf_4k_v0.6.1")],
)
def test_large_pictures_are_judged_as_on_a_4k_screen(size: tuple[int, int], model: str) -> None:
    assert vmaf.model(size) == model


def test_all_are_compared_at_the_largest_rungs_size() -> None:
    rung = RungPlan(name="a", family="h264", width=640, height=360, crf=23, maxrate=1, bufsize=2)
    others = [rung.model_copy(update={"width": 1280, "height": 720}), rung]
    assert vmaf.largest([rung, *others]) == (1280, 720)


@pytest.mark.slow
@pytest.mark.media
@pytest.mark.parametrize(
    "name",
    [
        "awkward/start_delayed_1.07s.mp4",
        "awkward/portrait_vfr_slight_368x480.mp4",
        "awkward/vfr_android_slow_motion.mp4",
        "awkward/neg_first_pts_discard.mov",
        "awkward/editlist_2_ends_on_bframe.mov",
        "natural/bbb_1080p24_hevc_5.1_5s.ts",
    ],
)
def test_awkward_sources_are_met_frame_by_frame(tools: Tools, media: Path, tmp_path: Path, name: str) -> None:
    """A frame off would show: a fine encode scores high in every part, however it is read."""
    source = media / name
    plan = make_plan(probe.probe(tools, source), "0" * 64, presets.load("draft"))
    small = plan.rungs[-1].model_copy(update={"crf": 14.0, "maxrate": 50_000_000, "bufsize": 100_000_000})
    plan = plan.model_copy(update={"rungs": (small,)})
    ffmpeg.ffmpeg(tools, encode.command(source, plan, plan.rungs, tmp_path))
    half = plan.frames // 2
    spans = (Sample(first=0, frames=min(20, half)), Sample(first=half, frames=min(20, plan.frames - half)))
    for one in (plan, plan.model_copy(update={"seekable": False})):
        files = cut(tools, {small.name: tmp_path / f"{small.name}.mp4"}, spans, tmp_path)
        scores = vmaf.measure(tools, source, one, "h264", files, spans, tmp_path)[small.name]
        assert [len(part.frames) for part in scores] == [span.frames for span in spans]
        assert min(part.mean for part in scores) > 93, (one.seekable, [part.mean for part in scores])
