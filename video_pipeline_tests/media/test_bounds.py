"""A file of a few bytes that promises gigabytes is refused before any of them are asked for."""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from video_pipeline.errors import SourceError
from video_pipeline.media import listing, opening, packets, probe, process
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline.presets import load

MEMORY = 768 * 2**20
"""Address space that must do for refusing; a 30000x30000 picture takes 900 MB at one byte a pixel."""


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (listing, opening):
        monkeypatch.setattr(module, "LIMITS", replace(module.LIMITS, memory=MEMORY))


@pytest.fixture(scope="module")
def small(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of 64x64, its index last."""
    path = tmp_path_factory.mktemp("small") / "small.mp4"
    argv: list[str | Path] = [tools.ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64:duration=1", path]
    process.run(argv)
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, animated: bool) -> bytes:
    """Black, one bit a pixel, really there: 112 MB of zeros, deflated."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    if animated:
        out += chunk(b"acTL", struct.pack(">II", 1, 0))
        out += chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 10, 0, 0))
    return out + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    frame = b"\x21\xf9\4\0\x0a\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2\2\x44\1\0"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + 3 * frame + b";"


def avi(width: int, height: int, codec: bytes) -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data

    main = struct.pack("<14I", 40000, 0, 0, 16, 3, 0, 1, 0, width, height, 0, 0, 0, 0)
    stream = b"vids" + b"DIB " + struct.pack("<12I", 0, 0, 0, 1, 25, 0, 3, 0, 0, 0, 0, 0)
    bitmap = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, codec, 0, 0, 0, 0, 0)
    head = part(b"avih", main) + part(b"LIST", b"strl" + part(b"strh", stream) + part(b"strf", bitmap))
    movie = part(b"LIST", b"hdrl" + head) + part(b"LIST", b"movi" + 3 * part(b"00db", bytes(1000)))
    return part(b"RIFF", b"AVI " + movie)


def h264(width: int, height: int) -> bytes:
    """Parameter sets and the begin of a key frame."""

    def golomb(value: int) -> str:
        return "0" * ((value + 1).bit_length() - 1) + f"{value + 1:b}"

    def unit(kind: int, bits: str) -> bytes:
        bits += "1" + "0" * (-(len(bits) + 1) % 8)
        return b"\0\0\0\1" + bytes([kind]) + int(bits, 2).to_bytes(len(bits) // 8, "big")

    size = golomb(width // 16 - 1) + golomb(height // 16 - 1)
    sequence = f"{66:08b}{0:08b}{62:08b}" + golomb(0) + golomb(0) + golomb(2) + golomb(1) + "0" + size + "1100"
    picture = golomb(0) * 2 + "00" + golomb(0) * 3 + "000" + golomb(0) * 3 + "000"
    slice_ = golomb(0) + golomb(7) + golomb(0) + "0000" + golomb(0) + "00" + golomb(0)
    return unit(0x67, sequence) + unit(0x68, picture) + unit(0x65, slice_ + "1" * 800)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize(
    ("make", "size"),
    [
        pytest.param(lambda: png(30000, 30000, animated=False), 30000, id="png"),
        pytest.param(lambda: png(30000, 30000, animated=True), 30000, id="apng"),
        pytest.param(lambda: gif(65535, 65535), 65535, id="gif"),
        pytest.param(lambda: avi(65535, 65535, b"\0\0\0\0"), 65535, id="raw avi"),
        pytest.param(lambda: avi(60000, 60000, b"FFV1"), 60000, id="ffv1"),
        pytest.param(lambda: avi(30000, 30000, b"FMP4"), 30000, id="mpeg4"),
        pytest.param(lambda: h264(16384, 16384), 16384, id="h264"),
        pytest.param(lambda: h264(65520, 65520), 65520, id="h264 65520"),
    ],
)
def test_a_huge_picture_is_named_with_the_limit(
    tools: Tools, tmp_path: Path, make: Callable[[], bytes], size: int
) -> None:
    path = tmp_path / "huge.mp4"
    path.write_bytes(make())
    words = f"^huge.mp4: a picture of {size}x{size} is too large; at most 67,108,864 pixels"
    with pytest.raises(SourceError, match=words):
        probe.probe(tools, path)


def patched(small: Path, to: Path, *changes: tuple[bytes, int, int]) -> Path:
    """With other numbers in its index: box, bytes behind its name, value."""
    data = bytearray(small.read_bytes())
    for kind, offset, value in changes:
        struct.pack_into(">I", data, data.index(kind) + offset, value)
    to.write_bytes(data)
    return to


def test_a_lying_size_of_the_container_does_not_matter(tools: Tools, small: Path, tmp_path: Path) -> None:
    size = (b"avc1", 28, 0xFFFFFFFF)
    found = probe.probe(tools, patched(small, tmp_path / "size.mp4", size))
    assert (found.video.width, found.video.height, found.timing.frames) == (64, 64, 25)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("kind", [b"stsz", b"stts", b"ctts"])
def test_a_table_of_two_thousand_million_entries(tools: Tools, small: Path, tmp_path: Path, kind: bytes) -> None:
    path = patched(small, tmp_path / "table.mp4", (kind, 12 if kind == b"stsz" else 8, 2**31))
    with pytest.raises(SourceError, match=r"memory|not a video file that can be read"):
        probe.probe(tools, path)


def test_millions_of_pictures_of_one_byte(tools: Tools, small: Path, tmp_path: Path) -> None:
    """An index needs no table for them; readers make one in memory, 24 bytes each."""
    many = packets.MOST + 1
    run = [(b"stsz", 8, 1), (b"stsz", 12, many), (b"stsc", 16, many), (b"stts", 12, many), (b"stts", 16, 512)]
    path = patched(small, tmp_path / "many.mp4", *run)
    with pytest.raises(SourceError, match="its index names 10,368,001 pictures; at most 10,368,000 are read"):
        probe.probe(tools, path)


def test_ten_thousand_tracks(tools: Tools, small: Path, tmp_path: Path) -> None:
    data = small.read_bytes()
    start = data.rindex(b"moov") - 4
    track = data.index(b"trak", start) - 4
    length = int.from_bytes(data[track : track + 4], "big")
    inside = data[start + 8 : track] + data[track : track + length] * 10_000 + data[track + length :]
    path = tmp_path / "tracks.mp4"
    path.write_bytes(data[:start] + struct.pack(">I4s", len(inside) + 8, b"moov") + inside)
    with pytest.raises(SourceError, match="more than 1,000 streams"):
        probe.probe(tools, path)


def test_long_tags_and_many_chapters_are_cut(tools: Tools, small: Path, tmp_path: Path) -> None:
    lines = [";FFMETADATA1", "title=" + "T" * 1_000_000, *(f"name{n}=value" for n in range(1000))]
    lines += [f"[CHAPTER]\nTIMEBASE=1/1000000\nSTART={n}\nEND={n + 1}\ntitle={'C' * 2000}" for n in range(1500)]
    (tmp_path / "tags.txt").write_text("\n".join(lines))
    path = tmp_path / "tags.mkv"
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(small), "-i", str(tmp_path / "tags.txt")]
    argv += ["-map", "0:v", "-map_metadata", "1", "-map_chapters", "1", "-c", "copy", str(path)]
    subprocess.run(argv, check=True, timeout=120)
    found = probe.probe(tools, path)
    assert found.tags["title"] == "T" * 1000
    assert len(found.tags) == 200
    assert len(found.chapters) == 1000
    assert found.chapters[0].title == "C" * 1000


def test_two_pictures_a_week_apart(tools: Tools, small: Path, tmp_path: Path) -> None:
    """What would be made of it is bounded, too."""
    path = tmp_path / "week.mkv"
    slow = ["-vf", "select=lt(n\\,2),setpts=N*604800/TB", "-enc_time_base", "1/1000", "-fps_mode", "passthrough"]
    process.run([tools.ffmpeg, "-v", "error", "-i", small, *slow, "-c:v", "libx264", "-bf", "0", path])
    with pytest.raises(SourceError, match="up to 86400 s can be processed"):
        make_plan(probe.probe(tools, path), "0" * 64, load("draft"))
