"""The MPD, read and written through lxml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lxml import etree

from video_pipeline.media.model import AudioPlan, EncodingPlan

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
        order = [sound.name for sound in plan.audio]
        sets = sorted(period.findall("mpd:AdaptationSet", NS), key=lambda one: _order(one, order))
        for number, adaptation in enumerate(sets):
            period.remove(adaptation)
            adaptation.set("id", str(number))
            adaptation.set("startWithSAP", "1")
            adaptation.set("subsegmentStartsWithSAP", "1")
            adaptation.set("subsegmentAlignment", "true")
            if adaptation.get("contentType") == "video":
                adaptation.set("frameRate", str(plan.rate))
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
    """An MPD whose BaseURLs are replaced."""
    root = parse(text.encode())
    for base in root.iterfind(".//mpd:BaseURL", NS):
        base.text = address(base.text or "")
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


def _order(adaptation: Element, sounds: Sequence[str]) -> tuple[bool, int, list[str]]:
    """Pictures first, sounds as planned; the names break every tie, for the packager's own order is a race."""
    names = sorted((base.text or "").removesuffix(".mp4") for base in adaptation.iterfind(".//mpd:BaseURL", NS))
    place = next((sounds.index(name) for name in names if name in sounds), 0)
    return adaptation.get("contentType") != "video", place, names


def _split(adaptation: Element) -> None:
    """One set per sound: the packager takes those of one language for the same at another rate."""
    for representation in adaptation.findall("mpd:Representation", NS)[1:]:
        own = etree.Element(adaptation.tag, dict(adaptation.attrib))
        own.append(representation)
        adaptation.addnext(own)


def _describe(adaptation: Element, sound: AudioPlan) -> None:
    """What players choose by and show. Some take the highest rate among equals, so the default is preferred by
    name."""
    if sound.language:
        adaptation.set("lang", sound.language)
    if sound.default:
        adaptation.set("selectionPriority", "2")
    label = etree.Element(f"{{{NS['mpd']}}}Label")
    label.text = sound.label
    role = {"schemeIdUri": "urn:mpeg:dash:role:2011", "value": "main" if sound.default else "alternate"}
    adaptation[:0] = [label, etree.Element(f"{{{NS['mpd']}}}Role", role)]


def _base(representation: Element) -> Element:
    base = representation.find("mpd:BaseURL", NS)
    if base is None:
        raise ValueError("the packager wrote a representation without BaseURL")
    return base


def _rate(element: Element) -> int:
    """Descriptors first, then representations from the smallest."""
    return int(element.get("bandwidth", -1))
