"""Text tracks in DASH: an adaptation set for each, whose one file is the whole track (ISO/IEC 23009-1, 5.3.3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from lxml import etree

from video_pipeline.media import dash
from video_pipeline.media.model import TextPlan
from video_pipeline.media.products import TextTrack

ROLES = "urn:mpeg:dash:role:2011"
_SET = f"{{{dash.NS['mpd']}}}"


def with_text(mpd: str, tracks: Sequence[TextTrack], duration: Fraction) -> str:
    """An MPD whose periods all have these tracks; unchanged if there are none."""
    if not tracks:
        return mpd
    root = dash.parse(mpd.encode())
    for period in root.iterfind("mpd:Period", dash.NS):
        number = len(period.findall("mpd:AdaptationSet", dash.NS))
        for track in tracks:
            period.append(_adaptation(track, number, duration))
            number += 1
    return dash.written(root)


def _adaptation(track: TextTrack, number: int, duration: Fraction) -> dash.Element:
    plan = track.plan
    told = {"id": str(number), "contentType": "text", "mimeType": "text/vtt", "lang": plan.language or "und"}
    adaptation = etree.Element(f"{_SET}AdaptationSet", told)
    # The schema has them in this order.
    etree.SubElement(adaptation, f"{_SET}Label").text = plan.label
    for role in _roles(plan):
        etree.SubElement(adaptation, f"{_SET}Role", {"schemeIdUri": ROLES, "value": role})
    rate = str(max(1, math.ceil(8 * len(track.vtt.encode()) / duration)))
    representation = etree.SubElement(
        adaptation, f"{_SET}Representation", {"id": f"text-{plan.name}", "bandwidth": rate}
    )
    etree.SubElement(representation, f"{_SET}BaseURL").text = f"../{track.path}"
    return adaptation


def _roles(plan: TextPlan) -> list[str]:
    kind = "forced-subtitle" if plan.forced else "caption" if plan.sdh else "subtitle"
    return [*(["main"] if plan.default else []), kind]
