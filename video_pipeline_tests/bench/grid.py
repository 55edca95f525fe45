"""`make bench-grid`: how many segment starts differ from rung to rung, ours beside `ffmpeg -g` as people type it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from video_pipeline import settings
from video_pipeline.media import probe
from video_pipeline.media import tools as tools_module
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.options import Options
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import encoding, mixed

NAIVE = {
    "h264": ("libx264", "-preset veryfast"),
    "hevc": ("libx265", "-preset veryfast -x265-params log-level=error"),
    "vp9": ("libvpx-vp9", "-deadline good -cpu-used 5 -b:v 0"),
    "av1": ("libsvtav1", "-preset 12"),
}
TICK = 0.001


@click.command()
@click.argument("words", nargs=-1)
@click.option("--seconds", default=12.0, show_default=True, help="Of each clip.")
def main(words: tuple[str, ...], seconds: float) -> None:
    """Natural clips whose name contains one of WORDS; trailers, which have cuts, if none is given."""
    media = settings.load().media
    wanted = words or ("sintel", "scenes")
    found = [path for path in sorted((media / "natural").glob("*")) if any(word in path.name for word in wanted)]
    if not found:
        raise click.ClickException(f"there is no such clip in {media / 'natural'}; set VIDEO_PIPELINE_MEDIA")
    print("| clip | family | segment starts compared | ours misaligned | `ffmpeg -g`: misaligned |")
    print("|---|---|---:|---:|---:|")
    for clip in found:
        for row in measure(tools_module.find(), clip, seconds):
            print(f"| {clip.name} | {' | '.join(map(str, row))} |", flush=True)


def measure(tools: Tools, clip: Path, seconds: float) -> Iterable[tuple[str, int, int, int]]:
    """Of each family: segment starts in two rungs of ours, borders of the grid without one, and of the naive."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        part = directory / "part.mkv"
        cut = ["-ss", "1", "-i", str(clip), "-t", f"{seconds}", "-map", "0:v", "-c:v", "libx264", "-qp", "0"]
        run(tools, [*cut, "-preset", "ultrafast", "-vf", "scale=-2:360", str(part)])
        about = probe.probe(tools, part)
        plan = make_plan(about, "0" * 64, mixed.preset(), Options(audio="none"))
        for encoder in plan.encoders:
            rungs = plan.family(encoder.family)
            encoding.encode(tools, part, plan, rungs, directory)
            ours = [starts(tools, directory / f"{rung.name}.mp4", plan) for rung in rungs]
            naive = [starts(tools, as_typed(tools, part, rung, plan, directory), plan) for rung in rungs]
            yield encoder.family, sum(map(len, ours)), off(ours, plan), off(naive, plan)


def as_typed(tools: Tools, clip: Path, rung: RungPlan, plan: EncodingPlan, directory: Path) -> Path:
    """One command for each rung, with a key frame at least every two seconds."""
    codec, words = NAIVE[rung.family]
    out = directory / f"naive-{rung.name}.mp4"
    size = ["-vf", f"scale={rung.width}:{rung.height}", "-c:v", codec, "-crf", f"{rung.crf:g}"]
    run(tools, ["-i", str(clip), *size, *words.split(), "-g", str(plan.gop), str(out)])
    return out


def starts(tools: Tools, path: Path, plan: EncodingPlan) -> list[float]:
    """Where segments begin: as packagers do, at the first key frame after each has its length."""
    listed = ffprobe.show(tools, path, "-show_entries", "packet=pts_time,flags")["packets"]
    keys = sorted(float(packet["pts_time"]) for packet in listed if packet["flags"].startswith("K"))
    length, found = float(plan.segment / plan.rate), keys[:1]
    for key in keys:
        if key - found[-1] >= length - TICK:
            found.append(key)
    return found


def off(rungs: Sequence[Sequence[float]], plan: EncodingPlan) -> int:
    """Borders of the grid at which a rung begins no segment, so that no player can change to it there."""
    length = float(plan.segment / plan.rate)
    grid = [n * length for n in range(-(-plan.frames // plan.segment))]
    return sum(all(abs(start - due) > TICK for start in found) for found in rungs for due in grid)


def run(tools: Tools, args: Sequence[str]) -> None:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", *args]
    subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=300)


if __name__ == "__main__":
    main()
