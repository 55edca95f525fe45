"""The check that every rendition's colours are what its tags and the manifests say."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import m3u8
import numpy as np
from lxml import etree

from video_pipeline.media.checks import sampled
from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.sampled import Picture, Sample
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.colour import HDR_REFERENCE, REFERENCE, Colours
from video_pipeline.media.dash import NS
from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult, Streams
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import VideoRange

MOST_OFF = 8.0
"""Steps of 8 bits, the mean over a picture: more and it is another picture."""
TELLING = 1.0
"""From here on it counts if a known mistake explains the difference better than the errors of coding."""
CICP = {
    "bt709": 1,
    "bt470bg": 5,
    "smpte170m": 6,
    "bt2020": 9,
    "bt2020nc": 9,
    "smpte2084": 16,
    "arib-std-b67": 18,
    "smpte432": 12,
}
"""Code points of ITU-T H.273 by ffmpeg's names; those of primaries, transfer and matrix agree as far as they meet."""
MEANT: dict[VideoRange, Colours] = {
    "SDR": REFERENCE,
    "PQ": replace(HDR_REFERENCE, transfer="smpte2084"),
    "HLG": replace(HDR_REFERENCE, transfer="arib-std-b67"),
}
RANGES = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
"""VIDEO-RANGE by transfer (RFC 8216bis, 4.4.6.2); SDR for every other."""
_DASH = {"ColourPrimaries": "primaries", "TransferCharacteristics": "transfer", "MatrixCoefficients": "matrix"}


def colour(
    tools: Tools, plan: EncodingPlan, streams: Streams, readings: Sequence[Reading], source: Path, scratch: Path
) -> CheckResult:
    """The tags of the bit stream and of the container, VIDEO-RANGE and the MPD name the colours of the plan, and the
    pixels of a few frames are the source's in these colours."""
    videos = {r.name: r for r in readings if r.is_video and r.size}
    frames = sampled.moments(plan)
    samples = sampled.of_renditions(tools, plan, list(videos.values()), frames, scratch)
    found = dict(zip(videos, samples, strict=True))
    encoders = {rung.name: plan.encoder(rung.family) for rung in plan.rungs}
    meant = {name: MEANT[encoders[name].video_range] for name in videos if name in encoders}
    wrong = [problem for name in meant for problem in _tags(videos[name], meant[name], found[name])]
    wrong += _manifests(streams, meant)
    most = 0.0
    for family in {plan.filters_of(encoder.family): encoder.family for encoder in plan.encoders}.values():
        # Families of one depth are made of the same pictures.
        alike = [name for name in meant if plan.filters_of(encoders[name].family) == plan.filters_of(family)]
        whole = {name: found[name].pictures for name in alike if len(found[name].pictures) == len(frames)}
        off = _off(whole, sampled.of_source(tools, plan, source, family, frames))
        if plan.seekable and any(said for _, said in off.values()):
            # Not every source gives the same pictures from its middle.
            off = _off(whole, sampled.of_source(tools, plan, source, family, frames, seek=False))
        wrong += ((name, said) for name, (_, said) in off.items() if said)
        most = max([most, *(worst for worst, _ in off.values())])
    named = ", ".join(sorted({_name(colours) for colours in meant.values()}))
    fine = f"{len(meant)} renditions are {named} by every tag, as planned; pixels are within {most:.1f} of 255"
    return verdict("colour", wrong, fine)


def _tags(r: Reading, meant: Colours, found: Sample) -> Iterator[Problem]:
    ranges = {"limited": "tv", "full": "pc"}
    due = (ranges[meant.range], meant.matrix, meant.primaries, meant.transfer)
    for tags in sorted(found.tags - {due}):
        range_, matrix, primaries, transfer = tags
        yield r.name, f"its bit stream says {range_}, {matrix}, {primaries}, {transfer}; planned {_name(meant)}"
    boxed, planned = _colr(r), (CICP[meant.primaries], CICP[meant.transfer], CICP[meant.matrix])
    if boxed and boxed != (*planned, meant.range == "full"):
        yield r.name, f"its colr box says {boxed}, planned {(*planned, meant.range == 'full')}"


def _colr(r: Reading) -> tuple[int, int, int, bool] | None:
    """Primaries, transfer, matrix and whether of full range (ISO/IEC 14496-12, 12.1.5); None without that box."""
    place = r.bytes_of("moov")
    if place is None:
        return None
    with r.path.open("rb") as file:
        file.seek(place[0])
        moov = file.read(place[1] - place[0])
    start = moov.find(b"colrnclx")
    if start < 0 or len(moov) < start + 15:
        return None
    primaries, transfer, matrix, flags = struct.unpack_from(">HHHB", moov, start + 8)
    return primaries, transfer, matrix, bool(flags & 0x80)


def _manifests(streams: Streams, meant: Mapping[str, Colours]) -> Iterator[Problem]:
    try:
        master = m3u8.loads(streams.texts.get(MASTER, ""))
        mpd = etree.fromstring(streams.texts.get(MPD, "<MPD/>").encode())
    except (ValueError, etree.LxmlError, SyntaxError):
        return  # `references` says which text cannot be read
    shown = [(one.uri, one.stream_info.video_range) for one in master.playlists]
    shown += [(one.uri, one.iframe_stream_info.video_range) for one in master.iframe_playlists]
    for uri, said in shown:
        name = PurePosixPath(uri or "").stem.removesuffix("-iframes")
        if name in meant and said != (due := RANGES.get(meant[name].transfer, "SDR")):
            yield MASTER, f"VIDEO-RANGE of {uri} is {said}, its colours are {due}"
    for representation in mpd.iterfind(".//mpd:Representation", NS):
        name = representation.get("id", "")
        if name not in meant:
            continue
        parent = representation.getparent()
        told = [*representation, *(parent if parent is not None else ())]
        for one in told:
            kind = _DASH.get(one.get("schemeIdUri", "").removeprefix("urn:mpeg:mpegB:cicp:"))
            if kind and one.get("value") != str(code := CICP[getattr(meant[name], kind)]):
                yield MPD, f"the {kind} of {name} is {one.get('value')}, its colours are {code}"


def _off(found: Mapping[str, Sequence[Picture]], due: Sequence[Picture | None]) -> dict[str, tuple[float, str]]:
    """How far each rendition's pixels are off, steps of 8 bits, and what is wrong with them."""
    off = {}
    for name, pictures in found.items():
        pairs = [(one, other) for one, other in zip(pictures, due, strict=True) if other is not None]
        if pairs:
            worst = _distance(pairs)
            others = {
                how: _distance([(one, change(other)) for one, other in pairs]) for how, change in _MISTAKES.items()
            }
            how = min(others, key=lambda how: others[how])
            explained = worst > TELLING and others[how] < worst / 2
            said = f"its pixels are {worst:.1f} of 255 away from the source's in the planned colours"
            said += f"; they have {how}" if explained else ""
            off[name] = worst, said if explained or worst > MOST_OFF else ""
    return off


def _distance(pairs: Iterable[tuple[Picture, Picture]]) -> float:
    return max(float(np.abs(one - other).mean()) for one, other in pairs)


def _full(picture: Picture) -> Picture:
    """Limited range widened to full."""
    luma, chroma = (picture[:1] - 16) * 255 / 219, (picture[1:] - 128) * 255 / 224 + 128
    return np.concatenate([luma, chroma])


def _limited(picture: Picture) -> Picture:
    luma, chroma = picture[:1] * 219 / 255 + 16, (picture[1:] - 128) * 224 / 255 + 128
    return np.concatenate([luma, chroma])


def _matrix(red: float, blue: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """From R'G'B' to Y'CbCr with these luma coefficients (ITU-T H.273, 8.3), all of range 1."""
    luma = np.array([red, 1 - red - blue, blue])
    rows = [luma, (np.array([0, 0, 1]) - luma) / (2 - 2 * blue), (np.array([1, 0, 0]) - luma) / (2 - 2 * red)]
    return np.array(rows)


_TO_601 = _matrix(0.299, 0.114) @ np.linalg.inv(_matrix(0.2126, 0.0722))


def _as_601(picture: Picture) -> Picture:
    offset, scale = np.array([16, 128, 128])[:, None, None], np.array([219, 224, 224])[:, None, None]
    other: Picture = np.einsum("ij,jhw->ihw", _TO_601, (picture - offset) / scale) * scale + offset
    return other


_MISTAKES = {"full range": _full, "a range narrowed twice": _limited, "the matrix of BT.601": _as_601}


def _name(colours: Colours) -> str:
    return f"{colours.range} {colours.primaries}/{colours.transfer}/{colours.matrix}"
