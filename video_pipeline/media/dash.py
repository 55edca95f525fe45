"""The MPD, read and written through lxml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from lxml import etree

from video_pipeline.media import choice
from video_pipeline.media.model import AudioPlan, EncodingPlan
from video_pipeline.media.video_plan import Family

CICP = "urn:mpeg:mpegB:cicp:"
NS = {"mpd": "urn:mpeg:dash:schema:mpd:2011"}
Element = etree._Element


def manifest(text: bytes, address: Mapping[str, str], plan: EncodingPlan, peaks: Mapping[str, int]) -> str:
    """The packager's MPD with stable ids and order, true bandwidths and the release's addresses.

    Args:
        address: file name the packager used to the address in the release.
        peaks: path of the same track's HLS playlist ("hls/<name>.m3u8") to its peak, bit/s.
    """
    root = parse(text)
    duration = f"PT{float(plan.duration):.6f}S"
    root.set("mediaPresentationDuration", duration)
    for period in root.iterfind("mpd:Period", NS):
        period.set("start", "PT0S")
        period.set("duration", duration)
        for adaptation in period.findall("mpd:AdaptationSet[@contentType='audio']", NS):
            _split(adaptation)
        order = [*(rung.name for rung in plan.rungs), *(sound.name for sound in plan.audio)]
        sets = sorted(period.findall("mpd:AdaptationSet", NS), key=lambda one: _order(one, order))
        for number, adaptation in enumerate(sets):
            period.remove(adaptation)
            adaptation.set("id", str(number))
            adaptation.set("startWithSAP", "1")
            adaptation.set("subsegmentStartsWithSAP", "1")
            adaptation.set("subsegmentAlignment", "true")
            if adaptation.get("contentType") == "video":
                adaptation.set("frameRate", str(plan.rate))
                _shape(adaptation, plan)
            family = _family(adaptation, plan)
            if family is not None:
                _prefer(adaptation, family, plan)
                if len(plan.encoders) > 1:
                    _set_role(adaptation, "main")
            for representation in adaptation.iterfind("mpd:Representation", NS):
                base = _base(representation)
                name = (base.text or "").removesuffix(".mp4")
                representation.set("id", name)
                # The same peak as in HLS, so that both players switch at the same rates.
                representation.set("bandwidth", str(peaks[f"hls/{name}.m3u8"]))
                base.text = address[f"{name}.mp4"]
                for sound in plan.audio:
                    if sound.name == name:
                        _describe(adaptation, sound)
            adaptation[:] = sorted(adaptation, key=_rate)
        period.extend(sets)
    return written(root)


def readdressed(text: str, address: Callable[[str], str]) -> str:
    """An MPD whose BaseURLs and templates of segments' addresses are replaced."""
    root = parse(text.encode())
    for base in root.iterfind(".//mpd:BaseURL", NS):
        base.text = address(base.text or "")
    for template in root.iterfind(".//mpd:SegmentTemplate", NS):
        template.set("media", address(template.get("media", "")))
    return written(root)


def parse(text: bytes) -> Element:
    """An MPD, whoever wrote it: nothing outside of it is read."""
    parser = etree.XMLParser(remove_blank_text=True, remove_comments=True, resolve_entities=False, no_network=True)
    return etree.fromstring(text, parser)


def written(root: Element) -> str:
    """The document as bytes that depend on nothing but its content."""
    for element in root.iter():
        # The packager and we add attributes in an order that nothing promises.
        attributes = sorted(element.attrib.items())
        element.attrib.clear()
        element.attrib.update(attributes)
    etree.indent(root)
    xml: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return xml.decode() + "\n"


def _order(adaptation: Element, tracks: Sequence[str]) -> tuple[int, list[str]]:
    """As planned; the names break every tie, for the packager's own order is a race."""
    names = _names(adaptation)
    return min(tracks.index(name) if name in tracks else len(tracks) for name in names), names


def _names(adaptation: Element) -> list[str]:
    return sorted((base.text or "").removesuffix(".mp4") for base in adaptation.iterfind(".//mpd:BaseURL", NS))


def _family(adaptation: Element, plan: EncodingPlan) -> Family | None:
    """Of pictures, before their addresses are replaced."""
    names = _names(adaptation)
    return next((rung.family for rung in plan.rungs if rung.name in names), None)


def _prefer(adaptation: Element, family: Family, plan: EncodingPlan) -> None:
    """The better family where a player can show it. One that does not know HDR's colours must leave them alone: so
    they are essential (DASH-IF IOP 4.3, 6.2)."""
    if family in (priorities := choice.priorities(plan)):
        adaptation.set("selectionPriority", str(priorities[family]))
    video_range = plan.encoder(family).video_range
    if video_range == "SDR":
        return
    for kind in ("SupplementalProperty", "EssentialProperty"):
        for told in adaptation.findall(f"mpd:{kind}", NS):
            if told.get("schemeIdUri", "").startswith(CICP):
                adaptation.remove(told)
    names = ("ColourPrimaries", "TransferCharacteristics", "MatrixCoefficients")
    adaptation[:0] = [
        etree.Element(f"{{{NS['mpd']}}}EssentialProperty", {"schemeIdUri": f"{CICP}{name}", "value": str(value)})
        for name, value in zip(names, choice.CICP[video_range], strict=True)
    ]


def _shape(adaptation: Element, plan: EncodingPlan) -> None:
    """The packager says nothing where sides in whole pixels make rungs differ by a hair (DASH-IF IOP 4.3, 3.2.4)."""
    if "par" not in adaptation.attrib:
        shape = Fraction(plan.rungs[0].width, plan.rungs[0].height).limit_denominator(100)
        adaptation.set("par", f"{shape.numerator}:{shape.denominator}")


def _set_role(adaptation: Element, value: str) -> None:
    """Of several sets of pictures, those that show the main ones say so (DASH-IF IOP 4.3, 3.2.4): here all, in another
    codec each."""
    role = {"schemeIdUri": "urn:mpeg:dash:role:2011", "value": value}
    # By the schema behind all that representations can have, too.
    place = next(n for n, one in enumerate(adaptation) if one.tag == f"{{{NS['mpd']}}}Representation")
    adaptation.insert(place, etree.Element(f"{{{NS['mpd']}}}Role", role))


def _split(adaptation: Element) -> None:
    """One set per sound: the packager takes those of one language for the same at another rate."""
    for representation in adaptation.findall("mpd:Representation", NS)[1:]:
        own = etree.Element(adaptation.tag, dict(adaptation.attrib))
        own.append(representation)
        adaptation.addnext(own)


def _describe(adaptation: Element, sound: AudioPlan) -> None:
    """What players choose by and show. Some take the highest rate among equals, so the default is preferred by
    name."""
    # DASH-IF IOP 4.3, 3.2.4: @lang must be there; "und" is BCP 47's word for not known.
    adaptation.set("lang", sound.language or "und")
    if sound.default:
        adaptation.set("selectionPriority", "2")
    label = etree.Element(f"{{{NS['mpd']}}}Label")
    label.text = sound.label
    _set_role(adaptation, "main" if sound.default else "alternate")
    adaptation.insert(0, label)


def _base(representation: Element) -> Element:
    base = representation.find("mpd:BaseURL", NS)
    if base is None:
        raise ValueError("the packager wrote a representation without BaseURL")
    return base


def _rate(element: Element) -> int:
    """Descriptors first, then representations from the smallest."""
    return int(element.get("bandwidth", -1))
