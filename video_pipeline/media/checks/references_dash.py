"""What is wrong with the references of an MPD."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from video_pipeline.media.checks.references_hls import Files, of_track
from video_pipeline.media.checks.tracks import TICK
from video_pipeline.media.checks.verdict import Problem
from video_pipeline.media.dash import NS, Element
from video_pipeline.media.model import EncodingPlan


def mpd_problems(path: str, root: Element, media: Files, plan: EncodingPlan) -> Iterable[Problem]:
    """Of an MPD of the on-demand profile: one file per representation, found by its header and its index."""
    stated = {root.get("mediaPresentationDuration", "")}
    stated |= {period.get("duration", "") for period in root.iterfind("mpd:Period", NS)}
    for text in sorted(stated):
        if abs(_seconds(text) - plan.duration) > TICK:
            yield path, f"says that it lasts {text or 'nothing'}, planned {float(plan.duration):.3f} s"
    missing = {uri: list(readings) for uri, readings in media.items()}
    sets = [one for one in root.iterfind(".//mpd:AdaptationSet", NS) if one.get("contentType") not in ("text", "image")]
    for representation in (each for adaptation in sets for each in adaptation.iterfind("mpd:Representation", NS)):
        base = representation.findtext("mpd:BaseURL", "", NS)
        readings, name = missing.get(base), representation.get("id")
        if not readings:
            yield path, f"names {base or 'nothing'}, which is not in the release or is named twice"
            continue
        reading = of_track(readings, name)
        readings.remove(reading)
        if name != reading.name:
            yield path, f"names the file of {reading.name} for {name}"
        index = representation.find("mpd:SegmentBase", NS)
        header = representation.find("mpd:SegmentBase/mpd:Initialization", NS)
        moov, sidx = reading.bytes_of("moov"), reading.bytes_of("sidx")
        for what, found, true in (
            ("header", header is not None and header.get("range"), (0, moov[1]) if moov else None),
            ("index", index is not None and index.get("indexRange"), sidx),
        ):
            right = f"{true[0]}-{true[1] - 1}" if true else "nowhere"
            if found != right:
                yield path, f"says that the {what} of {reading.name} is at bytes {found or 'nowhere'}, it is at {right}"
        if reading.index and reading.index[-1].end != reading.size:
            yield path, f"the index of {reading.name} ends at byte {reading.index[-1].end}, the file at {reading.size}"
    for left in missing.values():
        yield from ((path, f"does not name {reading.name}") for reading in left)


def _seconds(text: str) -> Fraction:
    """A duration in the form PT#H#M#S (ISO 8601); 0 for anything else."""
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", text)
    hours, minutes, seconds = found.groups(default="0") if found else ("0", "0", "0")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
