"""What the manifests say of encryption: which, with which key, and where players get that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from video_pipeline.media.dash import NS, Element, parse, written
from video_pipeline.media.model import ProtectionPlan
from video_pipeline.media.protection import ContentKey

CLEAR_KEY = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
"""ClearKey's system id (https://dashif.org/identifiers/content_protection/)."""
COMMON = "urn:mpeg:dash:mp4protection:2011"
"""ISO/IEC 23009-1, 5.8.5.2: the scheme and the key's id."""
CENC, CPS = "urn:mpeg:cenc:2013", "https://dashif.org/CPS"
METHODS = {"aes-128": "AES-128", "cenc": "SAMPLE-AES-CTR", "cbcs": "SAMPLE-AES"}
"""Of EXT-X-KEY (RFC 8216bis, 4.4.4.4)."""


@dataclass(frozen=True)
class Keying:
    plan: ProtectionPlan
    key: ContentKey
    vectors: dict[str, Sequence[bytes]]
    """Track name to its initialization vector, or with aes-128 to that of each segment."""
    spans: dict[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    """With aes-128, track name to the size and the first byte of each segment."""

    def hls(self, text: str, name: str) -> str:
        """A playlist of this track that names its keys. The header before them is in the clear."""
        lines, segment = [], 0
        for line in text.splitlines():
            if line.startswith("#EXT-X-KEY:"):  # the packager's, of cbcs alone
                continue
            if line.startswith("#EXTINF:"):
                if segment < len(self.vectors[name]):
                    lines += self._tags(self.vectors[name][segment])
                segment += 1
            lines.append(line)
        return "\n".join(lines) + "\n"

    def _tags(self, vector: bytes) -> list[str]:
        told = f'METHOD={METHODS[self.plan.scheme]},URI="{self.key.address(self.plan.key_uri)}"'
        if self.plan.scheme != "cenc":  # there each sample has its own, in the file
            told += f",IV=0x{vector.hex()}"
        if self.plan.scheme == "aes-128":
            return [f"#EXT-X-KEY:{told}"]
        tags = [f'#EXT-X-KEY:{told},KEYFORMAT="identity",KEYFORMATVERSIONS="1"']
        # hls.js 1.7 takes what is meant for identity if it can, and then cannot decrypt cbcs in MP4.
        if self.plan.license_uri and self.plan.scheme == "cenc":
            address = self.key.address(self.plan.license_uri)
            told = f'METHOD={METHODS[self.plan.scheme]},URI="{address}",KEYID=0x{self.key.key_id}'
            tags.append(f'#EXT-X-KEY:{told},KEYFORMAT="org.w3.clearkey",KEYFORMATVERSIONS="1"')
        return tags

    def dash(self, mpd: str) -> str:
        """An MPD whose sets of pictures and sound all say the same, in place of what the packager says."""
        root = parse(mpd.encode())
        # Prefixes cannot be given to an element that is there already.
        told: Element = etree.Element(root.tag, dict(root.attrib), nsmap={**root.nsmap, "cenc": CENC, "dashif": CPS})
        told[:] = root[:]
        for adaptation in told.iterfind(".//mpd:AdaptationSet", NS):
            if adaptation.get("contentType") != "text":
                for old in adaptation.findall("mpd:ContentProtection", NS):
                    adaptation.remove(old)
                adaptation[:0] = self._elements()
        return written(told)

    def _elements(self) -> list[Element]:
        tag = f"{{{NS['mpd']}}}ContentProtection"
        told = {"schemeIdUri": COMMON, "value": self.plan.scheme, f"{{{CENC}}}default_KID": self.key.uuid}
        elements = [etree.Element(tag, told)]
        if self.plan.license_uri:
            clear_key = etree.Element(tag, {"schemeIdUri": CLEAR_KEY, "value": "ClearKey1.0"})
            address = etree.SubElement(clear_key, f"{{{CPS}}}Laurl", {"Lic_type": "EME-1.0"})
            address.text = self.key.address(self.plan.license_uri)
            elements.append(clear_key)
        return elements
