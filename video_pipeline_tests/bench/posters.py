"""`make bench-posters`: our posters beside frames at 10, 50 and 90 % of each natural clip, to be looked at.

Two contact sheets for each clip and one picture of all posters, and a table. No ladder is encoded: frames are judged by
a small rung alone, made with ffmpeg, and taken from the source.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
import ffmpeg as graph
from tabulate import tabulate

from video_pipeline import settings
from video_pipeline.media import black, contact_sheet, ffmpeg, scenes, thumbnails, tools
from video_pipeline.media.graph import clock, source_frames
from video_pipeline.media.image_products import Thumbnail
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.tools import Tools
from video_pipeline_tests.bench import pipeline
from video_pipeline_tests.bench.cost import Cost, timed

PLAIN = ("10%", "50%", "90%")
SIDE = 420
"""Longer side of a picture on a clip's sheet, pixels."""


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--preset", default="web", show_default=True)
@click.option("--clip", "words", multiple=True, help="Only clips with this word in their names; may be repeated.")
def main(directory: Path | None, preset: str, words: Sequence[str]) -> None:
    out = directory or Path(tempfile.mkdtemp(prefix="posters-"))
    media = settings.load().media / "natural"
    if not media.is_dir():
        sys.exit(f"{media} is missing; set VIDEO_PIPELINE_MEDIA")
    rows, posters = [], []
    for path in sorted(media.iterdir()):
        if words and not any(word in path.name for word in words):
            continue
        row, shown = compare(tools.find(), path, pipeline.planned(path, preset), out / path.stem)
        rows.append(row)
        posters += shown
        print(f"{path.name}: {out / path.stem}", flush=True)
    if not rows:
        sys.exit("no clip has these words in its name")
    contact_sheet.draw(posters, 230, columns=8, tall=0.6).save(out / "overview.png")
    print(f"\n{tabulate(rows, headers='keys', floatfmt='.2f')}\n\nposters beside plain frames: {out / 'overview.png'}")


def compare(
    programs: Tools, path: Path, plan: EncodingPlan, out: Path
) -> tuple[dict[str, object], list[contact_sheet.Titled]]:
    """A row of the table, and the poster with the plain frames beside it; writes ours.png and plain.png into `out`."""
    for name in ("ours", "plain"):
        (out / name).mkdir(parents=True, exist_ok=True)
    small = _small(programs, path, plan, out / "small.mp4")
    cut, dark = scenes.detect(small, plan), black.detect(programs, small, plan)
    cost = Cost()
    # The small rung stands in for the largest, which is read only if the source cannot well be.
    with timed(cost, ourselves=True):
        ours = thumbnails.make(programs, small, small, cut, plan, out / "ours", source=path, black=dark)
    places = tuple(min(plan.frames - 1, int(plan.frames * float(text.rstrip("%")) / 100)) for text in PLAIN)
    asked = plan.model_copy(update={"images": plan.images.model_copy(update={"at": places, "candidates": 1})})
    plain = thumbnails.make(programs, small, small, cut, asked, out / "plain", source=path, black=dark).at
    files = {one.name: out / "ours" / one.name for one in ours.all}
    best = contact_sheet.titled(ours, files)
    why = {files[one.name]: one.why for one in ours.all}
    sheet = contact_sheet.draw([(file, [*lines, *_folded(why[file])]) for file, lines in best], SIDE)
    sheet.save(out / "ours.png")
    beside = [(out / "plain" / one.name, _told(one, text)) for one, text in zip(plain, PLAIN, strict=True)]
    contact_sheet.draw(beside, SIDE).save(out / "plain.png")
    scores = [one.score for one in (ours.poster, *ours.candidates)]
    row: dict[str, object] = {
        "clip": path.stem,
        "scenes": len(cut),
        "pictures": len(scores),
        "rejected": len(ours.rejected),
        "best": scores[0],
        "mean": sum(scores) / len(scores),
        "plain best": max(one.score for one in plain),
        "plain mean": sum(one.score for one in plain) / len(plain),
        "seconds": cost.wall,
        "CPU s": cost.cpu,
    }
    first = (best[0][0], [f"{path.stem[:16]} {best[0][1][0]}"])
    return row, [first, *((file, lines[:1]) for file, lines in beside)]


def _told(one: Thumbnail, place: str) -> list[str]:
    return [f"{place}  {one.score:.2f}  {one.time:.1f} s", *_folded(one.why)]


def _folded(why: str, width: int = 54) -> list[str]:
    lines = [""]
    for word in why.split(" "):
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _small(programs: Tools, path: Path, plan: EncodingPlan, out: Path) -> Path:
    rung = plan.family(plan.plain)[-1]
    frames = source_frames(path, plan, plan.plain).filter("scale", rung.width, rung.height).filter("setsar", 1)
    options = {"c:v": "libx264", "preset": "veryfast", "crf": 23, "g": plan.gop, "pix_fmt": "yuv420p"}
    words = graph.output(frames, str(out), fps_mode="passthrough", **options).get_args()
    aside = ffmpeg.aside(index for index in plan.clock if index != plan.stream)
    ffmpeg.ffmpeg(programs, [*clock(plan), *ffmpeg.TOLERANT, *words, *aside])
    return out


if __name__ == "__main__":
    main()
