"""The check of the preview clip: both files are whole and silent, last as planned and show the frames they should."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence, UnidentifiedImageError

from video_pipeline.media import process
from video_pipeline.media.checks.reading import Reading, read
from video_pipeline.media.checks.shown import MOST_OFF, STALL_SECONDS, Small, decoded_small, frames_of, shrunk
from video_pipeline.media.checks.tracks import TICK
from video_pipeline.media.checks.verdict import verdict
from video_pipeline.media.image_products import Preview
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.preview import ANIMATION, CLIP, size
from video_pipeline.media.products import CheckResult
from video_pipeline.media.tools import Tools

NAME = "preview"


def preview(
    tools: Tools,
    plan: EncodingPlan,
    readings: Sequence[Reading],
    made: Preview,
    files: Mapping[str, Path],
    scratch: Path,
) -> CheckResult:
    """Against the frames of the largest rendition, a few of each part.

    Args:
        files: `preview.mp4` and `preview.webp`, if they are there.
    """
    wanted = plan.images.preview
    if wanted is None:
        there = [(name, "there but not planned") for name in (CLIP, ANIMATION) if name in made.files]
        return verdict(NAME, there, "0 planned")
    missing = [n for n in (CLIP, ANIMATION) if n not in made.files or not (n in files and files[n].is_file())]
    if missing:
        return verdict(NAME, ((name, "planned but not there") for name in missing), "")
    due = min(round(Fraction(wanted.seconds) * plan.rate), plan.frames)
    wrong = [(CLIP, problem) for problem in _listed(plan, made, due)]
    large = next((r for r in readings if r.name == plan.family(plan.plain)[0].name and len(r.packets)), None)
    # The middle of each part: its ends may be transitions, where the next frame is another picture.
    places = {(start + end) // 2: made.frames.index((start + end) // 2) for start, end in made.parts}
    places = {frame: place // made.step * made.step for frame, place in places.items()}
    frames = [made.frames[place] for place in places.values()]
    shown = frames_of(tools, plan, large, frames, scratch) if large else {}
    [clip] = read(tools, {CLIP: files[CLIP]}, (), {CLIP: "v:0"})
    small = decoded_small(tools, clip.path)
    wrong += ((CLIP, problem) for problem in _clip(tools, plan, made, clip))
    wrong += (
        (CLIP, problem)
        for problem in _pictures(shown, {made.frames[n]: small[n] for n in places.values() if n < len(small)})
    )
    animated, problems = _animation(plan, made, files[ANIMATION])
    wrong += ((ANIMATION, problem) for problem in problems)
    seen = {made.frames[n]: animated[n // made.step] for n in places.values() if n // made.step < len(animated)}
    wrong += ((ANIMATION, problem) for problem in _pictures(shown, seen))
    sizes = f"{made.files[CLIP].size} and {made.files[ANIMATION].size} bytes"
    return verdict(
        NAME, wrong, f"{due} frames in {len(made.parts)} parts, {made.seconds:.3f} s, without sound, {sizes}"
    )


def _listed(plan: EncodingPlan, made: Preview, due: int) -> Iterator[str]:
    if len(made.frames) != due:
        yield f"{len(made.frames)} frames are listed, {due} planned"
    inside = all(0 <= start < end <= plan.frames for start, end in made.parts)
    if not inside or made.frames != sorted(set(made.frames)):
        yield f"its parts {made.parts} are not {plan.frames} frames' own, one after the other"
    wanted = plan.images.preview
    if wanted and (made.width, made.height) not in {size(rung, wanted.width) for rung in plan.family(plan.plain)}:
        yield f"{made.width}x{made.height} pixels are listed, at most {wanted.width} on the longer side planned"


def _clip(tools: Tools, plan: EncodingPlan, made: Preview, r: Reading) -> Iterator[str]:
    if r.errors:
        yield r.errors
    if r.decoded_frames != len(made.frames):
        yield f"{r.decoded_frames} frames decoded, {len(made.frames)} are listed"
    lasts = len(made.frames) / plan.rate
    if abs(r.start) > TICK or abs(r.end - lasts) > TICK:
        yield f"from {float(r.start):.3f} to {float(r.end):.3f} s, due from 0 to {float(lasts):.3f} s"
    kinds = [box.kind for box in r.boxes]
    if "mdat" not in kinds or "moov" not in kinds[: kinds.index("mdat")]:
        yield f"no index (moov) before the data (mdat), but {', '.join(kinds) or 'nothing'}"
    argv: list[str | Path] = [
        tools.ffprobe,
        "-v",
        "error",
        "-show_entries",
        "stream=codec_type,width,height",
        "-of",
        "csv=p=0",
        r.path,
    ]
    [done] = process.run_all([argv], nice=tools.nice, stall_seconds=STALL_SECONDS, check=False)
    streams = done.stdout.decode(errors="replace").split()
    if streams != [f"video,{made.width},{made.height}"]:
        yield f"holds {'; '.join(streams) or 'nothing'}, due is video,{made.width},{made.height} alone"


def _animation(plan: EncodingPlan, made: Preview, path: Path) -> tuple[list[Small], list[str]]:
    """What it shows at every `step`-th frame of the clip, and what is wrong. Equal pictures may be one in the file."""
    pictures: list[Small] = []
    ends: list[int] = []
    wrong = []
    try:
        with Image.open(path) as opened:
            if (opened.format, *opened.size) != ("WEBP", made.width, made.height):
                due = f"WEBP of {made.width}x{made.height}"
                wrong.append(f"{opened.format} of {opened.width}x{opened.height}, due is {due}")
            for picture in ImageSequence.Iterator(opened):
                picture.load()  # says how long it is shown
                pictures.append(shrunk(picture.convert("RGB")))
                ends.append(picture.info.get("duration", 0) + (ends[-1] if ends else 0))
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        return pictures, [f"is no picture: {error}"]
    each = 1000 * made.step / plan.rate
    count = -(-len(made.frames) // made.step)
    # Its clock has milliseconds, and its last picture ends with the clip. A still one has no clock.
    if len(pictures) > 1 and abs(ends[-1] - 1000 * len(made.frames) / plan.rate) > 1:
        wrong.append(f"lasts {ends[-1] / 1000:.3f} s, the clip {made.seconds:.3f} s")
    at = (bisect_right(ends, float(each * n) + 1) for n in range(count))
    return [pictures[min(n, len(pictures) - 1)] for n in at], wrong


def _pictures(due: Mapping[int, Small], found: Mapping[int, Small]) -> Iterator[str]:
    for frame, picture in found.items():
        if frame in due and (off := float(np.abs(picture - due[frame]).mean())) > MOST_OFF:
            yield f"does not show frame {frame}, but what is {off:.0f} of 255 away from it"
