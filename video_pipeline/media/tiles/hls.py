"""Tiles in HLS: an Image Media Playlist, whose segments are the sheets.

By the specification that Roku, Disney and WarnerMedia wrote (version 0.4,
https://github.com/image-media-playlist/spec), which Shaka Player and Roku read. Others pass over tags that they do not
know (RFC 8216, 6.3.1).
"""

from __future__ import annotations

import math
from fractions import Fraction

import m3u8

from video_pipeline.media.hls import rates
from video_pipeline.media.image_products import Sprites, sheet_name

PLAYLIST = "hls/sprites.m3u8"


def with_tiles(master: str, sprites: Sprites | None, duration: Fraction) -> str:
    """A master playlist that names them; unchanged if there are none."""
    if sprites is None:
        return master
    playlist = m3u8.loads(master)
    lasting = _lasting(sprites, duration)
    average, peak = rates([sheet.size for sheet in sprites.sheets], lasting, Fraction(math.ceil(max(lasting))))
    # RESOLUTION is that of one tile.
    size = f"{sprites.tile_width}x{sprites.tile_height}"
    info = {"resolution": size, "codecs": "jpeg", "bandwidth": peak, "average_bandwidth": average}
    playlist.add_image_playlist(m3u8.ImagePlaylist(None, PLAYLIST.removeprefix("hls/"), info))
    text: str = playlist.dumps(infspec="microseconds")
    return text.rstrip("\n") + "\n"


def playlists(sprites: Sprites | None, duration: Fraction) -> dict[str, str]:
    """Path inside the release to playlist."""
    if sprites is None:
        return {}
    lasting = _lasting(sprites, duration)
    head = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{math.ceil(max(lasting))}"]
    head += ["#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-IMAGES-ONLY"]
    size, shape = f"{sprites.tile_width}x{sprites.tile_height}", f"{sprites.columns}x{sprites.rows}"
    tiles = f"#EXT-X-TILES:RESOLUTION={size},LAYOUT={shape},DURATION={float(sprites.interval):.6f}"
    body = [
        line
        for n, seconds in enumerate(lasting)
        for line in (f"#EXTINF:{float(seconds):.6f},", tiles, f"../sprites/{sheet_name(n)}")
    ]
    return {PLAYLIST: "\n".join([*head, *body, "#EXT-X-ENDLIST\n"])}


def _lasting(sprites: Sprites, duration: Fraction) -> list[Fraction]:
    """Of each sheet: until the next one, the last until the end, however many of its tiles are used."""
    each = sprites.columns * sprites.rows * sprites.interval
    return [min(each, duration - n * each) for n in range(len(sprites.sheets))]
