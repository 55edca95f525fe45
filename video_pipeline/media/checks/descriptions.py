"""The check that the manifests describe each track as what it is: as the plan has it, and as its file says."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import m3u8
from lxml import etree

from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.dash import NS, Element
from video_pipeline.media.image_products import Sprites
from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline.media.model import AudioPlan, EncodingPlan
from video_pipeline.media.products import CheckResult, Streams, Texts
from video_pipeline.media.text.hls import playlist_name
from video_pipeline.media.video_plan import RungPlan

UNKNOWN = "und"
"""The language of a track whose language nobody said (BCP 47)."""
Said = tuple[str, object, object]
"""What it is about, what a manifest says of it, and what is true."""


def descriptions(
    plan: EncodingPlan, streams: Streams, readings: Sequence[Reading], texts: Texts, sprites: Sprites
) -> CheckResult:
    """Size, frame rate, codec, language, name and channels of every track, and the size of the tiles, in both
    manifests."""
    codecs = {r.name: codec_of(r) for r in readings}
    wrong: list[Problem] = []
    compared = 0
    try:
        manifests = [(MASTER, _hls(plan, streams, codecs, texts)), (MASTER, _hls_tiles(streams, sprites))]
        if not plan.whole:
            manifests += [(MPD, _dash(plan, streams, codecs)), (MPD, _dash_tiles(streams, sprites))]
        for path, about in manifests:
            for what, said, true in about:
                compared += 1
                if said != true:
                    wrong.append((path, f"{what} is {said}, by the plan and the files {true}"))
    except (ValueError, TypeError, LookupError, AttributeError, etree.LxmlError, SyntaxError):
        compared = 0  # `references` says which text cannot be read
    return verdict("descriptions", wrong, f"{compared} attributes of tracks are true")


def _hls(plan: EncodingPlan, streams: Streams, codecs: Mapping[str, str | None], texts: Texts) -> Iterator[Said]:
    master = m3u8.loads(streams.texts[MASTER])
    rungs = {rung.name: rung for rung in plan.rungs}
    heard = {codecs.get(sound.name) for sound in plan.audio} - {None}
    for one in (*master.playlists, *master.iframe_playlists):
        rung = rungs.get(name := PurePosixPath(one.uri).stem.removesuffix("-iframes"))
        if rung is None:
            continue
        info = getattr(one, "stream_info", None) or one.iframe_stream_info
        yield f"RESOLUTION of {one.uri}", info.resolution, (rung.width, rung.height)
        told = set((info.codecs or "").split(","))
        if codecs.get(name):
            due = {codecs[name]} | (heard if one.uri == f"{name}.m3u8" else set())
            yield f"CODECS of {one.uri}", _listed({_short(codec) for codec in told}), _listed(due)
        if one.uri == f"{name}.m3u8" and info.frame_rate:
            yield f"FRAME-RATE of {one.uri}", round(float(info.frame_rate), 3), round(float(plan.rate), 3)
    sounds = {f"{sound.name}.m3u8": sound for sound in plan.audio}
    words = {playlist_name(track): track.plan for track in texts.tracks}
    for media in master.media:
        if sound := sounds.get(media.uri or ""):
            yield f"CHANNELS of {media.uri}", (media.channels or "").split("/")[0], str(sound.channels)
            yield f"DEFAULT of {media.uri}", media.default == "YES", sound.default
        if word := words.get(media.uri or ""):
            yield f"FORCED of {media.uri}", media.forced == "YES", word.forced
            yield f"CHARACTERISTICS of {media.uri}", bool(media.characteristics), word.sdh
            yield f"DEFAULT of {media.uri}", media.default == "YES", word.default
        if track := sounds.get(media.uri or "") or words.get(media.uri or ""):
            yield f"LANGUAGE of {media.uri}", media.language, track.language or UNKNOWN
            yield f"NAME of {media.uri}", media.name, track.label


def _dash(plan: EncodingPlan, streams: Streams, codecs: Mapping[str, str | None]) -> Iterator[Said]:
    root = etree.fromstring(streams.texts[MPD].encode())
    rungs = {rung.name: rung for rung in plan.rungs}
    sounds = {sound.name: sound for sound in plan.audio}
    words = {f"text-{word.name}": word for word in plan.text}
    for adaptation in root.iterfind(".//mpd:AdaptationSet", NS):
        for one in adaptation.iterfind("mpd:Representation", NS):
            name = one.get("id", "")
            if codecs.get(name):
                yield f"codecs of {name}", _short(one.get("codecs", adaptation.get("codecs", ""))), codecs[name]
            if rung := rungs.get(name):
                yield from _picture(rung, one, adaptation, plan)
            if sound := sounds.get(name):
                yield from _channels(sound, one, adaptation)
            if track := sounds.get(name) or words.get(name):
                yield f"lang of {name}", adaptation.get("lang"), track.language or UNKNOWN
                yield f"Label of {name}", adaptation.findtext("mpd:Label", None, NS), track.label


def _hls_tiles(streams: Streams, sprites: Sprites) -> Iterator[Said]:
    for one in m3u8.loads(streams.texts[MASTER]).image_playlists:
        info = one.image_stream_info
        yield f"RESOLUTION of {one.uri}", info.resolution, (sprites.tile_width, sprites.tile_height)
        yield f"CODECS of {one.uri}", info.codecs, "jpeg"


def _dash_tiles(streams: Streams, sprites: Sprites) -> Iterator[Said]:
    root = etree.fromstring(streams.texts[MPD].encode())
    for one in root.iterfind(".//mpd:AdaptationSet[@contentType='image']/mpd:Representation", NS):
        size = tuple(int(one.get(side, "0")) for side in ("width", "height"))
        yield "size of sprites", size, (sprites.columns * sprites.tile_width, sprites.rows * sprites.tile_height)
        layout = one.find("mpd:EssentialProperty", NS)
        yield "tiles of sprites", layout is not None and layout.get("value"), f"{sprites.columns}x{sprites.rows}"


def _picture(rung: RungPlan, one: Element, adaptation: Element, plan: EncodingPlan) -> Iterator[Said]:
    size = tuple(int(one.get(side, adaptation.get(side, "0"))) for side in ("width", "height"))
    yield f"size of {rung.name}", size, (rung.width, rung.height)
    rate = one.get("frameRate", adaptation.get("frameRate", ""))
    yield f"frameRate of {rung.name}", rate, str(plan.rate)


def _channels(sound: AudioPlan, one: Element, adaptation: Element) -> Iterator[Said]:
    found = one.find("mpd:AudioChannelConfiguration", NS)
    found = adaptation.find("mpd:AudioChannelConfiguration", NS) if found is None else found
    # ISO/IEC 23001-8 numbers layouts, and 7.1 of two sides and two backs is its 12th; DASH also counts channels.
    numbers = {"23003:3": {2: "2", 6: "6", 8: "12"}, "ChannelConfiguration": {2: "2", 6: "6", 8: "12"}}
    scheme = found.get("schemeIdUri", "") if found is not None else ""
    known = next((table for kind, table in numbers.items() if kind in scheme), None)
    if found is not None and known:
        said = found.get("value")
        yield (
            f"channels of {sound.name}",
            said,
            str(sound.channels) if said == str(sound.channels) else known[sound.channels],
        )


def _listed(codecs: set[str] | set[str | None]) -> str:
    return ",".join(sorted(codec for codec in codecs if codec))


def _short(codec: str) -> str:
    """What may follow in AV1 are its colours, which `colour` reads of the file."""
    return ".".join(codec.split(".")[:4]) if codec.startswith("av01") else codec


def codec_of(r: Reading) -> str | None:
    """What a manifest has to call it (RFC 6381), by the configuration in the file's header; None if none is known."""
    place = r.bytes_of("moov")
    if place is None:
        return None
    with r.path.open("rb") as file:
        file.seek(place[0])
        moov = file.read(place[1] - place[0])
    for kind, describe in _CONFIGURATIONS.items():
        start = moov.find(kind)
        if start >= 0:
            try:
                return describe(moov[start + 4 : start + 64])
            except (struct.error, IndexError):
                return None
    return None


def _avc(box: bytes) -> str:
    """ISO/IEC 14496-15, 5.3.3.1 and E.2."""
    return f"avc1.{box[1:4].hex()}"


def _hevc(box: bytes) -> str:
    """ISO/IEC 14496-15, 8.3.3.1 and E.3: profile, its compatibilities turned round, tier and level, constraints."""
    space = ("", "A", "B", "C")[box[1] >> 6]
    tier, profile = "LH"[box[1] >> 5 & 1], box[1] & 0x1F
    compatible = int(f"{int.from_bytes(box[2:6], 'big'):032b}"[::-1], 2)
    constraints = box[6:12].rstrip(b"\0")
    words = [f"hvc1.{space}{profile}", f"{compatible:X}", f"{tier}{box[12]}", *(f"{byte:X}" for byte in constraints)]
    return ".".join(words)


def _vp9(box: bytes) -> str:
    """https://www.webmproject.org/vp9/mp4/; behind version and flags."""
    profile, level, depth = box[4], box[5], box[6] >> 4
    colours = f"{box[6] >> 1 & 7:02}.{box[7]:02}.{box[8]:02}.{box[9]:02}.{box[6] & 1:02}"
    return f"vp09.{profile:02}.{level:02}.{depth:02}.{colours}"


def _av1(box: bytes) -> str:
    """https://aomediacodec.github.io/av1-isobmff/#codecsparam"""
    profile, level, tier = box[1] >> 5, box[1] & 0x1F, "MH"[box[2] >> 7]
    depth = 8 + 2 * (box[2] >> 6 & 1) + 2 * (box[2] >> 5 & 1)
    return f"av01.{profile}.{level:02}{tier}.{depth:02}"


def _aac(box: bytes) -> str | None:
    """ISO/IEC 14496-3, 1.6.2.1: the first five bits of the decoder's configuration are the kind of AAC."""
    tag = box.find(b"\x05", 20)
    while tag >= 0:
        size = tag + 1
        while box[size] & 0x80:
            size += 1
        if 2 <= box[size] <= 16:
            return f"mp4a.40.{box[size + 1] >> 3}"
        tag = box.find(b"\x05", tag + 1)
    return None


_CONFIGURATIONS: dict[bytes, Callable[[bytes], str | None]] = {
    b"avcC": _avc,
    b"hvcC": _hevc,
    b"vpcC": _vp9,
    b"av1C": _av1,
    b"esds": _aac,
}
