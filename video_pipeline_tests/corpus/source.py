"""What a good player makes of a source: the measure for what was published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from video_pipeline.media.tools import Tools
from video_pipeline_tests.corpus import decode
from video_pipeline_tests.corpus.decode import Pictures, Samples

HDR = ("smpte2084", "arib-std-b67")
TEXT = ("subrip", "ass", "ssa", "mov_text", "webvtt", "text", "eia_608")
TONE_MAP = (
    "zscale=transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,tonemap=hable:desat=0,"
    "zscale=transfer=bt709:matrix=bt709:range=tv,format=yuv420p"
)
EARLY = 0.1
"""s of sound before the first picture from which that picture has to wait for it."""
HD_LINES = 576
TELEVISION = (
    "format=yuv444p,zscale={}:transferin=bt709:rangein={}:matrix=gbr:primaries=bt709:transfer=bt709:range=full,"
    "format=gbrp"
)


@dataclass
class Source:
    pictures: Pictures
    sounds: list[Samples]
    """One per track that decodes, from the first picture on, or from where sound is heard well before it."""
    languages: list[str]
    """Of these tracks; "und" where the file does not say."""
    texts: int
    """Tracks of subtitles that are text."""
    hdr: bool
    alpha: bool
    encrypted: bool
    """The file says so."""
    television: bool
    """Its colours may be those of standard definition."""

    @property
    def plays(self) -> bool:
        return len(self.pictures.times) > 0

    @property
    def end(self) -> float:
        """Of the last picture, s."""
        times, last = self.pictures.times, self.pictures.last
        usual = float(np.median(np.diff(times))) if len(times) > 1 else 0.04
        # Some demuxers call a picture's duration one tick; a slide show's last slide has none.
        return float(times[-1]) + (last if last > usual / 2 else min(usual, 1.0))


def video_of(found: dict[str, Any]) -> dict[str, Any]:
    """The video stream ffmpeg would show: the largest that is no cover picture."""
    streams = [s for s in found.get("streams", []) if s.get("codec_type") == "video"]
    real = [s for s in streams if not s.get("disposition", {}).get("attached_pic")]
    return max(real, key=lambda s: int(s.get("width") or 0) * int(s.get("height") or 0), default={})


def chain(video: dict[str, Any]) -> tuple[str, tuple[str, ...], bool, bool]:
    """Filters and input options that show a source as it is meant; whether it is HDR; whether it has alpha."""
    pix_fmt, tags = str(video.get("pix_fmt", "")), video.get("tags", {})
    if video.get("color_transfer") in HDR:
        return TONE_MAP, (), True, False
    coded = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(str(video.get("codec_name")))
    webm = coded is not None and str(tags.get("alpha_mode", tags.get("ALPHA_MODE", "0"))) == "1"
    if webm or pix_fmt.startswith(("rgba", "bgra", "argb", "abgr", "yuva", "gbrap", "ya8", "ya16", "pal8")):
        before = ("-c:v", coded) if webm and coded else ()
        return "format=gbrap,premultiply=inplace=1,format=gbrp", before, False, True
    untagged = video.get("color_space", "unknown") in ("unknown", "unspecified", "gbr") and "yuv" in pix_fmt
    large = int(video.get("height") or 0) > HD_LINES or int(video.get("width") or 0) >= 1280
    return ("scale=in_color_matrix=bt709,format=gbrp" if untagged and large else ""), (), False, False


def look(tools: Tools, path: Path, *, television: bool = False, frames: bool = False) -> Source:
    """Decodes all of it.

    Args:
        television: the primaries are BT.601's where plain ffmpeg takes BT.709's; without sound, as `frames`.
        frames: fields are made to whole frames.
    """
    found = decode.probe(tools, path)
    video = video_of(found)
    filters, before, hdr, alpha = chain(video)
    standard = not (filters or hdr or alpha) and "yuv" in str(video.get("pix_fmt")) and not _says_hd(video)
    if television:
        lines = "bt470bg" if int(video.get("height") or 0) in (576, 288) else "smpte170m"
        full = "full" if video.get("color_range") == "pc" or "yuvj" in str(video.get("pix_fmt")) else "limited"
        filters = TELEVISION.format(f"matrixin={lines}:primariesin={lines}", full)
    if frames:
        filters = ",".join(part for part in ("bwdif=mode=send_field:deint=interlaced", filters) if part)
    # With -copyts: else ffmpeg counts from the start of the streams it reads, and these differ.
    shown = decode.pictures(tools, path, filters, (*before, "-copyts"))
    streams = found.get("streams", [])
    tracks = [s for s in streams if s.get("codec_type") == "audio"]
    first = float(shown.times[0]) if len(shown.times) else 0.0
    early = min((float(s.get("start_time", first)) for s in tracks), default=first)
    if early < first - EARLY:
        first = early
    shown.times -= first
    sounds, languages = [], []
    for number, track in enumerate(tracks if len(shown.times) and not (television or frames) else []):
        heard = decode.sound(tools, path, f"0:a:{number}", ("-copyts",), first)
        if len(heard):
            sounds.append(heard)
            languages.append(str(track.get("tags", {}).get("language", "und")))
    texts = [s for s in streams if s.get("codec_type") == "subtitle" and s.get("codec_name") in TEXT]
    says = str(found.get("format", {}).get("tags", {})) + str([s.get("side_data_list") for s in streams])
    encrypted = "ASF_Protection_Type" in says or "Encryption initialization data" in says
    return Source(shown, sounds, languages, len(texts), hdr, alpha, encrypted, standard)


def _says_hd(video: dict[str, Any]) -> bool:
    return "bt709" in (video.get("color_primaries"), video.get("color_space"))
