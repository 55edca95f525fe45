"""What is wrong with the sprite sheets that a manifest names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import m3u8

from video_pipeline.media.checks.tile_forms import sheets_of
from video_pipeline.media.checks.tracks import TICK
from video_pipeline.media.checks.verdict import Problem
from video_pipeline.media.image_products import Sprites, sheet_name
from video_pipeline.media.manifests import MPD
from video_pipeline.media.model import EncodingPlan


def sheet_problems(path: str, texts: Mapping[str, str], sprites: Sprites, plan: EncodingPlan) -> Iterable[Problem]:
    """Of the MPD or the playlist of images: sheets that are not there or left out, and lengths that do not add up.

    Raises: as `sheets_of`.
    """
    named = list(sheets_of(path, texts))
    made = [f"sprites/{sheet_name(n)}" for n in range(len(sprites.sheets))]
    found = [sheet.path for sheet in named]
    yield from ((path, f"names {sheet}, which is not in the release") for sheet in found if sheet not in made)
    yield from ((path, f"does not name {sheet}") for sheet in made if sheet not in found)
    if len(found) > len(set(found)):
        yield path, "names a sheet twice"
    end = named[-1].end if named else 0
    if abs(end - plan.duration) > TICK:
        yield path, f"its sheets last {float(end):.3f} s, planned {float(plan.duration):.3f} s"
    if path == MPD:
        return
    playlist = m3u8.loads(texts[path])
    if not playlist.is_endlist:
        yield path, "has no end (EXT-X-ENDLIST)"
    longest = max((segment.duration for segment in playlist.segments), default=0)
    if int(longest + 0.5) > (playlist.target_duration or 0):
        yield path, f"a sheet lasts {longest:.3f} s, target duration is {playlist.target_duration} s"
