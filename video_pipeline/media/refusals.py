"""Why a file is no video that can be read, in words for the person who gave it."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from video_pipeline.media import boxes, ffmpeg

HEAD = 65_536
"""Bytes that are looked at."""
PLACES = 64
"""Of a file that begins with zeros, looked at to say that there is nothing else."""
# What a script starts with, lower case, and what it is: it names other files, which nobody checked.
SCRIPTS = (
    (rb"#extm3u", "a playlist (HLS or M3U)"),
    (rb"ffconcat", "a list of files (ffconcat)"),
    (rb"\[playlist\]", "a playlist (PLS)"),
    (rb"\[reference\]", "a playlist (ASX)"),
    (rb"<asx", "a playlist (ASX)"),
    (rb"<(\?xml.{0,1000}<)?(\w+:)?mpd\b", "a playlist (DASH manifest)"),
    (rb"<(\?xml.{0,1000}<)?smil\b", "a playlist (SMIL)"),
    (rb"<(\?xml.{0,1000}<)?(playlist|compositionplaylist|assetmap)\b", "a playlist (XML)"),
    (rb"v=0\r?\n[a-z]=", "a description of a live stream (SDP)"),
    (rb"(rtsptext|rtsp://|rtmp://|mms://|https?://)", "a link"),
)
# What other files start with.
SIGNATURES = (
    (rb"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
    (rb"\xff\xd8\xff", "a picture (JPEG)"),
    (rb"GIF8[79]a", "a picture (GIF)"),
    (rb"RIFF.{4}WEBPVP8X.{4}[\x02\x03\x12\x13\x22\x32]", "an animated picture (WebP), which cannot be read here"),
    (rb"RIFF.{4}WEBP", "a picture (WebP)"),
    (rb"BM.{4}\0{4}", "a picture (BMP)"),
    (rb"II\*\0|MM\0\*", "a picture (TIFF or camera raw)"),
    (rb"8BPS\x00\x01", "a picture (Photoshop)"),
    (rb".{4}ftyp(heic|heix|mif1|avif)", "a picture (HEIF)"),
    (rb"%PDF-", "a PDF document"),
    (rb"PK\x03\x04|PK\x05\x06", "an archive (ZIP)"),
    (rb"Rar!\x1a\x07", "an archive (RAR)"),
    (rb"7z\xbc\xaf\x27\x1c", "an archive (7z)"),
    (rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ\0|\x28\xb5\x2f\xfd", "a compressed file"),
    (rb".{257}ustar", "an archive (tar)"),
    (rb"\x7fELF|MZ", "a program"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (rb"SQLite format 3\0", "a database"),
    (rb"(?i)\s*<(!doctype html|html)", "a web page"),
    (rb"(?i)\s*(<\?xml.{0,1000}<)?<?svg\b", "a drawing (SVG)"),
    (rb"WEBVTT", "a subtitle file (WebVTT)"),
    (rb"\d+\r?\n\d\d:\d\d:\d\d,\d{3} -->", "a subtitle file (SRT)"),
    (rb"\[Script Info\]", "a subtitle file (ASS)"),
)
DOLBY_VISION_5 = (
    "it is Dolby Vision profile 5, whose colours no standard player can show and which cannot be converted here; "
    "export it as profile 8, HDR10, HLG or SDR"
)
# What an MP4 or MOV file starts with; anything else was only named so.
MP4_BOXES = frozenset(("ftyp", "moov", "mdat", "free", "skip", "wide", "pnot", "styp", "moof", "sidx", "uuid"))


def script(path: Path) -> str | None:
    """The reason if it is a text that names other files, which is refused before any reader follows it."""
    start = _head(path).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    found = next((what for pattern, what in SCRIPTS if re.match(pattern, start, re.DOTALL)), None)
    return f"it is {found}, not a video; give the video file itself" if found else None


def other_kind(path: Path) -> str | None:
    """The reason if it starts like a file of another kind; a video may do so too (raw MJPEG, GIF)."""
    start = _head(path)
    known = next((what for pattern, what in SIGNATURES if re.match(pattern, start, re.DOTALL)), None)
    return f"it is {known}, not a video" if known else None


def unreadable(log: str, path: Path) -> str:
    """The reason why ffprobe could not open it.

    Args:
        log: ffprobe's standard error.
    """
    start = _head(path)
    if not start:
        return "it is empty (0 bytes)"
    if not any(start) and _only_zeros(path):
        return "it holds nothing but zeros; it was probably never written to its end"
    if size := too_large(log):
        return size
    if known := other_kind(path):
        return known
    if _is_text(start):
        return "it is a text, not a video"
    if start[4:8].decode("latin-1") in MP4_BOXES and "moov atom not found" in log:
        return _without_index(path)
    if "exceeds max_streams" in log:
        return "it has more than 1,000 streams"
    if "atom (decompressed)" in log or "Function not implemented" in log:
        return "its index is compressed (cmov), which cannot be read; save it again with a current program"
    if "Cannot allocate memory" in log or "Out of memory" in log:
        return f"its index asks for more memory than the {ffmpeg.INDEX_MEMORY >> 30} GiB that reading it may take"
    if "moov atom not found" in log or "Invalid data found when processing input" in log:
        return "it is not a video file that can be read: no known format, or damaged from its start"
    lines = [line for line in log.splitlines() if line.strip()]
    if lines and lines[-1].endswith("Invalid argument"):
        return "it is not a video in a format that is accepted"
    last = lines[-1].replace(ffmpeg.name(path), "the file") if lines else "unknown error"
    return "it cannot be read as media: " + re.sub(r"^(\[[^]]*\] ?)+", "", last)


def too_large(log: str) -> str | None:
    """The reason if a decoder met a picture that is larger than we decode."""
    found = re.search(r"Picture size (\d+)x(\d+) (?:is invalid|exceeds)", log)
    return found and of_size(int(found[1]), int(found[2]))


def killed(status: int) -> str | None:
    """The reason if the kernel ended ffprobe because it took more time than it may."""
    if status not in (-signal.SIGXCPU, -signal.SIGKILL):
        return None
    return "what it says about itself takes more than 60 s of processor time to read; it is broken, or made to be slow"


def of_size(width: int, height: int) -> str:
    return f"a picture of {width}x{height} is too large; at most {ffmpeg.MAX_PIXELS:,} pixels (8192x8192) are decoded"


def no_picture(log: str, path: Path, codec: str) -> str:
    """The reason why nothing of the video track was decoded.

    Args:
        log: ffmpeg's, of the attempt.
    """
    if "no decoder found" in log:
        return f"the video's codec ({codec}) is not supported: this ffmpeg has no decoder for it"
    lines = [line for line in log.splitlines() if f"[{codec} @" in line]
    said = ": " + re.sub(r"^(\[[^]]*\] ?)+", "", lines[0]) if lines else ""
    return too_large(log) or other_kind(path) or f"no picture of the video ({codec}) could be decoded{said}"


def no_packet(log: str, named: int | None) -> str:
    """The reason why the video track is empty.

    Args:
        log: ffprobe's, with warnings.
        named: pictures of the track by its index, None if that is not known.
    """
    if "external track" in log:
        return "the video track only refers to another file; give one file that holds everything (self-contained)"
    if named or "partial file" in log:
        many = f"all of its {named:,} pictures" if named else "its first picture"
        return f"it was cut off: the file ends before {many}; upload it again"
    return "it is only a header: the video track has no picture in it"


def _without_index(path: Path) -> str:
    """Of an MP4 or MOV file whose moov box is not found: it was cut off, or a box before it lies about its size."""
    length = path.stat().st_size
    whole = boxes.top_level(path)
    end = whole[-1].end if whole else 0
    with path.open("rb") as file:
        file.seek(end)
        header = file.read(16)
    size, kind = int.from_bytes(header[:4], "big"), header[4:8].decode("latin-1")
    size = int.from_bytes(header[8:], "big") if size == 1 else size
    missing = "its index (moov atom) is missing"
    if 1 < size < 8:
        return f"its index (moov atom) cannot be reached: the {kind} box at byte {end} says it has {size} bytes"
    if kind in MP4_BOXES and end + size > length:
        cut = f"{length:,} of at least {end + size:,} bytes are there"
        return f"{missing}: it was cut off, or its {kind} box says a wrong size ({cut}); record or upload it again"
    return f"{missing}; the file was probably cut off while it was written; record or upload it again"


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _only_zeros(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        for n in range(PLACES + 1):
            file.seek(max(0, (size - HEAD) * n // PLACES))
            if any(file.read(HEAD)):
                return False
    return True


def _is_text(start: bytes) -> bool:
    try:
        text = start[: start.rfind(b"\n") + 1 or None].decode()
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\t\r\n\f" for letter in text)
