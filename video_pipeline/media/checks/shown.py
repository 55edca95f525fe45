"""The check that every sprite tile and every thumbnail shows the frame of its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from video_pipeline.media import parallel, process
from video_pipeline.media.checks import sampled
from video_pipeline.media.checks.brought import custom_poster
from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.tile_forms import VTT, Box, forms
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.decoding import KEYS, KEYS_ALONE
from video_pipeline.media.image_products import Sprites, Thumbnails
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult, Streams
from video_pipeline.media.thumbnails import poster_size
from video_pipeline.media.tools import Tools

SIDE = 16
"""Pixels of both sides that pictures are compared at."""
MOST_OFF = 8.0
"""Of 255, the mean over a picture. Another frame of the same scene may pass; one of another scene does not."""
STALL_SECONDS = 60
_AT_ONCE = 5
Small = NDArray[np.int16]
"""Rows times columns times RGB."""


def picture_times(
    tools: Tools,
    plan: EncodingPlan,
    streams: Streams,
    readings: Sequence[Reading],
    thumbnails: Thumbnails,
    sprites: Sprites,
    pictures: Mapping[str, Path],
    scratch: Path,
    brought: Path | None = None,
) -> CheckResult:
    """Against the frames of the rendition they were made of: a smaller one may look quite different. What cannot be
    read at all is a matter of other checks.

    Args:
        brought: the custom picture as it was brought.
    """
    there = {r.name: r for r in readings if r.is_video and len(r.packets)}
    rungs = plan.family(plan.plain)
    large, small = there.get(rungs[0].name), there.get(rungs[-1].name)
    if large is None or small is None:
        return verdict("picture_times", [], f"there is no {rungs[0].name} or {rungs[-1].name} to compare with")
    tiles = list(_tiles(plan, streams, sprites, pictures))
    wrong = _differences(tiles, _at_interval(tools, plan, small.path, sprites))
    shown = {picture.name: (picture.frame, _small(pictures.get(picture.name))) for picture in thumbnails.all}
    opened = [(name, frame, picture) for name, (frame, picture) in shown.items() if picture is not None]
    frames = sorted({frame for _, frame, _ in opened})
    found = frames_of(tools, plan, large, frames, scratch)
    wrong += _differences([(name, name, frame, picture) for name, frame, picture in opened], found)
    said = f"{len(tiles)} tiles and {len(opened)} thumbnails show their frames"
    if thumbnails.custom and brought:
        path = pictures.get(thumbnails.custom.name)
        wrong += custom_poster(tools, plan.images, poster_size(plan), thumbnails.custom, brought, path, scratch)
        said += ", the poster the picture that was brought"
    return verdict("picture_times", wrong, said)


def _differences(shown: Sequence[tuple[str, str, int, Small]], due: Mapping[int, Small]) -> list[Problem]:
    wrong = []
    for subject, what, frame, small in shown:
        if frame in due and (off := float(np.abs(small - due[frame]).mean())) > MOST_OFF:
            wrong.append((subject, f"{what} does not show frame {frame}, but what is {off:.0f} of 255 away from it"))
    return wrong


def _tiles(
    plan: EncodingPlan, streams: Streams, sprites: Sprites, pictures: Mapping[str, Path]
) -> Iterator[tuple[str, str, int, Small]]:
    """Sheet, name for people, frame and picture of every tile that is there, by each of the forms that says something
    else of it."""
    opened: dict[str, Image.Image | None] = {}
    seen: set[tuple[str, int, Box]] = set()
    for path, tiles in forms(sprites.vtt, streams.texts):
        for tile in tiles:
            name, frame = tile.sheet_name, round(tile.start * plan.rate)
            x, y, width, height = tile.box
            if name not in opened:
                opened[name] = _open(pictures.get(name))
            whole, own = opened[name], (name, frame, tile.box)
            if own in seen or whole is None or x + width > whole.width or y + height > whole.height:
                continue
            seen.add(own)
            said = "" if path == VTT else f" by {path}"
            shown = shrunk(whole.crop((x, y, x + width, y + height)))
            yield name, f"the tile at {float(tile.start):.3f} s{said}", frame, shown


def _at_interval(tools: Tools, plan: EncodingPlan, path: Path, sprites: Sprites) -> dict[int, Small]:
    """The frames of all tiles, in one decode: of key frames alone, where these are enough."""
    step = max(1, round(sprites.interval * plan.rate))
    keys = step % plan.gop == 0
    argv: list[str | Path] = [tools.ffmpeg, "-v", "error", "-nostdin", *(KEYS_ALONE if keys else ())]
    every = step // plan.gop if keys else step
    argv += ["-i", path, "-vf", f"{KEYS if keys else 'null'},select=not(mod(n\\,{every})),{_SCALED}"]
    done = process.run_all([[*argv, *_RAW]], nice=tools.nice, stall_seconds=STALL_SECONDS, check=False)
    return {n * step: small for n, small in enumerate(_pictures(done[0].stdout))}


def frames_of(
    tools: Tools, plan: EncodingPlan, rendition: Reading, frames: Sequence[int], scratch: Path
) -> dict[int, Small]:
    """These frames of a rendition, as far as they can be decoded."""
    found: dict[int, Small] = {}
    parts = [frames[start : start + _AT_ONCE] for start in range(0, len(frames), _AT_ONCE)]
    for start in range(0, len(parts), width := parallel.readers()):
        own = parts[start : start + width]
        done = sampled.decoded(tools, plan, [(rendition, part) for part in own], _SCALED, scratch)
        for part, one in zip(own, done, strict=True):
            pictures = _pictures(one.stdout)
            if len(pictures) == len(part):
                found |= zip(part, pictures, strict=True)
    return found


def decoded_small(tools: Tools, path: Path) -> NDArray[np.int16]:
    """All frames of a file that decode, each as a `Small`."""
    argv: list[str | Path] = [tools.ffmpeg, "-v", "error", "-nostdin", "-i", path, "-vf", _SCALED, *_RAW]
    done = process.run_all([argv], nice=tools.nice, stall_seconds=STALL_SECONDS, check=False)
    return _pictures(done[0].stdout)


# Straight to RGB, swscale would take single pixels instead of their mean.
_SCALED = f"scale={SIDE}:{SIDE}:flags=area+accurate_rnd,format=yuv444p,scale,format=rgb24"
_RAW = ("-fps_mode", "passthrough", "-f", "rawvideo", "-")


def _pictures(raw: bytes) -> NDArray[np.int16]:
    length = SIDE * SIDE * 3
    whole = len(raw) // length
    return np.frombuffer(raw[: whole * length], np.uint8).reshape(whole, SIDE, SIDE, 3).astype(np.int16)


def _open(path: Path | None) -> Image.Image | None:
    if path is None:
        return None
    try:
        with Image.open(path) as picture:
            converted: Image.Image = picture.convert("RGB")
            return converted
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
        return None  # `not_empty` and `sprite_tiles` say so


def _small(path: Path | None) -> Small | None:
    picture = _open(path)
    return None if picture is None else shrunk(picture)


def shrunk(picture: Image.Image) -> Small:
    """As what is compared."""
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.int16)
