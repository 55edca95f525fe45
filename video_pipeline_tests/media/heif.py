"""A HEIC file around one picture that x265 encoded: ffmpeg reads such files and cannot write them."""

from __future__ import annotations

import struct
from pathlib import Path

from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_ffmpeg


def write(tools: Tools, picture: Path, out: Path, size: tuple[int, int], quarter_turns: int = 0) -> Path:
    """ISO/IEC 23008-12. A reader turns the picture so often by 90 degrees, anticlockwise."""
    whole = out.with_suffix(".mp4")
    # One picture without parameter sets in it: the sample is what a HEIC item holds.
    encoder = ("-c:v", "libx265", "-x265-params", "log-level=none:info=0", "-tag:v", "hvc1", "-pix_fmt", "yuv420p")
    run_ffmpeg(tools, "-i", picture, "-frames:v", "1", *encoder, whole)
    data = whole.read_bytes()
    at = data.index(b"hvcC") - 4
    config = data[at : at + _number(data, at)]
    at = data.index(b"mdat") - 4
    sample = data[at + 8 : at + _number(data, at)]
    ftyp = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    properties = config + _full(b"ispe", struct.pack(">II", *size)) + _box(b"irot", bytes([quarter_turns]))
    used = struct.pack(">IHBBBB", 1, 1, 3, 0x81, 2, 0x83)
    described = (
        _full(b"hdlr", bytes(4) + b"pict" + bytes(13))
        + _full(b"pitm", struct.pack(">H", 1))
        + _full(b"iinf", struct.pack(">H", 1) + _full(b"infe", struct.pack(">HH4sx", 1, 0, b"hvc1"), version=2))
        + _box(b"iprp", _box(b"ipco", properties) + _full(b"ipma", used))
    )
    length = len(described) + 12 + 12 + 18
    place = struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, len(ftyp) + length + 8, len(sample))
    meta = _full(b"meta", described + _full(b"iloc", place))
    assert len(meta) == length
    out.write_bytes(ftyp + meta + _box(b"mdat", sample))
    return out


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def _full(name: bytes, content: bytes, version: int = 0) -> bytes:
    return _box(name, bytes([version, 0, 0, 0]) + content)


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
