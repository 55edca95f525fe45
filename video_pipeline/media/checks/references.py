"""The check that every reference of every manifest leads somewhere, with the right length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import m3u8
from lxml import etree

from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.references_dash import mpd_problems
from video_pipeline.media.checks.references_hls import master_problems, playlist_problems
from video_pipeline.media.checks.references_tiles import sheet_problems
from video_pipeline.media.checks.subtitles import text_playlist_problems, text_references
from video_pipeline.media.checks.tile_forms import UNREADABLE, image_playlist
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.image_products import Sprites
from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult, Streams, Texts
from video_pipeline.media.text.hls import playlist_name


def references(
    plan: EncodingPlan, streams: Streams, readings: Sequence[Reading], texts: Texts, sprites: Sprites
) -> CheckResult:
    """Every URI of every manifest exists, every byte range is the part of the file it is said to be, the lengths add up
    to the plan, and no track is left out."""
    by_name = {reading.name: reading for reading in readings}
    media: dict[str, list[Reading]] = {}
    wrong: list[Problem] = []
    for file in streams.media:
        reading = by_name.get(file.name)
        if reading:
            media.setdefault(f"../../../media/{file.file.sha256}.mp4", []).append(reading)
        if not reading or reading.size != file.file.size:
            wrong.append((file.name, f"has {reading.size if reading else 0} bytes, {file.file.size} are listed"))
    wrong += ((path, "is missing") for path in (MASTER, *(() if plan.whole else (MPD,))) if path not in streams.texts)
    images = image_playlist(streams.texts)
    of_text = {f"hls/{playlist_name(track)}" for track in texts.tracks}
    for path, text in streams.texts.items():
        try:
            if path == MPD:
                wrong += mpd_problems(path, etree.fromstring(text.encode()), media, plan)
                wrong += sheet_problems(path, streams.texts, sprites, plan)
            elif path == MASTER:
                wrong += master_problems(path, m3u8.loads(text), streams, media, plan)
                wrong += text_references(streams, texts)
                wrong += [(path, "names no playlist of images")] if images == MASTER else []
            elif path in of_text:
                wrong += text_playlist_problems(path, m3u8.loads(text), plan)
            elif path == images:
                wrong += sheet_problems(path, streams.texts, sprites, plan)
            else:
                wrong += playlist_problems(path, m3u8.loads(text), media, plan)
        except (*UNREADABLE, LookupError, AttributeError) as error:
            # What the libraries raise for a text that is none.
            wrong.append((path, f"cannot be read: {error}"))
    count = sum(text.count(kind) for text in streams.texts.values() for kind in (".mp4", ".m3u8", ".vtt", ".jpg"))
    fine = f"{count} references in {len(streams.texts)} manifests exist with their lengths"
    return verdict("references", cast("Iterable[Problem]", wrong), fine)
