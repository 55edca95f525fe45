"""Rules of DASH and of DASH-IF's interoperability points that what we write can break.

Sections are those of DASH-IF IOP 4.3 (https://dashif.org/docs/DASH-IF-IOP-v4.3.pdf) and of ISO/IEC 23009-1:2022. Byte
ranges and durations are held by `references`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from lxml import etree

from video_pipeline.media.checks.authoring_hls import LANGUAGE
from video_pipeline.media.checks.authoring_tiles import image_set_problems
from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.verdict import Problem
from video_pipeline.media.dash import NS, Element
from video_pipeline.media.manifests import MPD
from video_pipeline.media.products import Streams

ON_DEMAND = "urn:mpeg:dash:profile:isoff-on-demand:2011"
ROLES = "urn:mpeg:dash:role:2011"
ROLE_VALUES = frozenset(
    """main alternate supplementary commentary dub caption subtitle sign metadata emergency karaoke
    enhanced-audio-intelligibility forced-subtitle easyreader description""".split()
)
_DURATION = re.compile(r"PT(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?")


def dash_problems(streams: Streams, readings: Sequence[Reading]) -> Iterator[Problem]:
    """What is wrong by these rules; what cannot be read is a matter of `references`."""
    root = etree.fromstring(streams.texts[MPD].encode())
    by_name = {reading.name: reading for reading in readings}
    said = [*_whole(root)]
    for number, adaptation in enumerate(root.iterfind(".//mpd:AdaptationSet", NS)):
        kind = adaptation.get("contentType", "")
        where = f"{kind or 'adaptation'} set {adaptation.get('id', number)}"
        if kind == "image":
            profiles = set(root.get("profiles", "").split(","))
            said += ((rule, f"{where} {what}") for rule, what in image_set_problems(adaptation, profiles, ON_DEMAND))
        said += ((rule, f"{where} {what}") for rule, what in _adaptation(adaptation, kind))
        for one in adaptation.iterfind("mpd:Representation", NS):
            name = one.get("id", "")
            said += ((rule, f"{name or where} {what}") for rule, what in _representation(one, adaptation, kind))
            if name in by_name:
                said += ((rule, f"{name} {what}") for rule, what in _file(one, by_name[name]))
    yield from ((MPD, f"{rule}: {what}") for rule, what in said)


def _whole(root: Element) -> Iterator[tuple[str, str]]:
    if root.get("type", "static") != "static":
        yield "23009-1, 8.3.2", f"its type is {root.get('type')}, on demand it is static"
    if ON_DEMAND not in root.get("profiles", "").split(","):
        yield "IOP 3.10.3", "@profiles does not name the on-demand profile"
    for element in (root, *root.iterfind("mpd:Period", NS)):
        for name in ("mediaPresentationDuration", "minBufferTime", "duration", "start"):
            if name in element.attrib and not _DURATION.fullmatch(element.get(name, "")):
                yield "IOP 3.2.7.4", f"@{name} is {element.get(name)}, which is no time without years and months"
    for name in ("minBufferTime", "mediaPresentationDuration"):
        if name not in root.attrib:
            yield "23009-1, 5.3.1.2", f"there is no @{name}"
    for name in ("timeShiftBufferDepth", "minimumUpdatePeriod"):
        if name in root.attrib:
            yield "IOP 3.2.2", f"@{name} is there, on demand it shall not be"
    sets = [one for one in root.iterfind(".//mpd:AdaptationSet", NS) if one.get("contentType") != "image"]
    for kind in ("SegmentTemplate", "SegmentList"):
        if any(one.find(f".//mpd:{kind}", NS) is not None for one in sets):
            yield "IOP 3.10.3", f"there is a {kind}, on demand there shall be none"
    for kind in ("AdaptationSet", "Representation"):
        names = Counter(one.get("id") for one in root.iterfind(f".//mpd:{kind}", NS))
        for shared in (name for name, count in names.items() if count > 1):
            yield "23009-1, 5.3.3.2", f"{names[shared]} of {kind} have the id {shared}"
    pictures = root.findall(".//mpd:AdaptationSet[@contentType='video']", NS)
    if len(pictures) > 1 and not any("main" in _roles(one) for one in pictures):
        yield "IOP 3.2.2", f"none of {len(pictures)} sets of pictures has the role main"


def _adaptation(adaptation: Element, kind: str) -> Iterator[tuple[str, str]]:
    if kind not in ("video", "audio", "text", "image"):
        yield "IOP 3.2.4", f"has the contentType {kind or 'nothing'}"
    if kind not in ("text", "image"):
        if adaptation.get("subsegmentAlignment") != "true":
            yield "IOP 3.10.3", "has not subsegmentAlignment=true"
        if adaptation.get("subsegmentStartsWithSAP") not in ("1", "2"):
            yield "IOP 3.10.3", f"has subsegmentStartsWithSAP={adaptation.get('subsegmentStartsWithSAP')}"
    if kind == "video":
        for name in ("par", "maxWidth", "maxHeight"):
            if name not in adaptation.attrib and name.removeprefix("max").lower() not in adaptation.attrib:
                yield "IOP 3.2.4", f"has no @{name}"
        if not {"frameRate", "maxFrameRate"} & set(adaptation.attrib):
            yield "IOP 3.2.4", "has no @frameRate"
        sides = [(int(one.get("width", "0")), int(one.get("height", "0"))) for one in _representations(adaptation)]
        for n, name in enumerate(("maxWidth", "maxHeight")):
            if name in adaptation.attrib and int(adaptation.get(name, "0")) != max(side[n] for side in sides):
                yield (
                    "23009-1, 5.3.7.2",
                    f"has @{name}={adaptation.get(name)}, its largest has {max(s[n] for s in sides)}",
                )
    elif kind != "image" and "lang" not in adaptation.attrib:
        yield "IOP 3.2.4", "has no @lang"
    if not LANGUAGE.fullmatch(adaptation.get("lang", "und")):
        yield "23009-1, 5.3.3.2", f"has the language {adaptation.get('lang')!r}, which BCP 47 does not know"
    for role in _roles(adaptation) - ROLE_VALUES:
        yield "23009-1, 5.8.5.5", f"has the role {role!r}, which that scheme does not know"
    if not _representations(adaptation):
        yield "23009-1, 5.3.3.2", "has no Representation"


def _representation(one: Element, adaptation: Element, kind: str) -> Iterator[tuple[str, str]]:
    def lacks(*names: str) -> Iterator[str]:
        yield from (name for name in names if name not in one.attrib and name not in adaptation.attrib)

    due = {"video": ("width", "height", "frameRate", "sar", "codecs"), "audio": ("audioSamplingRate", "codecs")}
    yield from (("IOP 3.2.4", f"has no @{name}") for name in lacks(*due.get(kind, ())))
    yield from (("23009-1, 5.3.7.2", f"has no @{name}") for name in lacks("mimeType"))
    yield from (("23009-1, 5.3.5.2", f"has no @{name}") for name in ("id", "bandwidth") if name not in one.attrib)
    mime, fits = one.get("mimeType", adaptation.get("mimeType", "")), {"video": "video/mp4", "audio": "audio/mp4"}
    if kind in fits and mime != fits[kind]:
        yield "IOP 3.2.4", f"has the mimeType {mime}"
    codecs = one.get("codecs", adaptation.get("codecs", ""))
    if "," in codecs:
        yield "IOP 3.2.4", f"has more than one codec: {codecs}"
    if one.get("scanType", adaptation.get("scanType", "progressive")) != "progressive":
        yield "IOP 3.2.4", "is not progressive"
    if kind == "audio" and all(x.find("mpd:AudioChannelConfiguration", NS) is None for x in (one, adaptation)):
        yield "IOP 3.2.4", "has no AudioChannelConfiguration"
    if kind == "image":
        return
    if len(one.findall("mpd:BaseURL", NS)) != 1:
        yield "IOP 3.10.3", "has not one BaseURL"
    if kind != "text":
        base = one.find("mpd:SegmentBase", NS)
        if base is None or "indexRange" not in base.attrib:
            yield "IOP 3.10.3", "has no SegmentBase@indexRange"


def _file(one: Element, reading: Reading) -> Iterator[tuple[str, str]]:
    """An indexed self-initializing segment: it says so, and its clock is the one that is stated."""
    place = reading.bytes_of("ftyp")
    with reading.path.open("rb") as file:
        brands = file.read(place[1])[8:] if place else b""
    if b"dash" not in {brands[n : n + 4] for n in range(0, len(brands), 4)}:
        yield "23009-1, 6.3.5.2", "has not the brand dash"
    base = one.find("mpd:SegmentBase", NS)
    stated = base.get("timescale", "1") if base is not None else "1"
    if reading.time_base and stated != str(reading.time_base.denominator):
        yield "23009-1, 5.3.9.2", f"has the timescale {stated}, its file {reading.time_base.denominator}"


def _representations(adaptation: Element) -> list[Element]:
    return adaptation.findall("mpd:Representation", NS)


def _roles(adaptation: Element) -> set[str]:
    roles = adaptation.iterfind(f"mpd:Role[@schemeIdUri='{ROLES}']", NS)
    return {role.get("value", "") for role in roles}
