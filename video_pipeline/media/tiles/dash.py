"""Tiles in DASH: an adaptation set of images, whose segments are the sheets (DASH-IF IOP 4.3, 6.2.6,
https://dashif.org/docs/DASH-IF-IOP-v4.3.pdf)."""

from __future__ import annotations

import math
from fractions import Fraction

from lxml import etree

from video_pipeline.media import dash
from video_pipeline.media.image_products import Sprites
from video_pipeline.media.model import EncodingPlan

SCHEME = "http://dashif.org/guidelines/thumbnail_tile"
FULL = "urn:mpeg:dash:profile:full:2011"
"""The on-demand profile has no numbered segments: who knows that one alone leaves out what has other profiles (ISO/IEC
23009-1, 8.1)."""
MEDIA = "../sprites/sheet-$Number%03d$.jpg"
_MPD = f"{{{dash.NS['mpd']}}}"


def with_tiles(mpd: str, sprites: Sprites | None, plan: EncodingPlan) -> str:
    """An MPD whose period has them; unchanged if there are none."""
    if sprites is None:
        return mpd
    root = dash.parse(mpd.encode())
    profiles = root.get("profiles", "").split(",")
    root.set("profiles", ",".join([*profiles, *({FULL} - set(profiles))]))
    for period in root.iterfind("mpd:Period", dash.NS):
        number = len(period.findall("mpd:AdaptationSet", dash.NS))
        period.append(_adaptation(sprites, number, plan))
    return dash.written(root)


def _adaptation(sprites: Sprites, number: int, plan: EncodingPlan) -> dash.Element:
    told = {"id": str(number), "contentType": "image", "mimeType": "image/jpeg", "profiles": FULL}
    adaptation = etree.Element(f"{_MPD}AdaptationSet", told)
    lasts = sprites.columns * sprites.rows * sprites.interval
    # The bits of the largest sheet over what a full one lasts.
    rate = math.ceil(8 * max(sheet.size for sheet in sprites.sheets) / lasts)
    size = {"width": sprites.columns * sprites.tile_width, "height": sprites.rows * sprites.tile_height}
    described = {"id": "sprites", "bandwidth": rate, **size}
    representation = etree.SubElement(
        adaptation, f"{_MPD}Representation", {name: str(value) for name, value in described.items()}
    )
    # The schema has them in this order.
    shape = {"schemeIdUri": SCHEME, "value": f"{sprites.columns}x{sprites.rows}"}
    etree.SubElement(representation, f"{_MPD}EssentialProperty", shape)
    ticks = Fraction(lasts * plan.rate.numerator)
    timing = {"media": MEDIA, "startNumber": 0, "timescale": plan.rate.numerator, "duration": ticks}
    etree.SubElement(representation, f"{_MPD}SegmentTemplate", {name: str(value) for name, value in timing.items()})
    return adaptation
