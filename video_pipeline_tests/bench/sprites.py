"""`make bench-sprites`: CPU time of the sprite sheets over that of the encode, and the same for three hours of it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from tabulate import tabulate

from video_pipeline import presets, settings
from video_pipeline.media import probe, renditions, sprites, tools
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.tiles import planning
from video_pipeline_tests.bench import clips, pipeline
from video_pipeline_tests.bench.__main__ import TRAILER
from video_pipeline_tests.bench.cost import Cost, timed
from video_pipeline_tests.bench.ladders import emptied

HEADERS = ("", "encode CPU s", "sprites CPU s", "share", "tiles", "sheets", "kB", "quality", "target")
MOST = 0.03
LONG_SECONDS = 3 * 3600


@click.command()
@click.option("--clip", help="Instead of the trailer.")
@click.option("--preset", default="web", show_default=True)
@click.option("--long", is_flag=True, help="One clip of five minutes, joined of the natural ones.")
def main(clip: str | None, preset: str, long: bool) -> None:
    media = settings.load().media
    path = Path(clip) if clip else clips.long_clip(media) if long else media / TRAILER
    if not path.is_file():
        sys.exit(f"{path} is missing; set VIDEO_PIPELINE_MEDIA")
    programs, plan = tools.find(), pipeline.planned(path, preset)
    timing = probe.probe(programs, path).timing
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {path.name}, preset {preset}\n")
    with tempfile.TemporaryDirectory() as directory:
        out, spent = emptied(Path(directory, "encoded")), Cost()
        with timed(spent):
            for encoder in plan.encoders:
                renditions.make(programs, path, timing, plan, plan.family(encoder.family), out)
        small = out / f"{plan.family(plan.plain)[-1].name}.mp4"
        rows = [row(f"{float(plan.duration):.0f} s", plan, spent.cpu, small, Path(directory))]
        # Whole GOPs, so that what is joined is on the grid.
        whole = plan.model_copy(update={"frames": plan.frames // plan.gop * plan.gop})
        times = math.ceil(LONG_SECONDS / whole.duration)
        lasting = emptied(Path(directory, "long")) / "long.mp4"
        part = lasting.with_name("part.mp4")
        first: list[str | Path] = ["-i", small, "-c", "copy", "-frames:v", str(whole.frames), part]
        joined: list[str | Path] = ["-stream_loop", str(times - 1), "-i", part, "-c", "copy", lasting]
        for args in (first, joined):
            subprocess.run([programs.ffmpeg, "-v", "error", *args], check=True, stdin=subprocess.DEVNULL)
        stretched = longer(whole, times, preset)
        rows.append(row(f"{times} times", stretched, spent.cpu * times, lasting, Path(directory)))
    print(tabulate(rows, headers=HEADERS, tablefmt="github", disable_numparse=True))


def longer(plan: EncodingPlan, times: int, preset: str) -> EncodingPlan:
    """Of the same clip so many times."""
    frames, images = plan.frames * times, presets.load(preset).images
    tile = planning.size(plan.family(plan.plain)[-1], images.tile_width)
    every = planning.interval(images, plan.rate, frames, plan.gop, tile)
    wanted = plan.images.model_copy(update={"interval": every})
    return plan.model_copy(update={"frames": frames, "images": wanted})


def row(what: str, plan: EncodingPlan, encode: float, small: Path, root: Path) -> list[str]:
    spent = Cost()
    with timed(spent):
        made = sprites.make(tools.find(), small, plan, emptied(root / "sheets"))
    share = spent.cpu / encode
    kilobytes = sum(sheet.size for sheet in made.sheets) / 1000
    told = [what, f"{encode:.1f}", f"{spent.cpu:.2f}", f"{share:.2%}", str(made.tiles), str(len(made.sheets))]
    return [*told, f"{kilobytes:.0f}", str(made.quality), f"<= {MOST:.0%}: {'yes' if share <= MOST else 'NO'}"]


if __name__ == "__main__":
    main()
