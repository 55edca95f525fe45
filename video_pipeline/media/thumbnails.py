"""A poster and thumbnails to choose from: sharp, well exposed frames from inside the scenes, no two alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from video_pipeline.media import forms, parallel, process
from video_pipeline.media.frame_score import Scored, score_frames
from video_pipeline.media.image_products import Kind, Thumbnail, Thumbnails
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Scene
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan

MAX_SCENES = 60
"""Longer videos offer their longest scenes."""
PLACES = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Where in a scene frames are looked at; its ends may be fades."""
AT_ONCE = 5
"""Pictures that one ffmpeg takes out: its start costs as much as to decode 40 in 720p."""
ALIKE = 10
"""Bits of 64 in which two pictures' hashes must differ to count as two."""


def make(
    tools: Tools,
    small: Path,
    large: Path,
    scenes: Sequence[Scene],
    plan: EncodingPlan,
    out_dir: Path,
    poster_stem: str = "poster",
) -> Thumbnails:
    """Writes `poster.jpg`, `01.jpg` ..., and `at-01.jpg` ... of the frames that were asked for, into `out_dir`.

    Args:
        small: a small rung, to judge frames by.
        large: the largest rung, to take the chosen frames from.
        poster_stem: another name for the poster's file, where a picture that was brought has that one.
    """
    images = plan.images
    wanted = {scene.index: [_inside(scene, place) for place in PLACES] for scene in _longest(scenes)}
    asked = [*images.at, *(() if images.poster is None else (images.poster,))]
    scored = score_frames(small, sorted({*asked, *(frame for frames in wanted.values() for frame in frames)}))
    chosen = _choose(scored, wanted, plan)
    best = max(chosen, key=lambda frame: frame.score)
    poster = best if images.poster is None else _asked(scored, images.poster)
    others = [frame for frame in chosen if frame.frame != poster.frame][: images.candidates]
    named: list[tuple[str, Kind, Scored]] = [(poster_stem, "poster", poster)]
    in_order = sorted(others, key=lambda frame: frame.frame)
    named += [(f"{n:02}", "candidate", frame) for n, frame in enumerate(in_order, 1)]
    named += [(f"at-{n:02}", "asked", _asked(scored, frame)) for n, frame in enumerate(images.at, 1)]
    pictures = _extract(tools, large, [frame.frame for *_, frame in named], poster_size(plan), plan)
    made = []
    for (stem, kind, frame), picture in zip(named, pictures, strict=True):
        files = forms.save(picture, stem, images, out_dir)
        made.append(
            Thumbnail(
                name=files[0].name,
                kind=kind,
                frame=frame.frame,
                time=round(float(frame.frame / plan.rate), 6),
                width=files[0].width,
                height=files[0].height,
                score=round(frame.score, 6),
                file=files[0].file,
                forms=files,
            )
        )
    asked_from = len(made) - len(images.at)
    return Thumbnails(poster=made[0], candidates=tuple(made[1:asked_from]), at=tuple(made[asked_from:]))


def _asked(scored: dict[int, Scored], frame: int) -> Scored:
    """One that cannot be judged is wanted all the same."""
    return scored.get(frame) or Scored(frame, score=0.0, usable=False, fingerprint=0)


def _longest(scenes: Sequence[Scene]) -> list[Scene]:
    return sorted(scenes, key=lambda scene: scene.start - scene.end)[:MAX_SCENES]


def _choose(scored: dict[int, Scored], wanted: dict[int, list[int]], plan: EncodingPlan) -> list[Scored]:
    """The best frame of each scene, best first, without repeats; at least one."""
    representatives = [
        max((scored[frame] for frame in frames if frame in scored), key=lambda frame: frame.score, default=None)
        for frames in wanted.values()
    ]
    ranked = sorted((frame for frame in representatives if frame), key=lambda frame: -frame.score)
    # A long scene has more to offer than one picture, as far as they differ.
    offered = sorted({frame for frames in wanted.values() for frame in frames if frame in scored})
    rest = [scored[frame] for frame in offered if scored[frame] not in ranked]
    ranked += sorted(rest, key=lambda frame: -frame.score)
    chosen: list[Scored] = []
    for frame in ranked:
        if frame.usable and all(frame.distance(other) > ALIKE for other in chosen):
            chosen.append(frame)
        if len(chosen) > plan.images.candidates:
            break
    return chosen or ranked[:1]


def _inside(scene: Scene, place: float) -> int:
    return min(scene.end - 1, scene.start + int(place * (scene.end - scene.start)))


def poster_size(plan: EncodingPlan) -> tuple[int, int]:
    """Width and height of all thumbnails, pixels."""
    return _size(plan.family(plan.plain)[0], plan.images.poster_width)


def _size(rung: RungPlan, longest: int) -> tuple[int, int]:
    factor = min(1.0, longest / max(rung.width, rung.height))
    width, height = (max(2, 2 * round(side * factor / 2)) for side in (rung.width, rung.height))
    return width, height


def _extract(
    tools: Tools, large: Path, frames: Sequence[int], size: tuple[int, int], plan: EncodingPlan
) -> Iterator[Image.Image]:
    """Exact frames of the grid: a seek to half a frame before lands on the key frame and decodes up to it."""
    scaled = f"trim=end_frame=1,scale={size[0]}:{size[1]}:flags=lanczos,format=rgb24"
    argvs: list[list[str]] = []
    for first in range(0, len(frames), AT_ONCE):
        own = frames[first : first + AT_ONCE]
        argv = [str(tools.ffmpeg), "-v", "error", "-nostdin"]
        for frame in own:
            start = max(0.0, float((frame - 0.5) / plan.rate))
            argv += ["-threads", "1", "-ss", f"{start:.6f}", "-t", f"{float(1 / plan.rate):.6f}", "-i", str(large)]
        chains = "".join(f"[{n}:v]{scaled}[{n}];" for n in range(len(own)))
        joined = "".join(f"[{n}]" for n in range(len(own))) + f"concat=n={len(own)}[all]"
        argv += ["-filter_complex", chains + joined, "-map", "[all]", "-fps_mode", "passthrough"]
        argvs.append([*argv, "-f", "rawvideo", "-"])
    length = 3 * size[0] * size[1]
    width = parallel.readers()
    for start_at in range(0, len(argvs), width):
        for done in process.run_all(argvs[start_at : start_at + width], nice=tools.nice):
            for place in range(0, len(done.stdout), length):
                yield Image.frombytes("RGB", size, done.stdout[place : place + length])
