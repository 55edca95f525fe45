"""A short silent clip of the best scenes, for lists of videos: as MP4 and as an animated WebP.

It is made of a small rung, and takes its places from the thumbnails: what is worth a picture is worth a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from PIL import Image

from video_pipeline.media import ffmpeg
from video_pipeline.media.files import blob_of
from video_pipeline.media.image_plan import PreviewPlan
from video_pipeline.media.image_products import Preview, Thumbnails
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Scene, Track
from video_pipeline.media.tools import Tools, build
from video_pipeline.media.video_plan import RungPlan

VERSION = "1"
"""Raise it when the same plan would give another clip."""
CLIP, ANIMATION = "preview.mp4", "preview.webp"
PARTS = 4
SECONDS_PER_PART = 1
"""At least; shorter ones are over before anything is seen."""
ANIMATED_RATE = 12
"""Frames per second of the animation, at most."""
ANIMATION_BYTES = 1_000_000
"""Of the animation; its quality is lowered to fit, as far as that goes."""
QUALITIES = (60, 40, 25, 10)
X264 = "-c:v libx264 -preset medium -crf 24 -profile:v high -pix_fmt yuv420p -threads 1 -g 250 -bf 2".split()
BARE = ["-an", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]


def make(
    tools: Tools, path: Path, rung: RungPlan, scenes: Sequence[Scene], shown: Thumbnails, plan: EncodingPlan, out: Path
) -> Preview:
    """Writes `preview.mp4` and `preview.webp` into the directory `out`, of the same frames; the same bytes every time.

    Args:
        path: the file of `rung`.
        shown: whose frames say what is worth seeing.

    Raises:
        CommandFailed: ffmpeg does not read the rung.
    """
    wanted = plan.images.preview
    assert wanted is not None, "the caller looks"
    parts = choose(wanted, scenes, shown, plan)
    width, height = size(rung, wanted.width)
    frames = sum(end - start for start, end in parts)
    # At a constant rate, so that every picture lasts equally long.
    step = max(1, -(-plan.rate // ANIMATED_RATE))
    # ffmpeg would else turn both into RGB.
    filters = f"scale={width}:{height}:flags=bicubic,setsar=1,format=yuv420p,split[clip][all];"
    filters += f"[all]select=not(mod(n\\,{step})),format=rgb24"
    animated = ["-map", "[animated]", "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    raw = ffmpeg.ffmpeg(tools, [*_source(path, parts, plan, filters), *_clip(out / CLIP), *animated])
    _animate(raw.stdout, (width, height), step / plan.rate, frames / plan.rate, out / ANIMATION)
    return Preview(
        clip=blob_of(out / CLIP),
        animation=blob_of(out / ANIMATION),
        width=width,
        height=height,
        seconds=round(float(frames / plan.rate), 6),
        parts=tuple(parts),
        step=step,
    )


def rung_of(plan: EncodingPlan) -> RungPlan:
    """The smallest that is at least as wide as the clip, or the largest."""
    wanted = plan.images.preview
    rungs = plan.family(plan.plain)
    enough = [rung for rung in rungs if wanted and max(rung.width, rung.height) >= wanted.width]
    return enough[-1] if enough else rungs[0]


def size(rung: RungPlan, longest: int) -> tuple[int, int]:
    """Of the clip: even sides, the rung's shape, never larger than the rung."""
    factor = min(1.0, longest / max(rung.width, rung.height))
    width, height = (max(2, 2 * round(side * factor / 2)) for side in (rung.width, rung.height))
    return width, height


def choose(
    wanted: PreviewPlan, scenes: Sequence[Scene], shown: Thumbnails, plan: EncodingPlan
) -> list[tuple[int, int]]:
    """The frames to show, by time: parts around the best thumbnails, each inside its scene, or the whole of a video
    that is not longer."""
    total = round(Fraction(wanted.seconds) * plan.rate)
    if plan.frames <= total:
        return [(0, plan.frames)]
    count = max(1, min(PARTS, int(wanted.seconds / SECONDS_PER_PART)))
    ranked = sorted((shown.poster, *shown.candidates), key=lambda one: (-one.score, one.frame))
    # With fewer good places than parts, each of them is longer.
    for parts in range(count, 0, -1):
        lengths = [total // parts + (n < total % parts) for n in range(parts)]
        found: list[tuple[int, int]] = []
        for frame in (one.frame for one in ranked):
            first, behind = _scene(frame, scenes, plan.frames)
            length = lengths[len(found)]
            start = min(max(first, frame - length // 2), behind - length)
            clear = all(start + length <= one[0] or start >= one[1] for one in found)
            if start >= first and clear:
                found.append((start, start + length))
            if len(found) == parts:
                return sorted(found)
    # No scene is as long as that.
    start = min(max(0, ranked[0].frame - total // 2), plan.frames - total)
    return [(start, start + total)]


def checkpoint_key(tools: Tools, file: Track, scenes: Sequence[Scene], shown: Thumbnails, plan: EncodingPlan) -> str:
    """Over all that shapes the bytes."""
    wanted = plan.images.preview
    assert wanted is not None, "the caller looks"
    parts = [
        VERSION,
        CLIP,
        *X264,
        *map(str, (*QUALITIES, ANIMATED_RATE, ANIMATION_BYTES)),
        build(tools),
        file.file.sha256,
    ]
    parts += [str(choose(wanted, scenes, shown, plan)), wanted.model_dump_json(), str(plan.rate)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _scene(frame: int, scenes: Sequence[Scene], frames: int) -> tuple[int, int]:
    return next(((one.start, one.end) for one in scenes if one.start <= frame < one.end), (0, frames))


def _source(path: Path, parts: Sequence[tuple[int, int]], plan: EncodingPlan, filters: str) -> list[str]:
    """Inputs and graph: a seek to half a frame before lands on the key frame and decodes up to the part."""
    args: list[str] = []
    chains = ""
    for n, (start, end) in enumerate(parts):
        seek = max(0.0, float((start - Fraction(1, 2)) / plan.rate))
        args += ["-threads", "1", "-ss", f"{seek:.6f}", "-i", str(path)]
        chains += f"[{n}:v]trim=end_frame={end - start}[{n}];"
    joined = "".join(f"[{n}]" for n in range(len(parts))) + f"concat=n={len(parts)}"
    clock = f"settb={1 / plan.rate},setpts=N"
    return [*args, "-filter_complex", f"{chains}{joined},{clock},{filters}[animated]"]


def _animate(raw: bytes, size: tuple[int, int], each: Fraction, whole: Fraction, path: Path) -> None:
    """Args: each: how long a picture is shown, s; whole: all of them together, which may end in the last one."""
    length = 3 * size[0] * size[1]
    pictures = [Image.frombytes("RGB", size, raw[at : at + length]) for at in range(0, len(raw), length)]
    ends = [round(1000 * min(whole, each * n)) for n in range(len(pictures) + 1)]
    lasts = [end - start for start, end in pairwise(ends)]
    for quality in QUALITIES:
        first, *others = pictures
        first.save(path, "WEBP", save_all=True, append_images=others, duration=lasts, loop=0, quality=quality, method=4)
        if path.stat().st_size <= ANIMATION_BYTES:
            break


def _clip(path: Path) -> list[str]:
    return ["-map", "[clip]", *X264, "-fps_mode", "passthrough", *BARE, "-movflags", "+faststart", str(path)]
