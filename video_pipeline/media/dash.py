"""The MPD, read and written through lxml."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lxml import etree

from video_pipeline.media.model import EncodingPlan

NS = {"mpd": "urn:mpeg:dash:schema:mpd:2011"}
Element = etree._Element


def manifest(text: bytes, address: Mapping[str, str], plan: EncodingPlan, peaks: Mapping[str, int]) -> str:
    """The packager's MPD with stable ids and order, true bandwidths and the release's addresses.

    Args:
        address: file name the packager used to the address in the release.
        peaks: path of the same track's HLS playlist ("hls/<name>.m3u8") to its peak, bit/s.
    """
    root = _parse(text)
    root.set("mediaPresentationDuration", f"PT{float(plan.duration):.3f}S")
    for period in root.iterfind("mpd:Period", NS):
        period.set("start", "PT0S")
        sets = sorted(period.findall("mpd:AdaptationSet", NS), key=_order)
        for number, adaptation in enumerate(sets):
            period.remove(adaptation)
            adaptation.set("id", str(number))
            adaptation.set("startWithSAP", "1")
            adaptation.set("subsegmentStartsWithSAP", "1")
            adaptation.set("subsegmentAlignment", "true")
            for representation in adaptation.iterfind("mpd:Representation", NS):
                base = _base(representation)
                name = (base.text or "").removesuffix(".mp4")
                representation.set("id", name)
                # The least rate that plays without a stop (ISO/IEC 23009-1, 5.3.5.2): that of the busiest segment.
                representation.set("bandwidth", str(peaks[f"hls/{name}.m3u8"]))
                base.text = address[f"{name}.mp4"]
            adaptation[:] = sorted(adaptation, key=_rate)
        period.extend(sets)
    return _text(root)


def readdressed(text: str, address: Callable[[str], str]) -> str:
    """An MPD whose BaseURLs are replaced."""
    root = _parse(text.encode())
    for base in root.iterfind(".//mpd:BaseURL", NS):
        base.text = address(base.text or "")
    return _text(root)


def _parse(text: bytes) -> Element:
    parser = etree.XMLParser(remove_blank_text=True, remove_comments=True, resolve_entities=False, no_network=True)
    return etree.fromstring(text, parser)


def _text(root: Element) -> str:
    etree.indent(root)
    xml: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return xml.decode() + "\n"


def _order(adaptation: Element) -> tuple[bool, str]:
    """Pictures first."""
    return adaptation.get("contentType") != "video", adaptation.get("lang", "")


def _base(representation: Element) -> Element:
    base = representation.find("mpd:BaseURL", NS)
    if base is None:
        raise ValueError("the packager wrote a representation without BaseURL")
    return base


def _rate(element: Element) -> int:
    """Descriptors first, then representations from the smallest."""
    return int(element.get("bandwidth", -1))
